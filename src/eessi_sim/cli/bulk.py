"""``eessi-sim bulk``: documents with one individual claim per person, made of tables and taken apart."""

from collections.abc import Sequence
from typing import Final

import click
from rich.text import Text

from eessi_sim import xmlsafe
from eessi_sim.bulk import table
from eessi_sim.bulk.columns import Column, Columns
from eessi_sim.bulk.definition import BulkDefinition, Claims, require_claims
from eessi_sim.bulk.document import BulkDocument, names_of, number_of
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.bulk_documents import (
    hand_over,
    read_document,
    rows_of,
    sample_document,
    target_option,
    version_option,
)
from eessi_sim.cli.bulk_import import import_
from eessi_sim.cli.bulk_parts import join, split

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
      eessi-sim send claim.xml --from BE:RVA01 --to CZ:UPCR01
    """


for _command in (import_, split, join):
    bulk.add_command(_command)


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
@version_option
@click.option("--all", "everything", is_flag=True, help="A column for every field that a claim can have.")
@click.option(
    "--from", "source", metavar="FILE", help="Rows for the claims of this document, not of the sample."
)
@target_option
@inputs.cdm_option
@output.shared_options
def template(
    *,
    sed: str,
    version: str | None,
    everything: bool,
    source: str | None,
    target: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Write a CSV table with the usual columns and the claims of the sample; replace its rows by your own.

    A column is named by the end of the path of its field, in words: "family name", "reimbursement period / start
    date". Longer paths and the spelling of the schema are understood as well. Where a field may stand several times,
    [2] names the second: "nationality [2]". Empty cells are left out of the document.

    For an answer to a bulk SED --from gives a row for each of its claims, with number, person and amounts: delete
    those that the answer is not about, and fill in the rest.

    \b
    Example:
      eessi-sim bulk template U020 -o claims.csv
      eessi-sim bulk template U023 --from claim.xml -o contested.csv
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
    if source is not None:
        rows = _rows_of_another(read_document(source, catalogue), about, columns)
    else:
        wanted = {column.place for column in first}
        sample = rows_of(sample_document(definition), columns)
        rows = [{column: text for column, text in row.items() if column.place in wanted} for row in sample]
    inputs.write_output(target, table.write(rows, first))
    if target is not None:
        output.remark(
            f"{target}: {len(rows)} claims of {source or 'the sample'}; import them when you are done."
        )


def _rows_of_another(document: BulkDocument, about: Claims, columns: Columns) -> list[dict[Column, str]]:
    _, theirs = require_claims(document.definition)
    found = rows_of(document, Columns(document.definition, theirs))
    return [table.carried_over(row, about, columns) for row in found]


def _column_as_json(column: Column, columns: Columns) -> dict[str, object]:
    return {
        "column": column.header,
        "path": column.leaf.path,
        "required": column.leaf.required,
        "usual": column in columns.usual,
        "meaning": column.leaf.meaning,
    }


@bulk.command(short_help="The claims of a document.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.option("--all", "everything", is_flag=True, help=f"All claims, not only the first {_SHOWN}.")
@click.option("--csv", "as_csv", is_flag=True, help="As a table that bulk import reads.")
@target_option
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
    document = read_document(name, catalogue)
    found, about = require_claims(document.definition)
    columns = Columns(document.definition, about)
    rows = rows_of(document, columns)
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
@target_option
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
    document = read_document(name, catalogue)
    for number in numbers:
        document = document.remove(number)
    hand_over(document, target, as_json=as_json)
