"""Tables of claims are read from CSV and JSON, and every wrong row is told."""

import json

import pytest
from tests.helpers import bulk_claims as bulk
from tests.helpers.bulk_claims import columns

from eessi_sim.bulk import table
from eessi_sim.bulk.definition import require_claims
from eessi_sim.bulk.table import TableError


def read(text: str) -> tuple[list[dict[str, str]], list[tuple[int | None, str, str]]]:
    """The rows by short names, and line, column and sentence of the problems."""
    found = table.read(text.encode(), columns("U020"))
    rows = [{column.header: value for column, value in row.cells.items()} for row in found.rows]
    return rows, [(each.line, each.column, each.message) for each in found.problems]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separator_is_found(separator: str) -> None:
    """Comma, semicolon and tab are told apart by the first row; a mark of the byte order does not matter."""
    rows, problems = read(f"\ufefffamily name{separator}forename\nBrzezicki{separator} Jan \n")
    assert (rows, problems) == ([{"family name": "Brzezicki", "forename": "Jan"}], [])


def test_lines_are_those_of_the_file() -> None:
    """Empty rows and values of several lines do not put the counting out."""
    found = table.read(b'forename,family name\n\n"A\nB",C\n,\nD,E\n', columns("U020"))
    assert [row.line for row in found.rows] == [3, 6]


def test_every_wrong_row_is_told() -> None:
    """Unknown and repeated columns, rows that are too long and control characters each have their line."""
    rows, problems = read("forename,shoe size,Forename,\nJan,1,2\nJan,1,2,,3\nA\x01,,\nB,,,,\n")
    assert rows == [{"forename": "Jan"}, {}, {"forename": "B"}]
    assert [(line, column) for line, column, _ in problems] == [
        (1, "shoe size"),
        (1, "Forename"),
        (3, ""),
        (4, "forename"),
    ]


def test_long_and_unprintable_values_are_shortened() -> None:
    """A problem repeats the beginning of a value only, and nothing that steers a terminal."""
    found = table.read(("forename\n" + "\x01" + "x" * 100 + "\n").encode(), columns("U020"))
    assert len(found.problems[0].value) == 60
    assert found.problems[0].value.isprintable()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "found nothing"),
        (b"forename\n\xff\n", "UTF-8"),
        (b'forename\n"Jan\n', "line 2"),
        (b"[", "Expected JSON"),
    ],
)
def test_table_that_is_none_is_refused(data: bytes, said: str) -> None:
    """What cannot be read as a table at all is said in one sentence."""
    with pytest.raises(TableError, match=said):
        table.read(data, columns("U020"))


def test_json_is_read_in_several_forms() -> None:
    """Short names, the form of RINA, the shell of a subdocument, and one claim alone."""
    nested = {"Person": {"PersonIdentification": {"forename": "Jan", "sex": {"value": ["01"]}}}}
    second = {"WorkingPeriodsConsidered": {"WorkingPeriodConsidered": [None, {"startDate": "2020-01-01"}]}}
    items = [{"forename": "Jan", "sex": "01", "amount": None}, nested, {"X_Child": {"Claim": nested}}, second]
    expected = {"forename": "Jan", "sex": "01"}
    rows, problems = read(json.dumps(items))
    assert problems == []
    assert rows == [
        expected,
        expected,
        expected,
        {"working period considered [2] / start date": "2020-01-01"},
    ]
    assert read(json.dumps(items[0]))[0] == [expected]
    assert read(json.dumps({"claims": items[:2]}))[0] == [expected, expected]


def test_wrong_json_is_told_item_by_item() -> None:
    """What is no object, no text or no field has the number of its item; an unknown field is told once."""
    items = [
        1,
        {"forename": 1.5},
        {"forename": True},
        {"shoe": "1"},
        {"shoe": "2"},
        {"sequentialNumberIndividualClaim": 7},
        {"forename": []},
        "x",
        [],
    ]
    rows, problems = read(json.dumps(items))
    assert [(line, column) for line, column, _ in problems] == [
        (1, ""),
        (2, "forename"),
        (3, "forename"),
        (4, "shoe"),
        (8, ""),
        (9, ""),
    ]
    assert {"sequential number individual claim": "7"} in rows


def test_json_nested_too_deep_is_a_problem() -> None:
    """Nobody follows a value of a hundred levels."""
    deep: object = "x"
    for _ in range(100):
        deep = {"a": deep}
    assert [message for _, _, message in read(json.dumps([deep]))[1]] == ["Expected a text, found an object"]


def test_what_has_no_column_is_left_out_of_a_row() -> None:
    """An element that the schema does not know, and an empty one, have no cell."""
    claim = bulk.sample("U020").find("IndividualClaims/IndividualClaim")
    assert claim is not None
    for child in list(claim):
        claim.remove(child)
    claim.append(claim.makeelement("unknown"))
    claim.append(claim.makeelement("lastPaymentDate"))
    assert table.row_of(claim, columns("U020"), table.leaves_by_tags(columns("U020"))) == {}


def test_claims_are_carried_over_to_an_answer() -> None:
    """Number, person and amount go along; what the answer has no field for, or fills in itself, does not."""
    about = require_claims(bulk.definition("U023"))[1]
    row = table.carried_over(bulk.cells("U020", 1), about, columns("U023"))
    found = {column.header: text for column, text in row.items()}
    assert found["sequential number individual claim"] == "2"
    assert found["requested amount for reimbursement / amount"] == "1894.20"
    assert not {"reimbursement request ID", "last payment date"} & set(found)
