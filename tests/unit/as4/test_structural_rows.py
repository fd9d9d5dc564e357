"""The rows of the conformance list that structure alone decides: a good message, one edit, the code that must follow.

Ids: P4 and HB are named after public test suites of other AS4 products, TA after the eDelivery test assertions, the others
after the list of attacks in our documentation of the wire.
"""

from collections.abc import Sequence

import pytest
from tests.helpers.as4_messages import (
    MESSAGE_ID,
    SENDER,
    attachment,
    edited,
    fault_of_unpacking,
    packed_message,
    sed_payload,
    stamp,
    unpacked,
    unsigned_message,
    user_message,
)

from eessi_sim.as4 import mime, msh, soap_writer, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.model import ErrorSignal, MessageProperty, Payload, PullRequest, RoutingInput, UserMessage
from eessi_sim.errors import XmlError

Edits = Sequence[tuple[str, str]]

PARTY = f'<eb:PartyId type="{vocabulary.PARTY_TYPE}">PL:ZUS001</eb:PartyId>'
ROLE = f"<eb:Role>{vocabulary.INSTITUTION_ROLE}</eb:Role>"
TO = f'<eb:To><eb:PartyId type="{vocabulary.PARTY_TYPE}">NO:NAVAT07</eb:PartyId>{ROLE}</eb:To>'
ID = f"<eb:MessageId>{MESSAGE_ID}</eb:MessageId>"
TIME = "<eb:Timestamp>2026-03-02T08:15:01.000Z</eb:Timestamp>"
SERVICE = f'<eb:Service type="{vocabulary.SERVICE_TYPE}">BusinessMessaging</eb:Service>'
ACTION = "<eb:Action>Send</eb:Action>"
CONVERSATION = "<eb:ConversationId>8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110003</eb:ConversationId>"
COLLABORATION = f"<eb:CollaborationInfo>{SERVICE}{ACTION}{CONVERSATION}</eb:CollaborationInfo>"
HREF = 'href="cid:sed-1@pl.example"'
GZIP = '<eb:Property name="CompressionType">application/gzip</eb:Property>'
MIME_TYPE = '<eb:Property name="MimeType">application/xml</eb:Property>'
MESSAGING = f'<eb:Messaging xmlns:S12="{vocabulary.S12}" xmlns:eb="{vocabulary.EB}"'
BODY = f'<S12:Body xmlns:S12="{vocabulary.S12}"></S12:Body>'
NRI = f'<ebbp:NonRepudiationInformation xmlns:ebbp="{vocabulary.EBBP}">'
EXTRA = "<eb:SignalMessage></eb:SignalMessage>"

