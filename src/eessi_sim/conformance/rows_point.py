"""Rows between two lone gateways: the eDelivery assertions, and what happens to encryption (7.2, 6.2, 6.3)."""

import re
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from eessi_sim.as4 import layer, msh, vocabulary
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.model import ErrorSignal, MessageProperty, Payload
from eessi_sim.as4.msh import Packed
from eessi_sim.conformance.forgery import Forgery
from eessi_sim.conformance.model import NotApplicable, Result, expect
from eessi_sim.conformance.plays import AtPoint, PointPlay
from eessi_sim.conformance.point import Point
from eessi_sim.conformance.wire import Shot
from eessi_sim.gateway.document import Document
from eessi_sim.security.keys import Purpose

_XML: Final = "application/xml"
_SPKI_X25519: Final = bytes.fromhex("302a300506032b656e032100")
"""In front of the 32 octets of an X25519 key (RFC 8410)."""
_KEY: Final = re.compile(r"<xenc:EncryptedKey.*?</xenc:EncryptedKey>", re.DOTALL)
_VALUE: Final = re.compile(r"(?<=<xenc:CipherValue>)[^<]*")
_ORIGINATOR: Final = re.compile(r"(<dsig11:DEREncodedKeyValue[^>]*>)[^<]*")


# Messages that must be receipted


def sends(*documents: bytes) -> PointPlay:
    """A message with these documents besides the usual one, through our own gateway; its receipt is checked."""

    async def play(live: Point) -> Result:
        parts = [Document(content) for content in (live.document, *documents)]
        return await live.deliver(live.gateway.pack(live.mode, parts))

    return play


def uncompressed(number: int = 1) -> PointPlay:
    """Documents that travel as they are."""

    async def play(live: Point) -> Result:
        mode = replace(live.mode, is_compressed=False)
        return await live.deliver(live.gateway.pack(mode, [Document(live.document)] * number))

    return play


def parted(make: Callable[[bytes], Sequence[Payload]]) -> PointPlay:
    """A message with other parts; its receipt is checked."""

    async def play(live: Point) -> Result:
        return await live.deliver(live.packed(parts=make))

    return play


def in_characters(name: str, codec: str) -> PointPlay:
    """A document that says its character set."""

    def make(document: bytes) -> list[Payload]:
        text = document.decode().replace('encoding="UTF-8"', f'encoding="{name}"').encode(codec)
        return [msh.compressed_payload("sed-1@pl.example", text, _XML, "SED", character_set=name)]

    return parted(make)


async def pinged(live: Point) -> Result:
    """The test message of ebMS: receipted, and given to nobody."""
    test = replace(
        live.mode, service=vocabulary.TEST_SERVICE, service_type=None, action=vocabulary.TEST_ACTION
    )
    before = len(live.known.deliveries) if live.known else 0
    result = await live.deliver(live.gateway.pack(test, ()))
    expect(not live.known or len(live.known.deliveries) == before, "Expected no delivery, found one")
    return result


async def with_properties(live: Point) -> Result:
    """Properties of the message and of a part keep names and types."""
    own = MessageProperty("other", "y", "urn:type")
    packed = live.packed(lambda unit: replace(unit, properties=(MessageProperty("note", "x"), own)))
    result = await live.deliver(packed)
    if live.known:
        expect(own in live.known.deliveries[-1].message.properties, "Expected the property with its type")
    return result


async def in_order(live: Point) -> Result:
    """Three documents arrive in the order of the header, as they were."""
    documents = tuple(f"<document xmlns='urn:x'>{number}</document>".encode() for number in range(3))
    result = await live.deliver(live.gateway.pack(live.mode, [Document(each) for each in documents]))
    found = tuple(each.content for each in live.own.deliveries[-1].documents)
    expect(found == documents, f"Expected the documents in their order, found {found!r}")
    return result


async def twice(live: Point) -> Result:
    """The same octets again: the same receipt again, one delivery."""
    packed = live.packed()
    first, again = await live.deliver(packed), await live.deliver(packed)
    if live.known:
        ids = [each.message.info.message_id for each in live.known.deliveries]
        expect(ids.count(packed.message_id) == 1, "Expected one delivery")
    return Result(f"{first.outcome}, {again.outcome}", again.milliseconds)


async def as_agreed(live: Point) -> Result:
    """The algorithms of an encrypted message are those of the profile."""
    _must_encrypt(live)
    packed = live.packed()
    expect(b"http://www.w3.org/2009/xmlenc11#aes128-gcm" in packed.body, "Expected AES-128-GCM")
    return await live.deliver(packed)


async def hop(live: Point) -> Result:
    """An access point encrypts what an institution signed; behind the next one the signature is good."""
    _must_encrypt(live)
    signed = msh.pack_user_message(
        live.header(), live.payloads(), live.identity.keys, token=live.gateway.stamp().token, multihop=False
    )
    opened = msh.unpack(signed.content_type, signed.body)
    how = live.encryption
    if how is None:
        raise NotApplicable("Expected a receiver to encrypt for, found none")
    encrypted = layer.encrypt(opened, how, live.gateway.stamp().token)
    result = await live.deliver(replace(encrypted, digests=signed.digests))
    found = live.own.deliveries[-1].message.info.message_id
    expect(found == signed.message_id, "Expected the message behind the hop")
    return result


def _must_encrypt(live: Point) -> None:
    if live.mode.security.encrypts_for is None:
        raise NotApplicable("Expected encryption to be agreed, found a mode without")


# Messages that must be refused


