"""``eessi-sim bulk``: documents with one individual claim per person, made of tables and taken apart."""

import json
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from lxml import etree
from rich.text import Text

from eessi_sim import xmlsafe
from eessi_sim.bulk import subdocuments, table
from eessi_sim.bulk.columns import Column, Columns
from eessi_sim.bulk.definition import BulkDefinition, Claims, require_claims
from eessi_sim.bulk.document import BulkDocument, names_of, number_of
from eessi_sim.bulk.importing import Imported, import_table
from eessi_sim.bulk.table import Problem
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.validation import Validator
from eessi_sim.cli import failures, inputs, output
from eessi_sim.errors import EnvironmentProblem, SedError
from eessi_sim.xmlsafe import DOCUMENT_LIMITS, Element

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHOWN: Final = 50


@click.group(epilog=failures.EXIT_STATUS)
def bulk() -> None:
    r"""Bulk SEDs: one master document with an individual claim per person, up to thousands of them.

    Write the claims in a spreadsheet, import them, and the document is made: numbered, summed up and checked row by
    row. What becomes of the claims in a case: eessi-sim case claims.

    \b
    Example:
      eessi-sim bulk template U020 -o claims.csv
      eessi-sim bulk import U020 claims.csv -o claim.xml
      eessi-sim bulk show claim.xml
      eessi-sim send claim.xml
    """


def _version_option(command: _Command) -> _Command:
    return click.option("--version", metavar="CDM", help="Version of the data model; the newest by default.")(
        command
    )


def _target_option(command: _Command) -> _Command:
    return click.option(
        "-o", "--output", "target", metavar="FILE", help="Where to write; standard output by default."
    )(command)


@bulk.command("list", short_help="The bulk SEDs.", epilog=failures.EXIT_STATUS)
@inputs.cdm_option
@output.shared_options
def list_(*, catalogue: Catalogue, as_json: bool) -> None:
    r"""List the SEDs with individual claims.

    \b
    Example:
      eessi-sim bulk list

    \b
    With --json: [{"sed", "version", "title", "claims", "number", "columns", "most", "confidence"}].
    """
    rows = []
    for definition in catalogue.definitions():
        found = BulkDefinition.find(definition)
        if found is not None and found.claims is not None:
            about = found.claims
            rows.append((definition, found, about, len(Columns(definition, about).leaves)))
    if as_json:
        output.show_json(
            [
                {
                    "sed": definition.type,
                    "version": definition.version,
                    "title": definition.title,
                    "claims": about.path,
                    "number": about.number,
                    "columns": columns,
                    "most": about.most,
                    "confidence": found.confidence,
                }
                for definition, found, about, columns in rows
            ]
        )
        return
    output.show_table(
        ["!SED", "!CDM", "Title", "!>Columns", "!>Most claims", "!Reading is"],
        [
            (one.type, one.version, one.title, columns, about.most, found.confidence)
            for one, found, about, columns in rows
        ],
    )


