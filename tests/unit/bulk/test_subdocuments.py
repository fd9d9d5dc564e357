"""Master and claims go into RINA's JSON form and come back."""

import copy
from typing import Any

import pytest
from tests.helpers import bulk_claims as bulk

from eessi_sim.bulk import subdocuments
from eessi_sim.bulk.document import BulkDocument
from eessi_sim.bulk.subdocuments import Parts
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.codec import Codec
from eessi_sim.errors import SedError


def parts(sed: str = "U020") -> Any:
    return subdocuments.write(bulk.document(sed))


@pytest.mark.parametrize("sed", ["U020", "U023", "U024", "U026", "U027", "U029"])
def test_parts_come_back(sed: str) -> None:
    """What was written in parts is read as the same document."""
    codec = Codec.of(bulk.definition(sed))
    back = subdocuments.read(parts(sed), Catalogue.default())
    assert codec.to_json(back.assemble()) == codec.to_json(bulk.sample(sed))


def test_parts_have_the_names_of_rina() -> None:
    """The master is a _Master without claims, each claim a _Child."""
    found = parts()
    assert list(found.master) == ["U020_Master"]
    assert "IndividualClaims" not in found.master["U020_Master"]
    assert [list(claim["U020_Child"]) for claim in found.claims] == [["IndividualClaim"]] * 3


def test_document_without_claims_has_only_a_master() -> None:
    """There is nothing to take out, and nothing to put in."""
    empty = BulkDocument(bulk.definition("U027"), bulk.document("U027").master, ())
    found = subdocuments.write(empty)
    assert found.claims == ()
    assert subdocuments.read(found, Catalogue.default()).claims == ()


def test_group_that_is_there_is_filled() -> None:
    """A master that keeps the empty group of its claims takes them in."""
    found = parts()
    found.master["U020_Master"]["IndividualClaims"] = {}
    assert len(subdocuments.read(found, Catalogue.default()).claims) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda found: Parts({"U020": {}}, found.claims),
        lambda found: Parts([], found.claims),
        lambda found: Parts(found.master, ({"U023_Child": {"IndividualClaim": {}}},)),
        lambda found: Parts(found.master, ({"U020_Child": {"Other": {}}},)),
        lambda found: Parts(found.master, ({"U020_Child": {}},)),
        lambda found: Parts(found.master, ({"U020_Child": []},)),
    ],
)
def test_part_that_is_none_is_refused(change: Any) -> None:
    """A part of another SED, or something else, is named with what was expected."""
    with pytest.raises(SedError, match="Expected"):
        subdocuments.read(change(copy.deepcopy(parts())), Catalogue.default())


def test_group_with_more_than_claims_stays() -> None:
    """Only the claims are taken out of a group that holds something else."""
    content: Any = {"Group": {"Claim": ["a"], "note": "x"}}
    assert subdocuments._taken(content, ("Group", "Claim")) == ["a"]
    assert content == {"Group": {"note": "x"}}
