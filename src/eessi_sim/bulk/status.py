"""Status: what has become of every claim of a case, read off the documents that were exchanged.

A pure function over contents. One document opens the claims; each later one speaks of those it lists, and perhaps of
all others, as ``<SED>.bulk.yaml`` says. A document that speaks of what nobody claimed, or twice of one claim, does
not stop anything: it is a finding. Of several versions only the latest counts, at the place of the first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from eessi_sim import xmlsafe
from eessi_sim.bulk.definition import BulkDefinition, Claims, Others, Status, Track, holds
from eessi_sim.bulk.document import amount_at, names_of, number_of
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element


@dataclass(frozen=True, slots=True)
class Said:
    """One document of a case."""

    id: str
    sed: SedType
    version: int
    sender: str
    root: Element

    @property
    def name(self) -> str:
        """What people call it, with the version when it is not the first."""
        return self.sed if self.version == 1 else f"{self.sed} v{self.version}"


@dataclass(frozen=True, slots=True)
class Decision:
    """A status, and the document that said so."""

    status: Status
    document: str
    """Id of the document."""
    name: str
    """Its SED and version."""


@dataclass(frozen=True, slots=True)
class ClaimState:
    """One claim as it stands."""

    number: str
    person: str
    claim: Decision
    requested: Decimal | None
    accepted: Decimal | None = None
    """None as long as nobody decided."""
    paid: Decimal = Decimal()
    currency: str = ""
    interest: Decision | None = None
    """None as long as none was charged."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a document says and that cannot be."""

    code: str
    document: str
    name: str
    number: str
    """The claim; empty when it is about the whole document."""
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """All claims of a case, in the order in which they were made."""

    request: str
    claims: tuple[ClaimState, ...]
    findings: tuple[Finding, ...]

    def counts(self) -> dict[Status, int]:
        """Return how many claims have each status, in the order of their life."""
        found = [state.claim.status for state in self.claims]
        return {status: found.count(status) for status in Status if status in found}

    def total(self, amount: Callable[[ClaimState], Decimal | None]) -> Decimal:
        """Return the sum of one amount over all claims that were not withdrawn."""
        owed = (state for state in self.claims if state.claim.status is not Status.WITHDRAWN)
        return sum((amount(state) or Decimal() for state in owed), Decimal())


def claim_table(
    documents: Iterable[Said], definition_of: Callable[[SedType], BulkDefinition | None]
) -> ClaimTable:
    """Return what has become of every claim.

    Args:
        documents: of the case, oldest first; of each only its latest version.
        definition_of: what a type of SED says of claims, None for one that says nothing.
    """
    reader = _Reader()
    for document in documents:
        bulk = definition_of(document.sed)
        if bulk is not None:
            reader.read(document, bulk)
    return ClaimTable(reader.request, tuple(reader.states.values()), tuple(reader.findings))


