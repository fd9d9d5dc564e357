"""``eessi-sim seds``: the catalogue of documents, and the dictionary and rules of one."""

import dataclasses
from typing import Final

import click
from rich.text import Text

from eessi_sim.cdm import comparison, dictionary, schematron
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.dictionary import Row
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cli import failures, inputs, output

_FIELD_SHARE: Final = 0.42
"""How much of the screen names may take; longer ones are folded."""
_TYPE_SHARE: Final = 0.22
_OCCURS_WIDTH: Final = 6
_GAP: Final = 3
"""Between two columns."""
"""Columns for names and types; the rest is for the meaning."""


@click.group(epilog=failures.EXIT_STATUS)
def seds() -> None:
    r"""The SEDs that are defined: which there are, and what one of them contains.

    \b
    Example:
      eessi-sim seds list
      eessi-sim seds show A003
    """


@seds.command("list", short_help="Every SED: title, versions, confidence.", epilog=failures.EXIT_STATUS)
@click.option("--sector", metavar="SECTOR", help="Only this sector: LA, P, U, H or X.")
@inputs.cdm_option
@output.shared_options
def list_(*, sector: str | None, catalogue: Catalogue, as_json: bool) -> None:
    r"""List every SED with its title, its versions, and how sure we are of its content.

    documented: written in a public source; observed: seen in a public sample or program; inferred: our judgement.

    \b
    Example:
      eessi-sim seds list --sector LA

    \b
    With --json: [{"sed", "sector", "title", "versions": [str], "confidence",
      "names", "package", "legal_basis", "sample": bool, "rules": int}].
    """
    groups: dict[str, list[SedDefinition]] = {}
    for definition in catalogue.definitions():
        if sector is None or definition.sector == sector.upper():
            groups.setdefault(definition.type, []).append(definition)
    if not groups:
        sectors = dict.fromkeys(each.sector for each in catalogue.definitions())
        raise failures.usage(f'Expected a sector, found "{sector}". Known here: {", ".join(sectors)}.')
    if as_json:
        output.show_json([_summary(group) for group in groups.values()])
        return
    rows = [
        (
            group[-1].type,
            group[-1].sector,
            group[-1].title,
            ", ".join(each.version for each in group),
            group[-1].facts.confidence,
        )
        for group in groups.values()
    ]
    output.show_table(["!SED", "!Sector", "Title", "!CDM", "!Content is"], rows)


def _summary(group: list[SedDefinition]) -> dict[str, object]:
    newest, facts = group[-1], group[-1].facts
    return {
        "sed": newest.type,
        "sector": newest.sector,
        "title": newest.title,
        "versions": [each.version for each in group],
        "confidence": facts.confidence,
        "names": facts.names,
        "package": facts.package,
        "legal_basis": facts.legal_basis,
        "sample": newest.sample is not None,
        "rules": len(RuleSet.load(newest.rules).rules),
    }


