"""Reads the encryption elements of a Security header: structure and algorithms, before anything is computed.

Only parts may be encrypted, each named by one EncryptedData with the transform of the SwA profile (WSS SwA
profile 1.1 section 5.5, XML Encryption 1.1; documented). Decrypting is the work of ``decryption``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.mime import content_id_of
from eessi_sim.as4.originator_keys import read_originator_key
from eessi_sim.errors import EncryptionError, SignatureError
from eessi_sim.security import ciphers
from eessi_sim.security.ciphers import (
    Agreed,
    ContentCipher,
    Derivation,
    EncryptionPolicy,
    KeyCipher,
    MaskHash,
    Oaep,
)
from eessi_sim.security.xmldsig import octets_of
from eessi_sim.xmlsafe import Element, namespace, path_of, text_of

_XENC: Final = f"{{{vocabulary.XENC}}}"
_XENC11: Final = f"{{{vocabulary.XENC11}}}"
_DS: Final = f"{{{vocabulary.DS}}}"
_MORE: Final = f"{{{vocabulary.DSIG_MORE}}}"
_WSSE: Final = f"{{{vocabulary.WSSE}}}"
ENCRYPTED_KEY: Final = _XENC + "EncryptedKey"
ENCRYPTED_DATA: Final = _XENC + "EncryptedData"
_METHOD: Final = _XENC + "EncryptionMethod"
_KEY_INFO: Final = _DS + "KeyInfo"


@dataclass(frozen=True, slots=True)
class Transported:
    """A content key under RSA-OAEP."""

    oaep: Oaep
    wrapped: bytes


WrappedKey: TypeAlias = Transported | Agreed


@dataclass(frozen=True, slots=True)
class ReadKey:
    """One EncryptedKey."""

    id: str | None
    wrapped: WrappedKey
    recipient: Element | None
    """The element whose SecurityTokenReference names the certificate; None when nobody is named."""
    targets: frozenset[str]
    """Ids of the EncryptedData that use the key."""


@dataclass(frozen=True, slots=True)
class ReadData:
    """One EncryptedData over one part."""

    id: str | None
    content_id: str
    media_type: str | None
    """Type of the part before encryption."""
    cipher: ContentCipher
    key_id: str | None
    """Id of the EncryptedKey that it names itself."""


def is_encrypted(security: Element | None) -> bool:
    """Return whether a Security header says that something is encrypted."""
    return security is not None and any(namespace(child) == vocabulary.XENC for child in security)


def read_encryption(
    security: Element, policy: EncryptionPolicy, parts: int
) -> tuple[tuple[ReadKey, ...], tuple[ReadData, ...]]:
    """Read all encryption elements of a Security header.

    Args:
        security: the header.
        policy: algorithms and limits.
        parts: how many parts the message has.

    Raises:
        EbmsFault: 0009 when there is too much of it, 0103 when it is not what AS4 and the policy allow.
    """
    blocks = [child for child in security if namespace(child) == vocabulary.XENC]
    keys = [block for block in blocks if block.tag == ENCRYPTED_KEY]
    data = [block for block in blocks if block.tag == ENCRYPTED_DATA]
    if len(keys) > policy.max_keys or len(data) > parts:
        raise EbmsFault(
            EbmsErrorCode.INVALID_HEADER,
            f"Expected at most {policy.max_keys} EncryptedKey and an EncryptedData per part, "
            f"found {len(keys)} and {len(data)}",
        )
    if len(keys) + len(data) < len(blocks):
        raise noncompliant("Expected only EncryptedKey and EncryptedData, found another encryption element")
    try:
        return tuple(_key(key, policy) for key in keys), tuple(_data(block, policy) for block in data)
    except (EncryptionError, SignatureError) as error:
        raise noncompliant(error.message, error.hint) from error


def noncompliant(message: str, hint: str | None = None) -> EbmsFault:
    """Return the fault for encryption that is not of the kind that we accept."""
    return EbmsFault(
        EbmsErrorCode.POLICY_NONCOMPLIANCE,
        message,
        hint=hint or "Encrypt each part by itself, as eDelivery AS4 describes it.",
    )


# Data


def _data(element: Element, policy: EncryptionPolicy) -> ReadData:
    reference = element.find(f"{_XENC}CipherData/{_XENC}CipherReference")
    if element.get("Type") != vocabulary.SWA_CONTENT_ONLY or reference is None:
        raise noncompliant(
            f"Expected an encrypted part at {path_of(element)}, found something else encrypted"
        )
    steps = [step.get("Algorithm") for step in reference.iterfind(f"{_XENC}Transforms/{_DS}Transform")]
    uri = reference.get("URI", "")
    if steps != [vocabulary.SWA_CIPHERTEXT] or not uri.startswith("cid:"):
        raise noncompliant(f"Expected one part with the ciphertext transform at {path_of(reference)}")
    return ReadData(
        element.get("Id"),
        content_id_of(uri),
        element.get("MimeType"),
        policy.content(_algorithm(element.find(_METHOD))),
        _key_id(element.find(_KEY_INFO)),
    )


def _key_id(key_info: Element | None) -> str | None:
    if key_info is None:
        return None
    reference = key_info.find(f"{_WSSE}SecurityTokenReference/{_WSSE}Reference")
    uri = "" if reference is None else reference.get("URI", "")
    if not uri.startswith("#"):
        raise noncompliant(f"Expected a reference to an EncryptedKey at {path_of(key_info)}")
    return uri[1:]


# Keys


def _key(element: Element, policy: EncryptionPolicy) -> ReadKey:
    method = element.find(_METHOD)
    cipher = policy.key(_algorithm(method))
    wrapped = octets_of(_needed(element, f"{_XENC}CipherData/{_XENC}CipherValue"))
    key_info = element.find(_KEY_INFO)
    key: WrappedKey
    if cipher is KeyCipher.KW_AES128:
        agreement = _needed(element, f"{_KEY_INFO}/{_XENC}AgreementMethod")
        key = _agreed(agreement, wrapped, policy)
        key_info = agreement.find(_XENC + "RecipientKeyInfo")
    else:
        key = Transported(_oaep(_needed(element, _METHOD), cipher, policy), wrapped)
    targets = element.iterfind(f"{_XENC}ReferenceList/{_XENC}DataReference")
    return ReadKey(
        element.get("Id"),
        key,
        key_info,
        frozenset(target.get("URI", "").removeprefix("#") for target in targets),
    )


def _oaep(method: Element, cipher: KeyCipher, policy: EncryptionPolicy) -> Oaep:
    """Read the parameters of OAEP; what is left out has the value of the standard (XML Encryption 1.1 5.5.2)."""
    digest, mask = method.find(_DS + "DigestMethod"), method.find(_XENC11 + "MGF")
    label = method.find(_XENC + "OAEPparams")
    is_old = cipher is KeyCipher.RSA_OAEP_MGF1P
    return Oaep(
        policy.digest(policy.default_digest if digest is None else _algorithm(digest)),
        policy.mask(MaskHash.SHA1 if mask is None or is_old else _algorithm(mask)),
        b"" if label is None else octets_of(label),
    )


def _agreed(method: Element, wrapped: bytes, policy: EncryptionPolicy) -> Agreed:
    agreement = policy.agreement(_algorithm(method))
    derivation = _needed(method, _XENC11 + "KeyDerivationMethod")
    parameters = _needed(derivation, _MORE + "HKDFParams")
    length = text_of(parameters.find(_MORE + "KeyLength"))
    names = (_algorithm(derivation), _algorithm(parameters.find(_MORE + "PRF")), length)
    if names != (ciphers.HKDF_URI, ciphers.HMAC_SHA256, str(ciphers.CONTENT_KEY_BYTES)):
        raise noncompliant(f"Expected HKDF with HMAC-SHA-256 and KeyLength 16, found {names}")
    originator = read_originator_key(_needed(method, f"{_XENC}OriginatorKeyInfo"))
    return Agreed(
        agreement,
        originator,
        Derivation(_optional(parameters, "Salt"), _optional(parameters, "Info")),
        wrapped,
    )


def _optional(parameters: Element, name: str) -> bytes:
    element = parameters.find(_MORE + name)
    return octets_of(element) if text_of(element) and element is not None else b""


def _needed(element: Element, path: str) -> Element:
    found = element.find(path)
    if found is None:
        name = path.rpartition("}")[2]
        raise noncompliant(f"Expected {name} in {path_of(element)}, found none")
    return found


def _algorithm(element: Element | None) -> str:
    return "" if element is None else element.get("Algorithm", "")


def key_of(data: ReadData, keys: Sequence[ReadKey]) -> ReadKey | None:
    """Return the key that ``data`` is encrypted with, None when no key or more than one claims it."""
    if data.key_id is not None:
        found = [key for key in keys if key.id == data.key_id]
    else:
        found = [key for key in keys if data.id in key.targets]
    return found[0] if len(found) == 1 else None
