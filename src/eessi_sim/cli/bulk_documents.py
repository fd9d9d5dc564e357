"""What the commands of ``bulk`` share: documents read and written, options."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.bulk import table
from eessi_sim.bulk.columns import Column, Columns
from eessi_sim.bulk.document import BulkDocument
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import read_json
from eessi_sim.cdm.sed import Sed
from eessi_sim.cli import inputs, output
from eessi_sim.errors import SedError, XmlError
from eessi_sim.xmlsafe import Element

_Command = TypeVar("_Command", bound=Callable[..., Any])


def version_option(command: _Command) -> _Command:
    """Add ``--version CDM``."""
    return click.option("--version", metavar="CDM", help="Version of the data model; the newest by default.")(
        command
    )


def target_option(command: _Command) -> _Command:
    """Add ``-o FILE`` (arrives as ``target``)."""
    return click.option(
        "-o", "--output", "target", metavar="FILE", help="Where to write; standard output by default."
    )(command)


def read_document(name: str, catalogue: Catalogue, wanted: SedDefinition | None = None) -> BulkDocument:
    """Return the bulk SED of a file.

    Raises:
        SedError: it holds none, or another one than wanted.
    """
    data = inputs.read_input(name)
    try:
        sed = _parsed(data, catalogue)
    except (SedError, XmlError) as error:
        raise SedError(f"{error.message} ({name})", hint=error.hint) from error
    definition = catalogue.get(sed.type, sed.version)
    if wanted is not None and definition != wanted:
        raise SedError(
            f'Expected {wanted.type} of version {wanted.version} in "{name}", found {sed.type} of {sed.version}',
            hint="Name the document that the table belongs to.",
        )
    return BulkDocument.split(definition, sed.root)


def _parsed(data: bytes, catalogue: Catalogue) -> Sed:
    if data.lstrip()[:1] == b"{":
        return read_json(data, catalogue)
    return catalogue.identify(xmlsafe.parse(data))


def sample_document(definition: SedDefinition) -> BulkDocument:
    """Return the sample of a SED, taken apart.

    Raises:
        SedError: it has none.
    """
    if definition.sample is None:
        raise SedError(
            f"Expected a sample of {definition.type} that gives the master, found none",
            hint="Name a document of your own with --master.",
        )
    return BulkDocument.split(definition, xmlsafe.parse(definition.sample.read_bytes()))


def answer_to(definition: SedDefinition, name: str, catalogue: Catalogue) -> BulkDocument:
    """Return the sample of a SED as an answer to the document of a file: with its ids and case numbers.

    Raises:
        SedError: the file holds no bulk SED, or one that this SED does not answer.
    """
    about = read_document(name, catalogue)
    answer = Answer.load(definition.answer)
    if about.definition.type not in answer.answers:
        raise SedError(
            f'Expected a document that {definition.type} answers in "{name}", found {about.definition.type}',
            hint=f"{definition.type} answers {', '.join(answer.answers) or 'nothing'}.",
        )
    sample = sample_document(definition).assemble()
    return BulkDocument.split(definition, answer.compose(sample, {about.definition.type: [about.assemble()]}))


def hand_over(document: BulkDocument, target: str | None, *, as_json: bool) -> None:
    """Write a document and say so; with JSON and no file only what it holds is said, as ``bulk import`` does."""
    data, to_file = written(document.assemble()), target not in (None, inputs.STANDARD_INPUT)
    if to_file or not as_json:
        inputs.write_output(target, data)
    count = len(document.claims)
    if as_json:
        output.show_json({"file": target if to_file else None, "claims": count})
    elif to_file:
        line = output.mark(passed=True)
        line.append(str(target), style="bold")
        line.append(
            f"  {document.definition.type} with {count} claim{'s'[: count != 1]}, {len(data):,} bytes"
        )
        output.show_unwrapped(line)


def rows_of(document: BulkDocument, columns: Columns) -> list[dict[Column, str]]:
    """Return the claims of a document as rows of a table."""
    leaves = table.leaves_by_tags(columns)
    return [table.row_of(claim, columns, leaves) for claim in document.claims]


def written(root: Element) -> bytes:
    """Return a document as text with one element a line."""
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"
