"""Definition files: every value is read as asked for, every error names file, line and key."""

from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.definition_files import Fields, Node, Plain, load_yaml, read_yaml, suggestion
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType


class Role(StrEnum):
    """Two words to choose from."""

    OWNER = "CaseOwner"
    COUNTERPARTY = "Counterparty"


def node(text: str) -> Node:
    """The value of ``key`` in a file that holds nothing else."""
    return read_yaml(f"key: {text}", "example.yaml").entries()["key"]


def refused(text: str, read: str) -> DefinitionError:
    """The error of reading the value of ``key`` as something it is not."""
    with pytest.raises(DefinitionError) as caught:
        getattr(node(text), read)()
    return caught.value


def test_country_code_no_is_a_text_and_not_a_boolean() -> None:
    """Scalars stay the text that was written, so NO is Norway."""
    assert node("NO").text() == "NO"


def test_version_keeps_its_trailing_zero() -> None:
    """Scalars stay the text that was written, so 4.10 is not 4.1."""
    assert node("4.10").text() == "4.10"


def test_text_loses_the_line_end_of_a_block() -> None:
    """A block scalar reads as its text, without the line end behind it."""
    assert node("|\n  one\n  two\n").text() == "one\ntwo"


@pytest.mark.parametrize(
    ("text", "found"), [("", "nothing"), ("~", "nothing"), ("[a]", "a list"), ("{a: b}", "keys and values")]
)
def test_text_is_refused_where_no_scalar_stands(text: str, found: str) -> None:
    """Nothing, a list and keys are not texts; the error says which of them it found."""
    assert refused(text, "text").message == f"Expected a text, found {found} at key (example.yaml, line 1)"


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_empty_value_is_recognised(text: str) -> None:
    """All three spellings of nothing are nothing."""
    assert node(text).is_empty


@pytest.mark.parametrize("text", ["''", "'null'", "no"])
def test_quoted_and_other_words_are_not_empty(text: str) -> None:
    """A quoted text is a text, even when it is spelled like nothing."""
    assert not node(text).is_empty


def test_integer_reads_decimal_digits() -> None:
    """A whole number is read with its sign."""
    assert node("-17").integer() == -17


@pytest.mark.parametrize("text", ["1.5", "0x10", "many", "1_000"])
def test_integer_refuses_every_other_spelling(text: str) -> None:
    """Only decimal digits are a whole number."""
    assert f'Expected a whole number, found "{text}"' in refused(text, "integer").message


@pytest.mark.parametrize(("text", "value"), [("true", True), ("false", False)])
def test_boolean_reads_true_and_false(text: str, value: bool) -> None:
    """The two words true and false are booleans."""
    assert node(text).boolean() is value


@pytest.mark.parametrize("text", ["yes", "NO", "True", "1"])
def test_boolean_refuses_other_words(text: str) -> None:
    """Words that older YAML takes for booleans are refused."""
    assert "Expected true or false" in refused(text, "boolean").message


def test_date_reads_a_calendar_date() -> None:
    """A date is year, month and day."""
    assert node("2026-03-02").date() == date(2026, 3, 2)


def test_date_refuses_a_day_that_does_not_exist() -> None:
    """30 February is no date, and the hint shows the form."""
    assert refused("2026-02-30", "date").hint == "Write dates like 2026-03-02."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5S", timedelta(milliseconds=500)),
    ],
)
def test_duration_reads_weeks_days_and_clock_times(text: str, value: timedelta) -> None:
    """Durations of fixed length are read in ISO 8601 form."""
    assert node(text).duration() == value


@pytest.mark.parametrize("text", ["P", "PT", "P1DT", "P2M", "P1Y", "5 minutes", "-PT5M"])
def test_duration_refuses_months_and_prose(text: str) -> None:
    """Months and years have no fixed length, prose has no form."""
    assert "Expected a duration" in refused(text, "duration").message


def test_one_of_returns_a_known_word() -> None:
    """A word of the list is returned as it stands."""
    assert node("push").one_of({"push", "pull"}) == "push"


def test_one_of_suggests_the_nearest_word() -> None:
    """A misspelt word is answered with the nearest known one."""
    with pytest.raises(DefinitionError) as caught:
        node("puhs").one_of({"push", "pull"})
    assert caught.value.hint == 'Did you mean "push"?'


@pytest.mark.parametrize(
    ("choices", "expected"),
    [(["push", "pull"], "push or pull"), (["a", "b", "c", "d", "e"], "one of 5 known words")],
)
def test_one_of_names_few_words_and_counts_many(choices: list[str], expected: str) -> None:
    """Two words fit into the sentence, a code list does not."""
    with pytest.raises(DefinitionError, match=f'Expected {expected}, found "x" at key'):
        node("x").one_of(choices)


