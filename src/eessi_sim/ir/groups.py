"""Routing groups: several systems behind one institution, chosen by a rule; a section of the network file.

A system has a channel from which it fetches, or an address to which is pushed; the first rule that fits a message
decides, else it goes to the endpoint of the institution. Group, institutions, endpoints and a rule over fields of the
message are observed in a public gateway; this form of it is ours (inferred).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from eessi_sim.definition_files import Fields, Node, suggestion
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.ir.model import Endpoint, Exchange, Institution, System

_T = TypeVar("_T")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
_ADDRESS: Final = re.compile(r"https://[^\s/?#@]+(/[^\s]*)?")
_SECTOR: Final = re.compile(r"[A-Z]{1,4}")


def with_systems(fields: Fields, institutions: tuple[Institution, ...]) -> tuple[Institution, ...]:
    """Return the institutions, those of a routing group with its systems.

    Args:
        fields: the network file; its section ``routing`` is a list of groups.
        institutions: who takes part.

    Raises:
        DefinitionError: names file, line and key: an unknown institution, one in two groups, a rule that asks for
            nothing or can never be reached.
    """
    known = [institution.id for institution in institutions]
    systems: dict[str, tuple[System, ...]] = {}
    for members, group in fields.each("routing", _group):
        for place in members:
            name = place.text()
            if name not in known:
                raise place.error(
                    f'Expected an institution of this network, found "{name}"', hint=suggestion(name, known)
                )
            if name in systems:
                raise place.error(f'Expected "{name}" in one routing group, found it in a second one')
            systems[name] = group
    return tuple(replace(each, systems=systems.get(each.id, ())) for each in institutions)


def _group(node: Node) -> tuple[Sequence[Node], tuple[System, ...]]:
    fields = node.mapping(required=("institutions", "systems"))
    systems = fields.each("systems", _system)
    names = [system.name for system in systems]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise fields["systems"].error(f'Expected every system once, found "{twice[0]}" twice')
    return fields["institutions"].sequence(), systems


def _system(node: Node) -> System:
    fields = node.mapping(required=("name", "when"), allowed=("pull", "push"))
    if ("pull" in fields) == ("push" in fields):
        raise node.error(
            'Expected either "pull" or "push"', hint="A system fetches from a channel, or is pushed to."
        )
    rule = fields["when"].mapping(allowed=("sector", "buc", "sed"))
    if not any(key in rule for key in ("sector", "buc", "sed")):
        raise fields["when"].error(
            "Expected a rule with sector, buc or sed, found an empty one",
            hint="What fits no rule goes to the endpoint of the institution.",
        )
    if "pull" in fields:
        endpoint = Endpoint(Exchange.PULL, fields.read("pull", channel))
    else:
        endpoint = Endpoint(Exchange.PUSH, fields.read("push", _address))
    return System(
        fields["name"].text(),
        endpoint,
        sectors=rule.read("sector", lambda place: _some(place, _sector), ()),
        bucs=rule.read("buc", lambda place: _some(place, lambda each: each.parsed(BucType)), ()),
        seds=rule.read("sed", lambda place: _some(place, lambda each: each.parsed(SedType)), ()),
    )


def _some(node: Node, read: Callable[[Node], _T]) -> tuple[_T, ...]:
    """Return the one value that is named, or all of a list."""
    return node.each(read) if node.is_sequence else (read(node),)


def channel(node: Node, text: str | None = None) -> str:
    """Return the name of a channel: the text of a place in a file, or its key.

    Raises:
        DefinitionError: it is no such name.
    """
    name = node.text() if text is None else text
    if not _CHANNEL.fullmatch(name):
        raise node.error(
            f'Expected the name of a channel, found "{name}"',
            hint="Letters, digits and . _ - : /, as in DEGATEWAY or UK100/QUE.",
        )
    return name


def _address(node: Node) -> str:
    text = node.text()
    if not _ADDRESS.fullmatch(text):
        raise node.error(f'Expected an https address, found "{text}"')
    return text


def _sector(node: Node) -> str:
    text = node.text()
    if not _SECTOR.fullmatch(text):
        raise node.error(f'Expected a sector such as LA, P or UB, found "{text}"')
    return text
