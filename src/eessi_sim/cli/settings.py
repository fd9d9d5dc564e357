"""``eessi-sim settings``: every setting with its value, and who set it."""

from pathlib import Path

import click

from eessi_sim.cli import failures, output
from eessi_sim.settings import FILE, SETTINGS, value_of


@click.command(epilog=failures.EXIT_STATUS)
@output.shared_options
def settings(*, as_json: bool) -> None:
    r"""Show what is set, and where: by a variable, in eessi-sim.toml of this folder, or by default.

    An option on the command line wins over a variable, a variable over the file.

    \b
    Example:
      eessi-sim settings

    \b
    With --json: [{"name", "value": [str], "origin", "variable", "help"}].
    """
    found = [(setting, value_of(setting, Path())) for setting in SETTINGS]
    if as_json:
        output.show_json(
            [
                {
                    "name": setting.name,
                    "value": value.folders,
                    "origin": value.origin,
                    "variable": setting.variable,
                    "help": setting.help,
                }
                for setting, value in found
            ]
        )
        return
    for setting, value in found:
        output.show_fields(
            {
                setting.name: ", ".join(value.folders),
                "set by": value.origin,
                "meaning": setting.help,
                "elsewhere": f"{setting.variable}, or {FILE}",
            }
        )
