"""The lines between the access points of a network, as an exercise cuts and restores them, country by country."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.definition_files import suggestion
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.model import AccessPointEntry
from eessi_sim.simulation.control import NodeReader
from eessi_sim.storage.base import Direction, MessageKind


@dataclass(frozen=True, slots=True)
class Lines:
    """Cuts and restores the line of one country to all others.

    Args:
        points: the access points of the network.
        switch: sets the line of one of them; True is up.
        is_up: asks for the line of one of them.
        readers: tell what waits at each of them.
    """

    points: Sequence[AccessPointEntry]
    switch: Callable[[InstitutionId, bool], Awaitable[None]]
    is_up: Callable[[InstitutionId], Awaitable[bool]]
    readers: Mapping[InstitutionId, NodeReader]

    async def cut(self, country: str) -> frozenset[InstitutionId]:
        """Cut the line of a country and return the institutions behind it; they still reach their access point.

        Raises:
            DefinitionError: the network has no line to this country.
        """
        point = point_of(country, self.points)
        await self.switch(point.id, False)  # noqa: FBT003 - the line is up or not
        return frozenset(point.linked)

    async def restore(self, country: str) -> frozenset[InstitutionId]:
        """Restore the line of a country; result and errors as of ``cut``."""
        point = point_of(country, self.points)
        await self.switch(point.id, True)  # noqa: FBT003 - the line is up or not
        return frozenset(point.linked)

    async def waiting(self) -> dict[InstitutionId, int]:
        """Return how many messages every access point could not bring on yet; those that have none are left out."""
        found: dict[InstitutionId, int] = {}
        for point in self.points:
            views = await self.readers[point.id].messages()
            waiting = [
                view
                for view in views
                if view.direction == Direction.OUT
                and view.kind == MessageKind.USER
                and view.state == OutboundState.RETRY_DUE
            ]
            if waiting:
                found[point.id] = len(waiting)
        return found


def point_of(country: str, points: Sequence[AccessPointEntry]) -> AccessPointEntry:
    """Return the access point of a country.

    Raises:
        DefinitionError: the network has one for all, or none of this country.
    """
    if len(points) < 2:
        raise DefinitionError(
            f"Expected a network with one access point per country, found one for all ({points[0].id})",
            hint='Use a network file with "access_points", such as federated.',
        )
    by_country = {each.country: point for point in points for each in point.linked}
    by_country |= {point.country: point for point in points}
    if country not in by_country:
        raise DefinitionError(
            f'Expected a country with an access point of its own, found "{country}"',
            hint=suggestion(country, by_country),
        )
    return by_country[country]
