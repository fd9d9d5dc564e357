"""Writing the envelope: its text, its canonical form, the SED untouched."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree
from tests.helpers.envelopes import HEADER, SED, headers

from eessi_sim import xmlsafe
from eessi_sim.errors import EnvelopeError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.sbdh import (
    ContactTypeIdentifier,
    Partner,
    StandardBusinessDocumentHeader,
    read,
    wrap,
)

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[3] / "schemas" / "envelope" / "sbdh-1.1.xsd"))

EXPECTED = """\
<sbdh:StandardBusinessDocument xmlns:sbdh="http://eessi.dgempl.ec.europa.eu/namespaces/sbdh" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://eessi.dgempl.ec.europa.eu/namespaces/sbdh \
LA_BUC_02-4.4-CaseOwner-Counterparty-Start-A003-4.4.xsd">\
<sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>1.1</sbdh:HeaderVersion>\
<sbdh:Sender><sbdh:Identifier Authority="urn:eu:europa:ec:dgempl:eessi:ir">PL:ZUS001</sbdh:Identifier>\
<sbdh:ContactTypeIdentifier>CaseOwner</sbdh:ContactTypeIdentifier></sbdh:Sender>\
<sbdh:Receiver><sbdh:Identifier Authority="urn:eu:europa:ec:dgempl:eessi:ir">NO:NAVAT07</sbdh:Identifier>\
<sbdh:ContactTypeIdentifier>Counterparty</sbdh:ContactTypeIdentifier></sbdh:Receiver>\
<sbdh:DocumentIdentification>\
<sbdh:CreationDateAndTime>2026-03-02T08:15:00.000Z</sbdh:CreationDateAndTime>\
<sbdh:CaseAction>Start</sbdh:CaseAction><sbdh:Type>A003</sbdh:Type>\
<sbdh:InstanceIdentifier>8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110001</sbdh:InstanceIdentifier>\
<sbdh:TypeVersion>4.4</sbdh:TypeVersion></sbdh:DocumentIdentification>\
<sbdh:BusinessScope><sbdh:DocumentVersion>1</sbdh:DocumentVersion>\
<sbdh:SetId>8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110002</sbdh:SetId>\
<sbdh:CaseId><sbdh:InstanceIdentifier>8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110003</sbdh:InstanceIdentifier>\
<sbdh:BusinessServiceName>LA_BUC_02:4.4</sbdh:BusinessServiceName></sbdh:CaseId></sbdh:BusinessScope>\
</sbdh:StandardBusinessDocumentHeader>SED</sbdh:StandardBusinessDocument>"""


def test_envelope_has_the_elements_of_header_1_1_in_their_order() -> None:
    """The whole text of one envelope, as the 2020 sample orders it."""
    assert wrap(HEADER, SED) == EXPECTED.encode().replace(b"SED</", SED + b"</")


def test_further_receivers_follow_the_first() -> None:
    """Every receiver of a multilateral SED has its own Receiver element."""
    further = Partner(InstitutionId("DE:DRV0001"), ContactTypeIdentifier.COUNTERPARTY)
    data = wrap(replace(HEADER, receivers=(*HEADER.receivers, further)), SED)
    assert (
        data.index(b"NO:NAVAT07") < data.index(b"DE:DRV0001") < data.index(b"<sbdh:DocumentIdentification>")
    )


@given(headers)
def test_envelope_is_in_exclusive_canonical_form(header: StandardBusinessDocumentHeader) -> None:
    """Canonicalising the envelope changes no byte."""
    data = wrap(header, SED)
    assert xmlsafe.exclusive_c14n(xmlsafe.parse(data)) == data


@given(headers)
def test_sed_inside_the_envelope_is_the_sed_that_was_signed(header: StandardBusinessDocumentHeader) -> None:
    """Taken out again, the SED has the same canonical bytes, so its signature still holds."""
    assert xmlsafe.exclusive_c14n(read(wrap(header, SED)).sed) == SED


@pytest.mark.parametrize("data", [b"", b"text", b" <a/>", b'<?xml version="1.0"?><a/>', b"<!-- x --><a/>"])
def test_bytes_that_do_not_start_with_the_sed_are_refused(data: bytes) -> None:
    """A declaration or comment in the middle of the envelope would break it."""
    with pytest.raises(EnvelopeError, match="start with the SED element"):
        wrap(HEADER, data)


@given(headers)
def test_every_envelope_satisfies_the_schema(header: StandardBusinessDocumentHeader) -> None:
    """What the types allow, the envelope schema allows."""
    SCHEMA.assertValid(xmlsafe.parse(wrap(header, SED)))
