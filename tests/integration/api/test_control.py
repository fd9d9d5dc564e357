"""A node answers the same whether it is asked in its own process or through its interface."""

import pytest
from tests.helpers.attached import PNG, new_file
from tests.helpers.lab import A003, A012, INPS, INSS, LA_BUC_02, NAV, P_BUC_01, POINT, ZUS, Lab
from tests.helpers.stored import a_message
from tests.integration.api.conftest import Ask, Desk, OpenDesk

from eessi_sim import resources
from eessi_sim.buc.case import Actor, ActorKind
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution import desk
from eessi_sim.simulation.control import NodeControl
from eessi_sim.simulation.inprocess import START
from eessi_sim.simulation.remote import RemoteRefusal
from eessi_sim.storage.base import UnitOfWork

SAMPLE_OF_A003 = resources.schemas() / "cdm" / "4.4" / "LA" / "A003.sample.xml"
UNKNOWN = "1234567890"


async def sent(control: NodeControl, lab: Lab) -> str:
    """Send an A003 to Poland, let it arrive, return the case."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    await control.send(case_id, A003)
    await lab.network.quiet()
    return case_id


async def test_case_is_opened_with_its_participants(control: NodeControl) -> None:
    """A case that was opened has its owner, its counterparty and no document yet."""
    case = await control.case(await control.open_case(LA_BUC_02, [ZUS]))
    assert (case.buc, case.role, case.status, case.own) == (LA_BUC_02, "CaseOwner", "open", NAV)
    assert (case.participants, case.documents) == ((NAV, ZUS), ())


async def test_document_is_composed_and_sent(control: NodeControl, lab: Lab) -> None:
    """A document without content is composed; the case shows it and, after a while, that it was delivered."""
    case = await control.case(await sent(control, lab))
    [document] = case.documents
    assert (document.type, document.direction, document.sender, document.version) == (A003, "OUT", NAV, 1)
    assert [(each.receiver, each.status) for each in document.deliveries] == [(ZUS, "delivered")]


async def test_document_with_content_of_ones_own_is_sent_as_it_is(control: NodeControl, lab: Lab) -> None:
    """Content that is handed in is what the receiver files."""
    content = SAMPLE_OF_A003.read_bytes().replace(b"<forename>", b"<forename>Anne-", 1)
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    await control.send(case_id, A003, content=content)
    await lab.network.quiet()
    [filed] = await lab.store(ZUS).documents((await lab.case(ZUS)).id, with_content=True)
    assert b"<forename>Anne-" in filed.content


async def test_files_travel_with_the_document(control: NodeControl, lab: Lab) -> None:
    """Every octet of a file, its names and its flag reach the node; the view of the case lists it."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    file = new_file("lung.png", PNG, mime_type="image/png", name="Lung", medical=True)
    (document,) = (await control.send(case_id, A003, files=[file])).documents
    (view,) = document.attachments
    assert (view.name, view.file_name, view.mime_type) == ("Lung", "lung.png", "image/png")
    assert (view.medical, view.size, view.version) == (True, len(PNG), 1)
    content = await lab.store(NAV).content(file.content.digest)
    assert content is not None
    assert content.read() == PNG


async def test_reply_names_its_parent_and_its_receivers(control: NodeControl, lab: Lab) -> None:
    """A reply is sent to those who are named, as answer to the document that is named."""
    await lab.open(owner=ZUS, others=[NAV])
    mine = await lab.case(NAV)
    parent = (await lab.document(NAV, A003)).id
    case = await control.send(mine.id, A012, parent_id=parent, receivers=[ZUS])
    await lab.network.quiet()
    assert [(each.type, each.parent_id) for each in case.documents] == [(A003, None), (A012, parent)]
    assert await lab.types(ZUS) == [A003, A012]


async def test_case_is_found_by_the_id_that_all_share(control: NodeControl) -> None:
    """The international id finds the copy of the case; an unknown one finds nothing."""
    case = await control.case(await control.open_case(LA_BUC_02, [ZUS]))
    assert await control.find_case(case.international_id) == case
    assert await control.find_case("&international_id=" + case.international_id) is None


async def test_cases_are_listed_newest_first(control: NodeControl) -> None:
    """All cases are listed, the newest in front."""
    ids = [await control.open_case(LA_BUC_02, [ZUS]) for _ in range(3)]
    assert [case.case_id for case in await control.cases()] == ids[::-1]


async def test_available_actions_are_told_in_words(control: NodeControl) -> None:
    """A new case says what can be done first."""
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    assert "Create A003" in await control.available_actions(case_id)


async def test_messages_are_listed_oldest_first(control: NodeControl, lab: Lab) -> None:
    """The message that was sent comes before its receipt, both without bytes."""
    await sent(control, lab)
    listed = await control.messages()
    assert [(each.direction, each.kind, each.state) for each in listed] == [
        ("out", "user", "delivered"),
        ("in", "receipt", "delivered"),
    ]
    assert listed[1].ref_to == listed[0].message_id
    assert listed[0].details["sed"] == A003


