"""Table: claims as rows of CSV or as items of JSON, read and written; what is wrong with the form is told row by row.

CSV is UTF-8 with a first row of names; comma, semicolon or tab, whichever that row has most of, because
spreadsheets write what their country is used to. JSON is a list of claims: in the form of RINA, bare or inside
``{"<SED>_Child": {"IndividualClaim": …}}`` (observed), or with names of columns as keys.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.bulk.columns import Column, Columns, Leaf, UnknownColumn
from eessi_sim.bulk.definition import Claims
from eessi_sim.errors import SedError
from eessi_sim.xmlsafe import Element

_DELIMITERS: Final = (",", ";", "\t")
_BOM: Final = "\ufeff"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What the production Char of XML 1.0, 2.2 leaves out."""
_CHILD: Final = "_Child"
"""Ending of the name of a subdocument in RINA (observed)."""
_MOST_LEVELS: Final = 40
_SHOWN: Final = 60


class TableError(SedError):
    """A table cannot be read at all."""

    code = "table"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one cell, one row, or the whole table."""

    line: int | None
    """Line of the file, or number of the item; None for the whole."""
    column: str
    """Name of the column; empty for a whole row."""
    value: str
    message: str
    hint: str
    warning: bool = False
    """Whether the claims can be used all the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim of a table."""

    line: int
    """Where it stands, for the reader of an error."""
    cells: Mapping[Column, str]
    """What is not empty."""


@dataclass(frozen=True, slots=True)
class Table:
    """All claims of a table, and what was wrong with its form."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read(data: bytes, columns: Columns) -> Table:
    """Return the claims of a CSV or JSON file; told apart by the first character.

    Args:
        data: the file.
        columns: what a claim can hold.

    Raises:
        TableError: neither CSV with a first row nor JSON, or not UTF-8.
    """
    try:
        text = data.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TableError(
            f"Expected a table in UTF-8, found another octet in line {line}",
            hint='Save it as "CSV UTF-8".',
            line=line,
        ) from error
    return _read_json(text, columns) if text.lstrip()[:1] in ("[", "{") else _read_csv(text, columns)


def write(rows: Iterable[Mapping[Column, str]], first: Sequence[Column] = ()) -> bytes:
    """Return rows as CSV with comma, as ``read`` understands it.

    Args:
        rows: claims.
        first: columns that are written in any case, before all others.
    """
    listed = list(rows)
    used = {column: None for row in listed for column in row}
    known = dict.fromkeys(first)
    columns = [
        *first,
        *sorted((column for column in used if column not in known), key=lambda each: each.order),
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.header for column in columns])
    writer.writerows([row.get(column, "") for column in columns] for row in listed)
    return out.getvalue().encode()


def row_of(claim: Element, columns: Columns, leaves: Mapping[tuple[str, ...], Leaf]) -> dict[Column, str]:
    """Return the cells of a claim; what has no column is left out.

    Args:
        claim: the element.
        columns: what a claim can hold.
        leaves: the same, by their tags; made once with ``leaves_by_tags``.
    """
    found: dict[Column, str] = {}
    for tags, indexes, text in _values(claim, (), ()):
        leaf = leaves.get(tags)
        if leaf is not None and text:
            found[Column(columns.header(leaf, indexes), leaf, indexes)] = text
    return found


def carried_over(row: Mapping[Column, str], about: Claims, columns: Columns) -> dict[Column, str]:
    """Return what a claim of another SED can say of the claim of a row: the fields with the same path.

    Args:
        row: a claim.
        about: claims of the other SED; what is filled in for them is left out.
        columns: what they can hold.
    """
    made = {*(repeat.target for repeat in about.repeats), *about.ids}
    by_path = {leaf.path: leaf for leaf in columns.leaves if leaf.path not in made}
    found: dict[Column, str] = {}
    for column, text in row.items():
        leaf = by_path.get(column.leaf.path)
        if leaf is not None and len(leaf.steps) == len(column.indexes):
            found[Column(columns.header(leaf, column.indexes), leaf, column.indexes)] = text
    return found


def leaves_by_tags(columns: Columns) -> dict[tuple[str, ...], Leaf]:
    """Return the leaves by the tags from the claim down to them."""
    return {tuple(step.tag for step in leaf.steps): leaf for leaf in columns.leaves}


def _values(
    element: Element, tags: tuple[str, ...], indexes: tuple[int, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[int, ...], str]]:
    seen: dict[str, int] = {}
    for child in element:
        seen[child.tag] = seen.get(child.tag, 0) + 1
        below, numbers = (*tags, child.tag), (*indexes, seen[child.tag])
        if len(child):
            yield from _values(child, below, numbers)
        else:
            yield below, numbers, xmlsafe.text_of(child)


