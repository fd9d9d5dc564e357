"""Named queries: read from one file, all of them known to the program, none missing."""

import re
from pathlib import Path

import pytest

import eessi_sim.storage
from eessi_sim.storage.sql import load_migrations, load_numbered, load_queries

PACKAGE = Path(eessi_sim.storage.__file__).parent
DIALECTS = sorted(folder.name for folder in (PACKAGE / "sql").iterdir() if (folder / "queries.sql").exists())


def test_query_is_found_by_its_name() -> None:
    """A query is the text below its name, without the name."""
    assert load_queries("sqlite")["message_body"] == "SELECT body FROM message_body WHERE seq = :seq"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_the_same_names(dialect: str) -> None:
    """A query of one dialect exists in all others."""
    assert load_queries(dialect).keys() == load_queries(DIALECTS[0]).keys()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_query_is_used(dialect: str) -> None:
    """No statement stands in the file that the program does not run."""
    source = "".join(path.read_text() for path in PACKAGE.glob(f"{dialect}*.py"))
    names = set(re.findall(r'"([a-z_]+)"', source))
    assert (load_numbered if dialect == "postgresql" else load_queries)(dialect).keys() <= names


@pytest.mark.parametrize("dialect", DIALECTS)
def test_migrations_come_in_order(dialect: str) -> None:
    """The first migration makes the first table; they are numbered without gap, the same in all dialects."""
    files = sorted(path.name for path in (PACKAGE / "sql" / dialect / "migrations").iterdir())
    assert files == [f"{number:04}.sql" for number in range(1, len(load_migrations("sqlite")) + 1)]
    assert "CREATE TABLE message" in load_migrations(dialect)[0]


def test_named_parameters_become_numbers() -> None:
    """A name that stands twice is one parameter, and a cast is none."""
    statement = load_numbered("postgresql")["tallies"]
    assert ":node" not in statement.sql
    assert statement.values({"node": "NO:NAVAT07", "other": 1}) == ("NO:NAVAT07",)
    lanes = load_numbered("postgresql")["messages_of_lane"]
    assert len(lanes.names) == len(set(lanes.names))
    assert "::text IS NULL" in lanes.sql
