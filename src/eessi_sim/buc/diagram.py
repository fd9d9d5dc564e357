"""Draws a process from its own table, as Mermaid text: one lane per role, one arrow per "after" and reply.

Only text is made here; whoever shows it turns it into a picture.
"""

from collections.abc import Iterator

from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, Step, StepKind

_LANES = ((CaseRole.CASE_OWNER, "Case Owner"), (CaseRole.COUNTERPARTY, "Counterparty"))


def draw(definition: BucDefinition, *, horizontal: bool = False) -> str:
    """Return a Mermaid flowchart of a process.

    Args:
        definition: the table.
        horizontal: whether to draw the horizontal SEDs too.
    """
    steps = [step for step in definition.steps if horizontal or step.kind is StepKind.BUSINESS]
    lines = [
        "---",
        f'title: "{definition.buc} {definition.title.text}"',
        "---",
        "flowchart LR",
        *_lanes(definition, steps),
        *dict.fromkeys(line for step in steps for line in _arrows(step, steps)),
        *_closing(definition),
        "  classDef starter stroke-width:3px",
    ]
    return "\n".join(lines) + "\n"


def _lanes(definition: BucDefinition, steps: list[Step]) -> Iterator[str]:
    for role, title in _LANES:
        yield f'  subgraph {role.short}["{title}"]'
        boxes: dict[str, str] = {}
        for step in steps:
            if step.sender is role:
                boxes.setdefault(_node(step), _box(step))
        yield from boxes.values()
        if role in definition.close.by:
            yield f'    {role.short}_X001(["X001 closes the case"])'
        yield "  end"


def _box(step: Step) -> str:
    name = _family(step)
    text = f"{name} *" if step.repeatable else name
    return f'    {_node(step)}["{text}"]{":::starter" if step.starter else ""}'


def _arrows(step: Step, steps: list[Step]) -> Iterator[str]:
    for ground in steps:
        if ground.sed in step.replies_to and step.sender in ground.to:
            yield f"  {_node(ground)} -. reply .-> {_node(step)}"
        elif ground.sed in step.after and (step.sender in ground.to or step.sender is ground.sender):
            yield f"  {_node(ground)} --> {_node(step)}"


def _closing(definition: BucDefinition) -> Iterator[str]:
    rule = definition.close
    if rule.after is None or rule.since is None:
        return
    for role in sorted(rule.by):
        yield f'  {role.short}_{rule.since} == "after {rule.after.days} days" ==> {role.short}_X001'


def _node(step: Step) -> str:
    return f"{step.sender.short}_{_family(step)}"


def _family(step: Step) -> str:
    """P3000_AT, P3000_BE and so on are drawn as one."""
    return step.sed.split("_")[0]
