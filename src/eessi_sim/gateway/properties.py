"""What a business message says beside its envelope: ebMS message properties, and roles in the words of a case.

The public samples show no place for these facts (wire.md), so the properties are our choice (inferred).
"""

from typing import Final

from eessi_sim.as4.model import UserMessage
from eessi_sim.buc.administration import CaseEffect
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.sbdh import ContactTypeIdentifier, Partner, StandardBusinessDocumentHeader

PARENT: Final = "ParentDocumentId"
"""The document that this one answers or is about."""
PARENT_VERSION: Final = "ParentDocumentVersion"
"""The version of it that the sender had."""
AUTHOR: Final = "AuthorId"
"""Of a document that is handed over to a new participant: who had sent it, and whose seal it bears. The envelope
names the institution that hands it over."""
PARTICIPANTS: Final = "Participants"
"""Of a SED that brings somebody into the case: everybody who takes or took part, with role and place. The envelope
lists only who is active, and a newcomer must know whose documents it gets."""


def value_of(unit: UserMessage, name: str) -> str | None:
    """Return the value of a property, None when the message does not have it."""
    return next((each.value for each in unit.properties if each.name == name), None)


def is_routed_rightly(definition: BucDefinition, header: StandardBusinessDocumentHeader) -> bool:
    """Return whether a routing application says what only routing applications say, and a participant nothing of it.

    That one institution replaces another is told by a routing application (observed); that nobody else may tell it
    is our choice (inferred).
    """
    rule = definition.administrative.get(header.document.type)
    replaces = rule is not None and rule.effect is CaseEffect.REPLACE_PARTICIPANT
    return replaces is (header.sender.role is ContactTypeIdentifier.INTELLIGENT_RA)


def role_in_case(partner: Partner) -> CaseRole:
    """Return the role in which a partner is judged by the tables of a process.

    A routing application is no participant; what it sends is allowed to no role and bound to none (inferred).

    Raises:
        ValueError: it has a role of system messages.
    """
    routing = partner.role is ContactTypeIdentifier.INTELLIGENT_RA
    return CaseRole.COUNTERPARTY if routing else CaseRole(partner.role.value)
