"""What a participant may send next: a fold over the history of one copy of the case.

Every event on a document offers, takes, withdraws, suspends or resumes steps of the table (the model of
RINA's process engine, documented). The same fold answers two questions: what may *we* do, and what may
the *sender of a message* have done, seen from here; so both sides judge by one rule. Nothing is stored.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eessi_sim.buc.administration import AdministrativeRule, CaseEffect, Offered
from eessi_sim.buc.case import Case, CaseRole, Document, Event, EventKind
from eessi_sim.buc.definition import BucDefinition, EffectRule, Step
from eessi_sim.buc.terms import Addressing, Affected, EffectKind, Permission, Scope, StepKind, Trigger
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType

Key = tuple[SedType, DocumentId | None]
"""A SED type and, for a reply or an X-SED about a SED, its parent."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A step that may be taken now."""

    step: Step
    parent_id: DocumentId | None = None
    suspended: bool = False

    @property
    def key(self) -> Key:
        """What tells this offer from the others."""
        return (self.step.sed, self.parent_id)


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything a participant may send now, as this copy of the case shows it."""

    open: dict[Key, Offer]
    drafts: dict[DocumentId, Offer]
    """Drafts that may still be sent, with the offer each of them took."""
    frozen: frozenset[SedType]
    """Types that may not be updated any more."""


def own_offers(case: Case, definition: BucDefinition, only: SedType | None = None) -> Offers:
    """Return what this institution may send now.

    Args:
        case: the copy of a case.
        definition: its table.
        only: the one SED type that the caller wants to know about; None for all.
    """
    ledger = _Ledger(case, definition, case.own, case.role)
    ledger.read_history()
    mine = {
        key: offer
        for key, offer in ledger.open.items()
        if only in (None, key[0]) and _is_offered(case, definition, offer)
    }
    return Offers(mine, ledger.drafts, frozenset(ledger.frozen))


def offers_of(case: Case, definition: BucDefinition, sender: InstitutionId, role: CaseRole) -> Offers:
    """Return what another participant may have sent, as far as this copy can tell.

    Milder than ``own_offers``: messages cross and overtake each other, so everything counts that the sender
    can have been offered by what is known here, in whatever order it happened, and as often as it was
    offered. What is withdrawn is the sender's business, conditions are too. So copies that know the same
    documents take the same ones (inferred).

    Args:
        case: our copy of a case.
        definition: its table.
        sender: the other participant.
        role: its role.
    """
    ledger = _Ledger(case, definition, sender, role)
    ledger.read_history()
    theirs = {
        key: offer
        for key, offer in ledger.open.items()
        if _may_be_answered(case, offer, sender) and not _is_excluded(case, definition, offer, sender)
    }
    return Offers(theirs, ledger.drafts, frozenset(ledger.frozen))


def parent_stands(case: Case, offer: Offer, whose: InstitutionId) -> bool:
    """Return whether the SED that an offer is about stands.

    Nothing is sent about an invalidated SED; who refused one by X011 sends nothing more about it until
    there is a new version (inferred).
    """
    if offer.parent_id is None:
        return True
    parent = case.find(offer.parent_id)
    return parent is not None and parent.stands and whose not in parent.refused_by


def _may_be_answered(case: Case, offer: Offer, sender: InstitutionId) -> bool:
    """Like ``parent_stands``, but the answer may have crossed the invalidation of its request."""
    parent = case.find(offer.parent_id)
    return offer.parent_id is None or (parent is not None and sender not in parent.refused_by)


def permissions_of(case: Case, definition: BucDefinition, document: Document) -> frozenset[Permission]:
    """Return what sender and receivers may do with a document of this case."""
    role = case.role_of(document.sender)
    step = _step_of(definition, document, role)
    return step.permissions if step else frozenset()


def picks_receivers(case: Case, definition: BucDefinition, document: Document) -> bool:
    """Return whether who gets a document is chosen for it: the starter, and where the table says so."""
    if document.starter:
        return True
    step = _step_of(definition, document, case.role_of(document.sender))
    return step is not None and step.addressing is Addressing.SELECTED


def went_to_all(case: Case, definition: BucDefinition, document: Document) -> bool:
    """Return whether the table addresses a business document of this case to every participant."""
    step = _step_of(definition, document, case.role_of(document.sender))
    return step is not None and step.addressing is Addressing.ALL and step.kind is not StepKind.ADMINISTRATIVE


def _step_of(definition: BucDefinition, document: Document, role: CaseRole | None) -> Step | None:
    """The row by which a document was sent; None for one of a routing application, which has no role."""
    if role is None:
        return None
    reply = document.parent_id is not None
    return definition.tables[role].step_for(document.type, starter=document.starter, reply=reply)


def _is_offered(case: Case, definition: BucDefinition, offer: Offer) -> bool:
    step = offer.step
    if step.starter and not case.is_started and not case.counterparties:
        return False  # RINA offers the starter once participants are chosen (observed)
    if step.country is not None and step.country not in _countries(case):
        return False
    if step.conditions and not definition.all_hold(step.conditions, case, case.find(offer.parent_id)):
        return False
    rule = definition.administrative.get(step.sed)
    if rule is not None and rule.offered is Offered.ANSWERED and not _all_answered(case, definition, rule):
        return False
    if rule is not None and len(case.others) + 1 < rule.participants:
        return False
    return (
        parent_stands(case, offer, case.own)
        and _ground_stands(case, step)
        and not _is_excluded(case, definition, offer, case.own)
    )


def _countries(case: Case) -> set[str]:
    """The countries whose institutions take part; whose P3000 is meant, the sender's or the receiver's, is not public."""
    return {participant.institution.country for participant in case.participants if participant.active}


def _all_answered(case: Case, definition: BucDefinition, rule: AdministrativeRule) -> bool:
    """Whether every other participant answered our latest request; only then it is decided (inferred)."""
    answered = {d.sender for d in answers_to(case, definition, rule, case.own)}
    return bool(answered) and answered >= {p.institution for p in case.others}


def answers_to(
    case: Case, definition: BucDefinition, rule: AdministrativeRule, asker: InstitutionId
) -> list[Document]:
    """Return the answers to the latest request that a decision of ``asker`` by this SED would end."""
    answer = definition.administrative.get(rule.replies_to) if rule.replies_to else None
    requests = [d for d in case.exchanged() if answer and d.type == answer.replies_to and d.sender == asker]
    latest = requests[-1].id if requests else None
    return [d for d in case.documents if latest and d.type == rule.replies_to and d.parent_id == latest]


def _ground_stands(case: Case, step: Step) -> bool:
    """A step rests on one of the SEDs it comes after; when all were invalidated it is gone (inferred)."""
    if step.starter or not step.after:
        return True
    return any(document.stands and document.type in step.after for document in case.documents)


def _is_excluded(case: Case, definition: BucDefinition, offer: Offer, whose: InstitutionId) -> bool:
    groups = definition.alternatives_to.get(offer.step.sed)
    if groups is None:
        return False
    mine = case.places_of(whose)
    for group in groups:
        for document in case.documents:
            if (
                document.sender in mine
                and document.type in group.seds
                and document.type != offer.step.sed
                and (document.is_draft or document.stands)
                and (group.per is Scope.CASE or document.parent_id == offer.parent_id)
            ):
                return True
    return False


class _Ledger:
    """The fold: reads the events in order and keeps what is offered.

    Args:
        case: the copy whose history is read.
        definition: the table.
        whose: the participant whose offers are wanted; when it is not the owner of this copy, what
            happened at its place is concluded from its messages.
        role: its role.
    """

    def __init__(self, case: Case, definition: BucDefinition, whose: InstitutionId, role: CaseRole) -> None:
        self.open: dict[Key, Offer] = {}
        self.drafts: dict[DocumentId, Offer] = {}
        self.frozen: set[SedType] = set()
        self._spare: Counter[Key] = Counter()
        self._owed: Counter[Key] = Counter()
        self._case = case
        self._definition = definition
        self._self = whose
        self._whose = case.places_of(whose)
        self._joined = any(p.institution == whose and p.joined for p in case.participants)
        self._is_foreign = whose != case.own
        self._role = role
        self._table = definition.tables[role]
        self._is_started = False
        self._readers = {
            EventKind.OPENED: self._opened,
            EventKind.CREATED: self._created,
            EventKind.DELETED: self._deleted,
            EventKind.SENT: self._exchanged,
            EventKind.RECEIVED: self._exchanged,
            EventKind.UPDATE_RECEIVED: self._updated,
            EventKind.INVALIDATED: self._invalidated,
            EventKind.CLOSED: self._closed,
            EventKind.REOPENED: self._reopened,
        }

    def read_history(self) -> None:
        """Read every event of the case, oldest first."""
        for event in self._case.history:
            reader = self._readers.get(event.kind)
            if reader is not None:
                reader(event)

    def _opened(self, _event: Event) -> None:
        if self._role is CaseRole.CASE_OWNER:
            for step in self._table.starters:
                self._offer(step)

    def _created(self, event: Event) -> None:
        if event.institution not in self._whose:
            return
        taken = self.open.pop(_key(event), None)
        if taken is not None:
            self.drafts[_document(event)] = taken
        self._react(Trigger.CREATE, event)

    def _deleted(self, event: Event) -> None:
        if event.institution not in self._whose:
            return
        taken = self.drafts.pop(_document(event), None)
        if taken is not None:
            self.open[taken.key] = taken
        self._react(Trigger.DELETE, event)

    def _exchanged(self, event: Event) -> None:
        if event.institution in self._whose:
            self._sent(event)
        elif self._reached(event):
            self._received(event)
        if event.starter and not self._is_started:
            self._start()
        if _sed(event) in self._definition.reopening:
            self._decided(event)

    def _start(self) -> None:
        self._is_started = True
        for step in self._table.on_start:
            self._offer(step)

    def _sent(self, event: Event) -> None:
        taken = self._taken(event)
        if event.institution != self._case.own:
            self._react(Trigger.CREATE, event)  # its drafts are not seen from here
        if taken is not None:
            self._used(taken)
        self._follow(event)
        self._about(event, self._table.on_sent)
        self._react(Trigger.SEND, event)

    def _taken(self, event: Event) -> Offer | None:
        """What an earlier holder of the place did counts, but not what it did about the case itself."""
        if event.institution != self._self and _sed(event) in self._definition.administrative:
            return None
        taken = self.drafts.pop(_document(event), None) or self.open.pop(_key(event), None)
        if taken is None:
            self._owed[_key(event)] += 1  # we got to know it before what it rests on
        elif self._spare[taken.key]:
            self._spare[taken.key] -= 1
            self.open[taken.key] = taken
        return taken

    def _used(self, offer: Offer) -> None:
        if offer.step.repeatable:
            self._offer(offer.step, offer.parent_id)
        if offer.step.is_reply and not self._is_foreign:
            for sed in self._table.until_answered:
                self._forget((sed, offer.parent_id))

    def _forget(self, key: Key) -> None:
        self.open.pop(key, None)
        self.drafts = {id_: draft for id_, draft in self.drafts.items() if draft.key != key}

    def _received(self, event: Event) -> None:
        self._follow(event)
        for step in self._table.replies.get(_sed(event), ()):
            self._offer(step, event.document_id)
        self._about(event, self._table.on_received)
        for step in self._table.on_answered.get(_sed(event), ()):
            self._offer(step, event.document_id if self._definition.is_bilateral else None)
        self._react(Trigger.RECEIVE, event)

    def _updated(self, event: Event) -> None:
        self._react(Trigger.RECEIVE_UPDATE, event)

    def _invalidated(self, event: Event) -> None:
        if event.institution not in self._whose:
            self._react(Trigger.RECEIVE_INVALIDATE, event)
            return
        step = self._table.step_for(_sed(event), starter=event.starter, reply=event.parent_id is not None)
        if step is not None and step.recreate_after_invalidate:
            self._offer(step, event.parent_id, afresh=True)
        self._react(Trigger.INVALIDATE, event)

    def _closed(self, event: Event) -> None:
        for step in self._table.on_closed:
            self._offer(step, event.document_id)

    def _decided(self, event: Event) -> None:
        """After a decision to reopen nobody asks again about the same close, wherever the copy stands."""
        if self._is_foreign:
            return  # what it sent may have crossed the decision
        rule = self._definition.administrative[_sed(event)]
        said = set(self._case.get(_document(event)).facts or ())
        if rule.effect is CaseEffect.REOPEN_CASE and said & set(rule.facts):
            over = self._definition.reopening
            self.open = {key: offer for key, offer in self.open.items() if key[0] not in over}

    def _reopened(self, event: Event) -> None:
        """What was opened again for all can be closed for all again."""
        rules = self._definition.administrative
        for step in self._table.on_start:
            if event.document_id is not None and rules[step.sed].effect is CaseEffect.CLOSE_CASE:
                self._offer(step)

    def _follow(self, event: Event) -> None:
        for step in self._table.after.get(_sed(event), ()):
            self._offer(step)

    def _about(self, event: Event, rules: tuple[tuple[Permission, Step], ...]) -> None:
        """Offer the administrative SEDs that may be about this document."""
        document = self._case.get(_document(event))
        allowed = permissions_of(self._case, self._definition, document)
        for permission, step in rules:
            if permission in allowed:
                self._offer(step, event.document_id)

    def _offer(self, step: Step, parent_id: DocumentId | None = None, *, afresh: bool = False) -> None:
        key = (step.sed, parent_id)
        if self._owed[key] and not afresh:
            self._owed[key] -= 1
            self._used(Offer(step, parent_id))
            return
        if self._is_foreign and key in self.open and not step.repeatable:
            self._spare[key] += 1  # it may have taken the earlier one already, which we have not seen yet
        if not self.drafts or all(draft.key != key for draft in self.drafts.values()):
            self.open[key] = Offer(step, parent_id)

    def _reached(self, event: Event) -> bool:
        """Whether the participant got the document of this event; who joined late, what went to all."""
        document = self._case.get(_document(event))
        if not self._is_foreign or not self._whose.isdisjoint(document.receivers):
            return True
        return self._joined and went_to_all(self._case, self._definition, document)

    def _react(self, trigger: Trigger, event: Event) -> None:
        for rule in self._table.effects.get((trigger, _sed(event)), ()):
            if self._is_foreign and rule.effect in _TAKES_AWAY:
                continue  # we cannot know what came first at the other side
            if rule.action is not Affected.CREATE:
                self._freeze(rule, event)
            if rule.action is not Affected.UPDATE:
                self._change(rule, event)

    def _freeze(self, rule: EffectRule, event: Event) -> None:
        seds = _others(rule, event)
        if rule.effect in _TAKES_AWAY:
            self.frozen.update(seds)
        else:
            self.frozen.difference_update(seds)

    def _change(self, rule: EffectRule, event: Event) -> None:
        if rule.effect is EffectKind.OFFER_AGAIN:
            self._offer_again(rule, event)
            return
        for key in list(self._concerned(rule, event)):
            if rule.effect is EffectKind.WITHDRAW:
                del self.open[key]
            else:
                suspended = rule.effect is EffectKind.SUSPEND
                self.open[key] = replace(self.open[key], suspended=suspended)
        if rule.effect is EffectKind.WITHDRAW:
            self._withdraw_drafts(rule, event)

    def _withdraw_drafts(self, rule: EffectRule, event: Event) -> None:
        """A draft whose step was withdrawn can be read and deleted, not sent."""
        for document_id, offer in list(self.drafts.items()):
            if self._is_concerned(rule, event, offer):
                del self.drafts[document_id]

    def _offer_again(self, rule: EffectRule, event: Event) -> None:
        parent_id = event.parent_id if rule.parent else None
        for sed in _others(rule, event):
            step = self._table.step_for(sed, starter=True)
            if step is not None:
                self._offer(step, parent_id)

    def _concerned(self, rule: EffectRule, event: Event) -> Iterator[Key]:
        return (key for key, offer in self.open.items() if self._is_concerned(rule, event, offer))

    def _is_concerned(self, rule: EffectRule, event: Event, offer: Offer) -> bool:
        opens_case = offer.step.starter and not self._is_started
        if offer.step.sed not in _others(rule, event) or (rule.only_as_starter and not opens_case):
            return False
        if rule.parent is None:
            return True
        parent = self._case.find(offer.parent_id)
        siblings = event.parent_id in (None, offer.parent_id)
        return parent is not None and parent.type == rule.parent and siblings


_TAKES_AWAY = frozenset({EffectKind.WITHDRAW, EffectKind.SUSPEND})


def _others(rule: EffectRule, event: Event) -> tuple[SedType, ...]:
    return tuple(sed for sed in rule.seds if sed != event.sed)


def _sed(event: Event) -> SedType:
    assert event.sed is not None  # every event on a document names its type
    return event.sed


def _document(event: Event) -> DocumentId:
    assert event.document_id is not None  # every event on a document names it
    return event.document_id


def _key(event: Event) -> Key:
    return (_sed(event), event.parent_id)
