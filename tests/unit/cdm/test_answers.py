"""An answer takes from the documents of the case what they have in common."""

from pathlib import Path

import pytest
from tests.helpers.definitions import A901, U901, definition, document, odd, yaml_file

from eessi_sim import xmlsafe
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element

ANSWER = Answer.load(definition("A901").answer)
OTHER = document("Ada", "Eva")


def text(root: Element, path: str) -> str:
    return xmlsafe.text_of(root.find(path))


def answer(folder: Path, body: str) -> Answer:
    return Answer.load(yaml_file(folder, f"sed: A901\n{body}", "A901.answer.yaml"))


def test_person_comes_from_the_document_of_the_case() -> None:
    """The person of the source replaces the one of the sample."""
    assert text(ANSWER.compose(document(), {A901: [OTHER]}), "Person/name") == "Eva"


def test_composed_document_is_valid() -> None:
    """Content moves without harm to the schema."""
    assert CompiledSchema.of(definition("A901")).verdict(ANSWER.compose(document(), {A901: [OTHER]}))


def test_first_source_that_has_it_wins() -> None:
    """The order of preference decides; a source that lacks the part is passed over."""
    sources = {U901: [odd("<town>Bergen</town>")], A901: [OTHER]}
    assert text(ANSWER.compose(document(), sources), "Person/name") == "Eva"


def test_newest_document_that_has_it_wins() -> None:
    """Documents of one type are given newest first; one that lacks the part is passed over."""
    sources = {A901: [odd(), OTHER, document()]}
    assert text(ANSWER.compose(document(), sources), "Person/name") == "Eva"


def test_part_of_a_named_source_comes_from_that_source_only() -> None:
    """A copy may name its source."""
    sources = {U901: [odd("<town>Bergen</town>")], A901: [OTHER]}
    assert text(ANSWER.compose(document(), sources), "Addresses/Address/town") == "Bergen"


def test_part_that_no_source_has_stays() -> None:
    """The sample speaks where the case is silent."""
    assert text(ANSWER.compose(document(), {}), "Addresses/Address/town") == "Oslo"


def test_part_that_no_source_has_may_be_removed() -> None:
    """What the case does not say can be left out."""
    assert ANSWER.compose(document(), {}).find("amount") is None


def test_fact_of_the_step_fills_a_leaf(tmp_path: Path) -> None:
    """What the case knows stands where the file says."""
    filled = answer(tmp_path, "fill: [{fact: today, to: Person/birthDate}]")
    root = filled.compose(document(), {}, {"today": "2026-03-02"})
    assert text(root, "Person/birthDate") == "2026-03-02"


def test_leaf_without_its_fact_stays(tmp_path: Path) -> None:
    """A fact that nobody knows changes nothing."""
    filled = answer(tmp_path, "fill: [{fact: today, to: Person/birthDate}]")
    assert text(filled.compose(document(), {}), "Person/birthDate") == "1980-02-29"


def test_part_inside_a_copied_part_is_still_found(tmp_path: Path) -> None:
    """A later line may refine what an earlier one brought."""
    refined = answer(
        tmp_path,
        "copy: [{from: Person, to: Person}, {from: town, to: Person/name}]\n"
        "fill: [{fact: today, to: Person/birthDate}]",
    )
    sources = {A901: [OTHER], U901: [odd("<town>Bergen</town>")]}
    root = refined.compose(document(), sources, {"today": "2026-03-02"})
    assert (text(root, "Person/name"), text(root, "Person/birthDate")) == ("Bergen", "2026-03-02")


def test_fixed_values_are_set() -> None:
    """Values of the file replace those of the sample."""
    assert text(ANSWER.compose(document(), {}), "Period/FixedPeriod/endDate") == "2027-06-30"


def test_attributes_are_copied_with_the_content(tmp_path: Path) -> None:
    """Content and attributes replace those of the target; what follows it stays."""
    plain = answer(tmp_path, "copy: [{from: Part, to: Part}]")
    source, template = odd('<Part weight="2"><label>a</label></Part>'), odd('<Part weight="1"/>tail')
    part = plain.compose(template, {U901: [source]})[0]
    assert xmlsafe.exclusive_c14n(part) == b'<Part weight="2"><label>a</label></Part>'


def test_template_and_sources_stay_as_they_are() -> None:
    """Composing changes a copy."""
    template, source = document(), document("Ada", "Eva")
    ANSWER.compose(template, {A901: [source]})
    assert text(template, "Person/name") == "Ada"
    assert len(source) == len(OTHER)


def test_without_preference_every_document_is_a_source(tmp_path: Path) -> None:
    """The list of sources is optional."""
    plain = answer(tmp_path, "copy: [{from: Person, to: Person}]")
    assert text(plain.compose(document(), {SedType("A902"): [OTHER]}), "Person/name") == "Eva"


def test_part_removed_with_its_parent_is_no_error(tmp_path: Path) -> None:
    """A part may lie inside another one that goes away, in either order."""
    both = answer(
        tmp_path,
        "copy:\n"
        "  - {from: x, to: Addresses, if_absent: remove}\n"
        "  - {from: x, to: Addresses/Address/town, if_absent: remove}\n"
        "set: [{path: Addresses/Address/town, value: Bergen}]",
    )
    assert both.compose(document(), {}).find("Addresses") is None


def test_root_is_never_removed(tmp_path: Path) -> None:
    """Without its root there is no document."""
    whole = answer(tmp_path, "copy: [{from: x, to: ., if_absent: remove}]")
    assert whole.compose(document(), {}).find("Person") is not None


def test_without_file_the_template_stands_for_itself() -> None:
    """A SED without answer file is answered with its sample."""
    assert xmlsafe.exclusive_c14n(
        Answer.load(None).compose(document(), {A901: [OTHER]})
    ) == xmlsafe.exclusive_c14n(document())


def test_file_is_read_once() -> None:
    """Two requests for one file give the same answer."""
    assert Answer.load(definition("A901").answer) is ANSWER


@pytest.mark.parametrize(
    "body",
    ["copy: [{from: Person, to: Persons}]", "fill: [{fact: x, to: q}]", "set: [{path: q, value: x}]"],
)
def test_part_that_the_sample_lacks_is_an_error(tmp_path: Path, body: str) -> None:
    """A mistyped target names its line."""
    wrong = answer(tmp_path, body)
    with pytest.raises(DefinitionError, match="line 2"):
        wrong.compose(document(), {A901: [OTHER]})


@pytest.mark.parametrize(
    "body",
    ["copy: [{from: Person}]", "answers: [person]", "copy: [{from: a, to: b, if_absent: burn}]", "x: 1"],
)
def test_wrong_file_is_refused(tmp_path: Path, body: str) -> None:
    """Keys, types and words are checked when the file is read."""
    with pytest.raises(DefinitionError):
        answer(tmp_path, body)
