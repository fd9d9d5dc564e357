"""Other people's tools agree with our messages: signature, digests, MIME frame; and refuse them after one changed byte.

xmlsec verifies whole signatures where all references are in the envelope. It does not know the transform of attachments,
so there each step is repeated with a tool of its own: MIME by Python's ``email``, canonical form by ``xml.etree``, digest by
``hashlib``, signature value by xmlsec.
"""

import base64
import email
import email.policy
import hashlib
from email.message import MIMEPart
from xml.etree import ElementTree as ET

import pytest
import xmlsec
from lxml import etree
from tests.helpers.as4_messages import (
    SED,
    SENDER,
    attachment,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unpacked,
)

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import KeyAlgorithm

pytestmark = pytest.mark.oracle

NAMESPACES = {
    "S12": vocabulary.S12,
    "eb": vocabulary.EB,
    "ds": vocabulary.DS,
    "wsse": vocabulary.WSSE,
    "wsu": vocabulary.WSU,
}
VALUE_TRANSFORMS = {
    KeyAlgorithm.RSA_2048: xmlsec.constants.TransformRsaSha256,
    KeyAlgorithm.P_256: xmlsec.constants.TransformEcdsaSha256,
}
PAYLOADS = (
    sed_payload(),
    attachment(),
    msh.plain_payload("plain@pl.example", b"<a  b='1'><!-- c -->" + SED + b"</a>", "application/xml", "SED"),
)


def _signals(keys: KeyPair) -> dict[str, msh.Packed]:
    """Return one message of each kind whose references are all in the envelope."""
    received = unpacked(packed_message(keys=keys))
    error = EbmsErrorCode.OTHER.error("Ærlig talt < & >", detail="one\r\ntwo")
    return {
        "user": packed_message([], keys=keys),
        "receipt": msh.pack_receipt(received, keys, stamp=stamp()),
        "error": msh.pack_error([error], keys, about=received, stamp=stamp()),
        "fault": msh.pack_error([error], keys, about=None, stamp=stamp(), fault="a < b"),
        "pull": msh.pack_pull_request(vocabulary.DEFAULT_MPC + "/NO", keys, stamp=stamp()),
    }


def _key_of(envelope: etree._Element) -> xmlsec.Key:
    token = envelope.findtext(".//wsse:BinarySecurityToken", namespaces=NAMESPACES)
    return xmlsec.Key.from_memory(base64.b64decode(token or ""), xmlsec.constants.KeyDataFormatCertDer)


