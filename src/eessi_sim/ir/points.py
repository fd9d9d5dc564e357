"""Reads who carries the messages of a network: one central access point, or one per country and a central service node.

The two keys exclude each other; everything else of a network file is read by ``loader``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from eessi_sim.definition_files import Fields, Node, suggestion
from eessi_sim.identifiers import COUNTRIES, InstitutionId
from eessi_sim.ir.model import AccessPointEntry, CentralServicesNode, Institution


@dataclass(frozen=True, slots=True)
class _Place:
    """An access point and where the file speaks of it."""

    entry: AccessPointEntry
    node: Node
    serves: Mapping[str, Node]
    """Its countries, each with its place in the file."""
    via: Node | None


def read_access_points(
    fields: Fields, institutions: Sequence[tuple[Node, Institution]]
) -> tuple[AccessPointEntry, ...]:
    """Return the access points of a network, each with the institutions that it serves.

    Args:
        fields: the network file.
        institutions: who takes part, and where the file names them.

    Raises:
        DefinitionError: names file, line and key: a country without access point or with two, an unknown one,
            routes that go round in a circle.
    """
    if "access_points" not in fields:
        # One for all; a network file that names neither is told about the usual key.
        linked = tuple(institution.id for _, institution in institutions)
        return (replace(fields.read("access_point", _central_point), linked=linked),)
    if "access_point" in fields:
        raise fields["access_points"].error(
            'Expected either "access_point" or "access_points", found both',
            hint="A network has one central access point, or one per country.",
        )
    places = fields.each("access_points", _place)
    if not places:
        raise fields["access_points"].error(
            "Expected at least one access point, found none", hint="Add one per country."
        )
    _check_ids(places)
    point_of = _by_country(places)
    _check_routes(places)
    return _linked(places, point_of, institutions)


def read_central(fields: Fields, points: Sequence[AccessPointEntry]) -> CentralServicesNode | None:
    """Return the central service node of a network; None where the access point is it too.

    Raises:
        DefinitionError: access points per country without a central service node, or the other way round.
    """
    if "access_points" in fields:
        return fields.read("csn", lambda node: _central_node(node, points))
    if "csn" in fields:
        raise fields["csn"].error(
            'Expected "csn" only with "access_points", found it beside one central access point',
            hint="The central access point is the central service node too.",
        )
    return None


def _central_point(node: Node) -> AccessPointEntry:
    fields = node.mapping(required=("id", "name"))
    return _entry(fields)


def _entry(fields: Fields) -> AccessPointEntry:
    access_point_id = fields["id"].parsed(InstitutionId)
    return AccessPointEntry(access_point_id, fields["name"].text(), access_point_id.country)


def _central_node(node: Node, points: Sequence[AccessPointEntry]) -> CentralServicesNode:
    fields = node.mapping(required=("id", "name"))
    central_id = fields["id"].parsed(InstitutionId)
    if central_id in {point.id for point in points}:
        raise fields["id"].error(
            f'Expected an id of its own for the central service node, found that of access point "{central_id}"'
        )
    return CentralServicesNode(central_id, "", name=fields["name"].text())


def _place(node: Node) -> _Place:
    fields = node.mapping(required=("id", "name"), allowed=("serves", "via"))
    entry = _entry(fields)
    if "serves" in fields:
        serves = {place.one_of(COUNTRIES): place for place in fields["serves"].sequence()}
    else:
        serves = {fields["id"].parsed(InstitutionId).country: fields["id"]}
    via = fields.read("via", lambda place: place, None)
    return _Place(replace(entry, via=via.parsed(InstitutionId) if via else None), node, serves, via)


def _check_ids(places: Sequence[_Place]) -> None:
    seen: dict[str, Node] = {}
    for place in places:
        if place.entry.id in seen:
            raise place.node.error(
                f'Expected every access point once, found "{place.entry.id}" again; '
                f"it stands in line {seen[place.entry.id].line} too"
            )
        seen[place.entry.id] = place.node


def _by_country(places: Sequence[_Place]) -> dict[str, InstitutionId]:
    found: dict[str, InstitutionId] = {}
    for place in places:
        for country, node in place.serves.items():
            if country in found:
                raise node.error(
                    f"Expected one access point for {country}, found {found[country]} and {place.entry.id}",
                    hint="Each country has exactly one access point; leave it out of one of the two.",
                )
            found[country] = place.entry.id
    return found


def _check_routes(places: Sequence[_Place]) -> None:
    """Refuse a route over somebody unknown, and routes that never come to an end."""
    via = {str(place.entry.id): place.entry.via for place in places}
    for place in places:
        if place.via is None:
            continue
        way = [str(place.entry.id)]
        while (step := via[way[-1]]) is not None:
            if step not in via:
                known = _place_of(places, way[-1]).via
                assert known is not None  # it has a step
                raise known.error(
                    f'Expected an access point of this network, found "{step}"', hint=suggestion(step, via)
                )
            if step in way:
                circle = " → ".join([*way[way.index(step) :], step])
                raise place.via.error(
                    f"Expected routes that come to an end, found a circle: {circle}",
                    hint='Take "via" out of one of these access points: it is then reached directly.',
                )
            way.append(step)


def _place_of(places: Sequence[_Place], point: str) -> _Place:
    return next(place for place in places if place.entry.id == point)


def _linked(
    places: Sequence[_Place],
    point_of: Mapping[str, InstitutionId],
    institutions: Sequence[tuple[Node, Institution]],
) -> tuple[AccessPointEntry, ...]:
    served: dict[InstitutionId, list[InstitutionId]] = {place.entry.id: [] for place in places}
    for node, institution in institutions:
        if institution.country not in point_of:
            raise node.error(
                f"Expected an access point for {institution.country}, the country of {institution.id}, found none",
                hint=f'Add {institution.country} to the "serves" of an access point, or an access point of its own.',
            )
        served[point_of[institution.country]].append(institution.id)
    return tuple(replace(place.entry, linked=tuple(served[place.entry.id])) for place in places)
