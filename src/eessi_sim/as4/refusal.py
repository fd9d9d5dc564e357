"""Refusals of a signature: the ebMS fault for the wire, and the verdict for our journal. No checks."""

from typing import Final

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.security.keys import Certificate
from eessi_sim.security.result import ReferenceResult, SubIndication, VerificationResult

UNAUTHENTIC: Final = EbmsErrorCode.FAILED_AUTHENTICATION
"""The signature or the certificate is wrong."""
NONCOMPLIANT: Final = EbmsErrorCode.POLICY_NONCOMPLIANCE
"""The signature is not of the kind that we ask for."""


def refusal(
    code: EbmsErrorCode,
    reason: SubIndication,
    message: str,
    hint: str | None = None,
    *,
    signer: Certificate | None = None,
    results: tuple[ReferenceResult, ...] = (),
) -> EbmsFault:
    """Return the fault for a signature that is not accepted.

    Args:
        code: what the wire says.
        reason: what is wrong, in ETSI's words.
        message: what is wrong, in a sentence.
        hint: what to change.
        signer: who signed, as far as known.
        results: what was digested, as far as the check came.
    """
    verdict = VerificationResult(reason.indication, reason, message, signer, references=results)
    return EbmsFault(code, message, hint=hint, verdict=verdict)
