"""The parties of a walk: each has its own copy of the case, messages pass from hand to hand."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from eessi_sim.buc import engine
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import (
    Actor,
    ActorKind,
    Case,
    CaseAction,
    CaseRole,
    Direction,
    Document,
    ParticipantChange,
    Statement,
)
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome, SendDocument
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.buc.engine.participation import changed
from eessi_sim.buc.offers import own_offers
from eessi_sim.buc.terms import Permission
from eessi_sim.errors import CaseNotFound, DefinitionError, DocumentNotFound
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId, InternationalId, SedType

_OWNER: Final = "CO"
_COUNTRIES: Final = ("PL", "NO", "DE", "SE", "IT", "FR", "ES", "AT")
_ACTOR: Final = Actor(ActorKind.RULE, "walk", "the walk says so")
_INTERNATIONAL: Final = InternationalId(f"{1:032x}")
ROUTER: Final = "router"
"""The party that is no participant: a routing application, which replaces one institution by another."""
_ROUTING: Final = InstitutionId("EU:ROUTER")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One step of a walk, taken apart."""

    text: str
    party: str
    sed: SedType | None = None
    to: tuple[str, ...] | None = None
    """Parties that the sender picks."""
    about: SedType | None = None
    """Type of the parent, where it must be said."""
    saying: tuple[str, ...] | None = None
    """Facts that the content states; empty when it states none, None when nobody looks."""
    joins: str | None = None
    """Party that an X-SED brings in; a name that is new gets an institution of its own."""
    leaves: str | None = None


@dataclass(slots=True)
class _Party:
    institution: InstitutionId
    number: CaseId
    case: Case | None = None


