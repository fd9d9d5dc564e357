"""The command ``eessi-sim``: names of all commands, and where each is loaded from when it is asked for.

Nothing heavy is imported here, so that ``--help`` answers at once. What a command does stands in its own
module; how errors become sentences and exit statuses in ``failures``.
"""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import click

from eessi_sim import __version__
from eessi_sim.cli import failures


@dataclass(frozen=True, slots=True)
class Entry:
    """One command of the root."""

    target: str
    """``module:attribute`` of the click command."""
    summary: str
    section: str
    hidden: bool = False


_RUN: Final = "The main job"
_DOCUMENTS: Final = "Documents and signatures"
_CATALOGUE: Final = "Catalogue"
_WATCH: Final = "What happened"
_MACHINE: Final = "Keys and machine"
_CLI: Final = "eessi_sim.cli"

COMMANDS: Final[dict[str, Entry]] = {
    "demo": Entry(f"{_CLI}.run:demo", "Three life events between real processes, with a report.", _RUN),
    "run": Entry(f"{_CLI}.run:run", "Start a network and keep it up.", _RUN),
    "send": Entry(f"{_CLI}.run:send", "Put a SED of your own on the wire.", _RUN),
    "node": Entry(f"{_CLI}.node:node", "Be one node of a network.", _RUN, hidden=True),
    "bench": Entry(f"{_CLI}.bench:bench", "SEDs a second, step by step, beside the floor.", _RUN),
    "chaos": Entry(f"{_CLI}.chaos:chaos", "A network under load while everything fails, and an audit.", _RUN),
    "as4": Entry(f"{_CLI}.as4:as4", "A lone AS4 gateway: ping, send, receive, dump, P-Modes.", _RUN),
    "conformance": Entry(
        f"{_CLI}.conformance:conformance", "Good, bad and hostile messages against a node.", _RUN
    ),
    "validate": Entry(f"{_CLI}.validate:validate", "Check a SED, an envelope or an AS4 message.", _DOCUMENTS),
    "validator": Entry(f"{_CLI}.serve:validator", "The same check as a web service and page.", _DOCUMENTS),
    "sample": Entry(f"{_CLI}.sample:sample", "Valid, unusual and wrong documents.", _DOCUMENTS),
    "mutation-test": Entry(
        f"{_CLI}.mutation:mutation_test", "Score another validator with wrong documents.", _DOCUMENTS
    ),
    "bulk": Entry(f"{_CLI}.bulk:bulk", "Documents with many claims: import, show, split.", _DOCUMENTS),
    "sign": Entry(f"{_CLI}.sign:sign", "Sign a SED with XAdES.", _DOCUMENTS),
    "verify": Entry(f"{_CLI}.verify:verify", "Verify signatures of files or of a whole report.", _DOCUMENTS),
    "seds": Entry(f"{_CLI}.seds:seds", "The SEDs: list, fields and rules of one.", _CATALOGUE),
    "bucs": Entry(f"{_CLI}.bucs:bucs", "The processes: list, table of one, diagram.", _CATALOGUE),
    "institutions": Entry(
        f"{_CLI}.institutions:institutions", "The institutions: list, details of one.", _CATALOGUE
    ),
    "ir": Entry(f"{_CLI}.ir:ir", "The directory: show, compare, export as SYN001, import.", _CATALOGUE),
    "case": Entry(f"{_CLI}.case:case", "Cases: list, times of one, export as an archive.", _WATCH),
    "trace": Entry(f"{_CLI}.look:trace", "The way of a message or case over all nodes.", _WATCH),
    "journal": Entry(f"{_CLI}.look:journal", "The steps that the nodes took.", _WATCH),
    "channels": Entry(f"{_CLI}.channels:channels", "What waits for those who fetch their messages.", _WATCH),
    "dead-letters": Entry(
        f"{_CLI}.dead_letters:dead_letters", "Messages that could not go on; another try.", _WATCH
    ),
    "health": Entry(f"{_CLI}.operating:health", "Whether all nodes take new work.", _WATCH),
    "network": Entry(f"{_CLI}.network:network", "Lines between countries: show, cut, restore.", _WATCH),
    "drain": Entry(f"{_CLI}.operating:drain", "Let a node take no new work.", _MACHINE),
    "undrain": Entry(f"{_CLI}.operating:undrain", "Let it take new work again.", _MACHINE),
    "cleanup": Entry(f"{_CLI}.cleanup:cleanup", "Remove what need not be kept any longer.", _MACHINE),
    "pki": Entry(f"{_CLI}.pki:pki", "Keys and certificates of a network: make, show, revoke.", _MACHINE),
    "db": Entry(f"{_CLI}.db:db", "Stores: check, migrate, back up, restore.", _MACHINE),
    "settings": Entry(f"{_CLI}.settings:settings", "What is set, and who set it.", _MACHINE),
    "doctor": Entry(f"{_CLI}.doctor:doctor", "What is wrong with this machine.", _MACHINE),
}
"""Every command, in the order of the help page."""


class Root(click.Group):
    """A group whose commands are imported when they are used, and whose errors become exit statuses."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - given by click
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - given by click
        """Import a command and return it, None when there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        _keep_lines(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for; an unknown one is a usage error that names the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(
                f'Expected a command, found "{args[0]}". {failures.nearest(args[0], COMMANDS)}', ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - given by click
        """Write the commands under the headings of the table, without importing them."""
        shown = {name: entry for name, entry in COMMANDS.items() if not entry.hidden}
        width = max(len(name) for name in shown)
        for section in dict.fromkeys(entry.section for entry in shown.values()):
            rows = [
                (name.ljust(width), entry.summary)
                for name, entry in shown.items()
                if entry.section == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; every error of the project ends here."""
        with failures.reported(ctx):
            return super().invoke(ctx)


def _keep_lines(command: click.Command) -> None:
    """Tell click which paragraphs of a help page keep their lines.

    Click wants the character BS in front of them; docstrings say it with a backslash and a b, which one can see.
    """
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    for child in command.commands.values() if isinstance(command, click.Group) else ():
        _keep_lines(child)


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=failures.EXIT_STATUS,
)
@click.version_option(__version__, prog_name="eessi-sim")
@click.option("--verbose", is_flag=True, help="Show the stack trace of an error.")
@click.pass_context
def cli(ctx: click.Context, *, verbose: bool) -> None:
    """EESSI in a box: institutions of several countries exchange signed SEDs over real AS4.

    Start with "eessi-sim demo". Every command has its own --help, with an example.
    """
    if verbose:
        failures.be_verbose(ctx)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit status."""
    sys.excepthook = failures.unexpected
    cli.main(args=list(arguments) if arguments is not None else None, prog_name="eessi-sim")
