"""Where the content of a document comes from when nobody types it: a template, filled from the case.

How a document of one type is derived from others of its case is data (``<SED>.answer.yaml``), so that one case
speaks about one person, with consistent periods and references. Nothing here knows what a SED contains.
"""

from collections import defaultdict
from functools import lru_cache
from pathlib import Path

from eessi_sim import xmlsafe
from eessi_sim.buc.case import Case, Document, ParticipantChange, Statement
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.refusal import ExceptionCause
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.clock import iso
from eessi_sim.errors import DefinitionError, DocumentNotFound, IdentifierError
from eessi_sim.identifiers import DocumentId, InstitutionId, SedType
from eessi_sim.institution.office import Office
from eessi_sim.xmlsafe import Element, local_name


@lru_cache(maxsize=512)
def _template(path: Path) -> Element:
    return xmlsafe.parse(path.read_bytes())


async def compose(
    office: Office, sed: SedType, case: Case, facts: dict[str, str], received: Element | None = None
) -> Element:
    """Return the content of a new document of type ``sed`` in ``case``.

    Args:
        office: the institution; its own template wins over the sample of the catalogue.
        sed: type of the new document.
        case: the case it belongs to.
        facts: what is known about this step, see ``facts_about``.
        received: a document that is in no case of ours, as the only source; those of the case when None.

    Raises:
        DefinitionError: the type has no sample to start from.
    """
    definition = office.library.catalogue.get(sed, case.cdm)
    template = _own_template(office, definition) or definition.sample
    if template is None:
        raise DefinitionError(
            f"Expected a sample of {sed} {case.cdm}, found none",
            hint=f"Add {definition.xsd.stem}.sample.xml beside {definition.xsd.name}.",
        )
    sources = (
        await _documents(office, case, sed)
        if received is None
        else {SedType(local_name(received)): [received]}
    )
    return Answer.load(definition.answer).compose(_template(template), sources, facts)


def facts_about(
    office: Office, case: Case, target: Document | None = None, change: ParticipantChange | None = None
) -> dict[str, str]:
    """Return the facts that an answer file may name.

    Args:
        office: the institution.
        case: the case.
        target: the document that an X-SED is about.
        change: who joins and who leaves, for an X-SED that says so.
    """
    now = office.station.clock.now()
    facts = {
        "now": iso(now),
        "today": now.date().isoformat(),
        "own_id": office.station.party,
        "case": case.international_id,
        "buc": case.buc,
    }
    if target is not None:
        issued = target.exchanged_at or now
        facts.update(
            target_sed=target.type,
            target_document=target.id,
            target_version=str(max(target.exchanged_version, 1)),
            target_date=issued.date().isoformat(),
        )
    return {**facts, **_facts_of(office, case, change or ParticipantChange())}


def _facts_of(office: Office, case: Case, change: ParticipantChange) -> dict[str, str]:
    """Who joins or leaves, by id and name; who leaves itself need not be named."""
    facts: dict[str, str] = {}
    for word, institution in (("joins", change.joins), ("leaves", change.leaves or case.own)):
        if institution is not None:
            listed = office.station.directory.current.find(institution)
            facts[f"{word}_id"] = institution
            facts[f"{word}_name"] = listed.name_in() if listed else institution
    return facts


def statement_of(definition: BucDefinition, sed: SedType, root: Element) -> Statement:
    """Return what a document says that its process must know: facts by name, who leaves.

    Args:
        definition: the process; says where each fact stands.
        sed: type of the document.
        root: its content.
    """
    places = definition.places_in(sed)
    stated = tuple(
        place.fact for place in places if any(each.text == place.value for each in root.findall(place.path))
    )
    rule = definition.administrative.get(sed)
    joins = _institution_at(root, rule.joins_at if rule else None)
    leaves = _institution_at(root, rule.leaves_at if rule else None)
    return Statement(
        stated if places else None, ParticipantChange(joins, leaves) if joins or leaves else None
    )


def text_of(definition: BucDefinition, sed: SedType, root: Element) -> str:
    """Return the sentence that a document about another message says for people; empty when it says none."""
    rule = definition.administrative.get(sed)
    return (root.findtext(rule.text_at) or "") if rule and rule.text_at else ""


def _institution_at(root: Element, path: str | None) -> InstitutionId | None:
    """A text that is no institution names nobody; the process then says that nobody is named."""
    text = root.findtext(path) if path else None
    try:
        return InstitutionId(text) if text else None
    except IdentifierError:
        return None


def exception_facts(cause: str, problem: str) -> dict[str, str]:
    """Return the facts of a business exception: its code, the code in words, and the sentence."""
    words = ExceptionCause(cause).name.replace("_", " ").capitalize()
    return {"cause": cause, "cause_text": words, "problem": problem[:255]}


async def as_kept(office: Office, case_id: str, document_id: DocumentId) -> Element:
    """Return the content of a document as it was stored last, draft or not, without a seal.

    Raises:
        DocumentNotFound: nothing of it was stored.
    """
    stored = await office.station.store.document(case_id, document_id)
    if stored is None:
        raise DocumentNotFound(
            f'Expected a document that was sent in case {case_id}, found "{document_id}"',
            hint="Send it first.",
        )
    root = xmlsafe.parse(stored.content)
    for seal in root.findall(SIGNATURE):
        root.remove(seal)
    return root


def _own_template(office: Office, definition: SedDefinition) -> Path | None:
    """Return the template of the institution; one of another version or package is of no use here."""
    if office.templates is None:
        return None
    path = office.templates / f"{definition.type}.sample.xml"
    return path if path.is_file() and _template(path).tag == definition.tag else None


async def _documents(office: Office, case: Case, wanted: SedType) -> dict[SedType, list[Element]]:
    """Return what was exchanged by type, newest first; drafts and the wanted type itself are no source."""
    found: defaultdict[SedType, list[Element]] = defaultdict(list)
    for stored in reversed(await office.station.store.documents(case.id, with_content=True)):
        if stored.sed != wanted and case.has_exchanged(stored.document_id, stored.version):
            found[stored.sed].append(xmlsafe.parse(stored.content))
    return dict(found)
