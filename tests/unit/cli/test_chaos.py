"""``eessi-sim chaos``: what it prints about an experiment; the experiment itself is among the acceptance tests."""

import pytest
from tests.helpers.commands import run

from eessi_sim.as4.exchange import OutboundState
from eessi_sim.chaos.audit import Audit, audit
from eessi_sim.chaos.books import Books, Sent
from eessi_sim.chaos.model import Disturbance, Done, Kind
from eessi_sim.chaos.session import Order, Result
from eessi_sim.cli import chaos as command
from eessi_sim.cli import failures
from eessi_sim.identifiers import InstitutionId

POINT, NAV, ZUS = map(InstitutionId, ("EU:APSIM01", "NO:NAVAT07", "PL:ZUS01"))
FULL = Disturbance(1.0, Kind.FULL_DISK, ZUS, 2.0)


def lost(number: int) -> Audit:
    """So many messages that their sender has receipted, and nobody filed."""
    sent = tuple(Sent(f"m{each}", ZUS, OutboundState.DELIVERED) for each in range(number))
    return audit(
        [Books(POINT), Books(NAV, sent=sent), Books(ZUS)],
        point=POINT,
        promised={},
        explains=lambda _text: False,
    )


def shown(monkeypatch: pytest.MonkeyPatch, found: Audit, *done: Done) -> tuple[int, str]:
    """Exit status and output of the command for an experiment that ended so."""
    result = Result("Small", 7, 60.0, None, done, 3, 2, {"store-unavailable": 4}, found)

    async def experiment(_order: Order, _tell: object) -> Result:
        return result

    monkeypatch.setattr(command, "run", experiment)
    answer = run("chaos", "--seed", 7)
    return answer.exit_code, answer.stdout


def test_lost_messages_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named, the first twenty of many; the exit status says that something was found."""
    status, text = shown(monkeypatch, lost(22))
    assert status == failures.FINDING
    assert "lost: NO:NAVAT07 m0" in text
    assert "… and 2 more" in text
    assert "all queues empty never" in text
    assert "store-unavailable 4" in text


def test_success_needs_right_answers_of_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with an ebMS text is right, and 202 where the limit was not reached; anything else is a finding."""
    right = Done(FULL, 1.0, 3.0, {"503 EBMS:0004 Other: not stored": 2, "202": 1, "connect-failed": 1})
    assert shown(monkeypatch, lost(0), right)[0] == 0
    status, text = shown(monkeypatch, lost(0), Done(FULL, 1.0, 3.0, {"500 Oops": 1}))
    assert status == failures.FINDING
    assert "a full disk was answered: 500 Oops" in text


def test_disturbances_that_could_not_be_done_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was skipped says why."""
    _, text = shown(monkeypatch, lost(0), Done(FULL, 1.0, 3.0, skipped="no process"))
    assert "1 not done: no process" in text
