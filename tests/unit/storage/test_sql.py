"""Named queries: read from one file, all of them known to the program, none missing."""

import re
from pathlib import Path

import pytest

import eessi_sim.storage
from eessi_sim.storage.sql import load_migrations, load_queries

PACKAGE = Path(eessi_sim.storage.__file__).parent
DIALECTS = sorted(folder.name for folder in (PACKAGE / "sql").iterdir() if (folder / "queries.sql").exists())


def test_query_is_found_by_its_name() -> None:
    """A query is the text below its name, without the name."""
    assert load_queries("sqlite")["message_body"] == "SELECT body FROM message_body WHERE seq = :seq"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_the_same_names(dialect: str) -> None:
    """A query of one dialect exists in all others."""
    assert load_queries(dialect).keys() == load_queries(DIALECTS[0]).keys()


def test_every_query_is_used() -> None:
    """No statement stands in the file that the program does not run."""
    source = "".join(path.read_text() for path in PACKAGE.glob("sqlite*.py"))
    names = set(re.findall(r'"([a-z_]+)"', source))
    assert load_queries("sqlite").keys() <= names


def test_migrations_come_in_order() -> None:
    """The first migration makes the first table; they are numbered without gap."""
    files = sorted(path.name for path in (PACKAGE / "sql" / "sqlite" / "migrations").iterdir())
    assert files == [f"{number:04}.sql" for number in range(1, len(load_migrations("sqlite")) + 1)]
    assert "CREATE TABLE message" in load_migrations("sqlite")[0]
