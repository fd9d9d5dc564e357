"""The short version of the chaos harness: everything that can fail does, and nothing is lost.

Real processes that are killed, frozen and cut off while both institutions send; the audit is that of the command.
"""

import json
from pathlib import Path

import pytest
from tests.helpers.commands import run

from eessi_sim.chaos.model import Kind

pytestmark = pytest.mark.process


def test_network_under_chaos_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Under every kind of disturbance each SED is filed once and receipted, or a dead letter that one explains."""
    report = tmp_path / "report"
    result = run("chaos", "--minutes", 1, "--seed", 7, "--report", report)
    found = json.loads((report / "chaos.json").read_text(encoding="utf-8"))
    assert found["audit"]["findings"] == []
    assert found["success"]
    assert found["sent"] > 0
    assert found["kills"] >= 2  # on a slow machine some are left out
    assert {each["disturbance"]["kind"] for each in found["disturbances"]} == set(Kind)
    assert result.exit_code == 0
    assert "all queues empty" in result.stdout
