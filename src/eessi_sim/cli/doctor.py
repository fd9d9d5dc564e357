"""``eessi-sim doctor``: what is wrong with this machine, before something fails half-way."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim import __version__, resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, output, python_problem
from eessi_sim.clock import SystemClock
from eessi_sim.errors import EessiSimError
from eessi_sim.ir.loader import load_institutions


class Health(StrEnum):
    """Outcome of one look."""

    OK = "ok"
    WARN = "warn"
    """Something optional is missing."""
    FAIL = "fail"
    """Something needed is missing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    detail: str
    hint: str = ""


_STYLES: Final = {Health.OK: output.GOOD, Health.WARN: output.WARN, Health.FAIL: output.BAD}
_LIBRARIES: Final = (
    "aiohttp",
    "click",
    "cryptography",
    "jinja2",
    "lxml",
    "msgspec",
    "python-stdnum",
    "pyyaml",
    "rich",
    "xmlschema",
)
_OPTIONAL: Final = {
    "uvloop": "faster event loop: pip install eessi-sim[fast]",
}
_PROGRAMS: Final = {
    "xmlsec1": "verifies signatures independently of us",
    "xmllint": "validates against our schemas independently of us",
}
_BUILT: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""A clock before this time is certainly wrong."""
_FAR: Final = datetime(2100, 1, 1, tzinfo=UTC)
_MIN_FREE: Final = 200 * 1024 * 1024
"""What a run with its stores and its report may need on disk (our choice, inferred)."""


@click.command(epilog=failures.EXIT_STATUS)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder that a network shall use; the folder for temporary files by default.",
)
@output.shared_options
def doctor(*, state: Path | None, as_json: bool) -> None:
    r"""Look for what this machine lacks: Python, libraries, definitions, a folder, a port, a sane clock.

    Ends with 3 when something needed is missing; what is only useful gives a warning.

    \b
    Example:
      eessi-sim doctor
      eessi-sim doctor --state ~/network --json

    With --json: {"healthy": bool, "version", "findings": [{"what", "health", "detail", "hint"}]}.
    """
    found = list(_look(state or Path(tempfile.gettempdir())))
    healthy = all(finding.health is not Health.FAIL for finding in found)
    if as_json:
        output.show_json(
            {"healthy": healthy, "version": __version__, "findings": [asdict(each) for each in found]}
        )
    else:
        rows = [(each.what, Text(each.health, style=_STYLES[each.health]), _detail(each)) for each in found]
        output.show_table(["What", "!Health", "Detail"], rows, title=f"eessi-sim {__version__}")
    if not healthy:
        click.get_current_context().exit(failures.ENVIRONMENT)


def _detail(finding: Finding) -> str:
    return f"{finding.detail}. {finding.hint}" if finding.hint else finding.detail


def _look(state: Path) -> Iterator[Finding]:
    yield python(sys.version_info[:3])
    yield from (library(name) for name in _LIBRARIES)
    yield from (library(name, why) for name, why in _OPTIONAL.items())
    yield definitions("SED definitions", lambda: len(Catalogue.default().definitions()), resources.schemas)
    yield definitions("process tables", lambda: len(Definitions.default().all()), resources.schemas)
    yield definitions(
        "institutions", lambda: len(load_institutions(resources.institutions())), resources.institutions
    )
    yield folder(state)
    yield port()
    yield clock(SystemClock().now())
    yield from (program(name, why) for name, why in _PROGRAMS.items())


def python(version: tuple[int, ...]) -> Finding:
    """Judge the version of Python."""
    problem = python_problem(version)
    text = ".".join(str(part) for part in version)
    if problem:
        return Finding("Python", Health.FAIL, problem, "Install a newer Python.")
    return Finding("Python", Health.OK, text)


def library(name: str, optional: str = "") -> Finding:
    """Look for an installed library; ``optional`` says what it would be good for."""
    try:
        return Finding(name, Health.OK, metadata.version(name))
    except metadata.PackageNotFoundError:
        if optional:
            return Finding(name, Health.WARN, "not installed", f"Optional, {optional}.")
        return Finding(name, Health.FAIL, "not installed", "Install eessi-sim again.")


def definitions(what: str, count: Callable[[], int], place: Callable[[], Path]) -> Finding:
    """Read definition files and count them."""
    try:
        number = count()
        where = place()
    except EessiSimError as error:
        return Finding(what, Health.FAIL, error.message, error.hint or "")
    if not number:
        return Finding(what, Health.FAIL, f"none found in {where}", "Install eessi-sim again.")
    return Finding(what, Health.OK, f"{number} in {where}")


def folder(path: Path) -> Finding:
    """Try to write to a folder, or to make it where it does not exist yet."""
    place = next(each for each in (path, *path.absolute().parents) if each.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        reason = f"cannot write to {place}: {error.strerror}"
        return Finding("state folder", Health.FAIL, reason, "Choose another one with --state.")
    megabytes = f"{free // (1024 * 1024)} MB free"
    if free < _MIN_FREE:
        return Finding("state folder", Health.WARN, f"{place}, only {megabytes}", "Make room.")
    return Finding("state folder", Health.OK, f"{place} can be written, {megabytes}")


def port() -> Finding:
    """Bind a port of the loopback interface."""
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            number = listener.getsockname()[1]
    except OSError as error:
        hint = "Allow programs to listen on 127.0.0.1."
        return Finding("loopback port", Health.FAIL, f"cannot listen: {error.strerror}", hint)
    return Finding("loopback port", Health.OK, f"127.0.0.1, {number} for example")


def clock(now: datetime) -> Finding:
    """Judge the clock of the machine; certificates depend on it."""
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if not _BUILT < now < _FAR:
        hint = "Set the clock; certificates depend on it."
        return Finding("clock", Health.FAIL, f"{text} cannot be right", hint)
    return Finding("clock", Health.OK, text)


def program(name: str, why: str) -> Finding:
    """Look for an optional program."""
    found = shutil.which(name)
    if found is None:
        return Finding(name, Health.WARN, "not found", f"Optional, {why}.")
    return Finding(name, Health.OK, os.fspath(found))
