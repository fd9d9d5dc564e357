"""Archives of documents: each entry is examined under its own name."""

from tests.helpers import evidence

from eessi_sim import zipsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.verification.examination import Examination, examine
from eessi_sim.verification.outcome import INTEGRITY_ONLY
from eessi_sim.verification.zipped import examine_zip

VALIDATOR = Validator(Catalogue.default())


def examined(files: dict[str, bytes]) -> list[Examination]:
    return list(examine_zip("all.zip", zipsafe.write(files), VALIDATOR, INTEGRITY_ONLY))


def codes(found: list[Examination]) -> dict[str, list[str]]:
    return {each.name: [issue.code for issue in each.report.issues] for each in found}


def test_each_entry_is_examined() -> None:
    """Valid and broken documents are told apart by name."""
    found = examined({"good.xml": evidence.sample(), "sub/bad.xml": b"<A003"})
    assert codes(found) == {"all.zip/good.xml": [], "all.zip/sub/bad.xml": ["xml"]}


def test_an_archive_in_an_archive_is_refused() -> None:
    """The finding says to unpack it."""
    (found,) = examined({"inner.zip": zipsafe.write({"a.xml": evidence.sample()})})
    assert [(issue.code, issue.hint) for issue in found.report.issues] == [
        (
            "zip-forbidden",
            "Unpack it; eessi-sim validate reads the documents of an archive, but no archive in an archive.",
        )
    ]


def test_hidden_files_are_left_out() -> None:
    """What systems add unseen is no document."""
    assert codes(examined({"__MACOSX/._a.xml": b"x", "sub/.DS_Store": b"x", "a.xml": evidence.sample()})) == {
        "all.zip/a.xml": []
    }


def test_an_archive_without_documents_is_a_finding() -> None:
    """Nothing to examine is not the same as valid."""
    assert codes(examined({})) == {"all.zip": ["zip"]}


def test_a_broken_archive_is_a_finding() -> None:
    """The archive itself is named."""
    found = list(examine_zip("all.zip", b"PK\x03\x04", VALIDATOR, INTEGRITY_ONLY))
    assert codes(found) == {"all.zip": ["zip"]}


def test_an_entry_that_cannot_be_read_does_not_hide_the_others() -> None:
    """A bomb is a finding under its name."""
    found = examined({"bomb.xml": bytes(40_000_000), "a.xml": evidence.sample()})
    assert codes(found) == {"all.zip/bomb.xml": ["zip-too-large"], "all.zip/a.xml": []}


def test_an_archive_is_no_document() -> None:
    """Where one document is asked for, an archive is refused."""
    found = examine("x", zipsafe.write({}), VALIDATOR, INTEGRITY_ONLY)
    assert codes([found]) == {"x": ["zip-forbidden"]}
