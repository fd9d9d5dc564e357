"""Documents that are wrong and were sent all the same: the access point stops them and tells the sender why.

The messages are signed by the sender as it should be; only what they carry is wrong.
"""

from dataclasses import replace
from uuid import UUID

from tests.helpers.forge import Draft, held_back, let_go, post, unpacked
from tests.helpers.lab import A003, A012, BA, NAV, POINT, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.model import ErrorSignal, Party
from eessi_sim.identifiers import BucType, CdmVersion, DocumentId, InternationalId, SedType
from eessi_sim.sbdh import CaseAction, ContactTypeIdentifier, Partner
from eessi_sim.storage.base import Direction, MessageKind

OWNER, OTHER = ContactTypeIdentifier.CASE_OWNER, ContactTypeIdentifier.COUNTERPARTY


async def assert_refused(lab: Lab, code: str, *words: str) -> None:
    """The sender knows code and reason, its delivery failed, and the receiver never saw the message."""
    message = await lab.sent(NAV)
    assert message.state == "rejected"
    assert (message.last_error or "").startswith(code)
    for word in words:
        assert word in (message.last_error or "")
    assert await lab.delivery(NAV) == "error"
    assert not await lab.messages(ZUS, Direction.IN)


async def forged(lab: Lab, draft: Draft) -> None:
    """Send the draft in place of what waits, signed by NO:NAVAT07."""
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))


def sample(lab: Lab, sed: str) -> xmlsafe.Element:
    """The sample of a SED."""
    path = lab.node(NAV).office.library.catalogue.get(SedType(sed), CdmVersion("4.4")).sample
    assert path is not None
    return xmlsafe.parse(path.read_bytes())


async def test_forged_message_that_is_right_is_delivered(lab: Lab) -> None:
    """The counter-test of this file: a message made anew without a fault arrives."""
    await forged(lab, await held_back(lab))
    assert await lab.delivery(NAV) == "delivered"
    assert await lab.types(ZUS) == ["A003"]


async def test_unknown_receiver_is_a_routing_failure(lab: Lab) -> None:
    """A To party that the directory does not list is EBMS:0020, and the reason names it."""
    await forged(lab, (await held_back(lab)).addressed(receiver="PL:NOBODY"))
    await assert_refused(lab, "EBMS:0020", "PL:NOBODY")


async def test_receiver_whose_entry_has_ended_is_a_routing_failure(lab: Lab) -> None:
    """An institution that is not listed any more gets nothing."""
    draft = await held_back(lab)
    lab.enlist(replace(lab.directory.current.get(ZUS), valid_until=lab.clock.now()))
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0020", "PL:ZUS01")


async def test_receiver_that_is_not_competent_is_refused(lab: Lab) -> None:
    """The access point asks the directory about the receiver's competence in its role."""
    draft = await held_back(lab)
    lab.enlist(replace(lab.directory.current.get(ZUS), competences=()))
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "PL:ZUS01", "Counterparty in LA_BUC_02")


async def test_receiver_that_is_not_ready_is_refused(lab: Lab) -> None:
    """A receiver must handle the process in EESSI already."""
    draft = await held_back(lab)
    zus = lab.directory.current.get(ZUS)
    lab.enlist(replace(zus, competences=tuple(replace(each, ready=False) for each in zus.competences)))
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "not ready")


async def test_sender_that_is_not_competent_is_refused(lab: Lab) -> None:
    """The access point asks the directory about the sender's competence, too."""
    draft = await held_back(lab)
    lab.enlist(replace(lab.directory.current.get(NAV), competences=()))
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "NO:NAVAT07", "CaseOwner in LA_BUC_02")


async def test_wrong_role_is_refused_with_what_the_role_may_send(lab: Lab) -> None:
    """A counterparty does not send the A003 of LA_BUC_02; the reason names process and role."""
    await forged(lab, (await held_back(lab)).with_roles(OTHER, OWNER))
    await assert_refused(lab, "EBMS:0004", "Counterparty sends in LA_BUC_02", "A003")


