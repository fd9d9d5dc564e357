"""Reads envelopes with header 1.1 and 1.0, strictly: every element in its place, every value well-formed."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from eessi_sim import xmlsafe
from eessi_sim.attachments import safe_file_name
from eessi_sim.errors import EessiSimError, EnvelopeError
from eessi_sim.identifiers import (
    AttachmentId,
    BucType,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    SedType,
)
from eessi_sim.sbdh.header import (
    AUTHORITY,
    HEADER_VERSION,
    NAMESPACE,
    OLD_HEADER_VERSION,
    BusinessScope,
    CaseAction,
    ContactTypeIdentifier,
    DocumentIdentification,
    ListedAttachment,
    Partner,
    StandardBusinessDocument,
    StandardBusinessDocumentHeader,
)

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)

_HINT: Final = "Compare the header with the envelope schema sbdh-1.1.xsd."
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}")


def read(data: bytes, limits: xmlsafe.XmlLimits = xmlsafe.DOCUMENT_LIMITS) -> StandardBusinessDocument:
    """Read an envelope with header 1.1 or 1.0.

    Raises:
        XmlError: the bytes are not XML that we are willing to read.
        EnvelopeError: an element of the header is missing, out of order, unknown or has a wrong value.
    """
    return read_element(xmlsafe.parse(data, limits))


def read_element(root: xmlsafe.Element) -> StandardBusinessDocument:
    """Read an envelope that is parsed already.

    Raises:
        EnvelopeError: an element of the header is missing, out of order, unknown or has a wrong value.
    """
    if root.tag != f"{{{NAMESPACE}}}StandardBusinessDocument":
        raise _error(
            root,
            f'Expected sbdh:StandardBusinessDocument as root, found "{xmlsafe.local_name(root)}"'
            f' in namespace "{xmlsafe.namespace(root)}"',
        )
    document = _Children(root)
    children = _Children(document.take("StandardBusinessDocumentHeader"))
    version = children.value("HeaderVersion", _header_version)
    header = _new_header(children) if version == HEADER_VERSION else _old_header(children)
    sed = document.take_any("the SED behind the header")
    document.end()
    return StandardBusinessDocument(header, sed, version)


class _Children:
    """The children of one element, taken one by one in the order of the schema."""

    __slots__ = ("_all", "_element", "_next")

    def __init__(self, element: xmlsafe.Element) -> None:
        self._element = element
        self._all = list(element)
        self._next = 0

    def is_next(self, name: str) -> bool:
        """Whether the next child has this name."""
        return self._next < len(self._all) and self._all[self._next].tag == f"{{{NAMESPACE}}}{name}"

    def take_any(self, what: str) -> xmlsafe.Element:
        """Return the next child, whatever its name."""
        if self._next == len(self._all):
            raise _error(self._element, f"Expected {what}, found the end of the element")
        self._next += 1
        return self._all[self._next - 1]

    def take(self, name: str) -> xmlsafe.Element:
        """Return the next child, which must have this name."""
        if self.is_next(name):
            return self.take_any(name)
        child = self.take_any(f"sbdh:{name}")
        raise _error(child, f'Expected sbdh:{name}, found "{xmlsafe.local_name(child)}"')

    def value(self, name: str, parse: Callable[[str], _T]) -> _T:
        """Return what ``parse`` makes of the text of the next child."""
        return _value(self.take(name), parse)

    def end(self) -> None:
        """Refuse any further child."""
        if self._next < len(self._all):
            child = self._all[self._next]
            raise _error(child, f'Expected no further element, found "{xmlsafe.local_name(child)}"')


def _error(place: xmlsafe.Element, message: str, hint: str | None = None) -> EnvelopeError:
    path = xmlsafe.path_of(place)
    return EnvelopeError(f"{message} at {path}", hint=hint or _HINT, path=path, line=place.sourceline)


def _value(place: xmlsafe.Element, parse: Callable[[str], _T]) -> _T:
    if len(place):
        raise _error(place, f'Expected a text, found the element "{xmlsafe.local_name(place[0])}"')
    try:
        return parse(xmlsafe.text_of(place))
    except EessiSimError as error:
        raise _error(place, error.message, error.hint) from error


def _new_header(header: _Children) -> StandardBusinessDocumentHeader:
    """Read header 1.1 (form observed in a SYN001 sample of 2020)."""
    sender = _partner(header.take("Sender"), _contact_type)
    receivers = [_partner(header.take("Receiver"), _contact_type)]
    while header.is_next("Receiver"):
        receivers.append(_partner(header.take("Receiver"), _contact_type))
    document = _new_document(_Children(header.take("DocumentIdentification")))
    scope = _new_scope(_Children(header.take("BusinessScope")))
    attachments: list[ListedAttachment] = []
    while header.is_next("Attachment"):
        attachments.append(_attachment(header.take("Attachment")))
    header.end()
    return StandardBusinessDocumentHeader(sender, tuple(receivers), document, scope, tuple(attachments))


def _attachment(place: xmlsafe.Element) -> ListedAttachment:
    children = _Children(place)
    attachment_id = AttachmentId(children.value("Identifier", _uuid).hex)
    file_name = children.value("FileName", safe_file_name)
    media_type = children.value("InternetMediaTypeCode", str.lower)
    is_medical = children.value("IsMedical", _boolean)
    children.end()
    try:
        return ListedAttachment(attachment_id, file_name, media_type, is_medical)
    except EnvelopeError as error:
        raise _error(place, error.message, error.hint) from error


def _boolean(text: str) -> bool:
    if text not in ("true", "false", "1", "0"):
        raise EnvelopeError(f'Expected true or false, found "{text[:80]}"', hint="Write true or false.")
    return text in ("true", "1")


def _partner(place: xmlsafe.Element, contact_type: Callable[[_Children], ContactTypeIdentifier]) -> Partner:
    children = _Children(place)
    identifier = children.take("Identifier")
    authority = identifier.get("Authority", "")
    if authority != AUTHORITY:
        raise _error(identifier, f'Expected Authority "{AUTHORITY}", found "{authority}"')
    partner = Partner(_value(identifier, InstitutionId), contact_type(children))
    children.end()
    return partner


def _contact_type(partner: _Children) -> ContactTypeIdentifier:
    return partner.value("ContactTypeIdentifier", _member_of(ContactTypeIdentifier))


def _new_document(children: _Children) -> DocumentIdentification:
    document = DocumentIdentification(
        created_at=children.value("CreationDateAndTime", _date_time),
        case_action=children.value("CaseAction", _member_of(CaseAction)),
        type=children.value("Type", SedType),
        instance_id=children.value("InstanceIdentifier", _uuid),
        version=children.value("TypeVersion", CdmVersion),
    )
    children.end()
    return document


def _new_scope(children: _Children) -> BusinessScope:
    version = children.value("DocumentVersion", _count)
    set_id = DocumentId(children.value("SetId", _uuid).hex)
    case = _Children(children.take("CaseId"))
    children.end()
    case_id = InternationalId(case.value("InstanceIdentifier", _uuid).hex)
    buc, buc_version = case.value("BusinessServiceName", _service_of_two)
    case.end()
    return BusinessScope(version, set_id, case_id, buc, buc_version)


def _old_header(header: _Children) -> StandardBusinessDocumentHeader:
    """Read header 1.0 (form observed in a P4000 sample of 2014).

    It has neither set id nor document version: the document counts as the first of a set of its own.
    """
    sender = _partner(header.take("Sender"), _old_contact_type)
    receiver = _partner(header.take("Receiver"), _old_contact_type)
    identification = _Children(header.take("DocumentIdentification"))
    scope = _Children(header.take("BusinessScope"))
    header.end()
    identification.take("Standard")
    version = identification.value("TypeVersion", CdmVersion)
    instance_id = identification.value("InstanceIdentifier", _uuid)
    sed_type = identification.value("Type", SedType)
    created_at = identification.value("CreationDateAndTime", _date_time)
    identification.end()
    case_id, (buc, buc_version, action) = _old_scope(scope)
    return StandardBusinessDocumentHeader(
        sender,
        (receiver,),
        DocumentIdentification(created_at, action, sed_type, instance_id, version),
        BusinessScope(1, DocumentId(instance_id.hex), case_id, buc, buc_version),
    )


def _old_contact_type(partner: _Children) -> ContactTypeIdentifier:
    contact = _Children(partner.take("ContactInformation"))
    contact_type = _contact_type(contact)
    contact.end()
    return contact_type


def _old_scope(children: _Children) -> tuple[InternationalId, tuple[BucType, CdmVersion, CaseAction]]:
    scope = _Children(children.take("Scope"))
    children.end()
    scope.take("Type")
    case_id = InternationalId(scope.value("InstanceIdentifier", _uuid).hex)
    scope.take("Identifier")
    service = _Children(scope.take("BusinessService"))
    scope.end()
    name = service.value("BusinessServiceName", _service_of_three)
    service.end()
    return case_id, name


def _header_version(text: str) -> str:
    if text not in (HEADER_VERSION, OLD_HEADER_VERSION):
        raise EnvelopeError(
            f'Expected header version {HEADER_VERSION} or {OLD_HEADER_VERSION}, found "{text[:80]}"',
            hint=f"Send header version {HEADER_VERSION}.",
        )
    return text


def _member_of(choices: type[_E]) -> Callable[[str], _E]:
    def parse(text: str) -> _E:
        try:
            return choices(text)
        except ValueError as error:
            raise EnvelopeError(
                f'Expected one of {", ".join(choices)}, found "{text[:80]}"',
                hint="Capitals and small letters count.",
            ) from error

    return parse


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise EnvelopeError(
            f'Expected a UUID with dashes, found "{text[:80]}"',
            hint="Write it like 8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110001.",
        )
    return UUID(text)


def _date_time(text: str) -> datetime:
    hint = "Write times like 2026-03-02T08:15:00Z, with a time zone."
    if not _DATE_TIME.fullmatch(text):
        raise EnvelopeError(f'Expected a date and time, found "{text[:80]}"', hint=hint)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # 30 February, hour 25, year 0000 or before year 1 in UTC
        raise EnvelopeError(f'Expected a date and time that exist, found "{text}"', hint=hint) from error


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise EnvelopeError(
            f'Expected a version number from 1, found "{text[:80]}"', hint="Write 1, 2, 3 and so on."
        )
    return int(text)


def _service_of_two(text: str) -> tuple[BucType, CdmVersion]:
    buc, version = _fields(text, "<BUC>:<version>", "LA_BUC_02:4.4")
    return BucType(buc), CdmVersion(version)


def _service_of_three(text: str) -> tuple[BucType, CdmVersion, CaseAction]:
    buc, version, action = _fields(text, "<BUC>:<version>:<action>", "P_BUC_05:1.0:New")
    return BucType(buc), CdmVersion(version), _member_of(CaseAction)(action)


def _fields(text: str, form: str, example: str) -> list[str]:
    fields = text.split(":")
    if len(fields) != len(form.split(":")):
        raise EnvelopeError(f'Expected {form}, found "{text[:80]}"', hint=f"Write it like {example}.")
    return fields
