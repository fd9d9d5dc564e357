"""A SED that does not arrive ends the benchmark: its figures would be wrong."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eessi_sim.benchmark.endtoend import Lost, run
from eessi_sim.benchmark.network import BenchNetwork, plan
from eessi_sim.identifiers import SedType
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, load_library, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.storage.memory import MemoryStorage


def without_tls(directory: InstitutionRepository) -> InstitutionRepository:
    """Return a directory that lists no TLS certificate of an institution, so that nobody may hand in anything."""
    institutions = tuple(
        replace(each, certificates=replace(each.certificates, tls=())) for each in directory.institutions
    )
    return replace(directory, institutions=institutions)


async def test_refused_sed_ends_the_run() -> None:
    """When the access point refuses the first SED the run ends with an error that says why."""
    library, at = load_library(), datetime.now(UTC)
    route = plan(SedType("A003"), load_definition(), library, at)
    credentials = Credentials.make(parties_of(route.network), now=at, algorithm=KeyAlgorithm.P_256)
    async with BenchNetwork(route, library, credentials=credentials, storage=MemoryStorage()) as network:
        directory = network.access_point.station.directory
        directory.current = without_tls(directory.current)
        with pytest.raises(Lost, match="403"):
            await run(network, "memory", messages=1, seconds=30.0)