async def test_role_that_is_not_of_a_case_is_refused(lab: Lab) -> None:
    """Central services have roles that occur in no case."""
    await forged(lab, (await held_back(lab)).with_roles(ContactTypeIdentifier.DATA_SOURCE, OTHER))
    await assert_refused(lab, "EBMS:0004", "DataSource")


async def test_document_that_the_process_does_not_know_is_refused(lab: Lab) -> None:
    """A U001 has no place in LA_BUC_02."""
    draft = (await held_back(lab)).with_sed(sample(lab, "U001"), lab.keys(NAV).seal)
    await forged(lab, draft.with_document(type=SedType("U001")))
    await assert_refused(lab, "EBMS:0004", "U001", "LA_BUC_02")


async def test_process_that_nobody_knows_is_refused(lab: Lab) -> None:
    """A process without definition is found before the document is looked at."""
    draft = (await held_back(lab)).with_scope(buc=BucType("LA_BUC_99"))
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "LA_BUC_99")


async def test_only_a_starter_starts_a_case(lab: Lab) -> None:
    """A document with the action Start must be a starter of the process."""
    draft = (await held_back(lab)).with_sed(sample(lab, "X009"), lab.keys(NAV).seal)
    await forged(lab, draft.with_document(type=SedType("X009")))
    await assert_refused(lab, "EBMS:0004", "starter of LA_BUC_02", "X009")


async def test_action_of_system_messages_is_refused_in_a_case(lab: Lab) -> None:
    """Request belongs to synchronisation; a document of a case starts, adds or updates."""
    await forged(lab, (await held_back(lab)).with_document(case_action=CaseAction.REQUEST))
    await assert_refused(lab, "EBMS:0004", "Request")


async def test_update_of_a_document_that_never_passed_is_refused(lab: Lab) -> None:
    """A new version needs a first one; it is waited for in vain."""
    await forged(lab, (await held_back(lab)).with_document(case_action=CaseAction.UPDATE))
    await assert_refused(lab, "EBMS:0004", "before A003 in this case")


async def test_sender_in_the_envelope_is_the_one_of_the_message(lab: Lab) -> None:
    """The SBDH may not name another sender than the ebMS header."""
    draft = await held_back(lab)
    await forged(lab, draft.with_header(sender=Partner(BA, OWNER)))
    await assert_refused(lab, "EBMS:0004", "Sender/Identifier", "DE:BA01", "NO:NAVAT07")


async def test_receiver_in_the_envelope_is_the_one_of_the_message(lab: Lab) -> None:
    """The SBDH may not name another receiver than the ebMS header."""
    draft = await held_back(lab)
    await forged(lab, draft.with_header(receivers=(Partner(BA, OTHER),)))
    await assert_refused(lab, "EBMS:0004", "Receiver/Identifier", "DE:BA01", "PL:ZUS01")


async def test_type_in_the_envelope_is_the_one_of_the_document(lab: Lab) -> None:
    """The SBDH may not say A008 above an A003."""
    await forged(lab, (await held_back(lab)).with_document(type=SedType("A008")))
    await assert_refused(lab, "EBMS:0004", "DocumentIdentification/Type", "A003")


async def test_version_in_the_envelope_is_the_one_of_the_document(lab: Lab) -> None:
    """The SBDH may not say CDM 4.3 above a document of 4.4."""
    await forged(lab, (await held_back(lab)).with_document(version=CdmVersion("4.3")))
    await assert_refused(lab, "EBMS:0004", "ns/4_3/A003")


async def test_schema_invalid_document_is_refused_with_its_findings(lab: Lab) -> None:
    """The error carries the findings with the path of the element, for the sender to learn from."""
    draft = (await held_back(lab)).edited(rb"<familyName>.*?</familyName>", b"", lab.keys(NAV).seal)
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "valid A003")
    signal = unpacked(await lab.received(NAV, MessageKind.ERROR)).unit
    assert isinstance(signal, ErrorSignal)
    assert "PersonIdentification" in (signal.errors[0].detail or "")


