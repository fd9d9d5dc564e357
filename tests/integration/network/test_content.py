"""Where the content of a document comes from when nobody types it."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.lab import A003, A012, NAV, ZUS, Lab

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.errors import DefinitionError, UnknownSedType
from eessi_sim.identifiers import SedType
from eessi_sim.institution import content
from eessi_sim.institution.office import Office


def value(root: xmlsafe.Element, tag: str) -> str | None:
    """The text of the first element of this name."""
    return next(root.iter(tag)).text


def office(lab: Lab, **changes: object) -> Office:
    """PL:ZUS01, with some fields changed."""
    return replace(lab.node(ZUS).office, **changes)  # type: ignore[arg-type] # tests name real fields


async def composed(lab: Lab, sed: SedType, at: Office) -> xmlsafe.Element:
    """A new document in the case of PL:ZUS01."""
    case = await lab.case(ZUS)
    return await content.compose(at, sed, case, content.facts_about(at, case))


async def test_document_speaks_about_the_person_of_the_case(sent: Lab) -> None:
    """A composed answer names the person of the request, not the one of the sample."""
    ((kept,)) = await sent.store(ZUS).documents((await sent.case(ZUS)).id, with_content=True)
    person = value(xmlsafe.parse(kept.content), "familyName")
    assert value(await composed(sent, A012, office(sent)), "familyName") == person


async def test_template_of_the_institution_wins_over_the_sample(sent: Lab, tmp_path: Path) -> None:
    """A file in its folder is what only this institution writes so."""
    sample = sent.node(ZUS).office.library.catalogue.get(A003, (await sent.case(ZUS)).cdm).sample
    assert sample is not None
    own = sample.read_text().replace("<town>Oslo</town>", "<town>Fagernes</town>")
    (tmp_path / "A003.sample.xml").write_text(own)
    towns = {
        element.text
        for element in (await composed(sent, A003, office(sent, templates=tmp_path))).iter("town")
    }
    assert ("Fagernes" in towns) == ("Fagernes" in own)


async def test_template_of_another_version_is_passed_over(sent: Lab, tmp_path: Path) -> None:
    """A template of the institution serves only documents of its own namespace."""
    sample = sent.node(ZUS).office.library.catalogue.get(A003, (await sent.case(ZUS)).cdm).sample
    assert sample is not None
    (tmp_path / "A003.sample.xml").write_text(sample.read_text().replace("/ns/4_4/", "/ns/4_2/"))
    made = await composed(sent, A003, office(sent, templates=tmp_path))
    assert xmlsafe.namespace(made).endswith("/4_4/A003")


@pytest.mark.parametrize("folder", [None, Path("/nowhere")])
async def test_institution_without_templates_uses_the_sample(sent: Lab, folder: Path | None) -> None:
    """Neither a folder nor a file of its own is needed."""
    assert xmlsafe.local_name(await composed(sent, A012, office(sent, templates=folder))) == "A012"


async def test_type_that_the_catalogue_does_not_know_cannot_be_composed(sent: Lab) -> None:
    """The refusal names the type."""
    with pytest.raises(UnknownSedType, match="A099"):
        await composed(sent, SedType("A099"), office(sent))


async def test_type_without_a_sample_cannot_be_composed(sent: Lab, tmp_path: Path) -> None:
    """The hint says which file is missing."""
    definition = sent.node(ZUS).office.library.catalogue.get(A012, (await sent.case(ZUS)).cdm)
    folder = tmp_path / "4.4" / "LA"
    folder.mkdir(parents=True)
    (folder / "A012.xsd").write_bytes(definition.xsd.read_bytes())
    library = replace(sent.node(ZUS).office.library, catalogue=Catalogue([tmp_path]))
    with pytest.raises(DefinitionError, match="sample of A012") as caught:
        await composed(sent, A012, office(sent, library=library))
    assert "A012.sample.xml" in (caught.value.hint or "")


async def test_facts_about_a_document_name_its_day_and_version(sent: Lab) -> None:
    """An X-SED can say which document it is about and when that was exchanged."""
    case = await sent.case(NAV)
    facts = content.facts_about(sent.node(NAV).office, case, case.documents[0])
    assert facts["target_sed"] == "A003"
    assert facts["target_version"] == "1"
    assert facts["target_date"] == "2026-03-02"
    assert facts["own_id"] == NAV


def test_sentence_of_an_exception_is_cut_to_its_field() -> None:
    """The problem of an X050 has room for 255 characters; the cause is told in words."""
    facts = content.exception_facts("07", 300 * "x")
    assert facts["problem"] == 255 * "x"
    assert facts["cause_text"] == "Signature not valid"
