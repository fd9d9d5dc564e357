"""The checks of the access point, one function each; a new one is a function and its name in ``STEPS``.

Every refusal is EBMS:0004 with the findings in ``ErrorDetail`` (the codes that the real access points use are
not public; 0004 "Other" is our choice, inferred).
"""

from collections.abc import Awaitable
from typing import Final

import msgspec

from eessi_sim import sbdh
from eessi_sim.access_point.clamd import ScannerSilent, find_malware
from eessi_sim.access_point.pipeline import Inspection, Step
from eessi_sim.access_point.transactions import NotYet, require_transaction
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import Payload
from eessi_sim.buc import engine
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.cdm.report import ValidationReport
from eessi_sim.cdm.sed import Sed
from eessi_sim.errors import (
    ActionNotAvailable,
    AttachmentError,
    DefinitionError,
    EessiSimError,
    EnvelopeError,
    RoutingError,
    SedError,
    XmlError,
)
from eessi_sim.gateway.enclosed import enclosed
from eessi_sim.gateway.properties import AUTHOR, is_routed_rightly, role_in_case, value_of
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.checks import WhenSilent
from eessi_sim.sbdh import StandardBusinessDocumentHeader

_MALWARE: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
"""The test string of EICAR (documented), in two pieces so that no scanner takes this file for it."""


def refusal(error: EessiSimError, *, detail: object = None) -> EbmsFault:
    """Return ``error`` as the ebMS error that the sender of a document gets."""
    findings = detail if detail is not None else [error.as_dict()]
    return EbmsFault(
        EbmsErrorCode.OTHER,
        error.message,
        hint=error.hint,
        detail=msgspec.json.encode(findings, enc_hook=str).decode(),
    )


class Malware(EbmsFault):
    """A part of a message is harmful: the message is kept apart and nobody gets it."""


def scan(inspection: Inspection) -> Awaitable[None] | None:
    """Look for the harmless test file of virus scanners in every part; then clamd is asked, when there is one."""
    end: dict[str, bytes] = {}

    def look(part: Payload, piece: bytes) -> None:
        if _MALWARE in end.get(part.content_id, b"") + piece:
            raise Malware(
                EbmsErrorCode.OTHER,
                f"Expected parts without malware, found the test string of virus scanners in {part.content_id[:80]!r}",
                hint="Remove the part; the access point keeps the message apart.",
            )
        end[part.content_id] = piece[-len(_MALWARE) :]

    msh.look_through(inspection.unpacked.parts, look, inspection.limits)
    return _ask_clamd(inspection) if inspection.checks.clamd else None


async def _ask_clamd(inspection: Inspection) -> None:
    checks = inspection.checks
    try:
        found = await find_malware(checks.clamd, inspection.unpacked.parts, inspection.limits)
    except ScannerSilent as silent:
        if checks.when_silent is WhenSilent.HOLD:
            raise
        inspection.facts["scanner"] = silent.message
        return
    if found is not None:
        part, name = found
        raise Malware(
            EbmsErrorCode.OTHER,
            f"Expected parts without malware, found {name[:80]!r} in {part[:80]!r} (clamd)",
            hint="Remove the part; the access point keeps the message apart.",
        )


def read_envelope(inspection: Inspection) -> None:
    """Decompress the first part and read its header."""
    parts = inspection.unpacked.parts
    if not parts:
        raise EbmsFault(
            EbmsErrorCode.OTHER, "Expected a SED in the first part, found no part", hint="Attach the SED."
        )
    try:
        document = sbdh.read(msh.document_content(parts[0]))
    except (EnvelopeError, XmlError) as error:
        raise refusal(error) from error
    header = document.header
    inspection.document = document
    inspection.facts.update(
        sed=header.document.type,
        cdm=header.document.version,
        buc=header.scope.buc,
        case=header.scope.case_id,
        action=header.document.case_action,
        document=f"{header.scope.set_id}/{header.scope.document_version}",
    )


def check_consistency(inspection: Inspection) -> None:
    """Compare the header with the ebMS header and with the document it envelops."""
    mismatches = sbdh.consistency(
        inspection.enveloped,
        sender=InstitutionId(inspection.message.sender.id),
        receiver=InstitutionId(inspection.message.receiver.id),
    )
    if mismatches:
        first = mismatches[0]
        error = EnvelopeError(
            first.sentence, hint=f"Make {first.field} say {first.expected}.", field=first.field
        )
        raise refusal(error, detail=mismatches)


def check_competence(inspection: Inspection) -> None:
    """Ask the directory whether both sides are competent for the process in their roles."""
    header = inspection.enveloped.header
    parties = [(header.sender, False), *((receiver, True) for receiver in header.receivers)]
    for partner, must_be_ready in parties:
        try:
            inspection.repository.require_competent(
                InstitutionId(partner.id),
                header.scope.buc,
                partner.role.value,
                at=inspection.at,
                ready=must_be_ready,
            )
        except RoutingError as error:
            raise refusal(error) from error


