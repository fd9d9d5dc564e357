"""Where the content of a document comes from when nobody types it: the sample, filled from the case.

How a document of one type is derived from others of its case is data (``<SED>.answer.yaml``), so that one case
speaks about one person, with consistent periods and references. Nothing here knows what a SED contains.
"""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path

from eessi_sim import xmlsafe
from eessi_sim.buc.case import Case
from eessi_sim.cdm.answers import Answer
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType
from eessi_sim.storage.base import NodeStore
from eessi_sim.xmlsafe import Element


@lru_cache(maxsize=256)
def _sample(path: Path) -> Element:
    return xmlsafe.parse(path.read_bytes())


@lru_cache(maxsize=256)
def _answer(path: Path) -> Answer:
    return Answer.load(path)


def compose(catalogue: Catalogue, sed: SedType, case: Case, store: NodeStore) -> Element:
    """Return the content of a new document of type ``sed`` in ``case``.

    Raises:
        DefinitionError: the type has no sample to start from.
    """
    definition = catalogue.get(sed, case.cdm)
    if definition.sample is None:
        raise DefinitionError(
            f"Expected a sample of {sed} {case.cdm}, found none",
            hint=f"Add {sed}.sample.xml beside {sed}.xsd.",
        )
    root = deepcopy(_sample(definition.sample))
    return _fill(definition, root, _documents(case, store))


def _fill(definition: SedDefinition, root: Element, sources: dict[SedType, Element]) -> Element:
    if definition.answer is None or not sources:
        return root
    return _answer(definition.answer).compose(root, sources)


def _documents(case: Case, store: NodeStore) -> dict[SedType, Element]:
    """Return the newest document of each type that was exchanged in the case."""
    found: dict[SedType, Element] = {}
    for stored in store.documents(case.id, with_content=True):
        found[stored.sed] = xmlsafe.parse(stored.content)
    return found
