"""Confirmation: whether a receipt confirms what was sent, digest by digest (AS4 1.0, 5.1.8)."""

from collections.abc import Sequence

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import Receipt
from eessi_sim.as4.msh import Unpacked
from eessi_sim.security.xmldsig import Reference


def check_receipt(receipt: Unpacked, digests: Sequence[Reference]) -> None:
    """Check that a receipt confirms the whole message, as it was sent (AS4 5.1.8).

    Args:
        receipt: verified already.
        digests: what was signed in the original; empty for an unsigned one.

    Raises:
        EbmsFault: 0302 when something is missing or different; the message stays unconfirmed.
    """
    if not isinstance(receipt.unit, Receipt):
        raise _invalid_receipt(f'Expected a receipt, found another message "{receipt.message_id}"')
    check_references(receipt.unit, digests)


def check_references(receipt: Receipt, digests: Sequence[Reference]) -> None:
    """Check that a receipt, alone or bundled with a pull request, confirms the whole message; as ``check_receipt``."""
    confirmed: dict[str, set[tuple[str, bytes]]] = {}
    for reference in receipt.references:
        found = (str(reference.digest_algorithm), reference.digest_value)
        confirmed.setdefault(reference.uri, set()).add(found)
    for wanted in digests:
        sent = {(str(wanted.digest_algorithm), wanted.digest_value)}
        if confirmed.get(wanted.uri, set()) != sent:
            raise _invalid_receipt(
                f'Expected the digest of "{wanted.uri}" as sent, found none or another in the receipt'
            )


def _invalid_receipt(message: str) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.INVALID_RECEIPT,
        message,
        hint="Copy every ds:Reference of the message into the receipt, unchanged.",
    )
