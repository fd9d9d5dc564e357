"""Octets in memory that behave as if they lay elsewhere."""

from dataclasses import dataclass

from eessi_sim.stretch import Stretch


@dataclass(frozen=True)
class InMemory:
    """A source that is no file."""

    data: bytes

    def read_at(self, position: int, size: int) -> bytes:
        """Return ``size`` octets from ``position`` on."""
        return self.data[position : position + size]


def stretch_of(data: bytes, before: bytes = b"") -> Stretch:
    """Return ``data`` as a stretch, behind ``before`` in its source."""
    return Stretch(InMemory(before + data + before), len(before), len(data))
