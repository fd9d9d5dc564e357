"""Encryption for one hop: what comes out behind the next access point is what went in, octet by octet."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.as4_encryption import KINDS, PAYLOADS, encrypted_message, held
from tests.helpers.as4_messages import TOKEN as MESSAGE_TOKEN
from tests.helpers.as4_messages import packed_message, unpacked, verified

from eessi_sim.as4 import hop, layer, msh
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption import Encryption

TOKEN = "0000000000000000000000000000000c"
RSA = Encryption(held("rsa").certificate)


def original() -> msh.Packed:
    """A signed message with the parts of the encryption tests."""
    return packed_message(payloads=PAYLOADS)


def opened(sealed: msh.Packed, kind: str = "rsa") -> msh.Unpacked:
    return hop.decrypt(unpacked(sealed), Decryption([held(kind)], is_required=True))


def changed(packed: msh.Packed, *changes: tuple[bytes, bytes]) -> msh.Unpacked:
    """A message that another product could have written: some octets differ, none that is signed."""
    body = packed.body
    for old, new in changes:
        assert old in body
        body = body.replace(old, new)
    return msh.unpack(packed.content_type, body)


def there_and_back(message: msh.Unpacked) -> msh.Unpacked:
    return opened(hop.encrypt(message, RSA, TOKEN))


@pytest.mark.parametrize("kind", KINDS)
def test_octets_come_back(kind: str) -> None:
    """Every kind of key gives back the very octets and the Content-Type of the message, and its signature holds."""
    packed = original()
    sealed = hop.encrypt(unpacked(packed), Encryption(held(kind).certificate), TOKEN)
    message = opened(sealed, kind)
    assert (message.content_type, message.body) == (packed.content_type, packed.body)
    assert message.parts == unpacked(packed).parts
    verified(message)


def test_nothing_of_the_parts_is_readable_on_the_way() -> None:
    """The sealed message has the frame and the header of the original and none of its contents."""
    sealed = hop.encrypt(unpacked(original()), RSA, TOKEN)
    assert sealed.content_type == original().content_type
    assert not any(part.content in sealed.body for part in PAYLOADS)
    assert {part.content_type for part in unpacked(sealed).parts} == {"application/octet-stream"}


STYLES: dict[str, tuple[tuple[bytes, bytes], ...]] = {
    "comment": ((b"<S12:Header>", b"<S12:Header><!-- <wsse:Security> -->"),),
    "spaces": ((b"</wsse:Security>", b"\n  </wsse:Security>\n"),),
    "quotes": ((b'S12:mustUnderstand="true">', b"S12:mustUnderstand='true' >"),),
    "header-names": ((b"Content-Type: ", b"content-TYPE:\t"), (b"Content-Disposition: attachment\r\n", b"")),
    "epilogue": ((b"--\r\n", b"--\r\nThis is behind the end.\r\n"),),
    "line-feeds": ((b"\r\n", b"\n"),),
}


@pytest.mark.parametrize("style", STYLES)
def test_octets_of_other_writers_come_back(style: str) -> None:
    """Comments, spaces, quotes, header names and line ends of another product survive the hop."""
    message = changed(original(), *STYLES[style])
    assert there_and_back(message).body == message.body


def other_prefix(packed: msh.Packed) -> msh.Unpacked:
    return changed(packed, (b"wsse:", b"sec:"), (b":wsse=", b":sec="))


def folded_type(packed: msh.Packed) -> msh.Unpacked:
    return changed(packed, (b"Content-Type: application/gzip", b"Content-Type:\r\n application/gzip"))


@pytest.mark.parametrize("write", [other_prefix, folded_type])
def test_form_that_cannot_be_kept_is_written_anew(write: Callable[[msh.Packed], msh.Unpacked]) -> None:
    """Where cutting and pasting is not safe the parts still come back, and the signature holds."""
    message = write(original())
    back = there_and_back(message)
    assert back.parts == message.parts
    verified(back)


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_boundary_in_an_encrypted_part_is_avoided(line_end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the ciphertext happens to contain the boundary the message gets another frame."""
    unlucky = line_end + b"--=-" + MESSAGE_TOKEN.encode() + line_end
    monkeypatch.setattr("eessi_sim.security.ciphers.encrypt_content", lambda _content, _key: unlucky)
    sealed = hop.encrypt(unpacked(original()), RSA, TOKEN)
    assert TOKEN in sealed.content_type
    assert len(unpacked(sealed).parts) == len(PAYLOADS)


def test_encryption_is_taken_off_where_it_stands_and_not_where_it_is_faked() -> None:
    """A comment that looks like encryption does not mislead; the careful reader decides."""
    sealed = hop.encrypt(unpacked(original()), RSA, TOKEN)
    fake = b"<!--<wsse:Security ><xenc:EncryptedKey ></xenc:EncryptedKey><xenc:EncryptedData ></xenc:EncryptedData>-->"
    faked = changed(sealed, (b"<S12:Header>", b"<S12:Header>" + fake))
    message = hop.decrypt(faked, Decryption([held("rsa")]))
    assert message.parts == unpacked(original()).parts
    verified(message)


@settings(max_examples=20)
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.booleans())
def test_any_octets_come_back(contents: list[bytes], is_compressed: bool) -> None:
    """Whatever the parts contain, the message behind the hop is the message in front of it."""
    make = msh.compressed_payload if is_compressed else msh.plain_payload
    packed = packed_message(
        payloads=[
            make(f"p{n}@pl.example", each, "application/pdf", "Attachment") for n, each in enumerate(contents)
        ]
    )
    assert there_and_back(unpacked(packed)).body == packed.body


def test_message_without_parts_stays_as_it_is() -> None:
    """A ping has nothing to encrypt."""
    packed = packed_message(payloads=())
    sealed = hop.encrypt(unpacked(packed), RSA, TOKEN)
    assert sealed.body == packed.body
    assert hop.decrypt(unpacked(sealed), Decryption([held("rsa")], is_required=True)).body == packed.body


def test_encryption_of_somebody_else_is_taken_off_as_well() -> None:
    """What another product encrypted is decrypted, though written anew."""
    message = hop.decrypt(
        unpacked(layer.encrypt(unpacked(original()), RSA, TOKEN)), Decryption([held("rsa")])
    )
    assert message.parts == unpacked(original()).parts
    verified(message)


def test_encrypted_message_is_not_encrypted_again() -> None:
    """A second encryption is refused."""
    with pytest.raises(EbmsFault) as caught:
        hop.encrypt(unpacked(encrypted_message("rsa")), RSA, TOKEN)
    assert caught.value.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE


def test_key_of_somebody_else_ends_in_0102() -> None:
    """Only the access point for which it was encrypted can read it."""
    with pytest.raises(EbmsFault) as caught:
        opened(hop.encrypt(unpacked(original()), RSA, TOKEN), "x25519")
    assert caught.value.error_code is EbmsErrorCode.FAILED_DECRYPTION
