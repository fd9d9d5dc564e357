"""``eessi-sim verify``: checks signatures of files, or everything in the report of a run or the archive of a case."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.text import Text

from eessi_sim.casefile.hiding import Openings, read_openings
from eessi_sim.casefile.proof import AUTHORITY, verify_archive
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.believing import belief_options
from eessi_sim.cli.explaining import Explainer, show_difference, show_written
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.folder import verify_folder
from eessi_sim.verification.outcome import Belief, Check, Subject
from eessi_sim.zipsafe import is_zip


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("files", nargs=-1, required=True, metavar="FILE|DIR|ZIP...")
@belief_options("ca.pem in the report or archive by default")
@click.option(
    "--explain",
    is_flag=True,
    help="Say why: both forms of what was signed up to the first difference, and the likely cause.",
)
@click.option(
    "--against",
    metavar="FILE",
    help="Explain against the signer's own copy: the document, the message, or the octets that were digested.",
)
@click.option(
    "--canonical",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write every form that was digested into DIR, and what was signed where it is known.",
)
@click.option(
    "--openings",
    "hidden",
    metavar="FILE",
    help="What is hidden in a masked archive: its seals are verified too.",
)
@output.shared_options
def verify(
    *,
    files: Sequence[str],
    belief: Belief,
    explain: bool,
    against: str | None,
    canonical: Path | None,
    hidden: str | None,
    as_json: bool,
) -> None:
    r"""Verify signatures: of a signed SED, an envelope, an AS4 message, a receipt, a whole report, or the archive of a case.

    In the folder of a report each message is verified together with its envelope, its SED, its receipt and its
    row in report.json: every signature and certificate, and everything that two files say. No network and no
    simulator is needed. Without --ca, and without ca.pem in the folder, only whether the signature is intact is
    checked, not whether to trust the signer.

    The archive that case export made is verified as a whole: its sealed manifest, the chain of its journal (what was
    changed, removed, added or re-ordered is named), the SHA-256 of every file, and every signature, receipt,
    attachment and certificate.

    --explain undoes the usual accidents (formatting, prefixes, line ends, compression, encodings, other forms, keys
    and schemes; one, then two at a time) until the digest or value fits. What was signed is known then, and shown
    beside what was received. Nothing of it changes the verdict.

    \b
    Example:
      eessi-sim verify signed.xml --ca signed.ca.pem
      eessi-sim verify report/
      eessi-sim verify case.zip --ca ca.pem
      eessi-sim verify received.xml --explain --against sent.xml --canonical forms/

    \b
    With --json: {"valid": bool, "subjects": [{"name", "description", "valid",
      "checks": [{"name", "file", "passed", "sentence", "code", "hint", "signer",
      "signed_at", "trusted", "undecided", "differences": [{"reference", "expected", "found",
      "cause", "accidents", "comparison", "tried", "remarks"}],
      "canonical": [{"reference", "form", "octets", "path"}]}]}]};
      what is not known is left out.
    """
    inputs.require_paths(files)
    explainer = Explainer.of(
        against=None if against is None else inputs.read_input(against),
        authorities=belief.trust,
        is_asked=explain or against is not None,
        folder=canonical,
    )
    openings = {} if hidden is None else read_openings(inputs.read_input(hidden))
    subjects = []
    for subject in map(explainer.explain, _subjects(files, belief, openings)):
        subjects.append(subject)
        if not as_json:
            _show(
                subject,
                explain=explainer.is_asked,
                whole=list(files) == [subject.name],
            )
    valid = all(subject.is_valid for subject in subjects)
    if as_json:
        output.show_json({"valid": valid, "subjects": [subject.as_dict() for subject in subjects]})
    else:
        _summarise(subjects)
    if not valid:
        click.get_current_context().exit(failures.FINDING)


def _subjects(files: Sequence[str], belief: Belief, openings: Openings) -> Iterator[Subject]:
    for file in files:
        path = Path(file)
        if path.is_dir():
            yield from verify_folder(path, belief)
        else:
            data = inputs.read_input(file)
            yield from (
                verify_archive(file, data, belief, openings)
                if is_zip(data)
                else (verify_file(file, data, belief),)
            )


def _show(subject: Subject, *, explain: bool, whole: bool) -> None:
    """Print one line for a subject that is fine, else what failed; with ``whole`` every check."""
    line = output.mark(subject.is_valid)
    line.append(failures.printable(subject.description), style="bold")
    line.append(f"  {subject.name}")
    output.show_unwrapped(line)
    for check in subject.checks if whole else (*subject.undecided, *subject.failed):
        _show_check(check, explain=explain)


def _show_check(check: Check, *, explain: bool) -> None:
    rows = output.grid(0)
    mark = Text("?", style=output.WARN) if check.undecided else output.tick(check.passed)
    rows.add_row(Text("   ") + mark, Text(failures.printable(_sentence(check))))
    if check.signer:
        rows.add_row("", Text(failures.printable(f"signed by {check.signer}"), style=output.DIM))
    if not check.passed:
        rows.add_row("", Text(f"{check.file}: {check.name}, {check.code}", style=output.DIM))
        if check.hint:
            rows.add_row("", Text(f"hint: {check.hint}", style=output.DIM))
    output.show(rows)
    for difference in check.differences:
        show_difference(difference, explain=explain)
    show_written(check)


def _sentence(check: Check) -> str:
    if not check.signer or not check.passed:
        return check.sentence
    if check.trusted:
        return f"{check.sentence}, and the signer is trusted"
    return f"{check.sentence}; whether to trust the signer was not asked (--ca)"


def _summarise(subjects: Sequence[Subject]) -> None:
    checks = sum(len(subject.checks) for subject in subjects)
    wrong = sum(len(subject.failed) for subject in subjects)
    asked = wrong or any(check.trusted is not None for subject in subjects for check in subject.checks)
    text = Text(f"{_number(checks, 'check')} of {_number(len(subjects), 'item')}")
    hidden = sum(len(subject.undecided) for subject in subjects)
    good = ": all others passed" if hidden else ": all passed"
    text.append(f": {wrong} failed" if wrong else good, style=output.BAD if wrong else output.GOOD)
    if hidden:
        text.append(f", {hidden} cannot be verified (masked)", style=output.WARN)
    if not asked:
        text.append("; signers were not checked against an authority (--ca)", style=output.DIM)
    output.show(Text(), text)
    for sentence in dict.fromkeys(_remarks(subjects)):
        output.show(Text(sentence, style=output.DIM))


def _remarks(subjects: Sequence[Subject]) -> Iterator[str]:
    """Yield what limits the proof of an archive, and is no fault of it."""
    return (check.sentence for subject in subjects for check in subject.checks if check.name == AUTHORITY)


def _number(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
