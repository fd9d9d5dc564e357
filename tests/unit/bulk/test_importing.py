"""A table becomes a document, and what is wrong with it is told in terms of the table."""

from dataclasses import replace

import pytest
from tests.helpers import bulk_claims as bulk
from tests.helpers.bulk_claims import NUMBER, REQUESTED

from eessi_sim import xmlsafe
from eessi_sim.bulk import importing
from eessi_sim.bulk.definition import require_claims
from eessi_sim.bulk.importing import Imported
from eessi_sim.bulk.table import Problem
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator

DATE = "Person/PersonIdentification/dateBirth"
IDENTIFICATION = "Person/PersonIdentification"


def made(*rows: dict[str, str], sed: str = "U020") -> Imported:
    base = bulk.cells(sed, 1)
    return bulk.imported(sed, bulk.csv_of(sed, [bulk.row(sed, each, base) for each in rows]))


def told(done: Imported) -> list[tuple[int | None, str, str, bool]]:
    return [(each.line, each.column, each.value, each.warning) for each in done.problems]


def test_what_the_table_leaves_out_is_filled_in() -> None:
    """Numbers, ids and what every claim repeats of the master need no column."""
    names = ["family name", "forename", "date birth", "sex", "place birth / town", "place birth / country"]
    text = (
        ",".join(names)
        + ",requested amount for reimbursement / amount,requested amount for reimbursement / currency,reason for contestation\n"
    )
    text += "Nowak,Ewa,1990-01-01,02,Gubin,PL,10.00,EUR,02\nNowak,Jan,1991-01-01,01,Gubin,PL,10.00,EUR,02\n"
    done = bulk.imported("U023", text.encode(), master={"GeneralInformation/reimbursementRequestID": "77"})
    assert done.problems == ()
    claims = done.root.findall("IndividualClaims/IndividualClaim")
    assert [claim.findtext(NUMBER) for claim in claims] == ["1", "2"]
    assert [claim.findtext("reimbursementRequestID") for claim in claims] == ["77", "77"]
    assert len({claim.findtext("contestedIndividualClaimID") for claim in claims}) == 2
    assert [claim.find("amendedReimbursementRequestID") for claim in claims] == [None, None]


def test_imported_document_is_valid() -> None:
    """What the import lets pass, the validator lets pass."""
    done = made({NUMBER: "1"}, {NUMBER: "2"})
    assert done.is_valid
    _, report = Validator(Catalogue.default()).validate_bytes(xmlsafe.serialize(done.root))
    assert report.is_valid


def test_all_wrong_rows_are_told() -> None:
    """Each has its line, its column and its value; a missing field is named."""
    done = made(
        {NUMBER: "1", DATE: "1.2.1990"},
        {NUMBER: "2"},
        {NUMBER: "3", REQUESTED: "ten"},
        {NUMBER: "4", DATE: ""},
    )
    assert not done.is_valid
    assert [(line, column, value) for line, column, value, _ in told(done)] == [
        (2, "date birth", "1.2.1990"),
        (4, "amount", "ten"),
        (5, "date birth", ""),
    ]
    assert all(each.hint for each in done.problems)


def test_broken_rules_are_told_by_row() -> None:
    """A rule about one claim has the line of its row; a warning does not forbid the document."""
    done = made({NUMBER: "1"}, {NUMBER: "2", "ReimbursementPeriod/endDate": "2024-01-31"})
    assert (3, "reimbursement period", "", False) in told(done)
    late = made({NUMBER: "1", "ReimbursementPeriod/endDate": "2025-12-31", "lastPaymentDate": "2025-12-31"})
    assert [(line, warning) for line, _, _, warning in told(late)] == [(2, True)]
    assert late.is_valid


