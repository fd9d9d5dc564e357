"""The numbered lists, read from ``schemas/conformance``; what is done for each case stands in ``stimuli``."""

from functools import cache
from typing import Final

from eessi_sim.as4.modes import ProfileName
from eessi_sim.conformance.model import Case, Judged, Row
from eessi_sim.conformance.setting import folder
from eessi_sim.definition_files import Fields, Node, load_yaml

LISTS: Final = ("eessi", "edelivery", "attacks")
_ROW: Final = ("title", "clause", "confidence")
_CONFIDENCE: Final = ("documented", "observed", "inferred")


@cache
def rows() -> tuple[Row, ...]:
    """Return all rows of all lists, in their order.

    Raises:
        DefinitionError: names file, line and key.
    """
    return tuple(row for name in LISTS for row in _read(name))


def _read(name: str) -> tuple[Row, ...]:
    top = load_yaml(folder() / f"{name}.yaml")
    return tuple(_row(name, key, node) for key, node in top.entries().items())


def _row(name: str, key: str, node: Node) -> Row:
    keys = node.mapping(required=_ROW, allowed=("note", "also", "cases"))
    return Row(
        id=key,
        list=name,
        title=keys["title"].text(),
        clause=keys["clause"].text(),
        confidence=keys["confidence"].one_of(_CONFIDENCE),
        note=keys.read("note", Node.text, ""),
        also=keys.each("also", Node.text),
        cases=keys.each("cases", lambda each: _case(key, each)),
    )


def _case(row: str, node: Node) -> Case:
    keys: Fields = node.mapping(
        required=("name", "expect", "judged"), allowed=("note", "megabytes", "profile")
    )
    return Case(
        row=row,
        name=keys["name"].text(),
        expect=keys["expect"].text(),
        judged=keys["judged"].member(Judged),
        profile=keys.read("profile", lambda each: each.member(ProfileName), None),
        note=keys.read("note", Node.text, ""),
        megabytes=float(keys.read("megabytes", Node.integer, 64)),
    )
