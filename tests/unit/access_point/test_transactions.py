"""Which documents the access point lets pass in a process, and in which order."""

from collections.abc import Iterator

import pytest
from tests.helpers.processes import table

from eessi_sim.access_point.transactions import NotYet, require_transaction
from eessi_sim.buc.case import CaseRole, Direction
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.buc.walk import play
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.identifiers import DocumentId, SedType
from eessi_sim.sbdh import CaseAction

OWNER, OTHER = CaseRole.CASE_OWNER, CaseRole.COUNTERPARTY
Sent = tuple[SedType, CaseRole, CaseAction]

Exchanged = dict[tuple[DocumentId, int], Sent]
Heads = dict[tuple[object, ...], Exchanged]
"""What was sent by the end of a head of a walk, by parties and steps: many walks of a process begin alike."""


def require(buc: str, sed: str, role: CaseRole, action: CaseAction, *exchanged: str) -> None:
    """Ask about one document, with the types that have passed before."""
    passed = frozenset(map(SedType, exchanged))
    require_transaction(table(buc), SedType(sed), role, action=action, exchanged=passed)


def exchanged_after(definition: BucDefinition, head: Walk) -> Exchanged:
    """Every version that anybody has sent by the end of a walk."""
    return {
        (document.id, version.number): (
            document.type,
            case.role,
            CaseAction.UPDATE
            if any(earlier.sent_at for earlier in document.versions if earlier.number < version.number)
            else CaseAction.START
            if document.starter
            else CaseAction.NEW,
        )
        for case in play(definition, head).cases.values()
        for document in case.documents
        for version in document.versions
        if document.direction is Direction.OUT and version.sent_at
    }


def sendings(
    definition: BucDefinition, walk: Walk, heads: Heads
) -> Iterator[tuple[Sent, frozenset[SedType]]]:
    """What a walk sends, one by one, with the types that were sent before."""
    before: Exchanged = {}
    for steps in range(1, len(walk.steps) + 1):
        head = Walk(name=walk.name, parties=walk.parties, steps=walk.steps[:steps])
        key = (head.parties, head.steps)
        if key not in heads:
            heads[key] = exchanged_after(definition, head)
        after = heads[key]
        for new in after.keys() - before.keys():
            yield after[new], frozenset(sed for sed, _, _ in before.values())
        before = after


@pytest.mark.parametrize("definition", Definitions.default().all(), ids=lambda each: each.buc)
def test_whatever_a_process_allows_passes(definition: BucDefinition) -> None:
    """No document of a walk that must work is stopped on its way."""
    heads: Heads = {}
    for walk in definition.walks:
        if walk.because is None:
            for (sed, role, action), before in sendings(definition, walk, heads):
                require_transaction(definition, sed, role, action=action, exchanged=before)


def test_role_sends_only_what_its_table_lists() -> None:
    """The refusal names process and role and lists what the role may send."""
    with pytest.raises(ActionNotAvailable, match="Counterparty sends in LA_BUC_02, found A003") as caught:
        require("LA_BUC_02", "A003", OTHER, CaseAction.START)
    assert "A012" in caught.value.available
    assert "A003" not in caught.value.available


def test_only_a_starter_starts() -> None:
    """The refusal lists the starters."""
    with pytest.raises(ActionNotAvailable, match="starter of LA_BUC_02, found A012") as caught:
        require("LA_BUC_02", "A012", OTHER, CaseAction.START)
    assert caught.value.available == ("A003",)
    assert not isinstance(caught.value, NotYet)


@pytest.mark.parametrize(
    ("sed", "role", "needed"),
    [("A012", OTHER, "A003"), ("X009", OWNER, "A003"), ("X010", OTHER, "X009"), ("H001", OTHER, "A003")],
)
def test_document_waits_for_what_it_follows(sed: str, role: CaseRole, needed: str) -> None:
    """A reply waits for its request, everything else for the starter; then it passes."""
    with pytest.raises(NotYet, match=needed):
        require("LA_BUC_02", sed, role, CaseAction.NEW)
    require("LA_BUC_02", sed, role, CaseAction.NEW, needed)


def test_update_waits_for_the_first_version() -> None:
    """A new version of a document passes only after the document."""
    with pytest.raises(NotYet, match="before A003"):
        require("LA_BUC_02", "A003", OWNER, CaseAction.UPDATE)
    require("LA_BUC_02", "A003", OWNER, CaseAction.UPDATE, "A003")


def test_starter_does_not_wait() -> None:
    """A starter needs nothing before it."""
    require("LA_BUC_02", "A003", OWNER, CaseAction.START)


def test_second_starter_of_a_case_waits_for_its_reason() -> None:
    """A new determination follows a disagreement, or the invalidation of the first one."""
    with pytest.raises(NotYet):
        require("LA_BUC_02", "A003", OWNER, CaseAction.NEW, "A003")
    require("LA_BUC_02", "A003", OWNER, CaseAction.NEW, "A003", "A004")
    require("LA_BUC_02", "A003", OWNER, CaseAction.NEW, "A003", "X008")


def test_action_of_system_messages_is_no_action_of_a_case() -> None:
    """Request is refused with the actions that a document may have."""
    with pytest.raises(ActionNotAvailable, match="Request") as caught:
        require("LA_BUC_02", "A003", OWNER, CaseAction.REQUEST, "A003")
    assert caught.value.available == ("Start", "New", "Update")
    assert not isinstance(caught.value, NotYet)


def test_what_is_handed_over_has_passed_before() -> None:
    """A counterparty may hand the owner's A003 over once an A003 has passed, whoever the table lets send it."""
    table_of, sed, passed = table("LA_BUC_02"), SedType("A003"), frozenset({SedType("A003")})
    with pytest.raises(NotYet, match="before A003"):
        require_transaction(
            table_of, sed, OTHER, action=CaseAction.NEW, exchanged=frozenset(), handed_over=True
        )
    require_transaction(table_of, sed, OTHER, action=CaseAction.NEW, exchanged=passed, handed_over=True)
