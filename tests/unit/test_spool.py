"""The spool: files under their digests, kept once, swept when nobody knows them."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from eessi_sim.errors import Unavailable
from eessi_sim.spool import Spool

DATA = b"large" * 1000
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """Return an empty spool whose folder is not made yet."""
    return Spool(tmp_path / "spool")


def test_kept_file_is_found_by_its_digest(spool: Spool) -> None:
    """What was kept, even twice, is found again and reads as it was written."""
    file = spool.write([DATA[:7], DATA[7:]]).keep().keep()
    found = spool.find(DIGEST)
    assert found is not None
    assert (found.size, found.digest, found.read()) == (len(DATA), DIGEST, DATA)
    assert b"".join(file.pieces()) == file.stretch.read() == DATA


def test_equal_octets_are_kept_once(spool: Spool, tmp_path: Path) -> None:
    """Two files of equal octets become one, and both can be read."""
    first, second = spool.write([DATA]), spool.write([DATA])
    first.keep()
    second.keep()
    assert first.read() == second.read() == DATA
    assert [path.name for path in (tmp_path / "spool").iterdir()] == [DIGEST]


def test_discarding_takes_only_what_was_not_kept(spool: Spool) -> None:
    """A file that was kept outlives its discarding, another does not."""
    kept, other = spool.write([DATA]).keep(), spool.write([b"other"])
    kept.discard()
    other.discard()
    assert kept.read() == DATA
    with pytest.raises(Unavailable):
        other.read()


def test_nothing_is_left_of_a_file_that_breaks_off(spool: Spool, tmp_path: Path) -> None:
    """When a piece cannot be made, the file goes and the error stays."""

    def broken() -> Iterator[bytes]:
        yield b"begin"
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        spool.write(broken())
    assert not list((tmp_path / "spool").iterdir())


def test_sweep_removes_leftovers(spool: Spool) -> None:
    """At a start, files that are not finished or not known go; those that are known stay."""
    assert spool.sweep(()) == 0
    spool.write([b"unfinished"])
    unknown = spool.write([b"unknown"]).keep()
    spool.write([DATA]).keep()
    assert spool.sweep({DIGEST}) == 2
    assert spool.find(DIGEST) is not None
    assert spool.find(unknown.digest) is None


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """The error says which folder and what to look at."""
    with pytest.raises(Unavailable, match=r"absent.*No such file"):
        Spool(tmp_path / "absent" / "spool").begin()


def test_what_another_process_has_just_written_is_spared(tmp_path: Path) -> None:
    """Where several processes share the folder, only what is old enough to be left over goes."""
    spool = Spool(tmp_path)
    kept = spool.write([b"new"]).keep()
    old = spool.write([b"old"])
    os.utime(old.path, (0, 0))
    assert spool.sweep((), spare_seconds=3600) == 1
    assert spool.find(kept.digest) is not None
    assert not old.path.exists()
