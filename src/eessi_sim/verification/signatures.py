"""Verifies single signatures: the seal of a SED, and the signature of a message or receipt.

First whether the signature is intact, then whether to believe the signer; the second only when somebody says
whom. The time of the second is the one that the signature states, unless another one is given.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security import xades
from eessi_sim.security.indication import SubIndication
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.result import VerificationResult
from eessi_sim.security.trust import check_signer
from eessi_sim.verification.accidents.search import QUICK
from eessi_sim.verification.causes import difference_of
from eessi_sim.verification.facts import facts_of_message, facts_of_seal
from eessi_sim.verification.outcome import Belief, Check, Difference
from eessi_sim.xmlsafe import Element

SEAL: Final = "seal"
MESSAGE_SIGNATURE: Final = "message-signature"
_ANY_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where nobody says whom to believe, the time does not matter."""
_UNDECIDED: Final = SubIndication.NO_CERTIFICATE_CHAIN_FOUND
"""What a signature that is intact ends with when nobody says whom to believe."""
_ORGANISATION: Final = re.compile(r"(?:^|,)O=([^,]+)")


def failed(name: str, file: str, error: EessiSimError) -> Check:
    """Return the check that ends with ``error``."""
    return Check(name=name, file=file, passed=False, sentence=error.message, code=error.code, hint=error.hint)


def check_seal(sed: Element, belief: Belief, file: str, raw: bytes | None = None) -> Check:
    """Verify the seal of a SED that stands alone or in its envelope.

    Args:
        sed: the SED element.
        belief: whom to believe.
        file: name for the check.
        raw: the document as received, from which a broken seal can be explained better.
    """
    result = xades.verify(sed, trust=None, expected=None, at=_ANY_TIME)
    intact = Check(
        name=SEAL,
        file=file,
        passed=True,
        sentence="The seal is intact",
        facts=partial(facts_of_seal, sed, result, raw),
    )
    return _judged(intact, result, belief)


def check_message(message: Unpacked, belief: Belief, file: str, withheld: Sequence[str] = ()) -> Check:
    """Verify the signature of a message over Messaging, Body and every part.

    Args:
        message: taken apart.
        belief: whom to believe.
        file: name for the check.
        withheld: content ids of parts that were taken away; only that they were signed is verified.
    """
    parts = len(message.parts)
    covered = f"Messaging, Body and {parts} part{'s'[: parts > 1]}" if parts else "Messaging and Body"
    intact = Check(
        name=MESSAGE_SIGNATURE,
        file=file,
        passed=True,
        sentence=f"The signature over {covered} is intact",
        signed_at=message.unit.info.timestamp,
    )
    result, hint = _integrity(message, withheld)
    check = _judged(replace(intact, facts=partial(facts_of_message, message, result)), result, belief)
    return check if check.passed else replace(check, hint=hint)


def _integrity(message: Unpacked, withheld: Sequence[str]) -> tuple[VerificationResult, str | None]:
    """Return how far the verification of a signature comes, and what to change."""
    try:
        verified = msh.verify(message, candidates=None, trust=None, at=_ANY_TIME, withheld=withheld)
    except EbmsFault as error:
        fault = error
    else:
        return verified.result, None
    assert isinstance(fault.verdict, VerificationResult)  # every fault of a verification has one
    return fault.verdict, fault.hint


def _judged(check: Check, result: VerificationResult, belief: Belief) -> Check:
    """Add who signed, and whether to believe it."""
    if result.sub_indication is not _UNDECIDED or result.certificate is None:
        return replace(
            check,
            passed=False,
            sentence=result.explanation,
            code=result.sub_indication,
            differences=tuple(_differences(check, result)),
        )
    signer = result.certificate
    check = replace(check, signer=signer.subject, signed_at=check.signed_at or result.signing_time)
    return _believed(check, signer, belief)


def _differences(check: Check, result: VerificationResult) -> Iterator[Difference]:
    """Yield what was changed, with its likely cause as far as a short look tells."""
    if check.facts is None or all(each.ok for each in result.references):
        return
    facts = check.facts()
    things = facts.things if facts else ()
    yield from (difference_of(thing, things, QUICK) for thing in things if not thing.is_intact)


def _believed(check: Check, signer: Certificate, belief: Belief) -> Check:
    if belief.trust is None:
        return check
    at = belief.at or check.signed_at or _ANY_TIME
    purpose = Purpose.SEAL if check.name == SEAL else Purpose.EBMS
    verdict = check_signer(signer, purpose, trust=belief.trust, listed=None, at=at)
    if verdict.ok:
        return replace(check, trusted=True)
    return replace(
        check,
        passed=False,
        trusted=False,
        sentence=f"{check.sentence}, but the signer is not believed: {verdict.explanation}",
        code=verdict.sub_indication,
    )


def check_signer_is(party: str, check: Check, name: str) -> Check | None:
    """Compare the organisation in the signer's certificate with the party that the message names.

    Our authority writes the id of the party there; of a certificate without such an id nothing can be said, and
    None is returned. In a network the Institution Repository decides instead.
    """
    match = _ORGANISATION.search(check.signer or "")
    if match is None or not InstitutionId.pattern.fullmatch(match.group(1)):
        return None
    owner = match.group(1)
    return Check(
        name=name,
        file=check.file,
        passed=owner == party,
        sentence=f"Signed by {owner}"
        if owner == party
        else f"Expected a signature of {party}, found one of {owner}",
        code=None if owner == party else SubIndication.SIG_CONSTRAINTS_FAILURE,
        hint=None if owner == party else "A message is signed by the institution that it comes from.",
    )
