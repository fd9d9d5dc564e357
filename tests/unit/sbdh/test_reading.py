"""Reading envelopes: both header versions, and every fault at its place."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from tests.helpers.envelopes import HEADER, SCAN, SED, headers
from tests.helpers.vectors import needs_vectors, sample

from eessi_sim import xmlsafe
from eessi_sim.errors import EnvelopeError, XmlForbidden, XmlTooLarge
from eessi_sim.identifiers import BucType, CdmVersion, DocumentId, InternationalId
from eessi_sim.sbdh import (
    AUTHORITY,
    CaseAction,
    ContactTypeIdentifier,
    StandardBusinessDocumentHeader,
    read,
    read_element,
    wrap,
)

DATA = wrap(HEADER, SED).decode()
ROOT = "/StandardBusinessDocument"
HEAD = f"{ROOT}/StandardBusinessDocumentHeader"

OLD = """\
<s:StandardBusinessDocument xmlns:s="http://eessi.dgempl.ec.europa.eu/namespaces/sbdh">
  <s:StandardBusinessDocumentHeader>
    <s:HeaderVersion>1.0</s:HeaderVersion>
    <s:Sender>
      <s:Identifier Authority="urn:eu:europa:ec:dgempl:eessi:ir">UK:UK001</s:Identifier>
      <s:ContactInformation><s:ContactTypeIdentifier>CaseOwner</s:ContactTypeIdentifier></s:ContactInformation>
    </s:Sender>
    <s:Receiver>
      <s:Identifier Authority="urn:eu:europa:ec:dgempl:eessi:ir">UK:UK010</s:Identifier>
      <s:ContactInformation><s:ContactTypeIdentifier>Counterparty</s:ContactTypeIdentifier></s:ContactInformation>
    </s:Receiver>
    <s:DocumentIdentification>
      <s:Standard>urn:eu:europa:ec:dgempl:eessi:sed:3.1</s:Standard>
      <s:TypeVersion>4.0</s:TypeVersion>
      <s:InstanceIdentifier>75B21C33-22b3-4554-9707-000000000001</s:InstanceIdentifier>
      <s:Type>P4000</s:Type>
      <s:CreationDateAndTime>2014-05-26T13:08:00.288+02:00</s:CreationDateAndTime>
    </s:DocumentIdentification>
    <s:BusinessScope>
      <s:Scope>
        <s:Type>CaseContext</s:Type>
        <s:InstanceIdentifier>75b21c33-22b3-4554-9707-000000000002</s:InstanceIdentifier>
        <s:Identifier>CaseID</s:Identifier>
        <s:BusinessService>
          <s:BusinessServiceName>P_BUC_05:1.0:New</s:BusinessServiceName>
        </s:BusinessService>
      </s:Scope>
    </s:BusinessScope>
  </s:StandardBusinessDocumentHeader>
  <p:P4000 xmlns:p="http://ec.europa.eu/eessi/ns" sedGVer="1" sedVer="1"/>
