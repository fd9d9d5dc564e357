"""Explanation: turns what the schema library finds into Issues with a place, a source and a rule id.

What is wrong with an element, in plain English, is told by ``fault``; whether it is wrong at all is decided in
``schema``.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from xmlschema import XMLSchemaException, XMLSchemaValidationError

from eessi_sim import xmlsafe
from eessi_sim.cdm.annotation import Fact
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.fault import Fault, fault_of
from eessi_sim.cdm.mend import Place, repair_of
from eessi_sim.cdm.mend_edits import Diagnosis
from eessi_sim.cdm.report import Issue, Mend, Severity, line_of
from eessi_sim.cdm.shape import Field, Shapes, component_model
from eessi_sim.xmlsafe import Element

_MAX_COUNTED: Final = 1000
"""Where even counting stops."""

_MAX_CHILDREN: Final = 5000
"""Beyond so many children of one element libxml2's own words must do: for each child at fault the schema library
counts all of them again, which takes minutes from some ten thousand on (measured)."""

_MISSING: Final = "element-missing"
_OTHER: Final = "schema"
_PATTERN: Final = "value-pattern"
_TEXT: Final = "text-unexpected"
_UNREADABLE: Final = ("date-invalid", "number-invalid", "value-type")

_MAX_MENDED: Final = 10_000
"""Elements of a document up to which repairs are planned: more than the largest real ones of some 200 kB; each is shown before
and after, and that must not take minutes (our limit, inferred)."""

_GIVES_UP: Final = (XMLSchemaException, ArithmeticError, LookupError, RecursionError, ValueError)
"""What the schema library raises instead of finding fault: an ``xsi:type`` that does not exist, a year of a
thousand digits, elements nested as deep as libxml2 allows. The verdict stands all the same."""


def explain(
    definition: SedDefinition, element: Element, max_issues: int
) -> tuple[tuple[Diagnosis, ...], int]:
    """Return the findings about a SED with their repairs, and how many more there are, counted up to 1000 in all.

    Args:
        definition: what the SED should be.
        element: the SED; libxml2 says that it does not fit.
        max_issues: how many findings to return.
    """
    if any(len(each) > _MAX_CHILDREN for each in element.iter()):
        return (), 0
    plans = sum(1 for _ in islice(element.iter(), _MAX_MENDED + 1)) <= _MAX_MENDED
    explanation = Explanation(definition, Shapes.of(definition), plans_repairs=plans)
    errors = component_model(definition).iter_errors(element)
    try:
        found = [explanation.diagnosis(error) for error in islice(errors, max_issues)]
        capped = sum(1 for _ in islice(errors, max(0, _MAX_COUNTED - max_issues)))
    except _GIVES_UP:
        return (), 0
    return tuple(_without_echoes(found)), capped


def _without_echoes(found: list[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield the findings but those that only say again what another one at the same place has said.

    The library judges a value by each facet of each type that it derives from, and the children of an element
    whose text stands where they should be.
    """
    told: set[tuple[str, str]] = set()
    unreadable = {each.issue.path for each in found if each.issue.code in _UNREADABLE}
    unwrapped = {each.issue.path for each in found if each.issue.code == _TEXT}
    for each in found:
        issue = each.issue
        place = (issue.path, issue.code)
        echoes = (issue.code == _PATTERN and issue.path in unreadable) or (
            issue.code == _MISSING and issue.path.rpartition("/")[0] in unwrapped
        )
        if place not in told and not echoes:
            yield each
        if issue.code != _OTHER:
            told.add(place)


class Explanation:
    """Explains the faults of documents of one definition.

    Args:
        definition: names the SED.
        shapes: knows meaning, confidence and source of every element.
        plans_repairs: whether to say how a fault can be mended.
    """

    def __init__(self, definition: SedDefinition, shapes: Shapes, *, plans_repairs: bool) -> None:
        self._definition = definition
        self._shapes = shapes
        self._plans_repairs = plans_repairs

    def diagnosis(self, error: XMLSchemaValidationError) -> Diagnosis:
        """Return the finding that ``error`` stands for, and how the fault can be put right."""
        fault = fault_of(error)
        place = Place(self._definition, self._shapes, fault)
        repair = repair_of(place) if self._plans_repairs else None
        return Diagnosis(self._issue(fault, repair.shown() if repair is not None else None), repair)

    def _issue(self, fault: Fault, mend: Mend | None) -> Issue:
        element = fault.at
        fields = self._shapes.chain(_tags_below_root(element, self._definition.tag, fault.step))
        fact = self._fact(fields)
        return Issue(
            severity=Severity.ERROR,
            code=fault.code,
            path=xmlsafe.path_of(element) + fault.step,
            message=fault.message,
            line=line_of(element),
            hint=fault.hint,
            rule=self._rule(fields, fault.step),
            source=fact.source,
            confidence=fact.confidence,
            expected=fault.expected,
            found=fault.found,
            mend=mend,
        )

    def _fact(self, fields: list[Field]) -> Fact:
        """Return the nearest confidence and the nearest source, from the leaf up to the SED."""
        facts = [fact for field in reversed(fields) for fact in self._facts(field) if fact is not None]
        sed = self._definition.facts
        facts.append(Fact(sed.confidence, sed.source or None))
        source = next((fact.source for fact in facts if fact.source), None)
        return Fact(facts[0].confidence, source)

    def _facts(self, field: Field) -> tuple[Fact | None, Fact | None]:
        return field.fact, self._shapes.of_field(field).fact

    def _rule(self, fields: list[Field], step: str) -> str:
        names = [field.name for field in fields[1:]][-2:]
        attribute = [step.lstrip("/")] if step.startswith("/@") else []
        return "XSD:" + "/".join([self._definition.type, *names, *attribute])


def _tags_below_root(element: Element, root: str, step: str) -> Iterator[str]:
    """Yield the tags from below the SED down to ``element``, and the element that ``step`` misses."""
    tags = [element.tag, *(ancestor.tag for ancestor in element.iterancestors())]
    tags.reverse()
    start = next((index for index, tag in enumerate(tags) if tag == root), 0)
    yield from tags[start + 1 :]
    if step and not step.startswith("/@"):
        yield step.lstrip("/")
