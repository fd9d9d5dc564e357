"""Attachments in an archive: there, proved, and left out when persons are hidden."""

from collections.abc import Callable

import pytest
from tests.helpers.attached import PDF
from tests.helpers.case_archives import Files, files_of, played_with_files, seal, spoiled

from eessi_sim.casefile.export import archive
from eessi_sim.casefile.hiding import hide
from eessi_sim.casefile.masking import Fields
from eessi_sim.casefile.proof import verify_archive
from eessi_sim.verification.outcome import Belief, Check, Subject

WHOLE = archive(played_with_files().case, played_with_files().records, seal()).data
HIDDEN = hide(played_with_files().records, Fields.default(), lambda: "a salt").records
MASKED = archive(played_with_files().case, HIDDEN, seal(), masked=True).data


def subjects(data: bytes) -> list[Subject]:
    """Those about attachments."""
    found = verify_archive("case.zip", data, Belief(trust=None))
    return [each for each in found if any(check.name == "attachment" for check in each.checks)]


def failures(data: bytes) -> list[Check]:
    """The failed checks about attachments."""
    return [check for each in subjects(data) for check in each.failed if check.name == "attachment"]


def first(files: Files) -> str:
    """The first attachment of the archive."""
    return next(name for name in files if name.startswith("attachments/"))


def test_every_file_is_in_the_archive_and_proved() -> None:
    """Each attachment is a file that is a part of its message; the description tells type and flag."""
    found = subjects(WHOLE)
    assert [each.description for each in found] == [
        "attachment contract.pdf of A003, application/pdf",
        "attachment Kari X-ray.pdf of A003, application/pdf, medical",
        "attachment copy.pdf of A003, application/pdf",
    ]
    assert [each.is_valid for each in found] == [True] * 3
    assert files_of(WHOLE)[first(files_of(WHOLE))] == PDF


def _change(files: Files) -> None:
    files[first(files)] += b"x"


def _remove(files: Files) -> None:
    del files[first(files)]


@pytest.mark.parametrize(("change", "codes"), [(_change, ["changed", "missing"]), (_remove, ["missing"])])
def test_file_that_is_not_what_was_sent_is_named(change: Callable[[Files], None], codes: list[str]) -> None:
    """A changed file is in no message, and the part of the message has no file."""
    assert [check.code for check in failures(spoiled(change, WHOLE))] == codes


def test_message_that_cannot_be_read_proves_no_file() -> None:
    """The file stands alone then; what is wrong with the message is told about the message."""

    def spoil(files: Files) -> None:
        for name in files:
            if name.endswith("message.as4"):
                files[name] = b"nothing"

    assert [check.code for check in failures(spoiled(spoil, WHOLE))] == ["changed"] * 3


def test_masked_archive_leaves_files_and_their_names_out() -> None:
    """Content and names are nowhere; that there were attachments is told, and that they cannot be verified."""
    everything = b"\n".join(files_of(MASKED).values())
    assert not [each for each in (PDF, b"contract.pdf", b"Kari", b"copy.pdf") if each in everything]
    found = subjects(MASKED)
    assert [check.undecided for each in found for check in each.checks] == [True] * 3
    assert all("(masked)" in check.sentence for each in found for check in each.checks)
    assert [each for each in verify_archive("m", MASKED, Belief(trust=None)) if not each.is_valid] == []


def test_masked_entry_in_another_archive_proves_nothing() -> None:
    """An archive that does not say that persons are hidden has no attachments left out."""
    plain = archive(played_with_files().case, HIDDEN, seal()).data
    assert subjects(plain) == []
