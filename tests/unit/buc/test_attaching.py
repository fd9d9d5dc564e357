"""Files of a document: when they may be attached and removed, and what versions they have."""

from dataclasses import replace

import pytest
from tests.helpers.attached import PNG, a_file
from tests.helpers.processes import BY, NOW, case_of, document_id, incoming, latest, table

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Operation
from eessi_sim.buc.case import Case, CaseAction, CaseStatus, DocumentStatus, EventKind, decode, encode
from eessi_sim.buc.engine import AttachedFile
from eessi_sim.errors import ActionNotAvailable, AttachmentNotAllowed, AttachmentNotFound, DocumentNotFound
from eessi_sim.identifiers import AttachmentId, CaseId

TABLE = table("LA_BUC_04")
SENT = case_of("LA_BUC_04", "CO", "CO send A009")
GOT = case_of("LA_BUC_04", "CP", "CO send A009")
DRAFT = engine.create(SENT, TABLE, latest(SENT, "A009").type, document_id=document_id(50), **BY).case


def attached(case: Case, file: AttachedFile, sed: str = "A009") -> Case:
    """Attach a file to the latest document of a type."""
    return engine.attach(case, TABLE, latest(case, sed).id, file, **BY).case


def operations(case: Case, *, active: bool = True) -> list[Operation]:
    """What is offered, or suspended, for the files of the case's first document."""
    wanted = (Operation.ADD_ATTACHMENT, Operation.REMOVE_ATTACHMENT)
    return [
        each.operation
        for each in engine.actions(case, TABLE, NOW)
        if each.operation in wanted and each.document_id == case.documents[0].id and each.is_active == active
    ]


def test_file_of_a_draft_joins_its_version() -> None:
    """A draft stays as it is but for its file; the history tells who attached it."""
    case = attached(DRAFT, a_file(1))
    draft = latest(case, "A009")
    assert (draft.version, draft.status) == (1, DocumentStatus.NEW)
    assert [each.file_name for each in draft.attachments] == ["scan-1.pdf"]
    assert case.history[-1].kind is EventKind.ATTACHED


def test_file_of_a_sent_document_opens_it_again() -> None:
    """A sent document becomes active with a new version; the sent one keeps what travelled with it."""
    document = latest(attached(SENT, a_file(1)), "A009")
    assert (document.status, document.version) == (DocumentStatus.ACTIVE, 2)
    assert [len(version.attachments) for version in document.versions] == [0, 1]


def test_further_file_of_an_active_document_joins_the_open_version() -> None:
    """Several files make one new version."""
    document = latest(attached(attached(SENT, a_file(1)), a_file(2)), "A009")
    assert (document.version, len(document.attachments)) == (2, 2)


def test_same_file_with_other_content_is_its_next_version() -> None:
    """An attachment counts its contents; the same content again is no new one."""
    case = attached(attached(DRAFT, a_file(1)), a_file(2))
    (file, _) = latest(attached(attached(case, a_file(1, PNG)), a_file(1, PNG)), "A009").attachments
    assert [version.number for version in file.versions] == [1, 2]
    assert file.latest.size == len(PNG)


def test_removed_file_is_gone_from_the_open_version_only() -> None:
    """What was sent with a version stays with it."""
    case = attached(SENT, a_file(1))
    sent = engine.send(case, TABLE, latest(case, "A009").id, **BY).case
    outcome = engine.detach(sent, TABLE, latest(sent, "A009").id, a_file(1).id, **BY)
    document = latest(outcome.case, "A009")
    assert [len(version.attachments) for version in document.versions] == [0, 1, 0]
    assert outcome.case.history[-1].kind is EventKind.DETACHED


def test_update_keeps_the_files() -> None:
    """A new version has the files of the one before."""
    case = attached(DRAFT, a_file(1))
    saved = engine.update(case, TABLE, latest(case, "A009").id, **BY).case
    assert len(latest(saved, "A009").attachments) == 1


def test_removing_is_offered_when_there_is_something() -> None:
    """AddAttachment is offered where the table says attach, RemoveAttachment once there is a file."""
    assert operations(SENT) == [Operation.ADD_ATTACHMENT]
    assert operations(attached(SENT, a_file(1))) == [Operation.ADD_ATTACHMENT, Operation.REMOVE_ATTACHMENT]
    assert operations(GOT) == []


def test_files_are_suspended_in_a_closed_case() -> None:
    """The actions stay in a closed case and cannot be used (documented)."""
    closed = replace(attached(SENT, a_file(1)), status=CaseStatus.CLOSED)
    assert operations(closed) == []
    assert operations(closed, active=False) == [Operation.ADD_ATTACHMENT, Operation.REMOVE_ATTACHMENT]
    with pytest.raises(ActionNotAvailable, match="AddAttachment A009"):
        attached(closed, a_file(2))


def test_table_without_attach_refuses_a_file() -> None:
    """An A011 carries no files (documented); the hint names what does."""
    definition = table("LA_BUC_01")
    case = case_of("LA_BUC_01", "CP1", "CO send A001", "CP1 reply A011")
    with pytest.raises(AttachmentNotAllowed, match="A011 of the Counterparty") as refused:
        engine.attach(case, definition, latest(case, "A011").id, a_file(1), **BY)
    assert str(refused.value.hint).startswith("With attachments: ")


def test_received_document_takes_no_file() -> None:
    """Only its sender attaches files to a document."""
    with pytest.raises(ActionNotAvailable):
        attached(GOT, a_file(1))


def test_unknown_file_and_document_are_named() -> None:
    """Removing what is not there says what is."""
    case = attached(DRAFT, a_file(1))
    with pytest.raises(AttachmentNotFound) as refused:
        engine.detach(case, TABLE, latest(case, "A009").id, AttachmentId("f" * 32), **BY)
    assert refused.value.hint == "It has scan-1.pdf."
    with pytest.raises(DocumentNotFound):
        engine.detach(case, TABLE, document_id(99), a_file(1).id, **BY)


def test_received_files_grow_their_versions() -> None:
    """A new version of a document brings the new version of its file; what it does not bring is gone."""
    case = GOT
    known = latest(case, "A009")
    for version, files in enumerate(((a_file(1), a_file(2)), (a_file(1, PNG),)), start=2):
        news = incoming(
            "A009", document_id=known.id, version=version, attachments=files, case_action=CaseAction.UPDATE
        )
        outcome = engine.receive(case, TABLE, news, case_id=CaseId("1"), own=case.own, now=NOW)
        case = outcome.case
    (file,) = latest(case, "A009").attachments
    assert [each.size for each in file.versions] == [a_file(1).size, len(PNG)]


def test_case_with_files_survives_storage() -> None:
    """Attachments come back out of the JSON of a case."""
    case = attached(DRAFT, a_file(1, medical=True))
    assert decode(encode(case)) == case


def test_table_with_attach_lets_files_pass() -> None:
    """What the table allows is not refused."""
    engine.require_may_carry(TABLE, SENT.role, latest(SENT, "A009").type)
