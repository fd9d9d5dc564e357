"""Following a network: what journals say about documents, and when all is quiet."""

from typing import Any

import pytest
from tests.helpers.reports import CASE, after
from tests.helpers.views import FOUND, FixedNode, a_view, an_entry

from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.watch import Progress, Watch, unsettled
from eessi_sim.storage.base import JournalEntry

NORWAY = InstitutionId("NO:NAVAT07")
SWEDEN = InstitutionId("SE:FKSE01")
SENT = an_entry(
    "sent",
    seq=1,
    detail={"sed": "A003", "buc": "LA_BUC_02", "case": CASE, "from": NORWAY, "to": SWEDEN},
)
ACCEPTED = an_entry("accepted", "awaiting-receipt", seq=2, detail={"kind": "user"})
FILED = an_entry("filed", seq=3, detail=FOUND)
RECEIPTED = an_entry("receipted", seq=4)


async def watched(*entries: JournalEntry) -> Progress:
    """What is known of message 1 after these entries."""
    watch = Watch({NORWAY: FixedNode(entries=entries)})
    await watch.look()
    (progress,) = watch.messages
    return progress


async def test_sent_document_is_known_by_its_way() -> None:
    """The sender's journal tells what was sent, from whom and to whom."""
    progress = await watched(SENT)
    assert (progress.sed, progress.sender, progress.receiver, progress.sent_at) == (
        "A003",
        NORWAY,
        SWEDEN,
        after(1),
    )


async def test_document_with_all_three_states_is_good() -> None:
    """Accepted, filed as valid and receipted: nothing more is to come."""
    progress = await watched(SENT, ACCEPTED, FILED, RECEIPTED)
    assert (progress.is_good, progress.is_settled) == (True, True)


async def test_first_acceptance_counts() -> None:
    """What is sent again is accepted again, but it was safe from the first time on."""
    again = an_entry("accepted", "awaiting-receipt", seq=9, detail={"kind": "user"})
    assert await watched(SENT, ACCEPTED, again) == await watched(SENT, ACCEPTED)


@pytest.mark.parametrize("missing", [ACCEPTED, FILED, RECEIPTED], ids=lambda entry: str(entry.step))
async def test_document_that_lacks_a_state_is_not_settled(missing: JournalEntry) -> None:
    """As long as one state is missing something is to come."""
    entries = [entry for entry in (SENT, ACCEPTED, FILED, RECEIPTED) if entry is not missing]
    assert not (await watched(*entries)).is_settled


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (an_entry("attempted", "dead-lettered", seq=2, detail={"reason": "nobody there"}), "nobody there"),
        (an_entry("attempted", "rejected", seq=2), "rejected"),
        (an_entry("error-received", "failure", seq=2, detail={"reason": "EBMS:0004"}), "EBMS:0004"),
        (an_entry("error-received", "failure", seq=2), "refused"),
        (an_entry("filed", "refused", seq=2, detail={"reason": "C02 seal"}), "C02 seal"),
        (an_entry("filed", "failed", seq=2), "failed"),
    ],
)
async def test_document_that_cannot_go_on_is_settled_with_its_reason(
    entry: JournalEntry, reason: str
) -> None:
    """Dead letters, errors and refusals end the way of a document."""
    progress = await watched(SENT, entry)
    assert (progress.is_settled, progress.is_good, progress.reason) == (True, False, reason)


@pytest.mark.parametrize(
    "entry",
    [
        an_entry("attempted", "retry-due", seq=2, detail={"reason": "nobody there"}),
        an_entry("error-received", "warning", seq=2),
        an_entry("accepted", "forwarded", seq=2, detail={"kind": "receipt"}),
        an_entry("checked", seq=2),
    ],
    ids=lambda entry: str(entry.step),
)
async def test_entry_that_decides_nothing_changes_nothing(entry: JournalEntry) -> None:
    """A retry, a warning, the way of a receipt and the steps between say nothing about the document's state."""
    assert await watched(SENT, entry) == await watched(SENT)


async def test_document_found_invalid_is_not_good() -> None:
    """A receiver that files with a failed check has not found it valid."""
    progress = await watched(SENT, an_entry("filed", seq=2, detail={**FOUND, "rules_valid": "false"}))
    assert progress.is_valid is False


async def test_receivers_news_may_come_first() -> None:
    """A document whose sender's journal was not read yet appears once that is known."""
    watch = Watch({SWEDEN: FixedNode(entries=[FILED]), NORWAY: FixedNode(entries=[SENT])})
    (news,) = await watch.look()
    assert (news.sender, news.filed_at) == (NORWAY, after(3))


async def test_document_of_unknown_sender_is_not_shown() -> None:
    """Without the sender's journal there is nothing to show."""
    watch = Watch({SWEDEN: FixedNode(entries=[FILED])})
    assert (await watch.look(), watch.messages) == ((), ())


async def test_second_look_tells_only_news() -> None:
    """What was read once is not told again."""
    watch = Watch({NORWAY: FixedNode(entries=[SENT])})
    await watch.look()
    assert await watch.look() == ()


async def test_skip_leaves_out_the_past() -> None:
    """What happened before the watch is not shown, however many pages it has."""
    old = [an_entry("sent", seq=number, detail=SENT.detail) for number in range(1, 8)]
    node = FixedNode(entries=old, page=3)
    watch = Watch({NORWAY: node})
    await watch.skip()
    node.entries = [*old, an_entry("receipted", seq=8)]
    await watch.look()
    assert ([entry.seq for entry in watch.entries], watch.messages) == ([8], ())


async def test_documents_come_in_the_order_of_sending() -> None:
    """First the time of sending, then the id."""
    entries = [
        an_entry("sent", seq=1, at=after(9), message_id="b@x.example", detail=SENT.detail),
        an_entry("sent", seq=2, at=after(9), message_id="a@x.example", detail=SENT.detail),
        an_entry("sent", seq=3, at=after(1), message_id="c@x.example", detail=SENT.detail),
    ]
    watch = Watch({NORWAY: FixedNode(entries=entries)})
    await watch.look()
    assert [progress.message_id[0] for progress in watch.messages] == ["c", "a", "b"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "submitted"},
        {"state": "sending"},
        {"state": "retry-due"},
        {"state": "awaiting-receipt"},
        {"state": "delivered", "accepted_at": None},
        {"direction": "in", "state": "received"},
        {"direction": "in", "state": "processing"},
        {"direction": "in", "state": "answer-due"},
    ],
    ids=str,
)
async def test_message_with_something_to_come_is_unsettled(fields: dict[str, Any]) -> None:
    """To be sent, to be receipted, to be filed, to be answered: the network is not quiet."""
    view = a_view(**fields)
    assert await unsettled({NORWAY: FixedNode([view])}) == (view,)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "delivered"},
        {"state": "forwarded", "accepted_at": None},
        {"state": "rejected"},
        {"state": "dead-lettered"},
        {"direction": "in", "state": "delivered"},
        {"direction": "in", "state": "rejected"},
    ],
    ids=str,
)
async def test_message_at_its_end_is_settled(fields: dict[str, Any]) -> None:
    """Delivered, forwarded, refused and dead letters stay as they are."""
    assert await unsettled({NORWAY: FixedNode([a_view(**fields)])}) == ()
