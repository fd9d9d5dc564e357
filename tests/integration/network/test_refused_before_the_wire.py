"""What an institution refuses to send: it says why, and nothing leaves the house."""

import re
from dataclasses import replace

import pytest
from tests.helpers.lab import A003, A012, BA, FK, LA_BUC_02, NAV, P_BUC_01, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.cdm.report import ValidationReport
from eessi_sim.errors import (
    ActionNotAvailable,
    CaseError,
    CaseNotFound,
    DefinitionError,
    NotCompetent,
    SedError,
    SedInvalid,
    SignatureError,
    UnknownReceiver,
    UnknownSedType,
    XmlError,
)
from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.storage.base import Direction

NOBODY = InstitutionId("PL:ZUS99")


async def nothing_left(lab: Lab) -> bool:
    """Whether no message was queued and no document kept, whatever was tried."""
    (case,) = await lab.store(NAV).cases()
    return not await lab.messages(NAV, Direction.OUT) and not case.documents


async def content(lab: Lab, sed: SedType = A003) -> bytes:
    """Valid content of a first document, as a clerk would hand it in."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    return xmlsafe.serialize(await lab.node(NAV).compose(case.id, sed))


async def test_unknown_counterparty_is_refused_with_the_nearest_id(lab: Lab) -> None:
    """A case with an institution that the directory does not list is not opened; the hint names who is near."""
    with pytest.raises(UnknownReceiver) as caught:
        await lab.node(NAV).open_case(LA_BUC_02, [NOBODY])
    assert "PL:ZUS01" in (caught.value.hint or "")
    assert not await lab.store(NAV).cases()


async def test_counterparty_that_is_not_competent_is_refused_with_those_who_are(lab: Lab) -> None:
    """The refusal says what the institution is competent for, and who would be in its country."""
    with pytest.raises(NotCompetent, match="Counterparty in UB_BUC_01") as caught:
        await lab.node(NAV).open_case(LA_BUC_02, [BA])
    assert "DE:DVKA01" in (caught.value.hint or "")


async def test_counterparty_that_is_not_ready_is_refused(lab: Lab) -> None:
    """A competence that is not handled in EESSI yet does not count."""
    zus = lab.directory.current.get(ZUS)
    lab.enlist(replace(zus, competences=tuple(replace(each, ready=False) for each in zus.competences)))
    with pytest.raises(NotCompetent, match="not ready"):
        await lab.node(NAV).open_case(LA_BUC_02, [ZUS])


async def test_institution_does_not_own_a_case_it_is_not_competent_for(lab: Lab) -> None:
    """An institution opens only cases in whose process it may be the owner."""
    with pytest.raises(NotCompetent, match="NO:NAVAT07"):
        await lab.node(NAV).open_case(P_BUC_01, [ZUS])


async def test_unknown_process_is_refused_with_those_that_are_known(lab: Lab) -> None:
    """A process without a definition cannot be opened."""
    with pytest.raises(DefinitionError, match="LA_BUC_99"):
        await lab.node(NAV).open_case(BucType("LA_BUC_99"), [ZUS])


@pytest.mark.parametrize(("buc", "more"), [("M_BUC_01", False), ("FB_BUC_01", True)])
async def test_process_of_another_sector_is_refused_for_its_seds(lab: Lab, buc: str, more: bool) -> None:
    """A process is known, but not run, when the data model in use lacks its SEDs."""
    with pytest.raises(
        UnknownSedType, match=r"SED [FM]0.. is not defined in the CDM in use \(4.4\)"
    ) as caught:
        await lab.node(NAV).open_case(BucType(buc), [ZUS])
    assert ("more of FB_BUC_01" in caught.value.message) is more
    assert f"bucs check {buc} --schemas" in (caught.value.hint or "")


async def test_receiver_that_left_the_directory_is_refused_before_the_wire(lab: Lab) -> None:
    """The directory is asked again when a document is sent: the case may be older than the entry."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    lab.unlist(ZUS)
    with pytest.raises(UnknownReceiver):
        await lab.node(NAV).send_document(case.id, A003)
    assert await nothing_left(lab)


async def test_receiver_that_lost_its_competence_is_refused_before_the_wire(lab: Lab) -> None:
    """A competence that ended after the case was opened stops the document."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    lab.enlist(replace(lab.directory.current.get(ZUS), competences=()))
    with pytest.raises(NotCompetent):
        await lab.node(NAV).send_document(case.id, A003)
    assert await nothing_left(lab)


async def test_action_that_is_not_available_is_refused_with_what_is(lab: Lab) -> None:
    """A reply before the request is refused; the refusal lists what the case offers."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    with pytest.raises(ActionNotAvailable) as caught:
        await lab.node(NAV).send_document(case.id, A012)
    offered = tuple(action.text for action in await lab.node(NAV).available_actions(case.id))
    assert "Create A003" in caught.value.available
    assert set(caught.value.available) == set(offered)
    assert await nothing_left(lab)