async def test_rule_breaking_document_is_refused_with_the_rule(lab: Lab) -> None:
    """The error names the business rule that was broken."""
    seal = lab.keys(NAV).seal
    draft = (await held_back(lab)).edited(rb"<endDate>.*?</endDate>", b"<endDate>1999-01-01</endDate>", seal)
    await forged(lab, draft)
    await assert_refused(lab, "EBMS:0004", "valid A003")
    signal = unpacked(await lab.received(NAV, MessageKind.ERROR)).unit
    assert isinstance(signal, ErrorSignal)
    assert "A003-R03" in (signal.errors[0].detail or "")


async def test_document_of_a_type_without_schema_is_refused(lab: Lab) -> None:
    """What the catalogue does not know cannot be checked, so it does not pass."""
    draft = await held_back(lab)
    edited = draft.edited(rb"<([a-z0-9]+:)?A003 ", b"<\\1A099 ").edited(
        rb"</([a-z0-9]+:)?A003>", b"</\\1A099>"
    )
    await forged(lab, edited.with_document(type=SedType("A099")))
    await assert_refused(lab, "EBMS:0004", "A099")


async def test_message_without_a_part_is_refused(lab: Lab) -> None:
    """A business message carries a SED."""
    draft = await held_back(lab)
    await let_go(lab, draft.packed(lab.keys(NAV).ebms, payloads=()))
    await assert_refused(lab, "EBMS:0004", "no part")


async def test_part_that_is_no_envelope_is_refused(lab: Lab) -> None:
    """The first part must be an SBDH with a SED in it."""
    draft = await held_back(lab)
    bare = msh.compressed_payload("sed@forged.example", draft.sed, "application/xml", "SED")
    await let_go(lab, draft.packed(lab.keys(NAV).ebms, payloads=(bare,)))
    await assert_refused(lab, "EBMS:0004", "StandardBusinessDocument")


async def test_part_that_is_no_xml_is_refused(lab: Lab) -> None:
    """Some other file in the place of the SED is found by the access point."""
    draft = await held_back(lab)
    picture = msh.compressed_payload("sed@forged.example", b"\x89PNG", "application/xml", "SED")
    await let_go(lab, draft.packed(lab.keys(NAV).ebms, payloads=(picture,)))
    await assert_refused(lab, "EBMS:0004")


async def test_part_that_cannot_be_decompressed_is_refused(lab: Lab) -> None:
    """A broken gzip stream is EBMS:0303."""
    draft = await held_back(lab)
    good = msh.compressed_payload("sed@forged.example", draft.sed, "application/xml", "SED")
    await let_go(lab, draft.packed(lab.keys(NAV).ebms, payloads=(replace(good, octets=b"\x1f\x8bnonsense"),)))
    await assert_refused(lab, "EBMS:0303")


async def test_refused_message_stays_visible_at_the_access_point(lab: Lab) -> None:
    """The access point keeps what it refused, with the reason, and a line in its journal."""
    await forged(lab, (await held_back(lab)).with_roles(OTHER, OWNER))
    assert (await lab.received(POINT)).state == "rejected"
    assert ("checked", "EBMS:0004") in await lab.steps(POINT)
    assert not await lab.messages(POINT, Direction.OUT)


async def test_error_is_signed_by_the_access_point_and_travels_as_a_message(lab: Lab) -> None:
    """The refusal is kept by both sides: a multi-hop error signal about the message."""
    await forged(lab, (await held_back(lab)).with_roles(OTHER, OWNER))
    error = await lab.received(NAV, MessageKind.ERROR)
    assert error.ref_to == (await lab.sent(NAV)).message_id
    assert error.body == (await lab.sent(POINT, MessageKind.ERROR)).body
    msh.verify(
        unpacked(error),
        candidates=[lab.keys(POINT).ebms.certificate],
        trust=lab.network.credentials.trust,
        at=lab.clock.now(),
    )