class _Reader:
    """Goes through the documents, one after the other."""

    def __init__(self) -> None:
        self.request = ""
        self.states: dict[str, ClaimState] = {}
        self.findings: list[Finding] = []

    def read(self, document: Said, bulk: BulkDefinition) -> None:
        """Take in what one document says."""
        request = xmlsafe.text_of(bulk.request.first(document.root))
        if bulk.says.opens and not self.request:
            self.request = request
        elif request != self.request:
            self._other_request(document, request)
            return
        listed = self._listed(document, bulk)
        for number, claim in listed.items():
            self.states[number] = self._decided(document, bulk, number, claim)
        self._speak_of_others(document, bulk, listed.keys())

    def _listed(self, document: Said, bulk: BulkDefinition) -> dict[str, Element]:
        """Return the claims of a document that it may speak of, by number."""
        found: dict[str, Element] = {}
        if bulk.claims is None:
            return found
        for claim in document.root.findall(bulk.claims.path):
            number = number_of(claim, bulk.claims)
            if number in found:
                self._twice(document, number)
            elif not bulk.says.opens and number not in self.states:
                self._unknown(document, number)
            else:
                found[number] = claim
        return found

    def _decided(self, document: Said, bulk: BulkDefinition, number: str, claim: Element) -> ClaimState:
        says = bulk.says
        assert bulk.claims is not None  # it lists claims
        state = self.states.get(number) or _opened(document, bulk, bulk.claims, claim)
        status = next((each.status for each in says.listed if holds(each.when, claim)), None)
        if says.track is Track.INTEREST:
            return state if status is None else replace(state, interest=_decision(document, status))
        state = _with_amounts(state, bulk, claim)
        if status is None:
            return state
        if status is Status.PAID and says.amounts.paid is not None:
            status = self._paid(document, state)
        state = replace(state, claim=_decision(document, status))
        return self._accepted(document, state, bulk, claim)

    def _paid(self, document: Said, state: ClaimState) -> Status:
        requested = state.requested or Decimal()
        if state.paid > requested:
            self._too_much(document, state, "paid", state.paid)
        return Status.PAID if state.paid >= requested else Status.PART_PAID

    def _accepted(
        self, document: Said, state: ClaimState, bulk: BulkDefinition, claim: Element
    ) -> ClaimState:
        """Return the state with the amount that is accepted: what the claim says, or what the status means."""
        stated = amount_at(bulk.says.amounts.accepted, claim)
        if stated is not None and state.requested is not None and stated > state.requested:
            self._too_much(document, state, "accepted", stated)
        meant = {Status.ACCEPTED: state.requested, Status.CONTESTED: Decimal(), Status.WITHDRAWN: Decimal()}
        amount = stated if stated is not None else meant.get(state.claim.status, state.accepted)
        return replace(state, accepted=amount)

    def _speak_of_others(self, document: Said, bulk: BulkDefinition, listed: Iterable[str]) -> None:
        rules = [each for each in bulk.says.others if holds(each.when, document.root)]
        known = set(listed)
        for number, state in self.states.items() if rules else ():
            if number not in known:
                self.states[number] = _by_rule(document, bulk.says.track, state, rules)

    # Findings.

    def _other_request(self, document: Said, request: str) -> None:
        message = f'Expected {document.name} to be about the request "{self.request}", found "{request}"'
        self._find("other-request", document, "", message, "What it says of claims is not taken over.")

    def _twice(self, document: Said, number: str) -> None:
        message = f'Expected claim "{number}" once in {document.name}, found it again'
        self._find("claim-twice", document, number, message, "What it says first counts.")

    def _unknown(self, document: Said, number: str) -> None:
        message = f'Expected a claim of the request in {document.name}, found number "{number}"'
        hint = f"The request has {len(self.states)} claims; correct the number, or update the request."
        self._find("unknown-claim", document, number, message, hint)

    def _too_much(self, document: Said, state: ClaimState, what: str, amount: Decimal) -> None:
        message = f"Expected at most {state.requested} to be {what} for claim {state.number}, found {amount}"
        self._find("more-than-requested", document, state.number, message, "Compare it with the request.")

    def _find(self, code: str, document: Said, number: str, message: str, hint: str) -> None:
        self.findings.append(Finding(code, document.id, document.name, number, message, hint))


def _opened(document: Said, bulk: BulkDefinition, about: Claims, claim: Element) -> ClaimState:
    currency = bulk.says.amounts.currency
    return ClaimState(
        number=number_of(claim, about),
        person=names_of(claim, about),
        claim=_decision(document, Status.OPEN),
        requested=amount_at(bulk.says.amounts.requested, claim),
        currency=xmlsafe.text_of(currency.first(claim)) if currency is not None else "",
    )


def _with_amounts(state: ClaimState, bulk: BulkDefinition, claim: Element) -> ClaimState:
    amounts = bulk.says.amounts
    requested = amount_at(amounts.requested, claim)
    paid = amount_at(amounts.paid, claim) or Decimal()
    return replace(
        state, requested=requested if requested is not None else state.requested, paid=state.paid + paid
    )


def _by_rule(document: Said, track: Track, state: ClaimState, rules: Sequence[Others]) -> ClaimState:
    before = state.claim if track is Track.CLAIM else state.interest
    status = next(
        (each.status for each in rules if before is not None and before.status in each.origins), None
    )
    if status is None:
        return state
    if track is Track.INTEREST:
        return replace(state, interest=_decision(document, status))
    accepted = state.requested if status is Status.ACCEPTED else state.accepted
    return replace(state, claim=_decision(document, status), accepted=accepted)


def _decision(document: Said, status: Status) -> Decision:
    return Decision(status, document.id, document.name)
