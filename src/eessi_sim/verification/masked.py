"""Verifies a message whose document was taken away to hide persons: what still holds, and what nobody can say.

The SOAP part lies in ``soap.xml``, octet by octet. Its signature states the digest of every part, so that the
receipt can be compared with it; only whether the hidden document has that digest cannot be verified.
"""

from collections.abc import Iterator
from typing import Final

from eessi_sim import sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import EnvelopeError, IdentifierError, XmlError
from eessi_sim.verification.evidence import ENVELOPE, Evidence, check_receipt, check_row
from eessi_sim.verification.files import Opened, check_consistency
from eessi_sim.verification.outcome import Belief, Check, Subject
from eessi_sim.verification.signatures import check_message, check_signer_is, failed

SOAP: Final = "soap.xml"
PAYLOAD: Final = "payload"


def verify_masked(evidence: Evidence, belief: Belief) -> Subject:
    """Verify what is left of one message.

    Args:
        evidence: its files, ``soap.xml`` among them.
        belief: whom to believe.
    """
    try:
        message = msh.unpack_soap(evidence.files[SOAP])
    except (EbmsFault, XmlError) as error:
        return Subject(evidence.name, "message", (failed("message", SOAP, error),))
    if not isinstance(message.unit, UserMessage):
        sentence = "Expected a user message, found a signal"
        wrong = Check(name="message", file=SOAP, passed=False, sentence=sentence, code="changed")
        return Subject(evidence.name, "message", (wrong,))
    opened, checks = _opened(evidence, message, message.unit)
    return Subject(
        evidence.name,
        f"masked {opened.description}",
        (
            *_signatures(message, message.unit, belief),
            *checks,
            *check_row(evidence, opened),
            *check_receipt(evidence, message, message.unit.receiver.id, belief),
        ),
    )


def cannot_be_verified(name: str, file: str, what: str) -> Check:
    """Return the check that cannot be done because something is hidden."""
    sentence = f"{what} cannot be verified (masked)"
    return Check(name=name, file=file, passed=True, sentence=sentence, undecided=True)


def _signatures(message: Unpacked, unit: UserMessage, belief: Belief) -> Iterator[Check]:
    signature = check_message(message, belief, SOAP, [part.content_id for part in unit.parts])
    yield signature
    signer = check_signer_is(unit.sender.id, signature, "sender")
    if signer:
        yield signer
    for part in unit.parts:
        yield cannot_be_verified(PAYLOAD, SOAP, f"The signed digest of part {part.content_id}")


def _opened(evidence: Evidence, message: Unpacked, unit: UserMessage) -> tuple[Opened, tuple[Check, ...]]:
    """Return the message with its masked envelope, if there is one."""
    if ENVELOPE not in evidence.files:
        return Opened(message), ()
    try:
        document = sbdh.read(evidence.files[ENVELOPE])
        consistency = check_consistency(document, unit.sender.id, unit.receiver.id, ENVELOPE)
    except (XmlError, EnvelopeError, IdentifierError) as error:
        return Opened(message), (failed("envelope", ENVELOPE, error),)
    return Opened(message, None, document), (consistency,)
