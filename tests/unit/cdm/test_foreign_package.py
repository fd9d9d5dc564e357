"""Schemas of others work alone: recognition, validation, JSON form, dictionary, rules and samples."""

from pathlib import Path

import pytest
from tests.helpers.packages import FILES, NS_A001, NS_P2000, change, write_package

from eessi_sim import xmlsafe
from eessi_sim.cdm import dictionary
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import DefinitionError, NotASed, SedError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

A001 = FILES["la/A001-4.4.sample.xml"]
P2000 = FILES["pensions/schemas/P2000-4.2.sample.xml"]


@pytest.fixture(name="catalogue", scope="module")
def _catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return Catalogue([write_package(tmp_path_factory.mktemp("package"))])


def of(catalogue: Catalogue, sed: str) -> SedDefinition:
    return catalogue.get(SedType(sed), {"A001": CdmVersion("4.4"), "P2000": CdmVersion("4.2")}[sed])


def parsed(text: str) -> Element:
    return xmlsafe.parse(text.encode())


def content(root: Element) -> list[tuple[object, str, dict[str, str]]]:
    """Names, texts and attributes; prefixes and white space between elements are no content."""
    return [(each.tag, (each.text or "").strip(), dict(each.attrib)) for each in root.iter()]  # type: ignore[arg-type]


def findings(catalogue: Catalogue, text: str) -> list[tuple[str, str]]:
    _, report = Validator(catalogue).validate_bytes(text.encode())
    return [(issue.code, issue.path) for issue in report.issues]


def test_namespace_is_what_the_schema_states(catalogue: Catalogue) -> None:
    """The target namespace counts, whatever it looks like."""
    assert (of(catalogue, "A001").namespace, of(catalogue, "P2000").namespace) == (NS_A001, NS_P2000)


@pytest.mark.parametrize(("sed", "text"), [("A001", A001), ("P2000", P2000)])
def test_sed_is_recognised_by_its_schema(catalogue: Catalogue, sed: str, text: str) -> None:
    """Type and version come from the schema that defines such a root."""
    found = catalogue.identify(parsed(text))
    assert (found.type, found.version) == (sed, of(catalogue, sed).version)


def test_name_of_a_sed_in_a_strange_namespace_is_explained(catalogue: Catalogue) -> None:
    """The namespaces that the schemas give to this name are listed."""
    with pytest.raises(NotASed) as caught:
        catalogue.identify(parsed(P2000.replace(NS_P2000, "urn:else")))
    assert caught.value.hint == f'Known here: "{NS_P2000}".'


def test_root_that_nobody_defines_is_no_sed(catalogue: Catalogue) -> None:
    """The hint about namespaces of SEDs in general remains."""
    with pytest.raises(NotASed, match="namespace like"):
        catalogue.identify(parsed("<Invoice/>"))


def test_version_in_the_document_decides_between_schemas_of_one_namespace(tmp_path: Path) -> None:
    """Packages whose namespace has no version tell it by the attributes; without them the newest counts."""
    write_package(tmp_path)
    change(tmp_path, "P2000-4.3.xsd", "", "", FILES["pensions/schemas/P2000-4.2.xsd"])
    both = Catalogue([tmp_path])
    stated, silent = parsed(P2000), parsed(P2000.replace('sedVer="2"', ""))
    assert [both.identify(each).version for each in (stated, silent)] == ["4.2", "4.3"]


def test_schema_wins_over_what_its_namespace_looks_like(tmp_path: Path) -> None:
    """A file for 4.3 may have the namespace of 4.4; then documents of that namespace are of 4.3."""
    change(tmp_path, "P2000-4.3.xsd", NS_P2000, NS_A001.replace("A001", "P2000"), FILES[PENSION])
    document = parsed(P2000.replace(NS_P2000, NS_A001.replace("A001", "P2000")))
    assert Catalogue([tmp_path]).identify(document).version == "4.3"


PENSION = "pensions/schemas/P2000-4.2.xsd"


def test_namespace_of_an_unknown_version_still_says_what_it_is(catalogue: Catalogue) -> None:
    """A SED named in our way, which nobody defines, is recognised; the validator says what is defined."""
    document = parsed('<a:A001 xmlns:a="http://ec.europa.eu/eessi/ns/4_3/A001"/>')
    assert catalogue.identify(document).version == "4.3"


@pytest.mark.parametrize("text", [A001, P2000])
def test_samples_are_valid(catalogue: Catalogue, text: str) -> None:
    """Local elements with and without namespace, extensions, groups, xs:all and attributes are all understood."""
    assert findings(catalogue, text) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "code", "path"),
    [
        (A001, "<value>PL", "<value>XX", "value-not-in-code-list", "/A001/Person/nationality/value"),
        (A001, "<employer>Fabryka</employer>", "", "element-missing", "/A001/Person/employer"),
        (A001, "<urgent>true", "<urgent>maybe", "value-type", "/A001/Options/urgent"),
        (A001, ' code="W"', ' kode="W"', "attribute-unexpected", "/A001/Person/@kode"),
        (P2000, "2026-01-31", "soon", "date-invalid", "/P2000/Claim/date"),
    ],
)
def test_faults_are_explained(
    catalogue: Catalogue, text: str, old: str, new: str, code: str, path: str
) -> None:
    """Findings in documents of foreign schemas have the same codes and places as in ours."""
    assert findings(catalogue, text.replace(old, new)) == [(code, path)]


