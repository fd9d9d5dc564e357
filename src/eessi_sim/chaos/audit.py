"""Compares what senders believe with what receivers hold. Pure: books in, verdict out.

A message is good when its sender knows it delivered, its receiver filed it once, and the receipt that proves it stands
in both books. Everything else is named, and counted against the network unless a disturbance accounts for it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.buc.refusal import ExceptionCause
from eessi_sim.chaos.books import Books, Sent
from eessi_sim.identifiers import InstitutionId

_DEAD = (OutboundState.REJECTED, OutboundState.DEAD_LETTERED)
_WANTING = "EBMS:0004"
"""Stands in the reason when the access point refuses a document because of what did not come before it."""
_WANTING_AT_RECEIVER = frozenset(
    {ExceptionCause.CASE_UNKNOWN, ExceptionCause.NOT_EXPECTED, ExceptionCause.NO_PARTICIPANT}
)
"""With which of them the reason begins when its receiver does."""


class Fate(StrEnum):
    """What became of one message."""

    GOOD = "good"
    """Delivered, filed once, receipted."""
    DEAD = "dead letter"
    """Not filed; its sender knows, and a disturbance of the plan accounts for it, or for one that it followed."""
    LOST = "lost"
    """Not filed, though its sender, or whoever asked it to send, believes so."""
    STUCK = "stuck"
    """Neither filed nor given up after all disturbances have ended."""
    UNEXPLAINED = "unexplained dead letter"
    """Not filed; its sender knows, but nothing of the plan accounts for it."""
    DUPLICATED = "duplicated"
    """Filed more than once."""
    UNRECEIPTED = "receipt missing"
    """Filed, but its sender does not know."""
    FORGED = "receipt unaccounted for"
    """Its sender has it receipted, but the books hold no receipt of the receiver."""
    UNSENT = "never sent"
    """Filed, though no sender knows it."""
    WAITING = "left in a queue"
    """Something of a node that is still to be worked on."""
    DAMAGED = "store damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    fate: Fate
    party: str
    """Whose books show it."""
    reference: str
    """The message, where there is one."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """All messages from one institution to another one."""

    sender: str
    receiver: str
    sent: int
    filed: int
    """Of those, how many stand in a case file of the receiver."""
    receipted: int
    """Of those, how many their sender knows receipted."""
    dead_letters: int
    """Known to their sender, and explained."""
    lost: int
    """Lost or stuck."""
    duplicated: int
    unaccounted: int
    """Receipts missing or without origin, dead letters that nothing explains."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The verdict."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def is_success(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def as_dict(self) -> dict[str, object]:
        """Return the verdict as JSON."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "findings": [asdict(finding) for finding in self.findings],
        }


def audit(
    books: Collection[Books],
    *,
    point: InstitutionId,
    promised: Mapping[InstitutionId, Collection[str]],
    explains: Callable[[str], bool],
) -> Audit:
    """Compare the books of all nodes of a network.

    Args:
        books: of every node.
        point: the access point.
        promised: ids of the messages that each institution confirmed to whoever asked it to send.
        explains: tells whether a disturbance accounts for the reason of a dead letter.
    """
    by_party = {each.party: each for each in books}
    institutions = {party: each for party, each in by_party.items() if party != point}
    accounted = _with_followers(institutions.values(), explains)
    judged = [
        (sender, sent, _fate(sent, each, institutions, accounted))
        for sender, each in institutions.items()
        for sent in each.sent
    ]
    findings = [
        Finding(fate, sender, sent.message_id, _refused(sent, institutions) or sent.reason)
        for sender, sent, fate in judged
        if fate not in (Fate.GOOD, Fate.DEAD)
    ]
    findings += _forgotten(institutions, promised)
    findings += _unsent(institutions)
    for each in books:
        findings += _left(each)
    return Audit(tuple(_rows(judged, institutions, promised)), tuple(findings))


def _with_followers(books: Iterable[Books], explains: Callable[[str], bool]) -> Callable[[Sent], bool]:
    """Return what tells whether a dead letter is accounted for.

    Where a document of a case could not go on, those that follow it are refused for want of it, whoever sends them.
    """
    broken = {
        sent.case
        for each in books
        for sent in each.sent
        if sent.case and sent.state in _DEAD and explains(sent.reason)
    }
    return lambda sent: explains(sent.reason) or (sent.case in broken and _is_for_want(sent.reason))


def _is_for_want(reason: str) -> bool:
    return _WANTING in reason or reason.partition(" ")[0] in _WANTING_AT_RECEIVER


def _fate(
    sent: Sent,
    own: Books,
    institutions: Mapping[InstitutionId, Books],
    explains: Callable[[Sent], bool],
) -> Fate:
    receiver = institutions[InstitutionId(sent.receiver)]
    filed = receiver.copies.get(sent.message_id, 0)
    if filed > 1:
        return Fate.DUPLICATED
    refused = _refused(sent, institutions)
    if sent.state is OutboundState.DELIVERED and not filed and refused is not None:
        # A receipt says that a message arrived; the document in it may be refused all the same, as a dead letter.
        return Fate.DEAD if explains(replace(sent, reason=refused)) else Fate.UNEXPLAINED
    if sent.state is OutboundState.DELIVERED:
        is_proven = sent.message_id in own.receipts_held and sent.message_id in receiver.receipts_given
        return Fate.LOST if not filed else Fate.GOOD if is_proven else Fate.FORGED
    if filed:
        return Fate.UNRECEIPTED
    if sent.state not in _DEAD:
        return Fate.STUCK
    return Fate.DEAD if explains(sent) else Fate.UNEXPLAINED


def _refused(sent: Sent, institutions: Mapping[InstitutionId, Books]) -> str | None:
    """Return why its receiver did not file a message, None when it did or never had it."""
    return institutions[InstitutionId(sent.receiver)].refused.get(sent.message_id)


def _forgotten(
    institutions: Mapping[InstitutionId, Books], promised: Mapping[InstitutionId, Collection[str]]
) -> Iterator[Finding]:
    for sender, ids in promised.items():
        for message_id in sorted(set(ids) - {sent.message_id for sent in institutions[sender].sent}):
            yield Finding(Fate.LOST, sender, message_id, "confirmed, but not in the store of its sender")


def _unsent(institutions: Mapping[InstitutionId, Books]) -> Iterator[Finding]:
    known = {sent.message_id for each in institutions.values() for sent in each.sent}
    for party, each in institutions.items():
        for filed in each.filed:
            if filed.message_id not in known:
                yield Finding(Fate.UNSENT, party, filed.message_id, f"document {filed.document}")


def _left(books: Books) -> Iterator[Finding]:
    for words in books.waiting:
        yield Finding(Fate.WAITING, books.party, words.rpartition(" ")[2], words.rpartition(" ")[0])
    if books.damage:
        yield Finding(Fate.DAMAGED, books.party, "", books.damage)


def _rows(
    judged: Iterable[tuple[InstitutionId, Sent, Fate]],
    institutions: Mapping[InstitutionId, Books],
    promised: Mapping[InstitutionId, Collection[str]],
) -> Iterator[Row]:
    ways: dict[tuple[str, str], list[tuple[Sent, Fate]]] = defaultdict(list)
    for sender, sent, fate in judged:
        ways[sender, sent.receiver].append((sent, fate))
    forgotten = Counter(finding.party for finding in _forgotten(institutions, promised))
    for (party, receiver), messages in sorted(ways.items()):
        fates = Counter(fate for _, fate in messages)
        holder = institutions[InstitutionId(receiver)]
        yield Row(
            sender=party,
            receiver=receiver,
            sent=len(messages),
            filed=sum(sent.message_id in holder.copies for sent, _ in messages),
            receipted=sum(sent.state is OutboundState.DELIVERED for sent, _ in messages),
            dead_letters=fates[Fate.DEAD],
            lost=fates[Fate.LOST] + fates[Fate.STUCK] + forgotten[party],
            duplicated=fates[Fate.DUPLICATED],
            unaccounted=fates[Fate.UNRECEIPTED] + fates[Fate.FORGED] + fates[Fate.UNEXPLAINED],
        )
