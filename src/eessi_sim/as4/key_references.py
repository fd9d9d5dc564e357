"""Writes how a message names a certificate: by the certificate itself, issuer and serial, or key identifier.

The three ways of the WSS X.509 token profile 1.1 section 3.2 that AS4 products understand (observed). Reading
them is the work of ``security_tokens``.
"""

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum

from eessi_sim.as4 import vocabulary
from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.keys import Certificate
from eessi_sim.xmlsafe import escape_text


class KeyReference(StrEnum):
    """How a message names a certificate."""

    TOKEN = "token"  # noqa: S105 - a kind, no secret
    """BinarySecurityToken: the message brings the certificate along; EESSI's way (observed)."""
    ISSUER_SERIAL = "issuer-serial"
    """The receiver must have the certificate, and finds it by its issuer and serial number."""
    KEY_IDENTIFIER = "key-identifier"
    """The receiver must have the certificate, and finds it by its subjectKeyIdentifier."""


@dataclass(frozen=True, slots=True)
class WrittenReference:
    """A reference as text: in exclusive canonical form where the prefixes ``wsse`` and ``ds`` are declared."""

    token: str
    """The BinarySecurityToken to put into the Security header, empty when the reference needs none."""
    content: str
    """``wsse:SecurityTokenReference``, the content of a KeyInfo."""


def write_reference(certificate: Certificate, kind: KeyReference, token_id: str) -> WrittenReference:
    """Write a reference to ``certificate``.

    Args:
        certificate: of the signer, or of the receiver who shall decrypt.
        kind: how to name it.
        token_id: id of the token, where one is needed.

    Raises:
        KeyMaterialError: the certificate has no subjectKeyIdentifier and shall be named by it.
    """
    token = ""
    if kind is KeyReference.TOKEN:
        token = (
            f'<wsse:BinarySecurityToken xmlns:wsu="{vocabulary.WSU}" EncodingType="{vocabulary.BASE64_BINARY}"'
            f' ValueType="{vocabulary.X509_V3}" wsu:Id="{token_id}">'
            f"{b64encode(certificate.der).decode()}</wsse:BinarySecurityToken>"
        )
        named = f'<wsse:Reference URI="#{token_id}" ValueType="{vocabulary.X509_V3}"/>'
    elif kind is KeyReference.ISSUER_SERIAL:
        named = (
            f"<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>{escape_text(certificate.issuer)}"
            f"</ds:X509IssuerName><ds:X509SerialNumber>{certificate.serial}</ds:X509SerialNumber>"
            "</ds:X509IssuerSerial></ds:X509Data>"
        )
    else:
        named = (
            f'<wsse:KeyIdentifier EncodingType="{vocabulary.BASE64_BINARY}" ValueType="{vocabulary.X509_SKI}">'
            f"{b64encode(_key_identifier(certificate)).decode()}</wsse:KeyIdentifier>"
        )
    return WrittenReference(token, f"<wsse:SecurityTokenReference>{named}</wsse:SecurityTokenReference>")


def _key_identifier(certificate: Certificate) -> bytes:
    identifier = certificate.key_identifier
    if identifier is None:
        raise KeyMaterialError(
            f'Expected a subjectKeyIdentifier in the certificate of "{certificate.subject}", found none',
            hint="Name the certificate by token, or by issuer and serial number.",
        )
    return identifier