def test_member_returns_the_enumeration_member_of_that_value() -> None:
    """A word becomes the member of the enumeration that has it as value."""
    assert node("Counterparty").member(Role) is Role.COUNTERPARTY


def test_parsed_returns_an_identifier() -> None:
    """A text becomes the identifier it spells."""
    assert node("A003").parsed(SedType) == SedType("A003")


def test_parsed_keeps_sentence_and_hint_of_the_identifier() -> None:
    """A malformed identifier keeps its own sentence and gains the place."""
    with pytest.raises(DefinitionError) as caught:
        node("a-3").parsed(SedType)
    assert (caught.value.message, caught.value.hint) == (
        'Expected a SED type such as "A003", found "a-3" at key (example.yaml, line 1)',
        "Write it like A003.",
    )


def test_parsed_leaves_an_error_with_a_place_alone() -> None:
    """An error that already names a place is not wrapped a second time."""
    with pytest.raises(DefinitionError, match=r"^Expected a text, found nothing at key"):
        node("").parsed(SedType)


def test_each_reads_every_value_of_a_list() -> None:
    """A list is read value by value."""
    assert node("[1, 2, 3]").each(Node.integer) == (1, 2, 3)


def test_sequence_refuses_a_scalar() -> None:
    """One word is not a list with one word."""
    assert refused("one", "sequence").message.startswith('Expected a list, found "one"')


def test_mapping_refuses_a_list() -> None:
    """A list has no keys."""
    assert refused("[a]", "entries").message.startswith("Expected keys and values, found a list")


def test_unknown_key_names_file_line_and_nearest_key() -> None:
    """A misspelt key is an error at its own line, with the nearest known key."""
    root = read_yaml("id: a\nroels:\n  - x\n", "network.yaml")
    with pytest.raises(DefinitionError) as caught:
        root.mapping(required={"id"}, allowed={"roles"})
    assert (caught.value.message, caught.value.hint) == (
        'Expected a known key, found "roels" at roels (network.yaml, line 2)',
        'Did you mean "roles"?',
    )


def test_no_key_is_known_unless_named() -> None:
    """A loader that names no keys accepts none."""
    with pytest.raises(DefinitionError, match='Expected a known key, found "a"'):
        read_yaml("a: 1", "f.yaml").mapping()


def test_known_keys_are_accepted() -> None:
    """Required and optional keys together are what is known."""
    root = read_yaml("id: a\nroles: []\n", "network.yaml")
    assert list(root.mapping(required={"id"}, allowed={"roles"})) == ["id", "roles"]


def test_missing_required_key_is_named() -> None:
    """A missing key is an error that says which one."""
    with pytest.raises(DefinitionError) as caught:
        read_yaml("a: {}", "f.yaml").entries()["a"].mapping(required={"c"})
    assert caught.value.message == 'Expected the key "c", found none at a (f.yaml, line 1)'


def test_error_carries_file_line_and_key_for_machines() -> None:
    """The place travels as values too, not only in the sentence."""
    place = read_yaml("a:\n  - b: x", "f.yaml").entries()["a"].sequence()[0].entries()["b"]
    assert place.error("Expected y").context == {"file": "f.yaml", "line": 2, "key": "a[1].b"}


def test_error_at_the_top_has_no_key() -> None:
    """An error about the file as a whole names the file only."""
    assert read_yaml("[]", "f.yaml").error("Expected y").message == "Expected y (f.yaml, line 1)"


def fields(text: str) -> Fields:
    """Keys of a small file."""
    return read_yaml(text, "f.yaml").entries()


def test_read_returns_the_default_of_an_absent_key() -> None:
    """A default stands in for an absent key."""
    assert fields("a: 1").read("b", Node.integer, 7) == 7


def test_read_prefers_the_value_to_the_default() -> None:
    """A key that is there is read, whatever the default."""
    assert fields("a: 1").read("a", Node.integer, 7) == 1


def test_read_without_default_requires_the_key() -> None:
    """Without a default the key must be there."""
    with pytest.raises(DefinitionError, match='Expected the key "b"'):
        fields("a: 1").read("b", Node.integer)


def test_fields_each_of_an_absent_key_is_empty() -> None:
    """An absent list has no values."""
    assert fields("a: 1").each("b", Node.integer) == ()


def test_fields_each_reads_the_list_of_a_key() -> None:
    """A list behind a key is read value by value."""
    assert fields("a: [1, 2]").each("a", Node.integer) == (1, 2)


