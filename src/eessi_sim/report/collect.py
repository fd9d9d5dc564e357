"""Asks all nodes what they sent and received, and brings both ends of every message together.

Sent, accepted and receipted come from the sender's record; what the document is worth comes from the receiver's.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.identifiers import CdmVersion, InstitutionId, SedType
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.report.model import CaseFile, Message, Party, RunReport, StoryEvent, StoryRun
from eessi_sim.simulation.assembly import between
from eessi_sim.simulation.control import NodeReader
from eessi_sim.simulation.story import Event, Story
from eessi_sim.simulation.views import CaseView, MessageView

_FILED = frozenset({"delivered", "answer-due", "processing"})
"""States of a received message whose document is in the case file; the last two while its answer is pending."""


@dataclass(frozen=True, slots=True)
class StoryResult:
    """A story after it was played, or tried."""

    story: Story
    case: CaseView | None
    """The case at its owner."""
    reason: str | None = None
    """Why it was not played to its end."""
    events: tuple[Event, ...] = ()
    """What happened to the network meanwhile."""


@dataclass(frozen=True)
class Scene:
    """What was run: the network, the definitions it used, and how."""

    definition: NetworkDefinition
    catalogue: Catalogue
    processes: Definitions
    mode: str
    """``processes`` or ``in-process``."""
    seed: int | None = None

    @cached_property
    def directory(self) -> InstitutionRepository:
        """Who is served by whom."""
        return self.definition.repository("")

    def definition_of(self, sed: str, cdm: str) -> SedDefinition | None:
        """Return the definition of a SED; None for one that nobody defines."""
        return self.catalogue.find(SedType(sed), CdmVersion(cdm))

    def buc_title(self, buc: str) -> str:
        """Return the title of a process; empty for one that nobody defines."""
        definition = self.processes.find(buc)
        return definition.title.text if definition else ""

    @property
    def parties(self) -> tuple[Party, ...]:
        """The access points and all institutions."""
        served_by = {each: str(point.id) for point in self.definition.access_points for each in point.linked}
        institutions = sorted(self.definition.institutions, key=lambda institution: institution.id)
        return (
            *(
                Party(str(point.id), point.name, point.country, is_access_point=True)
                for point in self.definition.access_points
            ),
            *(
                Party(str(entry.id), entry.name_in(), entry.country, access_point=served_by.get(entry.id))
                for entry in institutions
            ),
        )


@dataclass(slots=True)
class _Records:
    """The records of user messages of all institutions."""

    sent: dict[str, MessageView] = field(default_factory=dict)
    received: dict[tuple[str, str], MessageView] = field(default_factory=dict)
    """By message id and receiver."""


async def collect(
    readers: Mapping[InstitutionId, NodeReader],
    stories: Sequence[StoryResult],
    scene: Scene,
) -> RunReport:
    """Return the report of a run.

    Args:
        readers: one per node; the access point's is not needed, but may be there.
        stories: what was played.
        scene: what was run.
    """
    others = between(scene.definition)
    institutions = sorted(party for party in readers if party not in others)
    listed = await asyncio.gather(*(readers[party].messages() for party in institutions))
    records = _Records()
    for party, views in zip(institutions, listed, strict=True):
        _sort_in(records, party, views)
    messages = _with_answers(_messages(records, scene), records)
    return RunReport(
        network=scene.definition.title,
        mode=scene.mode,
        seed=scene.seed,
        parties=scene.parties,
        messages=messages,
        cases=_cases(messages, stories, scene),
        stories=tuple(_story_run(result) for result in stories),
    )


def _sort_in(records: _Records, party: str, views: Iterable[MessageView]) -> None:
    for view in views:
        if view.kind != "user":
            continue
        if view.direction == "in":
            records.received[view.message_id, party] = view
        elif "sed" in view.details:  # a ping has none
            records.sent[view.message_id] = view


def _messages(records: _Records, scene: Scene) -> tuple[Message, ...]:
    found = [
        _message(sent, records.received.get((message_id, sent.receiver)), scene)
        for message_id, sent in records.sent.items()
    ]
    return tuple(sorted(found, key=lambda message: (message.sent_at, message.message_id)))


def _message(sent: MessageView, received: MessageView | None, scene: Scene) -> Message:
    facts = received.details if received else {}
    details = sent.details
    definition = scene.definition_of(details["sed"], details["cdm"])
    refused = received.last_error if received and received.state not in _FILED else None
    return Message(
        message_id=sent.message_id,
        sed=details["sed"],
        title=definition.title if definition else "",
        schema=definition.xsd.relative_to(definition.root).as_posix() if definition else "",
        cdm=details["cdm"],
        buc=details["buc"],
        case=details["case"],
        document=details["document"],
        version=details["version"],
        sender=sent.sender,
        receiver=sent.receiver,
        sent_at=sent.created_at,
        attachments=int(details.get("attachments", "0")),
        accepted_at=sent.accepted_at,
        receipted_at=sent.receipted_at,
        xsd_valid=_truth(facts.get("xsd_valid")),
        rules_valid=_truth(facts.get("rules_valid")),
        sed_signature=facts.get("sed_signature"),
        as4_signature=facts.get("as4_signature"),
        is_duplicate=facts.get("duplicates", "0") != "0",
        is_filed=received is not None and received.state in _FILED and "sed_signature" in facts,
        access_points=tuple(str(point.id) for point in scene.directory.way(sent.sender, sent.receiver)),
        reason=refused or (None if sent.receipted_at else sent.last_error),
    )


def _truth(word: str | None) -> bool | None:
    return None if word is None else word == "true"


def _with_answers(messages: Sequence[Message], records: _Records) -> tuple[Message, ...]:
    """Add to each message that its receiver's rule has answered the document that came back first."""
    by_way: defaultdict[tuple[str, str, str], list[Message]] = defaultdict(list)
    for message in messages:
        by_way[message.case, message.sender, message.receiver].append(message)
    return tuple(_with_answer(message, records, by_way) for message in messages)


