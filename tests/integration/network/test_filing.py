"""What a receiver does with a verified message: hold what came too early, refuse what fits nowhere, file the rest.

Most of these faults are stopped by the access point; here it brings them as if it did not check.
"""

import asyncio
from dataclasses import replace

import pytest
from tests.helpers.forge import Draft, held_back, ping, post, token_for
from tests.helpers.lab import A003, A012, DRV, INSS, NAV, P_BUC_01, POINT, ZUS, Lab

from eessi_sim.as4 import msh
from eessi_sim.as4.model import RoutingInput
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.gateway.records import outgoing
from eessi_sim.identifiers import BucType, CdmVersion, DocumentId, InternationalId, SedType
from eessi_sim.sbdh import CaseAction, ContactTypeIdentifier, Partner
from eessi_sim.storage.base import Direction, MessageKind, UnitOfWork

P2000, P4000, X050 = map(SedType, ("P2000", "P4000", "X050"))
OWNER, OTHER = ContactTypeIdentifier.CASE_OWNER, ContactTypeIdentifier.COUNTERPARTY


async def brought(lab: Lab, draft: Draft) -> None:
    """Let the access point bring a message of NO:NAVAT07 to PL:ZUS01 without checking it."""
    await post(lab, draft.packed(lab.keys(NAV).ebms), client=POINT, to=ZUS)


async def assert_refused(lab: Lab, cause: str, *words: str) -> None:
    """The message is a dead letter with cause and reason; no case was opened."""
    message = await lab.received(ZUS)
    assert message.state == "rejected"
    assert message.details["cause"] == cause
    for word in words:
        assert word in (message.last_error or "")
    assert ("filed", "refused") in await lab.steps(ZUS)
    assert not await lab.store(ZUS).cases()


async def overtaking(lab: Lab) -> tuple[Draft, Draft]:
    """The starter and the second document of a pension case; neither has left yet."""
    first = await held_back(lab, P2000, owner=INSS, others=[DRV], buc=P_BUC_01)
    await lab.reply(INSS, P4000)
    return first, Draft.of((await lab.messages(INSS, Direction.OUT))[-1])


async def test_document_that_overtook_the_starter_is_held(lab: Lab) -> None:
    """A document of an unknown case waits, because its starter may be on the way."""
    _, second = await overtaking(lab)
    await post(lab, second.packed(lab.keys(INSS).ebms), client=POINT, to=DRV)
    message = await lab.received(DRV)
    assert (message.state, message.attempts) == ("received", 1)
    assert ("held", "03") in await lab.steps(DRV)
    assert "P4000" in (message.last_error or "")


async def test_held_document_is_filed_when_the_starter_has_come(lab: Lab) -> None:
    """Both are filed in the right order, and nothing of the wait is left."""
    first, second = await overtaking(lab)
    await post(lab, second.packed(lab.keys(INSS).ebms), client=POINT, to=DRV)
    await post(lab, first.packed(lab.keys(INSS).ebms), client=POINT, to=DRV)
    await lab.work(5)
    assert await lab.types(DRV) == ["P2000", "P4000"]
    assert [message.state for message in await lab.messages(DRV, Direction.IN)] == ["delivered", "delivered"]


async def test_held_document_without_a_starter_is_refused_in_the_end(lab: Lab) -> None:
    """After 1, 3 and 9 seconds the wait is over; the message is a dead letter and opens no case."""
    _, second = await overtaking(lab)
    await post(lab, second.packed(lab.keys(INSS).ebms), client=POINT, to=DRV)
    await lab.work(14)
    message = await lab.received(DRV)
    assert message.state == "rejected"
    assert (message.last_error or "").startswith("03")
    assert (await lab.steps(DRV)).count(("held", "03")) == 3
    assert not await lab.store(DRV).cases()
    assert (await lab.sent(DRV)).details["sed"] == X050


async def test_starter_that_is_not_ours_is_answered_by_an_exception(lab: Lab) -> None:
    """A case in which the receiver is not competent is not opened; the access point would have known."""
    draft = await held_back(lab)
    entry = lab.directory.current.get(ZUS)
    lab.enlist(replace(entry, competences=()))
    await brought(lab, draft)
    await assert_refused(lab, "06", "to be competent as Counterparty")
    lab.enlist(entry)
    lab.bring_up(POINT)
    await lab.work(30)
    assert X050 in await lab.types(NAV)


async def test_exception_about_an_unknown_case_is_not_answered(sent: Lab) -> None:
    """Two nodes that refuse each other's exceptions would go on for ever."""
    root = await sent.node(NAV).compose((await sent.case(NAV)).id, X050)
    draft = Draft.of(await sent.sent(NAV)).named(f"other@{NAV.domain}").with_sed(root, sent.keys(NAV).seal)
    draft = draft.with_document(type=X050, case_action=CaseAction.NEW)
    await brought(sent, draft.with_scope(case_id=InternationalId(32 * "a"), set_id=DocumentId(32 * "b")))
    await sent.work(30)
    assert ("filed", "refused") in await sent.steps(ZUS)
    assert await sent.messages(ZUS, Direction.OUT) == ()


async def test_message_whose_part_is_no_envelope_is_not_filed(lab: Lab) -> None:
    """What cannot be read is kept as it came."""
    draft = await held_back(lab)
    bare = msh.compressed_payload("sed@forged.example", draft.sed, "application/xml", "SED")
    await post(lab, draft.packed(lab.keys(NAV).ebms, payloads=(bare,)), client=POINT, to=ZUS)
    await assert_refused(lab, "01", "StandardBusinessDocument")


