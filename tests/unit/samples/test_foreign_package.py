"""Samples and wrong documents are made from schemas of others alone, without sample, rules or data of ours."""

from pathlib import Path

import pytest
from tests.helpers.packages import write_package

from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.shape import component_model
from eessi_sim.cdm.validation import Validator
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.kit import Kit


@pytest.fixture(name="catalogue", scope="module")
def _catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = write_package(tmp_path_factory.mktemp("package"))
    for path in [*folder.rglob("*.sample.xml"), *folder.rglob("*.rules.yaml")]:
        path.unlink()
    return Catalogue([folder])


@pytest.fixture(params=["A001", "P2000"], name="definition")
def _definition(request: pytest.FixtureRequest, catalogue: Catalogue) -> SedDefinition:
    found = [each for each in catalogue.definitions() if each.type == request.param]
    assert found[0].sample is None
    return found[0]


@pytest.mark.parametrize("dialect", list(Dialect))
def test_documents_of_every_dialect(
    definition: SedDefinition, dialect: Dialect, catalogue: Catalogue
) -> None:
    """Each is valid by libxml2 and xmlschema, is recognised, and survives the JSON form."""
    generator, codec = Generator(definition), Codec.of(definition)
    for seed in range(5):
        root = document(generator, seed, dialect)
        assert list(component_model(definition).iter_errors(root)) == []
        assert Validator(catalogue).validate(catalogue.identify(root)).is_valid
        again = codec.to_xml(codec.to_json(root))
        assert generator.judge.is_right(again)


def test_wrong_documents(definition: SedDefinition, catalogue: Catalogue, tmp_path: Path) -> None:
    """The kit breaks the foreign schema place by place; each document is refused where it says."""
    del tmp_path
    kit = Kit(Generator(definition), 0)
    found = list(kit.documents())
    assert len(found) > 10
    for wrong in found:
        report = Validator(catalogue).validate(catalogue.identify(wrong.root))
        assert [issue.path for issue in report.issues] == [wrong.expected.path], wrong.what
