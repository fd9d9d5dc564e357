"""``eessi-sim sample``: the hand-made valid documents, as XML or in RINA's JSON form."""

import json

import click

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cli import failures, inputs, output
from eessi_sim.errors import DefinitionError


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("sed", required=False)
@click.option("--list", "is_list", is_flag=True, help="List the SEDs that have a sample.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["xml", "json"]),
    default="xml",
    show_default=True,
    help="XML, or RINA's JSON.",
)
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write; standard output by default.")
@click.option(
    "--version", metavar="CDM", help="Version of the data model; the newest one that defines it by default."
)
@inputs.cdm_option
@output.shared_options
def sample(
    *,
    sed: str | None,
    is_list: bool,
    form: str,
    target: str | None,
    version: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Write a valid SED to start from: a generated person with valid national numbers.

    Change it, validate it, sign it, send it.

    \b
    Example:
      eessi-sim sample A003 -o a003.xml
      eessi-sim sample U002 --format json
      eessi-sim sample --list

    With --list and --json: [{"sed", "version", "title", "sample": bool}].
    """
    if is_list:
        _list(catalogue, as_json=as_json)
        return
    if sed is None:
        raise failures.usage('Expected a SED, A003 for example; "eessi-sim sample --list" shows them all.')
    inputs.write_output(target, _content(inputs.find_definition(catalogue, sed, version), form))
    if target not in (None, inputs.STANDARD_INPUT):
        output.remark(f"Wrote {target}")


def _list(catalogue: Catalogue, *, as_json: bool) -> None:
    rows = [
        (each.type, each.version, each.title, each.sample is not None) for each in catalogue.definitions()
    ]
    if as_json:
        output.show_json([dict(zip(("sed", "version", "title", "sample"), row, strict=True)) for row in rows])
    else:
        output.show_table(["!SED", "!CDM", "Title"], [row[:3] for row in rows if row[3]])


def _content(definition: SedDefinition, form: str) -> bytes:
    """Return the sample.

    Raises:
        DefinitionError: nobody wrote one.
    """
    if definition.sample is None:
        raise DefinitionError(
            f"Expected a sample of {definition.type} beside {definition.xsd}, found none",
            hint=f"Put {definition.xsd.stem}.sample.xml there.",
        )
    data = definition.sample.read_bytes()
    if form == "xml":
        return data
    document = Codec.of(definition).to_json(xmlsafe.parse(data))
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
