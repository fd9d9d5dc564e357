"""A network whose institutions share one process: documents cross it, and it is taken up again."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.helpers.commands import run
from tests.helpers.process_networks import NORWAY, POLAND, small_definition, until

from eessi_sim.cli.stores import open_stores
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.ir import snapshot
from eessi_sim.ir.model import Endpoint, Exchange
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.credentials import load_pair
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import NetworkState, establish

pytestmark = pytest.mark.process

HOST = "host-1"


def hosted(folder: Path) -> NetworkState:
    """Two institutions in one process, both of which fetch their messages, and an access point in another."""
    definition = small_definition(folder)
    pulled = tuple(
        replace(each, endpoint=Endpoint(Exchange.PULL), behaviours=()) for each in definition.institutions
    )
    return establish(
        replace(definition, institutions=pulled),
        folder / "network",
        now=datetime.now(UTC),
        algorithm=KeyAlgorithm.P_256,
        hosts=1,
    )


async def play(state: NetworkState) -> dict[str, Any]:
    """Send a document from each institution to the other, end the host in the middle; return what was seen."""
    seen: dict[str, Any] = {}
    async with ProcessNetwork(state) as network:
        for sender, receiver in ((NORWAY, POLAND), (POLAND, NORWAY)):
            control = network.controls[sender]
            case_id = await control.open_case(BucType("LA_BUC_02"), [receiver])
            await control.send(case_id, SedType("A003"))
            if sender == NORWAY:
                await network.kill(HOST)
                await network.start(HOST)
                await network.ready(HOST)

            async def receipted(control: Any = control) -> bool:
                return any(view.receipted_at for view in await control.messages())

            await until(receipted, f"the receipt for {sender}")
        seen["processes"] = [*network.speakers]
        seen["pid"] = network.pid(HOST)
        nowhere = state.address(NORWAY).manage.replace("NO_NAVAT07", "SE_FKSE01")
        async with aiohttp.ClientSession() as session, session.get(f"{nowhere}/health") as answer:
            seen["nobody"] = answer.status
    async with open_stores(state.path) as stores:
        seen["cases"] = {party: len(await stores[party].cases()) for party in (NORWAY, POLAND)}
    return seen


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> NetworkState:
    """The network, established."""
    return hosted(tmp_path_factory.mktemp("hosts"))


@pytest.fixture(scope="module")
def seen(state: NetworkState) -> dict[str, Any]:
    """What happened in it."""
    return asyncio.run(play(state))


def test_documents_cross_the_host_both_ways(seen: dict[str, Any]) -> None:
    """Both have both cases, though the host was killed with the first document on its way."""
    assert seen["cases"] == {NORWAY: 2, POLAND: 2}


def test_institutions_share_a_process(seen: dict[str, Any]) -> None:
    """There are two: the access point and the host."""
    assert seen["processes"] == ["EU:APSIM01", HOST]


def test_management_of_a_stranger_is_not_found(seen: dict[str, Any]) -> None:
    """The first step of the path must name an institution of the host."""
    assert seen["nobody"] == 404


def test_directory_lists_the_certificate_of_the_host_for_both(state: NetworkState) -> None:
    """One TLS certificate, each their own for messages and seals."""
    directory = snapshot.load(state.directory_file)
    norway, poland = (directory.get(party).certificates for party in (NORWAY, POLAND))
    assert norway.tls == poland.tls
    assert norway.ebms != poland.ebms


def test_seal_of_a_hosted_institution_is_found(state: NetworkState) -> None:
    """Archives of its cases are sealed with the key that the directory lists."""
    pair = load_pair(state.pki, POLAND, Purpose.SEAL)
    assert (pair.certificate,) == snapshot.load(state.directory_file).get(POLAND).certificates.seal


def test_hosted_institution_gets_no_tls_key_pair_of_its_own(state: NetworkState) -> None:
    """It shows that of its process; the command says so."""
    answer = run("ir", "rotate", "PL:ZUS01", "--purpose", "TLS", "--state", str(state.path))
    assert (answer.exit_code, "host-1" in answer.stderr) == (3, True)
