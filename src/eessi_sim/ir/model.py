"""What the Institution Repository says about institutions and access points, in its own words.

The shape follows the public SYN001 sample (observed), reduced to what messages need; the habits of an institution
are ours. Plain values: who is competent or how to find somebody is the question of ``repository``.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.security.keys import Certificate, Purpose


class ApplicationRole(StrEnum):
    """Role in which an institution is competent (SYN001 ``applicationRole``, observed)."""

    CASE_OWNER = "CaseOwner"
    COUNTERPARTY = "Counterparty"
    INTELLIGENT_RA = "IntelligentRA"
    """A routing application that forwards cases to the right institution."""


class Exchange(StrEnum):
    """How an endpoint gets its messages (SYN001 ``messageExchangePattern``, observed)."""

    PUSH = "push"
    PULL = "pull"


@dataclass(frozen=True, slots=True)
class Translation:
    """A name in one language."""

    language: str
    """Two small letters, for example ``en``."""
    text: str


@dataclass(frozen=True, slots=True)
class Contact:
    """How people reach the institution; invented, like everything in the definition files."""

    email: str | None = None
    phone: str | None = None
    fax: str | None = None
    url: str | None = None
    street: str | None = None
    postal_code: str | None = None
    town: str | None = None


@dataclass(frozen=True, slots=True)
class AssignedBuc:
    """One competence: a process type in one role, for some time."""

    buc: BucType
    role: ApplicationRole
    valid_from: datetime
    valid_until: datetime | None = None
    """First moment at which it no longer holds; None has no end."""
    ready: bool = True
    """Whether the institution handles this process in EESSI already (SYN001 ``isEESSIReady``)."""

    def is_in_force(self, at: datetime) -> bool:
        """Whether the competence holds at this time."""
        return _covers(self.valid_from, self.valid_until, at)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where business messages for an institution go."""

    exchange: Exchange = Exchange.PUSH
    channel: str = ""
    """URL to push to, or name of the queue to pull from; empty until the network is built."""
    inner: str = ""
    """Where one who pulls takes what another one of its channel fetched for it; no access point calls it (inferred)."""


