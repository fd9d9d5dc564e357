"""EESSI's Standard Business Document Header: the envelope that carries every SED.

One XML document: root ``StandardBusinessDocument`` with the header and, behind it, the SED itself. It is EESSI's
own schema, loosely shaped after the UN/CEFACT header and not interoperable with it. Header 1.1 is written and
read, header 1.0 (2014) is only read. Both forms are known from public sample messages (observed); several
receivers in one header are our choice (inferred from the UN/CEFACT header, where Receiver repeats), and so is the
list of attachments (inferred from the fields of RINA's store).

What a SED contains, which role may send it and how it is signed do not belong here.
"""

from eessi_sim.sbdh.consistency import Mismatch, consistency
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
from eessi_sim.sbdh.reading import read, read_element
from eessi_sim.sbdh.writing import wrap

__all__ = [
    "AUTHORITY",
    "HEADER_VERSION",
    "NAMESPACE",
    "OLD_HEADER_VERSION",
    "BusinessScope",
    "CaseAction",
    "ContactTypeIdentifier",
    "DocumentIdentification",
    "ListedAttachment",
    "Mismatch",
    "Partner",
    "StandardBusinessDocument",
    "StandardBusinessDocumentHeader",
    "consistency",
    "read",
    "read_element",
    "wrap",
]
