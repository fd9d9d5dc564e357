"""One changed bit in what a report keeps is found: by the sums of the report, and where it matters by signatures alone."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.commands import run

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.errors import XmlError
from eessi_sim.verification.evidence import Evidence, verify_evidence
from eessi_sim.verification.folder import folder_belief
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Belief

SIGNED = ("message.as4", "receipt.xml")
FLIPS = 240


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with one story, made by the command."""
    folder = tmp_path_factory.mktemp("flipped") / "report"
    result = run("demo", "--in-process", "--seed", "7", "--story", "posted-worker", "--report", folder)
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="module")
def evidence(report: Path) -> list[Evidence]:
    """The messages of the report, without the sums that the report keeps of them."""
    places = sorted(path for path in (report / "messages").iterdir() if path.is_dir())
    return [
        Evidence(place.name, {file.name: file.read_bytes() for file in place.iterdir()}) for place in places
    ]


@pytest.fixture(scope="module")
def belief(report: Path) -> Belief:
    """The authority of the report."""
    return folder_belief(report, INTEGRITY_ONLY)


def flipped(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with one random bit changed."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def meaning(data: bytes) -> object:
    """Return everything that a receiver takes from a stored message or receipt; the error when it takes nothing."""
    try:
        message = msh.unpack_file(data)
    except (EbmsFault, XmlError) as error:
        return type(error)
    return message.unit, [(part.content, part.properties) for part in message.parts], message.routing


def test_untouched_report_verifies(evidence: list[Evidence], belief: Belief) -> None:
    """Without a changed bit nothing is found."""
    assert [subject.failed for subject in (verify_evidence(each, belief) for each in evidence)] == [
        () for _ in evidence
    ]


@pytest.mark.parametrize("number", range(FLIPS))
def test_flipped_bit_never_passes_as_the_original(
    number: int, evidence: list[Evidence], belief: Belief
) -> None:
    """By signatures alone: a changed bit in a message or receipt is found, unless it changes nothing that is said."""
    chance = random.Random(number)
    whole = chance.choice(evidence)
    name = chance.choice(SIGNED)
    original = whole.files[name]
    spoiled = flipped(original, chance)
    subject = verify_evidence(replace(whole, files={**whole.files, name: spoiled}), belief)
    assert not subject.is_valid or meaning(spoiled) == meaning(original)


@pytest.mark.parametrize("number", range(12))
def test_command_finds_any_flipped_bit_of_a_report(number: int, report: Path, tmp_path: Path) -> None:
    """By the sums of the report: ``verify`` finds a changed bit in any file of any message and exits with 1."""
    copy = tmp_path / "report"
    shutil.copytree(report, copy)
    chance = random.Random(1000 + number)
    file = chance.choice(sorted(path for path in (copy / "messages").glob("*/*") if path.is_file()))
    file.write_bytes(flipped(file.read_bytes(), chance))
    result = run("verify", copy)
    assert result.exit_code == 1
    assert file.name in result.output
