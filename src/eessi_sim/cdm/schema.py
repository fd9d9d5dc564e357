"""CompiledSchema: whether a SED fits its schema, and if not, why.

The verdict is libxml2's, compiled once per process: it is on the path of every message. The explanation is made
only for documents that failed, in ``explanation``; where the two disagree, libxml2 wins.
"""

import functools
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm import schema_files
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.mend_edits import Diagnosis, Repair, SetText
from eessi_sim.cdm.report import Issue, Severity, line_of
from eessi_sim.xmlsafe import Element

MAX_ISSUES: Final = 100
"""How many findings of the schema a report lists; more help nobody (our choice, inferred)."""


@dataclass(frozen=True, slots=True)
class SchemaFindings:
    """What the schema finds fault with."""

    issues: tuple[Issue, ...]
    capped: int = 0
    """How many further findings there are; counted up to 1000 in all."""


class CompiledSchema:
    """The schema of one SED definition.

    Args:
        definition: names the schema file and the folder it may read from.

    Raises:
        DefinitionError: the schema cannot be compiled, or wants a file outside its folder.
    """

    def __init__(self, definition: SedDefinition) -> None:
        self._definition = definition
        self._schema = schema_files.compiled(definition.xsd, definition.root)

    @classmethod
    def of(cls, definition: SedDefinition) -> "CompiledSchema":
        """Return the compiled schema of a definition; compiled once per process."""
        return _compiled(definition)

    def verdict(self, element: Element) -> bool:
        """Return whether ``element``, a SED, fits its schema (XML Schema 1.0, by libxml2)."""
        return self._schema.validate(element)

    def explain(self, element: Element) -> tuple[Issue, ...]:
        """Return at most 100 findings about a SED that does not fit, none about one that does."""
        return self.findings(element).issues

    def findings(self, element: Element, max_issues: int = MAX_ISSUES) -> SchemaFindings:
        """Return the findings about a SED, none when it fits.

        Args:
            element: the SED.
            max_issues: how many to list; the others are counted.
        """
        diagnoses, capped = self._judged(element, max_issues)
        return SchemaFindings(tuple(diagnosis.issue for diagnosis in diagnoses), capped)

    def diagnoses(self, element: Element) -> tuple[tuple[Diagnosis, ...], int]:
        """Return at most 100 findings about a SED with their repairs, none when it fits, and how many more there are."""
        return self._judged(element, MAX_ISSUES)

    def _judged(self, element: Element, max_issues: int) -> tuple[tuple[Diagnosis, ...], int]:
        if self.verdict(element):
            return (), 0
        explained = self._explained(element, max_issues)
        return explained if explained[0] else self._as_libxml2_says(element, max_issues)

    def _explained(self, element: Element, max_issues: int) -> tuple[tuple[Diagnosis, ...], int]:
        # The schema library takes a fifth of the time a node needs to start, and most never explain anything.
        from eessi_sim.cdm.explanation import explain  # noqa: PLC0415

        return explain(self._definition, element, max_issues)

    def _as_libxml2_says(self, element: Element, max_issues: int) -> tuple[tuple[Diagnosis, ...], int]:
        self._schema.validate(element)
        log: Any = self._schema.error_log  # the stubs of lxml do not know that one can iterate over it
        entries = list(log)
        found = tuple(self._plain(entry, element) for entry in entries[:max_issues])
        return found, len(entries) - len(found)

    def _plain(self, entry: Any, element: Element) -> Diagnosis:  # the stubs of lxml give entries no type
        leaf = _padded_leaf(element, entry.path or ".")
        if leaf is not None:
            return _too_many_blanks(leaf, f"XSD:{self._definition.type}")
        issue = Issue(
            severity=Severity.ERROR,
            code="schema",
            path=entry.path or xmlsafe.path_of(element),
            message=entry.message.strip().rstrip("."),
            line=entry.line,
            rule=f"XSD:{self._definition.type}",
        )
        return Diagnosis(issue, None)


def _padded_leaf(element: Element, path: str) -> Element | None:
    """Return the leaf at a path as libxml2 writes it, if there are blanks around its value."""
    prefixes = {prefix: uri for prefix, uri in element.nsmap.items() if prefix}
    try:
        found: Any = element.getroottree().xpath(path, namespaces=prefixes)
    except etree.XPathError:  # a prefix that is declared further down
        return None
    leaf = found[0] if found else None
    return leaf if leaf is not None and (leaf.text or "").strip() not in ("", leaf.text) else None


def _too_many_blanks(leaf: Element, rule: str) -> Diagnosis:
    """Return the finding about blanks around a value.

    XML Schema drops them before it judges a date or a number (part 2, 4.3.6); libxml2 does not drop them from dates.
    """
    text = leaf.text or ""
    repair = Repair("Take away the blanks around the value.", leaf, [SetText(leaf, text.strip())])
    issue = Issue(
        severity=Severity.ERROR,
        code="value-blanks",
        path=xmlsafe.path_of(leaf),
        message=f'Expected no blanks around the value in "{xmlsafe.local_name(leaf)}", found some',
        line=line_of(leaf),
        hint="Take them away: XML Schema allows them, but not every program reads them.",
        rule=rule,
        expected=text.strip(),
        mend=repair.shown(),
    )
    return Diagnosis(issue, repair)


@functools.cache
def _compiled(definition: SedDefinition) -> CompiledSchema:
    return CompiledSchema(definition)
