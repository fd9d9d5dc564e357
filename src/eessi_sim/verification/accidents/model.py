"""What an accident is: a name, a sentence, and a function that undoes it. Values only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scene:
    """Where signed content stood, so that it can be read again in another way."""

    raw: bytes = field(repr=False)
    """The file or part as received."""
    target: int | None = None
    """Position of the signed element among all elements of ``raw``; None when ``raw`` itself is signed."""
    signature: int | None = None
    """Position of the enveloped signature, which is taken out of the signed element."""
    was_compressed: bool = False
    """Whether the header says that this part is a gzip stream."""
    sent_at: datetime | None = None
    """Time that the message states."""


@dataclass(frozen=True, slots=True)
class Content:
    """Octets whose digest does not fit."""

    octets: bytes = field(repr=False)
    scene: Scene | None = None
    """None when these octets are a guess already, or nobody knows where they stood."""
    is_enveloped: bool = False
    """Whether a signature was taken out of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Octets as they may have been when they were signed."""

    octets: bytes = field(repr=False)
    note: str = ""
    """What exactly was undone, where the accident has variants."""


@dataclass(frozen=True, slots=True)
class Accident:
    """Something that happens to content between signer and verifier, or to the signer himself."""

    code: str
    """Stable name, for programs: ``pretty-printed``."""
    sentence: str
    """What happened."""
    undo: Callable[[Content], Iterator[Candidate]]
    """Yields the content as it may have been before."""
    pairs: bool = False
    """Whether it often comes together with another accident, so that both are worth being undone."""
