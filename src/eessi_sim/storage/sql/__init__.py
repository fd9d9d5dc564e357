"""Named SQL of the back ends: one folder per dialect with ``queries.sql`` and ``migrations/``.

A query begins with ``-- name: <name>`` and runs to the next name; every dialect has the same
names. Python code refers to names only, so that all SQL can be read in one place.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).resolve().parent
_NAME = re.compile(r"^-- name: ([a-z_]+)\n", re.MULTILINE)


@cache
def load_queries(dialect: str) -> Mapping[str, str]:
    """Return the statements of a dialect by name; read once per process."""
    text = (_FOLDER / dialect / "queries.sql").read_text("utf-8")
    _, *parts = _NAME.split(text)
    return MappingProxyType({name: sql.strip() for name, sql in zip(parts[::2], parts[1::2], strict=True)})


@cache
def load_migrations(dialect: str) -> tuple[str, ...]:
    """Return the scripts that lead from an empty store to the newest schema, oldest first."""
    return tuple(path.read_text("utf-8") for path in sorted((_FOLDER / dialect / "migrations").glob("*.sql")))