USER_ROWS = [
    ("P4-01", [("</eb:UserMessage>", "</eb:UserMessage><eb:UserMessage></eb:UserMessage>")], "EBMS:0003"),
    ("CT-R8", [("<eb:UserMessage", EXTRA + "<eb:UserMessage")], "EBMS:0003"),
    ("P4-02", [(PARTY, "")], "EBMS:0009"),
    ("P4-03", [(PARTY, PARTY + PARTY)], "EBMS:0003"),
    ("PT-6", [(PARTY, PARTY + PARTY.replace("PL:", "DE:"))], "EBMS:0003"),
    ("P4-04", [(TO, "")], "EBMS:0009"),
    ("P4-06", [(HREF, 'href="cid:other@pl.example"')], "EBMS:0009"),
    ("P4-08", [("</eb:PayloadInfo>", '<eb:PartInfo href="cid:x@y"></eb:PartInfo></eb:PayloadInfo>')], "EBMS:0009"),
    ("P4-19", [(GZIP, GZIP.replace("application/gzip", "application/zip"))], "EBMS:0003"),
    ("GZ-7", [(GZIP, GZIP.replace("application/gzip", "application/x-brotli"))], "EBMS:0003"),
    ("TA08", [(HREF, 'href="http://example.org/sed.xml"')], "EBMS:0011"),
    ("MI-15", [(HREF, 'href="file:///etc/passwd"')], "EBMS:0011"),
    ("TA05", [(HREF, 'href="#body"')], "EBMS:0008"),
    ("TA05", [(HREF, "")], "EBMS:0008"),
    ("TA26", [(MIME_TYPE, "")], "EBMS:0303"),
    ("8.4.3", [(MIME_TYPE, "")], "EBMS:0303"),
    ("TA29", [(MIME_TYPE, MIME_TYPE + '<eb:Property name="CharacterSet">UTF-9</eb:Property>')], "EBMS:0003"),
    ("HB-09", [(ID, "")], "EBMS:0009"),
    ("HB-09", [(TIME, "")], "EBMS:0009"),
    ("HB-09", [(SERVICE, "")], "EBMS:0009"),
    ("HB-09", [(ACTION, "")], "EBMS:0009"),
    ("HB-09", [(CONVERSATION, "")], "EBMS:0009"),
    ("HB-09", [(COLLABORATION, "")], "EBMS:0009"),
    ("PT-9", [(PARTY + ROLE, PARTY)], "EBMS:0009"),
    ("MI-13", [(HREF, 'href="cid:SED-1@pl.example"')], "EBMS:0009"),
    ("MI-14", [("cid:att-1@pl.example", "cid:sed-1@pl.example")], "EBMS:0009"),
    ("MI-16", [("cid:att-1@pl.example", "cid:%73ed-1@pl.example")], "EBMS:0009"),
    ("RP-12", [(ID, "<eb:MessageId>no-domain</eb:MessageId>")], "EBMS:0009"),
    ("RP-12", [(ID, "<eb:MessageId>&lt;a@b&gt;</eb:MessageId>")], "EBMS:0009"),
    ("RP-12", [(ID, "<eb:MessageId>a b@c</eb:MessageId>")], "EBMS:0009"),
    ("RP-12", [(ID, "<eb:MessageId>../../a@b</eb:MessageId>".replace("../../", "..\\"))], "EBMS:0009"),
    ("RP-12", [(ID, f"<eb:MessageId>{'a' * 250}@{'b' * 20}</eb:MessageId>")], "EBMS:0009"),
    ("RP-13", [(ID, ID + f"<eb:RefToMessageId>{MESSAGE_ID}</eb:RefToMessageId>")], "EBMS:0009"),
    ("RP-11", [(TIME, "<eb:Timestamp>yesterday</eb:Timestamp>")], "EBMS:0009"),
    ("RP-11", [(TIME, "<eb:Timestamp>2026-02-30T08:15:01Z</eb:Timestamp>")], "EBMS:0009"),
    ("RP-11", [(TIME, "<eb:Timestamp>0001-01-01T00:00:00+14:00</eb:Timestamp>")], "EBMS:0009"),
    ("schema", [(TIME + ID, ID + TIME)], "EBMS:0009"),
    ("schema", [(ID, ID + ID)], "EBMS:0009"),
    ("schema", [(ID, ID + "<eb:Other>x</eb:Other>")], "EBMS:0009"),
    ("schema", [(ID, ID + "<Other>x</Other>")], "EBMS:0009"),
    ("schema", [(ID, "<eb:MessageId><eb:b>a</eb:b></eb:MessageId>")], "EBMS:0009"),
    ("schema", [(ID, "<eb:MessageId> </eb:MessageId>")], "EBMS:0009"),
    ("schema", [('<eb:Property name="PartType">SED', '<eb:Property name="">SED')], "EBMS:0009"),
    ("schema", [('<eb:Property name="PartType">SED', "<eb:Property>SED")], "EBMS:0009"),
    ("ID-1", [("<eb:UserMessage", '<eb:UserMessage Id="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo Id="x">')], "EBMS:0009"),
    ("ID-1", [("<eb:UserMessage", '<eb:UserMessage ID="x"'), ("<eb:MessageInfo>", '<eb:MessageInfo xml:id="x">')], "EBMS:0009"),
    ("ID-1", [(MESSAGING, f'<o:X xmlns:o="urn:o" id="x"/><o:X xmlns:o="urn:o" Id="x"/>{MESSAGING}')], "EBMS:0009"),
    ("XML-15", [(MESSAGING, f"{MESSAGING}></eb:Messaging>{MESSAGING}")], "EBMS:0009"),
    ("XML-13", [(MESSAGING, f'<o:X xmlns:o="urn:o" S12:mustUnderstand="1"/>{MESSAGING}')], "EBMS:0009"),
    (
        "XML-13",
        [(MESSAGING, f'<o:X xmlns:o="urn:o" S12:mustUnderstand="true" S12:role="{vocabulary.NEXT_MSH}"/>{MESSAGING}')],
        "EBMS:0009",
    ),
    ("SEC-1", [(MESSAGING, f'<w:Security xmlns:w="{vocabulary.WSSE}"/><w:Security xmlns:w="{vocabulary.WSSE}"/>{MESSAGING}')], "EBMS:0009"),
    (
        "ALG-15",
        [(MESSAGING, f'<w:Security xmlns:w="{vocabulary.WSSE}">{"<w:x/>" * 65}</w:Security>{MESSAGING}')],
        "EBMS:0009",
    ),
    ("XSW-9", [(BODY, BODY.replace("><", "><A003/><"))], "EBMS:0008"),
    ("XSW-9", [(BODY, BODY.replace("><", ">A003<"))], "EBMS:0008"),
    ("E15", [(BODY, BODY.replace("><", "><S12:Fault/><"))], "EBMS:0008"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "edits", "code"), USER_ROWS)
