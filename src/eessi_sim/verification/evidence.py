"""Verifies one message with everything that lies beside it: envelope, SED, receipt, row of the report.

Whatever two files say is compared; the files are read by ``folder``.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from eessi_sim import xmlsafe
from eessi_sim.as4 import confirmation, msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import Receipt, RoutingInput, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import XmlError
from eessi_sim.security.xmldsig import Reference
from eessi_sim.verification.canonical_diff import first_difference
from eessi_sim.verification.files import Opened, open_message
from eessi_sim.verification.outcome import Belief, Check, Difference, Subject, in_base64
from eessi_sim.verification.signatures import check_message, check_signer_is, failed

MESSAGE: Final = "message.as4"
ENVELOPE: Final = "sbdh.xml"
SED: Final = "sed.xml"
RECEIPT: Final = "receipt.xml"
_FILES: Final = (MESSAGE, ENVELOPE, SED, RECEIPT)
_REPORT: Final = "report.json"
_MISSING: Final = "missing"
_CHANGED: Final = "changed"
_NO_RECEIPT: Final = "missing"
"""What a report says about a message without receipt."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one message folder holds, read once."""

    name: str
    """Name of the folder."""
    files: Mapping[str, bytes]
    row: Mapping[str, Any] | None = None
    """What the report says; empty when it forgot the message, None when there is no report."""
    sums: Mapping[str, str] | None = None
    """SHA-256 by name of the file; None when there is no index."""
    told_by: str = _REPORT
    """File that ``row`` stands in."""


def verify_evidence(evidence: Evidence, belief: Belief) -> Subject:
    """Verify one message with everything that lies beside it.

    Args:
        evidence: the files.
        belief: whom to believe.
    """
    sums = tuple(_check_sums(evidence))
    data = evidence.files.get(MESSAGE)
    if data is None:
        return Subject(evidence.name, "message", (*sums, missing(MESSAGE)))
    try:
        opened, checks = open_message(data, belief, MESSAGE)
    except (EbmsFault, XmlError) as error:
        return Subject(evidence.name, "message", (*sums, failed("message", MESSAGE, error)))
    beside = (*_check_content(evidence, opened), *check_row(evidence, opened))
    if isinstance(opened.message.unit, UserMessage):
        beside += tuple(check_receipt(evidence, opened.message, opened.message.unit.receiver.id, belief))
    return Subject(evidence.name, opened.description, (*sums, *checks, *beside))


def missing(file: str) -> Check:
    """Return the check that a file is there, which it is not."""
    sentence = f"Expected {file}, found no such file"
    return Check(name="file", file=file, passed=False, sentence=sentence, code=_MISSING)


def _check_sums(evidence: Evidence) -> Iterator[Check]:
    """Compare every file with the index; a file that is evidence has to be in it."""
    if evidence.sums is None:
        return
    for file, digest in evidence.sums.items():
        yield check_sum(file, digest, evidence.files.get(file))
    for file in _FILES:
        if file in evidence.files and file not in evidence.sums:
            sentence = f"Expected {file} in the index, found no such line"
            yield Check(name="sum", file=file, passed=False, sentence=sentence, code=_MISSING)


def check_sum(file: str, expected: str, data: bytes | None) -> Check:
    """Compare a file with the SHA-256 sum, in hexadecimal, that the index lists."""
    if data is None:
        return missing(file)
    found = hashlib.sha256(data).hexdigest()
    if found == expected:
        sentence = "The file has the SHA-256 sum that the index lists"
        return Check(name="sum", file=file, passed=True, sentence=sentence)
    cause = "The file, or the index, was changed after the run"
    return Check(
        name="sum",
        file=file,
        passed=False,
        sentence=f"Expected the SHA-256 sum that the index lists for {file}, found another",
        code=_CHANGED,
        differences=(Difference(f"SHA-256 of {file}", expected, found, cause),),
    )


def _check_content(evidence: Evidence, opened: Opened) -> Iterator[Check]:
    """Compare ``sbdh.xml`` and ``sed.xml`` with what the message carries."""
    if opened.payload is not None:
        data = evidence.files.get(ENVELOPE)
        what = "the payload of the message"
        yield missing(ENVELOPE) if data is None else _equal(ENVELOPE, what, opened.payload, data)
    if opened.document is not None:
        data = evidence.files.get(SED)
        canonical = xmlsafe.document_of(opened.document.sed)
        yield missing(SED) if data is None else _check_sed(canonical, opened.payload or b"", data)


def _check_sed(canonical: bytes, payload: bytes, data: bytes) -> Check:
    """Accept the SED in canonical form, or just as it stands in the payload; with or without XML declaration."""
    body = _without_declaration(data)
    as_it_stands = body in payload and _canonical(body) == canonical
    return _equal(SED, "the SED in the message", body if as_it_stands else canonical, body)


def _canonical(data: bytes) -> bytes | None:
    try:
        return xmlsafe.document_of(xmlsafe.parse(data))
    except XmlError:
        return None