def _with_answer(
    message: Message, records: _Records, by_way: Mapping[tuple[str, str, str], Sequence[Message]]
) -> Message:
    received = records.received.get((message.message_id, message.receiver))
    if received is None or received.details.get("answer") != "given":
        return message
    back = by_way.get((message.case, message.receiver, message.sender), ())
    later = (other for other in back if other.sent_at > message.sent_at)
    answer = min(later, key=lambda other: (other.sent_at, other.sed), default=None)
    if answer is None:
        return message
    return replace(message, answered_at=answer.sent_at, answered_by=answer.sed)


def _cases(messages: Sequence[Message], stories: Sequence[StoryResult], scene: Scene) -> tuple[CaseFile, ...]:
    by_case: dict[str, list[Message]] = {}
    for message in messages:
        by_case.setdefault(message.case, []).append(message)
    told = {result.case.international_id: result for result in stories if result.case}
    return tuple(_case(case, found, told.get(case), scene) for case, found in by_case.items())


def _case(case: str, messages: Sequence[Message], told: StoryResult | None, scene: Scene) -> CaseFile:
    first = messages[0]
    participants = dict.fromkeys(
        [first.sender, *(party for message in messages for party in (message.sender, message.receiver))]
    )
    return CaseFile(
        id=case,
        buc=first.buc,
        title=scene.buc_title(first.buc),
        owner=first.sender,
        participants=tuple(participants),
        status=told.case.status if told and told.case else None,
        story=told.story.id if told else None,
    )


def _story_run(result: StoryResult) -> StoryRun:
    story = result.story
    case = str(result.case.international_id) if result.case else None
    events = tuple(StoryEvent(event.at, event.text) for event in result.events)
    return StoryRun(story.id, story.title, story.text, str(story.buc), case, result.reason, events)
