"""A PostgreSQL server as the store sees it: where it is, connections to it, its errors in our words.

Every wait is bounded. Nothing here knows a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import asyncpg

from eessi_sim.errors import SettingsError, Unavailable

CONNECT_SECONDS: Final = 5.0
STATEMENT_SECONDS: Final = 30.0
"""After this long a statement, or a wait for a free connection, is given up."""
_LOCK_SECONDS: Final = 10
_IDLE_SECONDS: Final = 30
"""A process that stops in the middle of a transaction holds up the others no longer than this."""
# All of these are our choice, inferred.
_PLANS: Final = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
"""Every statement of ours finds its rows by an index. A plan made while a table is small would read all of it, and be
kept while the table grows (PostgreSQL manual, Planner Method Configuration)."""

FOREIGN_ERRORS: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # for an answer that breaks off, among others
    OSError,
    TimeoutError,
)
"""What the driver raises. A value that no database can hold is an InterfaceError as well."""
LOST: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""After one of these nobody knows what the server did."""

_START_IT: Final = "Start the server, or correct host and port in the URL."
_CAUSES: Final = {
    "08": ("the connection is lost", "Wait until the server is up again; the store connects by itself."),
    "22": ("a value cannot be stored", None),
    "25": ("the database is read-only", "Name the server that takes writes."),
    "28": ("it refuses this user", "Correct user and password in the URL."),
    "3D": ("there is no such database", "Make it with createdb, or name another one in the URL."),
    "40": ("the transaction met too many others", "Try again."),
    "42": ("a statement is refused", "Give the user of the URL all rights on the schema of the store."),
    "53": ("the server has no room left", "Free disk space or connections of the server, and try again."),
    "55": ("another process holds what is wanted", "Try again; look for a transaction that does not end."),
    "57": ("the server is stopping or starting", "Wait until it is up; the store connects by itself."),
}
"""By the first two letters of SQLSTATE (PostgreSQL manual, appendix A)."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is."""

    dsn: str
    """For the driver; holds the password, so it is never shown."""
    name: str
    """For people: without user and password."""
    schema: str
    connections: int
    """At most so many for reading; two more write and listen."""
    spool: str | None = None
    """Where this process makes its folder for large octets; None where temporary files usually are."""

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read ``postgresql://user:password@host:port/database?schema=eessi_sim&connections=4``.

        Further options after the question mark are those of the driver: ``host`` for a folder with a
        socket, ``sslmode`` and so on.

        Raises:
            SettingsError: the URL names no database, or an option has a wrong value.
        """
        parts = urlsplit(url)
        database = parts.path.strip("/")
        if not database or not url.startswith("postgresql://"):
            raise SettingsError(
                f'Expected a URL such as "postgresql://user@host/database", found "{_shown(url)}"',
                hint="Name a database; its tables lie in the schema that ?schema= names, eessi_sim by default.",
            )
        options = dict(parse_qsl(parts.query))
        schema = options.pop("schema", "eessi_sim")
        if not schema.replace("_", "a").isalnum() or not schema.isascii() or schema != schema.lower():
            raise SettingsError(
                f'Expected a schema of small letters, digits and _ in the URL, found "{schema}"',
                hint="Write ?schema=eessi_sim, for example.",
            )
        connections = options.pop("connections", "4")
        if not connections.isdecimal() or not 1 <= int(connections) <= 100:
            raise SettingsError(
                f'Expected a number of connections from 1 to 100 in the URL, found "{connections}"',
                hint="Write ?connections=4, or leave it out.",
            )
        spool = options.pop("spool", None)
        dsn = urlunsplit(parts._replace(query=urlencode(options, quote_via=quote)))
        return cls(dsn, f"{_shown(url)} ({schema})", schema, int(connections), spool)

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Return a connection of its own, not one of a pool.

        Raises:
            Unavailable: the server cannot be reached or refuses us.
        """
        with self.own_errors():
            return await asyncpg.connect(self.dsn, **self._settings())

    def pool(self, size: int) -> "asyncpg.Pool[asyncpg.Record]":
        """Return a pool that connects when it must, and again after a connection was lost."""
        return asyncpg.create_pool(
            self.dsn,
            min_size=0,
            max_size=size,
            reset=_leave_as_it_is,
            max_inactive_connection_lifetime=60.0,
            **self._settings(),
        )

    def _settings(self) -> dict[str, Any]:  # Any: keyword arguments of the driver
        return {
            "timeout": CONNECT_SECONDS,
            "command_timeout": STATEMENT_SECONDS,
            "server_settings": {
                "application_name": f"eessi-sim {self.schema}",
                "search_path": self.schema,
                **_PLANS,
                "lock_timeout": f"{_LOCK_SECONDS}s",
                "idle_in_transaction_session_timeout": f"{_IDLE_SECONDS}s",
            },
        }

    def unavailable(self, error: Exception) -> Unavailable:
        """Return our error for an error of the driver."""
        state = _state_of(error)
        cause, hint = _CAUSES.get(state[:2], (f"{error}".strip() or type(error).__name__, _START_IT))
        if state[:2] in ("22", "42", "40"):
            cause = f"{cause}: {error}"
        return Unavailable(f'Cannot use the store "{self.name}": {cause}', hint=hint, store=self.name)

    @contextmanager
    def own_errors(self) -> Iterator[None]:
        """Turn errors of the driver into ours.

        Raises:
            Unavailable: whatever went wrong.
        """
        try:
            yield
        except FOREIGN_ERRORS as error:
            raise self.unavailable(error) from error


def cut(connection: Any) -> None:  # Any: a connection, or the proxy that a pool lent
    """End a connection that is of no use any more; it may be gone already."""
    with suppress(asyncpg.InterfaceError):
        connection.terminate()


def is_lost(connection: Any) -> bool:  # Any: as ``cut``
    """Return whether a connection is gone; the pool takes back the proxy of one that is."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


def _state_of(error: Exception) -> str:
    """Return SQLSTATE, also for what the driver finds out without the server."""
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return "22000" if isinstance(error, ValueError) else "08000"
    return getattr(error, "sqlstate", None) or ""


async def _leave_as_it_is(connection: object) -> None:
    """Do nothing when a connection goes back: no session state is ever changed, and asking would cost a round trip."""


def _shown(url: str) -> str:
    parts = urlsplit(url)
    options = {name: value for name, value in parse_qsl(parts.query) if name == "host"}
    place = parts.netloc.rpartition("@")[2]
    return (
        urlunsplit(("postgresql", place, parts.path, urlencode(options, safe="/"), ""))
        if place or options
        else (f"{parts.scheme}:{'//' if parts.netloc or url.count('//') else ''}{parts.path}")
    )
