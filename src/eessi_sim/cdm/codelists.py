"""Code lists and their labels, read from the enumerations of a schema.

A code list is a simple type with enumerations; the label of a code is its documentation. Which element uses
which list is the business of ``shape``.
"""

import difflib
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.annotation import (
    XSD,
    Fact,
    SchemaElement,
    annotation_of,
    documentation_of,
    fact_of,
)
from eessi_sim.errors import DefinitionError, XmlError

# "Norge" is 0.55 like "Norway"; below that, suggestions are noise.
_NEAR: Final = 0.5


@dataclass(frozen=True, slots=True)
class Code:
    """One code with its label in English."""

    code: str
    label: str

    def __str__(self) -> str:
        return f"{self.code} {self.label}".rstrip()


@dataclass(frozen=True, slots=True)
class CodeList:
    """A list of codes of the data model, for example Country."""

    name: str
    values: tuple[Code, ...]
    documentation: str = ""
    fact: Fact | None = None

    def find(self, code: str) -> Code | None:
        """Return the code, None when the list does not have it."""
        return next((value for value in self.values if value.code == code), None)

    def label(self, code: str) -> str:
        """Return the label of a code; the code itself when the list does not have it or gives no label."""
        found = self.find(code)
        return (found.label if found else "") or code

    def nearest(self, text: str) -> Code | None:
        """Return the code that was probably meant by ``text``, which may be a label or half a code."""
        wanted = text.strip().casefold()
        by_word = {word.casefold(): value for value in self.values for word in (value.label, value.code)}
        near = difflib.get_close_matches(wanted, by_word, n=1, cutoff=_NEAR)
        return self.meant(text) or (by_word[near[0]] if near and len(wanted) > 2 else None)

    def meant(self, text: str) -> Code | None:
        """Return the one code that ``text`` is without doubt: its label, or the code in other letters or zeros.

        A word that stands for two codes of the list is doubtful.
        """
        wanted = text.strip().casefold()
        for words in ({wanted}, {wanted.zfill(2), wanted.lstrip("0").zfill(2)}):
            found = [code for code in self.values if words & {code.code.casefold(), code.label.casefold()}]
            if found:
                return found[0] if len(found) == 1 else None
        return None


def code_list_of(
    name: str, codes: Iterable[SchemaElement], annotation: SchemaElement | None = None
) -> CodeList:
    """Return the list that a simple type with enumerations stands for.

    Args:
        name: name of the simple type.
        codes: its ``xs:enumeration`` elements.
        annotation: its ``xs:annotation``.
    """
    return CodeList(
        name,
        tuple(Code(code.get("value") or "", documentation_of(annotation_of(code))) for code in codes),
        documentation_of(annotation),
        fact_of(annotation),
    )


@functools.cache
def load(path: Path) -> Mapping[str, CodeList]:
    """Return the code lists of one schema file by name; read once per process.

    Raises:
        DefinitionError: the file cannot be read.
    """
    try:
        schema = xmlsafe.parse(path.read_bytes())
    except (OSError, XmlError) as error:
        raise DefinitionError(f"Expected a readable schema ({path})", file=path) from error
    lists = {}
    for simple_type in schema.iterchildren(f"{XSD}simpleType"):
        codes = simple_type.findall(f"{XSD}restriction/{XSD}enumeration")
        if codes:
            name = simple_type.get("name", "")
            lists[name] = code_list_of(name, codes, annotation_of(simple_type))
    return MappingProxyType(lists)
