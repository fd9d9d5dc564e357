"""How both ends of a message are brought together."""

from typing import Any

from tests.helpers.lab import demo
from tests.helpers.reports import CASE, after
from tests.helpers.views import FOUND, SENT, FixedNode, a_case_view, a_view

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import InstitutionId
from eessi_sim.report.collect import Scene, StoryResult, collect
from eessi_sim.report.model import Message, RunReport
from eessi_sim.simulation.story import load_story
from eessi_sim.simulation.views import MessageView

NORWAY = InstitutionId("NO:NAVAT07")
SWEDEN = InstitutionId("SE:FKSE01")
SCENE = Scene(demo(), Catalogue.default(), Definitions.default(), "in-process", 7)
STORY = load_story(resources.institutions() / "stories" / "posted-worker.yaml")


async def collected(norway: list[MessageView], sweden: list[MessageView], *stories: StoryResult) -> RunReport:
    nodes = {
        InstitutionId("EU:APSIM01"): FixedNode([a_view()]),
        NORWAY: FixedNode(norway),
        SWEDEN: FixedNode(sweden),
    }
    return await collect(nodes, stories, SCENE)


async def only_message(**received: Any) -> Message:
    """The message of a run, as received with some fields changed."""
    return (await collected([a_view()], [a_view(direction="in", **received)])).messages[0]


async def test_sender_tells_when_it_was_accepted_and_receipted() -> None:
    """Times of acceptance and receipt are those of the sender's record."""
    message = await only_message()
    assert (message.accepted_at, message.receipted_at) == (after(50), after(160))


async def test_receiver_tells_what_the_document_is_worth() -> None:
    """Both signatures, schema and rules are as the receiver found them."""
    message = await only_message(details={**SENT, **FOUND, "rules_valid": "false"})
    assert (message.as4_signature, message.sed_signature, message.xsd_valid, message.rules_valid) == (
        "valid",
        "valid",
        True,
        False,
    )


async def test_message_that_never_arrived_is_unchecked() -> None:
    """Without a record of the receiver nothing is known about the document."""
    message = (await collected([a_view(receipted_at=None, last_error="nobody there")], [])).messages[0]
    assert (message.xsd_valid, message.sed_signature, message.is_filed, message.reason) == (
        None,
        None,
        False,
        "nobody there",
    )


async def test_refused_message_keeps_the_words_of_the_receiver() -> None:
    """Why the receiver did not file it comes from its record."""
    message = await only_message(state="rejected", last_error="C02 seal broken")
    assert (message.is_filed, message.reason) == (False, "C02 seal broken")


async def test_repeated_message_is_marked() -> None:
    """A message that came twice is a duplicate in the report."""
    message = await only_message(details={**SENT, **FOUND, "duplicates": "1"})
    assert message.is_duplicate


async def test_message_in_work_is_not_filed_yet() -> None:
    """What the receiver has not looked into does not lie in its case file."""
    message = await only_message(state="processing", details={})
    assert not message.is_filed


async def test_answer_of_a_rule_is_found() -> None:
    """A message whose receiver answers by rule is answered by the first document that comes back later."""
    back: dict[str, Any] = {
        "sender": "SE:FKSE01",
        "receiver": "NO:NAVAT07",
        "details": {**SENT, "sed": "A012"},
    }
    sweden = [
        a_view(direction="in", details={**SENT, **FOUND, "answer": "given"}),
        a_view(2, created_at=after(2000), **back),
    ]
    message = (await collected([a_view()], sweden)).messages[0]
    assert (message.answered_by, message.answered_at) == ("A012", after(2000))


async def test_answer_without_document_is_none() -> None:
    """A rule that had nothing to send leaves the message unanswered."""
    message = await only_message(details={**SENT, **FOUND, "answer": "given"})
    assert message.answered_by is None


async def test_signals_and_pings_are_no_messages_of_the_report() -> None:
    """Receipts and pings carry no document."""
    others = [a_view(2, kind="receipt"), a_view(3, details={})]
    assert len((await collected([a_view(), *others], [])).messages) == 1


async def test_messages_come_in_the_order_of_sending() -> None:
    """First the time of sending, then the id."""
    sent = [a_view(3, created_at=after(5)), a_view(2), a_view(1)]
    report = await collected(sent, [])
    assert [message.message_id[:2] for message in report.messages] == ["m1", "m2", "m3"]


async def test_titles_and_schema_come_from_the_definitions() -> None:
    """The report names documents and processes as the definitions do."""
    report = await collected([a_view()], [])
    assert report.messages[0].schema == "cdm/4.4/LA/A003.xsd"
    assert report.cases[0].title == Definitions.default().get("LA_BUC_02").title.text


async def test_undefined_document_has_no_title() -> None:
    """A SED and a process that nobody defines are shown by their types."""
    report = await collected([a_view(details={**SENT, "sed": "A999", "buc": "LA_BUC_99"})], [])
    assert (report.messages[0].title, report.cases[0].title) == ("", "")


async def test_case_knows_its_story_and_status() -> None:
    """A case that a story told has its id, and the status at its owner."""
    report = await collected([a_view()], [], StoryResult(STORY, a_case_view()))
    assert (report.cases[0].story, report.cases[0].status) == ("posted-worker", "closed")


async def test_case_lists_owner_first() -> None:
    """Who sent the first message owns the case; then all others in their order."""
    report = await collected([a_view()], [])
    assert report.cases[0].participants == (NORWAY, SWEDEN)


async def test_story_without_case_is_reported() -> None:
    """A story that was refused at once is in the report with its reason."""
    report = await collected([], [], StoryResult(STORY, None, "not-competent: x"))
    assert (report.stories[0].case, report.stories[0].reason) == (None, "not-competent: x")


async def test_story_knows_its_case() -> None:
    """A played story names the shared id of its case."""
    report = await collected([], [], StoryResult(STORY, a_case_view()))
    assert report.stories[0].case == CASE


async def test_access_point_comes_first_among_the_parties() -> None:
    """All nodes are listed: the access point, then the institutions by id."""
    report = await collected([], [])
    assert [party.id for party in report.parties[:2]] == ["EU:APSIM01", "DE:BA01"]
