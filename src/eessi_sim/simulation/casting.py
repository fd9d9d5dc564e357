"""Gives the parties of a walk to institutions of a network: competent ones, each of another country.

The choice follows from a seed, so that the same walk is played by the same institutions again.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from eessi_sim.buc import walk as walking
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.terms import Walk
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.ir.model import ApplicationRole, Institution

OWNER = "CO"
"""Name of the case owner in every walk."""


def cast(
    network: NetworkDefinition, definition: BucDefinition, walk: Walk, *, at: datetime, seed: int = 0
) -> dict[str, InstitutionId]:
    """Return who plays which party.

    Where a SED of the walk exists once per country, somebody of that country takes part if the network has one.

    Args:
        network: the institutions to choose from.
        definition: the process.
        walk: names the parties.
        at: when they must be competent.
        seed: decides among those that are.

    Raises:
        DefinitionError: the network has too few competent institutions.
    """
    # Not a secret: the generator makes a choice repeatable.
    chance = random.Random(f"{seed} {definition.buc}")  # noqa: S311
    found: dict[str, InstitutionId] = {}
    wanted = _countries(walk)
    for name in names_in(walk):
        role = ApplicationRole.CASE_OWNER if name == OWNER else ApplicationRole.COUNTERPARTY
        taken = {party.country for party in found.values()}
        free = [each for each in _competent(network, definition.buc, role, at) if each.country not in taken]
        if not free:
            raise DefinitionError(
                f"Expected one more country with a {role} of {definition.buc} for {name}, found none",
                hint=f"Add an institution that is competent for it to the network {network.id}.",
            )
        preferred = [] if name == OWNER else [each for each in free if each.country in wanted]
        # An owner of a wanted country would leave nobody there to be asked.
        others = [each for each in free if each.country not in wanted] if name == OWNER else free
        found[name] = chance.choice(preferred or others or free).id
    return found


def names_in(walk: Walk) -> tuple[str, ...]:
    """Return the parties of a walk, those that join later too, the owner first."""
    later = [words[words.index("joins") + 1] for words in map(str.split, walk.steps) if "joins" in words[:-1]]
    return tuple(dict.fromkeys((OWNER, *walk.parties, *later)))


def silent(network: NetworkDefinition, only: Iterable[InstitutionId] | None = None) -> NetworkDefinition:
    """Return a network in which nobody does anything by itself: every step is the walk's.

    Args:
        network: the network.
        only: keep only these institutions.
    """
    kept = {each.id for each in network.institutions} if only is None else set(only)
    return replace(
        network,
        access_point=replace(
            network.access_point, linked=tuple(each for each in network.access_point.linked if each in kept)
        ),
        institutions=tuple(replace(each, behaviours=()) for each in network.institutions if each.id in kept),
        stories=(),
    )


def _competent(
    network: NetworkDefinition, buc: BucType, role: ApplicationRole, at: datetime
) -> Sequence[Institution]:
    def is_fit(institution: Institution) -> bool:
        return any(
            each.buc == buc and each.role is role and each.ready and each.is_in_force(at)
            for each in institution.competences
        )

    fit = (each for each in network.institutions if not each.external and is_fit(each))
    return sorted(fit, key=lambda institution: institution.id)


def _countries(walk: Walk) -> set[str]:
    """Countries after the underscore of a SED that exists once per country."""
    return set(_suffixes(walk))


def _suffixes(walk: Walk) -> Iterator[str]:
    for step in walk.steps:
        if walking.waiting(step) is None:
            _, sentence = walking.read(step)
            for sed in (sentence.sed, sentence.about):
                if sed is not None and "_" in sed:
                    yield sed.rpartition("_")[2]
