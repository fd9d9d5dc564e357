"""Actions: their ids and their words."""

from tests.helpers.processes import document_id

from eessi_sim.buc.actions import Action, Operation, action_id
from eessi_sim.identifiers import CaseId, SedType

_CASE = CaseId("1443996")
_SED = SedType("A003")


def test_action_id_is_the_case_id_and_32_digits() -> None:
    """The id has the form that RINA's actions had."""
    number, _, digits = action_id(_CASE, Operation.CREATE, _SED).partition("_")
    assert (number, len(digits)) == (_CASE, 32)


def test_same_action_has_the_same_id() -> None:
    """An action keeps its id as long as it is offered."""
    first, second = (action_id(_CASE, Operation.SEND, _SED, document_id=document_id(1)) for _ in range(2))
    assert first == second


def test_document_and_parent_make_different_ids() -> None:
    """The same document id in two places of an action does not give the same id."""
    about = action_id(_CASE, Operation.CREATE, _SED, parent_id=document_id(1))
    of = action_id(_CASE, Operation.CREATE, _SED, document_id=document_id(1))
    assert about != of


def test_action_says_itself_in_words() -> None:
    """An action on a SED names it, an action on the case does not."""
    create = Action(id="1", operation=Operation.CREATE, sed=_SED)
    close = Action(id="2", operation=Operation.LOCAL_CLOSE)
    assert (create.text, close.text) == ("Create A003", "LocalClose")
