"""``eessi-sim bulk import``: a document made of a table, and every row of it that is wrong."""

import secrets
from collections.abc import Sequence

import click
from rich.text import Text

from eessi_sim.bulk import table
from eessi_sim.bulk.columns import Columns
from eessi_sim.bulk.definition import require_claims
from eessi_sim.bulk.importing import Imported, import_table
from eessi_sim.bulk.table import Problem
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.bulk_documents import (
    answer_to,
    read_document,
    sample_document,
    target_option,
    version_option,
    written,
)
from eessi_sim.xmlsafe import DOCUMENT_LIMITS


@click.command("import", short_help="A document made of a table.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@click.argument("claims", metavar="TABLE")
@version_option
@click.option(
    "--master", metavar="FILE", help="Document whose master is used; that of the sample by default."
)
@click.option(
    "--about", metavar="FILE", help="Document that is answered: its ids and case numbers go into the master."
)
@click.option(
    "--into",
    metavar="FILE",
    help="Document that keeps its claims: rows replace those of their number or are added.",
)
@target_option
@inputs.cdm_option
@output.shared_options
def import_(  # noqa: PLR0913 - one argument for each option
    *,
    sed: str,
    claims: str,
    version: str | None,
    master: str | None,
    about: str | None,
    into: str | None,
    target: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Make a bulk SED of a table of claims: CSV with names in the first row, or JSON with a list of claims.

    Numbers and ids that the table does not give are filled in, what every claim repeats of the master too, and the
    totals of the master are computed. Every wrong row is named with line, column, value and what to change; then
    nothing is written, and the exit status is 1. TABLE may be - for standard input.

    \b
    Example:
      eessi-sim bulk import U020 claims.csv -o claim.xml
      eessi-sim bulk import U020 more.csv --into claim.xml -o claim.xml
      eessi-sim bulk import U023 contested.csv --about claim.xml -o contested.xml

    \b
    With --json: {"file", "sed", "version", "claims", "bytes", "valid", "problems": [{"line", "column", "value",
      "message", "hint", "warning"}], "more"}.
    """
    given = [name for name in (master, about, into) if name is not None]
    if len(given) > 1:
        raise failures.usage(
            "Expected one of --master, --about and --into, found more: each gives the master."
        )
    definition = inputs.find_definition(catalogue, sed, version)
    columns = Columns(definition, require_claims(definition)[1])
    if about is not None:
        document = answer_to(definition, about, catalogue)
    elif given:
        document = read_document(given[0], catalogue, definition)
    else:
        document = sample_document(definition)
    read = table.read(inputs.read_input(claims), columns)
    with output.working(f"{len(read.rows)} claims"):
        made = import_table(document, read, columns, _new_id, merge=into is not None)
        data = written(made.root)
    problems = (*made.problems, *_too_large(data))
    valid = made.is_valid and len(problems) == len(made.problems)
    with output.aside(needed=target in (None, inputs.STANDARD_INPUT) and not as_json):
        _show_import(definition, made, problems, target, data, as_json=as_json, name=claims)
    if not valid:
        click.get_current_context().exit(failures.FINDING)
    if target is not None or not as_json:
        inputs.write_output(target, data)
    if not given:
        output.remark("The master (ids, bank account) is that of the sample; see --master and --about.")


def _new_id() -> str:
    return secrets.token_hex(16)


def _too_large(data: bytes) -> list[Problem]:
    most = DOCUMENT_LIMITS.max_bytes
    if len(data) <= most:
        return []
    message = f"Expected a document of at most {most:,} bytes, found {len(data):,}: no node would read it"
    return [Problem(None, "", "", message, "Split the table: one request for each part.")]


def _show_import(
    definition: SedDefinition,
    made: Imported,
    problems: Sequence[Problem],
    target: str | None,
    data: bytes,
    *,
    as_json: bool,
    name: str,
) -> None:
    count = len(made.document.claims)
    valid = all(problem.warning for problem in problems) and not made.capped
    if as_json:
        output.show_json(
            {
                "file": target if valid else None,
                "sed": definition.type,
                "version": definition.version,
                "claims": count,
                "bytes": len(data),
                "valid": valid,
                "problems": [_problem_as_json(problem) for problem in problems],
                "more": made.capped,
            }
        )
        return
    line = output.mark(valid)
    line.append(name, style="bold")
    line.append(
        f"  {definition.type} with {count} claim{'s'[: count != 1]}, {len(data):,} bytes"
        if valid
        else f"  {count} claim{'s'[: count != 1]}, not imported"
    )
    output.show_unwrapped(line)
    if problems:
        rows = [
            (
                problem.line,
                Text(problem.column, style=output.WARN if problem.warning else output.BAD),
                Text(failures.printable(problem.value)),
                Text(failures.printable(f"{problem.message}. {problem.hint}")),
            )
            for problem in problems
        ]
        output.show_table([">Line", "Column", "Value", "What is wrong, and what to change"], rows)
    if made.capped:
        output.show(Text(f"… and {made.capped} more.", style=output.DIM))


def _problem_as_json(problem: Problem) -> dict[str, object]:
    return {
        "line": problem.line,
        "column": problem.column,
        "value": problem.value,
        "message": problem.message,
        "hint": problem.hint,
        "warning": problem.warning,
    }
