"""The compiled schema: verdict and findings."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.definitions import FOLDER, definition, document, odd, sample

from eessi_sim import xmlsafe
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.errors import DefinitionError
from eessi_sim.xmlsafe import Element

SCHEMA = CompiledSchema.of(definition("A901"))
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def schema_with(folder: Path, old: str, new: str) -> CompiledSchema:
    """A901 with a changed schema, in a folder of its own."""
    text = (FOLDER / "4.4/U/U901.xsd").read_text().replace(old, new)
    xsd = folder / "4.4" / "U" / "U901.xsd"
    xsd.parent.mkdir(parents=True)
    xsd.write_text(text)
    return CompiledSchema(replace(definition("U901"), xsd=xsd, root=folder))


def two_countries() -> Element:
    return document("<value>NO</value>\n      <value>PL</value>", "<value>XX</value><value>YY</value>")


def test_sample_is_valid() -> None:
    """The verdict on a document that fits is True."""
    assert SCHEMA.verdict(document())


def test_unknown_element_is_invalid() -> None:
    """The verdict on a document that does not fit is False."""
    assert not SCHEMA.verdict(document("<name>", "<x/><name>"))


def test_verdict_leaves_the_document_alone() -> None:
    """Validation adds no default attributes and nothing else."""
    root = document()
    before = xmlsafe.serialize(root)
    SCHEMA.verdict(root)
    assert xmlsafe.serialize(root) == before


def test_sed_inside_an_envelope_is_judged_alone() -> None:
    """The element counts, not what surrounds it."""
    envelope = xmlsafe.parse(b"<envelope/>")
    envelope.append(document())
    assert SCHEMA.verdict(envelope[0])


def test_location_hints_of_a_document_are_not_followed() -> None:
    """A document cannot name its own schema."""
    root = document("<sed:A901", f'<sed:A901 {XSI} xsi:schemaLocation="urn:x http://localhost:9/x.xsd"')
    assert SCHEMA.verdict(root)


def test_schema_is_compiled_once() -> None:
    """Two requests for one definition give the same compiled schema."""
    assert CompiledSchema.of(definition("A901")) is SCHEMA


def test_valid_document_has_no_findings() -> None:
    """There is nothing to explain about a document that fits."""
    assert SCHEMA.explain(document()) == ()


def test_invalid_document_is_explained() -> None:
    """Every fault is one finding."""
    codes = [issue.code for issue in SCHEMA.explain(two_countries())]
    assert codes == ["value-not-in-code-list", "value-not-in-code-list"]


def test_findings_are_capped_and_counted() -> None:
    """Findings beyond the limit are counted only."""
    findings = SCHEMA.findings(two_countries(), max_issues=1)
    assert (len(findings.issues), findings.capped) == (1, 1)


def test_hundred_findings_are_enough() -> None:
    """A document with a thousand faults is reported with a hundred, the others are counted up to a limit."""
    root = document("<value>NO</value>", "<value>XX</value>" * 1200)
    findings = SCHEMA.findings(root)
    assert (len(findings.issues), findings.capped) == (100, 900)


def test_unknown_xsi_type_is_told_in_the_words_of_libxml2() -> None:
    """Where the explaining library gives up, the message of the judging one is shown."""
    root = document("<name>", f'<name {XSI} xsi:type="nothing">')
    [issue] = SCHEMA.explain(root)
    assert (issue.code, issue.line, issue.rule) == ("schema", 4, "XSD:A901")
    assert "xsi:type" in issue.message


def test_document_nested_as_deep_as_possible_is_still_explained() -> None:
    """Two hundred levels of nesting end in a finding, not in a crash."""
    deep = "<Part><label/>" * 240 + "<x/>" + "</Part>" * 240
    issues = CompiledSchema.of(definition("U901")).explain(odd(deep))
    assert issues


def test_fallback_findings_are_capped_too() -> None:
    """The messages of libxml2 obey the same limit."""
    bad_type = f'<name {XSI} xsi:type="nothing">Ada</name>'
    root = document("<name>Ada</name>", bad_type + "<value>XX</value>" * 2)
    assert len(SCHEMA.findings(root, max_issues=1).issues) == 1


def test_schema_that_does_not_compile_is_a_definition_error(tmp_path: Path) -> None:
    """A broken schema names its file."""
    with pytest.raises(DefinitionError, match=r"U901\.xsd"):
        schema_with(tmp_path, 'type="u901:Part"', 'type="u901:Nothing"')


def test_schema_file_must_exist(tmp_path: Path) -> None:
    """A missing schema is a definition error as well."""
    missing = replace(definition("U901"), xsd=tmp_path / "U901.xsd", root=tmp_path)
    with pytest.raises(DefinitionError, match="readable"):
        CompiledSchema(missing)


def test_schema_cannot_reach_the_network(tmp_path: Path) -> None:
    """An include with a web address is refused and named."""
    with pytest.raises(DefinitionError, match=r'"http://localhost:9/types\.xsd" that U901\.xsd wants'):
        schema_with(tmp_path, "../types.xsd", "http://localhost:9/types.xsd")


def test_schema_cannot_read_outside_its_folder(tmp_path: Path) -> None:
    """An include that leaves the folder of definitions is refused."""
    (tmp_path / "types.xsd").write_text("secret")
    inside = tmp_path / "inside"
    with pytest.raises(DefinitionError, match="one outside the folder"):
        schema_with(inside, "../types.xsd", "../../../types.xsd")


def test_schema_may_read_files_of_its_folder() -> None:
    """Types and code lists one folder up and the envelopes beside are read."""
    assert CompiledSchema(definition("A901")).verdict(xmlsafe.parse(sample()))
