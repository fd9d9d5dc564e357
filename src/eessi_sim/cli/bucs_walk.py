"""``eessi-sim bucs walk``: plays the example runs of a process, offline, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
from rich.text import Text

from eessi_sim.buc import walk as walking
from eessi_sim.buc.administration import SubProcess
from eessi_sim.buc.case import Case
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.terms import Walk
from eessi_sim.cli import failures, output


@dataclass(frozen=True, slots=True)
class Run:
    """A walk with the process in whose case it is played."""

    definition: BucDefinition
    walk: Walk


def runs_of(tables: Definitions, process: BucDefinition | SubProcess) -> tuple[Run, ...]:
    """Return the walks of a process, or of a sub-process, each with the table that it needs."""
    if isinstance(process, SubProcess):
        return tuple(Run(tables.get(walk.within or ""), walk) for walk in process.walks)
    return tuple(Run(process, walk) for walk in process.walks)


def show_runs(runs: Sequence[Run], *, as_json: bool) -> None:
    """Play every walk and show which goes as its file says; exit status 1 when one does not."""
    played = [(run, walking.find_fault(run.definition, run.walk)) for run in runs]
    faults = [fault for _, fault in played if fault]
    if as_json:
        output.show_json(
            [
                {
                    "name": run.walk.name,
                    "parties": run.walk.parties,
                    "steps": run.walk.steps,
                    "refused": run.walk.because,
                    "fault": fault,
                }
                for run, fault in played
            ]
        )
    elif not played:
        output.show(Text("The file of this process has no walks."))
    else:
        rows = [
            (output.tick(fault is None), run.walk.name, len(run.walk.steps), run.walk.because or "works")
            for run, fault in played
        ]
        output.show_table(["", "Walk", "!Steps", "!Must be"], rows)
        for fault in faults:
            output.show(Text(fault))
        refused = sum(1 for run in runs if run.walk.because)
        output.show(Text(f"{len(played) - refused} that must work, {refused} that must be refused"))
    if faults:
        click.get_current_context().exit(failures.FINDING)


def show_run(runs: Sequence[Run], name: str, *, as_json: bool) -> None:
    """Play one walk and show each of its steps."""
    run = find(runs, name)
    moments = list(walking.moments(run.definition, run.walk))
    if as_json:
        output.show_json([_as_json(moment) for moment in moments])
        return
    output.show(Text(run.walk.name, style="bold"))
    rows = [
        (moment.number, moment.now.date().isoformat(), moment.step, _came_of(moment), _copies(moment.cases))
        for moment in moments
    ]
    output.show_table(["!Step", "!Date", "Sentence", "Came of it", "Copies, with documents"], rows)
    fault = walking.find_fault(run.definition, run.walk)
    because = f"refused as {run.walk.because}, as it must be" if run.walk.because else "works, as it must"
    output.show(Text.assemble(output.mark(passed=fault is None), fault or because))
    if fault:
        click.get_current_context().exit(failures.FINDING)


def find(runs: Sequence[Run], name: str) -> Run:
    """Return the walk with this name; its beginning is enough where it fits one only."""
    known = {run.walk.name.lower(): run for run in runs}
    found = [known[each] for each in known if each.startswith(name.lower())]
    exact = known.get(name.lower())
    if exact is not None or len(found) == 1:
        return exact or found[0]
    if found:
        names = ", ".join(f'"{run.walk.name}"' for run in found)
        raise failures.usage(f'Expected the name of one walk, found "{name}", which begins several: {names}.')
    raise failures.usage(
        f'Expected the name of a walk, found "{name}". {failures.nearest(name.lower(), known)}'
    )


def _came_of(moment: walking.Moment) -> str:
    return f"refused: {moment.refusal}" if moment.refusal else "done"


def _copies(cases: Mapping[str, Case]) -> str:
    return ", ".join(f"{party} {case.status} {len(case.documents)}" for party, case in cases.items())


def _as_json(moment: walking.Moment) -> dict[str, object]:
    return {
        "step": moment.number,
        "at": moment.now,
        "sentence": moment.step,
        "refused": moment.refusal.code if moment.refusal else None,
        "reason": str(moment.refusal) if moment.refusal else None,
        "copies": {
            party: {"status": case.status, "documents": [f"{d.type} {d.status}" for d in case.documents]}
            for party, case in moment.cases.items()
        },
    }
