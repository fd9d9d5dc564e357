"""Runs the command line in this process, with 100 columns and without a terminal."""

import json
from typing import Any

from click.testing import CliRunner, Result

from eessi_sim.cli.main import cli


def run(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run ``eessi-sim`` with these arguments; an exception that nobody mapped fails the test."""
    environment = {"COLUMNS": "100"}
    result = CliRunner(env=environment).invoke(
        cli, [str(each) for each in arguments], input=stdin, prog_name="eessi-sim"
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def run_json(*arguments: object, stdin: str | bytes | None = None) -> Any:
    """Run ``eessi-sim … --json`` and return what it wrote."""
    return json.loads(run(*arguments, "--json", stdin=stdin).stdout)