class Stage:
    """The parties and the time.

    Args:
        definition: the table of the process.
        parties: their names; the one called CO is the owner and has opened the case already.
        start: when it begins.
        cast: which institutions play some of the parties; the others get invented ones.

    Raises:
        DefinitionError: nobody is called CO, or there are more parties than countries to place them in.
    """

    def __init__(
        self,
        definition: BucDefinition,
        parties: tuple[str, ...],
        start: datetime,
        *,
        cast: Mapping[str, InstitutionId] = MappingProxyType({}),
    ) -> None:
        if _OWNER not in parties or len(set(parties)) != len(parties) or len(parties) > len(_COUNTRIES):
            raise DefinitionError(
                f'Expected CO and at most {len(_COUNTRIES) - 1} others, found "{", ".join(parties)}"',
                hint="Write parties like [CO, CP1, CP2].",
            )
        self.now = start
        self._definition = definition
        self._made = 0
        self._last: dict[str, SendDocument] = {}
        self._cast = cast
        self._parties: dict[str, _Party] = {}
        for name in parties:
            self._place(name, "WALK01")
        self._open()

    def cases(self) -> dict[str, Case]:
        """Return the copies that exist, by party."""
        return {name: party.case for name, party in self._parties.items() if party.case is not None}

    def send(self, sentence: Sentence) -> None:
        """Create a document and send it."""
        if sentence.party == ROUTER:
            self._route(sentence)
            return
        self._create(sentence, parent_id=self._about(sentence))
        self.post(sentence)

    def reply(self, sentence: Sentence) -> None:
        """Create the answer to the latest request that is open, and send it."""
        case = self._case(sentence)
        offers = own_offers(case, self._definition).open.values()
        parents = [offer.parent_id for offer in offers if offer.step.sed == sentence.sed]
        self._create(sentence, parent_id=parents[-1] if parents else None)
        self.post(sentence)

    def draft(self, sentence: Sentence) -> None:
        """Create a document and leave it."""
        self._create(sentence, parent_id=self._about(sentence))

    def post(self, sentence: Sentence) -> None:
        """Send the draft, or the new version, of a type."""
        case = self._case(sentence)
        document = self._own(sentence)
        receivers = [self._find(name).institution for name in sentence.to] if sentence.to else None
        outcome = engine.send(
            case, self._definition, document.id, receivers=receivers, now=self.now, actor=_ACTOR
        )
        self._keep(sentence, outcome)

    def delete(self, sentence: Sentence) -> None:
        """Delete the draft of a type."""
        document = self._own(sentence)
        case = self._case(sentence)
        self._keep(sentence, engine.delete(case, self._definition, document.id, now=self.now, actor=_ACTOR))

    def update(self, sentence: Sentence) -> None:
        """Save a new version of the latest document of a type, and send it."""
        document = self._own(sentence)
        case = self._case(sentence)
        saved = engine.update(
            case, self._definition, document.id, now=self.now, actor=_ACTOR, facts=sentence.saying
        )
        self._keep(sentence, saved)
        self.post(sentence)

    def invalidate(self, sentence: Sentence) -> None:
        """Send an X008 about the latest own document of a type."""
        self._administer(sentence, Permission.INVALIDATE, self._own(sentence))

    def reject(self, sentence: Sentence) -> None:
        """Send an X011 about the latest received document of a type."""
        self._administer(sentence, Permission.REJECT, self._received(sentence))

    def clarify(self, sentence: Sentence) -> None:
        """Send an X012 about the latest received document of a type."""
        self._administer(sentence, Permission.CLARIFY, self._received(sentence))

    def close(self, sentence: Sentence) -> None:
        """Send an X001."""
        self.send(replace(sentence, sed=self._rule(CaseEffect.CLOSE_CASE)))

    def report(self, sentence: Sentence) -> None:
        """Send an X050 about the latest received document of a type."""
        case = self._case(sentence)
        document = self._received(sentence)
        outcome = engine.report_exception(
            case,
            self._definition,
            document_id=self._new_id(),
            receiver=case.now_at(document.sender),
            about=document.id,
            now=self.now,
            actor=_ACTOR,
        )
        self._keep(sentence, outcome)

    def repeat(self, sentence: Sentence) -> None:
        """Deliver the latest message of a party once more."""
        self._case(sentence)
        if sentence.party not in self._last:
            raise DocumentNotFound(f"Expected a message of {sentence.party} to repeat, found none")
        self._deliver(sentence, self._last[sentence.party])

    def force(self, sentence: Sentence) -> None:
        """Deliver a document that the sender's own table was not asked about."""
        case = self._case(sentence)
        names = sentence.to or tuple(name for name in self._parties if name != sentence.party)
        parent_id = self._about(sentence)
        self._deliver(
            sentence,
            SendDocument(
                document_id=self._new_id(),
                version=1,
                sed=self._sed(sentence),
                receivers=tuple(self._find(name).institution for name in names),
                case_action=CaseAction.NEW if case.is_started else CaseAction.START,
                parent_id=parent_id,
            ),
            self._says(sentence),
        )

    def close_locally(self, sentence: Sentence) -> None:
        """Close the own copy."""
        self._whole(sentence, engine.local_close)

    def reopen_locally(self, sentence: Sentence) -> None:
        """Open the own copy again."""
        self._whole(sentence, engine.local_reopen)

    def archive(self, sentence: Sentence) -> None:
        """Move the own copy to the archive."""
        self._whole(sentence, engine.archive)

    def restore(self, sentence: Sentence) -> None:
        """Bring the own copy back from the archive."""
        self._whole(sentence, engine.restore)

    def remove(self, sentence: Sentence) -> None:
        """Delete the case before it starts."""
        self._whole(sentence, engine.remove_case)

    def _open(self) -> None:
        owner = self._parties[_OWNER]
        owner.case = engine.open_case(
            self._definition,
            case_id=owner.number,
            international_id=_INTERNATIONAL,
            cdm=self._definition.cdm,
            own=owner.institution,
            counterparties=[p.institution for p in self._parties.values() if p is not owner],
            now=self.now,
            actor=_ACTOR,
        )

    def _find(self, name: str) -> _Party:
        if name not in self._parties:
            raise DefinitionError(
                f'Expected one of the parties {", ".join(self._parties)}, found "{name}"',
                hint="Name it under parties.",
            )
        return self._parties[name]

    def _case(self, sentence: Sentence) -> Case:
        case = self._find(sentence.party).case
        if case is None:
            raise CaseNotFound(f"Expected a case at {sentence.party}, found none yet")
        return case

    def _sed(self, sentence: Sentence) -> SedType:
        if sentence.sed is None:
            raise DefinitionError(f'Expected a SED after the verb, found "{sentence.text}"')
        return sentence.sed

    def _new_id(self) -> DocumentId:
        self._made += 1
        return DocumentId(f"{self._made:032x}")

    def _own(self, sentence: Sentence) -> Document:
        return self._latest(sentence, self._sed(sentence), {Direction.OUT})

    def _received(self, sentence: Sentence) -> Document:
        return self._latest(sentence, self._sed(sentence), {Direction.IN})

    def _latest(self, sentence: Sentence, sed: SedType, directions: Collection[Direction]) -> Document:
        for document in reversed(self._case(sentence).documents):
            if document.type == sed and document.direction in directions:
                return document
        raise DocumentNotFound(f"Expected a document {sed} at {sentence.party}, found none")

    def _about(self, sentence: Sentence) -> DocumentId | None:
        return self._latest(sentence, sentence.about, set(Direction)).id if sentence.about else None

    def _create(self, sentence: Sentence, *, parent_id: DocumentId | None) -> None:
        outcome = engine.create(
            self._case(sentence),
            self._definition,
            self._sed(sentence),
            document_id=self._new_id(),
            now=self.now,
            actor=_ACTOR,
            parent_id=parent_id,
            says=self._says(sentence),
        )
        self._keep(sentence, outcome)

    def _says(self, sentence: Sentence) -> Statement:
        """What a sentence says about content; who joins is placed when the name is new."""
        joins = self._placed(sentence.joins).institution if sentence.joins else None
        leaves = self._find(sentence.leaves).institution if sentence.leaves else None
        change = ParticipantChange(joins, leaves) if joins or leaves else None
        return Statement(sentence.saying, change)

    def _placed(self, name: str) -> _Party:
        if name not in self._parties:
            self._place(name, f"WALK{len(self._parties) + 1:02}")
        return self._parties[name]

    def _place(self, name: str, code: str) -> None:
        number = len(self._parties)
        invented = InstitutionId(f"{_COUNTRIES[number % len(_COUNTRIES)]}:{code}")
        self._parties[name] = _Party(self._cast.get(name, invented), CaseId(str(1000001 + number)))

    def _route(self, sentence: Sentence) -> None:
        """A routing application tells everybody that one institution takes the place of another."""
        owner = self._case(replace(sentence, party=_OWNER))
        says = self._says(sentence)
        participants = changed(owner, says.change).participants if says.change else owner.participants
        notice = IncomingDocument(
            type=self._sed(sentence),
            document_id=self._new_id(),
            version=1,
            international_id=owner.international_id,
            cdm=owner.cdm,
            sender=_ROUTING,
            sender_role=CaseRole.COUNTERPARTY,
            case_action=CaseAction.NEW,
            participants=participants,
            change=says.change,
        )
        joins = says.change.joins if says.change else None
        told = [p for p in self._parties.values() if p.case is not None or p.institution == joins]
        self._arrive([(party, notice) for party in told])

    def _rule(self, effect: CaseEffect) -> SedType:
        rule = self._definition.rule_with(effect)
        assert rule is not None  # the sub-processes of the program name one
        return rule.sed

    def _administer(self, sentence: Sentence, permission: Permission, target: Document) -> None:
        rules = self._definition.administrative.values()
        about = replace(sentence, sed=next(rule.sed for rule in rules if rule.permission is permission))
        self._create(about, parent_id=target.id)
        self.post(about)

    def _whole(self, sentence: Sentence, change: Callable[..., Outcome]) -> None:
        case = self._case(sentence)
        self._keep(sentence, change(case, self._definition, now=self.now, actor=_ACTOR))

    def _keep(self, sentence: Sentence, outcome: Outcome) -> None:
        self._find(sentence.party).case = outcome.case
        for effect in outcome.effects:
            if isinstance(effect, SendDocument):
                self._last[sentence.party] = effect
                self._deliver(sentence, effect)

    def _deliver(self, sentence: Sentence, message: SendDocument, says: Statement | None = None) -> None:
        sender = self._case(sentence)
        self._arrive(self._addressed(sender, message, says))

    def _addressed(
        self, sender: Case, message: SendDocument, says: Statement | None = None
    ) -> list[tuple[_Party, IncomingDocument]]:
        incoming = _incoming(sender, message, says)
        parties = self._parties.values()
        return [(party, incoming) for party in parties if party.institution in message.receivers]

    def _arrive(self, messages: list[tuple[_Party, IncomingDocument]]) -> None:
        """Deliver messages, and after them what their receivers send because of them."""
        caused: list[tuple[_Party, SendDocument]] = []
        for party, incoming in messages:
            outcome = engine.receive(
                party.case,
                self._definition,
                incoming,
                case_id=party.number,
                own=party.institution,
                now=self.now,
            )
            party.case = outcome.case
            caused += [(party, effect) for effect in outcome.effects if isinstance(effect, SendDocument)]
        for party, effect in caused:
            assert party.case is not None  # it has just received something
            self._arrive(self._addressed(party.case, effect))


def _incoming(case: Case, message: SendDocument, says: Statement | None) -> IncomingDocument:
    document = case.find(message.document_id)
    known = Statement(document.facts, document.change) if document else Statement()
    told = says or known
    return IncomingDocument(
        type=message.sed,
        document_id=message.document_id,
        version=message.version,
        international_id=case.international_id,
        cdm=case.cdm,
        sender=case.own,
        sender_role=case.role,
        case_action=message.case_action,
        participants=case.participants,
        receivers=document.receivers if document and message.author else (),
        parent_id=message.parent_id,
        parent_version=message.parent_version,
        facts=told.facts,
        change=told.change,
        author=message.author,
    )
