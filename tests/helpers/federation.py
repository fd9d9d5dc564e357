"""Three countries with an access point each, and a central service node, on one event loop."""

from dataclasses import replace
from functools import cache
from typing import Self

from tests.helpers.lab import FK, NAV, ZUS, Lab

from eessi_sim import resources
from eessi_sim.access_point.service import AccessPoint
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import PUSH_PATH, load_definition, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.simulation.inprocess import START, InProcessNetwork
from eessi_sim.storage.base import Storage
from eessi_sim.storage.memory import MemoryStorage

NORWAY = InstitutionId("NO:APNO01")
SWEDEN = InstitutionId("SE:APSE01")
POLAND = InstitutionId("PL:APPL01")
CENTRAL = InstitutionId("EU:CSN01")


@cache
def three_countries(*, over_sweden: bool = False) -> NetworkDefinition:
    """Norway, Sweden and Poland of the network that ships with the program; nobody acts by itself.

    Args:
        over_sweden: whether Norway and Poland are reached through the access point of Sweden only.
    """
    shipped = load_definition(resources.institutions() / "networks" / "federated.yaml")
    via = SWEDEN if over_sweden else None
    points = {NORWAY: via, SWEDEN: None, POLAND: via}
    few = replace(
        shipped,
        access_points=tuple(
            replace(point, via=points[point.id]) for point in shipped.access_points if point.id in points
        ),
        institutions=tuple(replace(each, behaviours=()) for each in shipped.institutions),
    )
    return few.only((NAV, FK, ZUS))


@cache
def credentials() -> Credentials:
    """Keys of the three countries, made once."""
    return Credentials.make(parties_of(three_countries()), now=START, algorithm=KeyAlgorithm.P_256)


class Federation(Lab):
    """A lab with several access points, which try to send for as long as real ones."""

    @classmethod
    def of(cls, definition: NetworkDefinition | None = None, *, storage: Storage | None = None) -> Self:
        """Return a network that is not started yet."""
        storage = storage or MemoryStorage()
        network = InProcessNetwork(
            definition or three_countries(), seed=7, storage=storage, credentials=credentials()
        )
        return cls(network, storage)

    @property
    def point(self) -> AccessPoint:
        return self.point_at(NORWAY)

    def point_at(self, party: InstitutionId) -> AccessPoint:
        node = self.network.nodes[party]
        assert isinstance(node, AccessPoint)
        return node

    def endpoint(self, party: InstitutionId) -> str:
        """Where access points push to."""
        point = self.directory.current.find_access_point(party)
        return point.inbound if point else super().endpoint(party)

    def _base(self, party: InstitutionId) -> str:
        return self.endpoint(party).removesuffix(PUSH_PATH)
