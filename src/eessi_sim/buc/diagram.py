"""What the picture of a process shows: one lane per role, a box per SED, an arrow per "after" and reply.

Made from the table alone. ``draw`` writes it as Mermaid text, which others turn into a picture;
``diagram_svg`` draws it itself.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from eessi_sim.buc.administration import CaseEffect, Offered, SubProcess
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition, Step
from eessi_sim.buc.terms import StepKind

_LANES = {CaseRole.CASE_OWNER: "Case Owner", CaseRole.COUNTERPARTY: "Counterparty"}


class ArrowKind(StrEnum):
    """Why one box comes after another."""

    AFTER = "after"
    REPLY = "reply"
    DELAY = "delay"


@dataclass(frozen=True, slots=True)
class Box:
    """A SED that the role of its lane sends; or the end of the case."""

    id: str
    lane: str
    text: str
    starter: bool = False
    closing: bool = False


@dataclass(frozen=True, slots=True)
class Arrow:
    """One box comes after another."""

    start: str
    end: str
    kind: ArrowKind
    text: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn."""

    title: str
    lanes: dict[str, str]
    """Title of each lane by its id, in their order."""
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def picture_of(definition: BucDefinition, *, horizontal: bool = False) -> Picture:
    """Return the picture of a process.

    Args:
        definition: the table.
        horizontal: whether to show the horizontal SEDs too.
    """
    steps = [step for step in definition.steps if horizontal or step.kind is StepKind.BUSINESS]
    closing = _closing_box(definition)
    boxes: dict[str, Box] = {}
    for step in sorted(steps, key=lambda each: not each.starter):
        boxes.setdefault(_node(step), _box(step))
    arrows = dict.fromkeys(arrow for step in steps for arrow in _arrows(step, steps))
    return Picture(
        title=f"{definition.buc} {definition.title.text}",
        lanes={role.short: title for role, title in _LANES.items()},
        boxes=(*boxes.values(), *closing),
        arrows=(*arrows, *_delays(definition)),
    )


def picture_of_sub_process(process: SubProcess) -> Picture:
    """Return the picture of an administrative sub-process: who starts it, and the others."""
    lanes = {"S": "Who starts it", "O": "The others"}
    boxes = [
        Box(f"{_side(rule.offered)}_{rule.sed}", _side(rule.offered), rule.sed, rule.replies_to is None)
        for rule in process.rules
    ]
    ids = {box.text: box.id for box in boxes}
    arrows = [
        Arrow(ids[rule.replies_to], ids[rule.sed], ArrowKind.REPLY, "reply")
        for rule in process.rules
        if rule.replies_to in ids and rule.replies_to
    ]
    return Picture(f"{process.buc} {process.title.text}", lanes, tuple(boxes), tuple(arrows))


def _side(offered: Offered) -> str:
    return "O" if offered is Offered.REPLY else "S"


def draw(picture: Picture) -> str:
    """Return a picture as Mermaid flowchart."""
    lines = [
        "---",
        f'title: "{picture.title}"',
        "---",
        "flowchart LR",
        *(line for lane, title in picture.lanes.items() for line in _lane(picture, lane, title)),
        *(_ARROWS[arrow.kind].format(a=arrow) for arrow in picture.arrows),
        "  classDef starter stroke-width:3px",
    ]
    return "\n".join(lines) + "\n"


_ARROWS = {
    ArrowKind.AFTER: "  {a.start} --> {a.end}",
    ArrowKind.REPLY: "  {a.start} -. {a.text} .-> {a.end}",
    ArrowKind.DELAY: '  {a.start} == "{a.text}" ==> {a.end}',
}


def _lane(picture: Picture, lane: str, title: str) -> Iterator[str]:
    yield f'  subgraph {lane}["{title}"]'
    for box in picture.boxes:
        if box.lane == lane:
            text = f'(["{box.text}"])' if box.closing else f'["{box.text}"]'
            yield f"    {box.id}{text}{':::starter' if box.starter else ''}"
    yield "  end"


def _box(step: Step) -> Box:
    name = _family(step)
    return Box(_node(step), step.sender.short, f"{name} *" if step.repeatable else name, step.starter)


def _closing_box(definition: BucDefinition) -> Iterator[Box]:
    rule = definition.rule_with(CaseEffect.CLOSE_CASE)
    for role in sorted(definition.close.by):
        if rule is not None:
            yield Box(f"{role.short}_{rule.sed}", role.short, f"{rule.sed} closes the case", closing=True)


def _arrows(step: Step, steps: Iterable[Step]) -> Iterator[Arrow]:
    for ground in steps:
        if ground.sed in step.replies_to and step.sender in ground.to:
            yield Arrow(_node(ground), _node(step), ArrowKind.REPLY, "reply")
        elif ground.sed in step.after and (step.sender in ground.to or step.sender is ground.sender):
            yield Arrow(_node(ground), _node(step), ArrowKind.AFTER)


def _delays(definition: BucDefinition) -> Iterator[Arrow]:
    rule = definition.close
    if rule.after is None or rule.since is None:
        return
    for box in _closing_box(definition):
        yield Arrow(f"{box.lane}_{rule.since}", box.id, ArrowKind.DELAY, f"after {rule.after.days} days")


def _node(step: Step) -> str:
    return f"{step.sender.short}_{_family(step)}"


def _family(step: Step) -> str:
    """The variants of a SED for each country are drawn as one."""
    return step.sed.split("_")[0]
