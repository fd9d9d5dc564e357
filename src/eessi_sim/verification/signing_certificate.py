"""Why the certificate that a seal names in its signed properties is not the one in KeyInfo."""

from collections.abc import Sequence
from hashlib import new
from typing import Final

from eessi_sim.errors import SignatureError
from eessi_sim.security.keys import Certificate
from eessi_sim.security.policy import DigestAlgorithm
from eessi_sim.security.xades import XADES
from eessi_sim.security.xmldsig import DS, digest, octets_of
from eessi_sim.verification.accidents.digests import explain_digest
from eessi_sim.verification.facts import SignatureFacts
from eessi_sim.verification.outcome import Difference, in_base64
from eessi_sim.verification.signature_value import value_fits

PLACE: Final = "SigningCertificate"
_CERT_DIGEST: Final = f".//{{{XADES}}}CertDigest"


def explain_certificate(facts: SignatureFacts, more: Sequence[Certificate]) -> Difference | None:
    """Return what is wrong with the named certificate, None when nothing is or none is named.

    Args:
        facts: about the signature.
        more: certificates that somebody gave; one of them may be the right one.
    """
    named = _named(facts)
    if named is None or not facts.certificates:
        return None
    stated, algorithm = named
    signer = facts.certificates[0]
    if digest(signer.der, algorithm) == stated:
        return None
    code, cause = _cause(facts, stated, algorithm, more)
    return Difference(
        PLACE,
        in_base64(stated),
        in_base64(digest(signer.der, algorithm)),
        cause,
        (code,),
        remarks=_remarks(facts),
    )


def _named(facts: SignatureFacts) -> tuple[bytes, DigestAlgorithm] | None:
    """Return the digest of the certificate that the signed properties name."""
    for each in facts.parsed.objects:
        place = each.find(_CERT_DIGEST)
        value = None if place is None else place.find(f"{{{DS}}}DigestValue")
        method = None if place is None else place.find(f"{{{DS}}}DigestMethod")
        if value is not None and method is not None:
            try:
                return octets_of(value), DigestAlgorithm(method.get("Algorithm", ""))
            except SignatureError:
                return None
    return None


def _cause(
    facts: SignatureFacts, stated: bytes, algorithm: DigestAlgorithm, more: Sequence[Certificate]
) -> tuple[str, str]:
    signer = facts.certificates[0]
    for other in (*facts.certificates[1:], *more):
        if digest(other.der, algorithm) == stated:
            sentence = f'The signed properties name "{other.subject}" (serial number {other.serial}), but KeyInfo holds'
            return "wrong-certificate", f'{sentence} "{signer.subject}" (serial number {signer.serial})'
    spelled = _spelled(signer, stated, algorithm)
    if spelled is not None:
        return spelled
    sentence = (
        f'The signed properties name a certificate that is not at hand; KeyInfo holds "{signer.subject}"'
    )
    return (
        "wrong-certificate",
        f"{sentence} (serial number {signer.serial}), which was put there after signing",
    )


def _spelled(signer: Certificate, stated: bytes, algorithm: DigestAlgorithm) -> tuple[str, str] | None:
    """Return how the signer made the digest when it is one of the right certificate, made wrongly."""
    name = algorithm.name.lower()
    accident = explain_digest(signer.der, stated, name)
    if accident is not None:
        return accident.code, f"{accident.sentence}; the certificate itself is the right one"
    body = b"".join(signer.pem.splitlines()[1:-1])
    for octets, what in (
        (signer.pem, "PEM text"),
        (body, "base64 text"),
        (signer.public_key_der, "public key"),
    ):
        if new(name, octets).digest() == stated:
            return (
                "digest-of-another",
                f"The signer digested the {what} of the right certificate, not its DER octets",
            )
    return None


def _remarks(facts: SignatureFacts) -> tuple[str, ...]:
    if value_fits(facts):
        return ("The key of the certificate in KeyInfo made the signature value: it is the signer's key",)
    return ("The key of the certificate in KeyInfo did not make the signature value: KeyInfo was replaced",)
