"""Words for the outcome of a verification, taken from ETSI EN 319 102-1; no logic beyond their relation."""

from enum import StrEnum


class Indication(StrEnum):
    """Main outcome (ETSI EN 319 102-1 clause 5.1.3, documented)."""

    TOTAL_PASSED = "TOTAL-PASSED"
    TOTAL_FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"


class SubIndication(StrEnum):
    """Reason of an outcome other than passed (ETSI EN 319 102-1 clause 5.1.3, documented)."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    """Not the structure that the standard, or our profile of it, prescribes."""
    HASH_FAILURE = "HASH_FAILURE"
    """The digest of something signed is not the one in the signature."""
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    """The signature value does not belong to this key and this SignedInfo."""
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    """Correct in itself, but not what the receiver expects: another signer, other things signed."""
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    """The certificate, or one above it, must not be used for this purpose."""
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    """An algorithm or a key length is below what the policy asks for."""
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    TRY_LATER = "TRY_LATER"
    """Revocation data is needed and not at hand."""

    @property
    def indication(self) -> Indication:
        """Main outcome that goes with this reason (table 5 of the standard)."""
        return Indication.TOTAL_FAILED if self in _FAILED else Indication.INDETERMINATE


_FAILED = frozenset(
    {
        SubIndication.FORMAT_FAILURE,
        SubIndication.HASH_FAILURE,
        SubIndication.SIG_CRYPTO_FAILURE,
        SubIndication.REVOKED,
        SubIndication.EXPIRED,
        SubIndication.NOT_YET_VALID,
    }
)
