"""Verifies the attachments of an archive: each is a part of a signed message, and each part is there as a file."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.casefile import chain, contents
from eessi_sim.casefile.chain import Entry
from eessi_sim.casefile.hiding import WITHHELD
from eessi_sim.errors import XmlError
from eessi_sim.verification.masked import cannot_be_verified
from eessi_sim.verification.outcome import Check, Subject

_Key: TypeAlias = tuple[str, str, str]
"""Document, attachment, SHA-256 of the content."""
_NAME: Final = "attachment"


def verify(entries: Sequence[Entry], files: Mapping[str, bytes], *, masked: bool) -> Iterator[Subject]:
    """Verify the attachments of an archive, one subject for each.

    Args:
        entries: the journal.
        files: of the archive.
        masked: whether the manifest says that persons are hidden; then attachments were left out.
    """
    parts = dict(_parts(entries, files))
    carried: defaultdict[_Key, list[str]] = defaultdict(list)
    for (folder, *_), key in parts.items():
        carried[key].append(folder)
    filed: set[_Key] = set()
    for entry in entries:
        if entry.what != contents.ATTACHMENT:
            continue
        if entry.file in files:
            key = _key(entry, files[str(entry.file)])
            filed.add(key)
            yield Subject(str(entry.file), _description(entry), (_check(str(entry.file), carried[key]),))
        elif masked and WITHHELD in entry.facts:
            place = entry.facts[WITHHELD]
            yield Subject(place, _description(entry), (cannot_be_verified(_NAME, place, "The attachment"),))
    for (folder, number), key in parts.items():
        if key not in filed:
            yield _not_there(folder, number)


def _key(entry: Entry, content: bytes) -> _Key:
    return entry.facts.get("document", ""), entry.facts.get("attachment", ""), chain.digest(content)


def _description(entry: Entry) -> str:
    facts = entry.facts
    medical = ", medical" if facts.get("medical") == "true" else ""
    return (
        f"attachment {facts.get(contents.FILE_NAME)} of {facts.get('sed')}, {facts.get('mime_type')}{medical}"
    )


def _parts(entries: Sequence[Entry], files: Mapping[str, bytes]) -> Iterator[tuple[tuple[str, int], _Key]]:
    """Yield the attachments in each message: its folder and which part, and what it is."""
    for entry in entries:
        if entry.what != contents.MESSAGE_RECORD or entry.file not in files:
            continue
        folder = str(entry.file).rpartition("/")[0]
        try:
            parts = msh.unpack_file(files[str(entry.file)]).parts[1:]
            found = [(part.attachment_id, chain.digest(msh.payload_content(part))) for part in parts]
        except (EbmsFault, XmlError):
            continue  # who verifies the message says what is wrong with it; a masked one has no parts
        for number, (attachment, digest) in enumerate(found, start=2):
            yield (folder, number), (entry.facts.get("document", ""), attachment, digest)


def _check(file: str, folders: Sequence[str]) -> Check:
    if folders:
        sentence = f"The file is a part of {', '.join(folders)}"
        return Check(name=_NAME, file=file, passed=True, sentence=sentence)
    sentence = "Expected the file to be a part of a message about its document, found it in none"
    return Check(name=_NAME, file=file, passed=False, sentence=sentence, code="changed")


def _not_there(folder: str, number: int) -> Subject:
    sentence = f"Expected part {number} of {folder} as a file of the archive, found none"
    check = Check(name=_NAME, file=folder, passed=False, sentence=sentence, code="missing")
    return Subject(folder, f"part {number} of a message", (check,))
