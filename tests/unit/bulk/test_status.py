"""What has become of every claim of a case is read off its documents."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from tests.helpers import bulk_claims as bulk

from eessi_sim.bulk.definition import BulkDefinition, Status
from eessi_sim.bulk.status import ClaimState, ClaimTable, Said, claim_table
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

CLAIM = "IndividualClaims/IndividualClaim"


def definition_of(sed: SedType) -> BulkDefinition | None:
    found = Catalogue.default().find(sed, CdmVersion("4.4"))
    return BulkDefinition.find(found) if found is not None else None


def said(sed: str, values: Mapping[str, str] | None = None, *, version: int = 1) -> Said:
    """A document: the sample with other texts at the first place of each path; an empty text removes it."""
    root: Element = bulk.sample(sed)
    for path, text in (values or {}).items():
        leaf = root.find(path)
        assert leaf is not None, path
        parent = leaf.getparent()
        assert parent is not None
        if text:
            leaf.text = text
        else:
            parent.remove(leaf)
    return Said(f"id-{sed}-{version}", SedType(sed), version, "PL:WUP01", root)


def table(*documents: Said) -> ClaimTable:
    return claim_table(documents, definition_of)


def statuses(*documents: Said) -> list[str]:
    return [each.claim.status.value for each in table(*documents).claims]


def interests(*documents: Said) -> list[str | None]:
    return [each.interest.status.value if each.interest else None for each in table(*documents).claims]


def first(*documents: Said) -> ClaimState:
    return table(*documents).claims[0]


def test_request_opens_claims() -> None:
    """Each claim is open, with person and amount; a document that says nothing of claims changes nothing."""
    found = table(said("U020"), said("A003"))
    assert (found.request, found.findings) == ("2026041700031", ())
    assert [(each.number, each.person, each.requested) for each in found.claims] == [
        ("1", "Brzezicki Mikołaj", Decimal("2214.60")),
        ("2", "Wójcik Agata", Decimal("1894.20")),
        ("3", "Nowicki Paweł", Decimal("1107.30")),
    ]
    assert (found.claims[0].claim.name, found.claims[0].currency) == ("U020", "EUR")
    assert found.claims[0].accepted is None


def test_full_acceptance_is_about_all() -> None:
    """Every claim is accepted as it was asked for."""
    found = table(said("U020"), said("U021"))
    assert found.counts() == {Status.ACCEPTED: 3}
    assert found.total(lambda each: each.accepted) == Decimal("5216.10")


def test_partial_contest_leaves_the_others_accepted() -> None:
    """Listed claims are contested, wholly or in part; the others are accepted."""
    found = table(said("U020"), said("U023"))
    assert [(each.claim.status.value, each.accepted) for each in found.claims] == [
        ("accepted", Decimal("2214.60")),
        ("contested", Decimal("0.00")),
        ("part-accepted", Decimal("553.65")),
    ]


def test_contested_claim_without_amount_accepts_nothing() -> None:
    """What a contestation does not accept, it does not accept."""
    found = table(said("U020"), said("U023", {f"{CLAIM}/AmountAccepted": ""}))
    assert (found.claims[1].claim.status, found.claims[1].accepted) == (Status.CONTESTED, Decimal(0))


def test_amended_request_says_what_becomes_of_each() -> None:
    """The codes of the amended request are accepted, paid, amended, withdrawn and disputed."""
    assert statuses(said("U020"), said("U023"), said("U029")) == ["accepted", "disputed", "withdrawn"]
    code = f"{CLAIM}/IndividualClaimStatus/status/value"
    amended = said("U029", {code: "04", f"{CLAIM}/RequestedAmountForReimbursement/amount": "5.00"})
    assert first(said("U020"), amended).requested == Decimal("5.00")
    assert statuses(said("U020"), amended)[0] == "amended"
    assert statuses(said("U020"), said("U029", {code: "02"}))[0] == "open"


def test_withdrawn_claims_do_not_count() -> None:
    """What is owed in all leaves them out."""
    found = table(said("U020"), said("U029"))
    assert found.total(lambda each: each.requested) == Decimal("4108.80")
    assert found.claims[2].accepted == Decimal(0)


def test_payments_add_up() -> None:
    """A claim is paid once all is paid, and settled when the creditor closes the request."""
    half = said("U024", {f"{CLAIM}/AmountPaid/amount": "1107.30"})
    assert statuses(said("U020"), half) == ["part-paid", "open", "part-paid"]
    both = (said("U020"), half, said("U024", {f"{CLAIM}/AmountPaid/amount": "1107.30"}))
    assert first(*both).paid == Decimal("2214.60")
    closed = said("U025", {"ReimbursementRequestClosure/reimbursementRequestClosedIndicator/value": "1"})
    assert statuses(*both, said("U025")) == ["paid", "open", "paid"]
    assert statuses(*both, closed) == ["settled", "open", "settled"]


def test_later_contest_does_not_undo_a_payment() -> None:
    """What was paid stays paid when the debtor accepts the rest."""
    assert statuses(said("U020"), said("U024"), said("U023"))[0] == "paid"


def test_interest_is_a_matter_of_its_own() -> None:
    """Charged, refused in part, accepted or refused as a whole; the claim itself stays as it was."""
    assert interests(said("U020"), said("U026")) == ["charged", None, "charged"]
    assert statuses(said("U020"), said("U026")) == ["open", "open", "open"]
    number = "PleaseFillInFollowingIfChargingInterestAccepted02PartiallyAccepted"
    partly = said("U027", {f"{number}/*[2]": ""})
    assert interests(said("U020"), said("U026"), partly) == ["refused", None, "accepted"]
    whole = said("U027", {number: "", "ChargingInterestAccepted/chargingInterestAccepted/value": "03"})
    assert interests(said("U020"), said("U026"), whole) == ["refused", None, "refused"]


@pytest.mark.parametrize(
    ("sed", "values", "code", "number"),
    [
        ("U023", {f"{CLAIM}/sequentialNumberIndividualClaim": "17"}, "unknown-claim", "17"),
        ("U023", {f"{CLAIM}/sequentialNumberIndividualClaim": ""}, "unknown-claim", ""),
        ("U023", {f"{CLAIM}/sequentialNumberIndividualClaim": "3"}, "claim-twice", "3"),
        ("U023", {"GeneralInformation/reimbursementRequestID": "8"}, "other-request", ""),
        ("U024", {f"{CLAIM}/AmountPaid/amount": "9999.00"}, "more-than-requested", "1"),
        ("U023", {f"{CLAIM}/AmountAccepted/amount": "9999.00"}, "more-than-requested", "2"),
    ],
)
def test_what_cannot_be_is_a_finding(sed: str, values: dict[str, str], code: str, number: str) -> None:
    """An unknown claim, one that comes twice, another request, or too much money: told, and the rest is read."""
    found = table(said("U020"), said(sed, values))
    assert [(each.code, each.number, each.name) for each in found.findings] == [(code, number, sed)]
    assert len(found.claims) == 3


def test_second_request_is_about_something_else() -> None:
    """Only one document opens the claims of a case; the same request again changes nothing of their number."""
    other = said("U020", {"GeneralInformation/reimbursementRequestID": "8"})
    assert [each.code for each in table(said("U020"), other).findings] == ["other-request"]


def test_version_is_part_of_the_name() -> None:
    """A later version of a document is named with its number."""
    assert first(said("U020", version=3)).claim.name == "U020 v3"


def test_answer_without_request_is_a_finding() -> None:
    """A copy that lacks the request says so."""
    found = table(said("U023"))
    assert (found.claims, [each.code for each in found.findings]) == ((), ["other-request"])
