"""Puts encryption on a whole message and takes it off again: an access point's way to the next (EESSI, observed).

Messaging, signature and digests stay what their sender made; the Security header gains elements at its start and
loses them again, and the parts change.
"""

import copy
import hashlib
from dataclasses import replace

from eessi_sim.as4 import decryption, encryption, mime, soap_writer, vocabulary
from eessi_sim.as4.decryption import Decryption
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.encryption_reader import is_encrypted, noncompliant
from eessi_sim.as4.model import Payload
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.soap import read_envelope
from eessi_sim.xmlsafe import Element, parse, serialize


def encrypt(message: Unpacked, how: Encryption, token: str) -> Packed:
    """Encrypt a message that somebody else signed, for the next node.

    Args:
        message: as received; nothing of it may be encrypted yet.
        how: for whom and how.
        token: 32 hexadecimal digits that occur nowhere else.

    Returns:
        The message to send on; its digests are left to its sender.

    Raises:
        EbmsFault: 0103 when it is encrypted already.
        EncryptionError, KeyMaterialError: as ``encryption.encrypt``.
    """
    if is_encrypted(message.envelope.security):
        raise noncompliant("Expected a message that is not encrypted yet, found encryption")
    result = encryption.encrypt(message.parts, how, token)
    envelope, security = _copy_of(message)
    for position, block in enumerate(list(_security_of(result.blocks))):
        security.insert(position, block)
    content_type, body = _framed(envelope, result.payloads, token, message)
    return Packed(message.message_id, content_type, body)


def decrypt(message: Unpacked, how: Decryption) -> Unpacked:
    """Return a message as it was before encryption; one that is not encrypted is returned as it is.

    Args:
        message: as received, not verified yet.
        how: with which keys, and what is accepted.

    Raises:
        EbmsFault: 0102 or 0103 or 0009 about this message, as ``decryption.decrypt``; 0103 as well when its
            parts are readable and must not be.
    """
    security = message.envelope.security
    try:
        if security is None or not is_encrypted(security):
            if how.is_required and message.parts:
                raise noncompliant("Expected encrypted parts, found readable ones")
            return message
        parts = decryption.decrypt(security, message.parts, how)
        return _bare(message, parts)
    except EbmsFault as fault:
        fault.about(message.message_id)
        raise


def _bare(message: Unpacked, parts: tuple[Payload, ...]) -> Unpacked:
    envelope, security = _copy_of(message)
    decryption.strip(security)
    if not len(security):
        envelope[0].remove(security)
    token = hashlib.sha256(message.body).hexdigest()[:32]
    content_type, body = _framed(envelope, parts, token, message)
    return replace(
        message,
        parts=parts,
        envelope=read_envelope(serialize(envelope, declaration=False)),
        content_type=content_type,
        octets=body,
    )


def _copy_of(message: Unpacked) -> tuple[Element, Element]:
    """Return a copy of the envelope, and the Security header in it, an empty new one when there is none."""
    header, security = message.envelope.header, message.envelope.security
    root = header.getparent()
    assert root is not None, "a header stands in an envelope"
    envelope = copy.deepcopy(root)
    if security is not None:
        return envelope, envelope[0][header.index(security)]
    new = _security_of("")
    envelope[0].insert(0, new)
    return envelope, new


def _security_of(content: str) -> Element:
    text = f'<S12:Header xmlns:S12="{vocabulary.S12}">{soap_writer.write_security(content)}</S12:Header>'
    return parse(text.encode())[0]


def _framed(
    envelope: Element, payloads: tuple[Payload, ...], token: str, message: Unpacked
) -> tuple[str, bytes]:
    root_id = f"root-{token}@{message.message_id.partition('@')[2]}"
    return mime.write(f"=-{token}", root_id, serialize(envelope, declaration=False), payloads)