</s:StandardBusinessDocument>"""


@given(headers)
def test_header_that_was_written_is_read_back(header: StandardBusinessDocumentHeader) -> None:
    """Writing and reading a header returns the same values."""
    assert read(wrap(header, SED)).header == header


def test_sed_is_the_element_behind_the_header() -> None:
    """The reader hands out the SED element as it stands in the envelope."""
    assert xmlsafe.local_name(read(DATA.encode()).sed) == "A003"


def test_header_version_is_told() -> None:
    """Who reads knows which form of the header it was."""
    assert (read(DATA.encode()).header_version, read(OLD.encode()).header_version) == ("1.1", "1.0")


def test_old_header_gives_partners_with_their_roles() -> None:
    """Header 1.0 keeps the role one level deeper."""
    header = read(OLD.encode()).header
    assert [(partner.id, partner.role) for partner in (header.sender, *header.receivers)] == [
        ("UK:UK001", ContactTypeIdentifier.CASE_OWNER),
        ("UK:UK010", ContactTypeIdentifier.COUNTERPARTY),
    ]


def test_old_header_gives_process_version_and_action_from_one_field() -> None:
    """Header 1.0 joins BUC, its version and the case action with colons."""
    header = read(OLD.encode()).header
    assert (header.scope.buc, header.scope.buc_version, header.document.case_action) == (
        BucType("P_BUC_05"),
        CdmVersion("1.0"),
        CaseAction.NEW,
    )


def test_old_header_gives_document_and_case_ids() -> None:
    """Header 1.0 has no set id: the document is the first of a set of its own."""
    header = read(OLD.encode()).header
    assert (
        header.document.instance_id,
        header.scope.set_id,
        header.scope.document_version,
        header.scope.case_id,
    ) == (
        UUID("75b21c33-22b3-4554-9707-000000000001"),
        DocumentId("75b21c3322b345549707000000000001"),
        1,
        InternationalId("75b21c3322b345549707000000000002"),
    )


def test_time_of_another_zone_becomes_utc() -> None:
    """Times are kept in UTC, whatever zone the sender wrote."""
    assert read(OLD.encode()).header.document.created_at == datetime(
        2014, 5, 26, 11, 8, 0, 288_000, tzinfo=UTC
    )


DOCUMENT = "DocumentIdentification"
SCOPE = "BusinessScope"
ROLES = "CaseOwner, Counterparty, IntelligentRA, DataSource, DataDestination"


@pytest.mark.parametrize(
    ("good", "bad", "finding", "place"),
    [
        ("1.1<", "2.0<", 'header version 1.1 or 1.0, found "2.0"', "HeaderVersion"),
        ("PL:ZUS001", "XX:1", 'an institution id such as "NO:NAVAT07", found "XX:1"', "Sender/Identifier"),
        ("Owner<", "Boss<", f'one of {ROLES}, found "CaseBoss"', "Sender/ContactTypeIdentifier"),
        (">Start<", ">start<", 'one of Start, New, Update, Request, found "start"', f"{DOCUMENT}/CaseAction"),
        ("15:00.000Z", "15", 'a date and time, found "2026-03-02T08:15"', f"{DOCUMENT}/CreationDateAndTime"),
        (
            "2026-03-02T08:15:00.000Z",
            "2026-02-30T08:15:00Z",
            'a date and time that exist, found "2026-02-30T08:15:00Z"',
            f"{DOCUMENT}/CreationDateAndTime",
        ),
        (
            "2026-03-02T08:15:00.000Z",
            "0001-01-01T00:00:00+14:00",
            'a date and time that exist, found "0001-01-01T00:00:00+14:00"',
            f"{DOCUMENT}/CreationDateAndTime",
        ),
        (
            "-6f0c9a110001",
            "",
            'a UUID with dashes, found "8a1f0f0c-5b0e-4e7a-9a53"',
            f"{DOCUMENT}/InstanceIdentifier",
        ),
        (">4.4<", ">4<", 'a CDM version such as "4.4", found "4"', f"{DOCUMENT}/TypeVersion"),
        (">1</sbdh:D", ">0</sbdh:D", 'a version number from 1, found "0"', f"{SCOPE}/DocumentVersion"),
        (
            "LA_BUC_02:4.4",
            "LA_BUC_02",
            '<BUC>:<version>, found "LA_BUC_02"',
            f"{SCOPE}/CaseId/BusinessServiceName",
        ),
        (
            ">LA_BUC_02",
            ">LA-02",
            'a BUC type such as "LA_BUC_02", found "LA-02"',
            f"{SCOPE}/CaseId/BusinessServiceName",
        ),
        (
            'eessi:ir">PL',
            'x">PL',
            f'Authority "{AUTHORITY}", found "urn:eu:europa:ec:dgempl:x"',
            "Sender/Identifier",
        ),
        ("sbdh:Type>", "sbdh:Kind>", 'sbdh:Type, found "Kind"', f"{DOCUMENT}/Kind"),
        ("</sbdh:Sender>", "<sbdh:Name/></sbdh:Sender>", 'no further element, found "Name"', "Sender/Name"),
        ("<sbdh:SetId>", "<sbdh:SetId><b/>", 'a text, found the element "b"', f"{SCOPE}/SetId"),
        (
            "<sbdh:ContactTypeIdentifier>CaseOwner</sbdh:ContactTypeIdentifier>",
            "",
            "sbdh:ContactTypeIdentifier, found the end of the element",
            "Sender",
        ),
    ],
)
def test_fault_in_the_header_is_named_with_its_place(good: str, bad: str, finding: str, place: str) -> None:
    """Each fault says what was expected, what was found, and where."""
    assert good in DATA
    with pytest.raises(EnvelopeError) as caught:
        read(DATA.replace(good, bad).encode())
    assert caught.value.message == f"Expected {finding} at {HEAD}/{place}"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        (":New<", "<", 'Expected <BUC>:<version>:<action>, found "P_BUC_05:1.0"'),
        (":New<", ":Old<", 'Expected one of Start, New, Update, Request, found "Old"'),
        ("ContactInformation>", "Contact>", 'Expected sbdh:ContactInformation, found "Contact"'),
        ("<s:Standard>urn:eu:europa:ec:dgempl:eessi:sed:3.1</s:Standard>", "", 'Expected sbdh:Standard, found "TypeVersion"'),
    ],
)  # fmt: skip
def test_fault_in_an_old_header_is_named(good: str, bad: str, message: str) -> None:
    """The old form is read as strictly as the new one."""
    with pytest.raises(EnvelopeError, match=re.escape(message)):
        read(OLD.replace(good, bad).encode())


def test_fault_carries_path_and_line_for_machines() -> None:
    """The place of a fault travels as values too."""
    with pytest.raises(EnvelopeError) as caught:
        read(OLD.replace("UK:UK001", "UK").encode())
    assert caught.value.context == {"path": f"{HEAD}/Sender/Identifier", "line": 5}


def test_fault_of_an_identifier_keeps_its_hint() -> None:
    """The hint of the identifier is more to the point than ours."""
    with pytest.raises(EnvelopeError) as caught:
        read(OLD.replace("UK:UK001", "UK").encode())
    assert caught.value.hint == "Write it like NO:NAVAT07."


def test_fault_without_own_hint_points_to_the_schema() -> None:
    """Where the structure is wrong, the schema shows the right one."""
    with pytest.raises(EnvelopeError) as caught:
        read(DATA.replace("<sbdh:Type>A003</sbdh:Type>", "").encode())
    assert caught.value.hint == "Compare the header with the envelope schema sbdh-1.1.xsd."


def test_other_root_is_refused() -> None:
    """A bare SED is no envelope."""
    with pytest.raises(EnvelopeError, match='as root, found "A003" in namespace "http://ec'):
        read(SED)


def test_envelope_without_sed_is_refused() -> None:
    """A header alone is no document."""
    with pytest.raises(
        EnvelopeError, match=f"Expected the SED behind the header, found the end of the element at {ROOT}"
    ):
        read(DATA.replace(SED.decode(), "").encode())


def test_second_sed_is_refused() -> None:
    """An envelope carries one SED; a second one could be the one that is not signed."""
    with pytest.raises(EnvelopeError, match="Expected no further element"):
        read(DATA.replace(SED.decode(), SED.decode() * 2).encode())


def test_parsed_envelope_is_read_without_parsing_again() -> None:
    """An element tree can be read as it is."""
    assert read_element(xmlsafe.parse(DATA.encode())).header == HEADER


def test_document_type_is_refused_before_anything_is_read() -> None:
    """The safe parser stands in front of the reader."""
    with pytest.raises(XmlForbidden):
        read(b"<!DOCTYPE x>" + DATA.encode())


def test_envelope_beyond_the_limit_of_documents_is_not_parsed() -> None:
    """A node is not kept busy for minutes by one document: beyond 10 MB nothing is looked at."""
    with pytest.raises(XmlTooLarge, match="Expected at most 10485760 bytes of XML"):
        read(b"<x>" + b"y" * xmlsafe.DOCUMENT_LIMITS.max_bytes)


@pytest.mark.oracle
@needs_vectors
def test_public_p4000_sample_of_2014_is_read() -> None:
    """The envelope that the Commission's AS4 reference implementation ships as test data is read."""
    document = read(sample("P4000-sbdh-1.0.xml"))
    assert (document.header.document.type, document.header.sender.id) == ("P4000", "UK:UK001")


