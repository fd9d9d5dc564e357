"""Checks AS4 messages with other people's code only: Python's MIME reader and C14N, hashlib, python-xmlsec.

Nothing of the project is used here; so this judges what the project writes.
"""

import base64
import email
import email.policy
import hashlib
from email.message import MIMEPart
from xml.etree import ElementTree as ET

import xmlsec
from lxml import etree

NAMESPACES = {
    "S12": "http://www.w3.org/2003/05/soap-envelope",
    "eb": "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
}
_WSU_ID = "{" + NAMESPACES["wsu"] + "}Id"
_VALUES = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": xmlsec.constants.TransformRsaSha256,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": xmlsec.constants.TransformEcdsaSha256,
}


def mime_parts(data: bytes) -> dict[str, MIMEPart]:
    """Return the parts of a stored message by Content-ID; ``data`` begins with its Content-Type header."""
    message = email.message_from_bytes(data, policy=email.policy.HTTP)
    return {str(part["Content-ID"]).strip("<>"): part for part in message.iter_parts()}


def octets_of(part: MIMEPart) -> bytes:
    """Return the content of a part."""
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def canonical(element: etree._Element) -> bytes:
    """Canonical form by another implementation; for our documents C14N 2.0 equals exclusive canonical form."""
    return ET.canonicalize(etree.tostring(element, with_tail=False).decode()).encode()


def envelope_of(parts: dict[str, MIMEPart]) -> etree._Element:
    """Return the SOAP envelope, the first part."""
    return etree.fromstring(octets_of(next(iter(parts.values()))))


def signed_digests(envelope: etree._Element) -> dict[str, bytes]:
    """Return the digests that the signature covers, by URI."""
    return {
        str(reference.get("URI")): base64.b64decode(
            reference.findtext("ds:DigestValue", namespaces=NAMESPACES) or ""
        )
        for reference in envelope.iterfind(".//ds:SignedInfo/ds:Reference", NAMESPACES)
    }


def computed_digests(parts: dict[str, MIMEPart]) -> dict[str, bytes]:
    """Return what Messaging, Body and every further part hash to: XML by its canonical form, the rest by octets."""
    envelope = envelope_of(parts)
    octets = {}
    for place in ("S12:Header/eb:Messaging", "S12:Body"):
        element = envelope.find(place, NAMESPACES)
        assert element is not None
        octets[f"#{element.get(_WSU_ID)}"] = canonical(element)
    for name, part in list(parts.items())[1:]:
        is_xml = part.get_content_type() in ("application/xml", "text/xml")
        content = octets_of(part)
        octets[f"cid:{name}"] = canonical(etree.fromstring(content)) if is_xml else content
    return {uri: hashlib.sha256(data).digest() for uri, data in octets.items()}


def accepts_value(envelope: etree._Element, *, added: bytes = b"") -> bool:
    """Return whether xmlsec accepts the signature value over the canonical SignedInfo, with ``added`` behind it."""
    info = envelope.find(".//ds:SignedInfo", NAMESPACES)
    method = envelope.find(".//ds:SignatureMethod", NAMESPACES)
    assert info is not None
    assert method is not None
    context = xmlsec.SignatureContext()
    context.key = _key_of(envelope)
    value = base64.b64decode(envelope.findtext(".//ds:SignatureValue", namespaces=NAMESPACES) or "")
    try:
        context.verify_binary(canonical(info) + added, _VALUES[str(method.get("Algorithm"))], value)
    except xmlsec.Error:
        return False
    return True


def accepts_message(data: bytes) -> bool:
    """Return whether a stored multipart message is signed as a whole: all digests, and the value over them."""
    parts = mime_parts(data)
    envelope = envelope_of(parts)
    return computed_digests(parts) == signed_digests(envelope) and accepts_value(envelope)


def accepts_envelope(body: bytes) -> bool:
    """Return whether xmlsec verifies the whole signature of a message without attachments."""
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


def _key_of(envelope: etree._Element) -> xmlsec.Key:
    token = envelope.findtext(".//wsse:BinarySecurityToken", namespaces=NAMESPACES)
    return xmlsec.Key.from_memory(base64.b64decode(token or ""), xmlsec.constants.KeyDataFormatCertDer)
