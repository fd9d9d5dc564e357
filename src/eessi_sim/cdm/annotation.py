"""Reads what the annotations of a schema say: meaning, confidence and source.

``xs:documentation`` is the meaning; ``sim:fact`` inside ``xs:appinfo`` says how sure we are and from where
(our own vocabulary, ``schemas/README.md``). Works on the elements of lxml and of ElementTree alike, because the
schema library keeps the latter.
"""

from dataclasses import dataclass
from typing import Final, Protocol

XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
FACTS: Final = "{urn:eessi-sim:facts}"
_DOCUMENTATION: Final = f"{XSD}annotation/{XSD}documentation"
_APPINFO: Final = f"{XSD}annotation/{XSD}appinfo/{FACTS}"


class SchemaElement(Protocol):
    """An element of a schema file, of either library."""

    @property
    def text(self) -> str | None:
        """Text in front of the first child."""
        ...

    def find(self, path: str, /) -> "SchemaElement | None":
        """Return the first element at ``path``."""
        ...

    def get(self, name: str, /) -> str | None:
        """Return an attribute."""
        ...


@dataclass(frozen=True, slots=True)
class Fact:
    """How sure the definition is of a component, and where it was read."""

    confidence: str
    """documented, observed or inferred."""
    source: str | None = None


def documentation_of(component: SchemaElement) -> str:
    """Return the meaning of a component in one line, empty when it has none."""
    found = component.find(_DOCUMENTATION)
    return " ".join((found.text or "").split()) if found is not None else ""


def fact_of(component: SchemaElement) -> Fact | None:
    """Return confidence and source of a component, None when it has no mark of its own."""
    found = appinfo_of(component, "fact")
    return Fact(found.get("confidence") or "inferred", found.get("source")) if found is not None else None


def appinfo_of(component: SchemaElement, name: str) -> SchemaElement | None:
    """Return the element ``sim:<name>`` of the annotation of a component."""
    return component.find(_APPINFO + name)
