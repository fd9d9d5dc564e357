"""Mends of the root of a SED: its namespace, the version that the namespace names, the version attributes.

These faults come first, because without the namespace nobody knows which schema to read.
"""

import copy
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.mend_edits import Rename, Repair, SetAttribute
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.sed import PREFIX, Sed, type_in_namespace
from eessi_sim.errors import IdentifierError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

VERSION_ATTRIBUTES: Final = ("sedGVer", "sedVer")
"""Attributes of the root that repeat the version of the namespace (observed)."""


def root_repair(element: Element, catalogue: Catalogue) -> Repair | None:
    """Return how the root of a SED that nobody defines becomes one that somebody defines.

    The version is the one that the version attributes name, else the newest. A root and a namespace that name
    two SEDs are told apart by the content: it has to fit one of them.

    Args:
        element: the root; no SED by its namespace, or of a version that is not defined.
        catalogue: knows the SEDs.
    """
    named = _definition(xmlsafe.local_name(element), element, catalogue)
    other = type_in_namespace(element)
    if other in ("", xmlsafe.local_name(element)):
        return _as(element, named) if named is not None else None
    candidates = [each for each in (named, _definition(other, element, catalogue)) if each is not None]
    fitting = [each for each in candidates if _fits(element, each)]
    return _as(element, fitting[0]) if len(fitting) == 1 else None


def version_repair(sed: Sed, name: str, expected: str) -> Repair:
    """Return how a version attribute is made to say what the namespace says.

    Args:
        sed: the document.
        name: of the attribute.
        expected: its value by the namespace.
    """
    edit = SetAttribute(sed.root, name, expected)
    return Repair(f'Write {name}="{expected}".', sed.root, [edit], depth=0)


def _definition(name: str, element: Element, catalogue: Catalogue) -> SedDefinition | None:
    try:
        sed_type = SedType(name)
    except IdentifierError:
        return None
    known = [each for each in catalogue.definitions() if each.type == sed_type]
    stated = _stated_version(element)
    return next((each for each in known if each.version == stated), known[-1] if known else None)


def _stated_version(element: Element) -> CdmVersion | None:
    try:
        return CdmVersion(".".join(element.get(name, "") for name in VERSION_ATTRIBUTES))
    except IdentifierError:
        return None


def _as(element: Element, definition: SedDefinition) -> Repair:
    tag = definition.tag
    edit = Rename(element, tag, element.prefix or PREFIX)
    return Repair(f"Write <{definition.type}> in {definition.namespace}.", element, [edit], depth=0)


def _fits(element: Element, definition: SedDefinition) -> bool:
    frame = etree.Element("frame")
    frame.append(copy.deepcopy(element))
    _as(element, definition).apply({element: frame[0]})
    return CompiledSchema.of(definition).verdict(frame[0])
