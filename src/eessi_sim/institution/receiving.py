"""From a stored user message to a document in the right case, or to a business exception.

Order: envelope, seal, then only what the seal covers is validated and filed. What cannot be filed yet (a reply that
overtook its request) is held for a while; what cannot be filed at all is kept as a dead letter and answered with X050.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.exchange import InboundState
from eessi_sim.as4.model import UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.attachments import Content
from eessi_sim.buc import engine
from eessi_sim.buc.case import Case, CaseAction, Participant, Statement
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.effects import Outcome
from eessi_sim.buc.engine import AttachedFile, IncomingDocument
from eessi_sim.buc.refusal import ExceptionCause, refused
from eessi_sim.errors import (
    AttachmentError,
    AttachmentNotAllowed,
    DefinitionError,
    DocumentRefused,
    EnvelopeError,
    IdentifierError,
    RoutingError,
    SedError,
    XmlError,
)
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.enclosed import enclosed
from eessi_sim.gateway.properties import (
    AUTHOR,
    PARENT,
    PARENT_VERSION,
    PARTICIPANTS,
    is_routed_rightly,
    role_in_case,
    value_of,
)
from eessi_sim.gateway.station import plain
from eessi_sim.gateway.worker import HOLDS
from eessi_sim.identifiers import CaseId, DocumentId, InstitutionId, SedType
from eessi_sim.institution import answering, desk, handing, participants
from eessi_sim.institution.content import statement_of, text_of
from eessi_sim.institution.enclosing import received
from eessi_sim.institution.office import Office
from eessi_sim.institution.overtaken import again_when_overtaken
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.security import xades
from eessi_sim.security.keys import Purpose
from eessi_sim.storage.base import Direction, MessageChanges, StoredDocument, StoredMessage, UnitOfWork

ANSWER_DUE: Final = "answer-due"
"""State of a filed message whose automatic answer has its own time; survives a restart."""
_OURS: Final = (InboundState.RECEIVED, InboundState.PROCESSING)
"""States of a message that is to be filed; in another one, somebody else was faster who found our lease ended."""
_MAY_COME: Final = frozenset(
    {ExceptionCause.CASE_UNKNOWN, ExceptionCause.NOT_EXPECTED, ExceptionCause.NO_PARTICIPANT}
)
"""What such a document rests on may still be on its way: its case, its request, or who brings its sender in."""
_UNKNOWN_SED: Final = SedType("X050")
_VERSION: Final = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class NotFiled:
    """A document that is refused for good; ``work`` makes its message a dead letter.

    Whoever reports the refusal to the sender adds that to the work and commits both together.
    """

    work: UnitOfWork
    message: StoredMessage
    cause: str
    """Code of the business exception."""
    sentence: str
    case: Case | None
    """The case it belongs to, when we have it."""
    document_id: DocumentId | None
    facts: dict[str, str]
    """Facts about the refused document for the X050."""
    document: StandardBusinessDocument | None
    """The document, when it could be read."""


@dataclass(slots=True)
class _Reading:
    """What is known about a message while it is read; also when reading fails half-way."""

    message: StoredMessage
    facts: dict[str, str]
    document: StandardBusinessDocument | None = None
    contents: tuple[Content, ...] = ()
    """Of its attachments."""


class Receiving:
    """Files received documents.

    Args:
        office: identity, definitions and habits of the institution.
    """

    def __init__(self, office: Office) -> None:
        self._office = office

    async def file(self, message: StoredMessage) -> NotFiled | None:
        """File the document of ``message``; None when it was filed or is held for a while."""
        reading = _Reading(message, {})
        try:
            incoming = await self._read(reading)
        except DocumentRefused as refusal:
            return await self._refused(reading, refusal)
        return await self._file(reading, incoming)

    @again_when_overtaken
    async def _file(self, reading: _Reading, incoming: IncomingDocument) -> NotFiled | None:
        async with self._office.locks.of(incoming.international_id):
            return await self._file_alone(reading, incoming)

    async def _file_alone(self, reading: _Reading, incoming: IncomingDocument) -> NotFiled | None:
        office, store = self._office, self._office.station.store
        case = await store.find_case_by_international(incoming.international_id)
        assert reading.document is not None  # _read has set it
        try:
            process = _process(office, reading.document)
            _check_routing(process, reading.document)
            _check_may_carry(process, incoming)
            says = statement_of(process, incoming.type, reading.document.sed)
            outcome = engine.receive(
                case,
                process,
                _told(incoming, says, text_of(process, incoming.type, reading.document.sed)),
                case_id=case.id if case else _new_case_id(office),
                own=office.station.party,
                now=office.station.clock.now(),
            )
            if case is None:
                _check_competence(office, outcome.case, incoming)
        except DocumentRefused as refusal:
            return await self._hold_or_refuse(reading, refusal)
        await self._store(reading, incoming, outcome, case)
        return None

    async def _store(
        self, reading: _Reading, incoming: IncomingDocument, outcome: Outcome, before: Case | None
    ) -> None:
        station = self._office.station
        now = station.clock.now()
        message_id = reading.message.message_id
        assert reading.document is not None  # _read has set it
        work = UnitOfWork()
        if outcome.changed:
            for content in reading.contents:
                work.save_content(content)
            handed = await handing.handed_over(self._office, outcome, work)
            case = desk.cleared(self._office, handed, work)
            work.save_case(case, before.revision if before else None)
            work.save_document(
                StoredDocument(
                    case_id=outcome.case.id,
                    document_id=incoming.document_id,
                    version=incoming.version,
                    sed=incoming.type,
                    content=xmlsafe.document_of(reading.document.sed),
                    direction=Direction.IN,
                    stored_at=now,
                    message_id=message_id,
                )
            )
        work.update_message(
            Direction.IN, message_id, expected_states=_OURS, **self._next_step(reading, incoming, outcome)
        )
        work.journal(
            station.note(
                "filed",
                "ok" if outcome.changed else "unchanged",
                message_id=message_id,
                case_id=outcome.case.id,
                **reading.facts,
            )
        )
        await station.store.commit(work)

    def _next_step(self, reading: _Reading, incoming: IncomingDocument, outcome: Outcome) -> MessageChanges:
        """Return what becomes of a filed message: it is done, or its automatic answer is due at a time.

        Stored together with the document, so that no crash can come between the two.
        """
        office, now = self._office, self._office.station.clock.now()
        rule = answering.rule_for(office.behaviours, incoming.type) if outcome.changed else None
        state, due, more = InboundState.DELIVERED.value, None, {}
        if rule is not None:
            state, due = ANSWER_DUE, now + answering.delay_of(rule, office.pace)
            more = {"answer": "due", "case_id": outcome.case.id}
        return MessageChanges(
            state=state, due_at=due, updated_at=now, details=plain({**reading.facts, **more})
        )

    async def _read(self, reading: _Reading) -> IncomingDocument:
        """Read, verify and validate; raise DocumentRefused with the cause that an X050 reports."""
        message, station = reading.message, self._office.station
        try:
            unpacked = station.unpack(message)
            document = sbdh.read(msh.document_content(unpacked.parts[0], station.limits))
        except (EbmsFault, XmlError, EnvelopeError, IndexError) as error:
            raise _refusal(ExceptionCause.NOT_VALID, str(error)) from error
        reading.document = document
        header = document.header
        reading.facts.update(
            sed=header.document.type,
            cdm=header.document.version,
            buc=header.scope.buc,
            case=header.scope.case_id,
            document=header.scope.set_id,
            version=str(header.scope.document_version),
            as4_signature="valid",
        )
        assert isinstance(unpacked.unit, UserMessage)  # only user messages are filed
        self._check_consistency(document, unpacked.unit)
        files = await self._attachments(reading, document, unpacked)
        self._verify(reading, document, value_of(unpacked.unit, AUTHOR) or unpacked.unit.sender.id)
        self._validate(reading, document)
        try:
            return replace(incoming_document(document, unpacked.unit, message), attachments=files)
        except (
            IdentifierError,
            ValueError,
        ) as error:  # a role or an action of system messages, a strange parent
            raise _refusal(ExceptionCause.NOT_VALID, str(error), document) from error

    def _check_consistency(self, document: StandardBusinessDocument, unit: UserMessage) -> None:
        mismatches = sbdh.consistency(
            document, sender=InstitutionId(unit.sender.id), receiver=InstitutionId(unit.receiver.id)
        )
        if mismatches:
            raise _refusal(ExceptionCause.NOT_VALID, mismatches[0].sentence, document)

    async def _attachments(
        self, reading: _Reading, document: StandardBusinessDocument, unpacked: Unpacked
    ) -> tuple[AttachedFile, ...]:
        """Compare the attachments with their list and take them out of the message."""
        station, spooled = self._office.station, reading.message.spooled
        listed = document.header.attachments
        try:
            found = await aside(
                spooled, lambda: enclosed(listed, unpacked.parts, station.attachments, station.limits)
            )
        except AttachmentError as error:
            raise _unfit(error, document.header.document.type) from error
        reading.contents = await aside(
            spooled, lambda: tuple(each.content(station.limits, station.spool) for each in found)
        )
        if found:
            reading.facts["attachments"] = str(len(found))
        return tuple(map(received, found, reading.contents))

    def _verify(self, reading: _Reading, document: StandardBusinessDocument, sender: str) -> None:
        station = self._office.station
        result = xades.verify(
            document.sed,
            trust=station.trust,
            expected=station.directory.current.certificates_of(sender, Purpose.SEAL),
            at=station.clock.now(),
            policy=station.policy,
        )
        reading.facts["sed_signature"] = "valid" if result.is_valid else "invalid"
        if not result.is_valid:
            raise _refusal(ExceptionCause.SIGNATURE_NOT_VALID, result.explanation, document)

    def _validate(self, reading: _Reading, document: StandardBusinessDocument) -> None:
        library = self._office.library
        try:
            sed = library.catalogue.identify(document.sed)
            library.catalogue.get(sed.type, sed.version)
        except SedError as error:
            raise _refusal(ExceptionCause.VERSION_NOT_SUPPORTED, error.message, document) from error
        report = library.validator.validate(sed)
        reading.facts["xsd_valid"] = _word(report.xsd_valid)
        reading.facts["rules_valid"] = _word(report.rules_valid)
        if not report.is_valid:
            first = next(issue for issue in report.issues if issue.severity == "error")
            raise refused(
                ExceptionCause.NOT_VALID,
                f"Expected a valid {report.sed}, found {len(report.issues)} findings, "
                f"{first.rule or first.code} at {first.path} among them",
                # Only the author of the document is told values, which may be names and numbers of a person.
                hint=first.message,
                sed=document.header.document.type,
            )

    async def _hold_or_refuse(self, reading: _Reading, refusal: DocumentRefused) -> NotFiled | None:
        message, station = reading.message, self._office.station
        if not await self._may_come(reading, refusal) or message.attempts >= len(HOLDS):
            return await self._refused(reading, refusal)
        now = station.clock.now()
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            expected_states=_OURS,
            state=InboundState.RECEIVED,
            attempts=message.attempts + 1,
            due_at=now + HOLDS[message.attempts],
            updated_at=now,
            last_error=refusal.message,
        )
        work.journal(
            station.note("held", refusal.cause, message_id=message.message_id, reason=refusal.message)
        )
        await station.store.commit(work)
        return None

    async def _may_come(self, reading: _Reading, refusal: DocumentRefused) -> bool:
        """Whether what is missing may be on its way: the case, the request, or the SED that brings the sender in."""
        cause = ExceptionCause(refusal.cause)
        if cause is not ExceptionCause.NO_PARTICIPANT:
            return cause in _MAY_COME
        assert reading.document is not None  # the process has judged it
        header = reading.document.header
        case = await self._office.station.store.find_case_by_international(header.scope.case_id)
        return case is not None and case.find_participant(header.sender.id) is None

    async def _refused(self, reading: _Reading, refusal: DocumentRefused) -> NotFiled:
        """Return what keeps the message as a dead letter with its reason."""
        station, message = self._office.station, reading.message
        facts = plain({"as4_signature": "valid", **reading.facts, "cause": refusal.cause})
        work = UnitOfWork()
        work.update_message(
            Direction.IN,
            message.message_id,
            expected_states=_OURS,
            state=InboundState.REJECTED,
            updated_at=station.clock.now(),
            last_error=f"{refusal.cause} {refusal.message}",
            details=facts,
        )
        work.journal(
            station.note(
                "filed", "refused", message_id=message.message_id, **{**facts, "reason": refusal.message}
            )
        )
        scope = reading.document.header.scope if reading.document else None
        case = await station.store.find_case_by_international(scope.case_id) if scope else None
        about = {
            "target_sed": reading.facts.get("sed", ""),
            "target_document": reading.facts.get("document", ""),
            "target_version": reading.facts.get("version", ""),
        }
        document_id = scope.set_id if scope else None
        sentence = f"{refusal.message}. {refusal.hint}" if refusal.hint else refusal.message
        return NotFiled(work, message, refusal.cause, sentence, case, document_id, about, reading.document)


def _check_may_carry(process: BucDefinition, incoming: IncomingDocument) -> None:
    if not incoming.attachments or incoming.author is not None:  # then it was judged when its author sent it
        return
    try:
        engine.require_may_carry(process, incoming.sender_role, incoming.type)
    except AttachmentNotAllowed as error:
        raise _unfit(error, incoming.type) from error


def _unfit(error: AttachmentError, sed: SedType) -> DocumentRefused:
    return refused(ExceptionCause.NOT_VALID, error.message, hint=error.hint, sed=sed)


def _process(office: Office, document: StandardBusinessDocument) -> BucDefinition:
    try:
        return office.library.processes.get(document.header.scope.buc)
    except DefinitionError as error:
        raise _refusal(ExceptionCause.OTHER, error.message, document) from error


def _check_routing(process: BucDefinition, document: StandardBusinessDocument) -> None:
    header = document.header
    if not is_routed_rightly(process, header):
        raise _refusal(
            ExceptionCause.NOT_VALID,
            f"Expected a routing application to send what routing applications send, and nothing else, "
            f"found {header.document.type} from the {header.sender.role}",
            document,
        )


def _check_competence(office: Office, case: Case, incoming: IncomingDocument) -> None:
    """Whoever takes part from now on must be competent; asked once, when the case comes (inferred)."""
    station = office.station
    try:
        station.directory.current.require_competent(case.own, case.buc, case.role, at=station.clock.now())
    except RoutingError as error:
        raise refused(
            ExceptionCause.NOT_COMPETENT, error.message, hint=error.hint, sed=incoming.type
        ) from error


def _new_case_id(office: Office) -> CaseId:
    return CaseId(office.station.ids.number())


def _refusal(
    cause: ExceptionCause, sentence: str, document: StandardBusinessDocument | None = None
) -> DocumentRefused:
    return refused(cause, sentence, sed=document.header.document.type if document else _UNKNOWN_SED)


def _word(valid: bool) -> str:
    return "true" if valid else "false"


def _told(incoming: IncomingDocument, says: Statement, text: str) -> IncomingDocument:
    """Return the document with what its content says; who it brings in is a newcomer among the participants."""
    change = says.change
    joins = change.joins if change else None
    listed = tuple(
        replace(each, joined=change.leaves is None, follows=change.leaves)
        if change is not None and each.institution == joins
        else each
        for each in incoming.participants
    )
    return replace(incoming, facts=says.facts, change=change, participants=listed, text=text)


def incoming_document(
    document: StandardBusinessDocument, unit: UserMessage, message: StoredMessage
) -> IncomingDocument:
    """Return what the engine has to know about a document, in its own words.

    Raises:
        ValueError: a role or an action of system messages, or a strange property.
        IdentifierError: a property is no id.
    """
    header = document.header
    parent, parent_version = value_of(unit, PARENT), value_of(unit, PARENT_VERSION)
    author, everybody = value_of(unit, AUTHOR), value_of(unit, PARTICIPANTS)
    partners = (header.sender, *header.receivers)
    others = header.receivers[1:] if author else header.receivers
    return IncomingDocument(
        type=header.document.type,
        document_id=header.scope.set_id,
        version=header.scope.document_version,
        international_id=header.scope.case_id,
        cdm=header.document.version,
        sender=header.sender.id,
        sender_role=role_in_case(header.sender),
        participants=participants.read(everybody)
        if everybody
        else tuple(Participant(partner.id, role_in_case(partner)) for partner in partners),
        case_action=CaseAction(header.document.case_action.value),
        parent_id=DocumentId(parent) if parent else None,
        parent_version=_number(parent_version) if parent_version else None,
        message_id=message.message_id,
        receivers=tuple(partner.id for partner in others),
        author=InstitutionId(author) if author else None,
    )


def _number(version: str) -> int:
    """Return the number of a version; ``int`` alone would take signs, blanks, underscores and other digits too."""
    if not _VERSION.fullmatch(version):
        raise ValueError(
            f'Expected a version like 1 in the property {PARENT_VERSION}, found "{version[:40]}"'
        )
    return int(version)
