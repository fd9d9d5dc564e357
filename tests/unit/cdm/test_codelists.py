"""Code lists and their labels."""

from pathlib import Path

import pytest
from tests.helpers.definitions import FOLDER

from eessi_sim.cdm.annotation import Fact
from eessi_sim.cdm.codelists import Code, CodeList, load
from eessi_sim.errors import DefinitionError

LISTS = load(FOLDER / "4.4" / "codelists.xsd")
COUNTRY = LISTS["Country"]


def test_every_simple_type_with_codes_is_a_list() -> None:
    """Complex types and types without enumerations are no code lists."""
    assert set(LISTS) == {"Country", "Kind"}


def test_file_of_simple_types_without_codes_has_no_lists() -> None:
    """A simple type without enumerations is passed over."""
    assert load(FOLDER / "4.4" / "types.xsd") == {}


def test_codes_keep_their_order() -> None:
    """The order is that of the schema."""
    assert [code.code for code in COUNTRY.values] == ["NO", "PL", "EL"]


def test_label_is_the_documentation_of_the_code() -> None:
    """A known code has its label."""
    assert COUNTRY.label("EL") == "Greece"


def test_label_of_an_unknown_code_is_the_code() -> None:
    """A code that the list does not have is shown as it is."""
    assert COUNTRY.label("XX") == "XX"


def test_label_of_a_code_without_documentation_is_the_code() -> None:
    """A code whose meaning is not documented is shown as it is."""
    assert LISTS["Kind"].label("02") == "02"


def test_find_returns_none_for_an_unknown_code() -> None:
    """Finding does not raise."""
    assert COUNTRY.find("XX") is None


def test_list_knows_its_source() -> None:
    """Confidence and source of a list travel with it."""
    assert COUNTRY.fact == Fact("documented", "ISO 3166-1")


def test_list_without_mark_has_no_fact() -> None:
    """A list that is not marked claims nothing."""
    assert LISTS["Kind"].fact is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("no", "NO"), ("Norge", "NO"), ("norway", "NO"), (" PL ", "PL"), ("Grece", "EL")],
)
def test_nearest_code_is_found_by_code_or_label(text: str, code: str) -> None:
    """Small letters, other languages and misspellings still lead to the code."""
    nearest = COUNTRY.nearest(text)
    assert nearest is not None
    assert nearest.code == code


def test_nearest_code_supplies_a_missing_zero() -> None:
    """A number without its leading zero leads to the code."""
    assert LISTS["Kind"].nearest("1") == Code("01", "Ash")


@pytest.mark.parametrize("text", ["GR", "Zimbabwe", ""])
def test_far_texts_have_no_nearest_code(text: str) -> None:
    """A suggestion that is only a guess is none."""
    assert COUNTRY.nearest(text) is None


def test_code_prints_with_its_label() -> None:
    """A code is shown as code and label, without trailing space when it has no label."""
    assert (str(Code("NO", "Norway")), str(Code("02", ""))) == ("NO Norway", "02")


def test_list_is_a_plain_value() -> None:
    """Two lists with the same codes are equal."""
    assert CodeList("A", (Code("1", ""),)) == CodeList("A", (Code("1", ""),))


def test_unreadable_file_is_a_definition_error(tmp_path: Path) -> None:
    """A missing file is named."""
    with pytest.raises(DefinitionError, match=r"none\.xsd"):
        load(tmp_path / "none.xsd")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Norway", "NO"),
        (" no ", "NO"),
        ("1", "01"),
        ("001", "01"),
        ("Norge", None),
        ("", None),
        ("twice", None),
    ],
)
def test_code_that_is_meant(text: str, code: str | None) -> None:
    """Only a word that stands for one code says which is meant."""
    words = CodeList("", (*COUNTRY.values, Code("01", "twice"), Code("02", "Twice")))
    meant = words.meant(text)
    assert (meant.code if meant else None) == code
