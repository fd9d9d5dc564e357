"""How commands show things: tables on standard output, JSON on demand, signs of life on standard error.

Shared options stand here too. What is shown is decided by the commands.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from eessi_sim.cli import failures
from eessi_sim.clock import iso

AnyCommand = TypeVar("AnyCommand", bound=Callable[..., Any])
_WIDTH: Final = 100
"""Columns where there is no terminal to ask."""
GOOD: Final = "green"
BAD: Final = "red"
WARN: Final = "yellow"
DIM: Final = "dim"


def shared_options(command: AnyCommand) -> AnyCommand:
    """Add ``--json`` (arrives as ``as_json: bool``) and ``--verbose`` to a command."""
    command = click.option(
        "--verbose",
        is_flag=True,
        expose_value=False,
        callback=_verbose,
        help="Show the stack trace of an error.",
    )(command)
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_json,
        help="Write JSON for programs instead of text for people.",
    )(command)


def _verbose(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value:
        failures.be_verbose(ctx)


def _json(ctx: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    if value:
        failures.speak_json(ctx)
    return value


def console() -> Console:
    """Return the console of standard output; 100 columns wide where it is no terminal."""
    return _console(stderr=False)


def error_console() -> Console:
    """Return the console of standard error, for progress and remarks."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    columns = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() else int(columns) if columns.isdecimal() else _WIDTH
    return Console(stderr=stderr, width=width, highlight=False, soft_wrap=False)


def table(*columns: str, title: str | None = None) -> Table:
    """Return an empty table in the one style of all commands; long cells fold, nothing is cut off.

    Args:
        columns: headings; one that begins with ``>`` aligns right, with ``!`` never wraps, with ``!>`` both.
        title: above the table, left.
    """
    made = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        title=title,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for heading in columns:
        words = heading.lstrip(">!")
        marks = heading.removesuffix(words)
        made.add_column(
            words,
            justify="right" if ">" in marks else "left",
            no_wrap="!" in marks,
            overflow="fold",
        )
    return made


def show_table(
    headings: Sequence[str], rows: Sequence[Sequence[object]], *, title: str | None = None
) -> None:
    """Print rows of plain values or rich texts as one table."""
    made = table(*headings, title=title)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(_word(cell)) for cell in row))
    show(made)


def show(*renderables: RenderableType) -> None:
    """Print on standard output, one below the other; without blanks at line ends where it is no terminal."""
    out = console()
    if out.is_terminal:
        out.print(Group(*renderables))
        return
    with out.capture() as captured:
        out.print(Group(*renderables))
    lines = captured.get().split("\n")
    sys.stdout.write("\n".join(line.rstrip() for line in lines))


def show_unwrapped(text: Text) -> None:
    """Print one line that the terminal may break but we do not, so that it can be copied."""
    console().print(text, soft_wrap=True)


def _word(value: object) -> str:
    if value is None:
        return ""
    return iso(value) if isinstance(value, datetime) else str(value)


def show_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one a line; empty values are left out."""
    rows = grid(max((len(name) for name in fields), default=0), gap=2)
    for name, value in fields.items():
        if value not in (None, "", ()):
            rows.add_row(Text(name, style=DIM), value if isinstance(value, Text) else Text(_word(value)))
    show(rows)


def grid(width: int, gap: int = 1) -> Table:
    """Return a grid of names, at least ``width`` wide, and values that wrap below themselves."""
    made = Table.grid(padding=(0, gap))
    made.add_column(min_width=width, no_wrap=True)
    made.add_column(overflow="fold")
    return made


def tick(passed: bool) -> Text:
    """Return a tick or a cross."""
    return Text("✓", style=f"bold {GOOD}") if passed else Text("✗", style=f"bold {BAD}")


def mark(passed: bool) -> Text:
    """Return a tick or a cross with a blank behind it, for the start of a line."""
    return tick(passed).append(" ")


def show_json(value: object) -> None:
    """Print a value as JSON: two spaces, order as given, times in UTC with ``Z``."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"Expected a value that JSON can carry, found {type(value).__name__}")


@contextmanager
def aside(needed: bool) -> Iterator[None]:
    """Send what is shown to standard error, where standard output carries a document.

    Args:
        needed: whether it does.
    """
    with redirect_stdout(sys.stderr) if needed else nullcontext():
        yield


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show that something takes longer than a second; silent where standard error is no terminal."""
    if sys.stderr.isatty():
        with error_console().status(text):
            yield
    else:
        yield


def remark(text: str) -> None:
    """Say something that is not the result: goes to standard error, so that pipes stay clean."""
    click.echo(text, err=True)