def _xmlsec_accepts(body: bytes) -> bool:
    envelope = etree.fromstring(body)
    xmlsec.tree.add_ids(envelope, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = _key_of(envelope)
    signature = envelope.find(".//ds:Signature", NAMESPACES)
    assert signature is not None
    try:
        context.verify(signature)
    except xmlsec.VerificationError:
        return False
    return True


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("kind", ["user", "receipt", "error", "fault", "pull"])
def test_xmlsec_accepts_our_signature(kind: str, algorithm: KeyAlgorithm) -> None:
    """xmlsec finds both digests and the value of our signature right."""
    assert _xmlsec_accepts(_signals(keys_of(SENDER.id, algorithm))[kind].body)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("kind", ["user", "receipt", "error", "pull"])
def test_xmlsec_refuses_our_message_after_one_changed_letter(kind: str, algorithm: KeyAlgorithm) -> None:
    """xmlsec looks at the same Messaging as we do."""
    body = _signals(keys_of(SENDER.id, algorithm))[kind].body
    changed = body.replace(b":15:01.000Z", b":15:02.000Z")
    assert changed != body
    assert not _xmlsec_accepts(changed)


def _mime_parts(packed: msh.Packed) -> dict[str, MIMEPart]:
    """Read the frame with Python's own MIME reader."""
    data = f"Content-Type: {packed.content_type}\r\n\r\n".encode() + packed.body
    message = email.message_from_bytes(data, policy=email.policy.HTTP)
    return {str(part["Content-ID"]).strip("<>"): part for part in message.iter_parts()}


def _octets(part: MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def _canonical(element: etree._Element) -> bytes:
    """Canonical form by another implementation; for our documents C14N 2.0 equals exclusive canonical form."""
    return ET.canonicalize(etree.tostring(element, with_tail=False).decode()).encode()


def _envelope(parts: dict[str, MIMEPart]) -> etree._Element:
    return etree.fromstring(next(_octets(part) for name, part in parts.items() if name.startswith("root-")))


def _expected_digests(envelope: etree._Element) -> dict[str, bytes]:
    return {
        str(reference.get("URI")): base64.b64decode(
            reference.findtext("ds:DigestValue", namespaces=NAMESPACES) or ""
        )
        for reference in envelope.iterfind(".//ds:SignedInfo/ds:Reference", NAMESPACES)
    }


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_digests_of_a_message_with_attachments_are_right(algorithm: KeyAlgorithm) -> None:
    """Messaging, Body, compressed parts and an XML part have the digests that other tools compute."""
    packed = packed_message(PAYLOADS, keys=keys_of(SENDER.id, algorithm))
    parts = _mime_parts(packed)
    envelope = _envelope(parts)
    messaging = envelope.find("S12:Header/eb:Messaging", NAMESPACES)
    body = envelope.find("S12:Body", NAMESPACES)
    assert messaging is not None
    assert body is not None
    octets = {
        f"#{messaging.get(f'{{{vocabulary.WSU}}}Id')}": _canonical(messaging),
        f"#{body.get(f'{{{vocabulary.WSU}}}Id')}": _canonical(body),
        "cid:sed-1@pl.example": _octets(parts["sed-1@pl.example"]),
        "cid:att-1@pl.example": _octets(parts["att-1@pl.example"]),
        "cid:plain@pl.example": _canonical(etree.fromstring(_octets(parts["plain@pl.example"]))),
    }
    found = {uri: hashlib.sha256(data).digest() for uri, data in octets.items()}
    assert found == _expected_digests(envelope)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_signature_value_of_a_message_with_attachments_is_right(algorithm: KeyAlgorithm) -> None:
    """xmlsec accepts the signature value over the canonical SignedInfo, and refuses it over anything else."""
    packed = packed_message(PAYLOADS, keys=keys_of(SENDER.id, algorithm))
    envelope = _envelope(_mime_parts(packed))
    info = envelope.find(".//ds:SignedInfo", NAMESPACES)
    assert info is not None
    value = base64.b64decode(envelope.findtext(".//ds:SignatureValue", namespaces=NAMESPACES) or "")

    def verify(data: bytes) -> None:
        context = xmlsec.SignatureContext()
        context.key = _key_of(envelope)
        context.verify_binary(data, VALUE_TRANSFORMS[algorithm], value)

    verify(_canonical(info))
    with pytest.raises(xmlsec.Error):
        verify(_canonical(info) + b" ")


def test_python_reads_our_frame_like_we_do() -> None:
    """Another MIME reader finds the same parts, types and octets."""
    packed = packed_message(PAYLOADS)
    theirs = [
        (name, part.get_content_type(), _octets(part))
        for name, part in _mime_parts(packed).items()
        if not name.startswith("root-")
    ]
    ours = [(part.content_id, part.content_type, part.content) for part in unpacked(packed).parts]
    assert theirs == ours


def test_receipt_repeats_the_digests_that_others_computed() -> None:
    """The digests in a receipt are those of the SignedInfo it confirms, in the same order."""
    keys = keys_of(SENDER.id)
    packed = packed_message(PAYLOADS, keys=keys)
    receipt = etree.fromstring(msh.pack_receipt(unpacked(packed), keys, stamp=stamp()).body)
    copied = [
        (
            reference.get("URI"),
            base64.b64decode(reference.findtext("ds:DigestValue", namespaces=NAMESPACES) or ""),
        )
        for reference in receipt.iterfind(".//eb:Receipt//ds:Reference", NAMESPACES)
    ]
    assert copied == list(_expected_digests(_envelope(_mime_parts(packed))).items())
