"""eessi-sim run --cdm: a network keeps the definitions that it began with."""

from pathlib import Path

from tests.helpers.commands import run
from tests.helpers.packages import write_package
from tests.helpers.process_networks import small_network


def test_network_is_not_taken_up_with_other_definitions(tmp_path: Path) -> None:
    """Cases that were valid under one package would not be under another; the hint names the first one."""
    state = small_network(tmp_path)
    package = write_package(tmp_path / "package")
    result = run("run", "--state", state.path, "--cdm", package)
    assert (result.exit_code, "that the network" in result.stderr) == (3, True)
    assert "cdm" in result.stderr.split("hint: Repeat its --cdm: ")[1]
