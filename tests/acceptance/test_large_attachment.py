"""A file that no process could hold: from one institution to another, over AS4 with mutual TLS."""

import hashlib
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from tests.helpers.attached import PDF
from tests.helpers.lab import changed
from tests.helpers.process_networks import NORWAY, POINT, POLAND, dead_store, small_definition, until

from eessi_sim.attachments import MEGABYTE, AttachmentLimits, NewFile, Octets
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.ir.model import Endpoint, Exchange
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.simulation.processes import ProcessNetwork
from eessi_sim.simulation.state import establish

pytestmark = pytest.mark.process
_BIG: Final = bool(os.environ.get("EESSI_SIM_BIG"))
SIZE: Final = 1024 * MEGABYTE if _BIG else 100 * MEGABYTE
"""A gigabyte when EESSI_SIM_BIG is set; usually more than a process may hold, and not more than CI has time for."""
WAYS: Final = (Endpoint(Exchange.PULL, "PL-QUEUE"), *((Endpoint(),) if _BIG else ()))
"""How Poland gets its messages; Norway pushes."""
EXTRA: Final = 64 * MEGABYTE
"""What a process may need more than before."""
_TYPE: Final = "application/pdf"
_NOISE: Final = random.Random(5).randbytes(MEGABYTE - 1)


@dataclass(frozen=True)
class Scan:
    """A file of noise that is nowhere as a whole."""

    size: int = SIZE

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets: a PDF by its beginning, noise behind it."""
        left = self.size
        while left:
            piece = (b"%PDF-1.7\n" if left == self.size else b"") + _NOISE
            yield piece[:left]
            left -= min(left, len(piece))

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal."""
        running = hashlib.sha256()
        for piece in self.pieces():
            running.update(piece)
        return running.hexdigest()

    def read(self) -> bytes:
        """Nobody may ask for all of it."""
        raise AssertionError("held as a whole")


def most_memory(process_id: int) -> int:
    """Return the most octets that a process ever had in memory, as the system counts them."""
    status = Path(f"/proc/{process_id}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


async def pass_on(network: ProcessNetwork, file: NewFile) -> None:
    """Send a file from Norway to Poland; return when its receipt is here and it is in the case there."""
    norway, poland = network.controls[NORWAY], network.controls[POLAND]
    case = await norway.open_case(BucType("LA_BUC_02"), [POLAND])
    await norway.send(case, SedType("A003"), files=[file])

    async def arrived() -> bool:
        sent = (await norway.case(case)).documents[0]
        copies = await poland.cases()
        names = [each.file_name for copy in copies for doc in copy.documents for each in doc.attachments]
        return sent.deliveries[0].status == "delivered" and file.file_name in names

    await until(arrived, f"{file.file_name} is filed and receipted", within=500)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.exchange)
async def test_large_file_passes_in_constant_memory(
    tmp_path: Path, way: Endpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receiver has every octet, and sender, access point and receiver needed at most 64 MB more than before."""
    limits = AttachmentLimits(file_bytes=SIZE, message_bytes=SIZE)
    definition = changed(replace(small_definition(tmp_path), attachments=limits), POLAND, endpoint=way)
    state = establish(definition, tmp_path / "network", now=datetime.now(UTC), algorithm=KeyAlgorithm.P_256)
    scan = Scan()
    async with ProcessNetwork(state) as network:
        ids = {party: network._processes[party].pid for party in (NORWAY, POINT, POLAND)}
        await pass_on(network, NewFile(file_name="small.pdf", content=Octets.of(PDF), mime_type=_TYPE))
        before = {party: most_memory(number) for party, number in ids.items()}
        started = time.monotonic()
        await pass_on(network, NewFile(file_name="large.pdf", content=scan, mime_type=_TYPE))
        seconds = time.monotonic() - started
        extra = {str(party): most_memory(number) - before[party] for party, number in ids.items()}
    with capsys.disabled():
        print(
            f"\n{SIZE // MEGABYTE} MB in {seconds:.0f} s;",
            *(f"{party}: {more / MEGABYTE:.1f} MB more" for party, more in extra.items()),
        )
    async with dead_store(state, POLAND) as store:
        content = await store.content(scan.digest)
        assert content is not None
        assert content.size == SIZE
    assert max(extra.values()) <= EXTRA, extra
