"""The MIME frame: written, read back byte by byte, and refused where two readers could differ."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.as4_messages import content_ids

from eessi_sim.as4 import mime
from eessi_sim.as4.ebms_errors import EbmsFault, NotAs4
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.mime_headers import ContentType, read_headers
from eessi_sim.as4.model import Payload

BOUNDARY = "=-b1"
ROOT = "root@a.example"
FRAME = 'multipart/related; type="application/soap+xml"; start="<root@a.example>"; boundary="=-b1"'
OUR_ROOT = (
    "--=-b1\nContent-ID: <root@a.example>\nContent-Type: application/soap+xml; charset=utf-8\n\n<Envelope/>\n"
)
PART = "--=-b1\nContent-ID: <sed@a.example>\nContent-Type: application/gzip\n\nSED\n"
END = "--=-b1--\n"


def _crlf(*texts: str) -> bytes:
    return "".join(texts).replace("\n", "\r\n").encode()


def _read(body: bytes, frame: str = FRAME, limits: As4Limits | None = None) -> mime.Package:
    return mime.read(frame, body, limits or As4Limits())


def _fault(body: bytes, frame: str = FRAME, limits: As4Limits | None = None) -> EbmsFault:
    with pytest.raises(EbmsFault) as caught:
        _read(body, frame, limits)
    return caught.value


def _is_refused(body: bytes, frame: str = FRAME) -> bool:
    """Return whether the fault is the one for HTTP 400, not an error signal."""
    return isinstance(_fault(body, frame), NotAs4)


def _is_inconsistent(body: bytes, frame: str = FRAME, limits: As4Limits | None = None) -> bool:
    fault = _fault(body, frame, limits)
    return fault.error_code.code == "EBMS:0007" and not isinstance(fault, NotAs4)


# Writing


def test_frame_is_the_one_of_the_skeleton() -> None:
    """Our frame: quoted parameters, binary encoding, CRLF, attachments marked as such (ebMS3 core 5.1; observed)."""
    payload = Payload("sed@a.example", b"\x1f\x8bSED", "application/gzip")
    content_type, body = mime.write(BOUNDARY, ROOT, b"<Envelope/>", [payload])
    assert content_type == FRAME
    assert body == (
        b"--=-b1\r\nContent-ID: <root@a.example>\r\nContent-Type: application/soap+xml; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: binary\r\n\r\n<Envelope/>\r\n"
        b"--=-b1\r\nContent-ID: <sed@a.example>\r\nContent-Type: application/gzip\r\n"
        b"Content-Transfer-Encoding: binary\r\nContent-Disposition: attachment\r\n\r\n\x1f\x8bSED\r\n--=-b1--\r\n"
    )


def test_message_without_payload_is_simple_soap() -> None:
    """Signals need no multipart."""
    assert mime.write(BOUNDARY, ROOT, b"<Envelope/>", []) == (
        "application/soap+xml; charset=utf-8",
        b"<Envelope/>",
    )


def test_boundary_inside_a_part_is_refused() -> None:
    """A part that contains the boundary cannot be framed with it."""
    with pytest.raises(EbmsFault, match="boundary"):
        mime.write(BOUNDARY, ROOT, b"<E/>", [Payload("a@b", b"x\r\n--=-b1\r\n", "text/plain")])


@pytest.mark.parametrize("content_id", ["", "a b", "a\r\nX-Evil: 1", "<a@b>", "a" * 256])
def test_odd_content_id_is_not_written(content_id: str) -> None:
    """MI-8: an id that could break out of its header line is refused."""
    with pytest.raises(EbmsFault, match="Content-ID"):
        mime.write(BOUNDARY, ROOT, b"<E/>", [Payload(content_id, b"", "text/plain")])


@pytest.mark.parametrize(
    "content_type", ["", "text", "text/plain\r\nX-Evil: 1", "tëxt/plain", "text/plain; ë=1"]
)
def test_odd_content_type_is_not_written(content_type: str) -> None:
    """MI-8: a media type that could break out of its header line is refused."""
    with pytest.raises(EbmsFault, match="media type"):
        mime.write(BOUNDARY, ROOT, b"<E/>", [Payload("a@b", b"", content_type)])


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_parts_come_back_byte_by_byte(contents: list[bytes]) -> None:
    """Whatever octets a part has, reading returns exactly those."""
    payloads = [Payload(f"{index}@a", content, "image/png") for index, content in enumerate(contents)]
    content_type, body = mime.write("=-0123456789abcdef", ROOT, b"<E/>", payloads)
    package = mime.read(content_type, body)
    assert [part.content for part in package.parts] == contents
    assert package.root.content == b"<E/>"


@given(content_ids)
def test_href_names_exactly_its_content_id(content_id: str) -> None:
    """A Content-ID written as cid: URI is read back as itself (RFC 2392)."""
    assert mime.content_id_of(mime.href(content_id)) == content_id


# Reading what others write


def test_parts_keep_their_order_and_types() -> None:
    """Parts come in the order of the message, each with its Content-Type."""
    other = PART.replace("sed@", "att@").replace("application/gzip", "image/png")
    parts = _read(_crlf(OUR_ROOT, PART, other, END)).parts
    assert [(part.content_id, part.content_type) for part in parts] == [
        ("sed@a.example", "application/gzip"),
        ("att@a.example", "image/png"),
    ]


def test_line_ends_may_be_lf_throughout() -> None:
    """Messages stored by others have LF line ends; they are read when all line ends of the frame agree."""
    assert _read((OUR_ROOT + PART + END).encode()).parts[0].content == b"SED"


def test_first_part_is_the_root_when_start_is_missing() -> None:
    """Without ``start`` the first part is the SOAP part (RFC 2387 3.2)."""
    frame = FRAME.replace('start="<root@a.example>"; ', "")
    assert _read(_crlf(OUR_ROOT, PART, END), frame).root.content == b"<Envelope/>"


def test_root_need_not_be_the_first_part() -> None:
    """``start`` finds the SOAP part wherever it stands."""
    assert _read(_crlf(PART, OUR_ROOT, END)).root.content == b"<Envelope/>"


def test_start_may_come_without_angle_brackets() -> None:
    """Some products leave the brackets out."""
    assert _read(_crlf(OUR_ROOT, END), FRAME.replace("<root@a.example>", "root@a.example")).parts == ()


def test_one_part_multipart_is_read_like_simple_soap() -> None:
    """TA22: a receipt may come as a multipart with one part."""
    assert _read(_crlf(OUR_ROOT, END)).root.content == b"<Envelope/>"


def test_simple_soap_is_one_root() -> None:
    """A message without MIME frame is its SOAP part."""
    package = _read(b"<Envelope/>", "application/soap+xml; charset=UTF-8; action=urn:ignored")
    assert (package.root.content, package.parts) == (b"<Envelope/>", ())


def test_preamble_and_epilogue_do_not_matter() -> None:
    """What stands before the first and after the last boundary is no part (RFC 2046 5.1.1)."""
    assert len(_read(_crlf("hello\n", OUR_ROOT, PART, END, "bye\n")).parts) == 1


def test_closing_boundary_needs_no_line_end() -> None:
    """The message may end right behind the closing boundary."""
    assert len(_read(_crlf(OUR_ROOT, PART, END.rstrip())).parts) == 1


def test_padding_behind_a_boundary_is_accepted() -> None:
    """Blanks may stand between boundary and line end (RFC 2046 5.1.1)."""
    body = _crlf(OUR_ROOT, PART, END).replace(b"--=-b1\r\n", b"--=-b1 \t\r\n")
    assert len(_read(body).parts) == 1


def test_base64_part_is_decoded() -> None:
    """MI-11: digests are made over the decoded octets."""
    encoded = base64.encodebytes(bytes(range(200))).decode()
    body = _crlf(OUR_ROOT, PART.replace("\n\nSED", f"\nContent-Transfer-Encoding: BASE64\n\n{encoded}"), END)
    assert _read(body).parts[0].content == bytes(range(200))


def test_part_without_header_has_octets_only() -> None:
    """A part may have no header at all; it is then opaque octets."""
    part = _read(_crlf(OUR_ROOT, "--=-b1\n\nSED\n", END)).parts[0]
    assert (part.content_id, part.content_type, part.content) == (None, "application/octet-stream", b"SED")


def test_empty_part_is_read() -> None:
    """A part may have no content."""
    assert _read(_crlf(OUR_ROOT, PART.replace("SED", ""), END)).parts[0].content == b""


def test_folded_header_is_one_header() -> None:
    """MI-19: a header that continues on the next line is joined."""
    body = _crlf(OUR_ROOT, PART.replace("Type: application", "Type:\n application"), END)
    assert _read(body).parts[0].content_type == "application/gzip"


def test_utf16_envelope_may_say_so() -> None:
    """A SOAP part in UTF-16 with its mark may announce UTF-16."""
    envelope = "<E/>".encode("utf-16")
    assert _read(envelope, "application/soap+xml; charset=UTF-16").root.content == envelope


def test_multipart_without_type_is_read_leniently() -> None:
    """MI-6: in lenient mode the parameter ``type`` may be missing."""
    frame = FRAME.replace('type="application/soap+xml"; ', "")
    assert mime.read(frame, _crlf(OUR_ROOT, END), lenient=True).root.content == b"<Envelope/>"


# Refusing


@pytest.mark.parametrize(
    "boundary", ['boundary=""', 'boundary="' + "x" * 71 + '"', 'boundary="b "', 'boundary="b;ä"', "x=y"]
)
def test_impossible_boundary_is_refused(boundary: str) -> None:
    """MI-1: the boundary has 1 to 70 characters of a small alphabet and does not end in a blank."""
    assert _is_refused(_crlf(OUR_ROOT, END), FRAME.replace('boundary="=-b1"', boundary))


@pytest.mark.parametrize(
    "frame",
    [
        FRAME + "; boundary=other",
        FRAME + ", multipart/mixed",
        FRAME + "\r\nContent-Type: text/plain",
        "",
        "multipart",
        "multipart/related; boundary",
    ],
)
def test_content_type_with_two_meanings_is_refused(frame: str) -> None:
    """MI-7: two boundaries, two types or no type at all are refused."""
    assert _is_refused(_crlf(OUR_ROOT, END), frame)


@pytest.mark.parametrize("frame", ["text/xml", "application/json", "multipart/mixed; boundary=b"])
def test_other_media_types_are_refused(frame: str) -> None:
    """CT-R1, XML-12: what is neither SOAP 1.2 nor multipart/related is no AS4 message."""
    assert _is_refused(b"<Envelope/>", frame)


def test_too_large_message_is_refused() -> None:
    """A body over the limit is not looked at."""
    limits = replace(As4Limits(), body_bytes=10)
    assert isinstance(_fault(_crlf(OUR_ROOT, END), limits=limits), NotAs4)


def test_boundary_that_is_not_there_is_refused() -> None:
    """A body without the announced boundary is refused."""
    assert _is_refused(b"hello")


def test_boundary_without_line_end_is_refused() -> None:
    """The first boundary must end its line."""
    assert _is_refused(b"--=-b1 hello")


def test_missing_closing_boundary_is_inconsistent() -> None:
    """MI-2: a truncated message is refused as a whole."""
    assert _is_inconsistent(_crlf(OUR_ROOT, PART))


def test_text_behind_the_closing_boundary_is_refused() -> None:
    """A longer word than the closing boundary does not close."""
    assert _is_refused(_crlf(OUR_ROOT, PART, "--=-b1--x\n"))


@pytest.mark.parametrize("hidden", ["\n--=-b1", "\r\n--=-b1", "\r\n--=-b1-"])
def test_boundary_that_another_reader_could_see_is_refused(hidden: str) -> None:
    """MI-1: a boundary in the content, with another line end or longer, would split the message elsewhere for others."""
    body = _crlf(OUR_ROOT, PART, END).replace(b"SED", f"SED{hidden}\nmore".encode())
    assert _fault(body).error_code.code == "EBMS:0007"


def test_crlf_boundary_in_a_message_with_lf_is_refused() -> None:
    """Mixed line ends would leave open whether CR belongs to the content."""
    assert _is_refused((OUR_ROOT + PART.replace("SED\n", "SED\r\n") + END).encode())
    assert _is_refused(("preamble\r\n" + OUR_ROOT + PART + END).encode())


def test_boundary_in_the_epilogue_is_refused() -> None:
    """Nothing behind the closing boundary may look like a part."""
    assert _is_refused(_crlf(OUR_ROOT, PART, END, PART))


def test_doubled_content_id_is_inconsistent() -> None:
    """MI-3: two parts with one Content-ID are refused."""
    assert _is_inconsistent(_crlf(OUR_ROOT, PART, PART, END))


def test_start_that_names_no_part_is_inconsistent() -> None:
    """MI-5: ``start`` must name a part."""
    assert _is_inconsistent(_crlf(PART, END))


def test_root_that_is_not_soap_is_inconsistent() -> None:
    """MI-5: the root part must be SOAP 1.2."""
    assert _is_inconsistent(_crlf(PART, END), FRAME.replace("root@", "sed@"))


def test_missing_type_is_inconsistent() -> None:
    """MI-6: ``type`` is required (RFC 2387 3.1)."""
    assert _is_inconsistent(_crlf(OUR_ROOT, END), FRAME.replace('type="application/soap+xml"; ', ""))


def test_type_unlike_the_root_is_inconsistent() -> None:
    """MI-6: ``type`` must be the media type of the root part."""
    assert _is_inconsistent(_crlf(OUR_ROOT, END), FRAME.replace("application/soap+xml", "text/xml"))


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "iso-8859-1"])
def test_charset_that_contradicts_the_octets_is_refused(charset: str) -> None:
    """XML-10: the charset of the frame must be that of the envelope."""
    assert _is_refused(b"<Envelope/>", f"application/soap+xml; charset={charset}")


@pytest.mark.parametrize(
    "content_type", ["multipart/mixed; boundary=b", "message/rfc822", "message/external-body"]
)
def test_message_in_the_message_is_inconsistent(content_type: str) -> None:
    """MI-10: parts are documents, not messages."""
    assert _is_inconsistent(_crlf(OUR_ROOT, PART.replace("application/gzip", content_type), END))


@pytest.mark.parametrize("encoding", ["quoted-printable", "x-gzip", ""])
def test_other_transfer_encoding_is_inconsistent(encoding: str) -> None:
    """MI-11: only binary, 8bit, 7bit and base64 are known."""
    body = _crlf(OUR_ROOT, PART.replace("\n\nSED", f"\nContent-Transfer-Encoding: {encoding}\n\nSED"), END)
    assert _is_inconsistent(body)


def test_broken_base64_is_inconsistent() -> None:
    """A part that says base64 must be base64."""
    body = _crlf(OUR_ROOT, PART.replace("\n\nSED", "\nContent-Transfer-Encoding: base64\n\nS*D"), END)
    assert _is_inconsistent(body)


def test_too_many_parts_are_inconsistent() -> None:
    """SZ-3: the number of parts is limited."""
    limits = replace(As4Limits(), parts=1)
    other = PART.replace("sed@", "att@")
    assert _is_inconsistent(_crlf(OUR_ROOT, PART, other, END), limits=limits)


def test_number_of_parts_at_the_limit_is_accepted() -> None:
    """The root part does not count as payload."""
    assert len(_read(_crlf(OUR_ROOT, PART, END), limits=replace(As4Limits(), parts=1)).parts) == 1


def test_huge_part_header_is_inconsistent() -> None:
    """SZ-3: the header of a part is limited."""
    body = _crlf(OUR_ROOT, PART.replace("\n\nSED", f"\nX-Long: {'x' * 20000}\n\nSED"), END)
    assert _is_inconsistent(body)


def test_part_without_blank_line_is_inconsistent() -> None:
    """Header and content are told apart by a blank line."""
    assert _is_inconsistent(_crlf(OUR_ROOT, PART.replace("\n\nSED", "\n"), END))


def test_part_with_nonsense_as_content_type_is_inconsistent() -> None:
    """A Content-Type that is none is refused, since the digest depends on it."""
    assert _is_inconsistent(_crlf(OUR_ROOT, PART.replace("application/gzip", "gzip"), END))


# Header lines


@pytest.mark.parametrize(
    "line", [b"no colon", b" folded: first", b"X-8bit: \xe4", b"X: a\nY: b", b"X: a\rY: b", b"X Y: z", b": z"]
)
def test_line_that_is_no_header_is_refused(line: bytes) -> None:
    """MI-19: foreign octets, bare line ends and nameless lines are refused."""
    with pytest.raises(EbmsFault):
        read_headers(line, b"\r\n")


def test_header_given_twice_is_refused() -> None:
    """A header that occurs twice has two meanings."""
    with pytest.raises(EbmsFault, match="twice"):
        read_headers(b"Content-ID: <a>\r\ncontent-id: <b>", b"\r\n")


def test_header_names_do_not_depend_on_case() -> None:
    """Header names are compared in lower case."""
    assert read_headers(b"CONTENT-id: <a>\r\nX: y", b"\r\n") == {"content-id": "<a>", "x": "y"}


def test_quoted_parameter_is_unescaped() -> None:
    """Backslashes in a quoted parameter escape the next character (RFC 2045 5.1)."""
    assert ContentType.find(r'a/b; c="d\"e"') == ContentType("a/b", {"c": 'd"e'})


def test_media_type_is_compared_in_lower_case() -> None:
    """Media types do not depend on case."""
    found = ContentType.find("Application/SOAP+XML")
    assert found is not None
    assert found.media_type == "application/soap+xml"


# Files without HTTP header


def test_boundary_is_found_at_the_start_of_a_file() -> None:
    """The boundary of a stored message is its first line; mark and blank lines in front do not matter."""
    content_type, body = mime.sniff(b"\xef\xbb\xbf\n" + (OUR_ROOT + PART + END).encode())
    assert len(mime.read(content_type, body, lenient=True).parts) == 1


@pytest.mark.parametrize("data", [b"<Envelope/>", b"\xef\xbb\xbf <Envelope/>", "<E/>".encode("utf-16")])
def test_xml_is_found_at_the_start_of_a_file(data: bytes) -> None:
    """A stored SOAP envelope is found, with or without mark."""
    assert mime.sniff(data)[0] == "application/soap+xml"


@pytest.mark.parametrize("data", [b"", b"hello", b"--", b"--b\xe4d\n"])
def test_other_files_are_refused(data: bytes) -> None:
    """A file that is neither multipart nor XML is no message."""
    with pytest.raises(NotAs4):
        mime.sniff(data)


# Places


def test_places_of_the_parts_are_told() -> None:
    """From behind the boundary to the next one, and where the content begins."""
    body = _crlf(OUR_ROOT, PART, END)
    found = [
        (body[each.start : each.content], body[each.content : each.end])
        for each in mime.sections(FRAME, body)
    ]
    assert [content for _, content in found] == [b"<Envelope/>", b"SED"]
    assert all(header.startswith(b"\r\nContent-ID") and header.endswith(b"\r\n\r\n") for header, _ in found)


@pytest.mark.parametrize("frame", ["application/soap+xml; charset=UTF-8", "nonsense"])
def test_simple_soap_has_no_parts_to_place(frame: str) -> None:
    """Without a frame there is nothing to find."""
    assert mime.sections(frame, b"<Envelope/>") == ()