def test_edited_user_message_is_refused(row: str, edits: Edits, code: str) -> None:
    """A user message with one thing wrong is refused with the code of its row, naming the message when it can."""
    fault = fault_of_unpacking(edited(unsigned_message([sed_payload(), attachment()]), *edits))
    assert fault.error_code.code == code, row


def test_empty_messaging_is_refused() -> None:
    """P4-11: eb:Messaging without any unit is an invalid header."""
    message = unsigned_message()
    start, end = b"<eb:UserMessage", b"</eb:UserMessage>"
    cut = message.body[: message.body.index(start)] + message.body.partition(end)[2]
    fault = fault_of_unpacking(msh.Packed(message.message_id, message.content_type, cut))
    assert (fault.error_code.code, fault.ref) == ("EBMS:0009", None)


def test_part_without_part_info_is_refused() -> None:
    """P4-09, MI-12: a MIME part that the header does not name is never delivered."""
    message = unsigned_message([sed_payload(), attachment()])
    start = message.body.index(b'<eb:PartInfo href="cid:att-1')
    end = message.body.index(b"</eb:PayloadInfo>")
    cut = message.body[:start] + message.body[end:]
    fault = fault_of_unpacking(msh.Packed(message.message_id, message.content_type, cut))
    assert (fault.error_code.code, fault.ref) == ("EBMS:0007", MESSAGE_ID)


def test_part_without_content_id_is_refused() -> None:
    """MI-4: a part that no PartInfo can name is refused."""
    message = edited(unsigned_message([sed_payload()]), ("\r\nContent-ID: <sed-1@pl.example>", ""))
    assert fault_of_unpacking(message).error_code.code == "EBMS:0009"


def test_fault_names_the_message() -> None:
    """A refusal knows which message it is about as soon as the id can be read."""
    assert fault_of_unpacking(edited(unsigned_message(), (TO, ""))).ref == MESSAGE_ID


SOAP_ROWS = [
    ("XML-12", [(vocabulary.S12, "http://schemas.xmlsoap.org/soap/envelope/")]),
    ("XML-14", [("</S12:Header>", "</S12:Header><S12:Header/>")]),
    ("XML-14", [("</S12:Envelope>", "<S12:Body/></S12:Envelope>")]),
    ("CT-R1", [("eb:Messaging", "eb:Other")]),
]