LISTED = wrap(replace(HEADER, attachments=(SCAN,)), SED).decode()


def test_attachments_are_listed_behind_the_scope() -> None:
    """An envelope says id, file name, type and whether it is medical of each attachment."""
    assert read(LISTED.encode()).header.attachments == (SCAN,)
    assert "<sbdh:FileName>Smith &amp; son.pdf</sbdh:FileName>" in LISTED


def test_file_name_of_an_attachment_is_made_safe() -> None:
    """A listed name with folders is read without; the envelope itself stays as it is."""
    data = LISTED.replace("Smith &amp; son.pdf", "../etc/passwd").replace(
        "application/pdf", "Application/PDF"
    )
    (listed,) = read(data.encode()).header.attachments
    assert (listed.file_name, listed.media_type) == ("..\uff0fetc\uff0fpasswd", "application/pdf")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Smith &amp; son.pdf", "..", "Expected a file name"),
        ("application/pdf", "pdf", "Expected a media type in small letters, found 'pdf'"),
        (">true<", ">yes<", 'Expected true or false, found "yes"'),
        (SCAN.id.uuid, SCAN.id, "Expected a UUID with dashes"),
        ("sbdh:IsMedical", "sbdh:IsPrivate", "Expected sbdh:IsMedical"),
    ],
)
def test_wrong_list_of_attachments_is_refused_at_its_place(old: str, new: str, sentence: str) -> None:
    """Every field of a listed attachment is checked."""
    with pytest.raises(EnvelopeError, match=re.escape(sentence)) as refused:
        read(LISTED.replace(old, new).encode())
    assert "Attachment" in str(refused.value.context["path"])


def test_attachment_listed_twice_is_refused() -> None:
    """Two attachments do not share an id."""
    with pytest.raises(EnvelopeError, match="every attachment once"):
        replace(HEADER, attachments=(SCAN, SCAN))


def test_attachment_is_listed_under_a_safe_name_only() -> None:
    """We never write a file name with folders."""
    with pytest.raises(EnvelopeError, match="without slashes"):
        replace(SCAN, file_name="a/b.pdf")
