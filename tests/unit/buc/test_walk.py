"""The small language of the example runs."""

from datetime import timedelta

import pytest
from tests.helpers.processes import NOW, PAIR, TRIO, run, small, table

from eessi_sim.buc.terms import Walk
from eessi_sim.buc.walk import find_fault, play
from eessi_sim.errors import DefinitionError


def _walk(
    *steps: str,
    parties: tuple[str, ...] = PAIR,
    refused_at: int | None = None,
    because: str | None = None,
) -> Walk:
    return Walk(name="w", parties=parties, steps=steps, refused_at=refused_at, because=because)


def test_walk_ends_with_a_copy_for_each_party() -> None:
    """Everybody who got something has a copy."""
    played = play(table("LA_BUC_02"), _walk("CO send A003", "CP1 reply A012", parties=TRIO))
    assert set(played.cases) == set(TRIO)


def test_walk_stops_at_the_first_refusal() -> None:
    """The refused step and its reason are told; later ones are not played."""
    played = play(table("LA_BUC_02"), _walk("CO send A003", "CO send A007", "CO send A008"))
    assert (played.refused_at, played.refusal.code if played.refusal else "") == (2, "action-not-available")
    assert len(played.cases["CO"].documents) == 1


def test_time_passes_in_a_walk() -> None:
    """A wait moves the clock."""
    assert play(small(), _walk("wait P2D")).now == NOW + timedelta(days=2)


def test_walk_that_goes_as_written_has_no_fault() -> None:
    """A refusal that the file foretells is no fault."""
    walk = _walk("CO send T001", "CP send T003", refused_at=2, because="action-not-available")
    assert find_fault(small(), walk) is None


def test_unforeseen_refusal_is_a_fault() -> None:
    """The fault says what was expected and what was found."""
    fault = find_fault(small(), _walk("CO send T002"))
    assert fault is not None
    assert 'walk "w": expected no refusal, found step 1 refused as action-not-available' in fault


def test_missing_refusal_is_a_fault() -> None:
    """A run that should have been refused and was not is a fault."""
    fault = find_fault(small(), _walk("CO send T001", refused_at=1, because="case"))
    assert fault == 'T_BUC_01, walk "w": expected step 1 refused as case, found no refusal'


@pytest.mark.parametrize(
    "step",
    [
        "CO dance",
        "CO",
        "",
        "wait",
        "CO send T001 to",
        "CO send T001 with CP",
        "XX send T001",
        "CO send",
        "wait soon",
    ],
)
def test_sentence_that_is_not_understood_is_an_error_of_the_file(step: str) -> None:
    """A walk in bad form is a definition error, not a refusal."""
    with pytest.raises(DefinitionError):
        play(small(), _walk(step))


def test_verb_suggests_the_nearest() -> None:
    """A misspelt verb names the one that is meant."""
    with pytest.raises(DefinitionError) as caught:
        play(small(), _walk("CO sent T001"))
    assert caught.value.hint == 'Did you mean "send"?'


@pytest.mark.parametrize("parties", [("CP",), ("CO", "CP", "CP"), (*"ABCDEFGHI", "CO")])
def test_parties_must_be_named_properly(parties: tuple[str, ...]) -> None:
    """One is called CO, names differ, and there are not too many."""
    with pytest.raises(DefinitionError, match="Expected CO"):
        play(small(), _walk("wait P1D", parties=parties))


def test_party_without_a_case_can_do_nothing() -> None:
    """Before anything arrived a counterparty has no case."""
    played = play(small(), _walk("CP send T002"))
    assert played.refusal is not None
    assert played.refusal.code == "case-not-found"


def test_nothing_can_be_repeated_before_it_was_sent() -> None:
    """Repeating needs a message."""
    played = play(small(), _walk("CO repeat"))
    assert played.refusal is not None
    assert played.refusal.code == "document-not-found"


def test_document_must_exist_to_be_touched() -> None:
    """Updating a document that is not there is refused."""
    played = play(small(), _walk("CO update T001"))
    assert played.refusal is not None
    assert played.refusal.code == "document-not-found"


def test_repeated_message_changes_nothing() -> None:
    """The latest message delivered twice leaves the receiver as it was."""
    once = run(small(), PAIR, "CO send T001").cases["CP"]
    assert run(small(), PAIR, "CO send T001", "CO repeat").cases["CP"] == once


def test_forced_message_is_judged_by_its_receiver() -> None:
    """A document that the sender's table would not offer reaches the receiver."""
    played = play(small(), _walk("CO send T001", "CP force T003"))
    assert played.refusal is not None
    assert played.refusal.code == "document-refused"


def test_forced_starter_opens_a_case() -> None:
    """Before the start a forced document says Start."""
    assert "CP" in run(small(), PAIR, "CO force T001 to CP").cases


def test_each_copy_can_be_closed_archived_and_restored() -> None:
    """The verbs about the own copy are played on it alone."""
    steps = (
        "CO send T001",
        "CP close-locally",
        "CP archive",
        "CP restore",
        "CP reopen-locally",
        "CO update T001",
    )
    assert run(small(), PAIR, *steps).cases["CP"].status == "open"


def test_parent_can_be_said() -> None:
    """Where several requests are open, the sentence names the type of the one that is meant."""
    played = run(
        table("LA_BUC_02"),
        PAIR,
        "CO send A003",
        "CP draft X012 about A003",
        "CP post X012",
        "CP clarify A003",
    )
    assert [d.type for d in played.cases["CO"].documents] == ["A003", "X012", "X012"]


def test_removed_case_ends_the_walk() -> None:
    """A case deleted before the start stays with its owner only."""
    assert set(run(small(), PAIR, "CO remove").cases) == {"CO"}


def test_rejecting_and_reporting_are_sentences() -> None:
    """X011 and X050 have verbs of their own."""
    played = run(small(), PAIR, "CO send T001", "CP report T001", "CP reject T001", "CO invalidate T001")
    assert [d.type for d in played.cases["CO"].documents] == ["T001", "X050", "X011", "X008"]
