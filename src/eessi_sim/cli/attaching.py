"""Files named on the command line as attachments of a document, and attachments shown to people and scripts."""

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click

from eessi_sim.attachments import (
    MEGABYTE,
    AttachmentLimits,
    Content,
    NewFile,
    Octets,
    in_words,
    type_of_content,
    type_of_name,
)
from eessi_sim.cli import inputs
from eessi_sim.simulation.views import AttachmentView
from eessi_sim.stretch import IN_MEMORY, PIECE

_Command = TypeVar("_Command", bound=Callable[..., Any])
_MOST: Final = AttachmentLimits(file_bytes=2048 * MEGABYTE)
"""No network takes more, whatever its file says."""
_UNKNOWN: Final = "application/octet-stream"


def attachment_options(command: _Command) -> _Command:
    """Add ``--attach`` and ``--medical`` to a command, which gets what they name as ``files``."""

    @functools.wraps(command)
    def with_files(*args: Any, attach: Sequence[str], medical: Sequence[str], **others: Any) -> Any:
        return command(*args, files=read_files(attach, medical), **others)

    decorated: Any = with_files  # Any: click takes any callable and returns it
    for name, words in (
        ("medical", "Like --attach, for a file with medical data."),
        ("attach", "File that travels with the document: PDF, JPEG, PNG or TIFF; may be repeated."),
    ):
        option = click.option(f"--{name}", multiple=True, metavar="FILE", help=words)
        decorated = option(decorated)
    return cast(_Command, decorated)


def read_files(attach: Sequence[str], medical: Sequence[str]) -> tuple[NewFile, ...]:
    """Return the files of the two options, those with medical data behind the others.

    Raises:
        EnvironmentProblem: there is no such file, or it cannot be read.
        AttachmentTooLarge: it is larger than any network takes.
    """
    inputs.require_files([*attach, *medical])
    plain = [_read(Path(name), medical=False) for name in attach]
    return (*plain, *(_read(Path(name), medical=True) for name in medical))


def _read(path: Path, *, medical: bool) -> NewFile:
    size = path.stat().st_size
    _MOST.check_size(f'"{path.name}"', size)
    content: Content = OnDisk(path, size) if size > IN_MEMORY else Octets.of(path.read_bytes())
    # The ending is what the user says it is, and the node compares it with the content.
    mime_type = type_of_name(path.name) or type_of_content(next(content.pieces(), b"")) or _UNKNOWN
    return NewFile(file_name=path.name, content=content, mime_type=mime_type, medical=medical)


@dataclass(frozen=True, slots=True)
class OnDisk:
    """The content of a large file of the user: read when it is needed, in pieces."""

    path: Path
    size: int

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield the octets in pieces of at most 1 MB."""
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def read(self) -> bytes:
        """Return all octets at once."""
        return self.path.read_bytes()


def in_a_line(attachment: AttachmentView) -> str:
    """Return an attachment in words: ``scan.pdf (application/pdf, 12 kB, medical)``."""
    facts = [attachment.mime_type, in_words(attachment.size)]
    if attachment.version > 1:
        facts.append(f"version {attachment.version}")
    if attachment.medical:
        facts.append("medical")
    return f"{attachment.file_name} ({', '.join(facts)})"
