"""A message without its document: what its SOAP part still proves."""

from functools import cache

from tests.helpers import evidence as run
from tests.helpers.as4_messages import RECEIVER, edited, packed_message, unsigned_message

from eessi_sim.as4 import msh
from eessi_sim.verification.evidence import ENVELOPE, RECEIPT, Evidence
from eessi_sim.verification.laying_out import soap_part
from eessi_sim.verification.masked import SOAP, verify_masked
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Subject


@cache
def message() -> msh.Packed:
    return run.message()


def soap(packed: msh.Packed) -> bytes:
    return soap_part(packed.content_type, packed.body)


def verified(**changes: bytes | None) -> Subject:
    """The masked message with other files; None takes one away."""
    files: dict[str, bytes | None] = {
        SOAP: soap(message()),
        ENVELOPE: run.envelope(),
        RECEIPT: run.receipt(message()),
    }
    files |= {
        {"soap": SOAP, "sbdh": ENVELOPE, "receipt": RECEIPT}[key]: data for key, data in changes.items()
    }
    return verify_masked(
        Evidence("m", {name: data for name, data in files.items() if data is not None}), INTEGRITY_ONLY
    )


def failures(subject: Subject) -> list[tuple[str, str | None]]:
    return [(check.name, check.code) for check in subject.failed]


def test_signature_envelope_and_receipt_hold() -> None:
    """Only the digest of the document cannot be verified, and that is said."""
    subject = verified()
    assert failures(subject) == []
    assert [(check.name, check.undecided) for check in subject.checks] == [
        ("message-signature", False),
        ("sender", False),
        ("payload", True),
        ("envelope", False),
        ("message-signature", False),
        ("receiver", False),
        ("receipt-references", False),
        ("receipt-way", False),
    ]
    assert "(masked)" in subject.undecided[0].sentence


def test_a_changed_header_is_found() -> None:
    """The SOAP part is signed as ever."""
    changed = edited(message(), (RECEIVER.id, "PL:ZUS99"))
    assert ("message-signature", "HASH_FAILURE") in failures(verified(soap=soap(changed)))


def test_an_unsigned_part_is_found() -> None:
    """A part that the signature does not name proves nothing."""
    assert ("message-signature", "FORMAT_FAILURE") in failures(
        verified(soap=soap(unsigned_message()), receipt=None)
    )


def test_without_envelope_the_rest_is_verified() -> None:
    """What could not be masked was left out."""
    assert failures(verified(sbdh=None)) == []


def test_a_strange_envelope_is_told() -> None:
    """What is no envelope is a failed check."""
    assert failures(verified(sbdh=b"<other/>")) == [("envelope", "envelope")]


def test_what_is_no_message_is_told() -> None:
    """A broken SOAP part is one failed check."""
    assert failures(verified(soap=b"<broken")) == [("message", "xml")]


def test_a_signal_is_no_message_with_a_document() -> None:
    """A receipt in its place is told."""
    assert failures(verified(soap=run.receipt(packed_message()))) == [("message", "changed")]
