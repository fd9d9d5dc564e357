"""Certificates of one institution that are wrong in one way each; all of them are listed in the directory."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from eessi_sim.conformance.setting import NAV
from eessi_sim.security.keys import Certificate, KeyPair, PrivateKey, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm

Extend = Callable[[x509.CertificateBuilder], x509.CertificateBuilder]
_DAY = timedelta(days=1)


def extra_certificates(authority: CertificateAuthority, now: datetime) -> Mapping[str, KeyPair]:
    """Return one key pair for each thing that can be wrong with a certificate."""
    stranger = CertificateAuthority.create("Foreign CA", now - 9 * _DAY, KeyAlgorithm.P_256)
    curve = ec.generate_private_key(ec.SECP256R1())

    def issue(since: datetime, days: int = 90, purpose: Purpose = Purpose.EBMS) -> KeyPair:
        return authority.issue(NAV, purpose, country="NO", now=since, days=days)

    return {
        "foreign": stranger.issue(NAV, Purpose.EBMS, country="NO", now=now - _DAY),
        "self-signed": made(None, curve, now),
        "expired": issue(now - 100 * _DAY),
        "early": issue(now + _DAY),
        "revoked": issue(now - _DAY),
        "usage": made(authority, curve, now, _usage(digital_signature=False)),
        "extended": made(authority, curve, now, _extended),
        "critical": made(authority, curve, now, _critical),
        "short": made(authority, rsa.generate_private_key(65537, 1024), now),  # noqa: S505 - too short on purpose
        "exponent": made(authority, rsa.generate_private_key(3, 2048), now),
    }


def made(
    authority: CertificateAuthority | None,
    key: PrivateKey,
    now: datetime,
    extend: Extend = lambda builder: builder,
) -> KeyPair:
    """Make a certificate by hand; signed by itself when no authority is given."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{NAV} ebms")])
    issuer = authority.certificate.decoded.subject if authority else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 90 * _DAY)
    )
    signer = authority.keys.private_key if authority else key
    assert not isinstance(signer, X25519PrivateKey)  # it cannot sign
    assert not isinstance(key, X25519PrivateKey)
    certificate = extend(builder).sign(signer, hashes.SHA256())
    return KeyPair(key, Certificate.from_der(certificate.public_bytes(Encoding.DER)))


def _usage(*, digital_signature: bool) -> Extend:
    usage = x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return lambda builder: builder.add_extension(usage, critical=True)


def _extended(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)


def _critical(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
    return builder.add_extension(unknown, critical=True)
