"""Whole messages: packed, taken apart, receipted, refused, stored."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.as4_messages import (
    MESSAGE_ID,
    RECEIVER,
    SED,
    SENDER,
    TOKEN,
    attachment,
    edited,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unpacked,
    unsigned_message,
    user_message,
    verified,
)

from eessi_sim.as4 import confirmation, msh, soap_writer, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import (
    CollaborationInfo,
    ErrorSignal,
    MessageProperty,
    Payload,
    PullRequest,
    Receipt,
    RoutingInput,
)
from eessi_sim.errors import XmlError
from eessi_sim.identifiers import MessageId

RECEIVER_KEYS = keys_of(RECEIVER.id)


def _receipt(received: msh.Packed, **how: object) -> msh.Unpacked:
    return unpacked(msh.pack_receipt(unpacked(received), RECEIVER_KEYS, stamp=stamp(), **how))  # type: ignore[arg-type] # tests name real arguments


def _unit_of_receipt(message: msh.Unpacked) -> Receipt:
    assert isinstance(message.unit, Receipt)
    return message.unit


def _refusal_of_receipt(receipt: msh.Unpacked, original: msh.Packed) -> str:
    with pytest.raises(EbmsFault) as caught:
        confirmation.check_receipt(receipt, original.digests)
    return caught.value.error_code.code


# Payloads


def test_compressed_payload_has_the_properties_of_eessi() -> None:
    """PartType, MimeType and CompressionType, in that order (AS4 3.1, observed)."""
    assert sed_payload().properties == (
        MessageProperty("PartType", "SED"),
        MessageProperty("MimeType", "application/xml"),
        MessageProperty("CompressionType", "application/gzip"),
    )


def test_compressed_payload_may_name_its_character_set() -> None:
    """CharacterSet is told for text whose octets do not (AS4 3.1)."""
    payload = msh.compressed_payload("a@b", b"x", "text/plain", "Attachment", character_set="UTF-8")
    assert payload.properties[-1] == MessageProperty("CharacterSet", "UTF-8")


def test_content_of_a_compressed_payload_is_decompressed() -> None:
    """TA32: the consumer gets the document, not the gzip stream."""
    part = unpacked(packed_message()).parts[0]
    assert msh.payload_content(part) == SED


def test_content_of_a_plain_payload_is_itself() -> None:
    """TA04: an uncompressed payload is delivered as it is."""
    payload = msh.plain_payload("a@b", SED, "application/xml", "SED")
    assert msh.payload_content(unpacked(packed_message([payload])).parts[0]) == SED


def test_gzip_without_compression_type_is_content() -> None:
    """GZ-6: gzip octets without CompressionType are delivered as they are."""
    payload = Payload("a@b", sed_payload().content, "application/gzip")
    assert msh.payload_content(payload) == payload.content


def test_nested_gzip_is_removed_once() -> None:
    """GZ-2: one level of compression is AS4's, the rest is content."""
    inner = sed_payload().content
    assert msh.payload_content(sed_payload(inner)) == inner


def test_damaged_gzip_is_refused() -> None:
    """TA30, 8.4.4: a payload that says gzip and is not gets EBMS:0303."""
    broken = replace(sed_payload(), octets=b"broken")
    with pytest.raises(EbmsFault) as caught:
        msh.payload_content(unpacked(packed_message([broken])).parts[0])
    assert caught.value.error_code is EbmsErrorCode.DECOMPRESSION_FAILURE


@pytest.mark.parametrize("number", [0, 1, 10])
def test_receipt_has_one_reference_for_each_signed_thing(number: int) -> None:
    """E-15: a SED with n attachments is receipted with 2 + 1 + n references."""
    others = [replace(attachment(), content_id=f"att-{index}@pl.example") for index in range(number)]
    receipt = _receipt(packed_message([sed_payload(), *others]))
    assert len(_unit_of_receipt(receipt).references) == 3 + number


# Packing


