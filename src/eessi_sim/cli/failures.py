"""From errors to what the user sees: one sentence, a hint, an exit status.

0 is fine, 1 a finding or a failed expectation, 2 wrong usage, 3 something that the machine lacks. Nothing heavy
is imported at the top: the root command needs this module for ``--help``.
"""

import difflib
import errno
import json
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final

import click

from eessi_sim import errors
from eessi_sim.errors import EessiSimError

OK: Final = 0
FINDING: Final = 1
USAGE: Final = 2
ENVIRONMENT: Final = 3
_INTERRUPTED: Final = 130
_MANY: Final = 30
"""More names than this nobody reads in a sentence."""
_FEW: Final = 12
"""What shells report for Ctrl-C."""

EXIT_STATUS: Final = (
    "Exit status: 0 fine; 1 a finding or a failed expectation; 2 wrong usage; "
    "3 something that this machine lacks (a file, a port, a permission, a key)."
)
"""Closes the help page of every command."""

_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line end, and those that turn the direction of writing."""
_VERBOSE: Final = "eessi_sim.verbose"
_JSON: Final = "eessi_sim.json"

_STATUS: Final[tuple[tuple[type[EessiSimError], int], ...]] = (
    (errors.EnvironmentProblem, ENVIRONMENT),
    (errors.KeyMaterialError, ENVIRONMENT),
    (errors.Unavailable, ENVIRONMENT),
    (errors.MigrationNeeded, ENVIRONMENT),
    (errors.TransportError, ENVIRONMENT),
    (errors.SettingsError, USAGE),
    (errors.IdentifierError, USAGE),
)
"""The first class that fits decides; every other error is a finding."""


def exit_status(error: EessiSimError) -> int:
    """Return the exit status that an error stands for."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), FINDING)


def be_verbose(ctx: click.Context) -> None:
    """Show stack traces from now on."""
    ctx.meta[_VERBOSE] = True


def is_verbose(ctx: click.Context) -> bool:
    """Return whether the user asked for stack traces."""
    return bool(ctx.meta.get(_VERBOSE))


def speak_json(ctx: click.Context) -> None:
    """Write errors as JSON too, from now on."""
    ctx.meta[_JSON] = True


@contextmanager
def reported(ctx: click.Context) -> Iterator[None]:
    """Turn an error into ``code: message``, a hint and findings on stderr, and an exit status.

    With ``--json`` standard output gets ``{"error": {"code": …, "message": …, "hint": …}}`` besides.
    """
    try:
        yield
    except EessiSimError as error:
        _show(ctx, error)
        raise click.exceptions.Exit(exit_status(error)) from error
    except KeyboardInterrupt as error:
        click.echo("Stopped.", err=True)
        raise click.exceptions.Exit(_INTERRUPTED) from error
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        problem = _machine_problem(error)
        problem.__cause__ = error
        _show(ctx, problem)
        raise click.exceptions.Exit(ENVIRONMENT) from error


def _machine_problem(error: OSError) -> errors.EnvironmentProblem:
    where = f' "{error.filename}"' if error.filename else ""
    return errors.EnvironmentProblem(f"The system refused{where}: {error.strerror or error}")


def _show(ctx: click.Context, error: EessiSimError) -> None:
    if is_verbose(ctx):
        click.echo("".join(traceback.format_exception(error)), err=True)
    click.echo(f"{click.style(error.code, fg='red', bold=True)}: {printable(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint', fg='cyan')}: {printable(error.hint)}", err=True)
    for line in _details(error):
        click.echo(f"  {printable(line)}", err=True)
    if ctx.meta.get(_JSON):
        click.echo(json.dumps({"error": _as_json(error)}, indent=2, ensure_ascii=False))


def _details(error: EessiSimError) -> Iterable[str]:
    """Return the findings of an invalid SED, or what is possible instead of an action."""
    available = ", ".join(
        getattr(error, "available", ())
    )  # said by this process, or by a node in another one
    if available and available not in (error.hint or ""):
        return [f"available now: {available}"]
    if isinstance(error, errors.SedInvalid):
        from eessi_sim.cdm.report import ValidationReport  # noqa: PLC0415 - only when something went wrong
        from eessi_sim.cli.plain import plain_lines  # noqa: PLC0415 - as above

        assert isinstance(error.report, ValidationReport)  # the only report that SedInvalid carries
        return plain_lines(error.report.issues)
    return ()


def _as_json(error: EessiSimError) -> dict[str, object]:
    shape = error.as_dict()
    report = getattr(error, "report", None)
    return {**shape, "report": report.as_dict()} if report is not None else shape


def printable(text: str) -> str:
    """Return a text without characters that would steer the terminal; it may come out of anybody's file."""
    return _STEERING.sub("·", text)


def usage(message: str) -> click.UsageError:
    """Return a usage error of the running command, to be raised."""
    return click.UsageError(message, click.get_current_context(silent=True))


def nearest(found: str, known: Iterable[str]) -> str:
    """Return a sentence that names what was probably meant, else what there is, the first of many."""
    words = list(known)
    close = difflib.get_close_matches(found.lower(), [word.lower() for word in words], n=3, cutoff=0.5)
    meant = [word for name in close for word in words if word.lower() == name]
    if meant:
        return "Did you mean " + " or ".join(f'"{word}"' for word in meant) + "?"
    if len(words) > _MANY:
        return f"Known here: {', '.join(words[:_FEW])} and {len(words) - _FEW} more."
    return f"Known here: {', '.join(words)}."


def unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report what nobody foresaw in one sentence; the hook of the interpreter for uncaught exceptions."""
    if "--verbose" in sys.argv:
        sys.__excepthook__(kind, error, trace)
    sys.stderr.write(f"internal: {kind.__name__}: {error}\n")
    sys.stderr.write(
        "  hint: This is a mistake of the program. Run it with --verbose and report what it shows.\n"
    )
