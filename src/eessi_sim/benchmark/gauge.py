"""What processes cost at a moment, by the operating system's own figures: memory and processor time."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Reading:
    """One process at one moment; zeros where the system does not tell (only Linux does)."""

    rss_kb: int = 0
    """Memory that it holds, what it shares with others included."""
    pss_kb: int = 0
    """The same, what is shared divided among those who share it."""
    cpu_seconds: float = 0.0
    """Processor time since its start."""


def read_tree(pid: int) -> Reading:
    """Return what a process and those that it started cost now, together; its own processes may start others."""
    readings = [read(pid), *map(read_tree, _children(pid))]
    return Reading(
        sum(each.rss_kb for each in readings),
        sum(each.pss_kb for each in readings),
        sum(each.cpu_seconds for each in readings),
    )


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        tasks = (_PROC / str(pid) / "task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def read(pid: int) -> Reading:
    """Return what a process costs now."""
    with suppress(OSError):
        rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
        sizes = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
        # Behind the name, which may hold anything, in parentheses: fields 14 and 15 of the whole line.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return Reading(sizes["Rss"], sizes["Pss"], ticks / os.sysconf("SC_CLK_TCK"))
    return Reading()