def broken(change: Callable[[Forgery], Forgery]) -> PointPlay:
    """An encrypted message with something wrong in its encryption."""

    async def play(live: Point) -> Result:
        _must_encrypt(live)
        return await live.submit(Shot.of(change(live.forgery()).packed()))

    return play


def blocks(change: Callable[[str], str]) -> PointPlay:
    """Other elements of encryption."""
    return broken(lambda f: replace(f, in_encryption=change))


def octets(change: Callable[[bytes], bytes]) -> PointPlay:
    """Other octets in the encrypted parts."""
    return broken(lambda f: replace(f, ciphertext=change))


def flipped(part: bytes) -> bytes:
    """The authentication tag altered in its last bit."""
    return part[:-1] + bytes([part[-1] ^ 1])


def wrapped_key(value: bytes) -> Callable[[str], str]:
    """Another wrapped key."""
    return lambda text: _VALUE.sub(b64encode(value).decode(), text, count=1)


def low_order(text: str) -> str:
    """A point of low order as originator: the shared secret would be known to everybody."""
    point = b64encode(_SPKI_X25519 + bytes(32)).decode()
    return _ORIGINATOR.sub(lambda found: found[1] + point, text)


def for_another(live: Point) -> Packed:
    """A message encrypted for somebody else with the same kind of key."""
    authority = live.own.authority
    now = live.gateway.stamp().timestamp
    if live.mode.security.encrypts_for == "X25519":
        certificate = authority.issue_agreement("another", country="EU", now=now).certificate
    else:
        certificate = authority.issue("another", Purpose.EBMS, country="EU", now=now).certificate
    return replace(live.forgery(), encryption=Encryption(certificate)).packed()


async def wrong_receiver(live: Point) -> Result:
    """The message for another receiver."""
    return await live.submit(Shot.of(for_another(live)))


async def indistinguishable(live: Point) -> Result:
    """Bad padding, bad length and bad tag are answered with the same code and the same words."""
    _must_encrypt(live)
    made = live.forgery()
    wrong = (
        replace(made, in_encryption=wrapped_key(bytes(256))),
        replace(made, in_encryption=wrapped_key(b"\0")),
        replace(made, ciphertext=flipped),
    )
    answers = [await live.fire(Shot.of(replace(each, unit=live.header()).packed())) for each in wrong]
    words = set()
    for answer in answers:
        signal = msh.unpack(answer.content_type, answer.body).unit
        errors = signal.errors if isinstance(signal, ErrorSignal) else ()
        words.add(tuple((each.code, each.description, each.detail) for each in errors))
    expect(len(words) == 1, f"Expected the same words three times, found {words}")
    return Result(answers[0].outcome, answers[0].milliseconds)


async def readable(live: Point) -> Result:
    """A message that should be encrypted and is not."""
    _must_encrypt(live)
    return await live.submit(Shot.of(replace(live.forgery(), encryption=None).packed()))


def compressed_later(encrypted: bytes) -> bytes:
    """Compression on top of encryption."""
    return msh.compressed_payload("x@x.example", encrypted, _XML, "SED").content


STIMULI: tuple[AtPoint, ...] = (
    AtPoint("TA01", "receipt in the response", sends()),
    AtPoint("TA04", "uncompressed", uncompressed()),
    AtPoint("TA07", "three documents", sends(b"<a/>", b"<b/>")),
    AtPoint("TA13", "algorithms of the profile", as_agreed),
    AtPoint("TA14", "signed", sends()),
    AtPoint("TA17", "ping", pinged),
    AtPoint("TA20", "properties", with_properties),
    AtPoint("TA27", "UTF-16, point to point", in_characters("UTF-16", "utf-16")),
    AtPoint("TA28", "UTF-8, point to point", in_characters("UTF-8", "utf-8")),
    AtPoint("TA36", "compressed, encrypted", sends(b"<a/>")),
    AtPoint("TA37", "encrypted, then compressed", octets(compressed_later)),
    AtPoint("TA38", "compressed, signed, encrypted", sends()),
    AtPoint("TA38", "the same under the 2.0 profile", sends()),
    AtPoint("TA38", "the same on elliptic curves", sends()),
    AtPoint("TA45", "order of parts", in_order),
    AtPoint("8.3.10", "receipt in the response", sends()),
    AtPoint("8.4.6", "encrypted for somebody else", wrong_receiver),
    AtPoint("CT-R3", "key that nobody holds", wrong_receiver),
    AtPoint("P4-07", "encrypted part changed", octets(flipped)),
    AtPoint("RP-1", "exact replay, point to point", twice),
    AtPoint("E-14", "encrypted hop", hop),
    AtPoint("ALG-9", "tag altered", octets(flipped)),
    AtPoint("ALG-9", "ciphertext cut", octets(lambda part: part[:-20])),
    AtPoint("ALG-9", "IV cut", octets(lambda part: part[:8])),
    AtPoint("ALG-9", "nothing left", octets(lambda _: b"")),
    AtPoint("ALG-10", "bad OAEP padding", blocks(wrapped_key(bytes(256)))),
    AtPoint("ALG-10", "bad length of the key", blocks(wrapped_key(b"\0"))),
    AtPoint("ALG-10", "not distinguishable", indistinguishable),
    AtPoint("ALG-11", "low-order point", blocks(low_order)),
    AtPoint("ALG-13", "no EncryptedKey", blocks(lambda text: _KEY.sub("", text))),
    AtPoint("ALG-13", "key for someone else", wrong_receiver),
    AtPoint("ALG-14", "not encrypted, though agreed", readable),
)  # fmt: skip
