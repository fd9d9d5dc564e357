"""Examines the documents in a zip archive, each under its own name; nothing is unpacked to a disk."""

from collections.abc import Iterator
from typing import Final

from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import ZipError
from eessi_sim.verification.examination import Examination, examine, refused
from eessi_sim.verification.outcome import Belief
from eessi_sim.zipsafe import Zip

_RESOURCES: Final = "__MACOSX"
"""Folder that macOS adds to its archives."""


def examine_zip(name: str, data: bytes, validator: Validator, belief: Belief) -> Iterator[Examination]:
    """Examine every file in an archive; only those that operating systems hide are left out.

    Args:
        name: how the user calls the archive.
        data: the archive.
        validator: judges the documents.
        belief: whom to believe about signatures.

    Raises:
        DefinitionError: a file of the definition of a SED is wrong.
    """
    try:
        archive = Zip(data)
    except ZipError as error:
        yield refused(name, error)
        return
    wanted = [position for position, entry in enumerate(archive.names) if not _is_hidden(entry)]
    if not wanted:
        nothing = ZipError("Expected documents in the archive, found none", hint="Put documents into it.")
        yield refused(name, nothing)
    for position in wanted:
        entry = f"{name}/{archive.names[position]}"
        try:
            content = archive.read(position)
        except ZipError as error:
            yield refused(entry, error)
        else:
            yield examine(entry, content, validator, belief)


def _is_hidden(entry: str) -> bool:
    folder, _, _ = entry.partition("/")
    return folder == _RESOURCES or entry.rpartition("/")[2].startswith(".")