async def test_bytes_of_a_message_are_exact(control: NodeControl, lab: Lab) -> None:
    """The bytes of a message are those that went over the wire, with their content type."""
    await sent(control, lab)
    message = await lab.sent(NAV)
    found = await control.message("out", message.message_id)
    assert found is not None
    assert (found.content_type, found.body) == (message.content_type, message.body)


async def test_unknown_message_has_no_bytes(control: NodeControl) -> None:
    """A message that the node does not keep is not an error."""
    assert await control.message("in", "nobody@knows.example") is None


async def test_journal_goes_on_where_it_was_left(control: NodeControl, lab: Lab) -> None:
    """The journal behind a number begins with the next entry."""
    await sent(control, lab)
    entries = await control.journal()
    assert [entry.step for entry in entries] == ["case-opened", "sent", "accepted", "receipted"]
    assert list(await control.journal(entries[1].seq)) == list(entries[2:])


async def test_hundreds_of_messages_are_all_listed(control: NodeControl, lab: Lab) -> None:
    """A list of more messages than a page of the store holds is complete and in order."""
    work = UnitOfWork()
    for number in range(1200):
        work.add_message(a_message(number, state=("submitted", "delivered", "rejected")[number % 3]))
    await lab.store(NAV).commit(work)
    listed = await control.messages()
    assert [each.message_id for each in listed] == [a_message(n).message_id for n in range(1200)]


async def test_case_is_closed(ask: Ask, lab: Lab) -> None:
    """An institution closes its copy of a case whose process allows that."""
    control = await ask(INSS)
    case_id = await control.open_case(P_BUC_01, [INPS])
    await control.send(case_id, SedType("P2000"))
    await lab.network.quiet()
    assert (await control.close_case(case_id)).status == "closed"


REFUSED = {
    "unknown case": lambda control: control.case(UNKNOWN),
    "unknown case to send in": lambda control: control.send(UNKNOWN, A003),
    "unknown case to close": lambda control: control.close_case(UNKNOWN),
    "unknown case to act in": lambda control: control.available_actions(UNKNOWN),
    "receiver that does not exist": lambda control: control.open_case(
        LA_BUC_02, [InstitutionId("PL:NOBODY")]
    ),
    "receiver that is not competent": lambda control: control.open_case(
        LA_BUC_02, [InstitutionId("DE:BA01")]
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refusal_says_the_same(name: str, lab: Lab, desk: Desk) -> None:
    """What is refused is refused with the same code, sentence and hint, wherever one asks."""
    with pytest.raises(EessiSimError) as near:
        await REFUSED[name](lab.network.controls[NAV])
    with pytest.raises(RemoteRefusal) as far:
        await REFUSED[name](desk.remote(NAV))
    assert far.value.as_dict() == near.value.as_dict()
    assert (far.value.message, far.value.hint) == (near.value.message, near.value.hint)


async def test_refused_action_says_what_is_available(lab: Lab, desk: Desk) -> None:
    """A step that the process does not foresee is answered with those that it does."""
    control = desk.remote(NAV)
    case_id = await control.open_case(LA_BUC_02, [ZUS])
    with pytest.raises(RemoteRefusal) as refusal:
        await control.send(case_id, SedType("A012"))
    assert refusal.value.shape["code"] == "action-not-available"
    assert "A003" in str(refusal.value.context["available"])


async def test_access_point_can_be_read(lab: Lab, open_desk: OpenDesk) -> None:
    """The access point has messages and a journal, read the same way."""
    await lab.open()
    remote = (await open_desk(lab.network.readers[POINT])).remote(POINT)
    assert await remote.messages() == await lab.network.readers[POINT].messages()
    assert await remote.journal() == list(await lab.network.readers[POINT].journal())


async def test_suggestions_are_listed_accepted_and_declined(ask: Ask, lab: Lab) -> None:
    """A clerk decides at the node, or from another process."""
    await lab.open(owner=NAV, others=[ZUS])
    about = await lab.document(ZUS, A003)
    rule = Actor(ActorKind.RULE, "r")
    control, case_id = await ask(ZUS), (await lab.case(ZUS)).id
    for number, sed in enumerate((A012, SedType("X009"))):
        parent = about.id if sed == A012 else None
        proposal = Suggestion(
            id=str(number), rule="r", sed=sed, about=about.id, parent_id=parent, inputs=("x",), at=START
        )
        await desk.suggest(lab.node(ZUS).office, case_id, proposal, rule, UnitOfWork())
    first, second = await control.suggestions(case_id)
    assert (first.id, first.sed, first.inputs, first.receivers) == ("0", "A012", ("x",), ())
    sent = await control.accept(case_id, first.id, clerk="anna")
    assert [each.type for each in sent.documents] == [A003, A012]
    await control.decline(case_id, second.id, clerk="anna", reason="no hurry")
    assert await control.suggestions(case_id) == []
    assert (await lab.case(ZUS)).history[-1].actor == Actor(ActorKind.CLERK, "anna", "no hurry")
    with pytest.raises(EessiSimError, match="Expected a suggestion"):
        await control.accept(case_id, second.id, clerk="anna")