def _without_declaration(data: bytes) -> bytes:
    start, end, rest = data.partition(b"?>")
    return rest.strip() if end and start.startswith(b"<?xml ") else data.strip()


def _equal(file: str, other: str, expected: bytes, found: bytes) -> Check:
    if expected == found:
        return Check(name="content", file=file, passed=True, sentence=f"The file is {other}")
    return Check(
        name="content",
        file=file,
        passed=False,
        sentence=f"Expected {file} to be {other}, found it different",
        code=_CHANGED,
        differences=(first_difference(file, expected, found),),
    )


def check_row(evidence: Evidence, opened: Opened) -> Iterator[Check]:
    """Compare what the report says with what the message says."""
    unit, row = opened.message.unit, evidence.row
    if not isinstance(unit, UserMessage):
        yield _row_check(evidence, "Expected a user message, found a signal")
    elif row is not None and not row:
        yield _row_check(evidence, "Expected the message in the report, found no such row")
    elif row is not None:
        facts = {"message_id": str(unit.info.message_id), "from": unit.sender.id, "to": unit.receiver.id}
        facts |= _facts(opened)
        wrong = [
            f'{key} "{row.get(key)}" instead of "{fact}"'
            for key, fact in facts.items()
            if row.get(key) != fact
        ]
        yield _row_check(
            evidence, f"Expected what the message says, found {', '.join(wrong)}" if wrong else ""
        )


def _facts(opened: Opened) -> dict[str, str]:
    if opened.document is None:
        return {}
    document, scope = opened.document.header.document, opened.document.header.scope
    return {"sed": document.type, "cdm": document.version, "buc": scope.buc, "case": scope.case_id}


def _row_check(evidence: Evidence, problem: str) -> Check:
    sentence = problem or f"{evidence.told_by} says the same as the message"
    code = _CHANGED if problem else None
    return Check(name="row", file=evidence.told_by, passed=not problem, sentence=sentence, code=code)


def check_receipt(evidence: Evidence, message: Unpacked, receiver: str, belief: Belief) -> Iterator[Check]:
    """Verify the receipt: signed by the receiver, about this message, with the digests of what was sent."""
    data = evidence.files.get(RECEIPT)
    if data is None:
        # A report may say itself that no receipt came; then there is nothing to contradict.
        if (evidence.row or {}).get("receipt") != _NO_RECEIPT:
            yield missing(RECEIPT)
        return
    try:
        receipt = msh.unpack_file(data)
        digests = msh.signed_references(message)
    except (EbmsFault, XmlError) as error:
        yield failed("receipt", RECEIPT, error)
        return
    signature = check_message(receipt, belief, RECEIPT)
    signer = check_signer_is(receiver, signature, "receiver")
    yield from (signature, *([signer] if signer else []), _check_confirmed(receipt, message, digests))
    yield from _check_way(receipt, message)


def _check_way(receipt: Unpacked, message: Unpacked) -> Iterator[Check]:
    """Compare the way of the receipt with that of the message; no signature covers it (AS4 4.4, observed)."""
    if not isinstance(message.unit, UserMessage) or not (message.is_multihop or receipt.routing):
        return
    expected = RoutingInput.back_to_sender_of(message.unit).plain
    found = receipt.routing.plain if receipt.routing else None
    yield Check(
        name="receipt-way",
        file=RECEIPT,
        passed=found == expected,
        sentence=f"The receipt goes from {expected.sender.id} back to {expected.receiver.id}"
        if found == expected
        else "Expected the routing input of the receipt to lead back to the sender, found another way",
        code=None if found == expected else _CHANGED,
        hint=None if found == expected else "RoutingInput repeats the user message with its parties swapped.",
    )


def _check_confirmed(receipt: Unpacked, message: Unpacked, digests: tuple[Reference, ...]) -> Check:
    passed = Check(
        name="receipt-references",
        file=RECEIPT,
        passed=True,
        sentence=f"The receipt repeats all {len(digests)} digests of the message",
    )
    about = receipt.unit.info.ref_to_message_id
    if about != message.message_id:
        sentence = f"Expected a receipt for {message.message_id}, found one for {about or 'no message'}"
        return replace(passed, passed=False, sentence=sentence, code=_CHANGED)
    try:
        confirmation.check_receipt(receipt, digests)
    except EbmsFault as fault:
        differences = tuple(_unconfirmed(receipt, digests))
        return replace(failed(passed.name, RECEIPT, fault), differences=differences)
    return passed


def _unconfirmed(receipt: Unpacked, digests: tuple[Reference, ...]) -> Iterator[Difference]:
    given = receipt.unit.references if isinstance(receipt.unit, Receipt) else ()
    by_uri = {reference.uri: in_base64(reference.digest_value) for reference in given}
    for digest in digests:
        expected, found = in_base64(digest.digest_value), by_uri.get(digest.uri, "no reference")
        if expected != found:
            yield Difference(digest.uri, expected, found, "The receipt is about other content")
