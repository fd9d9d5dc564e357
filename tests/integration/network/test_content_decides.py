"""What a document says decides what the case offers: reopening, follow-up wanted, a participant that leaves."""

from dataclasses import replace

import pytest
from tests.helpers.lab import BA, DRV, INPS, INSS, P_BUC_01, UB_BUC_01, WUP, Lab

from eessi_sim import xmlsafe
from eessi_sim.buc.case import CaseStatus
from eessi_sim.errors import ActionNotAvailable, CaseError
from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.xmlsafe import Element

U001, X001, X002, X003, X004, X006 = map(SedType, ("U001", "X001", "X002", "X003", "X004", "X006"))
UB_BUC_02 = BucType("UB_BUC_02")
_NO = "0"


async def _content(lab: Lab, party: InstitutionId, sed: SedType, path: str, text: str) -> Element:
    """The content that the institution would compose, with another text at one place."""
    root = await lab.node(party).compose((await lab.case(party)).id, sed)
    place = root.find(path)
    assert place is not None
    place.text = text
    return root


async def _refused(lab: Lab, party: InstitutionId, sed: SedType, indicator: str, reason: str) -> Element:
    """The content with "no" at an indicator, and the reason that the rules want beside it."""
    root = await _content(lab, party, sed, f"{indicator}/value", _NO)
    place = root.find(indicator)
    assert place is not None
    place.addnext(xmlsafe.parse(f"<{reason}><value>02</value></{reason}>".encode()))
    return root


async def _send(lab: Lab, party: InstitutionId, sed: SedType, root: Element | None = None) -> None:
    await lab.node(party).send_document((await lab.case(party)).id, sed, root=root)
    await lab.work(5)


async def _closed_and_asked(lab: Lab) -> None:
    await lab.open(U001, owner=BA, others=[WUP], buc=UB_BUC_01)
    await lab.work(5)
    await _send(lab, BA, X001)
    await _send(lab, WUP, X002)


async def test_agreed_case_is_open_again() -> None:
    """X001, X002, X003 and X004 with their contents open both copies again."""
    async with Lab.build() as lab:
        await _closed_and_asked(lab)
        assert {(await lab.case(party)).status for party in (BA, WUP)} == {CaseStatus.CLOSED}
        await _send(lab, BA, X003)
        await _send(lab, WUP, X004)
        assert {(await lab.case(party)).status for party in (BA, WUP)} == {CaseStatus.OPEN}


async def test_refusal_in_the_content_counts() -> None:
    """An X003 that says no leaves the asker nothing but a decision that says no."""
    async with Lab.build() as lab:
        await _closed_and_asked(lab)
        refusal = await _refused(
            lab, BA, X003, "ReplyRequestForReopening/agreedIndicator", "reasonForRefusal"
        )
        await _send(lab, BA, X003, refusal)
        with pytest.raises(CaseError, match="Expected a participant that agreed"):
            await _send(lab, WUP, X004)
        decision = await _refused(
            lab, WUP, X004, "ConfirmationReopening/caseReopenedIndicator", "reasonNotReopened"
        )
        await _send(lab, WUP, X004, decision)
        assert {(await lab.case(party)).status for party in (BA, WUP)} == {CaseStatus.CLOSED}


async def test_removed_institution_is_told_and_out() -> None:
    """The institution that an X006 names leaves every copy of the case."""
    async with Lab.build() as lab:
        await lab.open(SedType("P2000"), owner=INSS, others=[DRV, INPS], buc=P_BUC_01)
        await lab.work(5)
        path = "RemoveParticipant/Institution/institutionID"
        await _send(lab, INSS, X006, await _content(lab, INSS, X006, path, DRV))
        assert (await lab.case(DRV)).status is CaseStatus.CLOSED
        assert [p.institution for p in (await lab.case(INPS)).others] == [INSS]


async def test_text_that_names_no_institution_removes_nobody() -> None:
    """An X006 that names something else is not sent."""
    async with Lab.build() as lab:
        await lab.open(SedType("P2000"), owner=INSS, others=[DRV, INPS], buc=P_BUC_01)
        await lab.work(5)
        root = await _content(lab, INSS, X006, "RemoveParticipant/Institution/institutionID", "somebody")
        with pytest.raises(CaseError, match="who joins and who leaves is not said"):
            await _send(lab, INSS, X006, root)


async def test_follow_up_that_is_not_wanted_is_not_offered() -> None:
    """A U010 that asks for no follow-up leaves the counterparty without U011."""
    async with Lab.build() as lab:
        for party in (BA, WUP):
            known = lab.directory.current.get(party)
            more = (replace(each, buc=UB_BUC_02) for each in known.competences if each.buc == UB_BUC_01)
            lab.enlist(replace(known, competences=(*known.competences, *more)))
        await lab.open(SedType("U009"), owner=BA, others=[WUP], buc=UB_BUC_02)
        await lab.work(5)
        u010 = SedType("U010")
        await _send(lab, BA, u010, await _content(lab, BA, u010, "followUpRequested/value", _NO))
        with pytest.raises(ActionNotAvailable, match="U011"):
            await _send(lab, WUP, SedType("U011"))
        await _send(lab, BA, u010)
        await _send(lab, WUP, SedType("U011"))
        assert "U011" in await lab.types(BA)
