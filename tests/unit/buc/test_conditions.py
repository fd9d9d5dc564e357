"""Named conditions."""

from tests.helpers.processes import PAIR, case_of, run, small

from eessi_sim.buc.conditions import CONDITIONS

_DISAGREED = CONDITIONS["disagreement-concerns-determination-in-force"]
_APPROVED = CONDITIONS["every-counterparty-approved-determination"]


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
