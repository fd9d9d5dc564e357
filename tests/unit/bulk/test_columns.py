"""Columns have names for people, and many spellings are read."""

import pytest
from tests.helpers.bulk_claims import columns

from eessi_sim.bulk.columns import UnknownColumn, _leaves, _Way, words
from eessi_sim.cdm.shape import Field, Shape, Shapes, Simple

PIN = "Person/PersonIdentification/PINPersonInEachInstitution/PersonalIdentificationNumber"


@pytest.mark.parametrize("sed", ["U020", "U023", "U024", "U026", "U027", "U029"])
def test_every_name_that_is_written_is_read(sed: str) -> None:
    """The short name and the whole path of every field lead to it."""
    known = columns(sed)
    for leaf in known.leaves:
        assert known.resolve(known.header(leaf)).leaf == leaf
        assert known.resolve(leaf.path).leaf == leaf


@pytest.mark.parametrize(
    "spelling",
    ["family name", "Family Name", "familyName", "FAMILY_NAME", "person identification / family name"],
)
def test_spelling_does_not_matter(spelling: str) -> None:
    """Capitals, blanks and underscores make no difference."""
    assert columns("U020").resolve(spelling).leaf.path == "Person/PersonIdentification/familyName"


def test_names_of_elements_become_words() -> None:
    """Abbreviations keep their capitals."""
    assert words("dateBirth") == "date birth"
    assert words("reimbursementRequestID") == "reimbursement request ID"


def test_usual_column_wins_over_others_of_its_name() -> None:
    """A name that several fields end with means the one of the template."""
    assert columns("U020").resolve("personal identification number / country").leaf.path == f"{PIN}/country"
    assert (
        columns("U020").resolve("institution name").header
        == "the institution EXISTS in IR / institution name"
    )


def test_number_is_put_where_elements_repeat() -> None:
    """[2] at a field means the second of what repeats around it."""
    known = columns("U020")
    one = known.resolve("working period considered / end date [2]")
    other = known.resolve("working period considered [2] / end date")
    assert one == other
    assert one.header == "working period considered [2] / end date"
    assert known.resolve("nationality [2]").header == "nationality [2]"
    assert known.resolve(one.header) == one


def test_second_code_of_a_field_has_a_number() -> None:
    """A field with several codes counts them, in our spelling and in that of RINA's JSON."""
    known = columns("U023")
    second = known.resolve("reason for contestation [2]")
    assert second.header == "reason for contestation [2]"
    assert known.resolve("ReasonsForContestation/reasonForContestation/value[2]") == second
    assert (
        known.resolve("ReasonsForContestation/reasonForContestation/value[1]").header
        == "reason for contestation"
    )


def test_path_of_a_definition_file_must_be_a_leaf() -> None:
    """What a file calls a column and is none is told with the nearest one."""
    with pytest.raises(UnknownColumn, match="Expected a leaf"):
        columns("U020").at("Person")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("famly name", 'Did you mean "family name"'),
        ("shoe size", "bulk template --all"),
        ("address / town", "names 2"),
        ("family name [2]", "stands once"),
        ("family name [0]", 'a name like "family name"'),
        ("[2]", 'a name like "family name"'),
        ("a [2", 'a name like "family name"'),
    ],
)
def test_unknown_names_are_answered_with_advice(name: str, said: str) -> None:
    """The sentence or the hint says what to write."""
    with pytest.raises(UnknownColumn) as caught:
        columns("U020").resolve(name)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_few_columns_are_listed() -> None:
    """A claim with few fields has them all named."""
    with pytest.raises(UnknownColumn) as caught:
        columns("U026").resolve("zzz")
    assert "family name" in str(caught.value.hint)


def test_type_that_contains_itself_ends() -> None:
    """A person with a partner who is a person has the names of one."""
    inner = Field("name", "name", 1, 1, is_array=False, type=1)
    person = Field("partner", "partner", 0, 1, is_array=False, type=0)
    group = Shape("Person", fields={"name": inner, "partner": person})
    shapes = Shapes(person, (group, Shape("Text", simple=Simple("string"))))
    assert [leaf.path for leaf in _leaves(shapes, person, _Way(around=(0,)))] == ["name"]