def test_packing_twice_gives_equal_bytes() -> None:
    """The bytes depend on the arguments alone, so that a seeded run repeats itself."""
    assert packed_message() == packed_message()


def test_token_that_could_break_out_is_refused() -> None:
    """Ids and boundary are made of the token, so it must be hexadecimal."""
    with pytest.raises(EbmsFault, match="token"):
        msh.pack_user_message(user_message(), [], None, token='"/><x')


def test_xml_part_that_is_none_cannot_be_signed() -> None:
    """An uncompressed XML part must be well-formed, since its canonical form is signed."""
    with pytest.raises(XmlError):
        packed_message([msh.plain_payload("a@b", b"no xml", "application/xml", "SED")])


def test_parts_of_the_header_are_those_of_the_payloads() -> None:
    """The header names the payloads that are there, whatever the given message says."""
    message = user_message(parts=(attachment().part_info,))
    found = unpacked(packed_message([sed_payload()], message=message))
    assert [part.part_type for part in found.parts] == ["SED"]


def test_message_is_multihop_when_asked() -> None:
    """The role nextmsh tells intermediaries that they may forward."""
    assert unpacked(packed_message()).is_multihop
    assert not unpacked(packed_message(multihop=False)).is_multihop


def test_user_message_is_routed_on_its_header() -> None:
    """Without routing header the user message itself says where it goes."""
    assert unpacked(packed_message()).routing == RoutingInput.of(user_message())


def test_routing_header_that_agrees_with_the_message_is_accepted() -> None:
    """A user message may carry a routing header that says the same."""
    blocks = soap_writer.write_routing("urn:x", RoutingInput.of(user_message()))
    message = edited(unsigned_message(), ("<eb:Messaging ", blocks + "<eb:Messaging "))
    assert unpacked(message).routing == RoutingInput.of(user_message())


def test_pull_request_has_no_routing() -> None:
    """A PullRequest is answered by whoever gets it."""
    message = unpacked(msh.pack_pull_request(vocabulary.DEFAULT_MPC, RECEIVER_KEYS, stamp=stamp()))
    assert (message.routing, message.is_multihop) == (None, False)


def test_signed_pull_request_verifies() -> None:
    """E3: the puller is known by its signature over Messaging and Body."""
    packed = msh.pack_pull_request(vocabulary.DEFAULT_MPC + "/NO", RECEIVER_KEYS, stamp=stamp())
    found = unpacked(packed)
    assert found.unit == PullRequest(found.unit.info, vocabulary.DEFAULT_MPC + "/NO")
    assert len(verified(found, RECEIVER_KEYS.certificate).references) == 2


def test_ping_has_no_payload() -> None:
    """E13: the test message is simple SOAP with the standard's service and action."""
    work = CollaborationInfo(
        conversation_id="ping-1",
        service=vocabulary.TEST_SERVICE,
        service_type=None,
        action=vocabulary.TEST_ACTION,
    )
    packed = packed_message([], message=user_message(collaboration=work))
    assert packed.content_type == vocabulary.SOAP_CONTENT_TYPE
    assert b"PayloadInfo" not in packed.body
    assert unpacked(packed).unit == user_message(collaboration=work)


def test_message_knows_whether_it_is_signed() -> None:
    """A Security header is seen before anybody verifies it."""
    assert unpacked(packed_message()).is_signed
    assert not unpacked(unsigned_message()).is_signed


# Receipts


def test_receipt_confirms_the_message() -> None:
    """HB-02: the receipt repeats every reference of the signature, so the sender accepts it."""
    original = packed_message()
    receipt = _receipt(original)
    verified(receipt, RECEIVER_KEYS.certificate)
    confirmation.check_receipt(receipt, original.digests)


def test_receipt_is_the_same_with_the_references_of_the_verification() -> None:
    """Whoever has verified the message need not have its signature read again."""
    original = packed_message()
    assert _receipt(original, references=original.digests).body == _receipt(original).body


def test_receipt_names_the_message() -> None:
    """RefToMessageId of the receipt is the id of the user message."""
    assert _receipt(packed_message()).unit.info.ref_to_message_id == MESSAGE_ID


