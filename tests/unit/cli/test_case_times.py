"""What ``case list`` and ``case show`` print about answers that are waited for, overdue or late."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.helpers.attached import PDF, a_file
from tests.helpers.exchanges import CLERK, LATER, MUCH_LATER, a_document, measured, received, sent
from tests.helpers.stored import NOON, OTHER_NODE

from eessi_sim.buc.case import Direction, DocumentStatus, DocumentVersion
from eessi_sim.buc.engine.attaching import grown
from eessi_sim.casefile.indicators import Indicators
from eessi_sim.cli import case_actions, case_limits, case_times
from eessi_sim.identifiers import BucType


@pytest.fixture(autouse=True)
def _columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """As wide as without a terminal."""
    monkeypatch.setenv("COLUMNS", "100")


def test_what_is_overdue_is_marked_with_its_law(capsys: pytest.CaptureFixture[str]) -> None:
    """The limit, its article and its confidence are told."""
    case_times.show_details(measured(sent(), now=MUCH_LATER))
    shown = capsys.readouterr().out
    assert "overdue since 2026-05-02" in shown
    assert "(Art. 16(3) Reg. 987/2009, inferred)" in shown.replace("\n", " ")


def test_what_is_waited_for_shows_until_when(capsys: pytest.CaptureFixture[str]) -> None:
    """The day is that of the limit."""
    case_times.show_details(measured(sent(), now=LATER))
    assert "until 2026-05-02" in capsys.readouterr().out


def test_what_was_late_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer is named all the same."""
    case_times.show_details(measured(sent(), received(at=MUCH_LATER), now=MUCH_LATER))
    assert "A012, late" in capsys.readouterr().out


def test_a_draft_is_shown_with_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    """It has no peer and no times."""
    version = DocumentVersion(number=1, actor=CLERK, saved_at=NOON)
    draft = a_document("A003", 1, (version,), direction=Direction.OUT, status=DocumentStatus.NEW, order=0)
    case_times.show_details(measured(draft))
    assert "new" in capsys.readouterr().out


def test_several_durations_are_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    """Number, median and longest."""
    documents = (sent(), sent(number=3), received(), received(number=4, parent_id=sent(number=3).id))
    case_times.show_details(measured(*documents))
    shown = capsys.readouterr().out
    assert "2: 3.0 days" in shown
    assert "≤ 3.0 days" in shown


@pytest.mark.parametrize(("now", "word"), [(LATER, "1 open"), (MUCH_LATER, "1 overdue")])
def test_the_list_counts_open_answers(now: datetime, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Overdue ones come first."""
    case_times.show_list([measured(sent(), now=now)])
    assert word in capsys.readouterr().out


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (measured(sent()), "due: A003 PL:ZUS001, until 2026-05-02"),
        (measured(sent(), received()), "answered in time: A003"),
        (measured(sent(), received(at=MUCH_LATER), now=MUCH_LATER), "answered late: A003"),
        (
            measured(sent()),
            "limit: 6 months of disagreement, then the conciliation procedure (Decision A1, inferred)",
        ),
        (measured(sent(), received("A004")), "since A004, until 2026-09-05"),
        (measured(sent(), received("A004"), now=NOON + timedelta(days=250)), ", over"),
        (measured(sent(), received("A004"), received(number=3)), "ended by A012"),
    ],
)
def test_limits_are_shown_with_their_dates(
    found: Indicators, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until when by which law, and how it stands."""
    case_times.show_details(found)
    assert words in capsys.readouterr().out.replace("\n", " ")


def test_what_is_late_is_listed_with_who_owes_it(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer of the peer, and the process as a whole."""
    late = NOON + timedelta(days=250)
    found = (measured(sent(), now=late), measured(sent(), received("A004"), now=late))
    items = [item for each in found for item in case_limits.overdue_items(each, late)]
    case_limits.show_overdue(items)
    shown = capsys.readouterr().out
    assert [(each["what"], each["owed_by"]) for each in items] == [("answer", OTHER_NODE), ("process", None)]
    assert "PL:ZUS001 owes the answer to A003: due 2026-05-02, late by 189.0 days" in shown
    assert "conciliation procedure: due 2026-09-05" in shown


def test_actions_of_a_process_that_nobody_defines_are_not_known() -> None:
    """Nothing can be said."""
    case = replace(measured(sent()).case, buc=BucType("LA_BUC_77"))
    assert case_actions.as_json_of(case, NOON) == []


def test_attachments_are_shown_with_their_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, type, size, version and whether it is medical; none makes no table."""
    case_times.show_details(measured(sent(), now=LATER))
    assert "Attachment" not in capsys.readouterr().out
    file = grown((), a_file(1, medical=True), actor=CLERK, at=NOON)
    document = sent()
    version = replace(document.versions[-1], attachments=(file, replace(file, name=file.file_name)))
    found = measured(replace(document, versions=(version,)), now=LATER)
    case_times.show_details(found)
    shown = capsys.readouterr().out
    assert all(
        word in shown for word in ("scan-1.pdf", "Scan", "application/pdf", f"{len(PDF)} bytes", "medical")
    )
    files: Any = case_times.details(found)["attachments"]
    assert [each["name"] for each in files] == ["Scan", "scan-1.pdf"]
    assert (files[0]["size"], files[0]["medical"]) == (len(PDF), True)


@pytest.mark.parametrize(("now", "words"), [(LATER, "1 waiting"), (MUCH_LATER, "1 overdue")])
def test_open_answers_are_counted_once(now: datetime, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is late is no longer only waited for."""
    case_times.show_details(measured(sent(), now=now))
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"  {words}")
