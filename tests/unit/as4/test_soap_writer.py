"""Writing: canonical form without canonicalisation, and nothing lost on the way out and in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.as4_messages import (
    MESSAGE_ID,
    TOKEN,
    attachment,
    collaborations,
    infos,
    keys_of,
    message_ids,
    parties,
    payloads,
    sed_payload,
    stamp,
    texts,
    unpacked,
    user_message,
    user_messages,
)

from eessi_sim.as4 import msh, soap_writer, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import (
    EbmsError,
    ErrorSignal,
    MessageInfo,
    MessageProperty,
    MessageUnit,
    Payload,
    PullRequest,
    Receipt,
    RoutingInput,
    Severity,
    UserMessage,
)
from eessi_sim.as4.pmode import AS4_SIGNALS
from eessi_sim.as4.soap import read_envelope
from eessi_sim.identifiers import MessageId
from eessi_sim.security.policy import DigestAlgorithm
from eessi_sim.security.xmldsig import EXCLUSIVE, SWA_CONTENT, Reference, TransformStep
from eessi_sim.xmlsafe import exclusive_c14n, parse

references = st.builds(
    Reference,
    texts,
    st.sampled_from([(EXCLUSIVE,), (SWA_CONTENT,), (TransformStep(EXCLUSIVE.transform, ("a", "b")),)]),
    st.binary(min_size=1, max_size=64),
    st.sampled_from(DigestAlgorithm),
)
receipt_infos = infos.filter(lambda info: info.ref_to_message_id is not None)
errors = st.builds(
    EbmsError,
    texts,
    st.sampled_from(Severity),
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
    st.none() | texts,
)
signals = st.one_of(
    st.builds(Receipt, receipt_infos, st.lists(references, min_size=1, max_size=3).map(tuple)),
    st.builds(Receipt, receipt_infos, st.just(()), user_messages),
    st.builds(ErrorSignal, infos, st.lists(errors, min_size=1, max_size=3).map(tuple)),
    st.builds(
        PullRequest, st.builds(MessageInfo, message_ids, st.just(datetime(2026, 3, 2, tzinfo=UTC))), texts
    ),
)


def _envelope(unit: MessageUnit, *, wsu_id: str | None = "ebms-1", has_role: bool = False) -> bytes:
    messaging = soap_writer.write_messaging(unit, wsu_id, has_role=has_role)
    return soap_writer.write_envelope(("", messaging), soap_writer.write_body("body-1"))


@given(st.one_of(user_messages, signals), st.booleans())
def test_messaging_is_written_in_canonical_form(unit: MessageUnit, has_role: bool) -> None:
    """Parsed again, eb:Messaging has exactly the exclusive canonical form that was written and digested."""
    written = soap_writer.write_messaging(unit, "ebms-1", has_role=has_role)
    header = parse(soap_writer.write_envelope((written,), soap_writer.write_body("b")))[0]
    assert exclusive_c14n(header[0]) == written.encode()


@pytest.mark.parametrize(("wsu_id", "fault"), [("body-1", None), (None, None), ("body-1", "a < b & c\r\n")])
def test_body_is_written_in_canonical_form(wsu_id: str | None, fault: str | None) -> None:
    """Parsed again, S12:Body has exactly the exclusive canonical form that was written and digested."""
    written = soap_writer.write_body(wsu_id, fault)
    body = parse(soap_writer.write_envelope(("",), written))[1]
    assert exclusive_c14n(body) == written.encode()


@given(signals)
def test_signal_is_read_back_as_written(unit: MessageUnit) -> None:
    """Receipts, errors and pull requests come back with every value."""
    assert read_envelope(_envelope(unit)).unit == unit


@given(user_messages, payloads)
def test_user_message_is_read_back_as_written(message: UserMessage, parts: list[Payload]) -> None:
    """Packed and unpacked, a user message has all its values and its payloads octet by octet."""
    packed = msh.pack_user_message(message, parts, keys_of("PL:ZUS001"), token=TOKEN)
    found = unpacked(packed)
    assert isinstance(found.unit, UserMessage)
    assert found.parts == tuple(parts)
    assert found.unit.parts == tuple(part.part_info for part in parts)
    assert (found.unit.info, found.unit.sender, found.unit.receiver, found.unit.collaboration) == (
        message.info,
        message.sender,
        message.receiver,
        message.collaboration,
    )
    assert (found.unit.properties, found.unit.mpc) == (message.properties, message.mpc)


@given(parties, parties, collaborations, texts)
def test_routing_header_is_read_back_as_written(
    sender: object, receiver: object, work: object, mpc: str
) -> None:
    """The routing header of a signal comes back with every value."""
    routing = RoutingInput(sender, receiver, work, mpc)  # type: ignore[arg-type] # made by the strategies
    signal = ErrorSignal(user_message().info, (EbmsErrorCode.OTHER.error(),))
    messaging = soap_writer.write_messaging(signal, None, has_role=True)
    blocks = soap_writer.write_routing(vocabulary.ERROR_ACTION, routing)
    envelope = read_envelope(soap_writer.write_envelope((messaging, blocks), soap_writer.write_body(None)))
    assert envelope.routing == routing


def test_ids_of_copied_references_stay_behind() -> None:
    """A receipt repeats a reference without its Id, which could be an id of the receipt itself."""
    reference = Reference("#ebms-1", (EXCLUSIVE,), b"digest", id="ebms-2")
    text = soap_writer.write_messaging(
        Receipt(MessageInfo(MESSAGE_ID, datetime(2026, 3, 2, tzinfo=UTC)), (reference,)), None, has_role=False
    )
    assert "ebms-2" not in text


@pytest.mark.parametrize("text", ["\0", "\x0b", "\ud800", "\ufffe", "\uffff"])
def test_character_that_xml_cannot_carry_is_refused(text: str) -> None:
    """A value with a character outside XML 1.0 is refused before it is sent."""
    message = user_message(mpc=text)
    with pytest.raises(EbmsFault, match=r"U\+"):
        _envelope(message)


def test_empty_property_is_refused() -> None:
    """So is a property without a value."""
    with pytest.raises(EbmsFault, match="Expected a value for Property"):
        _envelope(user_message(properties=(MessageProperty("name", " "),)))


@pytest.mark.parametrize("field", ["id", "role"])
def test_empty_value_is_refused(field: str) -> None:
    """A required value that is empty is refused before it is sent."""
    party = user_message().sender.__class__(**{"id": "PL:ZUS001", field: " "})
    with pytest.raises(EbmsFault, match="Expected a value"):
        _envelope(user_message(sender=party))


# The skeletons


def test_user_message_has_the_shape_of_the_skeleton() -> None:
    """E1: eb:Messaging of a business message, as a conforming EESSI sender writes it."""
    parts = (sed_payload().part_info, attachment().part_info)
    message = user_message(parts=parts)
    assert soap_writer.write_messaging(message, "ebms-1", has_role=True) == (
        '<eb:Messaging xmlns:S12="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:eb="http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"'
        ' xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"'
        ' wsu:Id="ebms-1" S12:mustUnderstand="true"'
        ' S12:role="http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/part2/200811/nextmsh">'
        '<eb:UserMessage mpc="http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/defaultMPC">'
        "<eb:MessageInfo><eb:Timestamp>2026-03-02T08:15:01.000Z</eb:Timestamp>"
        "<eb:MessageId>3f0f7a52-6f3e-4b43-a7c5-000000000001@pl.example</eb:MessageId></eb:MessageInfo>"
        '<eb:PartyInfo><eb:From><eb:PartyId type="urn:eu:europa:ec:dgempl:eessi:ir">PL:ZUS001</eb:PartyId>'
        "<eb:Role>urn:eu:europa:ec:dgempl:eessi:ir:institution</eb:Role></eb:From>"
        '<eb:To><eb:PartyId type="urn:eu:europa:ec:dgempl:eessi:ir">NO:NAVAT07</eb:PartyId>'
        "<eb:Role>urn:eu:europa:ec:dgempl:eessi:ir:institution</eb:Role></eb:To></eb:PartyInfo>"
        '<eb:CollaborationInfo><eb:Service type="urn:eu:europa:ec:dgempl:eessi">BusinessMessaging</eb:Service>'
        "<eb:Action>Send</eb:Action>"
        "<eb:ConversationId>8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110003</eb:ConversationId></eb:CollaborationInfo>"
        '<eb:PayloadInfo><eb:PartInfo href="cid:sed-1@pl.example"><eb:PartProperties>'
        '<eb:Property name="PartType">SED</eb:Property><eb:Property name="MimeType">application/xml</eb:Property>'
        '<eb:Property name="CompressionType">application/gzip</eb:Property></eb:PartProperties></eb:PartInfo>'
        '<eb:PartInfo href="cid:att-1@pl.example"><eb:PartProperties>'
        '<eb:Property name="PartType">Attachment</eb:Property>'
        '<eb:Property name="MimeType">application/pdf</eb:Property>'
        '<eb:Property name="CompressionType">application/gzip</eb:Property></eb:PartProperties></eb:PartInfo>'
        "</eb:PayloadInfo></eb:UserMessage></eb:Messaging>"
    )


def test_pull_request_has_the_shape_of_the_skeleton() -> None:
    """E3: no role, no reference to a message, the channel in mpc."""
    body = msh.pack_pull_request(vocabulary.DEFAULT_MPC + "/NOGATEWAY", None, stamp=stamp()).body.decode()
    assert (
        "<eb:SignalMessage><eb:MessageInfo><eb:Timestamp>2026-03-02T08:15:01.000Z</eb:Timestamp>"
        "<eb:MessageId>signal-4@no.example</eb:MessageId></eb:MessageInfo><eb:PullRequest"
        ' mpc="http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/defaultMPC/NOGATEWAY">'
        "</eb:PullRequest></eb:SignalMessage>"
    ) in body
    assert "role" not in body


def test_empty_channel_answer_has_the_shape_of_the_skeleton() -> None:
    """E5: EBMS:0006 as warning, unsigned, about the pull request."""
    request = unpacked(msh.pack_pull_request(vocabulary.DEFAULT_MPC, None, stamp=stamp(2)))
    error = EbmsErrorCode.EMPTY_CHANNEL.error("no message on this channel")
    body = msh.pack_error([error], None, about=request, stamp=stamp(3)).body.decode()
    assert (
        "<eb:RefToMessageId>signal-2@no.example</eb:RefToMessageId></eb:MessageInfo>"
        '<eb:Error category="Communication" errorCode="EBMS:0006" origin="ebMS"'
        ' refToMessageInError="signal-2@no.example" severity="warning"'
        ' shortDescription="EmptyMessagePartitionChannel">'
        '<eb:Description xml:lang="en">no message on this channel</eb:Description></eb:Error>'
    ) in body
    assert "Security" not in body


def test_routing_header_has_the_shape_of_the_skeleton() -> None:
    """E6: parties swapped, action with suffix, wsa:To icloud for the next MSH, mustUnderstand false on RoutingInput."""
    message = unpacked(msh.pack_user_message(user_message(), [], keys_of("PL:ZUS001"), token=TOKEN))
    body = msh.pack_receipt(message, keys_of("NO:NAVAT07"), stamp=stamp()).body.decode()
    swapped = body.partition("<ebint:UserMessage")[2]
    assert swapped.index("NO:NAVAT07") < swapped.index("PL:ZUS001")
    assert "<eb:Action>Send.response</eb:Action>" in swapped
    assert f'S12:mustUnderstand="true">{vocabulary.ICLOUD}</wsa:To>' in body
    assert f">{vocabulary.RECEIPT_ACTION}</wsa:Action>" in body
    assert 'S12:mustUnderstand="false" wsa:IsReferenceParameter="true"' in body


def test_other_style_of_signals_can_be_written() -> None:
    """The text of AS4 4.4: suffixes .receipt on action and channel, no role on eb:Messaging."""
    message = unpacked(msh.pack_user_message(user_message(), [], keys_of("PL:ZUS001"), token=TOKEN))
    receipt = unpacked(msh.pack_receipt(message, None, stamp=stamp(), style=AS4_SIGNALS))
    assert receipt.routing is not None
    assert receipt.routing.collaboration.action == "Send.receipt"
    assert receipt.routing.mpc == vocabulary.DEFAULT_MPC + ".receipt"
    assert receipt.is_multihop
    assert receipt.body.count(b"S12:role") == 2


def test_error_of_an_intermediary_can_bring_a_fault_along() -> None:
    """E15: the SOAP Fault stands in the Body, the ebMS error in the header."""
    error = EbmsErrorCode.INVALID_HEADER.error()
    packed = msh.pack_error([error], None, about=MessageId("a@b"), stamp=stamp(), fault="invalid ebMS header")
    assert b'<S12:Text xml:lang="en">invalid ebMS header</S12:Text>' in packed.body
    assert isinstance(unpacked(packed).unit, ErrorSignal)
