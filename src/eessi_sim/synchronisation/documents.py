"""The documents inside system messages, SYN001 apart: written, and read with their schema; pure.

The version that a requester has is observed in a public client; elements and envelope are inferred, see
``schemas/system``.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.limits import DEFAULT_LIMITS
from eessi_sim.as4.model import Payload
from eessi_sim.cdm.schema_files import compiled
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import BucType, CdmVersion, DocumentId, InstitutionId, InternationalId, SedType
from eessi_sim.ir import vocabulary
from eessi_sim.ir.syn_writing import Addressing
from eessi_sim.sbdh import (
    BusinessScope,
    CaseAction,
    ContactTypeIdentifier,
    DocumentIdentification,
    Partner,
    StandardBusinessDocument,
    StandardBusinessDocumentHeader,
    wrap,
)
from eessi_sim.xmlsafe import Element

_NAMESPACE: Final = "http://ec.europa.eu/eessi/ns/4_2/"
_MOST: Final = 64 * 1024 * 1024
"""Octets of a system document: a directory of the real size has some 12 million (our choice, inferred)."""
_LIMITS: Final = replace(DEFAULT_LIMITS, part_bytes=_MOST)
_XML_LIMITS: Final = xmlsafe.XmlLimits(max_bytes=_MOST)
_NO_ENTRY: Final = "0.0.1"
"""The version that somebody names who has no repository yet (observed)."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A system message: its type, the use case in whose name it travels, and whether it asks for something."""

    type: SedType
    use_case: BucType
    action: CaseAction


DIRECTORY: Final = Kind(vocabulary.SYN001, vocabulary.SYNC_SUC, CaseAction.START)
DIRECTORY_REQUEST: Final = Kind(SedType("SYN002"), vocabulary.SYNC_SUC, CaseAction.REQUEST)
MODEL: Final = Kind(SedType("SYN003"), vocabulary.MODEL_SUC, CaseAction.START)
MODEL_REQUEST: Final = Kind(SedType("SYN004"), vocabulary.MODEL_SUC, CaseAction.REQUEST)
MODEL_VERSIONS: Final = Kind(SedType("SYN005"), vocabulary.VERSIONS_SUC, CaseAction.START)
KINDS: Final = {
    kind.type: kind for kind in (DIRECTORY, DIRECTORY_REQUEST, MODEL, MODEL_REQUEST, MODEL_VERSIONS)
}


def content_of(part: Payload) -> bytes:
    """Return the document in a part, which may be larger than a business document.

    Raises:
        EbmsFault: it cannot be decompressed, or is too large.
    """
    return msh.payload_content(part, _LIMITS)


def read(part: Payload) -> StandardBusinessDocument:
    """Return the document in a part with its envelope.

    Raises:
        EbmsFault: as ``content_of``.
        EnvelopeError, XmlError: it cannot be read.
    """
    return sbdh.read(content_of(part), _XML_LIMITS)


def directory_request(version: str, to: Addressing, sender: InstitutionId) -> bytes:
    """Return a SYN002 in its envelope.

    Args:
        version: what the sender has.
        to: the access point, and identity of the document.
        sender: the institution.
    """
    asked = f"<RequestForIRSync><currentVersion>{version}</currentVersion></RequestForIRSync>"
    return _document(DIRECTORY_REQUEST, asked, to, sender)


def versions_request(to: Addressing, sender: InstitutionId) -> bytes:
    """Return the question of a SYN005 in its envelope."""
    return _document(MODEL_VERSIONS, "<CDMVersionRequest></CDMVersionRequest>", to, sender)


def versions_report(versions: tuple[CdmVersion, ...], to: Addressing, sender: InstitutionId) -> bytes:
    """Return the report of a SYN005 in its envelope; ``sender`` is the access point that holds ``versions``."""
    listed = "".join(f"<version>{version}</version>" for version in versions)
    return _document(
        MODEL_VERSIONS,
        f"<CDMVersionReport><accessPoint>{sender}</accessPoint><InstalledVersions>{listed}</InstalledVersions>"
        "</CDMVersionReport>",
        to,
        sender,
    )


def _document(kind: Kind, content: str, to: Addressing, sender: InstitutionId) -> bytes:
    name = kind.type
    body = f'<a:{name} xmlns:a="{_NAMESPACE}{name}">{content}</a:{name}>'
    return wrap(_header(kind, to, sender), body.encode())


def _header(kind: Kind, to: Addressing, sender: InstitutionId) -> StandardBusinessDocumentHeader:
    source, destination = ContactTypeIdentifier.DATA_SOURCE, ContactTypeIdentifier.DATA_DESTINATION
    if kind.action is CaseAction.REQUEST:
        source, destination = destination, source
    return StandardBusinessDocumentHeader(
        Partner(sender, source),
        (Partner(to.receiver, destination),),
        DocumentIdentification(to.at, kind.action, kind.type, UUID(to.ids.uuid()), vocabulary.VERSION),
        BusinessScope(
            1, DocumentId(to.ids.hex32()), InternationalId(to.ids.hex32()), kind.use_case, vocabulary.VERSION
        ),
    )


def check(element: Element, kind: Kind, schemas: Path) -> None:
    """Check a system document, SYN001 apart, against its schema.

    Raises:
        DefinitionError: names the first contradiction with its line.
    """
    folder = schemas / "system"
    schema = compiled(folder / f"{kind.type}.xsd", folder)
    if not schema.validate(element):
        log: Any = schema.error_log  # the stubs of lxml do not know that it can be iterated
        first = next(iter(log))
        raise DefinitionError(
            f"Expected what the schema {kind.type}.xsd says, found: {first.message} (line {first.line})",
            hint=f"Compare the message with schemas/system/{kind.type}.xsd.",
        )


def asked_version(element: Element) -> str:
    """Return the version that the sender of a SYN002 has."""
    return xmlsafe.text_of(element.find("RequestForIRSync/currentVersion")) or _NO_ENTRY


def is_question(element: Element) -> bool:
    """Return whether a SYN005 asks, rather than reports."""
    return element.find("CDMVersionRequest") is not None


def reported_versions(element: Element) -> tuple[str, ...]:
    """Return the versions that a SYN005 reports."""
    return tuple(map(xmlsafe.text_of, element.iterfind("CDMVersionReport/InstalledVersions/version")))


def stated_version(element: Element) -> str:
    """Return the version that a SYN001 says it has, empty when it says none."""
    return xmlsafe.text_of(element.find("IRSync/version"))
