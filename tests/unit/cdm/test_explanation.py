"""A finding of the schema has a place, a rule id, a source and a confidence."""

import copy

from lxml import etree
from tests.helpers.definitions import definition, document, odd

from eessi_sim.cdm.explanation import explain
from eessi_sim.cdm.report import Issue
from eessi_sim.cdm.schema import CompiledSchema


def ours(old: str, new: str) -> Issue:
    return CompiledSchema.of(definition("A901")).explain(document(old, new))[0]


def foreign(content: str) -> Issue:
    return CompiledSchema.of(definition("U901")).explain(odd(content))[0]


def test_line_is_that_of_the_element() -> None:
    """The line of the start tag is named."""
    assert ours("Oslo", "O" * 20).line == 13


def test_line_of_a_missing_element_is_that_of_its_parent() -> None:
    """What is not there has the place of the group that lacks it."""
    assert ours("<town>Oslo</town>", "").line == 12


def test_path_counts_siblings() -> None:
    """Where siblings share a name the position is named."""
    issue = ours("<value>PL</value>", "<value>XX</value>")
    assert issue.path == "/A901/Person/nationality/value[2]"


def test_rule_id_is_short_and_without_positions() -> None:
    """SED, group and element make the id, so that it is the same for every document."""
    issue = ours("<value>PL</value>", "<value>XX</value>")
    assert issue.rule == "XSD:A901/nationality/value"


def test_rule_id_of_an_attribute_ends_in_its_name() -> None:
    """Attributes are marked with @."""
    assert ours(' sedVer="4"', "").rule == "XSD:A901/@sedVer"


def test_rule_id_of_a_missing_element_ends_in_its_name() -> None:
    """The element that is missing is the one that the schema demands."""
    assert ours("<town>Oslo</town>", "").rule == "XSD:A901/Address/town"


def test_rule_id_of_an_unknown_element_is_that_of_its_parent() -> None:
    """What the schema does not know has no id of its own."""
    assert ours("<name>", "<x/><name>").rule == "XSD:A901/Person"


def test_source_is_that_of_the_nearest_component() -> None:
    """The code list names its source, and that is nearer than the person's."""
    issue = ours("<value>PL</value>", "<value>XX</value>")
    assert (issue.source, issue.confidence) == ("ISO 3166-1", "documented")


def test_confidence_without_source_takes_the_source_of_its_type() -> None:
    """An element may state its confidence only; the source is then that of the type."""
    issue = ours("Oslo", "O" * 20)
    assert (issue.source, issue.confidence) == ("a form", "documented")


def test_component_without_mark_inherits_from_the_sed() -> None:
    """What is not marked has the confidence and the source of the SED."""
    issue = ours("<amount>12.50</amount>", "<Note><x/></Note>")
    assert (issue.source, issue.confidence) == ("the tests", "observed")


def test_schema_without_marks_has_no_source() -> None:
    """A foreign schema states no source."""
    assert foreign("<number>1</number>").source is None


def test_sed_inside_an_envelope_keeps_the_whole_path() -> None:
    """The path leads through the document as it was given; id and source are those of the SED."""
    envelope = document()
    outer = envelope.makeelement("envelope")
    outer.append(document("<value>PL</value>", "<value>XX</value>"))
    [issue] = CompiledSchema.of(definition("A901")).explain(outer[0])
    assert issue.path == "/envelope/A901/Person/nationality/value[2]"
    assert (issue.rule, issue.source) == ("XSD:A901/nationality/value", "ISO 3166-1")


def test_element_with_very_many_children_is_left_to_libxml2() -> None:
    """Thousands of wrong siblings are not explained one by one, but the document has a finding."""
    a901 = definition("A901")
    root = copy.deepcopy(document("Oslo", "Oslo"))
    for _ in range(5001):
        etree.SubElement(root, "neverHeardOf")
    assert explain(a901, root, 100) == ((), 0)
    assert CompiledSchema.of(a901).findings(root).issues[0].code == "schema"
