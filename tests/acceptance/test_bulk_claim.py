"""UB_BUC_04 with 500 individual claims: made of a table, contested in part, answered, paid, over real AS4 messages."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from tests.helpers import bulk_claims as bulk
from tests.helpers.bulk_claims import NUMBER, REQUESTED
from tests.helpers.commands import run
from tests.helpers.lab import BA, UB_BUC_01, WUP, Lab

from eessi_sim import xmlsafe
from eessi_sim.bulk.status import ClaimTable
from eessi_sim.casefile.claims import claims_of
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import BucType, InstitutionId, SedType
from eessi_sim.storage.base import Direction
from eessi_sim.xmlsafe import DOCUMENT_LIMITS, Element

UB_BUC_04 = BucType("UB_BUC_04")
_NUMBERS = range(1, 501)
_REFUSED, _GIVEN_UP, _HALVED = "7", "250", "500"
_CONTESTED = (_REFUSED, _GIVEN_UP, _HALVED)
_IDS = {number: f"{int(number):032x}" for number in _CONTESTED}


def _amount(number: int | str) -> Decimal:
    return Decimal("1000.10") + int(number)


def _request() -> list[dict[str, str]]:
    return [{NUMBER: str(number), REQUESTED: str(_amount(number))} for number in _NUMBERS]


def _made(sed: str, rows: list[dict[str, str]]) -> Element:
    """A document of these claims; it must be without fault."""
    common = bulk.cells(sed, 1)
    done = bulk.imported(sed, bulk.csv_of(sed, [bulk.row(sed, each, common) for each in rows]))
    assert done.problems == ()
    return done.root


def _contestation(numbers: tuple[str, ...], accepted: dict[str, Decimal]) -> Element:
    """Contests these claims; the debtor accepts all else."""
    rows = [
        {
            NUMBER: number,
            REQUESTED: str(_amount(number)),
            "AmountAccepted/amount": str(accepted.get(number, Decimal("0.00"))),
            "contestedIndividualClaimID": _IDS[number],
        }
        for number in numbers
    ]
    root = _made("U023", rows)
    total = sum((_amount(number) for number in _NUMBERS), Decimal())
    contested = root.findtext("GeneralInformation/TotalAmountContested/amount")
    leaf = root.find("GeneralInformation/TotalAmountAccepted/amount")
    assert leaf is not None
    assert contested is not None
    leaf.text = str(total - Decimal(contested))
    return root


def _amended() -> Element:
    """Keeps one contested claim, gives one up, halves one, and repeats the accepted ones."""
    status = {_REFUSED: "06", _GIVEN_UP: "05", _HALVED: "03"}
    rows = []
    for number in map(str, _NUMBERS):
        amount = _amount(number) / 2 if number == _HALVED else _amount(number)
        row = {
            NUMBER: number,
            REQUESTED: f"{amount:.2f}",
            "IndividualClaimStatus/status": status.get(number, "01"),
        }
        row["IndividualClaimStatus/PleaseFillInFollowingIfStatus6UnderDispute/reasoning"] = (
            "The insurance record shows thirteen months." if number == _REFUSED else ""
        )
        row["contestedIndividualClaimID"] = _IDS.get(number, "")
        row["amendedContestedIndividualClaimID"] = f"a{_IDS[number][1:]}" if number in _IDS else ""
        rows.append(row)
    return _made("U029", rows)


def _payment() -> Element:
    owed = {str(number): _amount(number) for number in _NUMBERS if str(number) not in (_REFUSED, _GIVEN_UP)}
    owed[_HALVED] = (_amount(_HALVED) / 2).quantize(Decimal("0.01"))
    return _made(
        "U024",
        [
            {
                NUMBER: number,
                REQUESTED: str(amount),
                "AmountPaid/amount": str(amount),
                "InterestPaid/amount": "0.00",
            }
            for number, amount in owed.items()
        ],
    )


async def _send(lab: Lab, party: InstitutionId, sed: str, root: Element | None, to: str = "") -> None:
    case = await lab.case(party)
    parent = next((each.id for each in reversed(case.documents) if each.type == to), None)
    await lab.node(party).send_document(case.id, SedType(sed), root=root, parent_id=parent)
    await lab.work(5)


@pytest.fixture(scope="module")
def request_root(tmp_path_factory: pytest.TempPathFactory) -> Element:
    """The request, made by the command line of a CSV file with 500 rows."""
    folder: Path = tmp_path_factory.mktemp("bulk")
    common = bulk.cells("U020", 1)
    rows = [bulk.row("U020", each, common) for each in _request()]
    (folder / "claims.csv").write_bytes(bulk.csv_of("U020", rows))
    done = run("bulk", "import", "U020", folder / "claims.csv", "-o", folder / "claim.xml")
    assert (done.exit_code, "500 claims" in done.stdout) == (0, True), done.stdout
    assert run("validate", folder / "claim.xml").exit_code == 0
    return xmlsafe.parse((folder / "claim.xml").read_bytes())


@pytest.fixture
async def played(request_root: Element) -> AsyncIterator[Lab]:
    """The network after request, contestation, amended request, second contestation, payment and receipt."""
    async with Lab.build() as lab:
        for party in (BA, WUP):
            known = lab.directory.current.get(party)
            more = (replace(each, buc=UB_BUC_04) for each in known.competences if each.buc == UB_BUC_01)
            lab.enlist(replace(known, competences=(*known.competences, *more)))
        case = await lab.node(BA).open_case(UB_BUC_04, (WUP,))
        await lab.node(BA).send_document(case.id, SedType("U020"), root=request_root)
        await lab.work(5)
        half = (_amount(_HALVED) / 2).quantize(Decimal("0.01"))
        await _send(lab, WUP, "U023", _contestation(_CONTESTED, {_HALVED: half}), to="U020")
        await _send(lab, BA, "U029", _amended(), to="U023")
        await _send(lab, WUP, "U023", _contestation((_REFUSED,), {}), to="U029")
        await _send(lab, WUP, "U024", _payment())
        await _send(lab, BA, "U025", None, to="U024")
        yield lab


async def _claims(lab: Lab, party: InstitutionId) -> ClaimTable:
    return await claims_of(lab.store(party), await lab.case(party), Catalogue.default())


async def test_500_claims_are_contested_amended_and_paid(played: Lab) -> None:
    """Both sides know of every claim that it is paid, given up or contested, and the same of each; all messages fit."""
    assert await played.types(BA) == ["U020", "U023", "U029", "U023", "U024", "U025"]
    ours, theirs = await _claims(played, BA), await _claims(played, WUP)
    assert [(each.number, each.claim.status, each.paid) for each in ours.claims] == [
        (each.number, each.claim.status, each.paid) for each in theirs.claims
    ]
    assert (ours.findings, theirs.findings) == ((), ())
    assert ours.counts() == {"contested": 1, "withdrawn": 1, "paid": 498}
    found = {each.number: each for each in ours.claims}
    assert {number: found[number].claim.status.value for number in _CONTESTED} == {
        _REFUSED: "contested",
        _GIVEN_UP: "withdrawn",
        _HALVED: "paid",
    }
    assert (found[_HALVED].requested, found[_HALVED].paid) == (Decimal("750.05"), Decimal("750.05"))
    assert {each.name for each in (found[number].claim for number in found)} == {"U023", "U024", "U029"}
    receipt = (await played.store(WUP).documents((await played.case(WUP)).id, with_content=True))[-1]
    paid = ours.total(lambda each: each.paid)
    assert xmlsafe.parse(receipt.content).findtext("GeneralInformation/AmountReceived/amount") == str(paid)
    outgoing = [message for party in (BA, WUP) for message in await played.messages(party, Direction.OUT)]
    assert [message.state for message in outgoing] == ["delivered"] * 6
    assert max(len(message.body or b"") for message in outgoing) < DOCUMENT_LIMITS.max_bytes