def _read_csv(text: str, columns: Columns) -> Table:
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    problems: list[Problem] = []
    rows: list[Row] = []
    header: list[Column | None] | None = None
    try:
        before = 0
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(cells, line, columns, problems)
            elif _fits(cells, header, line, problems):
                rows.append(_row(line, zip(header, cells, strict=False), problems))
    except csv.Error as error:
        raise TableError(
            f"Expected CSV, found in line {reader.line_num}: {error}",
            hint="A value with a quote or a line break stands in quotes, and a quote in it is doubled.",
            line=reader.line_num,
        ) from error
    if header is None:
        raise TableError(
            "Expected a first row with the names of columns, found nothing",
            hint="The command eessi-sim bulk template writes one.",
        )
    return Table(tuple(rows), tuple(problems))


def _header(
    cells: Sequence[str], line: int, columns: Columns, problems: list[Problem]
) -> list[Column | None]:
    found: list[Column | None] = []
    seen: dict[object, str] = {}
    for cell in cells:
        column = _resolved(cell, line, columns, problems) if cell.strip() else None
        if column is not None:
            if column.place in seen:
                message = f'Expected every column once, found "{cell}" beside "{seen[column.place]}"'
                problems.append(Problem(line, cell, "", message, "Remove one of the two columns."))
                column = None
            else:
                seen[column.place] = cell
        found.append(column)
    return found


def _resolved(name: str, line: int, columns: Columns, problems: list[Problem]) -> Column | None:
    try:
        return columns.resolve(name)
    except UnknownColumn as error:
        problems.append(Problem(line, name.strip(), "", error.message, error.hint or ""))
        return None


def _fits(cells: Sequence[str], header: Sequence[object], line: int, problems: list[Problem]) -> bool:
    if len(cells) <= len(header) or not any(cell.strip() for cell in cells[len(header) :]):
        return True
    message = f"Expected at most {len(header)} values as in the first row, found {len(cells)}"
    hint = "Put a value that contains the separator in quotes."
    problems.append(Problem(line, "", _short(cells[len(header)]), message, hint))
    return False


def _row(line: int, cells: Iterable[tuple[Column | None, str]], problems: list[Problem]) -> Row:
    found: dict[Column, str] = {}
    for column, cell in cells:
        text = cell.strip()
        if column is None or not text:
            continue
        if _NOT_XML.search(text):
            problems.append(
                Problem(
                    line,
                    column.header,
                    _short(text),
                    "Expected characters that XML can hold, found a control character",
                    "Remove it; it often comes from copying.",
                )
            )
            continue
        found[column] = text
    return Row(line, found)


def _short(text: str) -> str:
    shown = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def _read_json(text: str, columns: Columns) -> Table:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TableError(
            f"Expected JSON, found: {str(error)[:200]}",
            hint="Open the file in a JSON editor; it marks the place.",
        ) from error
    if isinstance(document, dict):
        inner = document.get("claims")
        document = inner if isinstance(inner, list) else [document]
    problems: list[Problem] = []
    known: dict[str, Column | None] = {}
    rows = [_item(number, item, known, columns, problems) for number, item in enumerate(document, start=1)]
    return Table(tuple(row for row in rows if row is not None), tuple(problems))


def _item(
    number: int, item: object, known: dict[str, Column | None], columns: Columns, problems: list[Problem]
) -> Row | None:
    item = _bare(item)
    if not isinstance(item, dict):
        message = f"Expected an object with the fields of a claim, found {_kind(item)}"
        problems.append(Problem(number, "", "", message, 'Write {"family name": "…", …}.'))
        return None
    cells: list[tuple[Column | None, str]] = []
    for name, value in _flat(item, "", 0):
        if not isinstance(value, str):
            message = f"Expected a text, found {_kind(value)}"
            problems.append(Problem(number, name, "", message, "Write every value in quotes, numbers too."))
        elif name in known:
            cells.append((known[name], value))
        else:
            # A name that is wrong in every item is told once.
            known[name] = _resolved(name, number, columns, problems)
            cells.append((known[name], value))
    return _row(number, cells, problems)


def _bare(item: object) -> object:
    """Return the claim inside the shell of a subdocument."""
    if isinstance(item, dict) and len(item) == 1:
        [(name, inner)] = item.items()
        if name.endswith(_CHILD) and isinstance(inner, dict) and len(inner) == 1:
            [claim] = inner.values()
            return claim
    return item


def _flat(value: object, name: str, depth: int) -> Iterator[tuple[str, object]]:
    """Yield the leaves of a JSON value with their names, ``Person/nationality[2]/value[1]``."""
    if depth > _MOST_LEVELS or not isinstance(value, (dict, list)):
        if value is not None:
            yield name, _plain(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}/{key}" if name else key, depth + 1)
    else:
        for place, inner in enumerate(value, start=1):
            yield from _flat(inner, f"{name}[{place}]", depth + 1)


def _plain(value: object) -> object:
    """Return a whole number as text, because nobody quotes the number of a claim."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _kind(value: object) -> str:
    names = {
        "dict": "an object",
        "list": "a list",
        "bool": "true or false",
        "float": "a number",
        "NoneType": "nothing",
    }
    return names.get(type(value).__name__, "a text" if isinstance(value, str) else "a number")
