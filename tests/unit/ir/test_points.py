"""Access points of a network file: one for all or one per country, and every mistake at its line."""

from pathlib import Path

import pytest
from tests.helpers.federation import CENTRAL, NORWAY, POLAND, SWEDEN, three_countries
from tests.helpers.lab import FK, NAV, ZUS

from eessi_sim.errors import DefinitionError, RoutingError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.simulation.assembly import load_definition

NETWORK = """\
id: small
title: Two countries
csn: {id: EU:CSN01, name: Central service node}
access_points:
  - {id: NO:APNO01, name: Norway}
  - {id: SE:APSE01, name: Sweden, serves: [SE, PL], via: NO:APNO01}
institutions:
  - NO:NAVAT07
  - SE:FKSE01
  - PL:ZUS01
"""
SWEDISH = "serves: [SE, PL], via: NO:APNO01"


def load(folder: Path, text: str) -> NetworkDefinition:
    file = folder / "small.yaml"
    file.write_text(text)
    return load_definition(file)


def test_access_points_serve_their_countries(tmp_path: Path) -> None:
    """One serves its own country unless it names others; the route and the central service node are kept."""
    network = load(tmp_path, NETWORK)
    assert [(point.linked, point.via) for point in network.access_points] == [
        ((NAV,), None),
        ((FK, ZUS), NORWAY),
    ]
    assert network.central is not None
    assert (network.central.id, network.central.name) == (CENTRAL, "Central service node")


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        (
            "access_points:\n",
            "access_point: {id: EU:APEU01, name: All}\naccess_points:\n",
            'Expected either "access_point" or "access_points", found both at access_points',
            5,
        ),
        (NETWORK[NETWORK.index("  - {id: NO") : NETWORK.index("institutions")], "  []\n", "at least one", 4),
        ("SE:APSE01", "NO:APNO01", "every access point once", 6),
        ("[SE, PL]", "[SE, NO]", "one access point for NO, found NO:APNO01 and SE:APSE01", 6),
        ("[SE, PL]", "[SE]", "an access point for PL, the country of PL:ZUS01, found none", 10),
        ("[SE, PL]", "[SE, XX]", 'found "XX"', 6),
        (
            "via: NO:APNO01",
            "via: NO:APNO02",
            'Expected an access point of this network, found "NO:APNO02" at access_points[2].via',
            6,
        ),
        (
            "name: Norway",
            "name: Norway, via: SE:APSE01",
            "routes that come to an end, found a circle: NO:APNO01 → SE:APSE01 → NO:APNO01",
            5,
        ),
        ("via: NO:APNO01", "via: SE:APSE01", "found a circle: SE:APSE01 → SE:APSE01", 6),
        ("csn: {id: EU:CSN01", "csn: {id: NO:APNO01", "an id of its own for the central service node", 3),
        ("csn: {id: EU:CSN01, name: Central service node}\n", "", 'Expected the key "csn", found none', 1),
    ],
    ids=[
        *("both", "none", "id-twice", "two-for-one", "nobody", "no-country"),
        *("unknown-route", "circle", "own-circle", "csn-id", "no-csn"),
    ],
)
def test_mistake_is_named_with_file_and_line(
    tmp_path: Path, old: str, new: str, message: str, line: int
) -> None:
    """Each mistake says what was expected, what was found, and where."""
    assert old in NETWORK
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path, NETWORK.replace(old, new, 1))
    assert message in caught.value.message
    assert f"({tmp_path / 'small.yaml'}, line {line})" in caught.value.message


def test_circle_further_up_is_named_once(tmp_path: Path) -> None:
    """An access point whose route only leads into a circle is told of the circle, not of itself."""
    text = NETWORK.replace("name: Norway", "name: Norway, via: SE:APSE01").replace(
        "  - {id: NO", "  - {id: FI:APFI01, name: Finland, via: SE:APSE01}\n  - {id: NO"
    )
    with pytest.raises(DefinitionError, match="found a circle: SE:APSE01 → NO:APNO01 → SE:APSE01 at"):
        load(tmp_path, text)


def test_central_access_point_has_no_central_service_node_beside_it(tmp_path: Path) -> None:
    """With one access point for all it is the central service node too."""
    text = NETWORK.replace(
        NETWORK[NETWORK.index("access_points") : NETWORK.index("institutions")],
        "access_point: {id: EU:APEU01, name: All}\n",
    )
    with pytest.raises(DefinitionError, match='Expected "csn" only with "access_points"'):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("over_sweden", "way"),
    [(False, (NORWAY, POLAND)), (True, (NORWAY, SWEDEN, POLAND))],
    ids=["direct", "over-sweden"],
)
def test_way_back_is_the_same_way(over_sweden: bool, way: tuple[InstitutionId, ...]) -> None:
    """A message passes the access points of both sides and those between them, in both directions."""
    directory = three_countries(over_sweden=over_sweden).repository("1")
    assert tuple(point.id for point in directory.way(NAV, ZUS)) == way
    assert tuple(point.id for point in directory.way(ZUS, NAV)) == way[::-1]
    assert [point.id for point in directory.way(NAV, NAV)] == [NORWAY]


def test_next_access_point_is_the_next_on_the_way() -> None:
    """Down the routes, up the routes, and nowhere for those that are served here."""
    directory = three_countries(over_sweden=True).repository("1")
    steps = [directory.next_access_point(here, ZUS) for here in (NORWAY, SWEDEN, POLAND)]
    assert [point and point.id for point in steps] == [SWEDEN, POLAND, None]
    assert (directory.serves(POLAND, ZUS), directory.serves(NORWAY, ZUS)) == (True, False)
    with pytest.raises(RoutingError):
        directory.next_access_point(NORWAY, "DE:BA01")
