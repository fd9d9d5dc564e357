"""The line between an access point and the others: it can be cut, so that a country is out of reach for a while.

The institutions of the country still reach their access point; what is for other countries waits there. Only for
exercises: a real line is cut by accident. A restart finds the line up.
"""

from collections.abc import Callable, Mapping

from eessi_sim.errors import ConnectFailed
from eessi_sim.spool import Spool
from eessi_sim.stretch import Extent
from eessi_sim.transport.base import Response, Transport


class Line:
    """A transport that does not reach other access points while it is cut.

    Args:
        transport: what is used while it is up.
        is_far: whether a URL belongs to another access point.
    """

    def __init__(self, transport: Transport, is_far: Callable[[str], bool]) -> None:
        self._transport = transport
        self._is_far = is_far
        self.is_up = True

    async def send(
        self,
        url: str,
        body: Extent,
        *,
        headers: Mapping[str, str],
        within: float,
        method: str = "POST",
        into: Spool | None = None,
    ) -> Response:
        """Bring a request to ``url``; arguments and errors as of ``Transport``.

        Raises:
            ConnectFailed: the line is cut and the URL belongs to another access point.
        """
        if not self.is_up and self._is_far(url):
            raise ConnectFailed(
                f"Expected a line to {url}, found it cut", hint="Wait until it is restored.", url=url
            )
        return await self._transport.send(url, body, headers=headers, within=within, method=method, into=into)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()