@pytest.mark.parametrize(("row", "edits"), SOAP_ROWS)
def test_other_xml_is_no_as4_message(row: str, edits: Edits) -> None:
    """What is not SOAP 1.2 with an ebMS header is answered with HTTP 400, not with an error signal."""
    assert fault_of_unpacking(edited(unsigned_message(), *edits)).code == "not-as4", row


XML_ROWS = [
    ("XML-1", [("<S12:Envelope", "<!DOCTYPE x><S12:Envelope")]),
    ("XML-5", [("<S12:Envelope", '<!DOCTYPE x [<!ENTITY a "b">]><S12:Envelope')]),
    ("XML-7", [(BODY, "<a>" * 300 + "</a>" * 300)]),
    ("XML-11", [(ACTION, "<eb:Action>\0</eb:Action>")]),
    ("XML-14", [("</S12:Envelope>", "</S12:Envelope><x/>")]),
    ("COM-1", [(ACTION, "<eb:Action>Se<?x y?>nd</eb:Action>")]),
    ("XML-8", [(BODY, "<x>" + "x" * 1024 * 1024 + "</x>")]),
]


@pytest.mark.parametrize(("row", "edits"), XML_ROWS)
def test_xml_that_is_an_attack_is_refused(row: str, edits: Edits) -> None:
    """Document types, depth, size, control characters and instructions end before any header is read."""
    message = edited(unsigned_message(), *edits)
    with pytest.raises(XmlError):
        unpacked(message)


def test_comment_in_a_value_does_not_split_it() -> None:
    """COM-1: a comment inside a value, which signatures do not see, does not change what we read."""
    message = edited(unsigned_message(), ("PL:ZUS001", "PL:ZU<!-- x -->S001"))
    unit = unpacked(message).unit
    assert isinstance(unit, UserMessage)
    assert unit.sender == SENDER


def _receipt() -> msh.Packed:
    return msh.pack_receipt(unpacked(packed_message()), None, stamp=stamp())


def _error() -> msh.Packed:
    return msh.pack_error([EbmsErrorCode.OTHER.error("x")], None, about=MESSAGE_ID, stamp=stamp())


def _pull() -> msh.Packed:
    return msh.pack_pull_request(vocabulary.DEFAULT_MPC + "/NO", None, stamp=stamp())


