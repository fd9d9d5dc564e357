"""Every process of LA, P and UB from its first SED to its end, in one process and between processes over real AS4.

The reports are kept where the variable EESSI_SIM_ARTEFACTS says, else in pytest's own folder.
"""

import os
from pathlib import Path
from typing import Any, Final

import pytest
from tests.helpers.commands import run_json
from tests.helpers.unmeasured import unmeasured

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions

BUCS: Final = [str(each.buc) for each in Definitions.default().all() if each.sector in ("LA", "P", "UB")]
NETWORK: Final = resources.institutions() / "networks" / "five.yaml"
GOOD: Final = {
    "xsd_valid": True,
    "rules_valid": True,
    "sed_signature": "valid",
    "filed": True,
    "reason": None,
}


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reports are kept."""
    wanted = os.environ.get("EESSI_SIM_ARTEFACTS")
    return Path(wanted) if wanted else tmp_path_factory.mktemp("full-runs")


@pytest.fixture(scope="module")
def in_process(artefacts: Path) -> dict[str, Any]:
    """All full runs, played in this process."""
    return play(artefacts / "full-runs-in-process", "--in-process")


@pytest.fixture(scope="module")
def over_as4(artefacts: Path) -> dict[str, Any]:
    """All full runs, played between processes; what these run through is measured by the tests of the demo."""
    with unmeasured():
        return play(artefacts / "full-runs-over-as4")


def play(report: Path, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = run_json(
        "bucs", "run", "--all", "--network", NETWORK, "--report", report, *options
    )
    assert (report / "report.html").is_file()
    return answer


def require_full(answer: dict[str, Any], buc: str) -> None:
    """Fail unless the run of a process came to its end as the engine says, with every copy closed and nothing lost."""
    run = next(run for run in answer["runs"] if run["buc"] == buc)
    messages = [message for message in answer["report"]["messages"] if message["buc"] == buc]
    assert run["fault"] is None
    assert {copy["status"] for copy in run["steps"][-1]["copies"].values()} == {"closed"}
    assert messages
    assert all(GOOD.items() <= message.items() and message["receipted_at"] for message in messages)


@pytest.mark.parametrize("buc", BUCS)
def test_full_run_in_one_process(in_process: dict[str, Any], buc: str) -> None:
    """On simulated time every copy is, after each step, what the pure engine says; all SEDs arrive and are valid."""
    require_full(in_process, buc)


@pytest.mark.process
@pytest.mark.parametrize("buc", BUCS)
def test_full_run_over_as4(over_as4: dict[str, Any], buc: str) -> None:
    """The same between processes over mutual TLS, with clocks that are moved where the process waits for weeks."""
    require_full(over_as4, buc)


def test_there_are_twenty_processes() -> None:
    """Six of applicable legislation, ten of pensions, four of unemployment."""
    assert len(BUCS) == 20
