"""Reads what the annotations of a schema say: meaning, confidence and source.

``xs:documentation`` is the meaning; ``sim:fact`` inside ``xs:appinfo`` says how sure we are and from where
(our own vocabulary, ``schemas/README.md``). Works on the elements of lxml and of ElementTree alike, because the
schema library keeps the latter.
"""

from dataclasses import dataclass
from typing import Final, Protocol

XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
FACTS: Final = "{urn:eessi-sim:facts}"


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


def annotation_of(component: SchemaElement) -> SchemaElement | None:
    """Return the ``xs:annotation`` of a component of a schema file."""
    return component.find(f"{XSD}annotation")


def documentation_of(annotation: SchemaElement | None) -> str:
    """Return the meaning that an ``xs:annotation`` states, in one line; empty when it states none."""
    found = annotation.find(f"{XSD}documentation") if annotation is not None else None
    return " ".join((found.text or "").split()) if found is not None else ""


def fact_of(annotation: SchemaElement | None) -> Fact | None:
    """Return the confidence and source that an ``xs:annotation`` states, None when it states none."""
    found = appinfo_of(annotation, "fact")
    return Fact(found.get("confidence") or "inferred", found.get("source")) if found is not None else None


def appinfo_of(annotation: SchemaElement | None, name: str) -> SchemaElement | None:
    """Return the element ``sim:<name>`` of an ``xs:annotation``."""
    return annotation.find(f"{XSD}appinfo/{FACTS}{name}") if annotation is not None else None