def test_receipt_of_a_multihop_message_finds_its_way_back() -> None:
    """HB-03, HB-04: the receipt carries a routing header to the sender."""
    receipt = _receipt(packed_message())
    assert receipt.is_multihop
    assert receipt.routing is not None
    assert receipt.routing.plain == RoutingInput.back_to_sender_of(user_message())


def test_receipt_of_a_point_to_point_message_has_no_routing() -> None:
    """E7: without the role nextmsh there are no WS-Addressing headers."""
    receipt = _receipt(packed_message(multihop=False))
    assert (receipt.is_multihop, receipt.routing) == (False, None)
    assert b"addressing" not in receipt.body


def test_receipt_of_an_unsigned_message_gives_its_header_back() -> None:
    """E8, HB-02: without signature the receipt is a copy of the header."""
    receipt = _receipt(unsigned_message([sed_payload()]))
    assert _unit_of_receipt(receipt) == Receipt(
        receipt.unit.info, copied=user_message(parts=(sed_payload().part_info,))
    )


def test_receipt_of_an_unsigned_message_confirms_it() -> None:
    """With nothing signed there is nothing to compare."""
    original = unsigned_message()
    confirmation.check_receipt(_receipt(original), original.digests)


def test_receipt_of_a_signal_is_not_made() -> None:
    """Receipts and errors get no receipt."""
    with pytest.raises(EbmsFault, match="signal"):
        msh.pack_receipt(_receipt(packed_message()), RECEIVER_KEYS, stamp=stamp())


def test_receipt_may_come_in_a_multipart() -> None:
    """TA22: one part, multipart/related, is read like simple SOAP."""
    original = packed_message()
    packed = msh.pack_receipt(unpacked(original), RECEIVER_KEYS, stamp=stamp())
    head = b"--b\r\nContent-Type: application/soap+xml\r\n\r\n"
    framed = msh.Packed(
        packed.message_id,
        'multipart/related; type="application/soap+xml"; boundary=b',
        head + packed.body + b"\r\n--b--",
    )
    confirmation.check_receipt(unpacked(framed), original.digests)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_receipt_for_a_part_of_the_references_is_refused(index: int) -> None:
    """RP-7: a receipt that leaves a reference out does not confirm the message."""
    original = packed_message([sed_payload()])
    receipt = _receipt(original)
    unit = _unit_of_receipt(receipt)
    fewer = unit.references[:index] + unit.references[index + 1 :]
    assert (
        _refusal_of_receipt(replace(receipt, unit=replace(unit, references=fewer)), original) == "EBMS:0302"
    )


def test_receipt_with_another_digest_is_refused() -> None:
    """RP-7, CT-S1: a receipt with another digest does not confirm the message."""
    original = packed_message([sed_payload()])
    other = packed_message([sed_payload(b"<other/>")])
    assert _refusal_of_receipt(_receipt(other), original) == "EBMS:0302"


def test_receipt_with_two_digests_for_one_thing_is_refused() -> None:
    """A receipt that says both right and wrong says nothing."""
    original = packed_message([sed_payload()])
    receipt = _receipt(original)
    unit = _unit_of_receipt(receipt)
    doubled = (*unit.references, replace(unit.references[0], digest_value=b"other"))
    assert (
        _refusal_of_receipt(replace(receipt, unit=replace(unit, references=doubled)), original) == "EBMS:0302"
    )


def test_message_that_is_no_receipt_confirms_nothing() -> None:
    """RI-9: a user message in place of a receipt does not confirm."""
    original = packed_message()
    assert _refusal_of_receipt(unpacked(original), original) == "EBMS:0302"


# Errors


