"""What commands read: files or standard input, SED types, definitions, times; the options for them.

A name that is wrong is a usage error that says what is near it.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.layouts import places
from eessi_sim.cli import failures
from eessi_sim.errors import EnvironmentProblem, IdentifierError, XmlTooLarge
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.settings import BUILTIN, CDM_FOLDERS, Value, value_of
from eessi_sim.stretch import PIECE

_Command = TypeVar("_Command", bound=Callable[..., Any])
STANDARD_INPUT: Final = "-"
MAX_BYTES: Final = xmlsafe.DEFAULT_LIMITS.max_bytes


def require_files(names: Sequence[str]) -> None:
    """Refuse names that are no files, before work on the others begins.

    Raises:
        EnvironmentProblem: there is no such file.
    """
    for name in names:
        if name != STANDARD_INPUT and not Path(name).is_file():
            found = "a folder" if Path(name).is_dir() else "none"
            raise EnvironmentProblem(
                f'Expected a file at "{name}", found {found}',
                hint="Check the path; - stands for standard input.",
            )


def require_paths(names: Sequence[str]) -> None:
    """Refuse names that are neither files nor folders.

    Raises:
        EnvironmentProblem: there is nothing of this name.
    """
    for name in names:
        if name != STANDARD_INPUT and not Path(name).exists():
            raise EnvironmentProblem(
                f'Expected a file or folder at "{name}", found none', hint="Check the path."
            )


def read_input(name: str, limit: int = MAX_BYTES) -> bytes:
    """Return the content of a file, or of standard input for ``-``.

    Args:
        name: path of the file.
        limit: how many bytes we are willing to read.

    Raises:
        EnvironmentProblem: there is no such file, or it cannot be read.
        XmlTooLarge: it is larger than the limit; it was not read.
    """
    if name == STANDARD_INPUT:
        data = sys.stdin.buffer.read(limit + 1)
        _check_size(len(data), limit)
        return data
    path = Path(name)
    try:
        _check_size(path.stat().st_size, limit)
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(name, error) from error


def read_pieces(name: str, limit: int) -> Iterator[bytes]:
    """Yield the content of a file in pieces of at most 1 MB; raises as ``read_input``."""
    size = 0
    try:
        with Path(name).open("rb") as file:
            while piece := file.read(PIECE):
                size += len(piece)
                _check_size(size, limit)
                yield piece
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError) -> EnvironmentProblem:
    return EnvironmentProblem(
        f'Expected a file that can be read, found "{name}": {error.strerror}',
        hint="Check the path; - stands for standard input.",
    )


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise XmlTooLarge(
            f"Expected at most {limit} bytes, found {'more' if size == limit + 1 else size}",
            hint="Send a smaller document.",
        )


def write_output(name: str | None, data: bytes) -> None:
    """Write to a file, or to standard output for None and ``-``.

    Raises:
        EnvironmentProblem: the file cannot be written.
    """
    if name is None or name == STANDARD_INPUT:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    try:
        Path(name).write_bytes(data)
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a file that can be written, found "{name}": {error.strerror}',
            hint="Choose another one with -o.",
        ) from error


class Time(click.ParamType):  # type: ignore[type-arg] # generic in the newest click only
    """A time: ``2026-03-02``, ``2026-03-02T08:15:00Z``; UTC when it names no zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the time."""
        try:
            time = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f'Expected a time like 2026-03-02T08:15:00Z, found "{value}"', param, ctx)
        return time if time.tzinfo else time.replace(tzinfo=UTC)


def cdm_option(command: _Command) -> _Command:
    """Add ``--cdm DIR``: where definitions come from (arrives as ``catalogue``)."""
    return click.option(
        "--cdm",
        "catalogue",
        metavar="DIR",
        multiple=True,
        callback=_catalogue,
        help="Schemas, <SED>-<version>.xsd or <version>/<sector>/<SED>.xsd, instead of ours; may be repeated, "
        "the first that defines a SED wins, and the word builtin names ours.",
    )(command)


def _catalogue(_ctx: click.Context, parameter: click.Parameter, value: Sequence[str]) -> Catalogue:
    found = Value(tuple(value), "--cdm") if value else value_of(CDM_FOLDERS, Path())
    if found.folders == (BUILTIN,):
        return Catalogue.default()
    return Catalogue([_folder(name, found.origin, parameter) for name in found.folders])


def _folder(name: str, origin: str, parameter: click.Parameter) -> Path:
    """Return the folder that a name stands for.

    Raises:
        click.BadParameter: there is none, or it defines no SED.
    """
    path = resources.schemas() / "cdm" if name == BUILTIN else Path(name)
    if path.is_dir() and places(path):
        return path.resolve()
    expected = "schemas like A003-4.4.xsd or 4.4/LA/A003.xsd below" if path.is_dir() else "a folder at"
    hint = "" if path.is_dir() else f" The word {BUILTIN} names our own definitions."
    raise click.BadParameter(f'Expected {expected} "{name}" ({origin}), found none.{hint}', param=parameter)


def find_definition(catalogue: Catalogue, text: str, version: str | None = None) -> SedDefinition:
    """Return the definition of a SED, the newest one when no version is named.

    Args:
        catalogue: knows the SEDs.
        text: type, capital or small letters.
        version: of the data model.

    Raises:
        click.UsageError: nobody defines it; names the nearest.
    """
    wanted = _version(catalogue, version)
    known = [each for each in catalogue.definitions() if wanted in (None, each.version)]
    found = [each for each in known if each.type == text.upper()]
    if found:
        return found[-1]
    kind = "SED" if SedType.pattern.fullmatch(text.upper()) else "SED type such as A003"
    types = dict.fromkeys(str(each.type) for each in known)
    where = f" in version {wanted}" if wanted else ""
    raise failures.usage(
        f'Expected a {kind} that is defined{where}, found "{text}". {failures.nearest(text, types)}'
    )


def _version(catalogue: Catalogue, text: str | None) -> CdmVersion | None:
    if text is None:
        return None
    known: Sequence[str] = catalogue.versions()
    try:
        version = CdmVersion(text)
    except IdentifierError as error:
        raise failures.usage(f"{error.message}. Known here: {', '.join(known)}.") from error
    if version not in known:
        raise failures.usage(
            f'Expected a version that is defined, found "{text}". Known here: {", ".join(known)}.'
        )
    return version
