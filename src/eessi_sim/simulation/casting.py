"""Gives the parties of a walk to institutions of a network: competent ones, each of another country.

The choice follows from a seed, so that the same walk is played by the same institutions again.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    wanted, places = _countries(walk), _replaced(definition, walk)
    found: dict[str, Institution] = {}
    names = names_in(walk)
    # Whose place will be taken chooses first: few States have somebody else for it. Who takes it depends on that.
    for name in sorted(names, key=lambda each: (each not in places.values(), each in places)):
        competent = _competent(network, definition.buc, _role(places.get(name, name)), at)
        free = [each for each in competent if _fits(name, each, found, places)]
        if name in places.values():
            free = [each for each in free if sum(other.country == each.country for other in competent) > 1]
        if not free:
            raise DefinitionError(
                f"Expected one more institution for {name} in {definition.buc}, found none",
                hint=f"Add an institution that is competent for it to the network {network.id}: of another country, "
                "or of the same where a case is forwarded.",
            )
        # An owner of a wanted country would leave nobody there to be asked.
        best = [each for each in free if (each.country in wanted) is not (name == OWNER)]
        found[name] = chance.choice(best or free)
    return {name: found[name].id for name in names}


def _role(name: str) -> ApplicationRole:
    return ApplicationRole.CASE_OWNER if name == OWNER else ApplicationRole.COUNTERPARTY


def _fits(
    name: str, institution: Institution, found: Mapping[str, Institution], places: Mapping[str, str]
) -> bool:
    """Whether an institution may be this party: a case is forwarded inside a State, all others are of other States."""
    if institution in found.values():
        return False
    if name in places:
        return institution.country == found[places[name]].country
    return all(institution.country != other.country for other in found.values())


def _replaced(definition: BucDefinition, walk: Walk) -> dict[str, str]:
    """Return whose place is taken, by the name of who takes it."""
    found: dict[str, str] = {}
    for step in walk.steps:
        if walking.waiting(step) is not None:
            continue
        _, sentence = walking.read(step)
        rule = definition.administrative.get(sentence.sed) if sentence.sed else None
        if sentence.joins and rule and rule.leaves_at:
            found[sentence.joins] = sentence.leaves or sentence.party
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
    fewer = network.only(kept)
    return replace(
        fewer,
        institutions=tuple(replace(each, behaviours=()) for each in fewer.institutions),
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
