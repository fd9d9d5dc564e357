"""Reads a plan from YAML, and draws from a seed what happens when."""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from eessi_sim.chaos.model import Disturbance, Kind, Load, Plan, Range, Spell, Target
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.identifiers import BucType, InstitutionId, SedType

DEFAULT: Final = Path(__file__).with_name("plan.yaml")
_RESPITE: Final = 1.0
"""Seconds at the beginning and at the end in which nothing begins."""


def load_plan(file: Path = DEFAULT) -> Plan:
    """Read a plan.

    Raises:
        DefinitionError: the file is wrong; names file, line and key.
    """
    top = load_yaml(file).mapping(required=("title", "institutions", "load", "disturbances"))
    institutions = top.each("institutions", lambda node: node.parsed(InstitutionId))
    if len(set(institutions)) < 2:
        raise top["institutions"].error("Expected two institutions or more, found fewer")
    return Plan(
        title=top["title"].text(),
        institutions=institutions,
        load=_load(top["load"]),
        spells=top.each("disturbances", _spell),
    )


def schedule(
    plan: Plan, *, point: InstitutionId, seconds: float, seed: int, kinds: frozenset[Kind] = frozenset(Kind)
) -> tuple[Disturbance, ...]:
    """Return what happens in so many seconds, in order; the same for the same seed.

    Args:
        plan: how often.
        point: the access point.
        seconds: length of the experiment.
        seed: decides times, nodes and strengths.
        kinds: only these.
    """
    dice = Random(seed)  # noqa: S311 - repeats itself on purpose
    found: list[Disturbance] = []
    for spell in plan.spells:
        parties = _parties(spell.at, point, plan.institutions)
        number = max(1, round(seconds / spell.every))
        found.extend(_drawn(dice, spell, parties, seconds) for _ in range(number))
    return tuple(sorted(each for each in found if each.kind in kinds))


def _drawn(dice: Random, spell: Spell, parties: Sequence[InstitutionId], seconds: float) -> Disturbance:
    lasts = min(dice.uniform(spell.lasts.low, spell.lasts.high), seconds / 2)
    return Disturbance(
        at=round(dice.uniform(_RESPITE, max(_RESPITE, seconds - lasts - _RESPITE)), 3),
        kind=spell.kind,
        party=dice.choice(parties),
        seconds=round(lasts, 3),
        amount=round(dice.uniform(spell.amount.low, spell.amount.high), 3),
    )


def _parties(
    at: Target, point: InstitutionId, institutions: Sequence[InstitutionId]
) -> tuple[InstitutionId, ...]:
    points = () if at is Target.INSTITUTIONS else (point,)
    return points if at is Target.POINT else (*points, *institutions)


def _load(node: Node) -> Load:
    keys = node.mapping(required=("buc", "seds", "lanes", "under_way"))
    seds = keys.each("seds", lambda each: each.parsed(SedType))
    if not seds:
        raise keys["seds"].error("Expected a SED to send, found none")
    return Load(
        buc=keys["buc"].parsed(BucType),
        seds=seds,
        lanes=_positive(keys["lanes"]),
        under_way=_positive(keys["under_way"]),
    )


def _spell(node: Node) -> Spell:
    keys = node.mapping(required=("kind", "every"), allowed=("lasts", "amount", "at", "explains"))
    every = _seconds(keys["every"])
    if every <= 0:
        raise keys["every"].error("Expected more than no time, found none")
    return Spell(
        kind=keys["kind"].member(Kind),
        every=every,
        lasts=keys.read(
            "lasts", lambda each: _range(each, [_seconds(end) for end in each.sequence()]), Range()
        ),
        amount=keys.read(
            "amount", lambda each: _range(each, [float(end.integer()) for end in each.sequence()]), Range()
        ),
        at=keys.read("at", lambda each: each.member(Target), Target.ANY),
        explains=keys.each("explains", Node.text),
    )


def _range(node: Node, ends: list[float]) -> Range:
    if len(ends) != 2 or ends[0] > ends[1]:
        raise node.error(f"Expected the least and the most, found {ends}", hint="Write [1, 10].")
    return Range(*ends)


def _seconds(node: Node) -> float:
    return node.duration().total_seconds()


def _positive(node: Node) -> int:
    number = node.integer()
    if number < 1:
        raise node.error(f"Expected 1 or more, found {number}")
    return number
