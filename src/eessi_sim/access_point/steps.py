"""The checks of the access point, one function each; a new one is a function and its name in ``STEPS``.

Every refusal is EBMS:0004 with the findings in ``ErrorDetail`` (the codes that the real access points use are
not public; 0004 "Other" is our choice, inferred).
"""

from typing import Final

import msgspec

from eessi_sim import sbdh
from eessi_sim.access_point.pipeline import Inspection, Step
from eessi_sim.access_point.transactions import NotYet, require_transaction
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import Payload
from eessi_sim.buc import engine
from eessi_sim.buc.definition import BucDefinition
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


def scan(inspection: Inspection) -> None:
    """Look for the harmless test file of virus scanners in every part; a real scanner would be asked here."""
    end: dict[str, bytes] = {}

    def look(part: Payload, piece: bytes) -> None:
        if _MALWARE in end.get(part.content_id, b"") + piece:
            raise EbmsFault(
                EbmsErrorCode.OTHER,
                f"Expected parts without malware, found the test string of virus scanners in {part.content_id[:80]!r}",
                hint="Remove the part; the access point keeps the message apart.",
            )
        end[part.content_id] = piece[-len(_MALWARE) :]

    msh.look_through(inspection.unpacked.parts, look, inspection.limits)


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
            exchanged=await inspection.exchanged(header.scope.case_id.uuid),
            handed_over=value_of(inspection.message, AUTHOR) is not None,
        )
    except NotYet:
        raise  # the caller holds the message for a while
    except (ActionNotAvailable, DefinitionError) as error:
        raise refusal(error) from error


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


def check_document(inspection: Inspection) -> None:
    """Check the document against its schema and its rules."""
    try:
        sed = inspection.rulebook.validator.identify(inspection.enveloped.sed)
    except (SedError, XmlError) as error:
        raise refusal(error) from error
    report = inspection.rulebook.validator.validate(sed)
    inspection.facts.update(
        xsd_valid=str(report.xsd_valid).lower(), rules_valid=str(report.rules_valid).lower()
    )
    if not report.is_valid:
        invalid = SedError(
            f"Expected a valid {sed.type}, found {len(report.issues)} findings", hint="See the findings."
        )
        raise refusal(invalid, detail=report.as_dict())


THOROUGH: Final = frozenset({"malware", "attachments"})
"""Steps that look at every octet of a message."""
STEPS: Final[dict[str, Step]] = {
    "malware": scan,
    "envelope": read_envelope,
    "consistency": check_consistency,
    "competence": check_competence,
    "transaction": check_transaction,
    "attachments": check_attachments,
    "document": check_document,
}
