"""Named conditions: what a table may ask of a case."""

from dataclasses import replace

import pytest
from tests.helpers.processes import PAIR, TRIO, case_of, latest, run, small, table

from eessi_sim.buc.case import Case
from eessi_sim.buc.conditions import Answered, AnyOf, AtLeast, Condition, Fewer, Parties, Says, Test
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import SedType

_DISAGREED = table("LA_BUC_02").conditions["disagreement-concerns-determination-in-force"].holds
_APPROVED = table("LA_BUC_02").conditions["every-counterparty-approved-determination"].holds
_T001, _T003 = SedType("T001"), SedType("T003")


def _holds(test: Test, case: Case) -> bool:
    return Condition(name="c", text="", test=test).holds(case)


def test_disagreement_with_the_latest_determination_counts() -> None:
    """An A004 that answers the latest A003 is a disagreement in force."""
    assert _DISAGREED(case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004"))


def test_disagreement_with_an_older_determination_does_not_count() -> None:
    """After a new A003 the old A004 is no disagreement in force."""
    assert not _DISAGREED(case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004", "CO send A003"))


def test_without_a_determination_nobody_disagreed() -> None:
    """A case without an A003 has no disagreement and no approval."""
    case = run(small(), PAIR).cases["CO"]
    assert (_DISAGREED(case), _APPROVED(case)) == (False, False)


def test_one_approval_of_two_is_not_enough() -> None:
    """Every counterparty must approve."""
    one = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A012")
    both = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A012", "CP2 reply A012")
    assert (_APPROVED(one), _APPROVED(both)) == (False, True)


def test_invalidated_approval_does_not_count() -> None:
    """An A012 taken back by X008 is no approval."""
    steps = ("CO send A003", "CP1 reply A012", "CP2 reply A012", "CP2 invalidate A012")
    assert not _APPROVED(case_of("LA_BUC_02", "CO", *steps))


def test_documents_are_counted() -> None:
    """Fewer and at least compare with a number, or with the documents of another type; void ones do not count."""
    steps = ("CO send T001", "CO send T003", "CO send T003", "CO invalidate T003")
    case = run(small(), PAIR, *steps).cases["CO"]
    found = [
        _holds(test, case)
        for test in (Fewer(_T003, 2), Fewer(_T003, 1), Fewer(_T001, _T003), AtLeast(_T003, _T001))
    ]
    assert found == [True, False, False, True]


def test_counterparties_are_counted() -> None:
    """A condition may ask whether there is one counterparty, or several."""
    one = run(small(), PAIR, "CO send T001").cases["CO"]
    two = run(small(("bilateral", "multilateral")), TRIO, "CO send T001").cases["CO"]
    assert [_holds(Parties(several), case) for several in (True, False) for case in (one, two)] == [
        False,
        True,
        True,
        False,
    ]


def test_one_of_several_is_enough() -> None:
    """Any of several conditions may hold."""
    case = run(small(), PAIR, "CO send T001").cases["CO"]
    assert _holds(AnyOf((Fewer(_T001, 1), Parties(several=False))), case)
    assert not _holds(AnyOf((Fewer(_T001, 1),)), case)


@pytest.mark.parametrize(
    ("saying", "holds"),
    [("", True), (" saying nothing", False), (" saying new", True), (" saying old", False)],
)
def test_content_is_asked_by_facts_that_others_tell(saying: str, holds: bool) -> None:
    """What a SED says is told by name; where nobody told, people decide."""
    case = run(small(), PAIR, f"CO send T001{saying}").cases["CP"]
    assert _holds(Says(_T001, "new"), case) is holds


def test_request_itself_is_asked_before_the_latest_of_its_type() -> None:
    """The condition of an answer is about the request that it would answer."""
    steps = ("CO send T001", "CO send T003 saying new", "CO send T003 saying nothing")
    case = run(small(), PAIR, *steps).cases["CP"]
    first = next(d for d in case.documents if d.type == _T003)
    condition = Condition(name="c", text="", test=Says(_T003, "new"))
    assert (condition.holds(case, first), condition.holds(case, latest(case, "T003"))) == (True, False)
    assert condition.holds(case, latest(case, "T001")) is False


def test_new_version_may_say_something_else() -> None:
    """Facts are those of the latest version; a version about which nothing is told leaves them."""
    steps = ("CO send T001 saying new", "CO update T001", "CO update T001 saying nothing")
    told = run(small(), PAIR, *steps[:2]).cases["CP"], run(small(), PAIR, *steps).cases["CP"]
    assert [latest(case, "T001").facts for case in told] == [("new",), ()]


def test_condition_names_what_it_asks_about() -> None:
    """The types and facts behind a name can be listed, also of nested ones."""
    nested = AnyOf(
        (Says(_T001, "new"), Fewer(_T003, 1), AtLeast(_T003, _T001), Answered(_T003, _T001), Parties(True))
    )
    condition = Condition(name="c", text="", test=nested)
    assert set(condition.seds()) == {"T001", "T003"}
    assert condition.facts() == ("new",)
    assert replace(condition, test=Parties(True)).facts() == ()


@pytest.mark.parametrize(
    ("holds", "text"),
    [
        ("{moon: full}", "Expected one of answer, fewer, at_least, counterparties, fact, any_of, found moon"),
        ("{counterparties: three}", "Expected one or several"),
        ("{fewer: T001, than: many}", "Expected a SED type"),
        ("{answer: T002, to_latest: T001, from: me}", "Expected every-counterparty"),
    ],
)
def test_question_outside_the_vocabulary_is_refused(holds: str, text: str) -> None:
    """A condition that asks something else is an error of the file, with its place."""
    rows = f"{{source: OWN, confidence: inferred, rows: [{{name: c, text: t, holds: {holds}}}]}}"
    with pytest.raises(DefinitionError, match=text):
        small(more=f"\nconditions: {rows}\n")