def test_fields_count_and_know_their_keys() -> None:
    """Fields behave as a mapping that knows what it holds."""
    found = fields("a: 1\nb: 2")
    assert (len(found), "a" in found, "c" in found) == (2, True, False)


def test_plain_keeps_texts_and_makes_nothing_none() -> None:
    """The untyped form keeps every scalar as text and nothing as None."""
    root = read_yaml("a: NO\nb: [1, ~]\nc: {d: true}", "f.yaml")
    assert root.plain() == {"a": "NO", "b": ["1", None], "c": {"d": "true"}}


@pytest.mark.parametrize(
    ("text", "kind"), [("{a: 1}", (True, False)), ("[1]", (False, True)), ("x", (False, False))]
)
def test_node_knows_what_kind_of_value_it_is(text: str, kind: tuple[bool, bool]) -> None:
    """A loader can ask whether keys or a list stand here before it reads."""
    assert (node(text).is_mapping, node(text).is_sequence) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expected a definition, found an empty file (f.yaml)"),
        ("# only a comment", "Expected a definition, found an empty file (f.yaml)"),
        ("a: 1\n---\nb: 2", 'Expected one document, found a second after "---" (f.yaml, line 2)'),
        ("a: &x [1]\nb: *x", "Expected no alias, found one at b (f.yaml, line 2)"),
        ("&x [*x]", "Expected no alias, found one at [1] (f.yaml, line 1)"),
        ("a: 1\nb: {c: 1,\n c: 2}", 'Expected every key once, found "c" again at b (f.yaml, line 3)'),
        ("? [a]\n: 1", "Expected a plain word as key, found something else (f.yaml, line 1)"),
        ("a:\n  <<: {b: 1}", "Expected a plain word as key, found something else at a (f.yaml, line 2)"),
    ],
)
def test_shapes_that_definition_files_never_have_are_refused(text: str, message: str) -> None:
    """One document, no aliases, every key once, keys are words."""
    with pytest.raises(DefinitionError) as caught:
        read_yaml(text, "f.yaml")
    assert caught.value.message == message


@pytest.mark.parametrize("text", ["a: b: c", "a: [1", "\tx: 1", "a: 'open"])
def test_broken_yaml_names_its_line(text: str) -> None:
    """A file that is no YAML at all is refused with the line of the problem."""
    with pytest.raises(DefinitionError, match=r"Expected well-formed YAML.*line [12]"):
        read_yaml(text, "f.yaml")


@pytest.mark.parametrize("data", [b"a: \x80", b"\xff\xfea", b"a: \x00"])
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    """Broken encodings and control characters are refused."""
    with pytest.raises(DefinitionError, match="Expected well-formed YAML"):
        read_yaml(data, "f.yaml")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_bottomless_nesting_is_refused(opening: str) -> None:
    """A hundred thousand levels are refused at the sixty-fifth."""
    with pytest.raises(DefinitionError, match="Expected at most 64 levels"):
        read_yaml(opening * 100_000, "f.yaml")


def test_tags_never_make_objects() -> None:
    """A tag that would make a Python object elsewhere is a plain text here."""
    assert read_yaml("!!python/object:os.system x", "f.yaml").text() == "x"


def test_file_is_read_with_its_path_as_name(tmp_path: Path) -> None:
    """Errors of a file on disk name its path."""
    path = tmp_path / "x.yaml"
    path.write_text("a: 1", encoding="utf-8")
    assert load_yaml(path).file == str(path)


def test_missing_file_is_a_definition_error(tmp_path: Path) -> None:
    """A file that cannot be read is reported as such."""
    with pytest.raises(DefinitionError, match="Expected a readable file"):
        load_yaml(tmp_path / "absent.yaml")


def test_suggestion_lists_everything_when_nothing_is_near() -> None:
    """Without a near word the hint lists what is known."""
    assert suggestion("zzz", {"b", "a"}) == "Known here: a, b."


_WORDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_TEXTS = st.text("aÄλ1 \n\t\"'#:-?[]{},&*!|>%@`~\\", max_size=10) | st.sampled_from(
    ["NO", "null", "1", "=", "<<"]
)
_VALUES: st.SearchStrategy[Plain] = st.recursive(
    st.none() | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_WORDS, _VALUES, max_size=4))
def test_whatever_yaml_writes_is_read_back(value: dict[str, Plain]) -> None:
    """Text, lists, keys and nothing survive writing by PyYAML and reading by us."""
    assert read_yaml(yaml.safe_dump(value, allow_unicode=True), "f.yaml").plain() == value
