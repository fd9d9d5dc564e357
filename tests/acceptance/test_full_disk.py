"""A node whose disk is full takes nothing in, loses nothing, and goes on by itself when there is room again.

The kernel refuses every write of the process (RLIMIT_FSIZE), as a full disk would.
"""

import resource
import sys
from pathlib import Path
from random import Random

import pytest
from tests.helpers.process_networks import NORWAY, POINT, POLAND, small_network, until

from eessi_sim.attachments import MEGABYTE, NewFile, Octets
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.simulation.processes import ProcessNetwork

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits another process"),
]

SCAN = NewFile(
    file_name="scan.pdf",
    content=Octets.of(b"%PDF-1.7\n" + Random(7).randbytes(2 * MEGABYTE)),
    mime_type="application/pdf",
)
"""Too large to be held in memory, so that the access point writes it to its spool."""


def limit_files(process: int, octets: int) -> None:
    """Let a process write files up to this size only."""
    if sys.platform == "linux":
        resource.prlimit(process, resource.RLIMIT_FSIZE, (octets, resource.RLIM_INFINITY))


async def test_full_disk_stops_the_acceptance_and_nothing_else(tmp_path: Path) -> None:
    """The access point answers 503 with the text of an ebMS error, is not ready, and everything arrives later."""
    async with ProcessNetwork(small_network(tmp_path)) as network:
        norway, point = network.controls[NORWAY], network.readers[POINT]

        async def refused() -> bool:
            errors = {each.last_error for each in await norway.messages() if each.last_error}
            return len(errors) == 2 and all(error.startswith("HTTP 503 ") for error in errors)

        async def delivered() -> bool:
            sent = [
                each for each in await norway.messages() if (each.direction, each.kind) == ("out", "user")
            ]
            return [each.state for each in sent] == ["delivered"] * 2

        limit_files(network.pid(POINT), 1)
        for files in ([], [SCAN]):
            case = await norway.open_case(BucType("LA_BUC_02"), [POLAND])
            await norway.send(case, SedType("A003"), files=files)
        await until(refused, "both messages were refused for want of room")
        reasons = " ".join(each.last_error or "" for each in await norway.messages())
        assert "EBMS:0004 Other: not stored, send it again later" in reasons
        assert "No room for large requests" in reasons
        health = await point.health()
        assert {check.name for check in health.checks if not check.ok} == {"store"}

        limit_files(network.pid(POINT), resource.RLIM_INFINITY)
        await until(delivered, "both messages were delivered after all")
        assert (await point.health()).is_ready
