"""Who joins a running case is sent what it must know, who leaves is sent nothing more."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, post
from tests.helpers.lab import BA, DRV, INPS, INSS, P_BUC_01, POINT, Lab, changed, demo, silent

from eessi_sim.as4.model import MessageProperty
from eessi_sim.buc import engine
from eessi_sim.buc.case import CaseStatus, DocumentStatus, ParticipantChange
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType
from eessi_sim.institution import handing
from eessi_sim.institution.casework import Draft as CaseDraft
from eessi_sim.ir.model import NewcomerGets
from eessi_sim.sbdh import ContactTypeIdentifier, Partner
from eessi_sim.storage.base import AddEntry, UnitOfWork
from eessi_sim.storage.base import Direction as Way
from eessi_sim.transport.base import Response

P2000, P4000, P5000, P6000, P8000 = map(SedType, ("P2000", "P4000", "P5000", "P6000", "P8000"))
X005, X006, X007, X008 = map(SedType, ("X005", "X006", "X007", "X008"))
OWNER = ContactTypeIdentifier.CASE_OWNER
DVKA = InstitutionId("DE:DVKA01")


async def _act(
    lab: Lab,
    party: InstitutionId,
    sed: SedType,
    *,
    to: tuple[InstitutionId, ...] | None = None,
    joins: InstitutionId | None = None,
    leaves: InstitutionId | None = None,
) -> None:
    change = ParticipantChange(joins, leaves) if joins or leaves else None
    await lab.node(party).send_document((await lab.case(party)).id, sed, receivers=to, change=change)
    await lab.work(20)


def _for_pensions(lab: Lab, *parties: InstitutionId) -> None:
    """Let further institutions take part in a pension case."""
    for party in parties:
        known = lab.directory.current.get(party)
        more = (replace(each, buc=P_BUC_01) for each in lab.directory.current.get(DRV).competences[:2])
        lab.enlist(replace(known, competences=(*known.competences, *more)))


async def _pension(lab: Lab, others: Iterable[InstitutionId] = (DRV,)) -> None:
    await lab.open(P2000, owner=INSS, others=others, buc=P_BUC_01)
    await lab.work(5)


async def test_newcomer_gets_what_went_to_all() -> None:
    """The newcomer has the starter and all that went to all, latest version, under its author; the others know it."""
    async with Lab.build() as lab:
        await _pension(lab)
        starter = await lab.document(INSS, P2000)
        await _act(lab, DRV, P5000)
        await _act(lab, INSS, P8000, to=(DRV,))
        await lab.node(INSS).casework.update(
            (await lab.case(INSS)).id, starter.id, actor=(await lab.case(INSS)).history[0].actor
        )
        await lab.work(5)
        await _act(lab, INSS, X005, joins=INPS)
        assert sorted(await lab.types(INPS)) == [P2000, P5000, X005]
        assert [
            (d.type, d.sender, d.version) for d in (await lab.case(INPS)).documents if d.type != X005
        ] == [
            (P2000, INSS, 2),
            (P5000, DRV, 1),
        ]
        assert [p.institution for p in (await lab.case(DRV)).others] == [INSS, INPS]
        assert [p.institution for p in (await lab.case(INPS)).others] == [INSS, DRV]
        assert not (await lab.reasons(INPS)).count("refused")


async def test_document_handed_over_bears_the_seal_of_its_author() -> None:
    """What is handed over is the sealed document as its author sent it; the message says who that was."""
    async with Lab.build() as lab:
        await _pension(lab)
        await _act(lab, DRV, P5000)
        await _act(lab, INSS, X005, joins=INPS)
        document = await lab.document(INPS, P5000)
        kept = [
            await lab.store(party).document((await lab.case(party)).id, document.id)
            for party in (INSS, DRV, INPS)
        ]
        assert len({each.content for each in kept if each}) == 1
        brought = next(
            m for m in await lab.messages(INPS, Way.IN) if m.message_id == document.versions[0].message_id
        )
        assert (brought.sender, brought.details["sed_signature"]) == (INSS, "valid")
        [delivery] = (await lab.document(INSS, P5000)).versions[0].deliveries
        assert (delivery.receiver, delivery.status) == (INPS, "delivered")


async def test_newcomer_takes_part() -> None:
    """After it joined, its documents reach everybody and theirs reach it."""
    async with Lab.build() as lab:
        await _pension(lab)
        await _act(lab, INSS, X005, joins=INPS)
        await _act(lab, INPS, P5000)
        await _act(lab, DRV, P6000)
        assert all([{P5000, P6000} <= set(await lab.types(party)) for party in (INSS, DRV, INPS)])


@pytest.mark.parametrize(
    ("gets", "types"), [(NewcomerGets.STARTER, [P2000, X005]), (NewcomerGets.NOTHING, [X005])]
)
async def test_what_the_newcomer_gets_is_a_setting(gets: NewcomerGets, types: list[SedType]) -> None:
    """The institution that adds it decides whether it gets only the starter, or nothing."""
    async with Lab.build(changed(silent(demo()), INSS, newcomer_gets=gets)) as lab:
        await _pension(lab)
        await _act(lab, DRV, P5000)
        await _act(lab, INSS, X005, joins=INPS)
        assert sorted(await lab.types(INPS)) == types


async def test_document_of_a_newcomer_waits_for_the_sed_that_brings_it_in() -> None:
    """A document that is faster than the X005 is held, and filed when the X005 has come."""
    async with Lab.build() as lab:
        await _pension(lab)
        lab.take_down(POINT)
        await lab.node(INSS).send_document(
            (await lab.case(INSS)).id, X005, change=ParticipantChange(joins=INPS)
        )
        slow = next(
            m for m in await lab.messages(INSS, Way.OUT) if m.details["sed"] == X005 and m.receiver == DRV
        )
        tap = await lab.tap(POINT)
        tap.only, tap.instead = slow.message_id.encode(), [Response(503)] * 2
        lab.bring_up(POINT)
        await lab.work(2)
        await lab.node(INPS).send_document((await lab.case(INPS)).id, P5000)
        await lab.work(20)
        assert ("held", "05") in await lab.steps(DRV)
        assert await lab.types(DRV) == [P2000, X005, P5000]


async def test_who_was_removed_gets_nothing_more() -> None:
    """After an X006 the institution that left is sent no further document."""
    async with Lab.build() as lab:
        await _pension(lab, [DRV, INPS])
        await _act(lab, INSS, X006, leaves=DRV)
        await _act(lab, INPS, P5000)
        assert (await lab.case(DRV)).status is CaseStatus.CLOSED
        assert (P5000 in await lab.types(INSS), P5000 in await lab.types(DRV)) == (True, False)


async def test_case_is_forwarded_twice() -> None:
    """Who takes a place over has all that its predecessors had; what they had sent counts as its own."""
    async with Lab.build() as lab:
        _for_pensions(lab, BA, DVKA)
        await _pension(lab, [DRV, INPS])
        await _act(lab, INSS, P8000, to=(DRV,))
        await _act(lab, DRV, P5000)
        await _act(lab, DRV, X007, joins=BA)
        await _act(lab, BA, X007, joins=DVKA)
        assert (await lab.case(DRV)).status is (await lab.case(BA)).status is CaseStatus.ARCHIVED
        assert set(await lab.types(DVKA)) == {P2000, P5000, P8000, X007}
        assert (await lab.case(DVKA)).places_of(DVKA) == {DVKA, BA, DRV}
        await _act(lab, DVKA, P6000)
        assert (P6000 in await lab.types(INPS), P6000 in await lab.types(DRV)) == (True, False)
        assert [(await lab.case(party)).now_at(DRV) for party in (INSS, INPS)] == [DVKA, DVKA]


async def test_document_that_was_handed_over_is_invalidated_at_the_newcomer() -> None:
    """An X008 reaches everybody who has the document, the newcomer too."""
    async with Lab.build() as lab:
        await _pension(lab)
        await _act(lab, DRV, P5000)
        await _act(lab, INSS, X005, joins=INPS)
        case = await lab.case(DRV)
        await lab.node(DRV).send_document(case.id, X008, parent_id=(await lab.document(DRV, P5000)).id)
        await lab.work(5)
        assert (await lab.document(INPS, P5000)).status is DocumentStatus.CANCELLED


async def test_only_who_let_us_in_hands_documents_over() -> None:
    """A participant that sends another one's sealed document as handed over is refused; nothing of it is filed."""
    async with Lab.build() as lab:
        await _pension(lab, [DRV, INPS])
        await _act(lab, DRV, P5000)
        draft = (
            Draft.of((await lab.messages(DRV, Way.OUT))[0])
            .addressed(INPS, INSS)
            .named(f"other@{INPS.domain}")
        )
        header = draft.header
        forged = draft.with_unit(properties=(MessageProperty("AuthorId", DRV),)).with_header(
            sender=Partner(INPS, header.sender.role), receivers=(Partner(INSS, OWNER),)
        )
        packed = forged.with_scope(set_id=DocumentId(32 * "a")).packed(lab.keys(INPS).ebms)
        await post(lab, packed, client=POINT, to=INSS)
        await lab.work(30)
        assert "Expected only who let us into the case" in await lab.reasons(INSS)
        assert (await lab.types(INSS)).count(P5000) == 1


