"""Two definitions of one SED are compared by what a reader sees."""

import shutil
from pathlib import Path

import pytest
from tests.helpers.definitions import A901, FOLDER, V4_4, catalogue, definition

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.comparison import Change, Kind, compare

OURS = definition("A901")


def changed(folder: Path, name: str, old: str, new: str) -> tuple[Change, ...]:
    """What changed when a text of a definition file is replaced."""
    shutil.copytree(FOLDER.parent, folder, dirs_exist_ok=True)
    file = folder / "cdm" / "4.4" / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    return compare(OURS, Catalogue([folder / "cdm"]).get(A901, V4_4))


def test_definition_is_equal_to_itself() -> None:
    """Nothing changed."""
    assert compare(OURS, catalogue().get(A901, V4_4)) == ()


AMOUNT = '<xs:element name="amount" type="xs:decimal" minOccurs="0"/>'


@pytest.mark.parametrize(
    ("name", "old", "new", "change"),
    [
        ("LA/A901.xsd", AMOUNT, "", Change(Kind.FIELD, "amount", "0..1 decimal", None)),
        ("LA/A901.xsd", 'name="kind" type="a901:KindCode" minOccurs="0"', 'name="kind" type="a901:KindCode"',
         Change(Kind.FIELD, "kind", "0..1 code [Kind]", "1 code [Kind]")),
        ("codelists.xsd", "Norway", "Kingdom of Norway",
         Change(Kind.CODE, "Country NO", "Norway", "Kingdom of Norway")),
        ("LA/A901.rules.yaml", "A901-R02", "A901-R09",
         Change(Kind.RULE, "A901-R02", "warning: Addresses", None)),
    ],
)  # fmt: skip
def test_change_is_told_in_the_words_of_the_dictionary(
    tmp_path: Path, name: str, old: str, new: str, change: Change
) -> None:
    """A field, a code or a rule that came, went or became otherwise stands with both descriptions."""
    assert change in changed(tmp_path, name, old, new)


def test_what_is_the_same_is_not_told(tmp_path: Path) -> None:
    """One change of the file is one change of the comparison."""
    assert len(changed(tmp_path, "LA/A901.xsd", AMOUNT, "")) == 1
