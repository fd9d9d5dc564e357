"""``case list`` and ``case show``: which cases there are, how long everything took, and what is overdue."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from rich.text import Text

from eessi_sim.attachments import in_words
from eessi_sim.buc.case import Attachment, Case, CaseRole, CaseStatus, Direction, Document
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Deadline
from eessi_sim.casefile import contents
from eessi_sim.casefile.indicators import Answer, Exchange, Indicators, Peer, Span, indicators
from eessi_sim.cli import case_limits, output
from eessi_sim.cli.copies import Copy
from eessi_sim.cli.stores import Stores
from eessi_sim.clock import iso, span
from eessi_sim.storage.base import NodeStore

_PAGE: Final = 500
_STYLES: Final = {
    Answer.OVERDUE: output.BAD,
    Answer.LATE: output.WARN,
    Answer.WAITING: output.DIM,
    Answer.ANSWERED: output.GOOD,
}


async def measured(copy: Copy, now: datetime) -> Indicators:
    """Return the times of a copy of a case."""
    times = await contents.times_of(copy.store, copy.case)
    return indicators(copy.case, times, Definitions.default().find(copy.case.buc), now=now)


async def copies_in(stores: Stores, node: str | None) -> list[Copy]:
    """Return one copy of each case, that of the case owner where there is one, the oldest case first.

    A removed copy is left out: nothing was ever sent in it.

    Args:
        stores: of all nodes.
        node: only the copies of this one.
    """
    chosen: dict[str, Copy] = {}
    for copy in await _copies_of(stores, node):
        case = copy.case
        if case.status is CaseStatus.REMOVED:
            continue
        if case.international_id not in chosen or case.role is CaseRole.CASE_OWNER:
            chosen[case.international_id] = copy
    return sorted(chosen.values(), key=lambda copy: (copy.case.created_at, copy.case.international_id))


async def all_copies(stores: Stores, node: str | None) -> list[Copy]:
    """Return every copy of every case, of all institutions or of one, the oldest case first.

    Args:
        stores: of all nodes.
        node: only the copies of this one.
    """
    return sorted(
        await _copies_of(stores, node),
        key=lambda copy: (copy.case.created_at, copy.case.international_id, copy.case.own),
    )


async def _copies_of(stores: Stores, node: str | None) -> list[Copy]:
    return [
        Copy(case, store)
        for party, store in stores.items()
        if node in (None, party)
        async for case in cases_of(store)
    ]


async def cases_of(store: NodeStore) -> AsyncIterator[Case]:
    """Yield the cases of an institution, newest first."""
    after = None
    while page := await store.cases(limit=_PAGE, after=after):
        for case in page:
            yield case
        after = page[-1].id


def summary(found: Indicators) -> dict[str, object]:
    """Return the JSON form of a case in the list."""
    case = found.case
    return {
        "case": case.international_id,
        "node": case.own,
        "local_case": case.id,
        "buc": case.buc,
        "role": case.role.short,
        "status": case.status,
        "created_at": iso(case.created_at),
        "peers": [participant.institution for participant in case.others],
        "documents": len(case.documents),
        "waiting": found.waiting,
        "overdue": found.overdue,
    }


def show_list(found: list[Indicators]) -> None:
    """Print one line per case."""
    rows = [
        (
            each.case.international_id,
            each.case.buc,
            each.case.own,
            "\n".join(participant.institution for participant in each.case.others),
            each.case.status,
            len(each.case.documents),
            _open_answers(each),
        )
        for each in found
    ]
    output.show_table(["!Case", "!BUC", "!Copy of", "!With", "!Status", ">SEDs", "Answers"], rows)


def _open_answers(found: Indicators) -> Text:
    if found.overdue:
        return Text(f"{found.overdue} overdue", style=output.BAD)
    return Text(f"{found.waiting} open" if found.waiting else "", style=output.DIM)


def details(found: Indicators) -> dict[str, object]:
    """Return the JSON form of one case."""
    return {
        **summary(found),
        "exchanges": [_exchange(each) for each in found.exchanges],
        "limits": [case_limits.as_json(each) for each in found.limits],
        "by_peer": [peer_json(each) for each in found.peers()],
        "attachments": [_attachment(document, each) for document, each in _attachments(found.case)],
    }


def _attachments(case: Case) -> Iterator[tuple[Document, Attachment]]:
    """Yield the attachments of the latest version of every document."""
    return ((document, each) for document in case.documents for each in document.attachments)


def _attachment(document: Document, attachment: Attachment) -> dict[str, object]:
    return {
        "document": document.id,
        "sed": document.type,
        "id": attachment.id,
        "name": attachment.name,
        "file_name": attachment.file_name,
        "mime_type": attachment.mime_type,
        "medical": attachment.medical,
        "version": attachment.latest.number,
        "size": attachment.latest.size,
        "sha256": attachment.latest.digest,
    }


def _exchange(exchange: Exchange) -> dict[str, object]:
    limit = exchange.limit
    return {
        "document": exchange.document,
        "sed": exchange.sed,
        "version": exchange.version,
        "direction": exchange.direction,
        "status": exchange.status,
        "peer": exchange.peer,
        "at": _time(exchange.at),
        "accepted_at": _time(exchange.accepted_at),
        "receipted_at": _time(exchange.receipted_at),
        "answered_at": _time(exchange.answered_at),
        "answered_by": exchange.answered_by,
        "answer": exchange.answer,
        "due_at": _time(exchange.due_at),
        "limit": {**asdict(limit)} if limit else None,
    }


def peer_json(peer: Peer) -> dict[str, object]:
    """Return the JSON form of the sums of a peer."""
    return {
        "peer": peer.institution,
        "sent": peer.sent,
        "received": peer.received,
        "receipts": _span(peer.receipts),
        "answers": _span(peer.answers),
        "own_answers": _span(peer.own_answers),
        "waiting": peer.waiting,
        "overdue": peer.overdue,
    }


def _span(durations: Span) -> dict[str, object]:
    return {
        "number": durations.number,
        "median_seconds": durations.median.total_seconds() if durations.median is not None else None,
        "longest_seconds": durations.longest.total_seconds() if durations.longest is not None else None,
    }


def _time(time: datetime | None) -> str | None:
    return iso(time) if time else None


SUMS: Final = [
    "!Peer",
    "!>Sent",
    "!>Received",
    "!Receipts",
    "!Answers",
    "!Our answers",
    "!Open",
]
"""Headings of ``sums``."""


def show_details(found: Indicators) -> None:
    """Print a case: its documents with their times, and the sums per peer."""
    case = found.case
    output.show(Text(f"{case.buc}  {case.international_id}", style="bold"))
    output.show_fields(
        {
            "copy of": f"{case.own} ({case.role.short}), case {case.id}",
            "with": ", ".join(f"{each.institution} ({each.role.short})" for each in case.others),
            "status": f"{case.status}, opened {iso(case.created_at)}",
        }
    )
    headings = ["!SED", ">V.", "!Status", "!Peer", "!Sent or received", ">Receipted", ">Answered", "!Answer"]
    output.show_table(headings, [_row(each) for each in found.exchanges])
    _show_attachments(case)
    for each in found.exchanges:
        if each.answer is not Answer.NONE and each.limit:
            output.show(_due(each, each.limit))
    for limit in found.limits:
        output.show(case_limits.line(limit))
    output.show(Text())
    output.show_table(SUMS, [sums(each) for each in found.peers()])


def _show_attachments(case: Case) -> None:
    rows = [
        (
            document.type,
            each.file_name,
            each.name if each.name != each.file_name else "",
            each.mime_type,
            in_words(each.latest.size),
            each.latest.number,
            "medical" if each.medical else "",
        )
        for document, each in _attachments(case)
    ]
    if rows:
        output.show(Text())
        output.show_table(["!SED", "Attachment", "Name", "!Type", ">Size", ">V.", "!Medical"], rows)


def _row(exchange: Exchange) -> tuple[object, ...]:
    way = "→" if exchange.direction is Direction.OUT else "←"
    return (
        exchange.sed,
        exchange.version,
        exchange.status,
        f"{way} {exchange.peer}" if exchange.peer else "",
        f"{exchange.at:%Y-%m-%d %H:%M:%S}" if exchange.at else "",
        _after(exchange.receipted_after),
        _after(exchange.answered_after),
        _answer(exchange),
    )


def _answer(exchange: Exchange) -> Text:
    words = {
        Answer.NONE: "",
        Answer.WAITING: f"until {exchange.due_at:%Y-%m-%d}" if exchange.due_at else "waiting",
        Answer.OVERDUE: f"overdue since {exchange.due_at:%Y-%m-%d}" if exchange.due_at else "",
        Answer.ANSWERED: exchange.answered_by,
        Answer.LATE: f"{exchange.answered_by}, late",
    }
    return Text(words[exchange.answer] or "", style=_STYLES.get(exchange.answer, ""))


def _due(exchange: Exchange, limit: Deadline) -> Text:
    """Return until when a document must be answered by law, and how it stands."""
    words = {
        Answer.WAITING: "due",
        Answer.OVERDUE: "overdue",
        Answer.ANSWERED: "answered in time",
        Answer.LATE: "answered late",
    }
    style = _STYLES[exchange.answer] if exchange.answer in (Answer.OVERDUE, Answer.LATE) else ""
    head = f"{words[exchange.answer]}: {exchange.sed} {exchange.peer}, "
    line = Text(head + (f"until {exchange.due_at:%Y-%m-%d}, " if exchange.due_at else ""), style=style)
    line.append(limit.text.strip(), style=style)
    line.append(f" ({case_limits.basis(limit)})", style=output.DIM)
    return line


def sums(peer: Peer) -> tuple[object, ...]:
    """Return the row of a peer."""
    return (
        peer.institution,
        peer.sent,
        peer.received,
        _durations(peer.receipts),
        _durations(peer.answers),
        _durations(peer.own_answers),
        _owed(peer),
    )


def _owed(peer: Peer) -> Text:
    """Return how many answers are waited for within their limit, and below how many are late."""
    in_time = peer.waiting - peer.overdue
    lines = [Text(f"{in_time} waiting")] if in_time else []
    late = [Text(f"{peer.overdue} overdue", style=output.BAD)] if peer.overdue else []
    return Text("\n").join([*lines, *late])


def _durations(durations: Span) -> str:
    """Return number and median, and below the longest; the time alone when there is one only."""
    if durations.median is None or durations.longest is None:
        return ""
    if durations.number == 1:
        return span(durations.longest)
    return f"{durations.number}: {span(durations.median)}\n≤ {span(durations.longest)}"


def _after(duration: timedelta | None) -> str:
    return span(duration) if duration is not None else ""
