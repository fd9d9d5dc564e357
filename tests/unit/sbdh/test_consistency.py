"""The envelope against the message round it and the SED inside."""

from dataclasses import replace

from tests.helpers.envelopes import COUNTERPARTY, HEADER, OWNER, SED

from eessi_sim import xmlsafe
from eessi_sim.identifiers import CdmVersion, InstitutionId, SedType
from eessi_sim.sbdh import (
    ContactTypeIdentifier,
    Mismatch,
    Partner,
    StandardBusinessDocument,
    StandardBusinessDocumentHeader,
    consistency,
)


def mismatches(
    header: StandardBusinessDocumentHeader = HEADER, sed: bytes = SED, version: str = "1.1"
) -> tuple[Mismatch, ...]:
    """What is found in a message from the owner to the counterparty."""
    document = StandardBusinessDocument(header, xmlsafe.parse(sed), version)
    return consistency(document, sender=OWNER, receiver=COUNTERPARTY)


def fields(found: tuple[Mismatch, ...]) -> list[str]:
    """Names of the fields that disagree."""
    return [mismatch.field for mismatch in found]


def test_message_whose_layers_agree_has_no_mismatch() -> None:
    """Nothing is found where everything agrees."""
    assert mismatches() == ()


def test_sender_of_the_envelope_is_the_sender_of_the_message() -> None:
    """A SED in somebody else's name is found, with both names."""
    other = Partner(InstitutionId("DE:DRV0001"), ContactTypeIdentifier.CASE_OWNER)
    assert mismatches(replace(HEADER, sender=other)) == (
        Mismatch(
            "Sender/Identifier",
            "PL:ZUS001",
            "DE:DRV0001",
            'Sender/Identifier is "DE:DRV0001", but the ebMS message comes from "PL:ZUS001".',
        ),
    )


def test_receiver_of_the_envelope_is_the_receiver_of_the_message() -> None:
    """A SED for somebody else is found."""
    other = Partner(InstitutionId("DE:DRV0001"), ContactTypeIdentifier.COUNTERPARTY)
    assert fields(mismatches(replace(HEADER, receivers=(other,)))) == ["Receiver/Identifier"]


def test_any_receiver_of_a_multilateral_sed_may_get_the_message() -> None:
    """The receiver addressed may stand anywhere among the receivers."""
    other = Partner(InstitutionId("DE:DRV0001"), ContactTypeIdentifier.COUNTERPARTY)
    assert mismatches(replace(HEADER, receivers=(other, *HEADER.receivers))) == ()


def test_type_in_the_header_is_the_name_of_the_sed() -> None:
    """Another type in the header contradicts the element and its namespace."""
    header = replace(HEADER, document=replace(HEADER.document, type=SedType("A008")))
    assert fields(mismatches(header)) == ["DocumentIdentification/Type", "SED namespace"]


def test_version_in_the_header_is_the_version_of_the_sed() -> None:
    """Another version contradicts the namespace, the process and the version attributes."""
    header = replace(HEADER, document=replace(HEADER.document, version=CdmVersion("4.2")))
    assert fields(mismatches(header)) == ["SED namespace", "CaseId/BusinessServiceName", "sedGVer and sedVer"]


def test_version_of_the_process_is_the_version_of_the_sed() -> None:
    """A process of another version is found."""
    header = replace(HEADER, scope=replace(HEADER.scope, buc_version=CdmVersion("4.3")))
    assert fields(mismatches(header)) == ["CaseId/BusinessServiceName"]


def test_version_attributes_of_the_sed_are_compared() -> None:
    """Attributes that say another version than the namespace are found with their value."""
    found = mismatches(sed=SED.replace(b'sedVer="4"', b'sedVer="3"'))
    assert [(mismatch.field, mismatch.found) for mismatch in found] == [("sedGVer and sedVer", "4.3")]


def test_single_version_attribute_is_a_mismatch() -> None:
    """Half a version is not a version."""
    assert fields(mismatches(sed=SED.replace(b'sedGVer="4" ', b""))) == ["sedGVer and sedVer"]


def test_sed_without_version_attributes_is_accepted() -> None:
    """System messages have none, as the SYN001 sample shows."""
    assert mismatches(sed=SED.replace(b' sedGVer="4" sedVer="4"', b"")) == ()


def test_old_sed_is_not_compared_by_version() -> None:
    """SEDs of 2014 have no version in their namespace, and other numbers in their attributes."""
    old = b'<s:A003 xmlns:s="http://ec.europa.eu/eessi/ns" sedGVer="1" sedVer="1"/>'
    assert mismatches(sed=old, version="1.0") == ()
