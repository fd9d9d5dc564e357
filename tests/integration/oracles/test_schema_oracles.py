"""The verdict of our schemas, compared with xmllint and with xmlschema, on valid and on broken documents."""

import copy
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from lxml import etree
from tests.helpers.optional import require_program

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.xmlsafe import Element

DEFINITIONS = Catalogue.default().definitions()
every_sed = pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: f"{one.type}-{one.version}")
# What works here are the libraries; our part is measured by its own tests.
pytestmark = [pytest.mark.oracle, pytest.mark.no_cover]


@cache
def sample(definition: SedDefinition) -> Element:
    assert definition.sample is not None
    return xmlsafe.parse(definition.sample.read_bytes())


def broken(root: Element) -> Iterator[tuple[str, Element]]:
    """Yield documents that no schema of ours may accept."""
    for name, change in (
        ("unknown element", lambda one: one.append(etree.Element("neverHeardOf"))),
        ("no children", lambda one: [one.remove(child) for child in list(one)]),
        ("wrong version", lambda one: one.set("sedVer", "7")),
        ("no version", lambda one: one.attrib.pop("sedGVer")),
        ("repeated", lambda one: one.insert(0, copy.deepcopy(one[-1]))),
        ("text between", lambda one: setattr(one, "text", "text")),
        ("empty leaf", _empty_leaf),
        ("attribute", lambda one: one[0].set("surprise", "1")),
    ):
        document = copy.deepcopy(root)
        change(document)
        yield name, document


def _empty_leaf(root: Element) -> None:
    leaf = next(each for each in root.iter() if len(each) == 0 and (each.text or "").strip())
    leaf.text = None


def documents(definition: SedDefinition) -> Iterator[tuple[str, Element]]:
    yield "sample", sample(definition)
    yield from broken(sample(definition))


@every_sed
def test_only_the_sample_fits(definition: SedDefinition) -> None:
    """Our verdict: the sample fits its schema, none of the broken documents does."""
    schema = CompiledSchema.of(definition)
    verdicts = {name: schema.verdict(document) for name, document in documents(definition)}
    assert [name for name, fits in verdicts.items() if fits] == ["sample"]


@every_sed
def test_xmllint_agrees(definition: SedDefinition, tmp_path: Path) -> None:
    """xmllint accepts the sample and refuses every broken document."""
    names = {}
    for number, (name, document) in enumerate(documents(definition)):
        path = tmp_path / f"{number}.xml"
        path.write_bytes(etree.tostring(document))
        names[str(path)] = name
    command = [require_program("xmllint"), "--noout", "--nonet", "--schema", str(definition.xsd), *names]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    accepted = [name for path, name in names.items() if f"{path} validates" in found.stderr]
    refused = [name for path, name in names.items() if f"{path} fails to validate" in found.stderr]
    assert accepted == ["sample"]
    assert len(refused) == len(names) - 1


@pytest.fixture(scope="module")
def meta_schema() -> Iterator[None]:
    """The schema of schemas, which judges every file once: shared ones would be read anew for each SED that includes them."""
    assert xmlschema.XMLSchema.meta_schema is not None
    meta = type(xmlschema.XMLSchema.meta_schema)
    judge, judged = meta.iter_errors, dict[bytes, list[object]]()

    def once(self: Any, root: Any, **how: Any) -> Iterator[object]:  # Any: as the library has it
        key = ET.tostring(root)
        if key not in judged:
            judged[key] = list(judge(self, root, **how))
        yield from judged[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(meta, "iter_errors", once)
        yield


@every_sed
@pytest.mark.usefixtures("meta_schema")
def test_xmlschema_agrees(definition: SedDefinition) -> None:
    """xmlschema compiles the same schema, accepts the sample and refuses every broken document."""
    schema = xmlschema.XMLSchema(str(definition.xsd))
    assert [name for name, document in documents(definition) if schema.is_valid(document)] == ["sample"]
