"""``eessi-sim validate``: says what is wrong with a file, where, why, and what to change."""

import difflib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import click
from rich.padding import Padding
from rich.text import Text

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.report import Severity, ValidationReport
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.validation import Validator
from eessi_sim.cli import failures, findings, fixing, inputs, output
from eessi_sim.cli.believing import belief_options
from eessi_sim.cli.fixing import Fixed
from eessi_sim.clock import SystemClock
from eessi_sim.errors import XmlTooLarge
from eessi_sim.verification import formats
from eessi_sim.verification.examination import Examination, envelope_rules, examine, refused
from eessi_sim.verification.outcome import Belief, Check
from eessi_sim.verification.recognition import Kind
from eessi_sim.verification.zipped import examine_zip
from eessi_sim.zipsafe import is_zip

_STANDARD_INPUT: Final = "(standard input)"
_DOCUMENTS: Final = (".xml", ".json", ".as4", ".zip")
"""What is taken from a folder."""


@click.command(epilog=failures.EXIT_STATUS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@belief_options("without one, signatures are only checked to be intact")
@click.option(
    "--disable", multiple=True, metavar="RULE", help="Id of a business rule to leave out; may be repeated."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", *formats.WRITERS]),
    default="text",
    show_default=True,
    help="Report for people, or for a build server (junit), a Schematron tool (svrl), a GITB test bed (trl).",
)
@click.option("-o", "--output", "target", metavar="FILE", help="Where to write a junit, svrl or trl report.")
@click.option(
    "--fix",
    "copy",
    metavar="OUT",
    help="Write a copy of one document with its mechanical faults mended; - is standard output, and the report then "
    "goes to standard error.",
)
@inputs.cdm_option
@output.shared_options
def validate(
    *,
    files: Sequence[str],
    belief: Belief,
    disable: Sequence[str],
    form: str,
    target: str | None,
    copy: str | None,
    catalogue: Catalogue,
    as_json: bool,
) -> None:
    r"""Check documents: schema, business rules, and the signature where there is one.

    A FILE is a SED as XML or in RINA's JSON form, a SED in its envelope (SBDH), or a whole AS4 message; - is
    standard input, a folder stands for the .xml, .json and .as4 files in it, and a zip for all files in it. Each
    finding says what was expected and found, at which line and XPath, by which rule, where the rule comes from, and
    what to change. Nothing is sent.

    A mechanical fault carries its mend: order of elements, a group or <value> that was left out, the label of a
    code, the form of a date, blanks, copies, namespaces, the version. --fix does them all, lists what it changed and
    judges the copy; nothing is guessed, and the exit status is 0 when the copy is valid. A signature stays and does
    not fit the copy.

    \b
    Example:
      eessi-sim sample A003 -o a003.xml
      eessi-sim validate a003.xml
      eessi-sim validate *.xml --ca report/ca.pem --json
      eessi-sim validate documents.zip
      eessi-sim validate outgoing/ --format junit -o validation.xml
      eessi-sim validate a003.xml --fix mended.xml

    \b
    With --json: {"valid": bool, "files": [{"file", "kind", "valid", "xsd_valid",
      "rules_valid", "sed", "version", "issues": [{"severity", "code", "path",
      "message", "line", "column", "hint", "rule", "source", "confidence",
      "expected", "found", "mend": {"sentence", "before", "after"}}], "capped",
      "signatures": [{"name", "passed", "sentence", "signer", "signed_at",
      "trusted"}]}]}; what is not known is left out of an issue. With --fix also
      "fix": {"file", "valid", "changes": [{"code", "path", "sentence", "before",
      "after"}], "warnings": [str], "issues": those of the copy}.
    """
    form = "json" if as_json else form
    _require_fitting(form, target, copy)
    files = _expanded(files)
    _require_one(files, copy)
    inputs.require_files(files)
    _require_rules(disable, catalogue)
    validator = Validator(catalogue, frozenset(disable))
    with output.aside(copy == inputs.STANDARD_INPUT):
        examined = _examine_all(files, validator, belief, is_shown=form == "text")
        _require_one(examined, copy)
        fixed = fixing.fix(examined[0], copy, validator, belief) if copy is not None else None
        _report(examined, form, target, fixed)
    if fixed is not None:
        fixed.write()
    valid = fixed.is_valid if fixed is not None else all(each.is_valid for each in examined)
    if not valid:
        click.get_current_context().exit(failures.FINDING)


def _require_fitting(form: str, target: str | None, copy: str | None) -> None:
    """Refuse options that have no meaning together.

    Raises:
        click.UsageError: they have none.
    """
    if target is not None and form not in formats.WRITERS:
        raise failures.usage(f"Expected --format {', '.join(formats.WRITERS)} beside --output, found {form}.")
    if copy is not None and form in formats.WRITERS:
        raise failures.usage(f"Expected --format text or json beside --fix, found {form}.")


def _require_one(found: Sequence[object], copy: str | None) -> None:
    """Refuse to mend more than one document; that an archive holds several is known when it was read.

    Raises:
        click.UsageError: there are several.
    """
    if copy is not None and len(found) != 1:
        raise failures.usage(f"Expected one document beside --fix, found {len(found)}.")


def _examine_all(
    files: Sequence[str], validator: Validator, belief: Belief, *, is_shown: bool
) -> list[Examination]:
    """Return what was found about each file; shown as soon as it is known."""
    examined = []
    with output.working("Reading the definitions …"):
        for each in chain.from_iterable(_examine(file, validator, belief) for file in files):
            examined.append(each)
            if is_shown:
                _show(each, is_first=len(examined) == 1)
    return examined


def _report(examined: Sequence[Examination], form: str, target: str | None, fixed: Fixed | None) -> None:
    if form == "json":
        files = [each.as_dict() for each in examined]
        fix = {"fix": fixed.as_dict()} if fixed is not None else {}
        output.show_json({"valid": all(each.is_valid for each in examined), "files": files, **fix})
    elif form in formats.WRITERS:
        inputs.write_output(target, formats.WRITERS[form](examined, SystemClock().now()))
    elif fixed is not None:
        fixed.show()
    elif len(examined) > 1:
        _show_count(examined)


def _expanded(files: Sequence[str]) -> list[str]:
    """Return the files, with those of a folder in place of the folder.

    Raises:
        click.UsageError: a folder holds no document.
    """
    expanded: list[str] = []
    for name in files:
        folder = Path(name)
        if name == inputs.STANDARD_INPUT or not folder.is_dir():
            expanded.append(name)
            continue
        found = sorted(
            str(each) for each in folder.rglob("*") if each.suffix.lower() in _DOCUMENTS and each.is_file()
        )
        if not found:
            raise failures.usage(f'Expected {", ".join(_DOCUMENTS)} files in "{name}", found none.')
        expanded += found
    return expanded


def _require_rules(ids: Sequence[str], catalogue: Catalogue) -> None:
    """Refuse to switch off a rule that does not exist: it would go on unnoticed.

    Raises:
        click.UsageError: no rule has this id; names the nearest.
    """
    if not ids:
        return
    sets = [RuleSet.load(each.rules) for each in catalogue.definitions()]
    known = {rule.id for each in [*sets, envelope_rules()] for rule in each.rules}
    for wrong in sorted(set(ids) - known):
        near = difflib.get_close_matches(wrong, sorted(known), n=3)
        advice = f"Did you mean {' or '.join(near)}?" if near else "seds show SED lists the rules of a SED."
        raise failures.usage(f'Expected the id of a rule, found "{wrong}". {advice}')


def _show_count(examined: Sequence[Examination]) -> None:
    wrong = sum(not each.is_valid for each in examined)
    output.show(Text(), Text(f"{len(examined)} files, {f'{wrong} not valid' if wrong else 'all valid'}"))


def _examine(file: str, validator: Validator, belief: Belief) -> Iterator[Examination]:
    name = _STANDARD_INPUT if file == inputs.STANDARD_INPUT else file
    try:
        data = inputs.read_input(file)
    except XmlTooLarge as error:
        yield refused(name, error)
        return
    if is_zip(data):
        yield from examine_zip(name, data, validator, belief)
    else:
        yield examine(name, data, validator, belief)


def _show(examination: Examination, *, is_first: bool) -> None:
    if not is_first:
        output.show(Text())
    output.show_unwrapped(_headline(examination))
    for check in examination.signatures:
        _show_signature(check)
    findings.show(examination.report.issues, examination.text)
    if examination.report.capped:
        output.show(Text(f"  … and {examination.report.capped} further findings", output.DIM))


def _headline(examination: Examination) -> Text:
    line = output.mark(examination.is_valid)
    line.append(f"{examination.name}  ", style="bold")
    what = f"{examination.sed} of CDM {examination.version}" if examination.sed else ""
    if examination.kind not in (Kind.SED, Kind.UNKNOWN) or not what:
        what = f"{examination.kind}{' with ' if what else ''}{what}"
    line.append(f"{what}: ")
    line.append(_verdict(examination.report), style=output.GOOD if examination.is_valid else output.BAD)
    return line


def _verdict(report: ValidationReport) -> str:
    counts = {severity: sum(issue.severity is severity for issue in report.issues) for severity in Severity}
    told = [f"{number} {severity}{'s'[: number > 1]}" for severity, number in counts.items() if number]
    return ("valid" if report.is_valid else "not valid") + (f", {', '.join(told)}" if told else "")


def _show_signature(check: Check) -> None:
    sentence = Text(check.sentence if check.passed else f"{check.name} is broken, see below")
    if check.signer:
        sentence.append(f"; signed by {check.signer}", style=output.DIM)
    if check.passed and check.trusted is None:
        sentence.append("; whether to trust the signer was not asked (--ca)", style=output.DIM)
    row = output.grid(0)
    row.add_row(output.tick(check.passed), sentence)
    output.show(Padding(row, (0, 2)))
