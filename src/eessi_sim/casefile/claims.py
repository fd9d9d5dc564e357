"""Claims of a case: reads the documents of one copy from its store and tells what has become of every claim."""

from eessi_sim import xmlsafe
from eessi_sim.buc.case import Case, Document
from eessi_sim.bulk.definition import BulkDefinition
from eessi_sim.bulk.status import ClaimTable, Said, claim_table
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import SedType
from eessi_sim.storage.base import NodeStore


async def claims_of(store: NodeStore, case: Case, catalogue: Catalogue) -> ClaimTable:
    """Return the claims of a case, as this copy knows them; none when nothing in it speaks of claims.

    Drafts and invalidated documents say nothing. Of several versions the latest that was exchanged counts.

    Args:
        store: of the node whose copy of the case it is.
        case: the copy.
        catalogue: knows what each SED says of claims.

    Raises:
        DefinitionError: a file of a SED is wrong.
    """

    def definition_of(sed: SedType) -> BulkDefinition | None:
        definition = catalogue.find(sed, case.cdm)
        return BulkDefinition.find(definition) if definition is not None else None

    spoken = [each for each in case.exchanged() if each.stands and definition_of(each.type) is not None]
    return claim_table(await _said(store, case, spoken), definition_of)


async def _said(store: NodeStore, case: Case, documents: list[Document]) -> list[Said]:
    contents = {
        (stored.document_id, stored.version): stored.content
        for stored in (await store.documents(case.id, with_content=True) if documents else ())
    }
    said = []
    for document in documents:
        number = max(each.number for each in document.versions if each.sent_at or each.received_at)
        root = xmlsafe.parse(contents[document.id, number])
        said.append(Said(document.id, document.type, number, document.sender, root))
    return said