REF = f"<eb:RefToMessageId>{MESSAGE_ID}</eb:RefToMessageId>"
SIGNAL_ROWS = [
    ("P4-12", "pull", [("</eb:SignalMessage>", "</eb:SignalMessage>" + EXTRA)], "EBMS:0003"),
    ("HB-10", "pull", [("</eb:MessageId>", "</eb:MessageId>" + REF)], "EBMS:0009"),
    ("RI-5", "pull", [("S12:mustUnderstand=", f'S12:role="{vocabulary.NEXT_MSH}" S12:mustUnderstand=')], "EBMS:0009"),
    ("HB-11", "receipt", [(REF, "")], "EBMS:0009"),
    ("HB-11", "receipt", [("<eb:Receipt>", "<eb:Receipt><x/>")], "EBMS:0009"),
    ("HB-11", "receipt", [("ebbp:NonRepudiationInformation", "ebbp:Other")], "EBMS:0009"),
    ("HB-11", "receipt", [("ebbp:MessagePartNRInformation", "ebbp:Other")], "EBMS:0009"),
    ("REF-7", "receipt", [(vocabulary.DS + '" URI', 'urn:other" URI')], "EBMS:0302"),
    ("ALG-1", "receipt", [("http://www.w3.org/2001/04/xmlenc#sha256", vocabulary.DS + "sha1")], "EBMS:0302"),
    ("schema", "receipt", [("</eb:Receipt>", "</eb:Receipt><eb:PullRequest/>")], "EBMS:0009"),
    ("schema", "error", [("</eb:SignalMessage>", "<eb:Receipt/></eb:SignalMessage>")], "EBMS:0009"),
    ("schema", "pull", [(f'<eb:PullRequest mpc="{vocabulary.DEFAULT_MPC}/NO"></eb:PullRequest>', "")], "EBMS:0009"),
    ("schema", "error", [('severity="failure"', 'severity="fatal"')], "EBMS:0009"),
    ("schema", "error", [(' severity="failure"', "")], "EBMS:0009"),
    ("schema", "error", [(' errorCode="EBMS:0004"', "")], "EBMS:0009"),
    ("limit", "error", [("</eb:Error>", "</eb:Error>" + '<eb:Error errorCode="x" severity="warning"/>' * 100)], "EBMS:0009"),
    ("schema", "receipt", [("ebint:UserMessage", "ebint:Other")], "EBMS:0009"),
    ("schema", "receipt", [("</ebint:RoutingInput>", "<x/></ebint:RoutingInput>")], "EBMS:0009"),
    ("schema", "receipt", [("<ebint:RoutingInput", f'<ebint:RoutingInput xmlns:ebint="{vocabulary.EBINT}"/><ebint:RoutingInput')], "EBMS:0009"),
    ("XSW-9", "receipt", [(BODY, BODY.replace("><", "><S12:Fault/><"))], "EBMS:0008"),
    ("XSW-9", "error", [(BODY, BODY.replace("><", "><S12:Fault/><x/><"))], "EBMS:0008"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "kind", "edits", "code"), SIGNAL_ROWS)
def test_edited_signal_is_refused(row: str, kind: str, edits: Edits, code: str) -> None:
    """A signal with one thing wrong is refused with the code of its row."""
    message = {"pull": _pull, "receipt": _receipt, "error": _error}[kind]()
    fault = fault_of_unpacking(edited(message, *edits))
    assert fault.error_code.code == code, row


def test_signal_with_a_payload_is_refused() -> None:
    """RI-9: only user messages have payloads."""
    content_type, body = mime.write("=-b", "root@a", _pull().body, [Payload("a@b", b"x", "text/plain")])
    fault = fault_of_unpacking(msh.Packed(MESSAGE_ID, content_type, body))
    assert fault.error_code.code == "EBMS:0007"


def test_routing_header_that_contradicts_the_message_is_refused() -> None:
    """RI-2: the signed header counts, so an unsigned routing header that differs is refused."""
    blocks = soap_writer.write_routing("urn:action", RoutingInput.back_to_sender_of(user_message()))
    fault = fault_of_unpacking(edited(unsigned_message(), (MESSAGING, blocks + MESSAGING)))
    assert fault.error_code.code == "EBMS:0003"


# What must be accepted


def test_pull_request_without_channel_means_the_default_one() -> None:
    """P4-17, HB-06: a PullRequest without mpc asks for the default channel."""
    unit = unpacked(edited(_pull(), (f' mpc="{vocabulary.DEFAULT_MPC}/NO"', ""))).unit
    assert unit == PullRequest(unit.info, vocabulary.DEFAULT_MPC)


def test_pull_request_with_reference_is_accepted_leniently() -> None:
    """One product refers to a message when it pulls; lenient reading drops the reference."""
    message = edited(_pull(), ("</eb:MessageId>", "</eb:MessageId>" + REF))
    assert unpacked(message, lenient=True).unit.info.ref_to_message_id is None


def test_error_without_reference_is_accepted() -> None:
    """P4-14: an error that names no message is read."""
    unit = unpacked(edited(_error(), (REF, ""))).unit
    assert unit.info.ref_to_message_id is None


def test_unknown_error_code_is_judged_by_its_severity() -> None:
    """E-29: a code nobody knows with severity failure is a failure."""
    unit = unpacked(edited(_error(), ("EBMS:0004", "EBMS:9999"))).unit
    assert isinstance(unit, ErrorSignal)
    assert unit.is_failure


