"""Expressions of definition files are compiled with the functions of rules."""

import pytest
from tests.helpers.definitions import node

from eessi_sim import xmlsafe
from eessi_sim.cdm.xpath import Path, compiled
from eessi_sim.errors import DefinitionError

TREE = xmlsafe.parse(b'<a><b x="1">2026-01-01</b><b/></a>')


def path(text: str) -> Path:
    return Path(node(text))


def test_path_finds_elements() -> None:
    """Elements are found in the order of the document."""
    assert path("b").elements(TREE) == list(TREE)


def test_first_is_the_first_element_or_none() -> None:
    """Finding nothing is None."""
    assert path("b").first(TREE) is TREE[0]
    assert path("c").first(TREE) is None


def test_attributes_are_found_but_are_no_elements() -> None:
    """An attribute is found as the text that it holds."""
    assert path("b/@x").found(TREE) == ["1"]
    assert path("b/@x").elements(TREE) == []


def test_expression_that_is_no_path_finds_nothing() -> None:
    """A number or a truth value is no node."""
    assert path("count(b)").found(TREE) == []


def test_path_keeps_its_text() -> None:
    """The expression can be shown as it was written."""
    assert path("b[1]").text == "b[1]"


def test_functions_of_rules_can_be_called() -> None:
    """The prefix sim needs no declaration."""
    expression = compiled(node("x"), "sim:date-le(b, '2026-01-02') and sim:days-between(b, b) = 0")
    assert expression(TREE) is True


@pytest.mark.parametrize("text", ["b[", "sim:", "q:b", "$x", "nothing()", "count(1)"])
def test_what_is_no_xpath_is_refused(text: str) -> None:
    """Syntax, prefixes, variables, functions and types are checked when the file is read."""
    with pytest.raises(DefinitionError, match=r"Expected an XPath.*test\.yaml, line 1"):
        path(f'"{text}"')


def test_unknown_function_leads_to_the_nearest() -> None:
    """A mistyped function is answered with the right one."""
    with pytest.raises(DefinitionError) as caught:
        path("sim:date-less(a, b)")
    assert caught.value.hint == 'Did you mean "date-le"?'


def test_wrong_number_of_arguments_is_refused() -> None:
    """A function that gets too little is an error of the file."""
    with pytest.raises(DefinitionError, match="Expected an XPath"):
        path("sim:date-le('2026-01-01')")
