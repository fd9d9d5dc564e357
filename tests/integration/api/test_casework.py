"""Drafts, versions, participants and the life of a case, asked in the same process and through the interface."""

import pytest
from tests.helpers.lab import A003, DRV, FK, INPS, INSS, LA_BUC_02, NAV, P_BUC_01, ZUS, Lab
from tests.integration.api.conftest import Ask

from eessi_sim import resources
from eessi_sim.buc.case import ParticipantChange
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.casework import Move
from eessi_sim.simulation.control import NodeControl

P2000, X005 = SedType("P2000"), SedType("X005")
SAMPLE_OF_A003 = (resources.schemas() / "cdm" / "4.4" / "LA" / "A003.sample.xml").read_bytes()


async def test_draft_is_kept_changed_and_sent(control: NodeControl, lab: Lab) -> None:
    """A draft reaches nobody until it is sent; what is sent is its latest content, with both versions counted."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    draft = await control.draft(case_id, A003)
    assert (draft.type, draft.status, draft.version) == (A003, "new", 1)
    content = SAMPLE_OF_A003.replace(b"<forename>", b"<forename>Anne-", 1)
    await control.save(case_id, draft.id, content=content)
    await lab.network.quiet()
    assert not await lab.store(ZUS).cases()
    await control.send_draft(case_id, draft.id, receivers=[ZUS])
    await lab.network.quiet()
    assert (await lab.document(ZUS, A003)).version == 2
    [filed] = await lab.store(ZUS).documents((await lab.case(ZUS)).id, with_content=True)
    assert b"<forename>Anne-" in filed.content


async def test_deleted_draft_is_offered_again(control: NodeControl) -> None:
    """After a draft was deleted its step is offered as before, and its content is gone."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    draft = await control.draft(case_id, A003)
    assert "Create A003" not in await control.available_actions(case_id)
    assert (await control.delete_draft(case_id, draft.id)).documents == ()
    assert "Create A003" in await control.available_actions(case_id)


async def test_sent_document_is_updated(control: NodeControl, lab: Lab) -> None:
    """A new version of a sent document goes out as an update; the receiver has one document in two versions."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    sent = (await control.send(case_id, A003)).documents[0]
    await lab.network.quiet()
    case = await control.update(case_id, sent.id)
    await lab.network.quiet()
    assert (case.documents[0].status, case.documents[0].version) == ("sent", 2)
    assert [version.number for version in (await lab.document(ZUS, A003)).versions] == [1, 2]


async def test_participants_are_chosen_before_the_starter(control: NodeControl, lab: Lab) -> None:
    """Other counterparties can be chosen until the starter is sent, and only competent ones."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    assert (await control.set_participants(case_id, [FK])).participants == (NAV, FK)
    with pytest.raises(EessiSimError, match="to be competent"):
        await control.set_participants(case_id, [DRV])
    await control.send(case_id, A003)
    with pytest.raises(EessiSimError):
        await control.set_participants(case_id, [ZUS])


async def test_case_is_removed_before_it_starts(control: NodeControl) -> None:
    """A case without a sent starter can be removed; nothing is possible in it afterwards."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    assert (await control.move(case_id, Move.REMOVE)).status == "removed"
    assert await control.available_actions(case_id) == []


async def test_copy_is_closed_archived_and_opened_again(ask: Ask, lab: Lab) -> None:
    """One copy goes through its whole life; nobody else is told."""
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    control, case_id = await ask(DRV), (await lab.case(DRV)).id
    moves = (Move.CLOSE, Move.ARCHIVE, Move.RESTORE, Move.REOPEN)
    statuses = [(await control.move(case_id, move)).status for move in moves]
    assert statuses == ["closed", "archived", "closed", "open"]
    assert [entry.step for entry in await lab.journal(DRV)][-4:] == [
        "case-closed",
        "case-archived",
        "case-restored",
        "case-reopened",
    ]
    assert (await lab.case(INSS)).status == "open"


async def test_draft_says_who_joins(ask: Ask, lab: Lab) -> None:
    """A composed SED names who joins; another name needs another draft."""
    await lab.open(P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    control, case_id = await ask(INSS), (await lab.case(INSS)).id
    draft = await control.draft(case_id, X005, change=ParticipantChange(joins=INPS))
    kept = await lab.store(INSS).document(case_id, draft.id)
    assert kept is not None
    other = kept.content.replace(INPS.encode(), InstitutionId("NO:NAVPE01").encode())
    with pytest.raises(EessiSimError, match="same change of the participants"):
        await control.save(case_id, draft.id, content=other)
    await control.save(case_id, draft.id)
    await control.send_draft(case_id, draft.id)
    await lab.work(20)
    assert [participant.institution for participant in (await lab.case(INPS)).participants] == [
        INSS,
        DRV,
        INPS,
    ]
