"""Routing groups in a network file: several systems behind an institution, mistakes named with their line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eessi_sim import resources
from eessi_sim.errors import DefinitionError
from eessi_sim.ir.loader import load_network
from eessi_sim.ir.model import Endpoint, Exchange, Institution

HEAD = "id: n\ntitle: N\naccess_point: {id: EU:APSIM01, name: A}\ninstitutions: [NO:NAVPE01, PL:ZUS01]\nrouting:\n"
SYSTEMS = "  systems: [{name: pensions, when: {sector: P}, pull: PENSIONS}]\n"


@pytest.fixture
def read(tmp_path: Path, shipped: Path) -> Callable[[str], Institution]:
    """Reads a network with these groups; returns NO:NAVPE01 of it."""

    def reader(groups: str) -> Institution:
        path = tmp_path / "network.yaml"
        path.write_text(HEAD + groups)
        return load_network(path, [shipped]).institutions[0]

    return reader


@pytest.fixture
def shipped() -> Path:
    """The institutions that come with the program."""
    return resources.institutions()


def test_first_rule_that_fits_decides(read: Callable[[str], Institution]) -> None:
    """Sector, process and type are compared; what no rule fits goes to the endpoint of all."""
    entry = read(
        "- institutions: [NO:NAVPE01]\n"
        "  systems:\n"
        "  - {name: work, when: {buc: [UB_BUC_01], sed: [U001, U002]}, push: 'https://work.example/as4'}\n"
        "  - {name: pensions, when: {sector: [P]}, pull: PENSIONS}\n"
    )
    pensions = Endpoint(Exchange.PULL, "PENSIONS")
    work = Endpoint(Exchange.PUSH, "https://work.example/as4")
    found = [entry.endpoint_for(*each) for each in (("P_BUC_01", "P2000"), ("UB_BUC_01", "U002"))]
    assert found == [pensions, work]
    for other in (("UB_BUC_01", "U003"), ("UB_BUC_02", "U002"), ("LA_BUC_02", "A003"), ("", "")):
        assert entry.endpoint_for(*other) == entry.endpoint
    assert entry.channels == ("PENSIONS",)


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ("- institutions: [NO:NAVPE02]\n" + SYSTEMS, 'found "NO:NAVPE02"'),
        (("- institutions: [NO:NAVPE01]\n" + SYSTEMS) * 2, "in one routing group"),
        ("- institutions: [NO:NAVPE01]\n  systems: [{name: a, when: {}, pull: Q}]\n", "found an empty one"),
        (
            "- institutions: [NO:NAVPE01]\n  systems: [{name: a, when: {sector: P}}]\n",
            'either "pull" or "push"',
        ),
        (
            "- institutions: [NO:NAVPE01]\n  systems: [{name: a, when: {sector: P}, pull: '?'}]\n",
            "name of a channel",
        ),
        (
            "- institutions: [NO:NAVPE01]\n  systems: [{name: a, when: {sector: P}, push: 'http://x/'}]\n",
            "https address",
        ),
        (
            "- institutions: [NO:NAVPE01]\n  systems: [{name: a, when: {sector: pension}, pull: Q}]\n",
            "a sector",
        ),
        (
            "- {institutions: [NO:NAVPE01], systems: [{name: a, when: {sector: P}, pull: Q}, {name: a, when: {sector: LA}, pull: R}]}\n",
            'found "a" twice',
        ),
    ],
)
def test_groups_that_make_no_sense_are_refused(
    read: Callable[[str], Institution], groups: str, sentence: str
) -> None:
    """The refusal says what was expected, and where."""
    with pytest.raises(DefinitionError, match=sentence) as caught:
        read(groups)
    assert "network.yaml" in str(caught.value.as_dict())