async def test_second_answer_to_one_request_is_refused(sent: Lab) -> None:
    """A reply that was given is not offered again."""
    await sent.reply(ZUS, A012, to=A003)
    with pytest.raises(ActionNotAvailable):
        await sent.reply(ZUS, A012, to=A003)
    assert await sent.types(ZUS) == ["A003", "A012"]


async def test_receiver_outside_the_case_is_refused(lab: Lab) -> None:
    """Only participants receive, whatever the caller names."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    with pytest.raises(CaseError, match="SE:FKSE01"):
        await lab.node(NAV).send_document(case.id, A003, receivers=(FK,))
    assert await nothing_left(lab)


async def test_schema_invalid_document_is_refused_with_all_findings(lab: Lab) -> None:
    """The report names the element, and nothing is queued."""
    data = re.sub(rb"<familyName>.*?</familyName>", b"", await content(lab))
    (case,) = await lab.store(NAV).cases()
    with pytest.raises(SedInvalid) as caught:
        await lab.node(NAV).send_document(case.id, A003, root=xmlsafe.parse(data))
    report = caught.value.report
    assert isinstance(report, ValidationReport)
    assert not report.xsd_valid
    assert any("PersonIdentification" in issue.path for issue in report.issues)
    assert await nothing_left(lab)


async def test_rule_breaking_document_is_refused_with_the_rule(lab: Lab) -> None:
    """A document that fits the schema but breaks a business rule does not leave either."""
    data = re.sub(rb"<endDate>.*?</endDate>", b"<endDate>1999-01-01</endDate>", await content(lab))
    (case,) = await lab.store(NAV).cases()
    with pytest.raises(SedInvalid) as caught:
        await lab.node(NAV).send_document(case.id, A003, root=xmlsafe.parse(data))
    report = caught.value.report
    assert isinstance(report, ValidationReport)
    assert report.xsd_valid
    assert {issue.rule for issue in report.issues if issue.severity == "error"} == {"A003-R03"}
    assert await nothing_left(lab)


async def test_content_of_another_type_is_refused(lab: Lab) -> None:
    """A document says the same as the action: an A012 is not sent as A003."""
    root = xmlsafe.parse(await content(lab, A012))
    (case,) = await lab.store(NAV).cases()
    with pytest.raises(SedError, match=r"A003 .* A012"):
        await lab.node(NAV).send_document(case.id, A003, root=root)
    assert await nothing_left(lab)


async def test_content_that_is_no_sed_is_refused(lab: Lab) -> None:
    """Some other XML is not sent."""
    case = await lab.node(NAV).open_case(LA_BUC_02, [ZUS])
    with pytest.raises((SedError, XmlError)):
        await lab.node(NAV).send_document(case.id, A003, root=xmlsafe.parse(b"<letter/>"))
    assert await nothing_left(lab)


async def test_content_that_bears_a_seal_already_is_refused(sent: Lab) -> None:
    """A document is sealed once, by whoever sends it."""
    (document,) = await sent.store(NAV).documents((await sent.case(NAV)).id, with_content=True)
    case = await sent.node(NAV).open_case(LA_BUC_02, [ZUS])
    with pytest.raises(SignatureError, match="unsigned"):
        await sent.node(NAV).send_document(case.id, A003, root=xmlsafe.parse(document.content))


async def test_unknown_case_is_refused(lab: Lab) -> None:
    """Each institution knows only its own case ids."""
    with pytest.raises(CaseNotFound, match="4711"):
        await lab.node(NAV).send_document("4711", A003)


async def test_refused_step_leaves_the_case_as_it_was(sent: Lab) -> None:
    """Nothing of a refused step is kept: no draft, no new revision, no line in the journal."""
    before, lines = await sent.case(NAV), await sent.journal(NAV)
    with pytest.raises(ActionNotAvailable):
        await sent.node(NAV).send_document(before.id, A012)
    assert await sent.case(NAV) == before
    assert await sent.journal(NAV) == lines


async def test_local_close_is_refused_where_the_process_closes_for_all(sent: Lab) -> None:
    """LA_BUC_02 closes by X001 only."""
    with pytest.raises(ActionNotAvailable, match="LocalClose"):
        await sent.node(NAV).close_case((await sent.case(NAV)).id)
    assert (await sent.case(NAV)).status == "open"
