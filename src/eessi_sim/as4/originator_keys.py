"""Writes and reads the ephemeral public key of a key agreement: ``xenc:OriginatorKeyInfo``.

XML Signature 1.1 has a form for each kind of key, and Apache Santuario, which Java products use, reads no other
(observed with WSS4J 4.0.1): ``ds:KeyValue/dsig11:ECKeyValue`` for curves, ``dsig11:DEREncodedKeyValue`` for the rest.
"""

from base64 import b64encode
from typing import Final

from eessi_sim.as4 import vocabulary
from eessi_sim.errors import EncryptionError
from eessi_sim.security.xmldsig import octets_of
from eessi_sim.xmlsafe import Element, path_of

_P256: Final = "urn:oid:1.2.840.10045.3.1.7"
_P256_PREFIX: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""What precedes the uncompressed point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480)."""
_POINT_BYTES: Final = 65
_DSIG11: Final = f"{{{vocabulary.DSIG11}}}"
_KEY_VALUE: Final = f"{{{vocabulary.DS}}}KeyValue"


def write_originator_key(key: bytes) -> str:
    """Write ``xenc:OriginatorKeyInfo``.

    Args:
        key: SubjectPublicKeyInfo of a P-256 or X25519 key.
    """
    declared = f'xmlns:dsig11="{vocabulary.DSIG11}"'
    if key.startswith(_P256_PREFIX):
        content = (
            f'<ds:KeyValue><dsig11:ECKeyValue {declared}><dsig11:NamedCurve URI="{_P256}"/><dsig11:PublicKey>'
            f"{b64encode(key.removeprefix(_P256_PREFIX)).decode()}</dsig11:PublicKey></dsig11:ECKeyValue>"
            "</ds:KeyValue>"
        )
    else:
        content = (
            f"<dsig11:DEREncodedKeyValue {declared}>{b64encode(key).decode()}</dsig11:DEREncodedKeyValue>"
        )
    return f"<xenc:OriginatorKeyInfo>{content}</xenc:OriginatorKeyInfo>"


def read_originator_key(info: Element) -> bytes:
    """Return the SubjectPublicKeyInfo in ``xenc:OriginatorKeyInfo``; a DER key may also stand in a KeyValue.

    Raises:
        EncryptionError: no key of a known form, or another curve.
        SignatureError: a key that is not base64.
    """
    holder = info.find(_KEY_VALUE)
    if holder is None:
        holder = info
    encoded, curve = holder.find(_DSIG11 + "DEREncodedKeyValue"), holder.find(_DSIG11 + "ECKeyValue")
    if encoded is not None:
        return octets_of(encoded)
    if curve is not None:
        return _P256_PREFIX + _point(curve)
    raise EncryptionError(
        f"Expected DEREncodedKeyValue or ECKeyValue in {path_of(info)}, found neither",
        hint="Send the ephemeral public key in the form that XML Signature 1.1 has for its kind.",
    )


def _point(value: Element) -> bytes:
    curve, point = value.find(_DSIG11 + "NamedCurve"), value.find(_DSIG11 + "PublicKey")
    octets = b"" if point is None else octets_of(point)
    name = "" if curve is None else curve.get("URI", "")
    if name != _P256 or len(octets) != _POINT_BYTES:
        raise EncryptionError(
            f"Expected an uncompressed point of P-256 at {path_of(value)}, "
            f"found {len(octets)} octets of {name[:80]!r}",
            hint="eDelivery AS4 2.0 has the curve secp256r1 only.",
        )
    return octets
