"""The schemas hold everything that the collected facts name; the collection is not part of the project."""

import pytest
from tests.helpers.reference import needs_reference, paths_of, sed_names

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.dictionary import rows
from eessi_sim.identifiers import CdmVersion, SedType

CATALOGUE = Catalogue.default()
NEWEST = CdmVersion("4.4")

# The employer of the unemployment SEDs is the shared one, whose number has the shared names: shared types win.
SHARED_INSTEAD = (
    "Employer/IdentificationNumbers/IdentificationNumber/identificationNumber",
    "Employer/IdentificationNumbers/IdentificationNumber/typeIdentificationNumber",
)


@needs_reference
def test_collection_has_all_seds_in_scope() -> None:
    """A collection that cannot be read would make the other test pass."""
    assert len(sed_names()) >= 120


@pytest.mark.parametrize("sed", sed_names())
def test_every_path_of_the_reference_exists(sed: str) -> None:
    """Each field that the facts name stands in the schema, at the same path."""
    known = {row.path for row in rows(CATALOGUE.get(SedType(sed), NEWEST))}
    missing = [path for path in paths_of(sed) if path not in known and not path.endswith(SHARED_INSTEAD)]
    assert missing == []