@seds.command(short_help="Fields, rules and codes of one SED.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@click.option("--version", metavar="CDM", help="Version of the data model; the newest one by default.")
@click.option("--codes", is_flag=True, help="Also list the codes of every code list.")
@inputs.cdm_option
@output.shared_options
def show(*, sed: str, version: str | None, codes: bool, catalogue: Catalogue, as_json: bool) -> None:
    r"""Show the data dictionary and the business rules of a SED.

    One row per field: its XPath below the root, what it may hold, how often it occurs, what it means. A code
    travels as <value>; its list stands in brackets. Marks: * content observed, ? inferred, otherwise documented.

    \b
    Example:
      eessi-sim seds show A003
      eessi-sim seds show U002 --codes

    \b
    With --json: {"sed", "version", "sector", "title", "legal_basis", "namespace",
      "confidence", "source", "fields": [{"path", "type", "occurrence", "code_list",
      "meaning", "confidence", "source"}], "code_lists": {name: [{"code", "label"}]},
      "rules": [{"id", "severity", "context", "test", "message", "hint", "source",
      "confidence"}]}.
    """
    definition = inputs.find_definition(catalogue, sed, version)
    if as_json:
        output.show_json(_as_json(definition))
    else:
        _show(definition, codes=codes)


def _as_json(definition: SedDefinition) -> dict[str, object]:
    facts = definition.facts
    return {
        "sed": definition.type,
        "version": definition.version,
        "sector": definition.sector,
        "title": definition.title,
        "legal_basis": facts.legal_basis,
        "namespace": definition.namespace,
        "confidence": facts.confidence,
        "source": facts.source,
        "fields": [dataclasses.asdict(row) for row in dictionary.rows(definition)],
        "code_lists": {
            name: [{"code": code.code, "label": code.label} for code in codes.values]
            for name, codes in dictionary.code_lists(definition).items()
        },
        "rules": [_rule_as_json(rule) for rule in RuleSet.load(definition.rules).rules],
    }


def _rule_as_json(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "context": rule.context.text,
        "test": rule.test,
        "message": rule.message.template,
        "hint": rule.hint,
        "source": rule.source,
        "confidence": rule.confidence,
    }


def _show(definition: SedDefinition, *, codes: bool) -> None:
    facts = definition.facts
    output.show(Text(f"{definition.type}  {definition.title}", style="bold"))
    output.show_fields(
        {
            "CDM": definition.version,
            "namespace": definition.namespace,
            "law": facts.legal_basis,
            "purpose": facts.documentation,
            "content": f"{facts.confidence} ({facts.source})" if facts.source else facts.confidence,
            "names": facts.names,
        }
    )
    output.show(Text())
    fields = output.table("Field", "!Occurs", "Type", "Meaning")
    rows = dictionary.rows(definition)
    # Rich takes more than the screen has when all columns are long, and cuts off what is too much.
    room = output.console().width - _OCCURS_WIDTH - 3 * _GAP
    field = min(max(len(_name(row)) for row in rows), int(room * _FIELD_SHARE))
    kind = min(max(len(_type(row)) for row in rows), int(room * _TYPE_SHARE))
    widths = (field, _OCCURS_WIDTH, kind, room - field - kind)
    for column, width in zip(fields.columns, widths, strict=True):
        column.width = width
    for row in rows:
        fields.add_row(_name(row), Text(row.occurrence), Text(_type(row)), Text(row.meaning))
    output.show(fields)
    rules = RuleSet.load(definition.rules).rules
    if rules:
        told = [(rule.id, rule.severity, rule.message.template, rule.source) for rule in rules]
        output.show(Text())
        output.show_table(["!Rule", "!Severity", "Message", "Source"], told, title="Business rules")
    if codes:
        _show_codes(definition)


def _name(row: Row) -> Text:
    """Return the last step of the path, indented by its depth, with the mark of its confidence."""
    *above, name = row.path.split("/")
    mark = {"observed": " *", "inferred": " ?"}.get(row.confidence or "", "")
    text = Text("  " * len(above) + name, style="bold" if row.type == "group" else "")
    text.append(mark, style=output.DIM)
    return text


def _type(row: Row) -> str:
    return f"{row.type} [{row.code_list}]" if row.code_list else row.type


def _show_codes(definition: SedDefinition) -> None:
    for name, codes in dictionary.code_lists(definition).items():
        output.show(Text())
        output.show_table(["!Code", "Label"], [(code.code, code.label) for code in codes.values], title=name)


@seds.command("schematron", short_help="Rules of one SED for Schematron tools.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@click.option("--version", metavar="CDM", help="Version of the data model; the newest one by default.")
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write; standard output by default.")
@inputs.cdm_option
@output.shared_options
def schematron_(
    *, sed: str, version: str | None, target: str | None, catalogue: Catalogue, as_json: bool
) -> None:
    r"""Write the business rules of a SED as ISO Schematron.

    Rules with functions of the prefix sim: need a processor that offers them; the others run everywhere.

    \b
    Example:
      eessi-sim seds schematron A003 -o a003.sch

    \b
    With --json: {"sed", "version", "schematron"}.
    """
    definition = inputs.find_definition(catalogue, sed, version)
    written = schematron.write(definition, RuleSet.load(definition.rules).rules)
    if as_json:
        output.show_json(
            {"sed": definition.type, "version": definition.version, "schematron": written.decode()}
        )
    else:
        inputs.write_output(target, written)


@seds.command("diff", short_help="What changed between two versions.", epilog=failures.EXIT_STATUS)
@click.argument("sed")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@inputs.cdm_option
@output.shared_options
def diff(*, sed: str, old: str, new: str, catalogue: Catalogue, as_json: bool) -> None:
    r"""Compare the fields, codes and rules of a SED in two versions of the data model.

    \b
    Example:
      eessi-sim seds diff A008 4.3 4.4

    \b
    With --json: {"sed", "old", "new", "changes": [{"kind", "name", "old", "new"}]};
      null stands for what a version does not have.
    """
    pair = [inputs.find_definition(catalogue, sed, version) for version in (old, new)]
    changes = comparison.compare(*pair)
    if as_json:
        told = [dataclasses.asdict(change) for change in changes]
        output.show_json({"sed": pair[0].type, "old": old, "new": new, "changes": told})
    elif changes:
        rows = [(change.kind, change.name, change.old or "-", change.new or "-") for change in changes]
        output.show_table(["!Kind", "Name", f"CDM {old}", f"CDM {new}"], rows)
    else:
        output.show(Text(f"{pair[0].type} has the same fields, codes and rules in CDM {old} and {new}"))