async def test_message_without_a_part_is_not_filed(lab: Lab) -> None:
    """A business message without a document is kept as a dead letter."""
    draft = await held_back(lab)
    await post(lab, draft.packed(lab.keys(NAV).ebms, payloads=()), client=POINT, to=ZUS)
    await assert_refused(lab, "01")


async def test_envelope_that_contradicts_the_message_is_not_filed(lab: Lab) -> None:
    """The receiver compares SBDH and ebMS header, too."""
    draft = await held_back(lab)
    await brought(lab, draft.with_header(sender=Partner(DRV, OWNER)))
    await assert_refused(lab, "01", "Sender/Identifier")


@pytest.mark.parametrize("role", [ContactTypeIdentifier.DATA_SOURCE, ContactTypeIdentifier.INTELLIGENT_RA])
async def test_role_that_is_not_of_a_case_is_not_filed(lab: Lab, role: ContactTypeIdentifier) -> None:
    """Roles of system messages and routing applications take part in no case."""
    await brought(lab, (await held_back(lab)).with_roles(role, OTHER))
    await assert_refused(lab, "01", str(role))


async def test_action_of_system_messages_is_not_filed(lab: Lab) -> None:
    """Request is nothing that happens to a case."""
    await brought(lab, (await held_back(lab)).with_document(case_action=CaseAction.REQUEST))
    await assert_refused(lab, "01", "Request")


async def test_process_that_the_receiver_does_not_know_is_refused(lab: Lab) -> None:
    """A process without definition cannot be played."""
    await brought(lab, (await held_back(lab)).with_scope(buc=BucType("LA_BUC_99")))
    await assert_refused(lab, "99", "LA_BUC_99")


async def test_version_that_the_receiver_does_not_know_is_refused(lab: Lab) -> None:
    """A document of a data model without schemas is a version that is not supported."""
    draft = await held_back(lab)
    other = CdmVersion("4.5")
    edited = draft.edited(rb"ns/4_4/A003", b"ns/4_5/A003").edited(rb'sedVer="4"', b'sedVer="5"')
    sealed = edited.edited(b"", b"", seal=lab.keys(NAV).seal).with_document(version=other)
    await brought(lab, sealed.with_scope(buc_version=other))
    await assert_refused(lab, "02", "4.5")


async def test_participant_list_without_the_receiver_is_refused(lab: Lab) -> None:
    """A starter must name its receiver as counterparty."""
    await brought(lab, (await held_back(lab)).with_roles(OWNER, OWNER))
    await assert_refused(lab, "01", "counterparty")


async def test_second_starter_for_a_known_case_id_is_refused(sent: Lab) -> None:
    """Another A003 under the id of a case that runs is not expected; the owner learns it by X050."""
    draft = (
        Draft.of(await sent.sent(NAV)).named(f"second@{NAV.domain}").with_scope(set_id=DocumentId(32 * "a"))
    )
    await brought(sent, draft)
    await sent.work(30)
    assert [message.state for message in await sent.messages(ZUS, Direction.IN)] == ["delivered", "rejected"]
    assert await sent.types(NAV) == ["A003", "X050"]


async def test_document_in_a_case_of_another_process_is_refused(sent: Lab) -> None:
    """The process of a case never changes."""
    draft = Draft.of(await sent.sent(NAV)).named(f"second@{NAV.domain}")
    await brought(sent, draft.with_scope(set_id=DocumentId(32 * "a"), buc=BucType("LA_BUC_04")))
    await sent.work(30)
    (_, refused) = await sent.messages(ZUS, Direction.IN)
    assert (refused.state, refused.details["cause"]) == ("rejected", "04")


async def test_exception_that_cannot_be_sent_is_noted(sent: Lab) -> None:
    """The refusal is kept even when the sender may not get an X050 any more."""
    sent.enlist(replace(sent.directory.current.get(NAV), competences=()))
    draft = (
        Draft.of(await sent.sent(NAV)).named(f"second@{NAV.domain}").with_scope(set_id=DocumentId(32 * "a"))
    )
    await brought(sent, draft.edited(rb"<town>.*?</town>", b"<town>Elsewhere</town>"))
    assert [message.state for message in await sent.messages(ZUS, Direction.IN)] == ["delivered", "rejected"]
    assert ("report", "left-out") in await sent.steps(ZUS)


async def test_two_clerks_at_once_do_not_collide(sent: Lab) -> None:
    """The second of two identical answers finds that the first was given."""
    results = await asyncio.gather(
        sent.reply(ZUS, A012, to=A003), sent.reply(ZUS, A012, to=A003), return_exceptions=True
    )
    assert [type(result) for result in results if isinstance(result, Exception)] == [ActionNotAvailable]
    assert await sent.types(ZUS) == ["A003", "A012"]


@pytest.mark.parametrize("details", [{}, {"case": 32 * "f"}])
async def test_receipt_of_a_message_without_a_case_is_believed(lab: Lab, details: dict[str, str]) -> None:
    """A ping, or a message whose case was removed, is delivered like any other."""
    unit = ping(lab, NAV, ZUS)
    packed = msh.pack_user_message(unit, (), lab.keys(NAV).ebms, token=token_for("ping"))
    work = UnitOfWork()
    way, endpoint = RoutingInput.of(unit), lab.endpoint(POINT)
    work.add_message(
        outgoing(
            packed, kind=MessageKind.USER, way=way, endpoint=endpoint, at=lab.clock.now(), details=details
        )
    )
    await lab.store(NAV).commit(work)
    await lab.network.restart(NAV)
    await lab.work(5)
    assert (await lab.sent(NAV)).state == "delivered"
