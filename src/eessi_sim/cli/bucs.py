"""``eessi-sim bucs``: the processes, the table of one, its diagram, and the static check of the tables."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim.buc import check as static
from eessi_sim.buc import diagram
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, CloseRule, Step, StepKind
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, output

_KINDS: Final = (StepKind.BUSINESS, StepKind.HORIZONTAL)
_PEOPLE: Final = {CaseRole.CASE_OWNER: "the case owner", CaseRole.COUNTERPARTY: "a counterparty"}
_HEADINGS: Final = {CaseRole.CASE_OWNER: "The case owner (CO)", CaseRole.COUNTERPARTY: "A counterparty (CP)"}


@click.group(epilog=failures.EXIT_STATUS)
def bucs() -> None:
    r"""The Business Use Cases: who may send which SED after which, and how a case ends.

    \b
    Example:
      eessi-sim bucs list
      eessi-sim bucs show LA_BUC_02
      eessi-sim bucs draw P_BUC_01 > p_buc_01.mmd
    """


def _tables_option(command: output.AnyCommand) -> output.AnyCommand:
    """Add ``--folder DIR`` (arrives as ``tables``)."""
    return click.option(
        "--folder",
        "tables",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        callback=lambda _ctx, _parameter, value: Definitions.load(value) if value else Definitions.default(),
        help="Tables of your own, AD.yaml and <BUC>.yaml, instead of the built-in ones.",
    )(command)


@bucs.command(
    "list", short_help="Every process: title, first SEDs, how it ends.", epilog=failures.EXIT_STATUS
)
@_tables_option
@output.shared_options
def list_(*, tables: Definitions, as_json: bool) -> None:
    r"""List every process with its title, its first SEDs, and how many counterparties it has.

    \b
    Example:
      eessi-sim bucs list

    With --json: [{"buc", "title", "sector", "cdm", "participation", "starters": [str], "close", "seds": [str]}].
    """
    definitions = tables.all()
    if as_json:
        output.show_json([_summary(each) for each in definitions])
        return
    rows = [
        (each.buc, each.title.text, ", ".join(each.starters), each.participation, each.close.mode, each.cdm)
        for each in definitions
    ]
    output.show_table(["!BUC", "Title", "Starts with", "!Parties", "!Closes", "!CDM"], rows)


def _summary(definition: BucDefinition) -> dict[str, object]:
    return {
        "buc": definition.buc,
        "title": definition.title.text,
        "sector": definition.sector,
        "cdm": definition.cdm,
        "participation": definition.participation,
        "starters": definition.starters,
        "close": definition.close.mode,
        "seds": definition.seds(),
    }


@bucs.command(short_help="The table of one process, for both roles.", epilog=failures.EXIT_STATUS)
@click.argument("buc")
@_tables_option
@output.shared_options
def show(*, buc: str, tables: Definitions, as_json: bool) -> None:
    r"""Show the table of a process for both roles: each SED, what comes before it, to whom it goes.

    \b
    Example:
      eessi-sim bucs show LA_BUC_02

    \b
    With --json: what "bucs list" has, and "legal_basis", "close_rule": {"mode", "by",
      "after_days", "since", "local", "reopen"}, "alternatives": [{"seds", "per"}],
      "steps": [{"sed", "kind", "from", "to", "starter", "after", "replies_to", "optional",
      "repeatable", "addressing", "permissions", "condition", "deadline", "note"}].
    """
    definition = _find(tables, buc)
    if as_json:
        output.show_json(_as_json(definition))
    else:
        _show(definition)


def _find(tables: Definitions, text: str) -> BucDefinition:
    known = {str(each.buc).upper(): each for each in tables.all()}
    if text.upper() not in known:
        raise failures.usage(
            f'Expected a process that has a table, found "{text}". {failures.nearest(text, known)}'
        )
    return known[text.upper()]


def _as_json(definition: BucDefinition) -> dict[str, object]:
    close, law = definition.close, definition.legal_basis
    return {
        **_summary(definition),
        "legal_basis": law.text if law else None,
        "close_rule": {
            "mode": close.mode,
            "by": sorted(close.by),
            "after_days": close.after.days if close.after else None,
            "since": close.since,
            "local": sorted(close.local),
            "reopen": sorted(close.reopen),
        },
        "alternatives": [{"seds": each.seds, "per": each.per} for each in definition.alternatives],
        "steps": [_step_as_json(step) for step in definition.steps],
    }


def _step_as_json(step: Step) -> dict[str, object]:
    return {
        "sed": step.sed,
        "kind": step.kind,
        "from": step.sender,
        "to": sorted(step.to),
        "starter": step.starter,
        "after": step.after,
        "replies_to": step.replies_to,
        "optional": step.optional,
        "repeatable": step.repeatable,
        "addressing": step.addressing,
        "permissions": sorted(step.permissions),
        "condition": step.condition,
        "deadline": step.deadline.text if step.deadline else None,
        "note": step.note,
    }


def _show(definition: BucDefinition) -> None:
    law = definition.legal_basis
    output.show(Text(f"{definition.buc}  {definition.title.text}", style="bold"))
    output.show_fields(
        {
            "law": f"{law.text} ({law.confidence})" if law else "",
            "sector": definition.sector,
            "table of": f"CDM {definition.cdm}",
            "parties": f"one case owner, {_counterparties(definition)}",
            "starts with": ", ".join(definition.starters),
            "either or": "; ".join(
                f"{' or '.join(each.seds)}, one per {each.per}" for each in definition.alternatives
            ),
            "closes": _closing(definition.close),
        }
    )
    output.show(Text())
    for kind in _KINDS:
        for role in CaseRole:
            steps = [step for step in definition.steps if step.kind is kind and step.sender is role]
            if steps:
                _show_steps(f"{_HEADINGS[role]} may send: {kind} SEDs", steps)
    output.show(Text(f"Administrative SEDs in every process: {_administrative(definition)}"))


def _counterparties(definition: BucDefinition) -> str:
    return "one counterparty" if definition.is_bilateral else "one or more counterparties"


def _closing(rule: CloseRule) -> str:
    parts = []
    if rule.by:
        text = f"for all by X001 of {_roles(rule.by)}"
        parts.append(f"{text}, {rule.after.days} days after {rule.since}" if rule.after else text)
    if rule.local:
        parts.append(f"each copy by itself: {_roles(rule.local)}")
    return "; ".join(parts) or rule.mode


def _roles(roles: frozenset[CaseRole]) -> str:
    return " and ".join(_PEOPLE[role] for role in sorted(roles))


def _administrative(definition: BucDefinition) -> str:
    return ", ".join(
        sed for sed, rule in sorted(definition.administrative.items()) if definition.roles_of(rule)
    )


def _show_steps(title: str, steps: Sequence[Step]) -> None:
    rows = [(_name(group), *row) for row, group in _families(steps)]
    output.show_table(["!SED", "When", "!To", "Remarks"], rows, title=title)
    output.show(Text())


def _families(steps: Sequence[Step]) -> list[tuple[tuple[str, str, str], list[Step]]]:
    """Return rows with the steps they stand for: P3000_AT, P3000_BE and so on share one."""
    groups: dict[tuple[str, tuple[str, str, str]], list[Step]] = {}
    for step in steps:
        row = (_when(step), _receivers(step), _remarks(step))
        groups.setdefault((step.sed.partition("_")[0], row), []).append(step)
    return [(row, group) for (_, row), group in groups.items()]


def _name(group: Sequence[Step]) -> Text:
    step = group[0]
    name = step.sed if len(group) == 1 else f"{step.sed.partition('_')[0]}_XX ({len(group)})"
    return Text(name, style="bold" if step.starter else "")


def _when(step: Step) -> str:
    if step.starter:
        return "starts the case"
    ground = (
        f"as reply to {', '.join(step.replies_to)}" if step.is_reply else f"after {', '.join(step.after)}"
    )
    ground = f"{ground} again" if step.again else ground
    return f"{ground}, if {step.condition.replace('-', ' ')}" if step.condition else ground


def _receivers(step: Step) -> str:
    return f"{', '.join(sorted(role.short for role in step.to))}: {step.addressing.replace('_', ' ')}"


def _remarks(step: Step) -> str:
    remarks = ["several times"] if step.repeatable else []
    remarks += [] if step.optional or step.starter else ["must be sent"]
    remarks += [step.deadline.text] if step.deadline else []
    remarks += [step.note.strip()] if step.note else []
    return "; ".join(remarks)


@bucs.command(short_help="A picture of one process, as Mermaid text.", epilog=failures.EXIT_STATUS)
@click.argument("buc")
@click.option("--horizontal", is_flag=True, help="Draw the horizontal SEDs too.")
@_tables_option
@output.shared_options
def draw(*, buc: str, horizontal: bool, tables: Definitions, as_json: bool) -> None:
    r"""Draw a process as a Mermaid flowchart, one lane per role.

    Mermaid is text that GitHub, GitLab and many editors show as a picture.

    \b
    Example:
      eessi-sim bucs draw UB_BUC_01 > ub_buc_01.mmd

    With --json: {"buc", "mermaid"}.
    """
    definition = _find(tables, buc)
    picture = diagram.draw(definition, horizontal=horizontal)
    if as_json:
        output.show_json({"buc": definition.buc, "mermaid": picture})
    else:
        click.echo(picture, nl=False)


@bucs.command(short_help="What is wrong with the tables.", epilog=failures.EXIT_STATUS)
@click.argument("buc", required=False)
@click.option("--schemas", is_flag=True, help="Also name the SEDs that have no schema here.")
@_tables_option
@output.shared_options
def check(*, buc: str | None, schemas: bool, tables: Definitions, as_json: bool) -> None:
    r"""Check the tables: SEDs that nobody can send, steps never reached, rows that contradict each other.

    \b
    Example:
      eessi-sim bucs check
      eessi-sim bucs check P_BUC_01

    With --json: [{"buc", "kind": "error" or "warning", "text", "hint"}].
    """
    definitions = [_find(tables, buc)] if buc else list(tables.all())
    seds = {each.type for each in Catalogue.default().definitions()} if schemas else None
    found = [finding for definition in definitions for finding in static.check(definition, seds)]
    if as_json:
        output.show_json(
            [{"buc": each.buc, "kind": each.kind, "text": each.text, "hint": each.hint} for each in found]
        )
    elif found:
        output.show_table(
            ["!BUC", "!Kind", "Finding", "Hint"], [(f.buc, f.kind, f.text, f.hint) for f in found]
        )
    else:
        output.show(
            Text.assemble(output.mark(passed=True), f"{len(definitions)} tables checked, nothing found")
        )
    if any(finding.kind is static.FindingKind.ERROR for finding in found):
        click.get_current_context().exit(failures.FINDING)
