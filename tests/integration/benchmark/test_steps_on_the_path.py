"""The benchmark counts each step as often as the nodes really do it: a profile of a real run says so."""

import cProfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import pytest_asyncio

from eessi_sim import sbdh
from eessi_sim.access_point import transactions
from eessi_sim.as4 import confirmation, msh
from eessi_sim.benchmark.endtoend import run
from eessi_sim.benchmark.network import BenchNetwork, plan
from eessi_sim.benchmark.session import Order, Session
from eessi_sim.buc import case, engine
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.identifiers import SedType
from eessi_sim.security import xades
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.assembly import load_definition, load_library, parties_of
from eessi_sim.simulation.credentials import Credentials
from eessi_sim.storage.registry import open_storage, url_of
from eessi_sim.storage.sqlite_writes import SqliteWrites
from eessi_sim.transport.base import Request

SEDS = 4
FUNCTIONS: dict[tuple[str, ...], Callable[..., Any]] = {
    ("decide and record (engine)",): engine.create,
    ("validate by the XSD",): CompiledSchema.verdict,
    ("check the business rules",): RuleSet.findings,
    ("seal the SED (XAdES)",): xades.sign,
    ("write the SBDH round it",): sbdh.wrap,
    ("compress",): msh.compressed_payload,
    ("pack and sign the message",): msh.pack_user_message,
    ("unpack the message", "unpack the receipt"): msh.unpack,
    ("verify the message", "verify the receipt"): msh.verify,
    ("look through the parts",): msh.look_through,
    ("decompress",): msh.document_content,
    ("read SBDH and SED",): sbdh.read,
    ("check parties, competence, process; route",): transactions.require_transaction,
    ("verify the seal (XAdES)",): xades.verify,
    ("take into the case (engine)",): engine.receive,
    ("pack and sign the receipt",): msh.pack_receipt,
    ("compare the receipt with the message",): confirmation.check_receipt,
    ("record the delivery (engine)",): engine.record_delivery,
    ("send the message over mutual TLS", "send the receipt over mutual TLS"): Request.__init__,
    ("write a case",): case.encode,
    ("read a case",): case.decode,
    ("commit, 32 together",): SqliteWrites.apply,
}
"""Function that does a step, or the steps of several kinds of message; a coroutine would count each time it goes on."""
UNCOUNTED = {"commit, alone"}
"""Measured beside the path."""


@pytest.fixture(scope="module")
def declared() -> Counter[str]:
    """How often the benchmark says each step happens for one SED."""
    order = Order(sed=SedType("A003"), keys=("p256",), storages=(), messages=1, seconds=0.02)
    (result,) = Session(order).run().keys
    return Counter({step.name: step.times for step in result.steps})


async def profiled(folder: Path) -> Counter[CodeType]:
    """Return how often the nodes call each function for ``SEDS`` SEDs, their cases opened before."""
    library, at = load_library(), datetime.now(UTC)
    route = plan(SedType("A003"), load_definition(), library, at)
    credentials = Credentials.make(parties_of(route.network), now=at, algorithm=KeyAlgorithm.P_256)
    storage = await open_storage(url_of(folder / "nodes.db"))
    profile = cProfile.Profile()
    async with BenchNetwork(route, library, credentials=credentials, storage=storage) as network:
        with profile:
            await run(network, "sqlite", messages=SEDS // 2, seconds=30.0)
    calls: Counter[CodeType] = Counter()
    for entry in profile.getstats():
        if isinstance(entry.code, CodeType):
            calls[entry.code] += entry.callcount
    opened = calls[engine.open_case.__code__]
    assert opened == SEDS
    calls[SqliteWrites.apply.__code__] -= opened
    calls[case.encode.__code__] -= opened
    return calls


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calls(tmp_path_factory: pytest.TempPathFactory) -> Counter[CodeType]:
    """One profile for all tests of this file."""
    return await profiled(tmp_path_factory.mktemp("profile"))


@pytest.mark.parametrize("names", FUNCTIONS, ids=", ".join)
def test_step_is_declared_as_often_as_it_happens(
    names: tuple[str, ...], declared: Counter[str], calls: Counter[CodeType]
) -> None:
    """Number of calls of the function that does the step, for one SED, is what the benchmark multiplies with."""
    assert sum(declared[name] for name in names) * SEDS == calls[FUNCTIONS[names].__code__]


def test_every_step_is_compared_with_the_profile(declared: Counter[str]) -> None:
    """No step of the benchmark is left out of the comparison."""
    assert set(declared) - {name for names in FUNCTIONS for name in names} == UNCOUNTED
