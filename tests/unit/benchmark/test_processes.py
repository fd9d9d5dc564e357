"""Which stores a network of processes is measured with."""

from pathlib import Path

import pytest

from eessi_sim.benchmark import processes
from eessi_sim.benchmark.processes import POSTGRESQL, STORES, Setting
from eessi_sim.cli import bench_network
from eessi_sim.security.pki import KeyAlgorithm


def setting(storage: str) -> Setting:
    """A run with one process per node."""
    return Setting(storage=storage, workers=1, keys=KeyAlgorithm.P_256, seconds=1.0)


class Server:
    """A server that only remembers."""

    url = "postgresql://example"
    pid = 7

    def __init__(self) -> None:
        self.done: list[str] = []

    def start(self) -> None:
        self.done.append("start")

    def stop(self) -> None:
        self.done.append("stop")


def test_postgresql_is_one_store_for_all_and_its_server_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The URL goes into the network, the process into the figures; the server is stopped at the end."""
    server = Server()
    monkeypatch.setattr(processes, "LocalServer", lambda _folder: server)
    with processes._store(setting(POSTGRESQL), tmp_path / "server") as found:
        assert found == ("postgresql://example", {POSTGRESQL: 7})
    assert server.done == ["start", "stop"]


def test_sqlite_is_a_file_for_each(tmp_path: Path) -> None:
    """No store is shared, and there is no server."""
    with processes._store(setting("sqlite"), tmp_path) as found:
        assert found == ("", {})


def test_machine_without_postgresql_measures_the_other_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fails for want of a server."""
    monkeypatch.setattr(bench_network, "find_programs", lambda: None)
    assert bench_network._stores() == ("sqlite",)
    monkeypatch.setattr(bench_network, "find_programs", lambda: Path("bin"))
    assert bench_network._stores() == STORES