def test_error_about_a_multihop_message_finds_its_way_back() -> None:
    """E9: the error carries oneWay.error and a routing header to the sender."""
    packed = msh.pack_error(
        [EbmsErrorCode.OTHER.error("x")], RECEIVER_KEYS, about=unpacked(packed_message()), stamp=stamp()
    )
    found = unpacked(packed)
    assert vocabulary.ERROR_ACTION.encode() in packed.body
    assert found.routing is not None
    assert (found.routing.receiver, found.is_multihop) == (SENDER, True)


def test_error_names_the_message_in_error() -> None:
    """RefToMessageId and refToMessageInError are the id of the message."""
    error = EbmsErrorCode.FAILED_AUTHENTICATION.error("signature or certificate not valid")
    found = unpacked(msh.pack_error([error], None, about=MESSAGE_ID, stamp=stamp())).unit
    assert isinstance(found, ErrorSignal)
    assert (found.info.ref_to_message_id, found.errors[0].ref) == (MESSAGE_ID, MESSAGE_ID)


def test_error_keeps_the_reference_it_has() -> None:
    """An error that names a message already keeps that name."""
    error = EbmsErrorCode.OTHER.error(ref=MessageId("other@example"))
    found = unpacked(msh.pack_error([error], None, about=MESSAGE_ID, stamp=stamp())).unit
    assert isinstance(found, ErrorSignal)
    assert found.errors[0].ref == "other@example"


def test_error_about_an_unknown_message_names_none() -> None:
    """When not even the id could be read, the error refers to nothing."""
    found = unpacked(msh.pack_error([EbmsErrorCode.OTHER.error()], None, about=None, stamp=stamp())).unit
    assert found.info.ref_to_message_id is None


def test_findings_travel_in_the_error_detail() -> None:
    """Every finding of a document check reaches the sender, line by line."""
    findings = "A003-R01 line 7: End date lies before start date\nA003-R02 line 9: <value> unknown"
    error = EbmsErrorCode.OTHER.error("document not valid", detail=findings)
    found = unpacked(msh.pack_error([error], None, about=MESSAGE_ID, stamp=stamp())).unit
    assert isinstance(found, ErrorSignal)
    assert found.errors[0].detail == findings


def test_error_about_an_error_is_not_made() -> None:
    """RI-8: no error about an error."""
    error = EbmsErrorCode.OTHER.error()
    first = unpacked(msh.pack_error([error], None, about=MESSAGE_ID, stamp=stamp()))
    with pytest.raises(EbmsFault, match="no error about the error"):
        msh.pack_error([error], None, about=first, stamp=stamp())


def test_error_about_a_pull_request_is_not_multihop() -> None:
    """E5: the answer to a PullRequest goes back in the same connection."""
    request = unpacked(msh.pack_pull_request(vocabulary.DEFAULT_MPC, None, stamp=stamp(2)))
    found = unpacked(
        msh.pack_error([EbmsErrorCode.EMPTY_CHANNEL.error()], None, about=request, stamp=stamp())
    )
    assert (found.is_multihop, found.routing) == (False, None)


# Files


def test_stored_message_explains_itself() -> None:
    """A stored message begins with its Content-Type, so that it can be read again."""
    packed = packed_message()
    assert msh.from_file(msh.to_file(packed)) == (packed.content_type, packed.body)


def test_stored_message_verifies_like_the_one_that_came() -> None:
    """A stored message keeps its octets, and so its signature."""
    assert verified(msh.unpack_file(msh.to_file(packed_message()))).result.is_valid


def test_file_may_have_further_headers_and_lf() -> None:
    """A file saved by another tool may carry more headers, with LF line ends."""
    data = b"MIME-Version: 1.0\nContent-Type: application/soap+xml\n\n<E/>"
    assert msh.from_file(data) == ("application/soap+xml", b"<E/>")


def test_file_without_content_type_is_soap() -> None:
    """A header block without Content-Type stands in front of simple SOAP."""
    assert msh.from_file(b"MIME-Version: 1.0\r\n\r\n<E/>")[0] == vocabulary.SOAP_CONTENT_TYPE


