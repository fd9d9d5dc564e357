"""Hides persons in everything that an archive holds: documents, envelopes, messages, and the case itself.

Of a message the SOAP part stays, octet by octet: it names no person, and its signature states the digest of the
document that is not there any more. Receipts stay whole. What cannot be read is left out: nobody can say whom it
names. So are attachments and their names; their digests stay in the signatures, so that whoever has the very file can
tell that it was sent.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import msgspec

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import mime, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.casefile import contents
from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.masking import BLOCKS, Fields, MaskedDocument, Opening, mask
from eessi_sim.errors import EnvelopeError, KeyMaterialError, XmlError
from eessi_sim.storage.base import MessageKind
from eessi_sim.verification.evidence import ENVELOPE, MESSAGE
from eessi_sim.verification.masked import SOAP
from eessi_sim.xmlsafe import Element

WITHHELD: Final = "withheld"
"""Fact of an entry whose file was left out: its folder in the archive, or its name."""
Openings: TypeAlias = dict[str, tuple[Opening, ...]]
"""What is hidden, by the file of the document."""
_FREE_FACTS: Final = ("reason",)
"""Facts of a step that are sentences."""
_FILE_NAMES: Final = (contents.NAME, contents.FILE_NAME)
_FREE_MEMBERS: Final = ("actor", "detail", *_FILE_NAMES)
"""Members of a case that say who did something, and why, or how a file is called."""
_UNREADABLE: Final = (EbmsFault, EnvelopeError, XmlError)


@dataclass(frozen=True, slots=True)
class Hidden:
    """The records of a case without persons."""

    records: tuple[Record, ...]
    openings: Openings


def hide(records: Sequence[Record], fields: Fields, make_salt: Callable[[], str]) -> Hidden:
    """Hide the persons in records.

    Args:
        records: everything about a case.
        fields: what a document may show.
        make_salt: returns a new random text at each call.
    """
    hiding = _Hiding(fields, make_salt)
    hidden = tuple(hiding.of_all(records))
    return Hidden(hidden, hiding.openings)


def openings_json(openings: Openings) -> bytes:
    """Return the openings as JSON; whoever has it can see what was hidden."""
    return msgspec.json.format(msgspec.json.encode(openings), indent=1) + b"\n"


def read_openings(data: bytes) -> Openings:
    """Return what ``openings_json`` wrote.

    Raises:
        KeyMaterialError: it is something else.
    """
    try:
        return msgspec.json.decode(data, type=Openings)
    except msgspec.MsgspecError as error:
        raise KeyMaterialError(
            f"Expected the openings of a masked archive, found: {error}",
            hint="Give the file that case export --mask --openings wrote.",
        ) from error


class _Hiding:
    def __init__(self, fields: Fields, make_salt: Callable[[], str]) -> None:
        self._fields = fields
        self._make_salt = make_salt
        self._masked: dict[bytes, MaskedDocument] = {}
        self.openings: Openings = {}

    def of_all(self, records: Sequence[Record]) -> Iterator[Record]:
        for record in records:
            try:
                yield from self._of(record)
            except _UNREADABLE:
                yield _withheld(record)

    def _of(self, record: Record) -> Iterator[Record]:
        name = (record.file or "").rpartition("/")[2]
        if record.what == contents.STEP:
            yield replace(
                record, facts={**record.facts, **{k: BLOCKS for k in _FREE_FACTS if k in record.facts}}
            )
        elif record.what == contents.DOCUMENT:
            yield self._document(record)
        elif record.what == contents.MESSAGE_RECORD:
            file = str(record.file).removesuffix(MESSAGE) + SOAP
            yield replace(record, file=file, content=_soap(record.content))
        elif record.what == contents.PART:
            # The SED of the message is that of the envelope; it is not shown a third time.
            if name == ENVELOPE:
                yield replace(record, content=self._envelope(record.content))
        elif record.what == MessageKind.ERROR:
            yield _withheld(record)
        elif record.what == contents.ATTACHMENT:
            yield _withheld(replace(record, facts={**record.facts, **dict.fromkeys(_FILE_NAMES, BLOCKS)}))
        elif record.what == contents.CASE_RECORD:
            yield replace(record, content=_case(record.content))
        else:
            yield record

    def _document(self, record: Record) -> Record:
        masked = self._mask(xmlsafe.parse(record.content))
        if not masked.openings:
            return record
        self.openings[str(record.file)] = masked.openings
        return replace(record, content=xmlsafe.document_of(masked.root))

    def _envelope(self, content: bytes) -> bytes:
        document = sbdh.read(content)
        masked = self._mask(document.sed)
        parent = document.sed.getparent()
        assert parent is not None  # the SED stands in its envelope
        for name in parent.iter(f"{{{sbdh.NAMESPACE}}}FileName"):
            name.text = BLOCKS
        parent.replace(document.sed, copy.deepcopy(masked.root))
        return xmlsafe.serialize(parent)

    def _mask(self, sed: Element) -> MaskedDocument:
        """Return a document without persons: the same document has the same salts wherever it lies."""
        content = xmlsafe.document_of(sed)
        if content not in self._masked:
            self._masked[content] = mask(sed, self._fields, self._make_salt)
        return self._masked[content]


def _withheld(record: Record) -> Record:
    file = str(record.file)
    place = file.split("/")[1] if file.startswith(f"{contents.MESSAGES}/") else file
    return replace(record, file=None, content=b"", facts={**record.facts, WITHHELD: place})


def _soap(message: bytes) -> bytes:
    """Return the SOAP part of a message that can be taken apart."""
    content_type, body = msh.from_file(message)
    msh.unpack(content_type, body, lenient=True)
    return mime.read(content_type, body, DEFAULT_LIMITS, lenient=True).root.content


def _case(content: bytes) -> bytes:
    return json.dumps(
        _without_people(json.loads(content)), ensure_ascii=False, separators=(",", ":")
    ).encode()


def _without_people(value: Any) -> Any:  # Any: JSON
    if isinstance(value, list):
        return [_without_people(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _hidden(each) if key in _FREE_MEMBERS else _without_people(each) for key, each in value.items()
    }


def _hidden(value: Any) -> Any:  # Any: JSON
    """Return a sentence, or an actor, without who it is and why; what kind of actor it is stays."""
    if isinstance(value, dict):
        return {key: each if key == "kind" else BLOCKS for key, each in value.items()}
    return BLOCKS if value else value
