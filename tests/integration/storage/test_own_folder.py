"""Folders of processes, and what is left of those that were killed."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from eessi_sim.errors import Unavailable
from eessi_sim.storage.own_folder import OwnFolder

_MAKES_ONE = """
import sys
from eessi_sim.storage.own_folder import OwnFolder
folder = OwnFolder("ours-", sys.argv[1])
(folder.path / "large").write_bytes(b"octets")
print(folder.path, flush=True)
sys.stdin.read()
"""


def test_a_folder_that_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """The folder of a running process stays, with its files; after kill -9 the next one removes it."""
    with subprocess.Popen(
        [sys.executable, "-c", _MAKES_ONE, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        others = Path(process.stdout.readline().strip())
        try:
            OwnFolder("ours-", str(tmp_path)).close()
            assert (others / "large").read_bytes() == b"octets"
        finally:
            process.kill()
    own = OwnFolder("ours-", str(tmp_path))
    assert list(tmp_path.iterdir()) == [own.path]
    own.close()
    assert list(tmp_path.iterdir()) == []


def test_folders_of_another_kind_stay(tmp_path: Path) -> None:
    """Only what begins with the prefix is looked at."""
    (tmp_path / "theirs-1").mkdir()
    OwnFolder("ours-", str(tmp_path)).close()
    assert [path.name for path in tmp_path.iterdir()] == ["theirs-1"]


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The error says which folder was tried and how to name another one."""
    with pytest.raises(Unavailable, match=f'folder in "{tmp_path}/none"') as caught:
        OwnFolder("ours-", f"{tmp_path}/none")
    assert "&spool=DIR" in str(caught.value.hint)


def test_a_disk_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks lock nothing: the error says where and how to name another folder."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(Unavailable, match="found: No locks available") as caught:
        OwnFolder("ours-", str(tmp_path))
    assert "&spool=DIR" in str(caught.value.hint)