@dataclass(frozen=True, slots=True)
class System:
    """One of several systems behind an institution, and which messages are for it; see ``groups``."""

    name: str
    endpoint: Endpoint
    sectors: tuple[str, ...] = ()
    """Letters of sectors; empty is any, as in the other parts of the rule."""
    bucs: tuple[BucType, ...] = ()
    seds: tuple[SedType, ...] = ()

    def takes(self, buc: str, sed: str) -> bool:
        """Whether a document of this type in this process is for the system."""
        return (
            (not self.sectors or buc.partition("_")[0] in self.sectors)
            and (not self.bucs or buc in self.bucs)
            and (not self.seds or sed in self.seds)
        )


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates listed for one party, apart by purpose; several while one replaces another."""

    ebms: tuple[Certificate, ...] = ()
    seal: tuple[Certificate, ...] = ()
    tls: tuple[Certificate, ...] = ()

    def of(self, purpose: Purpose) -> tuple[Certificate, ...]:
        """Return those for one purpose."""
        return {Purpose.EBMS: self.ebms, Purpose.SEAL: self.seal, Purpose.TLS: self.tls}[purpose]

    def joined(self, others: "Certificates") -> "Certificates":
        """Return these and those of somebody else."""
        return Certificates(self.ebms + others.ebms, self.seal + others.seal, self.tls + others.tls)


class Decision(StrEnum):
    """Who decides a step that a rule knows (our choice, inferred)."""

    AUTOMATIC = "automatic"
    """The rule itself: it sends."""
    SUGGESTING = "suggesting"
    """A clerk, to whom the rule makes a suggestion."""
    MANUAL = "manual"
    """A clerk alone; the journal says that the case waits for one."""


class Occasion(StrEnum):
    """What makes a rule act."""

    RECEIVED = "received"
    OVERDUE = "overdue"
    """The answer to a document is late by the limit of the process table."""


@dataclass(frozen=True, slots=True)
class BehaviourRule:
    """A habit: what the institution does by itself when a document arrives, or its answer does not (inferred)."""

    when: SedType
    """The document that arrives; for an overdue rule the one that waits for its answer."""
    reply: SedType | None = None
    """Document sent as the reply to it; this or ``send`` is set."""
    send: tuple[SedType, ...] = ()
    """Documents sent in the same case, in this order, without being replies."""
    after: timedelta = timedelta(0)
    """Delay on the clock of the simulation."""
    decides: Decision = Decision.AUTOMATIC
    occasion: Occasion = Occasion.RECEIVED

    @property
    def id(self) -> str:
        """Name of the rule in case file and journal: its occasion, its document and what it sends."""
        sends = (*((self.reply,) if self.reply else ()), *self.send)
        occasion = "" if self.occasion is Occasion.RECEIVED else f"{self.occasion}-"
        return f"{occasion}{self.when}-{'-'.join(sends) or 'clerk'}"


class NewcomerGets(StrEnum):
    """What an institution that is added to a running case is sent by the one that adds it (inferred)."""

    TO_ALL = "to-all"
    """The latest version of every document that went to all; the default."""
    STARTER = "starter"
    """Only the document that opened the case."""
    NOTHING = "nothing"
    """Nothing but the SED that adds it."""


@dataclass(frozen=True, slots=True)
class Relation:
    """How an institution stands to another one (SYN001 ``Relation``, observed; the codes are not public)."""

    institution: InstitutionId
    kind: str


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution as the repository lists it."""

    id: InstitutionId
    name: tuple[Translation, ...]
    country: str
    competences: tuple[AssignedBuc, ...] = ()
    contact: Contact = Contact()
    endpoint: Endpoint = Endpoint()
    certificates: Certificates = Certificates()
    behaviours: tuple[BehaviourRule, ...] = ()
    newcomer_gets: NewcomerGets = NewcomerGets.TO_ALL
    external: bool = False
    """Whether somebody else's system plays it; then the simulator starts no node for it."""
    liaison_body: bool = False
    """Whether it speaks for other institutions of its country (SYN001 ``isLiaisonBodyIndicator``, observed)."""
    public: bool = True
    """SYN001 ``isPublicIndicator`` (observed; what follows from it is not public)."""
    relations: tuple[Relation, ...] = ()
    systems: tuple[System, ...] = ()
    """Its systems, the first that takes a message first; what none takes goes to ``endpoint``."""
    valid_from: datetime | None = None
    """First moment of the entry; None has no beginning."""
    valid_until: datetime | None = None
    """First moment after the entry; None has no end."""

    def is_listed(self, at: datetime) -> bool:
        """Whether the entry as a whole is valid at this time."""
        return _covers(self.valid_from, self.valid_until, at)

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels from which it fetches, each once."""
        endpoints = (self.endpoint, *(system.endpoint for system in self.systems))
        pulled = (each.channel for each in endpoints if each.exchange is Exchange.PULL and each.channel)
        return tuple(dict.fromkeys(pulled))

    def endpoint_for(self, buc: str, sed: str) -> Endpoint:
        """Return where a document of this type in this process goes; both empty go to the endpoint of all."""
        taking = (each.endpoint for each in self.systems if (buc or sed) and each.takes(buc, sed))
        return next(taking, self.endpoint)

    def name_in(self, language: str = "en") -> str:
        """Return the name in ``language``, else the first name, else the id."""
        names = {translation.language: translation.text for translation in self.name}
        return names.get(language) or next(iter(names.values()), self.id)


@dataclass(frozen=True, slots=True)
class AccessPointEntry:
    """An access point as the repository lists it."""

    id: InstitutionId
    name: str
    country: str
    outbox: str = ""
    """URL where its institutions push messages; empty until the network is built."""
    inbox: str = ""
    """URL where its institutions pull messages."""
    inbound: str = ""
    """URL where other access points push messages."""
    certificates: Certificates = Certificates()
    linked: tuple[InstitutionId, ...] = ()
    """The institutions it serves (SYN001 ``LinkedInstitutions``)."""
    via: InstitutionId | None = None
    """The access point through which all others reach it; None is reached directly (our choice, inferred)."""
    valid_from: datetime | None = None
    """First moment of the entry; None has no beginning."""
    valid_until: datetime | None = None
    """First moment after the entry; None has no end."""


@dataclass(frozen=True, slots=True)
class CentralServicesNode:
    """Who sends the repository to the access points, where it is none of them itself."""

    id: InstitutionId
    channel: str
    """URL for system messages; empty until the network is built."""
    certificates: Certificates = Certificates()
    name: str = ""


def _covers(start: datetime | None, end: datetime | None, at: datetime) -> bool:
    return (start is None or start <= at) and (end is None or at < end)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long the nodes of a network keep what is finished; None keeps it for ever."""

    messages: timedelta | None = None
    """Octets of messages."""
    journal: timedelta | None = None
    """Lines of the journal."""


KEEP_ALL: Final = Keeping()
