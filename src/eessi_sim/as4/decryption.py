"""Decrypts the parts of a received message, and takes the encryption off the message as a whole.

All failures to decrypt are EBMS:0102 with the same words (Bleichenbacher, Manger); algorithms are judged before
anything is computed. After decryption the message is what its sender signed: verify it then, forward it so.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption_reader import (
    ReadData,
    ReadKey,
    Transported,
    key_of,
    noncompliant,
    read_encryption,
)
from eessi_sim.as4.model import Payload
from eessi_sim.as4.security_tokens import find_certificates
from eessi_sim.as4.soap import TOKEN
from eessi_sim.errors import DecryptionError
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import EncryptionPolicy
from eessi_sim.security.keys import HeldKey
from eessi_sim.xmlsafe import Element, namespace

_WSU_ID: Final = f"{{{vocabulary.WSU}}}Id"
_REFERENCE: Final = f"{{{vocabulary.WSSE}}}Reference"
_SIGNED: Final = f"{{{vocabulary.DS}}}Reference"


@dataclass(frozen=True, slots=True)
class Decryption:
    """What a receiver decrypts with, and what it accepts."""

    keys: Collection[HeldKey]
    policy: EncryptionPolicy = ciphers.ACCEPT
    is_required: bool = False
    """Whether a message whose parts are readable is refused."""


def decrypt(security: Element, payloads: Sequence[Payload], how: Decryption) -> tuple[Payload, ...]:
    """Return the parts as they were before encryption, with their own media types.

    Args:
        security: the Security header, with encryption elements.
        payloads: all parts, as received.
        how: with which keys, and what is accepted.

    Raises:
        EbmsFault: 0102 when it cannot be decrypted, 0103 when it is not of the kind we accept, 0009 when there
            is too much of it.
    """
    keys, data = read_encryption(security, how.policy, len(payloads))
    by_part = {block.content_id: block for block in data}
    if set(by_part) != {payload.content_id for payload in payloads}:
        raise noncompliant("Expected all parts to be encrypted once each, and nothing else")
    used = {data_id: key_of(block, keys) for data_id, block in by_part.items()}
    try:
        opened = {key: _content_key(key, security, how) for key in set(used.values())}
        return tuple(
            _opened(payload, by_part[payload.content_id], opened[used[payload.content_id]])
            for payload in payloads
        )
    except DecryptionError as error:
        raise EbmsFault(EbmsErrorCode.FAILED_DECRYPTION, error.message, hint=error.hint) from error


def _opened(payload: Payload, data: ReadData, key: bytes) -> Payload:
    content = ciphers.decrypt_content(payload.content, key, data.cipher)
    return replace(payload, octets=content, content_type=data.media_type or payload.content_type)


def _content_key(key: ReadKey | None, security: Element, how: Decryption) -> bytes:
    if key is None:
        raise ciphers.undecryptable()
    held = _held(key, security, how.keys)
    if isinstance(key.wrapped, Transported):
        return key.wrapped.oaep.unwrap(key.wrapped.wrapped, held, ciphers.CONTENT_KEY_BYTES)
    return key.wrapped.unwrap(held)


def _held(key: ReadKey, security: Element, held: Collection[HeldKey]) -> HeldKey:
    """Return the key of ours that the EncryptedKey is for."""
    if key.recipient is None:
        raise noncompliant("Expected an EncryptedKey that names the certificate it is for, found none")
    try:
        named = find_certificates(key.recipient, security, [each.certificate for each in held])
    except EbmsFault as fault:
        if fault.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE:
            raise
        raise ciphers.undecryptable() from fault
    found = next((each for each in held if each.certificate in named), None)
    if found is None:
        raise ciphers.undecryptable()
    return found


def strip(security: Element) -> None:
    """Remove the encryption elements from a Security header, and the tokens that only they use."""
    for child in [child for child in security if namespace(child) == vocabulary.XENC]:
        security.remove(child)
    used = {each.get("URI", "") for tag in (_REFERENCE, _SIGNED) for each in security.iter(tag)}
    for token in security.findall(TOKEN):
        if f"#{token.get(_WSU_ID)}" not in used:
            security.remove(token)