async def test_newcomer_that_is_not_listed_any_more_gets_nothing() -> None:
    """Who is no longer in the directory when a case is handed over to it is left out, and the journal says so."""
    async with Lab.build() as lab:
        _for_pensions(lab, BA)
        await _pension(lab, [DRV, INPS])
        node, case = lab.node(DRV), await lab.case(DRV)
        made = await node.casework.create_draft(
            case.id, CaseDraft(sed=X007, change=ParticipantChange(joins=BA)), actor=case.history[0].actor
        )
        outcome = engine.send(
            await lab.case(DRV),
            node.office.library.processes.get(P_BUC_01),
            made.id,
            now=lab.clock.now(),
            actor=case.history[0].actor,
        )
        lab.unlist(BA)
        work = UnitOfWork()
        assert await handing.handed_over(node.office, outcome, work) == outcome.case
        assert [write.entry.outcome for write in work.writes if isinstance(write, AddEntry)] == ["left-out"]


async def test_newcomer_that_is_not_competent_is_not_added() -> None:
    """An X005 for an institution without the competence is refused before the wire."""
    async with Lab.build() as lab:
        await _pension(lab)
        with pytest.raises(Exception, match="to be competent as Counterparty"):
            await _act(lab, INSS, X005, joins=BA)
        assert X005 not in await lab.types(INSS)
