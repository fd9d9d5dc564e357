"""Which definitions a network is made of, and what its nodes are given."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.lab import A003, INPS, LA_BUC_02, NAV, POINT, ZUS, Lab, demo, demo_credentials

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.simulation.assembly import load_definition, parties_of, repository, version_of_cases

FINLAND = InstitutionId("FI:OWN01")
NETWORK = """
id: own
title: A network of one's own
access_point: {id: EU:APSIM01, name: Access point}
institutions: [FI:OWN01, PL:ZUS01]
"""
INSTITUTION = """
id: %s
name: {en: %s}
country: %s
competences:
  - {buc: LA_BUC_02, roles: [CaseOwner, Counterparty], ready: true, from: 2019-07-01}
endpoint: {exchange: push}
"""


@pytest.mark.parametrize(("sed", "version"), [("A003", "4.4"), ("P2000", "4.2")])
def test_cases_are_opened_in_a_version_that_is_defined(tmp_path: Path, sed: str, version: str) -> None:
    """Usually 4.4; the newest one where a package does not have that."""
    (tmp_path / f"{sed}-{version}.xsd").write_text("<schema/>")
    assert version_of_cases(Catalogue([tmp_path])) == version
    assert version_of_cases(Catalogue([])) == "4.4"


def own_network(folder: Path, *institutions: tuple[str, str]) -> Path:
    """A folder of a user's own with a network file and some institutions, each with its name."""
    for party, name in institutions:
        country, code = party.split(":")
        (folder / country).mkdir()
        (folder / country / f"{code}.yaml").write_text(INSTITUTION % (party, name, country))
    file = folder / "own.yaml"
    file.write_text(NETWORK)
    return file


def test_demo_network_is_the_default() -> None:
    """Without a file the network is the one of the demo, with its access point in front."""
    assert parties_of(load_definition())[:2] == (POINT, NAV)


def test_institutions_beside_the_network_file_are_found(tmp_path: Path) -> None:
    """A user adds an institution by a file beside the network; the others are those that ship."""
    definition = load_definition(own_network(tmp_path, ("FI:OWN01", "Pensions")))
    assert parties_of(definition) == (POINT, FINLAND, ZUS)


def test_institution_of_the_user_wins(tmp_path: Path) -> None:
    """A file of the user stands in for one that ships with the program."""
    file = own_network(tmp_path, ("FI:OWN01", "Pensions"), ("PL:ZUS01", "Mine"))
    [_, mine] = load_definition(file).institutions
    assert mine.name[0].text == "Mine"


def test_institution_without_a_file_is_named(tmp_path: Path) -> None:
    """A network that names an institution nobody describes is refused with its id."""
    with pytest.raises(DefinitionError, match="FI:OWN01"):
        load_definition(own_network(tmp_path))


def test_external_institution_is_not_played() -> None:
    """An institution with a gateway of its own is listed, but no node of ours plays it."""
    definition = demo()
    outside = replace(
        definition,
        institutions=tuple(replace(each, external=each.id == ZUS) for each in definition.institutions),
    )
    assert ZUS not in parties_of(outside)
    assert len(parties_of(outside)) == len(parties_of(definition)) - 1


def test_directory_has_the_urls_of_all_nodes() -> None:
    """The directory of a network tells where the access point takes messages and where each institution does."""
    urls = {party: f"https://{party.file_name}.example" for party in parties_of(demo())}
    directory = repository(demo(), demo_credentials(), urls)
    assert directory.access_points[0].outbox.startswith(urls[POINT])
    assert all(entry.endpoint.channel.startswith(urls[entry.id]) for entry in directory.institutions)


async def test_institution_writes_from_a_folder_of_its_own() -> None:
    """Templates of one institution alone lie in its own folder and nowhere else."""
    async with Lab.build() as lab:
        own = lab.node(INPS).office.templates
        assert own is not None
        assert (own.parts[-2:], (own / "P5000.sample.xml").is_file()) == (("IT", "INPS01"), True)


async def test_restarted_node_has_what_was_stored() -> None:
    """A node that is replaced by a new one knows its cases and goes on."""
    async with Lab.build() as lab:
        before = lab.node(NAV)
        await lab.open()
        await lab.network.restart(NAV)
        assert lab.node(NAV) is not before
        await lab.open(owner=NAV, others=[ZUS])
        assert len(await lab.store(NAV).cases()) == 2


async def test_pause_of_a_quiet_network_is_a_second() -> None:
    """Where nothing is to be done and nothing is due, a pause lets a second pass."""
    async with Lab.build() as lab:
        await lab.network.pause()
        before = lab.clock.now()
        await lab.network.pause()
        assert (lab.clock.now() - before).total_seconds() == 1


async def test_pause_moves_the_clock_to_what_is_due() -> None:
    """Where somebody waits for his next attempt, a pause brings it about."""
    async with Lab.build() as lab:
        lab.take_down(POINT)
        await lab.open()
        [waiting] = await lab.network.readers[NAV].messages()
        await lab.network.pause()
        [again] = await lab.network.readers[NAV].messages()
        assert (waiting.attempts, again.attempts) == (1, 2)


async def test_pause_lets_work_end_first() -> None:
    """What is under way goes on during a pause."""
    async with Lab.build() as lab:
        node = lab.node(NAV)
        case = await node.open_case(LA_BUC_02, (ZUS,))
        await node.send_document(case.id, A003)
        await lab.network.pause()
        assert await lab.delivery(NAV) == "delivered"
