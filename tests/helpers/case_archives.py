"""A played case as an archive: a posted worker between two institutions, and ways to spoil the archive."""

import asyncio
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.helpers.attached import PDF, new_file
from tests.helpers.lab import A003, A012, LA_BUC_02, NAV, ZUS, Lab, demo_credentials, silent
from tests.helpers.process_networks import NORWAY, POLAND, small_definition

from eessi_sim.attachments import NewFile
from eessi_sim.buc.case import Case
from eessi_sim.casefile import chain, contents
from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.contents import Surroundings
from eessi_sim.casefile.export import JOURNAL, Exported, Seal, archive
from eessi_sim.clock import ManualClock, SystemClock
from eessi_sim.ir.loader import NetworkDefinition
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.simulation.assembly import parties_of
from eessi_sim.simulation.credentials import Credentials, PartyKeys
from eessi_sim.simulation.inprocess import START, InProcessNetwork
from eessi_sim.simulation.state import NetworkState, establish
from eessi_sim.storage.base import NodeStore
from eessi_sim.storage.memory import MemoryStorage
from eessi_sim.storage.sqlite import SqliteStorage
from eessi_sim.zipsafe import Zip, write

TOKEN = "0123456789abcdef0123456789abcdef"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Played:
    """A case after its request was answered, in the copy of the case owner."""

    case: Case
    store: NodeStore
    surroundings: Surroundings
    records: tuple[Record, ...]


@cache
def played() -> Played:
    """Norway asks, Poland answers, everything is receipted."""
    return asyncio.run(_play())


@cache
def played_with_files() -> Played:
    """The same with two files, one of them medical; the same content came with a second name."""
    medical = new_file("Kari X-ray.pdf", PDF + b"lung", name="Lung of Kari", medical=True)
    return asyncio.run(_play(new_file("contract.pdf"), medical, new_file("copy.pdf")))


async def _play(*files: NewFile) -> Played:
    storage = MemoryStorage()
    async with Lab.build(storage=storage) as lab:
        case = await lab.node(NAV).open_case(LA_BUC_02, (ZUS,))
        await lab.node(NAV).send_document(case.id, A003, files=files)
        await lab.work(5)
        await lab.reply(ZUS, A012, A003)
        await lab.work(5)
        case, directory = await lab.case(NAV), lab.directory.current
    authority = demo_credentials().authority
    surroundings = Surroundings(directory, authority.certificate.pem, authority.crl(START))
    store = storage.node(NAV)
    return Played(case, store, surroundings, await contents.gather(store, case, surroundings, at=START))


def seal() -> Seal:
    """The seal of the case owner."""
    return Seal(demo_credentials().parties[NAV].seal, START, TOKEN)


@cache
def exported() -> Exported:
    """The archive of the played case."""
    return archive(played().case, played().records, seal())


def files_of(data: bytes) -> Files:
    """The files of an archive by name."""
    opened = Zip(data)
    return {name: opened.read(position) for position, name in enumerate(opened.names)}


def spoiled(change: Callable[[Files], object], data: bytes | None = None) -> bytes:
    """The archive after somebody changed its files."""
    files = files_of(exported().data if data is None else data)
    change(files)
    return write(files)


def with_lines(change: Callable[[list[bytes]], object]) -> bytes:
    """The archive after somebody changed the lines of its journal."""

    def edit(files: Files) -> None:
        lines = files[JOURNAL].splitlines()
        change(lines)
        files[JOURNAL] = b"".join(line + b"\n" for line in lines)

    return spoiled(edit)


def remade(line: bytes, **members: Any) -> bytes:
    """An entry with other members and a hash that fits them, as somebody makes it who knows the form."""
    content = {**json.loads(line), **members}
    del content["hash"]
    text = _canonical(content)
    return _canonical({**content, "hash": chain.digest(text)})


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def state_folder(folder: Path) -> NetworkState:
    """The folder of a small network that was played and does not run."""
    clock = ManualClock(SystemClock().now())
    definition = small_definition(folder)
    state = establish(definition, folder / "network", now=clock.now(), algorithm=KeyAlgorithm.P_256)
    parties = {party: PartyKeys.load(state.pki / party.file_name) for party in parties_of(definition)}
    credentials = Credentials(CertificateAuthority.load(state.pki), parties, clock.now())
    asyncio.run(_fill(state, definition, credentials, clock))
    # Each node has a store of its own; here one holds the state of both.
    shutil.copy(state.database(NORWAY), state.database(POLAND))
    return state


async def _fill(
    state: NetworkState, definition: NetworkDefinition, credentials: Credentials, clock: ManualClock
) -> None:
    storage = SqliteStorage(state.database(NORWAY))
    network = InProcessNetwork(silent(definition), storage=storage, credentials=credentials, clock=clock)
    lab = Lab(network, storage)
    async with lab:
        await lab.open()
        await lab.work(5)
        await lab.reply(ZUS, A012, A003)
        await lab.work(5)
