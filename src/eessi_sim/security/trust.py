"""Whom we believe: authorities, what they have revoked, and the verdict on a certificate for a purpose.

Nothing is fetched: revocation lists are handed in. Whether a certificate is listed for a party is asked
elsewhere, in the Institution Repository.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, Self, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from eessi_sim.errors import KeyMaterialError
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import READ_ERRORS, Certificate, Purpose

MAX_CHAIN_LENGTH: Final = 5
"""Certificates above the one in question (our limit, inferred)."""

_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
"""Extensions that may be critical; any other critical one means refusal (RFC 5280 section 4.2)."""

_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class RevocationList:
    """A certificate revocation list, CRL (RFC 5280 section 5)."""

    der: bytes
    decoded: x509.CertificateRevocationList = field(compare=False, repr=False)

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """Read a list.

        Raises:
            KeyMaterialError: not a revocation list.
        """
        try:
            return cls(der, x509.load_der_x509_crl(der))
        except READ_ERRORS as error:
            raise KeyMaterialError(
                f"Expected a certificate revocation list, found something else: {error}"
            ) from error

    def is_current_at(self, at: datetime) -> bool:
        """Return whether the list was made before ``at`` and the next one is not due yet."""
        next_update = self.decoded.next_update_utc
        return self.decoded.last_update_utc <= at and (next_update is None or at <= next_update)

    def revoked_at(self, serial: int) -> datetime | None:
        """Return since when the certificate with this serial number is revoked, None when it is not."""
        entry = self.decoded.get_revoked_certificate_by_serial_number(serial)
        return entry.revocation_date_utc if entry else None


class TrustVerdict(NamedTuple):
    """What a trust store thinks of a certificate."""

    ok: bool
    sub_indication: SubIndication | None
    explanation: str


@dataclass(frozen=True, slots=True)
class TrustStore:
    """Authorities we believe, and what they have revoked.

    Trust is half of the answer only: whether the certificate is listed for the party is asked elsewhere.
    """

    anchors: tuple[Certificate, ...]
    intermediates: tuple[Certificate, ...] = ()
    crls: tuple[RevocationList, ...] = ()
    require_crl: bool = False
    """True: an issuer without a current revocation list fails the check (fail closed)."""

    @classmethod
    def of(cls, anchors: Iterable[Certificate], crls: Iterable[bytes] = ()) -> Self:
        """Make a store from root certificates and revocation lists in DER."""
        return cls(tuple(anchors), crls=tuple(RevocationList.from_der(der) for der in crls))

    def check(self, certificate: Certificate, at: datetime, purpose: Purpose) -> TrustVerdict:
        """Judge ``certificate`` for ``purpose`` at the time ``at``: validity, chain, revocation, usage."""
        verdict = _check_validity(certificate, at)
        if verdict:
            return verdict
        chain = self._chain(certificate, at)
        if not chain:
            return TrustVerdict(
                ok=False,
                sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
                explanation=f'No trusted authority stands behind "{certificate.subject}", issued by '
                f'"{certificate.issuer}". Add the authority to the trust list, or use a certificate it issued.',
            )
        return (
            self._check_revocation(chain, at)
            or _check_extensions(chain)
            or _check_usage(certificate, purpose)
            or TrustVerdict(
                ok=True, sub_indication=None, explanation=f'Trusted through "{chain[-1].subject}".'
            )
        )

    def _chain(self, certificate: Certificate, at: datetime, depth: int = 0) -> tuple[Certificate, ...]:
        """Return the way from ``certificate`` up to an anchor, empty when there is none."""
        if certificate in self.anchors:
            return (certificate,)
        if depth == MAX_CHAIN_LENGTH:
            return ()
        for issuer in (*self.anchors, *self.intermediates):
            if _issued_by(certificate, issuer) and issuer.is_valid_at(at) and _may_issue(issuer, depth):
                above = self._chain(issuer, at, depth + 1)
                if above:
                    return (certificate, *above)
        return ()

    def _check_revocation(self, chain: tuple[Certificate, ...], at: datetime) -> TrustVerdict | None:
        for certificate, issuer in pairwise(chain):
            lists = [crl for crl in self.crls if _listed_by(crl, issuer)]
            for crl in lists:
                since = crl.revoked_at(certificate.serial)
                if since and since <= at:
                    return TrustVerdict(
                        ok=False,
                        sub_indication=SubIndication.REVOKED,
                        explanation=f'"{certificate.subject}" (serial {certificate.serial}) is revoked since '
                        f"{since.isoformat()}. Sign with a new key.",
                    )
            if self.require_crl and not any(crl.is_current_at(at) for crl in lists):
                return TrustVerdict(
                    ok=False,
                    sub_indication=SubIndication.TRY_LATER,
                    explanation=f'No current revocation list of "{issuer.subject}" is at hand. '
                    "Load one, or switch the requirement off.",
                )
        return None


def check_signer(
    certificate: Certificate,
    purpose: Purpose,
    *,
    trust: TrustStore | None,
    listed: Collection[Certificate] | None,
    at: datetime,
) -> TrustVerdict:
    """Judge the certificate of a signer: listed, valid, chain, not revoked, meant for this purpose.

    Args:
        certificate: the signer.
        purpose: what the signature is for.
        trust: authorities, or None when being listed is enough.
        listed: certificates that the Institution Repository has for the party, or None for any; compared octet
            by octet, because a thumbprint alone can be forged.
        at: time at which the certificate has to be valid.
    """
    if listed is not None and certificate not in listed:
        return _not_listed(certificate, listed)
    if trust is not None:
        return trust.check(certificate, at, purpose)
    if listed is None:
        return TrustVerdict(
            ok=False,
            sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
            explanation=f'The signature is intact, but nobody said whether to trust "{certificate.subject}". '
            "Name an authority or the expected certificate.",
        )
    return (
        _check_validity(certificate, at)
        or _check_usage(certificate, purpose)
        or TrustVerdict(ok=True, sub_indication=None, explanation="The certificate is the expected one.")
    )


def _not_listed(certificate: Certificate, listed: Collection[Certificate]) -> TrustVerdict:
    twins = [each for each in listed if each.public_key_der == certificate.public_key_der]
    known = (
        f"The same key is listed under serial number {twins[0].serial}"
        if twins
        else f"{len(listed)} other certificates are listed"
    )
    return TrustVerdict(
        ok=False,
        sub_indication=SubIndication.SIG_CONSTRAINTS_FAILURE,
        explanation=f'"{certificate.subject}" (serial {certificate.serial}) is not listed for the sender. '
        f"{known}. Publish the certificate in the Institution Repository, or sign with a listed one.",
    )


def _check_validity(certificate: Certificate, at: datetime) -> TrustVerdict | None:
    if at < certificate.not_before:
        return TrustVerdict(
            ok=False,
            sub_indication=SubIndication.NOT_YET_VALID,
            explanation=f'"{certificate.subject}" is valid only from {certificate.not_before.isoformat()}, '
            f"and it is {at.isoformat()}. Compare the clocks.",
        )
    if at > certificate.not_after:
        return TrustVerdict(
            ok=False,
            sub_indication=SubIndication.EXPIRED,
            explanation=f'"{certificate.subject}" was valid only until {certificate.not_after.isoformat()}, '
            f"and it is {at.isoformat()}. Issue a new certificate.",
        )
    return None


@lru_cache(maxsize=4096)
def _issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    try:
        certificate.decoded.verify_directly_issued_by(issuer.decoded)
    except (InvalidSignature, *READ_ERRORS):
        return False
    return True


@lru_cache(maxsize=1024)
def _listed_by(crl: RevocationList, issuer: Certificate) -> bool:
    """Return whether ``issuer`` made and signed the list."""
    key = issuer.decoded.public_key()
    return (
        crl.decoded.issuer == issuer.decoded.subject
        and isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey)
        and crl.decoded.is_signature_valid(key)
    )


@lru_cache(maxsize=1024)
def _may_issue(issuer: Certificate, depth: int) -> bool:
    """Return whether the certificate is one of an authority, for chains of this length (RFC 5280 section 6.1.4)."""
    basic = _extension(issuer, x509.BasicConstraints)
    usage = _extension(issuer, x509.KeyUsage)
    return (
        basic is not None
        and basic.ca
        and (basic.path_length is None or basic.path_length >= depth)
        and (usage is None or usage.key_cert_sign)
    )


def _extension(certificate: Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.decoded.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


@lru_cache(maxsize=1024)
def _check_extensions(chain: tuple[Certificate, ...]) -> TrustVerdict | None:
    for certificate in chain:
        for extension in certificate.decoded.extensions:
            if extension.critical and extension.oid not in _UNDERSTOOD:
                return _unusable(
                    f'"{certificate.subject}" has the critical extension {extension.oid.dotted_string}, '
                    "which we do not understand. Issue it without, or not critical."
                )
    return None


@lru_cache(maxsize=1024)
def _check_usage(certificate: Certificate, purpose: Purpose) -> TrustVerdict | None:
    """Compare keyUsage and extendedKeyUsage with the purpose (RFC 5280 sections 4.2.1.3 and 4.2.1.12)."""
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not _may_sign(usage, purpose):
        return _unusable(
            f'"{certificate.subject}" must not be used for {purpose}: its keyUsage lacks digitalSignature. '
            "Use a certificate issued for signing."
        )
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    if extended is not None and not _fits(extended, purpose):
        return _unusable(
            f'"{certificate.subject}" must not be used for {purpose}: its extendedKeyUsage is for something '
            "else. Use the certificate that was issued for this purpose."
        )
    return None


def _may_sign(usage: x509.KeyUsage, purpose: Purpose) -> bool:
    """A seal may also be made with nonRepudiation alone (ETSI EN 319 412-2 clause 4.3.2)."""
    return usage.digital_signature or (purpose is Purpose.SEAL and usage.content_commitment)


def _fits(extended: x509.ExtendedKeyUsage, purpose: Purpose) -> bool:
    """A TLS server certificate signs no documents; other usages say nothing about us (inferred).

    Seals in public samples are marked for clientAuth, emailProtection or a vendor's document signing.
    """
    if ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in extended:
        return True
    if purpose is Purpose.TLS:
        return ExtendedKeyUsageOID.SERVER_AUTH in extended or ExtendedKeyUsageOID.CLIENT_AUTH in extended
    return ExtendedKeyUsageOID.SERVER_AUTH not in extended


def _unusable(explanation: str) -> TrustVerdict:
    return TrustVerdict(
        ok=False, sub_indication=SubIndication.CHAIN_CONSTRAINTS_FAILURE, explanation=explanation
    )
