"""Edits make good and bad examples of a sample."""

import pytest
from tests.helpers.definitions import node

from eessi_sim import xmlsafe
from eessi_sim.cdm.examples import Edit, edited
from eessi_sim.errors import DefinitionError
from eessi_sim.xmlsafe import Element

TREE = xmlsafe.parse(b'<a><b x="1">one</b><c><d/></c><b>two</b></a>')


def done(*edits: str, tree: Element = TREE) -> bytes:
    """The tree after edits, in canonical form."""
    return xmlsafe.exclusive_c14n(edited(tree, [Edit.read(node(edit)) for edit in edits]))


def test_set_replaces_the_text_of_every_node_found() -> None:
    """A path that finds two nodes changes both."""
    assert done("{set: b, to: new}") == b'<a><b x="1">new</b><c><d></d></c><b>new</b></a>'


def test_set_replaces_children() -> None:
    """A group becomes a text."""
    assert done("{set: c, to: new}") == b'<a><b x="1">one</b><c>new</c><b>two</b></a>'


def test_set_changes_an_attribute() -> None:
    """A path may end in an attribute."""
    assert done("{set: b/@x, to: '2'}") == b'<a><b x="2">one</b><c><d></d></c><b>two</b></a>'


@pytest.mark.parametrize("nothing", ["", '""'])
def test_set_to_nothing_empties(nothing: str) -> None:
    """An empty text is a text."""
    assert done(f"{{set: 'b[1]', to: {nothing}}}") == b'<a><b x="1"></b><c><d></d></c><b>two</b></a>'


def test_remove_takes_away_every_node_found() -> None:
    """A path that finds two nodes removes both."""
    assert done("{remove: b}") == b"<a><c><d></d></c></a>"


def test_remove_takes_away_an_attribute() -> None:
    """A path may end in an attribute."""
    assert done("{remove: b/@x}") == b"<a><b>one</b><c><d></d></c><b>two</b></a>"


def test_root_cannot_be_removed() -> None:
    """Without its root there is no document; it stays."""
    assert done("{remove: .}") == xmlsafe.exclusive_c14n(TREE)


@pytest.mark.parametrize(
    ("place", "result"),
    [
        ("into", b'<a><b x="1">one</b><c><d></d><n>1</n></c><b>two</b></a>'),
        ("before", b'<a><b x="1">one</b><n>1</n><c><d></d></c><b>two</b></a>'),
        ("after", b'<a><b x="1">one</b><c><d></d></c><n>1</n><b>two</b></a>'),
    ],
)
def test_insert_puts_an_element_at_its_place(place: str, result: bytes) -> None:
    """An element goes into, before or after another."""
    assert done(f"{{insert: '<n>1</n>', {place}: c}}") == result


def test_edits_are_done_in_order() -> None:
    """A later edit sees what an earlier one did."""
    assert done("{insert: '<n/>', into: c}", "{remove: c/n}") == xmlsafe.exclusive_c14n(TREE)


def test_document_itself_stays_as_it_is() -> None:
    """Edits change a copy."""
    before = xmlsafe.exclusive_c14n(TREE)
    done("{remove: b}")
    assert xmlsafe.exclusive_c14n(TREE) == before


def test_edit_that_finds_nothing_is_an_error() -> None:
    """An example that changes nothing would prove nothing."""
    with pytest.raises(DefinitionError, match="finds something"):
        done("{remove: q}")


def test_edit_knows_whether_it_can_be_done() -> None:
    """Shared rules ask first."""
    assert Edit.read(node("{remove: c}")).can_apply(TREE)
    assert not Edit.read(node("{remove: q}")).can_apply(TREE)


@pytest.mark.parametrize("edit", ["{set: b}", "{insert: '<n/>'}", "{into: c}", "{swap: b}", "text"])
def test_incomplete_edit_is_refused(edit: str) -> None:
    """Every edit needs what and where."""
    with pytest.raises(DefinitionError):
        Edit.read(node(edit))


def test_inserted_text_must_be_one_element() -> None:
    """What is inserted must be XML."""
    with pytest.raises(DefinitionError, match="Expected one XML element"):
        Edit.read(node("{insert: '<n>', into: c}"))
