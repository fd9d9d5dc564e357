"""Sed: a Structured Electronic Document with its type and version, read from its namespace.

The type and version of a SED stand in the namespace of its root, ``http://ec.europa.eu/eessi/ns/4_4/A003``
(melosys-skills guide to the A003 template of CDM 4.4, documented). Packages with other namespaces are recognised
by the ``catalogue``. Whether the content is right is the business of ``validation``.
"""

import re
from dataclasses import dataclass
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.errors import IdentifierError, NotASed
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"
"""Last child of a signed SED (XML Signature 1.1, 4.1); not part of its content."""
PREFIX: Final = "sed"
"""Prefix that we give to the namespace of a SED (our choice, inferred)."""
_BASE: Final = "http://ec.europa.eu/eessi/ns/"
_NAMESPACE: Final = re.compile(re.escape(_BASE) + r"([0-9]{1,2})_([0-9]{1,2})/([^/]+)")


@dataclass(frozen=True, slots=True)
class Sed:
    """A document whose root says it is a SED."""

    type: SedType
    version: CdmVersion
    root: Element
    """The SED element itself, with its signature when it has one."""

    @classmethod
    def of(cls, element: Element) -> "Sed":
        """Return ``element`` as a SED.

        Raises:
            NotASed: its namespace or name is not that of a SED.
        """
        sed_type, version = _identify(element)
        return cls(sed_type, version, element)

    @classmethod
    def read(cls, data: bytes) -> "Sed":
        """Parse one SED.

        Raises:
            XmlError: the bytes are not XML that we are willing to read.
            NotASed: the root is something else.
        """
        return cls.of(xmlsafe.parse(data))


def type_in_namespace(element: Element) -> str:
    """Return the type that the namespace of ``element`` names, empty when it is not that of a SED."""
    match = _NAMESPACE.fullmatch(xmlsafe.namespace(element))
    return match.group(3) if match is not None else ""


def _identify(element: Element) -> tuple[SedType, CdmVersion]:
    namespace, name = xmlsafe.namespace(element), xmlsafe.local_name(element)
    match = _NAMESPACE.fullmatch(namespace)
    if match is None:
        raise _not_a_sed(
            element,
            f'Expected a SED in a namespace like "{_BASE}4_4/A003", found "{name}" in "{namespace}"',
            "Take the SED out of its envelope, or give its root the namespace of its type and version.",
        )
    if match.group(3) != name:
        raise _not_a_sed(
            element,
            f'Expected the root "{match.group(3)}" as in its namespace, found "{name}"',
            "Name the root element like the last part of its namespace.",
        )
    try:
        return SedType(name), CdmVersion(f"{match.group(1)}.{match.group(2)}")
    except IdentifierError as error:
        raise _not_a_sed(element, error.message, error.hint) from error


def _not_a_sed(element: Element, message: str, hint: str | None) -> NotASed:
    return NotASed(
        message,
        hint=hint,
        found=xmlsafe.local_name(element),
        namespace=xmlsafe.namespace(element),
        path=xmlsafe.path_of(element),
        line=element.sourceline,
    )
