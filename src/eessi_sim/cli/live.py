"""Shows messages while they travel: a line for each that has arrived, and below what is still under way.

Where there is no terminal only the lines appear, so that a log reads like the screen.
"""

from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from eessi_sim.cli import output
from eessi_sim.clock import span
from eessi_sim.simulation.watch import Progress

_OPEN_LINES: Final = 12
"""Messages under way that are shown at once."""
_PER_SECOND: Final = 8


class Screen:
    """The live display of one run; a context manager.

    Args:
        console: where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._open: dict[str, Progress] = {}
        self._shown: set[str] = set()
        self._phase = ""
        self._live = Live(console=console, refresh_per_second=_PER_SECOND, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.clear()
        self._live.stop()

    def phase(self, text: str) -> None:
        """Say what is going on; stays below the lines until the next one."""
        self._phase = text
        if self._console.is_terminal:
            self._draw()
        else:
            self._console.print(Text(text, style=output.DIM))

    def step(self, text: str) -> None:
        """Say how far it has come; shown on a terminal only."""
        self._phase = text
        self._draw()

    def say(self, text: Text) -> None:
        """Print a line that stays, above what is under way."""
        self._console.print(text, soft_wrap=True)

    def show(self, news: Iterable[Progress]) -> None:
        """Take note of news about messages."""
        for progress in news:
            if progress.message_id in self._shown:
                continue
            self._open[progress.message_id] = progress
            if progress.is_settled:
                self._finish(progress)
        self._draw()

    def finish(self, messages: Iterable[Progress]) -> None:
        """Show those that did not settle as they stand."""
        for progress in messages:
            if progress.message_id not in self._shown:
                self._finish(progress)

    def _finish(self, progress: Progress) -> None:
        self._open.pop(progress.message_id, None)
        self._shown.add(progress.message_id)
        self._console.print(line(progress), soft_wrap=True)

    def _draw(self) -> None:
        if self._console.is_terminal:
            waiting = [line(progress) for progress in list(self._open.values())[:_OPEN_LINES]]
            self._live.update(Group(*waiting, Spinner("dots", Text(self._phase))))


def line(progress: Progress) -> Text:
    """Return a message with its three states as one line; a second one when something is wrong."""
    sent_at = progress.sent_at
    text = Text(no_wrap=True)
    text.append(f"{_time(sent_at)}  ", style=output.DIM)
    text.append(f"{progress.sed:<6}", style="bold")
    text.append(f"{progress.sender:>10} → {progress.receiver:<10}  ")
    text.append_text(_state("accepted", since(sent_at, progress.accepted_at), progress))
    text.append_text(_state("receipted", since(sent_at, progress.receipted_at), progress))
    text.append_text(_state("valid", "" if progress.is_valid else None, progress))
    if progress.reason:
        text.append(f"\n{'':14}{progress.reason}", style=output.BAD)
    return text


def _state(name: str, after: str | None, progress: Progress) -> Text:
    """Return one state: reached, to come, or not to come any more."""
    if after is not None:
        return Text.assemble(
            ("✓ ", output.GOOD), name, (f" {after:>7}  " if name != "valid" else "", output.DIM)
        )
    sign = ("✗ ", output.BAD) if progress.reason else ("· ", output.DIM)
    return Text.assemble(sign, (name, output.DIM), " " * (10 if name != "valid" else 0))


def _time(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if at else " " * 12


def since(start: datetime | None, end: datetime | None) -> str | None:
    """Return the time between two moments in words; None when one of them has not come."""
    if start is None or end is None:
        return None
    return span(end - start)
