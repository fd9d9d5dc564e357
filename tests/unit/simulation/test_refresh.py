"""A running node takes up a newer directory, and nothing else."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.repositories import repository

from eessi_sim.ir import snapshot
from eessi_sim.simulation import refresh
from eessi_sim.simulation.refresh import DirectoryFile


def touch(path: Path, seconds: int) -> None:
    """Give the file a time of its own; two writes may fall into one tick of the file system."""
    os.utime(path, (seconds, seconds))


def test_newer_directory_is_taken_up(tmp_path: Path) -> None:
    """A higher or equal version counts; an older one, a broken file and no file change nothing."""
    path = tmp_path / "directory.json"
    snapshot.save(repository(), path)
    touch(path, 1000)
    file = DirectoryFile(path)
    assert not file.look()
    for number, (version, taken) in enumerate((("4.4.2", True), ("4.4.1", False), ("4.4.2", True)), 2000):
        snapshot.save(replace(repository(), version=version), path)
        touch(path, number)
        assert file.look() is taken
        assert file.directory.current.version == "4.4.2"
    path.write_text("{")
    assert not file.look()
    path.unlink()
    assert not file.look()
    assert file.directory.current.version == "4.4.2"


async def test_file_is_watched_until_the_node_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a little later finds the new directory."""
    monkeypatch.setattr(refresh, "_EVERY", 0)
    path = tmp_path / "directory.json"
    snapshot.save(repository(), path)
    touch(path, 1000)
    file = DirectoryFile(path)
    watch = asyncio.create_task(file.watch())
    snapshot.save(replace(repository(), version="5"), path)
    for _ in range(1000):
        if file.directory.current.version == "5":
            break
        await asyncio.sleep(0)
    watch.cancel()
    assert file.directory.current.version == "5"