def test_faults_of_the_master_belong_to_no_row() -> None:
    """They are told once, without a line."""
    data = bulk.csv_of(
        "U020", [bulk.row("U020", {NUMBER: "1", DATE: "x"}), bulk.row("U020", {NUMBER: "2", DATE: "x"})]
    )
    done = bulk.imported("U020", data, master={"LocalCaseNumbers/LocalCaseNumber/country/value": "XX"})
    assert [line for line, *_ in told(done)] == [None, 2, 3]


def test_table_without_rows_lacks_claims() -> None:
    """A request without claims is not valid, and that is the fault of no row."""
    done = bulk.imported("U020", b"forename\n")
    assert done.problems
    assert {each.line for each in done.problems} == {None}


def test_number_that_comes_twice_is_told() -> None:
    """The second row names the line of the first."""
    done = made({NUMBER: "5"}, {NUMBER: "5"}, sed="U024")
    assert "as in line 2" in done.problems[0].message


def test_claims_that_are_numbered_anew_are_a_warning() -> None:
    """Where a SED wants 1, 2, 3 other numbers do not last."""
    done = made({NUMBER: "1"}, {NUMBER: "9"})
    assert told(done) == [(3, "sequential number individual claim", "9", True)]
    assert [leaf.text for leaf in done.root.iter(NUMBER)] == ["1", "2"]


def test_rows_go_into_a_document() -> None:
    """A row with the number of a claim replaces it, another one is added; faults have the lines of the table."""
    rows = [bulk.row("U020", {NUMBER: "2", REQUESTED: "1.00"}), bulk.row("U020", {NUMBER: "4", DATE: "x"})]
    done = bulk.imported("U020", bulk.csv_of("U020", rows), into=bulk.document("U020"))
    assert [claim.findtext(REQUESTED) for claim in done.document.claims] == [
        "2214.60",
        "1.00",
        "1107.30",
        "1894.20",
    ]
    assert told(done) == [(3, "date birth", "x", False)]


def test_too_many_faults_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit faults are seen but not explained, and the list ends."""
    monkeypatch.setattr(importing, "MAX_PROBLEMS", 2)
    done = made(*({NUMBER: str(number), DATE: "x"} for number in range(1, 5)))
    assert (len(done.problems), done.capped > 0, done.is_valid) == (2, True, False)
    rules = made(
        *({NUMBER: str(number), "ReimbursementPeriod/endDate": "2024-01-31"} for number in range(1, 5))
    )
    assert rules.problems[0].message.startswith("Expected no further fault")


def test_too_many_claims_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the SED says how many one document may have."""
    bulk_definition, about = require_claims(bulk.definition("U020"))
    few = replace(about, most=1)
    monkeypatch.setattr(importing, "require_claims", lambda _: (bulk_definition, few))
    done = made({NUMBER: "1"}, {NUMBER: "2"})
    assert done.problems[0].message == "Expected at most 1 claims in one document, found 2"


def test_missing_values_are_told_by_column() -> None:
    """Who fills in a table sees columns, not elements: one is named, or the first of those that belong together."""
    done = made(
        {NUMBER: "1", DATE: ""},
        {NUMBER: "2", "ReimbursementPeriod/startDate": "", "ReimbursementPeriod/endDate": ""},
    )
    assert [(each.column, each.hint) for each in done.problems] == [
        ("date birth", 'Fill in "date birth".'),
        (
            "reimbursement period / start date",
            'Fill in "reimbursement period / start date", "reimbursement period / end date".',
        ),
    ]
    bare = bulk.imported("U020", b"last payment date\n2025-01-01\n").problems[0]
    assert bare.hint == 'Fill in "family name", "forename", "date birth" and what belongs to it.'


def test_gap_without_a_column_is_told_as_it_is() -> None:
    """What no column can fill keeps the words of the schema."""
    document = bulk.document("U020")
    check = importing._Check(document, document.assemble(), {}, bulk.columns("U020"))
    problem = Problem(2, "", "", "Expected something, found none", "")
    assert check._gap(problem, "/U020/IndividualClaims/IndividualClaim/Elsewhere") is problem
