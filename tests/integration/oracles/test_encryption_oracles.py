"""python-xmlsec opens what we encrypt, and we open what it encrypts.

It knows neither parts outside the document nor HKDF: parts are put into the document for it, and for key agreement
it gets the agreed key that the cryptography library computes from the same elements.
"""

import copy
from base64 import b64decode, b64encode
from dataclasses import replace

import pytest
import xmlsec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_public_key,
)
from lxml import etree
from tests.helpers import as4_oracle
from tests.helpers.as4_encryption import PAYLOADS, encrypted_message, held
from tests.helpers.as4_messages import unpacked, verified

from eessi_sim.as4 import layer, msh
from eessi_sim.as4.decryption import Decryption

pytestmark = pytest.mark.oracle

XENC = "{http://www.w3.org/2001/04/xmlenc#}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
DSIG11 = "{http://www.w3.org/2009/xmldsig11#}"
MORE = "{http://www.w3.org/2021/04/xmldsig-more#}"


def _rsa() -> xmlsec.Key:
    pem = held("rsa").private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)


def _agreed_key(envelope: etree._Element, kind: str) -> xmlsec.Key:
    """Return the key-encrypting key, computed from the elements of the message by the cryptography library."""

    def octets(path: str) -> bytes:
        return b64decode(envelope.findtext(path) or "")

    mine = held(kind).private_key
    if isinstance(mine, x25519.X25519PrivateKey):
        theirs = load_der_public_key(octets(f".//{XENC}OriginatorKeyInfo/{DSIG11}DEREncodedKeyValue"))
        assert isinstance(theirs, x25519.X25519PublicKey)
        secret = mine.exchange(theirs)
    else:
        assert isinstance(mine, ec.EllipticCurvePrivateKey)
        point = octets(f".//{XENC}OriginatorKeyInfo/{DS}KeyValue/{DSIG11}ECKeyValue/{DSIG11}PublicKey")
        secret = mine.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(mine.curve, point))
    derivation = HKDF(hashes.SHA256(), 16, octets(f".//{MORE}Salt"), octets(f".//{MORE}Info"))
    return xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataAes, derivation.derive(secret))


def _opened(packed: msh.Packed, kind: str) -> dict[str, bytes]:
    """Return each part as xmlsec decrypts it."""
    parts = as4_oracle.mime_parts(msh.to_file(packed))
    envelope = as4_oracle.envelope_of(parts)
    manager = xmlsec.KeysManager()
    manager.add_key(_rsa() if kind == "rsa" else _agreed_key(envelope, kind))
    found = {}
    for data in envelope.iter(XENC + "EncryptedData"):
        reference = data.find(f".//{XENC}CipherReference")
        assert reference is not None
        content_id = str(reference.get("URI")).removeprefix("cid:")
        document = _inline(data, envelope, as4_oracle.octets_of(parts[content_id]))
        octets: object = xmlsec.EncryptionContext(manager).decrypt(document)
        assert isinstance(octets, bytes), "xmlsec returns octets for data without a Type"
        found[content_id] = octets
    return found


def _inline(data: etree._Element, envelope: etree._Element, octets: bytes) -> etree._Element:
    """Return the EncryptedData with the part and the key inside, as xmlsec wants it."""
    document, key = copy.deepcopy(data), copy.deepcopy(envelope.find(f".//{XENC}EncryptedKey"))
    assert key is not None
    del document.attrib["Type"]
    cipher, info, key_info = (
        document.find(XENC + "CipherData"),
        document.find(DS + "KeyInfo"),
        key.find(DS + "KeyInfo"),
    )
    assert cipher is not None
    assert info is not None
    assert key_info is not None
    for element in (cipher, info, key_info):
        element.clear()
    etree.SubElement(cipher, XENC + "CipherValue").text = b64encode(octets).decode()
    info.append(key)
    return document


@pytest.mark.parametrize("kind", ["rsa", "p-256", "x25519"])
def test_xmlsec_opens_our_parts(kind: str) -> None:
    """Content key, IV and tag are where xmlsec looks for them, for transport and for key wrap."""
    assert _opened(encrypted_message(kind), kind) == {part.content_id: part.content for part in PAYLOADS}


def test_we_open_what_xmlsec_encrypts() -> None:
    """A part and its key as xmlsec encrypts them decrypt to the part that was signed."""
    packed = encrypted_message(payloads=PAYLOADS[:1])
    envelope = as4_oracle.envelope_of(as4_oracle.mime_parts(msh.to_file(packed)))
    ours = envelope.find(f".//{XENC}EncryptedData")
    assert ours is not None
    document = _inline(ours, envelope, b"")
    for value in document.iter(XENC + "CipherValue"):
        value.text = None
    manager = xmlsec.KeysManager()
    manager.add_key(_rsa())
    context = xmlsec.EncryptionContext(manager)
    context.key = xmlsec.Key.generate(xmlsec.constants.KeyDataAes, 128, xmlsec.constants.KeyDataTypeSession)
    made = context.encrypt_binary(document, PAYLOADS[0].content)
    values = [b64decode("".join((value.text or "").split())) for value in made.iter(XENC + "CipherValue")]
    wrapped = envelope.findtext(f".//{XENC}EncryptedKey//{XENC}CipherValue") or ""
    body = packed.body.replace(wrapped.encode(), b64encode(values[0]))
    body = body.replace(unpacked(packed).parts[0].content, values[1])
    message = layer.decrypt(unpacked(replace(packed, body=body)), Decryption((held("rsa"),)))
    assert message.parts == PAYLOADS[:1]
    assert len(verified(message).references) == 3
