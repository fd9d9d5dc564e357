"""What the files say of claims fits the schemas and the samples."""

import dataclasses
from pathlib import Path

import pytest
from tests.helpers import bulk_claims as bulk

from eessi_sim.bulk.columns import Columns
from eessi_sim.bulk.definition import BulkDefinition, require_claims
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.errors import DefinitionError

DEFINED = [each for each in Catalogue.default().definitions() if each.bulk is not None]


def found(definition: SedDefinition) -> BulkDefinition:
    bulk_definition = BulkDefinition.find(definition)
    assert bulk_definition is not None
    return bulk_definition


@pytest.mark.parametrize("definition", DEFINED, ids=lambda one: f"{one.type}-{one.version}")
def test_every_path_leads_somewhere_in_the_sample(definition: SedDefinition) -> None:
    """The file is about its SED; request, totals, numbers, names, repeated fields and amounts stand in the sample."""
    said = found(definition)
    assert said.sed == definition.type
    root = bulk.sample(definition.type)
    assert said.request.first(root) is not None
    assert all(total.path.first(root) is not None for total in said.totals)
    if said.claims is None:
        return
    claims = root.findall(said.claims.path)
    assert claims
    columns = Columns(definition, said.claims)
    assert len(columns.usual) == len(said.claims.columns)
    for path in (said.claims.number, *said.claims.names, *said.claims.ids):
        assert columns.at(path).leaf.path == path
    for repeat in said.claims.repeats:
        assert columns.at(repeat.target).leaf.path == repeat.target
    amounts = said.says.amounts
    for place in (amounts.requested, amounts.accepted, amounts.paid, amounts.currency):
        assert place is None or place.first(claims[0]) is not None


def test_version_may_say_the_same() -> None:
    """A file that names another one says what that says."""
    older = next(each for each in DEFINED if each.version == "4.3")
    newer = next(each for each in DEFINED if each.version == "4.4" and each.type == older.type)
    assert found(older) is found(newer)


def test_sed_without_a_file_says_nothing() -> None:
    """Most SEDs do not speak of claims."""
    assert BulkDefinition.find(bulk.definition("A003")) is None


def test_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    """An unknown status is answered with file and line."""
    text = (
        "sed: A003\nconfidence: inferred\nrequest: .\nsays:\n  others:\n    - {from: [lost], status: open}\n"
    )
    (tmp_path / "A003.bulk.yaml").write_text(text)
    broken = dataclasses.replace(bulk.definition("A003"), xsd=tmp_path / "A003.xsd")
    with pytest.raises(DefinitionError, match="line 6"):
        require_claims(broken)