def reply_to(draft: Draft, lab: Lab, sed: str = "A012") -> Draft:
    """An answer of PL:ZUS01 to the held back message of NO:NAVAT07, made without having seen it."""
    header = draft.header
    answer = replace(
        draft,
        header=replace(
            header,
            sender=Partner(ZUS, OTHER),
            receivers=(Partner(NAV, OWNER),),
            scope=replace(header.scope, set_id=DocumentId(32 * "a")),
            document=replace(
                header.document, type=SedType(sed), case_action=CaseAction.NEW, instance_id=UUID(int=1)
            ),
        ),
        unit=replace(draft.unit, sender=Party(ZUS), receiver=Party(NAV), properties=()),
    )
    return answer.named(f"reply@{ZUS.domain}").with_sed(sample(lab, sed), lab.keys(ZUS).seal)


async def test_reply_before_its_request_is_held(lab: Lab) -> None:
    """Messages may overtake each other, so the access point waits for the request for a while."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    lab.take_down(ZUS)
    await post(lab, reply_to(draft, lab).packed(lab.keys(ZUS).ebms), client=ZUS)
    assert ("checked", "held") in await lab.steps(POINT)
    assert (await lab.received(POINT)).state == "received"


async def test_reply_whose_request_does_not_come_is_refused(lab: Lab) -> None:
    """After the last wait the answer is refused; its addressee never sees it."""
    draft = reply_to(await held_back(lab), lab).with_scope(case_id=InternationalId(32 * "b"))
    lab.bring_up(POINT)
    await post(lab, draft.packed(lab.keys(ZUS).ebms), client=ZUS)
    await lab.work(30)
    assert (await lab.steps(POINT)).count(("checked", "held")) == 3
    assert ("checked", "EBMS:0004") in await lab.steps(POINT)
    assert "A012" not in await lab.types(NAV)


async def test_reply_is_forwarded_as_soon_as_its_request_has_passed(lab: Lab) -> None:
    """A held answer goes on when the request comes meanwhile; both arrive."""
    draft = await held_back(lab)
    lab.bring_up(POINT)
    await post(lab, reply_to(draft, lab).packed(lab.keys(ZUS).ebms), client=ZUS)
    assert await lab.types(NAV) == ["A003"]
    await lab.work(30)
    assert await lab.types(NAV) == ["A003", "A012"]
    assert (await lab.document(NAV, A012)).parent_id == (await lab.document(NAV, A003)).id


async def test_request_under_a_conversation_id_of_its_own_gets_its_reply(lab: Lab) -> None:
    """The case id of the envelope makes the case; other products choose the ConversationId freely (observed)."""
    draft = await held_back(lab)
    work = replace(draft.unit.collaboration, conversation_id="conversation-of-its-own")
    await forged(lab, draft.with_unit(collaboration=work))
    await lab.reply(ZUS, A012, to=A003)
    assert ("checked", "held") not in await lab.steps(POINT)
    assert await lab.types(NAV) == ["A003", "A012"]


async def test_document_of_the_process_without_a_schema_is_refused(sent: Lab) -> None:
    """The table of LA_BUC_02 knows A005, the catalogue does not: what cannot be checked does not pass."""
    draft = (
        Draft.of(await sent.sent(NAV)).edited(rb"ns/4_4/A003", b"ns/4_4/A005").edited(rb":A003 ", b":A005 ")
    )
    edited = draft.edited(rb":A003>", b":A005>", seal=sent.keys(NAV).seal).named(f"second@{NAV.domain}")
    edited = edited.with_document(type=SedType("A005"), case_action=CaseAction.NEW)
    await post(sent, edited.packed(sent.keys(NAV).ebms))
    assert ("checked", "EBMS:0004") in await sent.steps(POINT)
    assert "A005" in await sent.reasons(POINT)
    assert await sent.types(ZUS) == ["A003"]
