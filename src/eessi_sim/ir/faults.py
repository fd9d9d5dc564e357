"""Collects what is wrong with a file that is installed as a whole or not at all: every fault with its line."""

from dataclasses import dataclass
from typing import Final

from eessi_sim.cdm.report import line_of
from eessi_sim.errors import DefinitionError
from eessi_sim.xmlsafe import Element

_SHOWN: Final = 12
"""How many faults one error message tells."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    line: int | None
    message: str


class Faults:
    """The faults of one file.

    Args:
        file: name to show.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Fault] = []

    def at(self, element: Element, message: str) -> None:
        """Take note of a fault at an element."""
        self.on(line_of(element), message)

    def on(self, line: int | None, message: str) -> None:
        """Take note of a fault on a line."""
        self._found.append(Fault(line, message))

    def refuse(self) -> None:
        """Raise what was found, if anything was.

        Raises:
            DefinitionError: names file, line and fault of each; ``context["faults"]`` has them all.
        """
        found = sorted(self._found, key=lambda fault: fault.line or 0)
        if not found:
            return
        told = [f"{fault.message} ({self._file}, line {fault.line})" for fault in found[:_SHOWN]]
        if len(found) > _SHOWN:
            told.append(f"and {len(found) - _SHOWN} more")
        raise DefinitionError(
            "\n".join(told),
            hint="Nothing was installed; the repository is the one there was before.",
            file=self._file,
            line=found[0].line,
            faults=[{"line": fault.line, "message": fault.message} for fault in found],
        )
