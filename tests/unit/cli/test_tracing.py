"""Journal entries as a table."""

from datetime import timedelta

import pytest
from tests.helpers.reports import EIGHT
from tests.helpers.stored import an_entry

from eessi_sim.cli import tracing
from eessi_sim.storage.base import JournalEntry


def shown(capsys: pytest.CaptureFixture[str], *entries: JournalEntry) -> str:
    tracing.show_entries(entries, title="Trace", with_message=True)
    return capsys.readouterr().out


def test_steps_of_one_day_have_it_in_the_title(capsys: pytest.CaptureFixture[str]) -> None:
    """The date stands once, the time with milliseconds in each row."""
    text = shown(capsys, an_entry("sent", at=EIGHT))
    assert text.startswith("Trace, 2026-03-02 UTC")
    assert "08:00:00.000" in text


def test_steps_of_several_days_have_their_dates(capsys: pytest.CaptureFixture[str]) -> None:
    """Answers may take months: then every row has its date."""
    text = shown(capsys, an_entry("sent", at=EIGHT), an_entry("filed", at=EIGHT + timedelta(days=60)))
    assert "2026-05-01 08:00:00" in text


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        ({"sed": "A003", "from": "NO:NAVAT07", "to": "SE:FKSE01"}, "A003, NO:NAVAT07 → SE:FKSE01"),
        ({"to": "SE:FKSE01", "kind": "receipt"}, "to SE:FKSE01, kind: receipt"),
        ({"from": "NO:NAVAT07", "kind": "user"}, "from NO:NAVAT07"),
        ({"reason": "nobody there"}, "reason: nobody there"),
        ({"xsd_valid": "true", "rules_valid": "true"}, "document valid"),
        ({"xsd_valid": "false", "rules_valid": "true"}, "failed: xsd valid"),
    ],
)
def test_detail_is_told_in_words(
    capsys: pytest.CaptureFixture[str], detail: dict[str, str], words: str
) -> None:
    """What an entry knows is told shortly: the way first, then checks, then the rest."""
    assert words in shown(capsys, an_entry("step", detail=detail))


@pytest.mark.parametrize("outcome", ["ok", "refused", "EBMS:0004", "held", "local"])
def test_outcome_is_shown_as_it_is(capsys: pytest.CaptureFixture[str], outcome: str) -> None:
    """Colours aside, an outcome is the word of the journal."""
    assert outcome in shown(capsys, an_entry("step", outcome=outcome))


def test_entries_of_nodes_are_mixed_by_time() -> None:
    """Journals of several nodes become one, in the order of time."""
    late, early = an_entry("late", at=EIGHT + timedelta(seconds=1)), an_entry("early", at=EIGHT)
    assert [entry.step for entry in tracing.in_order([late, early])] == ["early", "late"]
