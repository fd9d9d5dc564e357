"""Subdocuments: master and claims in the JSON form in which RINA stores and shows them, and back.

``{"<SED>_Master": {…}}`` and, for each claim, ``{"<SED>_Child": {"IndividualClaim": {…}}}`` (observed at two SEDs of
the unemployment sector; the same for all others is inferred).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eessi_sim.bulk.definition import require_claims
from eessi_sim.bulk.document import BulkDocument
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.codec import Codec, Json, identify
from eessi_sim.errors import SedError

_MASTER: Final = "_Master"
_CHILD: Final = "_Child"


@dataclass(frozen=True, slots=True)
class Parts:
    """A bulk SED as JSON, one value for each file."""

    master: object
    claims: tuple[object, ...]


def write(document: BulkDocument) -> Parts:
    """Return a bulk SED in parts.

    Raises:
        SedError: it has something that its schema does not know; validate it first.
    """
    definition = document.definition
    _, about = require_claims(definition)
    content = Codec.of(definition).to_json(document.assemble())[definition.type]
    claims = _taken(content, about.steps)
    child = f"{definition.type}{_CHILD}"
    return Parts(
        {f"{definition.type}{_MASTER}": content}, tuple({child: {about.steps[-1]: claim}} for claim in claims)
    )


def read(parts: Parts, catalogue: Catalogue) -> BulkDocument:
    """Return the bulk SED that the parts make up.

    Args:
        parts: what ``write`` returns, or RINA shows.
        catalogue: knows the SEDs.

    Raises:
        SedError: a part is something else, or has an unknown field; names it.
        UnknownSedType: nobody defines the SED.
    """
    name, content = _only(parts.master, _MASTER, "the master")
    definition = catalogue.get(*identify({name: content}))
    _, about = require_claims(definition)
    claims = [_claim(part, name, about.steps[-1], place) for place, part in enumerate(parts.claims, start=1)]
    whole = dict(content)
    group: dict[str, object] = whole
    for step in about.steps[:-1] if claims else ():
        inner = group.get(step)
        group[step] = inner = dict(inner) if isinstance(inner, dict) else {}
        group = inner
    if claims:
        group[about.steps[-1]] = claims
    return BulkDocument.split(definition, Codec.of(definition).to_xml({name: whole}))


def _taken(content: Json, steps: tuple[str, ...]) -> list[Json]:
    """Take the claims out of the content, together with the groups that hold nothing else."""
    groups: list[dict[str, Json]] = []
    inner = content
    for step in steps:
        if not isinstance(inner, dict) or step not in inner:
            return []
        groups.append(inner)
        inner = inner[step]
    assert isinstance(inner, list)  # the element repeats, so it is an array
    for group, step in zip(reversed(groups), reversed(steps), strict=True):
        if group is groups[-1] or not group[step]:
            del group[step]
    return inner


def _only(part: object, ending: str, what: str) -> tuple[str, Mapping[str, object]]:
    """Return the SED that a part names by its only key, and what it holds."""
    entries = list(part.items()) if isinstance(part, dict) else []
    if len(entries) != 1 or not str(entries[0][0]).endswith(ending) or not isinstance(entries[0][1], dict):
        raise SedError(
            f'Expected {what} as {{"<SED>{ending}": {{…}}}}, found something else',
            hint="See what eessi-sim bulk split writes.",
        )
    [(name, content)] = entries
    return name.removesuffix(ending), content


def _claim(part: object, sed: str, element: str, place: int) -> object:
    name, content = _only(part, _CHILD, f"claim {place}")
    if name != sed or list(content) != [element]:
        raise SedError(
            f'Expected claim {place} to hold "{element}" of {sed}, found {", ".join(content) or "nothing"} of {name}',
            hint="All parts belong to one SED.",
        )
    return content[element]