@bulk.command(short_help="A table to fill in.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@_version_option
@click.option("--all", "everything", is_flag=True, help="A column for every field that a claim can have.")
@_target_option
@inputs.cdm_option
@output.shared_options
def template(
    *,
    sed: str,
    version: str | None,
    everything: bool,
    target: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Write a CSV table with the usual columns and the claims of the sample; replace its rows by your own.

    A column is named by the end of the path of its field, in words: "family name", "reimbursement period / start
    date". Longer paths and the spelling of the schema are understood as well. Where a field may stand several times,
    [2] names the second: "nationality [2]". Empty cells are left out of the document.

    \b
    Example:
      eessi-sim bulk template U020 -o claims.csv
      eessi-sim bulk template U020 --all --json

    \b
    With --json: the columns instead of a table: [{"column", "path", "required", "usual", "meaning"}].
    """
    definition = inputs.find_definition(catalogue, sed, version)
    _, about = require_claims(definition)
    columns = Columns(definition, about)
    first = list(columns.usual)
    if everything:
        first = [columns.at(leaf.path) for leaf in columns.leaves]
    if as_json:
        output.show_json([_column_as_json(column, columns) for column in first])
        return
    rows = _rows(_sample(definition), columns)
    wanted = {column.place for column in first}
    rows = [{column: text for column, text in row.items() if column.place in wanted} for row in rows]
    inputs.write_output(target, table.write(rows, first))
    if target is not None:
        output.remark(
            f"{target}: {len(rows)} claims of the sample in {len(first)} columns; import them with eessi-sim bulk import {definition.type} {target}"
        )


def _column_as_json(column: Column, columns: Columns) -> dict[str, object]:
    return {
        "column": column.header,
        "path": column.leaf.path,
        "required": column.leaf.required,
        "usual": column in columns.usual,
        "meaning": column.leaf.meaning,
    }


@bulk.command("import", short_help="A document made of a table.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@click.argument("claims", metavar="TABLE")
@_version_option
@click.option(
    "--master", metavar="FILE", help="Document whose master is used; that of the sample by default."
)
@click.option(
    "--into",
    metavar="FILE",
    help="Document that keeps its claims: rows replace those of their number or are added.",
)
@_target_option
@inputs.cdm_option
@output.shared_options
def import_(
    *,
    sed: str,
    claims: str,
    version: str | None,
    master: str | None,
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

    \b
    With --json: {"file", "sed", "version", "claims", "bytes", "valid", "problems": [{"line", "column", "value",
      "message", "hint", "warning"}], "more"}.
    """
    if master is not None and into is not None:
        raise failures.usage(
            "Expected --master or --into, found both. A document of --into has its own master."
        )
    definition = inputs.find_definition(catalogue, sed, version)
    _, about = require_claims(definition)
    columns = Columns(definition, about)
    given = master or into
    document = _read(given, catalogue, definition) if given is not None else _sample(definition)
    read = table.read(inputs.read_input(claims), columns)
    with output.working(f"{len(read.rows)} claims"):
        made = import_table(document, read, columns, _new_id, merge=into is not None)
        data = _written(made.root)
    problems = (*made.problems, *_too_large(data))
    valid = made.is_valid and len(problems) == len(made.problems)
    with output.aside(needed=target in (None, inputs.STANDARD_INPUT) and not as_json):
        _show_import(definition, made, problems, target, data, as_json=as_json, name=claims)
    if not valid:
        click.get_current_context().exit(failures.FINDING)
    if target is not None or not as_json:
        inputs.write_output(target, data)
    if given is None:
        output.remark(
            "The master (request id, bank account) is that of the sample; name your own with --master."
        )


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
        f"  {definition.type} with {count} claims, {len(data):,} bytes"
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


@bulk.command(short_help="The claims of a document.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.option("--all", "everything", is_flag=True, help=f"All claims, not only the first {_SHOWN}.")
@click.option("--csv", "as_csv", is_flag=True, help="As a table that bulk import reads.")
@_target_option
@inputs.cdm_option
@output.shared_options
def show(
    *, name: str, everything: bool, as_csv: bool, target: str | None, catalogue: Catalogue, as_json: bool
) -> None:
    r"""Show the claims of a bulk SED, or write all of them as a table to go on with.

    \b
    Example:
      eessi-sim bulk show claim.xml
      eessi-sim bulk show claim.xml --csv -o claims.csv

    \b
    With --json: {"sed", "version", "request", "claims": [{column: value}]}.
    """
    document = _read(name, catalogue)
    found, about = require_claims(document.definition)
    columns = Columns(document.definition, about)
    rows = _rows(document, columns)
    if as_csv:
        inputs.write_output(target, table.write(rows, columns.usual))
        return
    request = xmlsafe.text_of(found.request.first(document.master))
    if as_json:
        output.show_json(
            {
                "sed": document.definition.type,
                "version": document.definition.version,
                "request": request,
                "claims": [{column.header: text for column, text in row.items()} for row in rows],
            }
        )
        return
    output.show(
        Text(
            f"{document.definition.type}  request {failures.printable(request)}, {len(rows)} claims",
            style="bold",
        )
    )
    shown = len(rows) if everything else _SHOWN
    _show_claims(document, about, found, shown)
    if len(rows) > shown:
        output.show(Text(f"… and {len(rows) - shown} more; --all shows them.", style=output.DIM))


def _show_claims(document: BulkDocument, about: Claims, found: BulkDefinition, shown: int) -> None:
    amounts = found.says.amounts
    paths = {
        "Requested": amounts.requested,
        "Accepted": amounts.accepted,
        "Paid": amounts.paid,
        "": amounts.currency,
    }
    used = {name: path for name, path in paths.items() if path is not None}
    rows = [
        (
            number_of(claim, about),
            failures.printable(names_of(claim, about)),
            *(failures.printable(xmlsafe.text_of(path.first(claim))) for path in used.values()),
        )
        for claim in document.claims[:shown]
    ]
    output.show_table(["!>Claim", "Person", *(f"!>{name}" if name else "!" for name in used)], rows)


@bulk.command(short_help="Claims taken out of a document.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@_target_option
@inputs.cdm_option
@output.shared_options
def remove(
    *, name: str, numbers: Sequence[str], target: str | None, catalogue: Catalogue, as_json: bool
) -> None:
    r"""Take claims out of a document; the totals are computed again, and where the SED wants it the rest is renumbered.

    \b
    Example:
      eessi-sim bulk remove claim.xml 2 17 -o claim.xml

    With --json: {"file", "claims"}
    """
    document = _read(name, catalogue)
    for number in numbers:
        document = document.remove(number)
    inputs.write_output(target, _written(document.assemble()))
    if as_json:
        output.show_json({"file": target, "claims": len(document.claims)})


@bulk.command(short_help="A document in parts.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.option("-o", "--output", "folder", metavar="DIR", required=True, help="New folder for the parts.")
@inputs.cdm_option
@output.shared_options
def split(*, name: str, folder: str, catalogue: Catalogue, as_json: bool) -> None:
    r"""Write the master and every claim as files of their own, in the form in which RINA stores them.

    master.json has the root <SED>_Master, each file of the folder claims the root <SED>_Child. A signature does not
    hold for parts and is left out.

    \b
    Example:
      eessi-sim bulk split claim.xml -o parts
      eessi-sim bulk join parts -o claim.xml

    With --json: {"folder", "claims"}
    """
    document = _read(name, catalogue)
    parts = subdocuments.write(document)
    _write_parts(Path(folder), parts)
    if as_json:
        output.show_json({"folder": folder, "claims": len(document.claims)})
        return
    line = output.mark(passed=True)
    line.append(folder, style="bold")
    line.append(f"  master.json and {len(document.claims)} claims")
    output.show_unwrapped(line)


def _write_parts(folder: Path, parts: subdocuments.Parts) -> None:
    try:
        (folder / "claims").mkdir(parents=True)
        (folder / "master.json").write_text(_json(parts.master), encoding="utf-8")
        width = len(str(len(parts.claims)))
        for place, claim in enumerate(parts.claims, start=1):
            (folder / "claims" / f"{place:0{width}}.json").write_text(_json(claim), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a new folder at "{folder}", found: {error.strerror}',
            hint="Choose another one with -o.",
        ) from error


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@bulk.command(short_help="A document put together.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@_target_option
@inputs.cdm_option
@output.shared_options
def join(*, folder: Path, target: str | None, catalogue: Catalogue, as_json: bool) -> None:
    r"""Put the parts that bulk split wrote together again, claims in the order of their file names.

    The totals are computed again, so that parts may be added, changed and removed in between.

    \b
    Example:
      eessi-sim bulk join parts -o claim.xml

    With --json: {"file", "claims"}
    """
    files = [folder / "master.json", *sorted((folder / "claims").glob("*.json"))]
    master, *claims = [_part(file) for file in files]
    document = subdocuments.read(subdocuments.Parts(master, tuple(claims)), catalogue)
    inputs.write_output(target, _written(document.assemble()))
    if as_json:
        output.show_json({"file": target, "claims": len(document.claims)})


def _part(file: Path) -> object:
    data = inputs.read_input(str(file))
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SedError(
            f'Expected JSON in "{file}", found: {str(error)[:200]}', hint="See what bulk split writes."
        ) from error


def _read(name: str, catalogue: Catalogue, wanted: SedDefinition | None = None) -> BulkDocument:
    """Return the bulk SED of a file.

    Raises:
        SedError: it holds none, or another one than wanted.
    """
    data = inputs.read_input(name)
    sed, report = Validator(catalogue).validate_bytes(data)
    if sed is None:
        issue = report.issues[0]
        raise SedError(f"{issue.message} ({name})", hint=issue.hint)
    definition = catalogue.get(sed.type, sed.version)
    if wanted is not None and definition != wanted:
        raise SedError(
            f'Expected {wanted.type} of version {wanted.version} in "{name}", found {sed.type} of {sed.version}',
            hint="Name the document that the table belongs to.",
        )
    return BulkDocument.split(definition, sed.root)


def _sample(definition: SedDefinition) -> BulkDocument:
    if definition.sample is None:
        raise SedError(
            f"Expected a sample of {definition.type} that gives the master, found none",
            hint="Name a document of your own with --master.",
        )
    return BulkDocument.split(definition, xmlsafe.parse(definition.sample.read_bytes()))


def _rows(document: BulkDocument, columns: Columns) -> list[dict[Column, str]]:
    leaves = table.leaves_by_tags(columns)
    return [table.row_of(claim, columns, leaves) for claim in document.claims]


def _written(root: Element) -> bytes:
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"
