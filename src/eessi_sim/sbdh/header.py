"""The envelope as values, in the words of its schema; how they look as XML is not decided here."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from eessi_sim.attachments import safe_file_name
from eessi_sim.errors import EnvelopeError
from eessi_sim.identifiers import (
    AttachmentId,
    BucType,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    SedType,
)
from eessi_sim.xmlsafe import Element

NAMESPACE: Final = "http://eessi.dgempl.ec.europa.eu/namespaces/sbdh"
AUTHORITY: Final = "urn:eu:europa:ec:dgempl:eessi:ir"
"""Scheme of all party ids: the Institution Repository; the ebMS ``PartyId/@type`` has the same value."""
HEADER_VERSION: Final = "1.1"
"""The header version that we write."""
OLD_HEADER_VERSION: Final = "1.0"
"""The header version of 2014, which we only read."""


_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}")


class ContactTypeIdentifier(StrEnum):
    """Role of a partner (observed in sample messages and in the Institution Repository)."""

    CASE_OWNER = "CaseOwner"
    COUNTERPARTY = "Counterparty"
    INTELLIGENT_RA = "IntelligentRA"
    """A routing application that sends on behalf of others."""
    DATA_SOURCE = "DataSource"
    """Central service node or access point in a synchronisation."""
    DATA_DESTINATION = "DataDestination"


class CaseAction(StrEnum):
    """What the message does to the case.

    Start, New and Update are documented by the message actions of RINA's data migration tool; Request is our
    choice for system messages that ask for a synchronisation (inferred).
    """

    START = "Start"
    """First SED of a case."""
    NEW = "New"
    """A further document of the case."""
    UPDATE = "Update"
    """A new version of a document sent before."""
    REQUEST = "Request"


@dataclass(frozen=True, slots=True)
class Partner:
    """Sender or receiver, with its role in the case."""

    id: InstitutionId
    role: ContactTypeIdentifier


@dataclass(frozen=True, slots=True)
class DocumentIdentification:
    """Which document this is."""

    created_at: datetime
    """When it was made; carried in UTC with milliseconds."""
    case_action: CaseAction
    type: SedType
    instance_id: UUID
    """Identity of this version of the document; an update has a new one (inferred from the name)."""
    version: CdmVersion
    """Version of the data model the SED follows."""

    def __post_init__(self) -> None:
        if self.created_at.tzinfo is None:
            raise EnvelopeError(
                f"Expected a creation time with time zone, found {self.created_at.isoformat()}",
                hint="Take the time from a Clock.",
            )


@dataclass(frozen=True, slots=True)
class BusinessScope:
    """The case and the place of the document in it."""

    document_version: int
    """Version of the document within its set, from 1."""
    set_id: DocumentId
    """Identity shared by all versions of the document."""
    case_id: InternationalId
    buc: BucType
    buc_version: CdmVersion

    def __post_init__(self) -> None:
        if self.document_version < 1:
            raise EnvelopeError(
                f"Expected a document version of 1 or more, found {self.document_version}",
                hint="Count the versions of a document from 1.",
            )


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """A further part of the message that belongs to the SED.

    The fields are those of the envelope in RINA's store (documented); how they look as XML is our choice (inferred).
    """

    id: AttachmentId
    file_name: str
    media_type: str
    is_medical: bool = False

    def __post_init__(self) -> None:
        if self.file_name != safe_file_name(self.file_name):
            raise EnvelopeError(
                f"Expected a file name without slashes and control characters, found {self.file_name[:80]!r}",
                hint="Make it safe first.",
            )
        if not _MEDIA_TYPE.fullmatch(self.media_type):
            raise EnvelopeError(
                f"Expected a media type in small letters, found {self.media_type[:80]!r}",
                hint="Write it like application/pdf, without parameters.",
            )


@dataclass(frozen=True, slots=True)
class StandardBusinessDocumentHeader:
    """Who sends what to whom, in which case."""

    sender: Partner
    receivers: tuple[Partner, ...]
    """The receiver addressed by this message comes first, further receivers of a multilateral SED follow."""
    document: DocumentIdentification
    scope: BusinessScope
    attachments: tuple[ListedAttachment, ...] = ()

    def __post_init__(self) -> None:
        if not self.receivers:
            raise EnvelopeError(
                "Expected at least one receiver in the envelope, found none",
                hint="Name the institutions that the SED goes to.",
            )
        ids = Counter(listed.id for listed in self.attachments)
        twice = [each for each, number in ids.items() if number > 1]
        if twice:
            raise EnvelopeError(
                f"Expected every attachment once in the envelope, found {twice[0].uuid} twice",
                hint="Give each attachment an id of its own.",
            )

    @property
    def transaction_schema(self) -> str:
        """Name of the schema file of this transaction.

        The form ``<BUC>-<version>-<roles>-<action>-<SED>-<version>.xsd`` is observed in sample messages.
        """
        scope, document = self.scope, self.document
        roles = f"{self.sender.role}-{self.receivers[0].role}"
        return (
            f"{scope.buc}-{scope.buc_version}-{roles}-{document.case_action}-{document.type}"
            f"-{document.version}.xsd"
        )

    def addressed_to(self, receiver: InstitutionId) -> "StandardBusinessDocumentHeader":
        """Return the header for the message to ``receiver``: the same, with that receiver first.

        Raises:
            EnvelopeError: ``receiver`` is none of the receivers.
        """
        ahead = tuple(partner for partner in self.receivers if partner.id == receiver)
        if not ahead:
            raise EnvelopeError(
                f"Expected {receiver} among the receivers of the envelope, found "
                + ", ".join(partner.id for partner in self.receivers),
                hint="Add the institution to the receivers before addressing it.",
            )
        return replace(
            self, receivers=ahead + tuple(partner for partner in self.receivers if partner.id != receiver)
        )


@dataclass(frozen=True, slots=True)
class StandardBusinessDocument:
    """An envelope that was read."""

    header: StandardBusinessDocumentHeader
    sed: Element
    """The SED element, still inside the envelope; ``xmlsafe.standalone`` takes it out."""
    header_version: str
    """``1.1`` or ``1.0``."""
