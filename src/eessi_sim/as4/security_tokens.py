"""Which certificate a ``ds:KeyInfo`` of WS-Security means (WSS X.509 token profile 1.1 section 3).

Nothing is fetched, and whether the certificate is to be believed is decided in ``wss``.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography.x509 import ExtensionNotFound, SubjectKeyIdentifier

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.refusal import NONCOMPLIANT, UNAUTHENTIC, refusal
from eessi_sim.as4.soap import TOKEN
from eessi_sim.errors import KeyMaterialError, SignatureError
from eessi_sim.security.certificate_path import owner_of_path
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import Certificate
from eessi_sim.security.xmldsig import octets_in, octets_of
from eessi_sim.xmlsafe import Element, path_of, text_of

_WSSE: Final = f"{{{vocabulary.WSSE}}}"
_DS: Final = f"{{{vocabulary.DS}}}"
_WSU_ID: Final = f"{{{vocabulary.WSU}}}Id"
_READERS: Final[Mapping[str, Callable[[bytes], Certificate]]] = MappingProxyType(
    {vocabulary.X509_V3: Certificate.from_der, vocabulary.X509_PATH: owner_of_path}
)
_USUAL_TEXT: Final = 8192
"""Up to this length the text of a token is remembered with what it means."""


def find_certificates(
    key_info: Element, security: Element, candidates: Collection[Certificate]
) -> tuple[Certificate, ...]:
    """Return the certificates that ``key_info`` may mean.

    Args:
        key_info: of the signature.
        security: the Security header, which holds the token.
        candidates: certificates at hand, for a KeyInfo that only names one.

    Raises:
        EbmsFault: 0103 for a kind of KeyInfo that AS4 does not know, 0101 when no certificate is found.
    """
    reference = _only_child(_only_child(key_info, _WSSE + "SecurityTokenReference"))
    if reference.tag == _WSSE + "Reference":
        return (_token(reference, security),)
    if reference.tag == _DS + "X509Data":
        found = _by_serial(reference, candidates)
    elif reference.tag == _WSSE + "KeyIdentifier" and reference.get("ValueType") == vocabulary.X509_SKI:
        found = _by_key_identifier(reference, candidates)
    else:
        raise _policy(f"Expected a token, an issuer and serial, or a key identifier at {path_of(reference)}")
    if not found:
        raise _unknown(f"Expected a known certificate at {path_of(reference)}, found none that fits")
    return found


def _only_child(element: Element, tag: str | None = None) -> Element:
    if len(element) != 1 or tag not in (None, element[0].tag):
        raise _policy(
            f"Expected one SecurityTokenReference with one child at {path_of(element)}, found another thing"
        )
    return element[0]


def _token(reference: Element, security: Element) -> Certificate:
    uri = reference.get("URI", "")
    tokens = [token for token in security if token.tag == TOKEN and token.get(_WSU_ID) == uri[1:]]
    if len(tokens) != 1 or not uri.startswith("#"):
        raise _unknown(f"Expected a BinarySecurityToken {uri[:80]!r} in the Security header, found none")
    token = tokens[0]
    kind = token.get("ValueType", vocabulary.X509_V3)
    read = _READERS.get(kind)
    is_base64 = token.get("EncodingType", "") in ("", vocabulary.BASE64_BINARY)
    if read is None or reference.get("ValueType", kind) != kind or not is_base64:
        raise _policy(f"Expected one X.509 certificate in base64 at {path_of(token)}, found another token")
    try:
        return _certificate_of(kind, token) or read(octets_of(token))
    except (SignatureError, KeyMaterialError) as error:
        raise (_unknown if kind == vocabulary.X509_V3 else _policy)(error.message) from error


def _certificate_of(kind: str, token: Element) -> Certificate | None:
    """Return the certificate of a token of usual size, None for any other token."""
    text = token.text or ""
    return None if len(token) or len(text) > _USUAL_TEXT else _read(kind, text)


@lru_cache(maxsize=256)  # a party sends the same one with every message
def _read(kind: str, text: str) -> Certificate | None:
    octets = octets_in("".join(text.split()))
    return _READERS[kind](octets) if octets else None


def _by_serial(data: Element, candidates: Collection[Certificate]) -> tuple[Certificate, ...]:
    """Find by serial number alone: products spell the issuer's name in too many ways, and the key decides."""
    serial = text_of(data.find(f"{_DS}X509IssuerSerial/{_DS}X509SerialNumber"))
    return tuple(found for found in candidates if str(found.serial) == serial)


def _by_key_identifier(identifier: Element, candidates: Collection[Certificate]) -> tuple[Certificate, ...]:
    try:
        wanted = octets_of(identifier)
    except SignatureError as error:
        raise _unknown(error.message) from error
    return tuple(found for found in candidates if _key_identifier(found) == wanted)


def _key_identifier(certificate: Certificate) -> bytes | None:
    try:
        extension = certificate.decoded.extensions.get_extension_for_class(SubjectKeyIdentifier)
    except ExtensionNotFound:
        return None
    return extension.value.digest


def _policy(message: str) -> EbmsFault:
    return refusal(
        NONCOMPLIANT,
        SubIndication.FORMAT_FAILURE,
        message,
        "Put the certificate into a BinarySecurityToken and refer to it.",
    )


def _unknown(message: str) -> EbmsFault:
    return refusal(UNAUTHENTIC, SubIndication.NO_SIGNING_CERTIFICATE_FOUND, message)
