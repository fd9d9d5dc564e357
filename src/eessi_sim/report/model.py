"""A run as plain values: messages, cases, stories, and what they add up to.

Everything is sorted and nothing depends on the machine, so that identical runs give identical reports.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Party:
    """An institution or the access point."""

    id: str
    name: str
    country: str
    is_access_point: bool = False
    access_point: str | None = None
    """Id of the access point that serves the institution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One user message with what became of it, on both ends."""

    message_id: str
    sed: str
    title: str
    """Title of the SED."""
    schema: str
    """Path of its schema below ``schemas``."""
    cdm: str
    buc: str
    case: str
    """Id that all copies of the case share."""
    document: str
    version: str
    sender: str
    receiver: str
    sent_at: datetime
    attachments: int = 0
    """How many files travelled with it."""
    accepted_at: datetime | None = None
    """When the access point had stored it."""
    receipted_at: datetime | None = None
    """When its sender had verified the receiver's receipt."""
    answered_at: datetime | None = None
    """When the receiver sent the document that its own rule gives as answer."""
    answered_by: str | None = None
    """Type of that document."""
    xsd_valid: bool | None = None
    """As the receiver found it; None when it did not get so far. So are the following three."""
    rules_valid: bool | None = None
    sed_signature: str | None = None
    as4_signature: str | None = None
    is_duplicate: bool = False
    """Whether the receiver got it more than once (and filed it once)."""
    is_filed: bool = False
    """Whether it lies in the receiver's case file."""
    reason: str | None = None
    """Why it could not go on, in the words of the node that refused it."""
    access_points: tuple[str, ...] = ()
    """Ids of the access points that it passes, that of its sender first."""

    @property
    def receipt(self) -> str:
        """``valid`` or ``missing``: a receipt that does not verify is none."""
        return "valid" if self.receipted_at else "missing"

    @property
    def has_arrived(self) -> bool:
        """Whether the receiver has it, valid or not."""
        return self.as4_signature is not None

    @property
    def is_valid(self) -> bool:
        """Whether the receiver found every check passed: both signatures, schema, rules."""
        return bool(
            self.xsd_valid
            and self.rules_valid
            and self.sed_signature == "valid"
            and self.as4_signature == "valid"
        )

    @property
    def is_complete(self) -> bool:
        """Whether it was accepted, receipted, valid and filed."""
        return bool(self.accepted_at and self.receipted_at and self.is_valid and self.is_filed)

    @property
    def shortcoming(self) -> str | None:
        """Why it is not complete, None when it is."""
        if self.is_complete:
            return None
        facts = (
            (self.accepted_at, "not accepted by the access point"),
            (self.receipted_at, "no receipt"),
            (self.as4_signature in (None, "valid"), "ebMS signature invalid"),
            (self.sed_signature in (None, "valid"), "seal of the SED invalid"),
            (self.xsd_valid is not False, "does not fit its schema"),
            (self.rules_valid is not False, "breaks a business rule"),
            (self.is_filed, "not in the receiver's case file"),
        )
        missing = ", ".join(sentence for holds, sentence in facts if not holds)
        return f"{missing}: {self.reason}" if self.reason else missing


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case, as its owner keeps it."""

    id: str
    """Id that all copies share."""
    buc: str
    title: str
    """Title of the process."""
    owner: str
    participants: tuple[str, ...]
    """Owner first."""
    status: str | None
    """At the owner; None when the case was not asked for."""
    story: str | None = None


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """What happened to the network while a story was played."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class StoryRun:
    """A story and how it went."""

    id: str
    title: str
    text: str
    buc: str
    case: str | None
    """Shared id of its case; None when it could not even be opened."""
    reason: str | None = None
    """Why it was not played to its end, None when it was."""
    events: tuple[StoryEvent, ...] = ()

    @property
    def is_played(self) -> bool:
        """Whether it came to its end."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the messages add up to."""

    messages: int
    documents: int
    """SEDs; one that goes to two receivers counts once."""
    seds: int
    """Types of SEDs."""
    accepted: int
    receipted: int
    valid: int
    duplicates: int
    failed: int
    """Messages that lack something."""
    institutions: int
    """Those that sent or received."""
    countries: int
    sectors: int
    cases: int
    stories: int
    stories_failed: int
    started_at: datetime | None
    ended_at: datetime | None
    """When the last receipt was verified."""

    @property
    def is_success(self) -> bool:
        """Whether something was exchanged, and everything is accepted, receipted and valid."""
        return self.messages > 0 and not self.failed and not self.stories_failed

    @property
    def duration(self) -> timedelta:
        """From the first message to the last receipt, on the clock of the network."""
        if self.started_at is None or self.ended_at is None:
            return timedelta(0)
        return self.ended_at - self.started_at


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything about one run."""

    network: str
    """Title of the network."""
    mode: str
    """``processes`` or ``in-process``."""
    seed: int | None
    parties: tuple[Party, ...]
    """All nodes, the access points first."""
    messages: tuple[Message, ...]
    """By time of sending, then by id."""
    cases: tuple[CaseFile, ...]
    """In the order of their first messages."""
    stories: tuple[StoryRun, ...]

    def party(self, party_id: str) -> Party:
        """Return a party; one that the network does not list stands for itself."""
        found = (party for party in self.parties if party.id == party_id)
        return next(found, Party(party_id, party_id, party_id.partition(":")[0]))

    def messages_of(self, case: str) -> tuple[Message, ...]:
        """Return the messages of a case."""
        return tuple(message for message in self.messages if message.case == case)

    def story_of(self, case: CaseFile) -> StoryRun | None:
        """Return the story that a case tells."""
        return next((story for story in self.stories if story.id == case.story), None)

    @property
    def summary(self) -> Summary:
        """What the messages add up to."""
        messages = self.messages
        active = {party for message in messages for party in (message.sender, message.receiver)}
        times = [message.receipted_at or message.sent_at for message in messages]
        return Summary(
            messages=len(messages),
            documents=len({(m.case, m.document, m.version, m.sender) for m in messages}),
            seds=len({message.sed for message in messages}),
            accepted=sum(message.accepted_at is not None for message in messages),
            receipted=sum(message.receipted_at is not None for message in messages),
            valid=sum(message.is_valid for message in messages),
            duplicates=sum(message.is_duplicate for message in messages),
            failed=sum(not message.is_complete for message in messages),
            institutions=len(active),
            countries=len({party.partition(":")[0] for party in active}),
            sectors=len({sector_of(message.buc) for message in messages}),
            cases=len(self.cases),
            stories=len(self.stories),
            stories_failed=sum(not story.is_played for story in self.stories),
            started_at=min((message.sent_at for message in messages), default=None),
            ended_at=max(times, default=None),
        )


def sector_of(buc: str) -> str:
    """Return the sector of a process: the letters in front of its name."""
    return buc.partition("_")[0]
