"""The limits of the law in words: one line for each, in ``case show`` and in ``case overdue``."""

from datetime import datetime

from rich.text import Text

from eessi_sim.buc.deadlines import ProcessLimit
from eessi_sim.buc.terms import Deadline
from eessi_sim.casefile.indicators import Answer, Exchange, Indicators
from eessi_sim.cli import output
from eessi_sim.clock import iso, span


def basis(limit: Deadline) -> str:
    """Return the law or the source of a limit, with the confidence of who says so."""
    return f"{limit.article or limit.source}, {limit.confidence}"


def line(found: ProcessLimit) -> Text:
    """Return a limit of the process as a whole: its words, its date, how it stands."""
    text = Text(f"limit: {found.limit.text.strip()}", style=output.BAD if found.overdue else "")
    text.append(f" ({basis(found.limit)})", style=output.DIM)
    if found.since is None or found.due_at is None:
        return text
    text.append(f"; since {found.since.type}, until {found.due_at:%Y-%m-%d}")
    if found.ended_by is not None:
        text.append(f", ended by {found.ended_by.type}", style=output.GOOD)
    if found.overdue:
        text.append(", over", style=output.BAD)
    return text


def as_json(found: ProcessLimit) -> dict[str, object]:
    """Return the JSON form of a limit of the process as a whole."""
    return {
        "text": found.limit.text.strip(),
        "article": found.limit.article,
        "source": found.limit.source,
        "confidence": found.limit.confidence,
        "since": found.since.type if found.since else None,
        "due_at": iso(found.due_at) if found.due_at else None,
        "ended_by": found.ended_by.type if found.ended_by else None,
        "overdue": found.overdue,
    }


def overdue_items(found: Indicators, now: datetime) -> list[dict[str, object]]:
    """Return everything that is late in a case, as JSON has it: answers first, then the process as a whole."""
    answers = [_answer(found, each, now) for each in found.exchanges if each.answer is Answer.OVERDUE]
    return answers + [_whole(found, each, now) for each in found.limits if each.overdue]


def _answer(found: Indicators, exchange: Exchange, now: datetime) -> dict[str, object]:
    assert exchange.limit is not None  # overdue answers have one
    return {
        **_place(found),
        "what": "answer",
        "sed": exchange.sed,
        "document": exchange.document,
        "owed_by": exchange.peer if exchange.direction == "OUT" else found.case.own,
        **_late(exchange.limit, exchange.due_at, now),
    }


def _whole(found: Indicators, each: ProcessLimit, now: datetime) -> dict[str, object]:
    assert each.since is not None  # overdue limits have begun
    return {
        **_place(found),
        "what": "process",
        "sed": each.since.type,
        "document": each.since.id,
        "owed_by": None,
        **_late(each.limit, each.due_at, now),
    }


def _place(found: Indicators) -> dict[str, object]:
    case = found.case
    return {"case": case.international_id, "node": case.own, "local_case": case.id, "buc": case.buc}


def _late(limit: Deadline, due_at: datetime | None, now: datetime) -> dict[str, object]:
    assert due_at is not None  # what is overdue has a date
    return {
        "due_at": iso(due_at),
        "late_by": span(now - due_at),
        "text": limit.text.strip(),
        "article": limit.article,
        "source": limit.source,
        "confidence": limit.confidence,
    }


def show_overdue(items: list[dict[str, object]]) -> None:
    """Print what is late, two lines for each; a table would be too wide."""
    for each in items:
        head = Text(f"{each['buc']} {each['case']}", style="bold")
        head.append(f", copy of {each['node']}", style=output.DIM)
        output.show_unwrapped(head)
        late = f"{each['owed_by']} owes the answer to {each['sed']}" if each["owed_by"] else str(each["text"])
        line = Text(f"  {late}: due {str(each['due_at'])[:10]}, late by {each['late_by']}", style=output.BAD)
        line.append(f" ({each['article'] or each['source']}, {each['confidence']})", style=output.DIM)
        output.show_unwrapped(line)
    if not items:
        output.remark("Nothing is late.")
