"""``eessi-sim bucs``: the processes, the table of one, its diagram, and the static check of the tables."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, TypedDict, Unpack

import click
from rich.text import Text

from eessi_sim.buc import check as static
from eessi_sim.buc import diagram
from eessi_sim.buc.administration import SubProcess
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, CloseRule, Step
from eessi_sim.buc.diagram_svg import draw_svg
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.rina_names import RinaNames
from eessi_sim.buc.terms import Deadline, StepKind
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import bucs_run, bucs_sub, bucs_walk, failures, output
from eessi_sim.cli.networks import NetworkFile
from eessi_sim.identifiers import SedType

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
      eessi-sim bucs draw P_BUC_01 --svg > p_buc_01.svg
      eessi-sim bucs walk LA_BUC_02
      eessi-sim bucs run LA_BUC_02 --in-process
      eessi-sim bucs check --all
    """


def _tables_option(command: output.AnyCommand) -> output.AnyCommand:
    """Add ``--folder DIR`` (arrives as ``tables``)."""
    return click.option(
        "--folder",
        "tables",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        callback=lambda _ctx, _parameter, value: Definitions.load(value) if value else Definitions.default(),
        help="Tables of your own, sectors.yaml and <BUC>.yaml, instead of the built-in ones.",
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
      eessi-sim bucs show AD_BUC_02

    \b
    With --json: what "bucs list" has, and "legal_basis", "close_rule": {"mode", "by",
      "after_days", "since", "local", "reopen"}, "alternatives": [{"seds", "per"}],
      "limits": [{"text", "article", "months", "days", "from_month_end", "since", "until",
        "source", "confidence"}],
      "administrative": [{"sed", "rina": what RINA calls the action that makes it}],
      "steps": [{"sed", "kind", "from", "to", "starter", "after", "replies_to", "optional",
      "repeatable", "addressing", "permissions", "conditions", "bulk", "deadline", "note"}].
    """
    process = _find_any(tables, buc)
    if isinstance(process, SubProcess):
        bucs_sub.show_sub_process(process, as_json=as_json)
    elif as_json:
        output.show_json(_as_json(process))
    else:
        _show(process)


def _find(tables: Definitions, text: str, *, also: Collection[str] = ()) -> BucDefinition:
    known = {name.upper(): name for name in tables.names()}
    if text.upper() not in known:
        raise failures.usage(
            f'Expected a process that has a table, found "{text}". {failures.nearest(text, [*known, *also])}'
        )
    return tables.get(known[text.upper()])


def _as_json(definition: BucDefinition) -> dict[str, object]:
    close, law, names = definition.close, definition.legal_basis, RinaNames.default()
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
        "limits": [_limit_as_json(each) for each in definition.limits],
        "administrative": [
            {"sed": sed, "rina": names.name_of_create(sed)} for sed in _administrative(definition)
        ],
        "steps": [_step_as_json(step) for step in definition.steps],
    }


def _limit_as_json(limit: Deadline) -> dict[str, object]:
    return {
        "text": limit.text.strip(),
        "article": limit.article,
        "months": limit.months,
        "days": limit.days,
        "from_month_end": limit.from_month_end,
        "since": limit.since,
        "until": limit.until,
        "source": limit.source,
        "confidence": limit.confidence,
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
        "conditions": step.conditions,
        "bulk": step.bulk,
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
            "limits": "; ".join(_limit(each) for each in definition.limits),
            "closes": _closing(definition.close),
        }
    )
    output.show(Text())
    for kind in _KINDS:
        for role in CaseRole:
            steps = [step for step in definition.steps if step.kind is kind and step.sender is role]
            if steps:
                _show_steps(f"{_HEADINGS[role]} may send: {kind} SEDs", steps)
    names = RinaNames.default()
    own = {sed: f" ({words.display})" for sed, words in names.creates.items()}
    seds = ", ".join(f"{sed}{own.get(sed, '')}" for sed in _administrative(definition))
    output.show(Text(f"Administrative SEDs, some with the name of their action in RINA: {seds}"))


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


def _administrative(definition: BucDefinition) -> list[SedType]:
    return [sed for sed, rule in sorted(definition.administrative.items()) if definition.roles_of(rule)]


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
    names = " and ".join(name.replace("-", " ") for name in step.conditions)
    return f"{ground}, if {names}" if names else ground


def _receivers(step: Step) -> str:
    return f"{', '.join(sorted(role.short for role in step.to))}: {step.addressing.replace('_', ' ')}"


def _remarks(step: Step) -> str:
    remarks = ["several times"] if step.repeatable else []
    remarks += [] if step.optional or step.starter else ["must be sent"]
    remarks += ["with individual claims"] if step.bulk else []
    remarks += [_limit(step.deadline)] if step.deadline else []
    remarks += [step.note.strip()] if step.note else []
    return "; ".join(remarks)


def _limit(deadline: Deadline) -> str:
    article = f" ({deadline.article}, {deadline.confidence})" if deadline.article else ""
    return f"{deadline.text}{article}"


@bucs.command(short_help="A picture of one process, as Mermaid text or SVG.", epilog=failures.EXIT_STATUS)
@click.argument("buc")
@click.option("--horizontal", is_flag=True, help="Draw the horizontal SEDs too.")
@click.option("--svg", is_flag=True, help="Draw it as SVG, which every browser shows.")
@_tables_option
@output.shared_options
def draw(*, buc: str, horizontal: bool, svg: bool, tables: Definitions, as_json: bool) -> None:
    r"""Draw a process, or an administrative sub-process, one lane per role.

    Mermaid is text that GitHub, GitLab and many editors show as a picture.

    \b
    Example:
      eessi-sim bucs draw UB_BUC_01 > ub_buc_01.mmd
      eessi-sim bucs draw AD_BUC_02 --svg > ad_buc_02.svg

    With --json: {"buc", "mermaid"}, or {"buc", "svg"}.
    """
    process = _find_any(tables, buc)
    picture = (
        diagram.picture_of_sub_process(process)
        if isinstance(process, SubProcess)
        else diagram.picture_of(process, horizontal=horizontal)
    )
    text = draw_svg(picture) if svg else diagram.draw(picture)
    if as_json:
        output.show_json({"buc": process.buc, "svg" if svg else "mermaid": text})
    else:
        click.echo(text, nl=False)


def _find_any(tables: Definitions, text: str) -> BucDefinition | SubProcess:
    """Return a process or a sub-process by its id."""
    inner: dict[str, SubProcess] = {str(each.buc).upper(): each for each in tables.sub_processes}
    found = inner.get(text.upper())
    return found if found is not None else _find(tables, text, also=inner)


@bucs.command(short_help="What is wrong with the tables.", epilog=failures.EXIT_STATUS)
@click.argument("buc", required=False)
@click.option("--all", "all_", is_flag=True, help="Every process and sub-process; the same as naming none.")
@click.option("--schemas", is_flag=True, help="Also name the SEDs of other sectors that have no schema here.")
@_tables_option
@output.shared_options
def check(*, buc: str | None, all_: bool, schemas: bool, tables: Definitions, as_json: bool) -> None:
    r"""Check the tables: SEDs that nobody can send, steps never reached, rows that contradict each other.

    \b
    Example:
      eessi-sim bucs check --all
      eessi-sim bucs check P_BUC_01

    With --json: [{"buc", "kind": "error" or "info", "code", "file", "line", "text", "hint"}].
    """
    if buc is not None and all_:
        raise failures.usage("Expected one process or --all, found both.")
    found = [
        finding for finding in _findings(tables, buc) if schemas or finding.kind is static.FindingKind.ERROR
    ]
    if as_json:
        output.show_json([_finding_as_json(each) for each in found])
    elif found:
        rows = [(f"{Path(f.file).name}:{f.line}", f.kind, f.code, f.text, f.hint) for f in found]
        output.show_table(["Place", "!Kind", "!Code", "Finding", "Hint"], rows)
    else:
        output.show(
            Text.assemble(output.mark(passed=True), f"{_checked(tables, buc)} checked, nothing found")
        )
    if any(finding.kind is static.FindingKind.ERROR for finding in found):
        click.get_current_context().exit(failures.FINDING)


def _findings(tables: Definitions, buc: str | None) -> Iterator[static.Finding]:
    seds = {each.type for each in Catalogue.default().definitions()}
    around = static.Surroundings(seds, tables.sectors, tables.names())
    wanted: Sequence[BucDefinition | SubProcess] = (
        [_find_any(tables, buc)] if buc else [*tables.all(), *tables.sub_processes]
    )
    for process in wanted:
        if isinstance(process, SubProcess):
            yield from static.check_sub_process(process, tables.administrative, around)
        else:
            yield from static.check(process, around)


def _checked(tables: Definitions, buc: str | None) -> str:
    return (
        f"{buc.upper()}"
        if buc
        else f"{len(tables.names())} processes and {len(tables.sub_processes)} sub-processes"
    )


def _finding_as_json(finding: static.Finding) -> dict[str, object]:
    return {
        "buc": finding.buc,
        "kind": finding.kind,
        "code": finding.code,
        "file": finding.file,
        "line": finding.line,
        "text": finding.text,
        "hint": finding.hint,
    }


@bucs.command(short_help="Play the example runs of a process, step by step.", epilog=failures.EXIT_STATUS)
@click.argument("buc")
@click.option("--name", metavar="WALK", help="The one walk to play; the beginning of its name is enough.")
@_tables_option
@output.shared_options
def walk(*, buc: str, name: str | None, tables: Definitions, as_json: bool) -> None:
    r"""Play the example runs of a process on the engine: every copy of the case, no network.

    Without --name every walk is played, and shown whether it goes as the file says.

    \b
    Example:
      eessi-sim bucs walk LA_BUC_02
      eessi-sim bucs walk LA_BUC_02 --name "every counterparty approves"

    \b
    With --json: [{"name", "parties", "steps", "refused", "fault"}]; with --name:
      [{"step", "at", "sentence", "refused", "reason", "copies": {party: {"status", "documents"}}}].
    """
    runs = bucs_walk.runs_of(tables, _find_any(tables, buc))
    if name is None:
        bucs_walk.show_runs(runs, as_json=as_json)
    else:
        bucs_walk.show_run(runs, name, as_json=as_json)


class _RunOptions(TypedDict):
    """Options of ``bucs run`` that say how to play."""

    network: Path | None
    in_process: bool
    seed: int
    report: Path | None
    tables: Definitions
    as_json: bool


@bucs.command(short_help="Play an example run on real nodes, and compare.", epilog=failures.EXIT_STATUS)
@click.argument("buc", required=False)
@click.option("--all", "all_", is_flag=True, help="The full run of every process whose file has one.")
@click.option("--name", metavar="WALK", help="Another walk; the beginning of its name is enough.")
@click.option(
    "--network",
    type=NetworkFile(),
    metavar="FILE",
    help="Who may take part, a file or a name; europe by default.",
)
@click.option(
    "--in-process", is_flag=True, help="All nodes in this process, on simulated time, without sockets."
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Decides who plays whom.")
@click.option(
    "--report", type=click.Path(path_type=Path), metavar="DIR", help="Write a report with all messages."
)
@_tables_option
@output.shared_options
def run(*, buc: str | None, all_: bool, name: str | None, **options: Unpack[_RunOptions]) -> None:
    r"""Play a process from its first SED to its end between institutions that really exchange messages.

    "bucs walk" plays the same sentences on the pure engine. Here each party is an institution of the network: SEDs are
    composed, sealed, sent over AS4 (between processes over mutual TLS), checked, filed and receipted. Nobody answers
    by itself. After every step each copy must be what the engine says: status, documents, offered actions.
    "wait P60D" moves the clocks of all nodes. Who takes part is chosen among those competent, one per country.

    \b
    Example:
      eessi-sim bucs run LA_BUC_02
      eessi-sim bucs run UB_BUC_04 --in-process --report ub04
      eessi-sim bucs run P_BUC_01 --name "a question to one" --in-process
      eessi-sim bucs run --all --in-process

    \b
    With --json: {"runs": [{"buc", "walk", "cast", "fault", "steps": [{"step", "at", "sentence", "refused",
      "differences", "copies": {party: {"institution", "case", "status", "documents"}}}]}],
      "report": the report as report.json has it}.
    """
    tables = options["tables"]
    if (buc is None) is not all_ or (all_ and name is not None):
        raise failures.usage("Expected one process, with or without --name, or --all.")
    if buc is None:
        wanted = tuple(bucs_run.full_runs(tables.all()))
    else:
        definition = _find(tables, buc)
        runs = bucs_walk.runs_of(tables, definition)
        chosen = bucs_walk.find(runs, name).walk if name else bucs_run.longest(definition)
        wanted = ((definition, chosen),)
    choices = bucs_run.Choices(
        tables=tables,
        network=options["network"],
        is_in_process=options["in_process"],
        seed=options["seed"],
        report=options["report"],
        as_json=options["as_json"],
    )
    bucs_run.play(wanted, choices)
