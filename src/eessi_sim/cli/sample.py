"""``eessi-sim sample``: valid, unusual and deliberately wrong documents of any SED."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import click
from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.codec import Codec
from eessi_sim.cli import failures, inputs, output
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.kit import Kit, WrongDocument
from eessi_sim.xmlsafe import Element

_ALL: Final = "all"
_MANIFEST: Final = "manifest.json"


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("sed", required=False)
@click.option("--list", "is_list", is_flag=True, help="List the SEDs, and which have a hand-made sample.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Make up person, family, employers and career; the same number is the same person in every SED.",
)
@click.option(
    "--dialect",
    type=click.Choice([each.value for each in Dialect]),
    default=Dialect.TYPICAL.value,
    show_default=True,
    help="Valid but unusual: see below.",
)
@click.option("--count", type=click.IntRange(1, 10_000), default=1, help="So many seeds, into the folder -o.")
@click.option(
    "--invalid",
    metavar="all|KIND|RULE",
    help="Deliberately wrong documents, into the folder -o: all, of one kind of fault, or of one rule.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["xml", "json"]),
    default="xml",
    show_default=True,
    help="XML, or RINA's JSON.",
)
@click.option(
    "-o", "--output", "target", metavar="FILE|DIR", help="Where to write; standard output by default."
)
@click.option(
    "--version", metavar="CDM", help="Version of the data model; the newest one that defines it by default."
)
@inputs.cdm_option
@output.shared_options
def sample(  # noqa: PLR0913 - one argument for each option
    *,
    sed: str | None,
    is_list: bool,
    seed: int | None,
    dialect: str,
    count: int,
    invalid: str | None,
    form: str,
    target: str | None,
    version: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Write documents to test with: a valid SED, an unusual one, or wrong ones with the reason.

    Without --seed it is the hand-made sample. With --seed a person is made up, with valid national numbers, and
    the rest of the document fits: it keeps the schema and every rule.

    \b
    Dialects (all valid):
      typical   what one usually gets
      minimal   only what schema and rules demand
      full      every optional field
      longest   every text as long as it may be, with characters that XML must escape
      scripts   names in Greek, Cyrillic, Icelandic, Maltese …, another one for each seed
      dates     days at the ends of the calendar, with time zones

    \b
    --invalid writes one small document for each requirement of the schema and each rule, and
    manifest.json, which says of every file what is wrong and which finding it must cause.

    \b
    Example:
      eessi-sim sample A003 -o a003.xml
      eessi-sim sample P2000 --seed 7
      eessi-sim sample U002 --seed 1 --dialect scripts --format json
      eessi-sim sample H002 --count 20 -o many/
      eessi-sim sample A003 --invalid all -o wrong/
      eessi-sim sample A003 --invalid A003-R01

    With --list and --json: [{"sed", "version", "title", "sample": bool}].
    """
    if is_list:
        _list(catalogue, as_json=as_json)
        return
    if sed is None:
        raise failures.usage('Expected a SED, A003 for example; "eessi-sim sample --list" shows them all.')
    if invalid is not None and (form != "xml" or count > 1 or dialect != Dialect.TYPICAL):
        raise failures.usage(
            "Expected --invalid without --format, --count and --dialect: wrong documents are XML."
        )
    definition = inputs.find_definition(catalogue, sed, version)
    if invalid is not None:
        _write_wrong(Generator(definition), seed or 0, invalid, target)
    elif count > 1:
        _write_many(Generator(definition), seed or 0, count, Dialect(dialect), form, target)
    else:
        inputs.write_output(target, _content(definition, seed, Dialect(dialect), form))
        if target not in (None, inputs.STANDARD_INPUT):
            output.remark(f"Wrote {target}")


def _list(catalogue: Catalogue, *, as_json: bool) -> None:
    rows = [
        (each.type, each.version, each.title, each.sample is not None) for each in catalogue.definitions()
    ]
    if as_json:
        output.show_json([dict(zip(("sed", "version", "title", "sample"), row, strict=True)) for row in rows])
    else:
        output.show_table(["!SED", "!CDM", "Title", "Sample by hand"], rows)


def _content(definition: SedDefinition, seed: int | None, dialect: Dialect, form: str) -> bytes:
    """Return one document: the hand-made one where nothing else was asked for and there is one."""
    if seed is None and dialect is Dialect.TYPICAL and definition.sample is not None:
        data = definition.sample.read_bytes()
        return data if form == "xml" else _as_json(definition, xmlsafe.parse(data))
    return _written(definition, document(Generator(definition), seed or 0, dialect), form)


def _written(definition: SedDefinition, root: Element, form: str) -> bytes:
    if form == "json":
        return _as_json(definition, root)
    etree.indent(root)
    return xmlsafe.serialize(root) + b"\n"


def _as_json(definition: SedDefinition, root: Element) -> bytes:
    return json.dumps(Codec.of(definition).to_json(root), indent=2, ensure_ascii=False).encode() + b"\n"


def _write_many(
    generator: Generator, first: int, count: int, dialect: Dialect, form: str, target: str | None
) -> None:
    folder, definition = _folder(target), generator.definition
    with output.working(f"Writing {count} documents …"):
        for seed in range(first, first + count):
            data = _written(definition, document(generator, seed, dialect), form)
            (folder / f"{definition.type}-{seed:04}.{form}").write_bytes(data)
    output.remark(f"Wrote {count} documents to {folder}")


def _write_wrong(generator: Generator, seed: int, wanted: str, target: str | None) -> None:
    kit = Kit(generator, seed)
    with output.working("Breaking requirements one by one …"):
        found = list(kit.documents(None if wanted == _ALL else wanted))
    if not found:
        known = (*kit.kinds(), "rule", *kit.rules())
        raise failures.usage(
            f"Expected all, a kind of fault or the id of a rule of {generator.definition.type}, "
            f'found "{wanted}". {failures.nearest(wanted, known)}'
        )
    if target is None and len(found) == 1:
        inputs.write_output(None, found[0].data())
        output.remark(f"{found[0].what}; expects {found[0].expected.code} at {found[0].expected.path}")
        return
    _write_kit(kit, generator.definition, seed, found, _folder(target))


def _write_kit(
    kit: Kit, definition: SedDefinition, seed: int, found: Iterable[WrongDocument], folder: Path
) -> None:
    rows = []
    for number, wrong in enumerate(found, 1):
        name = f"{number:04}-{wrong.name}.xml"
        (folder / name).write_bytes(wrong.data())
        rows.append({"file": name, **wrong.as_dict()})
    manifest = {
        "sed": definition.type,
        "version": definition.version,
        "seed": seed,
        "documents": rows,
        "unreached": kit.unreached,
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / _MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    output.remark(f"Wrote {len(rows)} wrong documents and {_MANIFEST} to {folder}")


def _folder(target: str | None) -> Path:
    if target is None:
        raise failures.usage("Expected a folder for several documents. Name one with -o.")
    folder = Path(target)
    if folder.is_file():
        raise EnvironmentProblem(f'Expected a folder, found the file "{target}"', hint="Choose another -o.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
