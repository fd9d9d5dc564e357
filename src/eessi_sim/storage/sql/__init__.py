"""Named SQL of the back ends: one folder per dialect with ``queries.sql`` and ``migrations/``.

A query begins with ``-- name: <name>`` and runs to the next name; every dialect has the same
names. What only one database needs stands beside it in ``own.sql``. Python code refers to names only, so that all SQL can be read in one place. Parameters have
names as well; for a database that numbers them they are translated once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

_FOLDER = Path(__file__).resolve().parent
_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)
_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")
"""``:name``, but not the type in ``::text``."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A statement whose parameters are numbered, from ``$1`` on."""

    sql: str
    names: tuple[str, ...]
    """What each number stands for."""

    def values(self, parameters: Mapping[str, Any]) -> tuple[Any, ...]:  # Any: values of columns
        """Return the parameters in the order of their numbers; those that the statement does not use are left out."""
        return tuple(map(parameters.__getitem__, self.names))


@cache
def load_queries(dialect: str, file: str = "queries.sql") -> Mapping[str, str]:
    """Return the statements of a dialect by name; read once per process."""
    text = (_FOLDER / dialect / file).read_text("utf-8")
    _, *parts = _NAME.split(text)
    return MappingProxyType({name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)})


@cache
def load_numbered(dialect: str) -> Mapping[str, Numbered]:
    """Return the statements of a dialect by name, its own ones included, for a database that numbers parameters."""
    queries = {**load_queries(dialect), **load_queries(dialect, "own.sql")}
    return MappingProxyType({name: _numbered(sql) for name, sql in queries.items()})


@cache
def load_migrations(dialect: str) -> tuple[str, ...]:
    """Return the scripts that lead from an empty store to the newest schema, oldest first."""
    return tuple(path.read_text("utf-8") for path in sorted((_FOLDER / dialect / "migrations").glob("*.sql")))


def _numbered(sql: str) -> Numbered:
    names = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
    return Numbered(_PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names)