def test_severity_does_not_depend_on_case() -> None:
    """Products differ in the case of severity."""
    assert unpacked(edited(_error(), ('"failure"', '"Failure"'))).unit is not None


@pytest.mark.parametrize(
    "block",
    ['<o:X xmlns:o="urn:o"/>', '<o:X xmlns:o="urn:o" S12:mustUnderstand="true" S12:role="urn:else"/>'],
)
def test_header_that_is_not_for_us_is_left_aside(block: str) -> None:
    """Headers without mustUnderstand, or for another role, do not stop a message (SOAP 1.2 2.4)."""
    assert unpacked(edited(unsigned_message(), (MESSAGING, block + MESSAGING))).message_id == MESSAGE_ID


def test_extension_in_messaging_is_left_aside() -> None:
    """The schema allows elements of other namespaces in eb:Messaging; they mean nothing to us."""
    message = edited(unsigned_message(), ("</eb:Messaging>", '<o:X xmlns:o="urn:o"/></eb:Messaging>'))
    assert unpacked(message).message_id == MESSAGE_ID


def test_messaging_without_must_understand_is_read() -> None:
    """Products leave mustUnderstand out (observed)."""
    message = edited(unsigned_message(), (' S12:mustUnderstand="true"', ""))
    assert unpacked(message).message_id == MESSAGE_ID


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T08:15:01Z", "2026-03-02T08:15:01+00:00"),
        ("2026-03-02T08:15:01.1234567Z", "2026-03-02T08:15:01.123456+00:00"),
        ("2026-03-02T09:15:01+01:00", "2026-03-02T08:15:01+00:00"),
        ("2026-03-02T08:15:01", "2026-03-02T08:15:01+00:00"),
    ],
)
def test_timestamps_of_all_products_are_read(text: str, expected: str) -> None:
    """Fractions of any length, offsets and a missing zone are read as UTC."""
    unit = unpacked(edited(unsigned_message(), (TIME, f"<eb:Timestamp>{text}</eb:Timestamp>"))).unit
    assert unit.info.timestamp.isoformat() == expected


@pytest.mark.parametrize("charset", ["UTF-8", "utf-16"])
def test_character_sets_are_accepted(charset: str) -> None:
    """TA27, TA28: UTF-8 and UTF-16 are accepted."""
    payload = msh.compressed_payload("a@b", b"<a/>", "application/xml", "SED", character_set=charset)
    assert unpacked(unsigned_message([payload])).parts[0].content == payload.content


def test_order_of_part_info_is_kept() -> None:
    """TA45: payloads come in the order of the header, whatever the order of the MIME parts."""
    message = unsigned_message([sed_payload(), attachment()])
    head, first, second, tail = message.body.split(b"\r\n--=-" + b"0" * 31 + b"1")
    swapped = (b"\r\n--=-" + b"0" * 31 + b"1").join([head, second, first, tail])
    parts = unpacked(msh.Packed(MESSAGE_ID, message.content_type, swapped)).parts
    assert [part.part_type for part in parts] == ["SED", "Attachment"]


def test_properties_keep_name_and_type() -> None:
    """TA20, TA44: message and part properties keep name, type and value."""
    entry = MessageProperty("originalSender", "PL:ZUS001", "urn:type")
    payload = Payload("a@b", b"x", "image/png", (entry,))
    unit = unpacked(unsigned_message([payload], properties=(entry,))).unit
    assert isinstance(unit, UserMessage)
    assert (unit.properties, unit.parts[0].properties) == ((entry,), (entry,))


def test_described_part_is_read() -> None:
    """The schema's Schema and Description of a part do no harm."""
    message = edited(
        unsigned_message([sed_payload()]),
        (
            f"{HREF}>",
            f'{HREF}><eb:Schema location="http://x"/><eb:Description xml:lang="en">d</eb:Description>',
        ),
    )
    assert len(unpacked(message).parts) == 1
