"""A bulk SED is taken apart, changed claim by claim and put together again."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.helpers import bulk_claims as bulk
from tests.helpers.bulk_claims import NUMBER, REQUESTED

from eessi_sim import xmlsafe
from eessi_sim.bulk import table
from eessi_sim.bulk.definition import BulkDefinition, NotBulk, require_claims
from eessi_sim.bulk.document import BulkDocument, ClaimError, amount_at, number_of
from eessi_sim.bulk.importing import build
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.xmlsafe import Element

SEDS = ["U020", "U023", "U024", "U026", "U027", "U029"]
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=20)
CENTS = st.integers(0, 10**9).map(lambda cents: str(Decimal(cents).scaleb(-2)))


def plain(root: Element) -> bytes:
    """Content without the blanks between elements."""
    tidy = xmlsafe.parse(xmlsafe.serialize(root))
    etree.indent(tidy)
    return xmlsafe.exclusive_c14n(tidy)


def numbers(document: BulkDocument) -> list[str]:
    return [number_of(claim, require_claims(document.definition)[1]) for claim in document.claims]


def claim(number: str, amount: str = "10.00") -> Element:
    made = build(bulk.row("U020", {NUMBER: number, REQUESTED: amount}))
    made.tag = "IndividualClaim"
    return made


@pytest.mark.parametrize("sed", SEDS)
def test_parts_make_the_same_document(sed: str) -> None:
    """Taken apart and put together, every sample is what it was."""
    assert plain(bulk.document(sed).assemble()) == plain(bulk.sample(sed))


def test_signature_is_left_out() -> None:
    """A signature does not hold for parts."""
    root = bulk.sample("U020")
    root.append(etree.Element(SIGNATURE))
    assert BulkDocument.split(bulk.definition("U020"), root).master.find(SIGNATURE) is None


def test_document_without_claims_has_no_empty_group() -> None:
    """Where claims are optional, their group comes and goes with them."""
    empty = BulkDocument.split(bulk.definition("U027"), bulk.document("U027").master)
    root = empty.assemble()
    assert root.find(require_claims(empty.definition)[1].steps[0]) is None


def test_group_with_more_than_claims_stays() -> None:
    """Only the claims are taken out of a group that holds something else, and put back into it."""
    root = bulk.sample("U020")
    group = root.find("IndividualClaims")
    assert group is not None
    group.append(etree.Element("note"))
    document = BulkDocument.split(bulk.definition("U020"), root)
    kept = document.master.find("IndividualClaims")
    assert kept is not None
    assert [child.tag for child in kept] == ["note"]
    assert len(document.assemble().findall("IndividualClaims/*")) == 4


def test_claims_are_added_updated_and_removed() -> None:
    """Each change leaves the document as it was and returns another one."""
    document = bulk.document("U020")
    more = document.add(claim("4"))
    assert numbers(more) == ["1", "2", "3", "4"]
    assert numbers(document) == ["1", "2", "3"]
    changed = more.update(claim("02", "77.00"))
    assert changed.get("2").findtext(REQUESTED) == "77.00"
    assert numbers(changed.remove("3")) == ["1", "02"[-1], "4"]
    assert numbers(document.merge([claim("3"), claim("9")])) == ["1", "2", "3", "9"]


@pytest.mark.parametrize("change", ["add", "update", "remove"])
def test_wrong_number_is_refused(change: str) -> None:
    """A number that is taken, or that nobody has, is named."""
    document = bulk.document("U020")
    calls = {
        "add": lambda: document.add(claim("3")),
        "update": lambda: document.update(claim("17")),
        "remove": lambda: document.merge(claim(str(each)) for each in range(1, 20)).remove("77"),
    }
    with pytest.raises(ClaimError, match="Expected"):
        calls[change]()


def test_totals_follow_the_claims() -> None:
    """Number, sum and currency of the master are computed, and the claims numbered from 1."""
    root = bulk.document("U020").remove("2").assemble()
    general = root.find("GeneralInformation")
    assert general is not None
    assert general.findtext("numberIndividualClaims") == "2"
    assert general.findtext("TotalAmountRequested/amount") == "3321.90"
    assert [leaf.text for leaf in root.iter(NUMBER)] == ["1", "2"]


def test_removed_claims_do_not_count() -> None:
    """What the creditor gave up is not part of the new total."""
    root = bulk.document("U029").assemble()
    assert root.findtext("GeneralInformation/UpdatedTotalAmountRequested/amount") == "4108.80"


def test_totals_of_nothing_keep_the_currency() -> None:
    """Without claims the sum is nothing, in the currency that stood there."""
    document = bulk.document("U020")
    root = BulkDocument(document.definition, document.master, ()).assemble()
    total = root.find("GeneralInformation/TotalAmountRequested")
    assert total is not None
    assert [leaf.text for leaf in total.iter() if not len(leaf)] == ["0.00", "EUR"]


def test_claim_without_number_is_numbered_no_more() -> None:
    """A claim that lacks the element stays without; the schema says so."""
    bare = claim("4")
    for leaf in bare.findall(NUMBER):
        bare.remove(leaf)
    root = bulk.document("U020").add(bare).assemble()
    assert len(list(root.iter(NUMBER))) == 3


@pytest.mark.parametrize("text", ["", "ten", "NaN", "Infinity"])
def test_amount_that_is_none_counts_nothing(text: str) -> None:
    """The schema says what is wrong with it."""
    definition = BulkDefinition.find(bulk.definition("U020"))
    assert definition is not None
    assert amount_at(definition.says.amounts.requested, claim("1", text or "x")) is None
    assert amount_at(None, claim("1")) is None


def test_other_seds_are_no_bulk_seds() -> None:
    """A SED without claims, or without a file about claims, is refused."""
    for sed in ("U021", "A003"):
        with pytest.raises(NotBulk, match=sed):
            BulkDocument.split(bulk.definition(sed), bulk.sample(sed))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES, CENTS), min_size=1, max_size=6))
def test_claims_survive_table_and_document(people: list[tuple[str, str, str]]) -> None:
    """Names and amounts come back from CSV and from the document as they went in, and the total is their sum."""
    rows = [
        bulk.row(
            "U020",
            {
                NUMBER: str(number),
                REQUESTED: amount,
                "Person/PersonIdentification/familyName": family,
                "Person/PersonIdentification/forename": first,
            },
        )
        for number, (family, first, amount) in enumerate(people, start=1)
    ]
    done = bulk.imported("U020", bulk.csv_of("U020", rows))
    again = BulkDocument.split(bulk.definition("U020"), xmlsafe.parse(xmlsafe.serialize(done.root)))
    leaves = table.leaves_by_tags(bulk.columns("U020"))
    assert [table.row_of(each, bulk.columns("U020"), leaves) for each in again.claims] == rows
    total = done.root.findtext("GeneralInformation/TotalAmountRequested/amount")
    assert Decimal(total or "") == sum(Decimal(amount) for _, _, amount in people)
