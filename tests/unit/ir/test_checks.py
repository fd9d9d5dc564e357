"""Which checks an access point makes is a section of the network file; mistakes in it are named with their line."""

from pathlib import Path

import pytest

from eessi_sim.definition_files import load_yaml
from eessi_sim.errors import DefinitionError
from eessi_sim.ir.checks import KNOWN, STANDARD_ORDER, Checks, WhenSilent, read_checks


def _read(folder: Path, text: str) -> Checks:
    path = folder / "network.yaml"
    path.write_text(f"checks: {text}\n")
    return load_yaml(path).mapping(allowed=("checks",)).read("checks", read_checks)


@pytest.mark.parametrize(
    ("text", "checks"),
    [
        ("{}", Checks()),
        (
            "{off: [rules, transaction]}",
            Checks(tuple(n for n in STANDARD_ORDER if n not in ("rules", "transaction"))),
        ),
        ("{on: [duplicates]}", Checks(KNOWN)),
        ("{order: [envelope, schema, scan]}", Checks(("envelope", "schema", "scan"))),
        ("{order: [scan]}", Checks(("scan",))),
        (
            '{clamd: "localhost:3310", when_silent: pass}',
            Checks(clamd="localhost:3310", when_silent=WhenSilent.PASS),
        ),
        ("{clamd: /run/clamd.sock}", Checks(clamd="/run/clamd.sock")),
    ],
)
def test_checks_are_read(tmp_path: Path, text: str, checks: Checks) -> None:
    """Order, what is left out and added, and the scanner are what the file says; the rest is as usual."""
    assert _read(tmp_path, text) == checks


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{off: [shema]}", 'found "shema"'),
        ("{on: [schema]}", 'found "schema" twice'),
        ("{order: [schema, envelope]}", 'Expected "envelope" before "schema"'),
        ("{order: [scan, rules]}", 'Expected "envelope" before "rules"'),
        ("{clamd: localhost}", "Expected the address of a clamd"),
        ('{clamd: "localhost:99999"}', "Expected the address of a clamd"),
    ],
)
def test_checks_that_make_no_sense_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """The refusal says what was expected, and where."""
    with pytest.raises(DefinitionError, match=sentence) as caught:
        _read(tmp_path, text)
    assert "network.yaml" in str(caught.value.as_dict())
