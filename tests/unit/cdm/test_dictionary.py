"""The dictionary lists every field of a SED."""

from tests.helpers.definitions import definition

from eessi_sim.cdm.dictionary import Row, code_lists, rows

OURS = {row.path: row for row in rows(definition("A901"))}
ODD = {row.path: row for row in rows(definition("U901"))}


def test_rows_follow_the_schema() -> None:
    """Attributes come first, then the fields in the order of the schema, groups before their members."""
    assert list(OURS)[:8] == [
        "@sedGVer",
        "@sedVer",
        "@sedPackage",
        "Person",
        "Person/name",
        "Person/birthDate",
        "Person/nationality",
        "Addresses",
    ]


def test_row_of_a_field_says_everything() -> None:
    """Path, type, occurrence, list, meaning, confidence and source."""
    assert OURS["Addresses/Address/town"] == Row(
        path="Addresses/Address/town",
        type="text (10)",
        occurrence="1",
        code_list=None,
        meaning="Town or village.",
        confidence="documented",
        source="a form",
    )


def test_coded_leaf_is_one_row() -> None:
    """The element ``value`` of a coded leaf is not listed."""
    country = OURS["Addresses/Address/country"]
    assert (country.type, country.code_list) == ("code", "Country")
    assert "Addresses/Address/country/value" not in OURS


def test_coded_leaf_with_several_values_is_named_so() -> None:
    """Several codes are told apart from one."""
    assert OURS["Person/nationality"].type == "codes"


def test_occurrence_is_written_as_a_range() -> None:
    """Least and most, a star for no limit."""
    assert [OURS[path].occurrence for path in ("Person", "Addresses", "Addresses/Address")] == [
        "1",
        "0..1",
        "1..2",
    ]
    assert ODD["from"].occurrence == "0..*"


def test_meaning_of_the_type_stands_in_for_the_element() -> None:
    """An element without documentation has that of its type."""
    assert OURS["Addresses/Address"].meaning == "Postal address."


def test_mark_is_inherited_from_the_group() -> None:
    """A field without a mark has that of the group around it."""
    assert OURS["Person/birthDate"].source == "Reg. 883/2004 art. 1"


def test_mark_of_the_sed_is_the_last_resort() -> None:
    """Where no group is marked the SED is."""
    assert (OURS["amount"].confidence, OURS["amount"].source) == ("observed", "the tests")


def test_foreign_schema_counts_as_inferred() -> None:
    """Without any mark nothing is claimed."""
    assert (ODD["flag"].confidence, ODD["flag"].source) == ("inferred", None)


def test_types_are_named_as_people_say_them() -> None:
    """Groups, texts, numbers, and what only XML can hold."""
    types = [ODD[path].type for path in ("Part", "town", "number", "price", "Note", "Extension")]
    assert types == ["group", "text", "integer", "decimal", "any", "any"]


def test_type_that_contains_itself_ends() -> None:
    """The inner part is listed once, without its members."""
    assert [path for path in ODD if path.startswith("Part")] == [
        "Part",
        "Part/@weight",
        "Part/label",
        "Part/Part",
    ]


def test_attributes_are_rows() -> None:
    """An attribute has its meaning and says whether it is required."""
    assert (OURS["@sedGVer"].occurrence, OURS["@sedPackage"].occurrence) == ("1", "0..1")
    assert OURS["@sedGVer"].meaning == "Major version."


def test_code_lists_of_a_sed_are_collected() -> None:
    """The lists that a SED uses are known by name."""
    assert set(code_lists(definition("A901"))) == {"Country", "Kind"}