def test_boundary_that_looks_like_a_header_is_a_boundary() -> None:
    """A boundary may contain a colon; a header line begins with a letter."""
    content_type, _ = msh.from_file(b"--a:b\r\nContent-ID: <x>\r\n\r\n<E/>\r\n--a:b--")
    assert content_type == 'multipart/related; boundary="a:b"'


@pytest.mark.parametrize("multipart", [True, False])
def test_file_without_header_is_read(multipart: bool) -> None:
    """A body that was stored alone is read from its own first line."""
    packed = packed_message() if multipart else packed_message([])
    assert msh.unpack_file(packed.body).message_id == MESSAGE_ID


# Whatever comes


@given(
    st.binary(max_size=300),
    st.sampled_from(["application/soap+xml", 'multipart/related; type="x"; boundary=b']),
)
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    """No octets make the reader fail in any other way than by its own errors."""
    with pytest.raises((EbmsFault, XmlError)):
        msh.unpack(content_type, body)


@given(st.text(max_size=100))
def test_any_content_type_is_read_or_refused(content_type: str) -> None:
    """No Content-Type makes the reader fail in any other way than by its own errors."""
    with pytest.raises((EbmsFault, XmlError)):
        msh.unpack(content_type, b"--b\r\n\r\n\r\n--b--")


@given(st.data())
def test_any_damage_is_survived(data: st.DataObject) -> None:
    """A damaged message is refused, or it verifies since the damage is outside of everything that counts."""
    packed = packed_message()
    body = bytearray(packed.body)
    start = data.draw(st.integers(0, len(body) - 1))
    body[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    try:
        found = unpacked(replace(packed, body=bytes(body)))
        verified(found)
    except (EbmsFault, XmlError):
        return
    assert found.unit == unpacked(packed).unit
    assert [msh.payload_content(part) for part in found.parts] == [
        msh.payload_content(part) for part in unpacked(packed).parts
    ]


def test_message_over_the_limit_of_the_envelope_is_refused() -> None:
    """The SOAP part has a limit of its own, far below that of the body."""
    limits = As4Limits(envelope_bytes=100)
    with pytest.raises(XmlError):
        msh.unpack(vocabulary.SOAP_CONTENT_TYPE, unsigned_message().body, limits)


def test_stamp_makes_ids_of_its_own() -> None:
    """Two messages made with different tokens share no id inside."""
    other = msh.Stamp(MessageId("x@y"), stamp().timestamp, TOKEN)
    first = msh.pack_pull_request("urn:mpc", RECEIVER_KEYS, stamp=stamp())
    second = msh.pack_pull_request("urn:mpc", RECEIVER_KEYS, stamp=other)
    assert {digest.uri for digest in first.digests}.isdisjoint(digest.uri for digest in second.digests)


def test_parts_are_shown_in_their_order() -> None:
    """Whoever looks through a message sees the content of every part, decompressed where it was compressed."""
    plain = Payload("plain@pl.example", b"as it is", "text/plain")
    seen: list[tuple[str, bytes]] = []
    msh.look_through([sed_payload(), plain], lambda part, piece: seen.append((part.content_id, piece)))
    assert seen == [("sed-1@pl.example", SED), ("plain@pl.example", b"as it is")]


def test_parts_together_stay_within_the_limit() -> None:
    """GZ-1: many parts, each of which may be unpacked, are refused when they are too much together."""
    limits = As4Limits(message_bytes=2 * len(SED) - 1)
    with pytest.raises(EbmsFault) as caught:
        msh.look_through([sed_payload(), sed_payload()], lambda _part, _piece: None, limits)
    assert caught.value.error_code.code == "EBMS:0303"


def test_document_is_not_unpacked_beyond_its_limit() -> None:
    """GZ-1: a SED is refused at the size of a document, not at that of an attachment."""
    limits = As4Limits(document_bytes=len(SED) - 1)
    assert msh.payload_content(sed_payload(), limits) == SED
    with pytest.raises(EbmsFault) as caught:
        msh.document_content(sed_payload(), limits)
    assert caught.value.error_code.code == "EBMS:0303"
