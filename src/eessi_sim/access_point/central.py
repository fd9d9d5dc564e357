"""The central service node: keeps the Institution Repository and gives it to the access points.

It hands out the directory in force as the snapshot of ``ir.snapshot``; SYN messages are not its business yet.
"""

from typing import Final

from eessi_sim.gateway.inbox import refused
from eessi_sim.gateway.station import Station
from eessi_sim.gateway.worker import Worker
from eessi_sim.ir import snapshot
from eessi_sim.storage.base import StoredMessage
from eessi_sim.transport.base import Request, Response

DIRECTORY_PATH: Final = "SystemMessaging/v1.0/Directory"
"""Where it answers GET, below its base (our choice, inferred)."""


class CentralNode:
    """The central service node as one object: handle requests, start, stop.

    Args:
        station: its identity and seams.
    """

    busy: Final = False
    """Nothing is ever under way."""

    def __init__(self, station: Station) -> None:
        self._station = station

    @property
    def station(self) -> Station:
        """Identity, seams and limits."""
        return self._station

    @property
    def workers(self) -> dict[str, Worker]:
        """It has no queues."""
        return {}

    def take_up(self, message: StoredMessage) -> None:
        """It keeps no messages."""

    async def handle(self, request: Request) -> Response:
        """Give the directory to an access point."""
        directory = self._station.directory.current
        client = directory.parties_of_tls(request.peer_certificate or b"")
        if not any(directory.find_access_point(party) for party in client):
            return refused(403, "Only access points ask the central service node")
        if not request.path.endswith(DIRECTORY_PATH):
            return refused(404, f"The directory is at {DIRECTORY_PATH}")
        if request.method != "GET":
            return refused(405, "The directory is read by GET")
        return Response(200, {"content-type": "application/json"}, snapshot.write(directory))

    async def start(self) -> None:
        """There is nothing to take up."""

    async def stop(self) -> None:
        """There is nothing to finish."""
