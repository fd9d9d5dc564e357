"""What nodes note about messages and cases never shows a person: no name, no number, no birthday."""

import pytest
from tests.helpers.forge import Draft, held_back, let_go, post
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.identifiers import DocumentId
from eessi_sim.storage.base import ALL_MESSAGES

PERSONAL = ("familyName", "forename", "dateBirth", "personalIdentificationNumber")
NO_NUMBER = (
    rb"<PINPersonInEachInstitution>.*</IfPINNotProvidedForEveryInstitutionPleaseProvide>",
    b"",
)
NO_DATE = (rb"<dateBirth>.*?</dateBirth>", b"<dateBirth>17 June 1988</dateBirth>")
WRONG = pytest.mark.parametrize("edit", [NO_NUMBER, NO_DATE])


async def noted(lab: Lab) -> str:
    """Everything that nodes show about their messages and cases, the content of documents left out."""
    messages = [
        message for party in lab.network.nodes for message in await lab.store(party).messages(ALL_MESSAGES)
    ]
    facts = [f"{message.last_error} {dict(message.details)}" for message in messages]
    return "\n".join([*map(repr, await lab.journal()), *facts])


def personal(draft: Draft) -> set[str]:
    """The values in a document that tell who it is about."""
    root = xmlsafe.parse(draft.sed)
    return {text for tag in PERSONAL for element in root.iter(tag) if (text := element.text)}


async def test_document_on_its_way_leaves_no_name_in_the_notes(sent: Lab) -> None:
    """Sending, checking, forwarding and filing are noted without the person."""
    persons = personal(Draft.of(await sent.sent(NAV)))
    assert len(persons) >= 4
    assert not [value for value in persons if value in await noted(sent)]


@WRONG
async def test_findings_of_the_access_point_leave_no_name_in_the_notes(
    lab: Lab, edit: tuple[bytes, bytes]
) -> None:
    """What is wrong with a document is told to its sender in the error itself, not in the notes."""
    draft = (await held_back(lab)).edited(*edit, seal=lab.keys(NAV).seal)
    await let_go(lab, draft.packed(lab.keys(NAV).ebms))
    assert (await lab.sent(NAV)).state == "rejected"
    assert not [value for value in personal(draft) if value in await noted(lab)]


@WRONG
async def test_findings_of_the_receiver_leave_no_name_in_the_notes(
    lab: Lab, edit: tuple[bytes, bytes]
) -> None:
    """A receiver that finds the fault itself names rule and place, not the value."""
    draft = (await held_back(lab)).edited(*edit, seal=lab.keys(NAV).seal)
    await post(lab, draft.packed(lab.keys(NAV).ebms), client=POINT, to=ZUS)
    assert ((await lab.received(ZUS)).last_error or "").startswith("01 Expected a valid A003")
    assert not [value for value in personal(draft) if value in await noted(lab)]


async def test_exception_tells_the_sender_what_is_wrong_all_the_same(sent: Lab) -> None:
    """The X050 may say more than the notes: it goes to the author of the document."""
    draft = (
        Draft.of(await sent.sent(NAV)).named(f"second@{NAV.domain}").with_scope(set_id=DocumentId(32 * "a"))
    )
    wrong = draft.edited(*NO_NUMBER, seal=sent.keys(NAV).seal)
    await post(sent, wrong.packed(sent.keys(NAV).ebms), client=POINT, to=ZUS)
    *_, x050 = await sent.store(ZUS).documents((await sent.case(ZUS)).id, with_content=True)
    (problem,) = xmlsafe.parse(x050.content).iter("problem")
    assert "has neither a personal identification number nor a place of birth" in (problem.text or "")