def test_rules_beside_the_schema_run(catalogue: Catalogue) -> None:
    """Rules are found by the name of the schema, version included."""
    assert [code for code, _ in findings(catalogue, A001.replace("EUR", "PLN"))] == ["business-rule"]


@pytest.mark.parametrize(("sed", "text"), [("A001", A001), ("P2000", P2000)])
def test_json_form_holds_the_whole_document(catalogue: Catalogue, sed: str, text: str) -> None:
    """XML to JSON and back gives the same document."""
    codec = Codec.of(of(catalogue, sed))
    back = codec.to_xml(codec.to_json(parsed(text)))
    assert content(back) == content(parsed(text))


def test_text_with_attributes_is_an_object_in_json(catalogue: Catalogue) -> None:
    """The text stands under "value", the attributes beside it."""
    document = Codec.of(of(catalogue, "A001")).to_json(parsed(A001))
    assert document["A001"]["fee"] == [{"value": "12.50", "currency": "EUR"}]  # type: ignore[index, call-overload] # JSON


@pytest.mark.parametrize(("fee", "text"), [({"currency": "EUR"}, None), ("1", "1")])
def test_text_with_attributes_may_miss_either(
    catalogue: Catalogue, fee: dict[str, str] | str, text: str | None
) -> None:
    """What is missing is left to the schema to complain about."""
    root = Codec.of(of(catalogue, "A001")).to_xml({"A001": {"fee": [fee]}})
    assert (root[0].text or None) == text


def test_wrong_text_beside_attributes_is_refused(catalogue: Catalogue) -> None:
    """A number in place of the text is told with its place."""
    with pytest.raises(SedError) as caught:
        Codec.of(of(catalogue, "A001")).to_xml({"A001": {"fee": [{"value": 1}]}})
    assert caught.value.context["path"] == "$.A001.fee[0].value"


def test_dictionary_lists_attributes_of_leaves(catalogue: Catalogue) -> None:
    """An attribute of a text is a row of its own."""
    rows = {row.path: (row.type, row.occurrence) for row in dictionary.rows(of(catalogue, "A001"))}
    assert rows["fee"] == ("decimal", "0..2")
    assert rows["fee/@currency"] == ("text", "1")


def test_dictionary_lists_branches_of_a_choice_as_optional(catalogue: Catalogue) -> None:
    """Schemas without annotations still give a dictionary."""
    rows = [(row.path, row.occurrence) for row in dictionary.rows(of(catalogue, "P2000"))]
    assert rows[-2:] == [("Claim/date", "0..1"), ("Claim/unknown", "0..1")]


def test_broken_package_is_told_before_the_dictionary_is_made(tmp_path: Path) -> None:
    """The dictionary needs no less checking than the validator."""
    write_package(tmp_path)
    change(tmp_path, "common/types-4.4.xsd", "basic-4.4.xsd", "/etc/passwd")
    with pytest.raises(DefinitionError, match="outside the folder"):
        dictionary.rows(of(Catalogue([tmp_path]), "A001"))


def test_json_form_without_version_is_that_of_the_newest_schema_without_one(tmp_path: Path) -> None:
    """Where the root has no attributes for it, the JSON form cannot state its version."""
    for version in ("4.1", "4.2"):
        schema = FILES[PENSION].replace('<xs:attribute name="sedGVer" type="xs:string"/>', "")
        change(tmp_path, f"P2000-{version}.xsd", "", "", schema)
    text = '{"P2000": {"Claim": {"date": "2026-01-31"}}}'
    sed, report = Validator(Catalogue([tmp_path])).validate_bytes(text.encode())
    assert (sed and sed.version, report.issues) == ("4.2", ())


@pytest.mark.parametrize("text", ['{"P2000": {}}', "[]"])
def test_json_form_must_state_its_version_where_it_can(catalogue: Catalogue, text: str) -> None:
    """Nobody guesses a version that the schema has a place for."""
    [issue] = Validator(catalogue).validate_bytes(text.encode())[1].issues
    assert "sedGVer" in str(issue.hint)


def test_schema_without_namespace_works(tmp_path: Path) -> None:
    """A SED may have no namespace at all; its JSON form comes back without one."""
    schema = FILES[PENSION].replace(f'targetNamespace="{NS_P2000}"', "")
    change(tmp_path, "P2000-4.2.xsd", "", "", schema)
    catalogue, text = Catalogue([tmp_path]), P2000.replace(f' xmlns="{NS_P2000}"', "")
    codec = Codec.of(of(catalogue, "P2000"))
    assert findings(catalogue, text) == []
    assert content(codec.to_xml(codec.to_json(parsed(text)))) == content(parsed(text))
