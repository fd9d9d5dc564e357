"""What ``eessi-sim verify --explain`` adds: the explanations, how they are shown, and the forms in files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self

from rich.text import Text

from eessi_sim.cli import failures, output
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.security.trust import TrustStore
from eessi_sim.verification.canonical_diff import printable
from eessi_sim.verification.explanation import NamedForm, Question, explained, forms_of
from eessi_sim.verification.outcome import Check, Comparison, Difference, Excerpt, Subject, Written

_LABEL: Final = 16
"""Width of the labels, with their indent."""
_HEAD: Final = 70
"""Octets of a form that is shown without another one to compare with; as many of its end."""
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9.]+")
_LONGEST_NAME: Final = 80


@dataclass(slots=True)
class Explainer:
    """Explains what failed, and writes the forms into a folder, one subject after the other."""

    question: Question
    is_asked: bool
    """Whether somebody wants explanations."""
    folder: Path | None
    _taken: set[str] = field(default_factory=set)

    @classmethod
    def of(
        cls, *, against: bytes | None, authorities: TrustStore | None, is_asked: bool, folder: Path | None
    ) -> Self:
        """Return an explainer.

        Args:
            against: the signer's own copy.
            authorities: certificates that are at hand, which may have signed too.
            is_asked: whether to explain at all.
            folder: where to write forms.
        """
        certificates = authorities.anchors if authorities else ()
        return cls(Question(copy=against, certificates=certificates), is_asked, folder)

    def explain(self, subject: Subject) -> Subject:
        """Return the subject with explanations; what they needed is let go of."""
        return replace(subject, checks=tuple(self._explained(subject, check) for check in subject.checks))

    def _explained(self, subject: Subject, check: Check) -> Check:
        if self.is_asked:
            check = explained(check, self.question)
        written = tuple(self._write(subject, check)) if self.folder else ()
        return replace(check, written=written, facts=None)

    def _write(self, subject: Subject, check: Check) -> Iterator[Written]:
        for form in forms_of(check):
            path = self._path(subject, check, form)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(form.octets)
            except OSError as error:
                raise EnvironmentProblem(
                    f'Expected to write a canonical form to "{path}", found: {error.strerror}',
                    hint="Name a folder that you may write to.",
                ) from error
            yield Written(form.reference, form.form, len(form.octets), str(path))

    def _path(self, subject: Subject, check: Check, form: NamedForm) -> Path:
        """Return a path that no other form of this run has."""
        assert self.folder is not None, "only asked when there is one"
        stem = _slug(f"{Path(subject.name).name}-{check.name}-{form.reference}")
        name, number = f"{stem}.{form.form}{_suffix(form.octets)}", 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}.{form.form}{_suffix(form.octets)}"
        self._taken.add(name)
        return self.folder / name


def _slug(text: str) -> str:
    return _UNSAFE.sub("-", text).strip("-.")[:_LONGEST_NAME]


def _suffix(octets: bytes) -> str:
    if octets.startswith(b"<"):
        return ".xml"
    return ".gz" if octets.startswith(b"\x1f\x8b") else ".bin"


def show_difference(difference: Difference, *, explain: bool) -> None:
    """Print what is wrong with one reference; without ``explain`` only which one it is."""
    if not explain:
        output.show_unwrapped(
            Text(f"       {failures.printable(difference.reference)} (--explain shows more)")
        )
        return
    facts = output.grid(_LABEL)
    for label, text in _facts(difference):
        facts.add_row(Text(f"       {label}", style=output.DIM), Text(failures.printable(text)))
    output.show(facts)
    if difference.comparison is not None:
        _show_comparison(difference.comparison)


def _facts(difference: Difference) -> Iterator[tuple[str, str]]:
    yield "where", difference.reference
    yield "expected", difference.expected
    yield "found", difference.found
    yield "cause", difference.cause
    for remark in difference.remarks:
        yield "note", remark
    if difference.tried:
        yield "tried", ", ".join(difference.tried)
    if difference.comparison is None and difference.forms is not None:
        octets = difference.forms.found
        yield "digested", f"{len(octets):,} octets, --canonical DIR writes them to a file"
        yield "begins", printable(octets[:_HEAD])
        yield "ends", printable(octets[-_HEAD:])


def _show_comparison(comparison: Comparison) -> None:
    facts = output.grid(_LABEL)
    path = f", in {comparison.path}" if comparison.path else ""
    for label, text in (
        ("signed", f"{comparison.expected_size:,} octets, {comparison.origin}"),
        ("received", f"{comparison.found_size:,} octets. {comparison.extent}"),
        ("differs", f"at octet {comparison.octet:,}, line {comparison.line}{path}"),
    ):
        facts.add_row(Text(f"       {label}", style=output.DIM), Text(failures.printable(text)))
    output.show(facts)
    _show_excerpt("signed", comparison.expected)
    _show_excerpt("received", comparison.found)


def _show_excerpt(label: str, excerpt: Excerpt) -> None:
    """Print a line and below it a caret, with a tail under everything that differs."""
    line = Text(f"       {label}".ljust(_LABEL + 1), style=output.DIM)
    line.append(Text(excerpt.text, style="not dim"))
    start = _LABEL + 1 + excerpt.marked_at
    line.stylize(output.BAD, start, start + excerpt.marked)
    output.show_unwrapped(line)
    mark = Text(" " * start + "^" + "~" * (excerpt.marked - 1), style=output.BAD)
    octets = f"  {excerpt.octets}" if excerpt.octets else "  nothing"
    output.show_unwrapped(mark.append(octets, style=output.DIM))


def show_written(check: Check) -> None:
    """Print where the forms of a check lie."""
    for written in check.written:
        output.show_unwrapped(Text(f"       {written.form} form of {written.reference}: {written.path}"))
