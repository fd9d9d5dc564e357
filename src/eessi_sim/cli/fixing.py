"""``validate --fix``: the mended copy of a document, what was changed in it, and what is left to a person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rich.padding import Padding
from rich.text import Text

from eessi_sim.cdm.mender import Change, Mended
from eessi_sim.cdm.report import Severity
from eessi_sim.cdm.validation import Validator
from eessi_sim.cli import failures, findings, inputs, output
from eessi_sim.errors import SedError, XmlError
from eessi_sim.verification.examination import Examination, examine
from eessi_sim.verification.mending import mend_file
from eessi_sim.verification.outcome import Belief

_STANDARD_OUTPUT: Final = "(standard output)"


@dataclass(frozen=True, slots=True)
class Fixed:
    """A document after mending."""

    target: str
    """Where the copy goes."""
    mended: Mended
    after: Examination | None
    """What is found about the copy; None when the document cannot be mended and there is no copy."""

    @property
    def is_valid(self) -> bool:
        """Whether there is a copy and nothing forbids to send it."""
        return self.after is not None and self.after.is_valid

    def write(self) -> None:
        """Write the copy, if there is one.

        Raises:
            EnvironmentProblem: the file cannot be written.
        """
        if self.after is not None:
            inputs.write_output(self.target, self.mended.data)

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "file": self.target if self.after is not None else None,
            "valid": self.is_valid,
            "changes": [change.as_dict() for change in self.mended.changes],
            "warnings": list(self.mended.warnings),
            "issues": [issue.as_dict() for issue in self.after.report.issues] if self.after else [],
        }

    def show(self) -> None:
        """Print what was changed, and what is left."""
        output.show(Text())
        output.show_unwrapped(self._headline())
        for change in self.mended.changes:
            _show_change(change)
        for warning in self.mended.warnings:
            row = output.grid(9)
            row.add_row(Text("warning", style=f"bold {output.WARN}"), Text(failures.printable(warning)))
            output.show(Padding(row, (0, 2)))
        for line in self._left():
            output.show(Padding(Text(line), (0, 2)))

    def _headline(self) -> Text:
        line = output.mark(self.is_valid)
        if self.after is None:
            return line.append("no mended copy", style="bold")
        count = len(self.mended.changes)
        changes = f"{count} change{'s'[: count != 1]}" if count else "nothing mended"
        line.append(f"{self.after.name}  ", style="bold")
        line.append(f"mended copy, {changes}: ")
        style = output.GOOD if self.is_valid else output.BAD
        return line.append("valid" if self.is_valid else "not valid", style=style)

    def _left(self) -> Iterator[str]:
        issues = self.after.report.issues if self.after is not None else ()
        errors = sum(issue.severity is Severity.ERROR for issue in issues)
        if errors:
            yield f"{errors} error{'s'[: errors != 1]} left that only a person can put right: validate the copy."


def _show_change(change: Change) -> None:
    row = output.grid(9)
    row.add_row(
        Text("mended", style=output.GOOD), Text(failures.printable(change.mend.sentence), style="bold")
    )
    output.show(Padding(row, (0, 2)))
    output.show_unwrapped(Text.assemble(("    at       ", output.DIM), failures.printable(change.path)))
    parts = output.grid(8)
    for name, part in (("before", change.mend.before), ("after", change.mend.after)):
        parts.add_row(Text(name, style=output.DIM), Text(failures.printable(findings.shortened(part))))
    output.show(Padding(parts, (0, 4)))


def fix(examination: Examination, target: str, validator: Validator, belief: Belief) -> Fixed:
    """Mend a document and look at it again.

    Args:
        examination: what was found about it.
        target: where the copy will be written.
        validator: judges the document.
        belief: whom to believe about signatures.
    """
    try:
        mended = mend_file(examination.kind, examination.text, validator)
    except (SedError, XmlError) as error:
        advice = f" {error.hint}" if error.hint else ""
        return Fixed(target, Mended(b"", (), (f"{error.message}.{advice}",)), None)
    name = _STANDARD_OUTPUT if target == inputs.STANDARD_INPUT else target
    return Fixed(target, mended, examine(name, mended.data, validator, belief))