async def check_transaction(inspection: Inspection) -> None:
    """Check that the process knows this step: this SED, from this role, at this point of the case."""
    header = inspection.enveloped.header
    try:
        process = inspection.rulebook.processes.get(header.scope.buc)
        _check_routing(process, header)
        require_transaction(
            process,
            header.document.type,
            role_in_case(header.sender),
            action=header.document.case_action,
            exchanged=frozenset(each.sed for each in await inspection.passed(header.scope.case_id.uuid)),
            handed_over=value_of(inspection.message, AUTHOR) is not None,
        )
    except NotYet:
        raise  # the caller holds the message for a while
    except (ActionNotAvailable, DefinitionError) as error:
        raise refusal(error) from error


def check_legal_ground(inspection: Inspection) -> None:
    """Check that the process foresees such a document at all, and note on which legal ground it is exchanged."""
    header = inspection.enveloped.header
    try:
        process = inspection.rulebook.processes.get(header.scope.buc)
    except DefinitionError as error:
        raise refusal(error) from error
    foreseen = {*process.administrative, *(sed for table in process.tables.values() for sed in table.by_sed)}
    if header.document.type not in foreseen:
        ground = process.legal_basis.text if process.legal_basis else "its legal basis"
        raise refusal(
            ActionNotAvailable(
                f"Expected a SED that {process.buc} exchanges under {ground}, found {header.document.type}",
                available=tuple(sorted(foreseen)),
                hint="Without a legal ground no personal data may be exchanged; open a case of the right process.",
            )
        )
    if process.legal_basis is not None:
        inspection.legal_ground = process.legal_basis.text


async def check_duplicates(inspection: Inspection) -> None:
    """Refuse a version of a document that went to the same receiver before, in another message that was not lost."""
    header, message = inspection.enveloped.header, inspection.message
    document = inspection.facts["document"]
    for each in await inspection.passed(header.scope.case_id.uuid):
        same = (each.document, each.sender, each.receiver) == (
            document,
            message.sender.id,
            message.receiver.id,
        )
        if same and each.message_id != message.info.message_id and not each.is_lost:
            raise refusal(
                EnvelopeError(
                    f"Expected a document that was not sent to {message.receiver.id} before, "
                    f"found version {header.scope.document_version} of it in message {each.message_id}",
                    hint="A repetition has the same message id; a change is a new version.",
                )
            )


def _check_routing(process: BucDefinition, header: StandardBusinessDocumentHeader) -> None:
    if not is_routed_rightly(process, header):
        raise ActionNotAvailable(
            f"Expected a routing application to send what routing applications send, and nothing else, "
            f"found {header.document.type} from the {header.sender.role}",
            hint="Only a routing application tells that one institution replaces another.",
        )


def check_attachments(inspection: Inspection) -> None:
    """Check that the parts behind the SED are what the envelope lists, of allowed types and sizes, and allowed at all.

    Whether a document that is handed over could have files was judged when its author sent it.
    """
    header, rulebook = inspection.enveloped.header, inspection.rulebook
    try:
        found = enclosed(
            header.attachments, inspection.unpacked.parts, inspection.attachments, inspection.limits
        )
        if found and value_of(inspection.message, AUTHOR) is None:
            process = rulebook.processes.get(header.scope.buc)
            engine.require_may_carry(process, role_in_case(header.sender), header.document.type)
    except AttachmentError as error:
        raise refusal(error) from error
    if found:
        inspection.facts["attachments"] = str(len(found))


def check_schema(inspection: Inspection) -> None:
    """Check the form of the document; the refusal names what the rules have against it, too."""
    sed, report = _judged(inspection)
    inspection.facts["xsd_valid"] = str(report.xsd_valid).lower()
    if not report.xsd_valid:
        raise _invalid(sed, report)


def check_rules(inspection: Inspection) -> None:
    """Check the document against its business rules."""
    sed, report = _judged(inspection)
    inspection.facts["rules_valid"] = str(report.rules_valid).lower()
    if not report.rules_valid:
        raise _invalid(sed, report)


def _judged(inspection: Inspection) -> tuple[Sed, ValidationReport]:
    try:
        return inspection.judged()
    except (SedError, XmlError) as error:
        raise refusal(error) from error


def _invalid(sed: Sed, report: ValidationReport) -> EbmsFault:
    invalid = SedError(
        f"Expected a valid {sed.type}, found {len(report.issues)} findings", hint="See the findings."
    )
    return refusal(invalid, detail=report.as_dict())


THOROUGH: Final = frozenset({"scan", "attachments"})
"""Steps that look at every octet of a message."""
STEPS: Final[dict[str, Step]] = {
    "scan": scan,
    "envelope": read_envelope,
    "consistency": check_consistency,
    "competence": check_competence,
    "legal-ground": check_legal_ground,
    "transaction": check_transaction,
    "duplicates": check_duplicates,
    "attachments": check_attachments,
    "schema": check_schema,
    "rules": check_rules,
}
"""Every check of ``ir.checks.KNOWN``."""
