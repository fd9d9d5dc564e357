"""Importing: a bulk SED made of a table, and everything that is wrong with it, told by line and column.

Claims that the table numbers, and ids that it gives, stay; what is missing of numbers, ids and repeated fields of
the master is filled in, and the totals are computed. Nothing stops at the first fault: rows are checked one by one
against the schema, then the whole document against the rules.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.bulk.columns import Column, Columns, words
from eessi_sim.bulk.definition import Claims, require_claims
from eessi_sim.bulk.document import BulkDocument, number_of
from eessi_sim.bulk.table import Problem, Row, Table
from eessi_sim.cdm.report import Issue, Severity
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.xmlsafe import Element

MAX_PROBLEMS: Final = 1_000
"""How many faults are told one by one; further ones are counted."""
_INDEX: Final = re.compile(r"\[([0-9]+)\]")
_SHOWN: Final = 60
_FEW: Final = 3
_MISSING: Final = "element-missing"
"""Code of the finding about an element that is not there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table."""

    document: BulkDocument
    """All rows as claims, the wrong ones too."""
    root: Element
    """The document put together."""
    problems: tuple[Problem, ...]
    """In the order of lines; those about the whole come first."""
    capped: int = 0
    """How many further problems were left out."""

    @property
    def is_valid(self) -> bool:
        """Whether nothing forbids to send the document."""
        return not self.capped and all(problem.warning for problem in self.problems)


def import_table(
    document: BulkDocument, table: Table, columns: Columns, new_id: Callable[[], str], *, merge: bool = False
) -> Imported:
    """Put the claims of a table into a document, and check the result.

    Args:
        document: gives the master.
        table: the claims.
        columns: what a claim can hold.
        new_id: makes the ids that claims need and the table does not give.
        merge: keep the claims of the document; a row with the number of one takes its place.

    Raises:
        NotBulk: the SED has no individual claims.
        DefinitionError: a file of the SED is wrong.
    """
    _, about = require_claims(document.definition)
    filler = _Filler(document.master, about, columns, new_id, len(document.claims) if merge else 0)
    made = [_named(about, build(filler.filled(row))) for row in table.rows]
    filled = document.merge(made) if merge else replace(document, claims=tuple(made))
    lines = {id(claim): row for claim, row in zip(made, table.rows, strict=True)}
    rows = {place: lines[id(claim)] for place, claim in enumerate(filled.claims) if id(claim) in lines}
    root = filled.assemble()
    check = _Check(filled, root, rows, columns)
    problems = (
        *table.problems,
        *_too_many(filled, about),
        *_numbers(made, table, about, merge=merge),
        *check.problems(),
    )
    listed = sorted(problems, key=lambda each: each.line or 0)
    return Imported(filled, root, tuple(listed[:MAX_PROBLEMS]), max(0, len(listed) - MAX_PROBLEMS))


def build(cells: Mapping[Column, str]) -> Element:
    """Return a claim that holds these values, its elements in the order of the schema."""
    claim = etree.Element("claim")
    made: dict[tuple[tuple[str, int], ...], Element] = {}
    for column in sorted(cells, key=lambda each: each.order):
        parent, place = claim, column.place
        for length in range(1, len(place) + 1):
            known = made.get(place[:length])
            if known is None:
                known = made[place[:length]] = etree.SubElement(parent, place[length - 1][0])
            parent = known
        parent.text = cells[column]
    return claim


def _named(about: Claims, claim: Element) -> Element:
    claim.tag = about.steps[-1]
    return claim


def _too_many(document: BulkDocument, about: Claims) -> Iterator[Problem]:
    if len(document.claims) > about.most:
        message = f"Expected at most {about.most} claims in one document, found {len(document.claims)}"
        yield Problem(None, "", "", message, "Split the table: one request for each part.")


def _numbers(made: Sequence[Element], table: Table, about: Claims, *, merge: bool) -> Iterator[Problem]:
    """Yield a problem for every number that comes twice, and a warning where claims are numbered anew."""
    lines: dict[str, int] = {}
    for place, (claim, row) in enumerate(zip(made, table.rows, strict=True), start=1):
        number = number_of(claim, about)
        if number in lines:
            message = f"Expected every claim once, found number {number} again, as in line {lines[number]}"
            yield Problem(row.line, words(about.number), number, message, "Remove one of the two rows.")
        elif about.in_order and not merge and number != str(place):
            message = (
                f"Expected claims numbered 1, 2, 3 in the order of rows, found {number} as number {place}"
            )
            yield Problem(
                row.line, words(about.number), number, message, "It is numbered anew.", warning=True
            )
        lines.setdefault(number, row.line)


class _Filler:
    """Adds to a row what the program knows.

    Args:
        master: gives what every claim repeats.
        about: the claims.
        columns: what a claim can hold.
        new_id: makes ids.
        taken: how many numbers are in use.
    """

    def __init__(
        self, master: Element, about: Claims, columns: Columns, new_id: Callable[[], str], taken: int
    ) -> None:
        self._number = columns.at(about.number)
        self._ids = tuple(columns.at(path) for path in about.ids)
        self._repeats = {
            columns.at(repeat.target): xmlsafe.text_of(repeat.origin.first(master))
            for repeat in about.repeats
        }
        self._new_id = new_id
        self._next = taken

    def filled(self, row: Row) -> dict[Column, str]:
        """Return the cells of a row and what is missing of them."""
        self._next += 1
        found = {
            self._number: str(self._next),
            **{column: text for column, text in self._repeats.items() if text},
        }
        given = {column.place for column in row.cells}
        found.update((column, self._new_id()) for column in self._ids if column.place not in given)
        places = {column.place: column for column in found}
        for column, text in row.cells.items():
            found[places.get(column.place, column)] = text
        return found


class _Check:
    """Checks a document and tells what it finds in terms of the table.

    Args:
        document: the document in parts.
        root: the same, put together.
        rows: where its claims come from, by their place in it.
        columns: what a claim can hold.
    """

    def __init__(
        self, document: BulkDocument, root: Element, rows: Mapping[int, Row], columns: Columns
    ) -> None:
        _, self._about = require_claims(document.definition)
        self._document = document
        self._root = root
        self._rows = rows
        self._columns = columns
        self._container = f"/{document.definition.type}/{self._about.path}"

    def problems(self) -> Iterator[Problem]:
        """Yield what schema and rules find; no rule speaks where the schema has spoken, nor of sums over faulty rows."""
        definition = self._document.definition
        schema = CompiledSchema.of(definition)
        faulty: set[int | None] = set()
        for place, problem in () if schema.verdict(self._root) else self._by_schema(schema):
            faulty.update((place, None))
            yield problem
        issues, more = RuleSet.load(definition.rules).findings(self._root, max_issues=MAX_PROBLEMS)
        places = ((issue, self._place_of(issue.path)) for issue in issues)
        yield from (self._told(issue, place) for issue, place in places if place not in faulty)
        if more:
            message = f"Expected no further fault, found {more} more"
            yield Problem(None, "", "", message, "Mend those that are listed.")

    def _by_schema(self, schema: CompiledSchema) -> Iterator[tuple[int | None, Problem]]:
        """Yield the findings about the master, then those of each claim alone, so that the cost stays linear."""
        claims = self._document.claims
        shell = replace(self._document, claims=claims[:1]).assemble()
        holder = shell.find("/".join(self._about.steps[:-1])) if claims else None
        if holder is None:
            yield from ((None, self._told(issue, None)) for issue in schema.findings(shell).issues)
            return
        told: set[str] = set()
        count = 0
        for place, claim in enumerate(claims):
            holder[:] = [copy.deepcopy(claim)]
            if schema.verdict(shell):
                continue
            # To explain a fault takes twenty times as long as to see that there is one.
            issues = schema.findings(shell).issues if count < MAX_PROBLEMS else ()
            if count >= MAX_PROBLEMS:
                yield place, self._unexplained(place)
            for issue in issues:
                is_own = issue.path.startswith(self._container)
                if is_own or issue.path not in told:
                    owner = place if is_own else None
                    yield owner, self._told(issue, owner)
                    count += 1
                told.add(issue.path)

    def _unexplained(self, place: int) -> Problem:
        row = self._rows.get(place)
        line = row.line if row is not None else None
        return Problem(
            line, "", "", "Expected a claim as the schema wants it", "Mend the rows before it first."
        )

    def _place_of(self, path: str) -> int | None:
        if not path.startswith(self._container):
            return None
        match = _INDEX.match(path, len(self._container))
        return int(match.group(1)) - 1 if match is not None else 0

    def _told(self, issue: Issue, place: int | None) -> Problem:
        row = self._rows.get(place) if place is not None else None
        column, value = self._column_of(issue.path, row) if place is not None else ("", "")
        problem = Problem(
            line=row.line if row is not None else None,
            column=column,
            value=value or (issue.found or "")[:_SHOWN],
            message=issue.message,
            hint=issue.hint or "",
            warning=issue.severity is not Severity.ERROR,
        )
        is_gap = issue.code == _MISSING and place is not None
        return self._gap(problem, issue.path) if is_gap else problem

    def _gap(self, problem: Problem, path: str) -> Problem:
        """Return the problem of a missing element in terms of columns, for readers who see no elements."""
        names = [name for name, _ in self._steps(path)]
        below = [leaf for leaf in self._columns.leaves if leaf.path.split("/")[: len(names)] == names]
        if not below:
            return problem
        first, *others = (f'"{self._columns.header(leaf)}"' for leaf in below[:_FEW])
        listed = ", ".join((first, *others))
        return replace(
            problem,
            column=self._columns.header(below[0]),
            message=f"Expected a value in {first}, found none",
            hint=f"Fill in {listed}." if len(below) <= _FEW else f"Fill in {listed} and what belongs to it.",
        )

    def _steps(self, path: str) -> list[tuple[str, int]]:
        """Return the names and numbers of a path below its claim."""
        return [_parted(step) for step in path[len(self._container) :].split("/")[1:]]

    def _column_of(self, path: str, row: Row | None) -> tuple[str, str]:
        """Return the name and the value of the column that a path means; words of the path where there is none."""
        steps = self._steps(path)
        for column, text in row.cells.items() if row is not None else ():
            place = column.place
            if list(place[: len(steps)]) == steps and len(place) - len(steps) <= column.leaf.coded:
                return column.header, text[:_SHOWN]
        return (words(steps[-1][0]) if steps else ""), ""


def _parted(step: str) -> tuple[str, int]:
    """Return the name and the number of one step of a path."""
    name, _, index = step.partition("[")
    return name, int(index.rstrip("]") or "1")
