"""The live display: lines for what has arrived, and what a state looks like."""

import io

from rich.console import Console
from tests.helpers.reports import after

from eessi_sim.cli.live import Screen, line, since
from eessi_sim.simulation.watch import Progress

ON_ITS_WAY = Progress(
    "m1@navat07.no.eessi-sim.example", "A003", "LA_BUC_02", "", "NO:NAVAT07", "SE:FKSE01", sent_at=after(0)
)
ARRIVED = Progress(
    "m1@navat07.no.eessi-sim.example",
    "A003",
    "LA_BUC_02",
    "",
    "NO:NAVAT07",
    "SE:FKSE01",
    after(0),
    after(50),
    after(1600),
    after(90),
    is_valid=True,
)
REFUSED = Progress(
    "m2@navat07.no.eessi-sim.example",
    "A003",
    "LA_BUC_02",
    "",
    "NO:NAVAT07",
    "SE:FKSE01",
    after(0),
    after(50),
    reason="EBMS:0004 Other: no",
)


def recorded(*, terminal: bool) -> tuple[Console, io.StringIO]:
    """A console and what was written to it."""
    written = io.StringIO()
    return Console(file=written, force_terminal=terminal, width=100, highlight=False), written


def test_arrived_message_shows_three_ticks_with_times() -> None:
    """A line tells when it was sent, the way, and after what time each state was reached."""
    assert line(ARRIVED).plain == (
        "08:00:00.000  A003  NO:NAVAT07 → SE:FKSE01   ✓ accepted   50 ms  ✓ receipted   1.6 s  ✓ valid"
    )


def test_message_under_way_shows_what_is_to_come() -> None:
    """A state that may still come is neither good nor bad."""
    assert line(ON_ITS_WAY).plain.count("· ") == 3


def test_refused_message_shows_its_reason_below() -> None:
    """What cannot come any more is crossed, and the reason stands in a line of its own."""
    first, second = line(REFUSED).plain.split("\n")
    assert (first.count("✗"), second.strip()) == (2, "EBMS:0004 Other: no")


def test_line_without_time_keeps_its_columns() -> None:
    """A message of unknown time has blanks in place of it."""
    assert line(Progress("m1@x.example", "A003")).plain.startswith(" " * 14 + "A003")


def test_time_between_unknown_moments_is_unknown() -> None:
    """Without both ends there is no time between."""
    assert since(after(0), None) is None


def test_log_has_one_line_per_settled_message() -> None:
    """Without a terminal each message appears once, when it has come to its end."""
    console, written = recorded(terminal=False)
    with Screen(console) as screen:
        screen.show([ON_ITS_WAY])
        screen.show([ARRIVED])
        screen.show([ARRIVED])
    assert written.getvalue() == line(ARRIVED).plain + "\n"


def test_log_tells_phases_but_not_their_steps() -> None:
    """A log says what is going on, not how far it has come."""
    console, written = recorded(terminal=False)
    with Screen(console) as screen:
        screen.phase("Starting 17 processes …")
        screen.step("5 of 17")
    assert written.getvalue() == "Starting 17 processes …\n"


def test_terminal_shows_what_is_under_way() -> None:
    """On a terminal the open messages stand below, with what is going on."""
    console, written = recorded(terminal=True)
    with Screen(console) as screen:
        screen.phase("Playing")
        screen.show([ON_ITS_WAY])
    assert "NO:NAVAT07 → SE:FKSE01" in written.getvalue()


def test_unsettled_messages_are_shown_at_the_end() -> None:
    """What did not come to its end is shown as it stands, once."""
    console, written = recorded(terminal=False)
    with Screen(console) as screen:
        screen.finish([ON_ITS_WAY, ON_ITS_WAY])
    assert written.getvalue().count("A003") == 1
