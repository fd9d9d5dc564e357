"""Encrypts the parts of a message for one receiver: eDelivery AS4 1.15 (RSA-OAEP) and 2.0 (key agreement).

All parts and nothing else are encrypted, after compression and signature, with one content key for the whole
message (eDelivery AS4 1.15 and 2.0, WSS SwA profile 1.1 section 5.5; documented). The kind of key in the
receiver's certificate decides how the content key travels. Decrypting is the work of ``decryption``.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.key_references import KeyReference, WrittenReference, write_reference
from eessi_sim.as4.mime import href
from eessi_sim.as4.model import Payload
from eessi_sim.as4.originator_keys import write_originator_key
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import Agreed, ContentCipher, Derivation, KeyCipher, Oaep
from eessi_sim.security.keys import Certificate
from eessi_sim.xmlsafe import escape_attribute

ENCRYPTED_TYPE: Final = "application/octet-stream"
"""Media type of an encrypted part (WSS SwA profile 1.1 section 5.5.2)."""
_NAMESPACES: Final = f' xmlns:ds="{vocabulary.DS}" xmlns:xenc="{vocabulary.XENC}"'
_CONTEXT: Final = b"eessi-sim AS4 2.0 "
"""Begin of the HKDF info, the id of the message follows; any octets are allowed there (our choice)."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """For whom to encrypt, and how."""

    recipient: Certificate
    """RSA keys get the content key by RSA-OAEP; X25519 and P-256 keys by agreement, HKDF and key wrap."""
    reference: KeyReference = KeyReference.TOKEN
    """How the message names the recipient's certificate."""
    cipher: ContentCipher = ContentCipher.AES128_GCM
    oaep: Oaep = field(default_factory=Oaep)


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Encrypted parts, and the elements that belong at the start of the Security header."""

    blocks: str
    """EncryptedKey with its token, and an EncryptedData per part; the prefix ``wsse`` is declared."""
    payloads: tuple[Payload, ...]


def encrypt(payloads: Sequence[Payload], how: Encryption, token: str) -> Encrypted:
    """Encrypt all parts of a message.

    Args:
        payloads: the parts as they were signed; none gives none, and no elements.
        how: for whom and how.
        token: text that occurs nowhere else; ids are made of it.

    Raises:
        EncryptionError: the recipient's key is of a kind that nobody can encrypt for.
        KeyMaterialError: the certificate cannot be named in the wanted way.
    """
    if not payloads:
        return Encrypted("", ())
    key = ciphers.new_content_key(how.cipher)
    reference = write_reference(how.recipient, how.reference, f"enc-cert-{token}")
    numbered = tuple(enumerate(payloads, 1))
    targets = "".join(f'<xenc:DataReference URI="#ed-{number}-{token}"/>' for number, _ in numbered)
    blocks = [
        reference.token,
        f'<xenc:EncryptedKey{_NAMESPACES} Id="ek-{token}">',
        _wrapped_key(key, how, reference, token),
        f"<xenc:ReferenceList>{targets}</xenc:ReferenceList></xenc:EncryptedKey>",
        *(_data(payload, how.cipher, f"ed-{number}-{token}", f"ek-{token}") for number, payload in numbered),
    ]
    encrypted = tuple(
        replace(
            payload,
            octets=ciphers.encrypt_content(payload.content, key),
            content_type=ENCRYPTED_TYPE,
        )
        for payload in payloads
    )
    return Encrypted("".join(blocks), encrypted)


def _wrapped_key(key: bytes, how: Encryption, reference: WrittenReference, token: str) -> str:
    if how.recipient.is_rsa:
        return (
            f'<xenc:EncryptionMethod Algorithm="{KeyCipher.RSA_OAEP}">'
            f'<ds:DigestMethod Algorithm="{how.oaep.digest}"/>'
            f'<xenc11:MGF xmlns:xenc11="{vocabulary.XENC11}" Algorithm="{how.oaep.mask}"/>'
            f"</xenc:EncryptionMethod><ds:KeyInfo>{reference.content}</ds:KeyInfo>"
            f"{_cipher_value(how.oaep.wrap(key, how.recipient))}"
        )
    agreed = Agreed.wrap(key, how.recipient, Derivation.new(_CONTEXT + token.encode()))
    return (
        f'<xenc:EncryptionMethod Algorithm="{KeyCipher.KW_AES128}"/>'
        f"<ds:KeyInfo>{_agreement(agreed, reference)}</ds:KeyInfo>{_cipher_value(agreed.wrapped)}"
    )


def _agreement(agreed: Agreed, reference: WrittenReference) -> str:
    derivation = agreed.derivation
    return (
        f'<xenc:AgreementMethod Algorithm="{agreed.agreement}">'
        f'<xenc11:KeyDerivationMethod xmlns:xenc11="{vocabulary.XENC11}" Algorithm="{ciphers.HKDF_URI}">'
        f'<dsigmore:HKDFParams xmlns:dsigmore="{vocabulary.DSIG_MORE}">'
        f'<dsigmore:PRF Algorithm="{ciphers.HMAC_SHA256}"/>'
        f"<dsigmore:Salt>{b64encode(derivation.salt).decode()}</dsigmore:Salt>"
        f"<dsigmore:Info>{b64encode(derivation.info).decode()}</dsigmore:Info>"
        f"<dsigmore:KeyLength>{ciphers.CONTENT_KEY_BYTES}</dsigmore:KeyLength>"
        "</dsigmore:HKDFParams></xenc11:KeyDerivationMethod>"
        f"{write_originator_key(agreed.originator)}"
        f"<xenc:RecipientKeyInfo>{reference.content}</xenc:RecipientKeyInfo>"
        "</xenc:AgreementMethod>"
    )


def _data(payload: Payload, cipher: ContentCipher, data_id: str, key_id: str) -> str:
    return (
        f'<xenc:EncryptedData{_NAMESPACES} Id="{data_id}" MimeType="{escape_attribute(payload.content_type)}"'
        f' Type="{vocabulary.SWA_CONTENT_ONLY}">'
        f'<xenc:EncryptionMethod Algorithm="{cipher}"/>'
        f'<ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse11="{vocabulary.WSSE11}"'
        f' wsse11:TokenType="{vocabulary.ENCRYPTED_KEY}"><wsse:Reference URI="#{key_id}"/>'
        "</wsse:SecurityTokenReference></ds:KeyInfo>"
        f'<xenc:CipherData><xenc:CipherReference URI="{escape_attribute(href(payload.content_id))}">'
        f'<xenc:Transforms><ds:Transform Algorithm="{vocabulary.SWA_CIPHERTEXT}"/></xenc:Transforms>'
        "</xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>"
    )


def _cipher_value(octets: bytes) -> str:
    return f"<xenc:CipherData><xenc:CipherValue>{b64encode(octets).decode()}</xenc:CipherValue></xenc:CipherData>"
