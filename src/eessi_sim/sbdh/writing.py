"""Writes header 1.1 round a finished SED, as text in canonical form."""

import re
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.clock import iso
from eessi_sim.errors import EnvelopeError
from eessi_sim.sbdh.header import (
    AUTHORITY,
    HEADER_VERSION,
    NAMESPACE,
    ListedAttachment,
    Partner,
    StandardBusinessDocumentHeader,
)

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


def wrap(header: StandardBusinessDocumentHeader, sed_bytes: bytes) -> bytes:
    """Return the envelope with header 1.1 round a finished SED.

    The text is written in exclusive canonical form, so that digests over it need no second canonicalisation
    (as long as the SED does not bind the prefixes sbdh and xsi itself). The SED goes in byte by byte: it is
    signed, and its signature is over the SED as a document of its own.

    Args:
        header: what to write; the first receiver is the one addressed.
        sed_bytes: the SED element in canonical form, without XML declaration.

    Raises:
        EnvelopeError: ``sed_bytes`` do not start with an element.
    """
    if not re.match(rb"<[^?!\s]", sed_bytes):
        raise EnvelopeError(
            f"Expected SED bytes that start with the SED element, found {sed_bytes[:20]!r}",
            hint="Canonicalise the SED; leave out XML declaration and comments.",
        )
    # Every value but a file name is a checked identifier, a number or an enumeration: nothing else needs escaping.
    return b"%s%s</sbdh:StandardBusinessDocument>" % (_header_text(header).encode(), sed_bytes)


def _header_text(header: StandardBusinessDocumentHeader) -> str:
    document, scope = header.document, header.scope
    receivers = "".join(_partner_text("Receiver", partner) for partner in header.receivers)
    attachments = "".join(map(_attachment_text, header.attachments))
    return (
        f'<sbdh:StandardBusinessDocument xmlns:sbdh="{NAMESPACE}" xmlns:xsi="{_XSI}" '
        f'xsi:schemaLocation="{NAMESPACE} {header.transaction_schema}">'
        f"<sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>{HEADER_VERSION}</sbdh:HeaderVersion>"
        f"{_partner_text('Sender', header.sender)}{receivers}"
        f"<sbdh:DocumentIdentification>"
        f"<sbdh:CreationDateAndTime>{iso(document.created_at)}</sbdh:CreationDateAndTime>"
        f"<sbdh:CaseAction>{document.case_action}</sbdh:CaseAction>"
        f"<sbdh:Type>{document.type}</sbdh:Type>"
        f"<sbdh:InstanceIdentifier>{document.instance_id}</sbdh:InstanceIdentifier>"
        f"<sbdh:TypeVersion>{document.version}</sbdh:TypeVersion>"
        f"</sbdh:DocumentIdentification>"
        f"<sbdh:BusinessScope>"
        f"<sbdh:DocumentVersion>{scope.document_version}</sbdh:DocumentVersion>"
        f"<sbdh:SetId>{scope.set_id.uuid}</sbdh:SetId>"
        f"<sbdh:CaseId>"
        f"<sbdh:InstanceIdentifier>{scope.case_id.uuid}</sbdh:InstanceIdentifier>"
        f"<sbdh:BusinessServiceName>{scope.buc}:{scope.buc_version}</sbdh:BusinessServiceName>"
        f"</sbdh:CaseId></sbdh:BusinessScope>{attachments}</sbdh:StandardBusinessDocumentHeader>"
    )


def _attachment_text(listed: ListedAttachment) -> str:
    return (
        f"<sbdh:Attachment><sbdh:Identifier>{listed.id.uuid}</sbdh:Identifier>"
        f"<sbdh:FileName>{xmlsafe.escape_text(listed.file_name)}</sbdh:FileName>"
        f"<sbdh:InternetMediaTypeCode>{listed.media_type}</sbdh:InternetMediaTypeCode>"
        f"<sbdh:IsMedical>{'true' if listed.is_medical else 'false'}</sbdh:IsMedical></sbdh:Attachment>"
    )


def _partner_text(name: str, partner: Partner) -> str:
    return (
        f'<sbdh:{name}><sbdh:Identifier Authority="{AUTHORITY}">{partner.id}</sbdh:Identifier>'
        f"<sbdh:ContactTypeIdentifier>{partner.role}</sbdh:ContactTypeIdentifier></sbdh:{name}>"
    )
