"""A stretch answers whatever is asked of octets as the octets themselves would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.stretches import stretch_of

from eessi_sim import stretch
from eessi_sim.stretch import cut, pieces_of, whole

FEW = st.text("ab", max_size=40).map(str.encode)
WANTED = st.text("ab", min_size=1, max_size=4).map(str.encode)
PLACES = st.integers(0, 45)


@pytest.fixture(autouse=True, scope="module")
def _small_pieces() -> object:
    """Make pieces so small that everything lies across several of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretch, "PIECE", 3)
        patch.setattr(stretch, "IN_MEMORY", 4)
        yield


@given(FEW, WANTED, PLACES, st.none() | PLACES)
def test_search_finds_what_bytes_find(data: bytes, wanted: bytes, start: int, end: int | None) -> None:
    """Where something stands, how often, and whether at all, across the ends of pieces too."""
    found = stretch_of(data, b"ab")
    assert found.find(wanted, start, end) == data.find(wanted, start, end)
    assert found.count(wanted) == data.count(wanted)
    assert (wanted in found) == (wanted in data)
    assert found.startswith(wanted, start) == data.startswith(wanted, start)


@given(FEW, st.integers(-5, 45), st.integers(-5, 45))
def test_slices_are_those_of_bytes(data: bytes, start: int, end: int) -> None:
    """A slice of a stretch holds the octets of the same slice of bytes."""
    assert stretch_of(data, b"xyz")[start:end] == data[start:end]


@given(FEW, PLACES, PLACES)
def test_cuts_and_pieces_make_up_the_same_octets(data: bytes, start: int, end: int) -> None:
    """A part of a stretch is held when it is small, and reads the same either way."""
    part = cut(stretch_of(data, b"xyz"), start, end)
    assert whole(part) == data[start:end] == b"".join(pieces_of(part))
    assert isinstance(part, bytes) == (min(end, len(data)) - start <= 4)


def test_octets_in_memory_are_one_piece() -> None:
    """What is held already is not cut."""
    assert list(pieces_of(b"abcdef")) == [b"abcdef"]
    assert whole(cut(b"abcdef", 1, 3)) == b"bc"


def test_counting_reads_every_octet_once() -> None:
    """A body that is full of boundaries costs one pass, not one for each of them."""
    read: list[int] = []

    class Counting:
        def read_at(self, position: int, size: int) -> bytes:
            read.append(size)
            return (b"ab" * 500)[position : position + size]

    assert stretch.Stretch(Counting(), 0, 1000).count(b"ab") == 500
    assert sum(read) < 2000
