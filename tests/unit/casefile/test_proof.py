"""An archive proves itself: what was changed, removed, added or re-ordered is named."""

import json
import random
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from tests.helpers.case_archives import (
    Files,
    exported,
    files_of,
    played,
    remade,
    seal,
    spoiled,
    with_lines,
)
from tests.helpers.keys import key_pair, trust
from tests.helpers.lab import ZUS, demo_credentials

from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.export import JOURNAL, MANIFEST, archive
from eessi_sim.casefile.proof import verify_archive
from eessi_sim.security.indication import SubIndication
from eessi_sim.simulation.inprocess import START
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Belief, Subject

Failures = list[tuple[str, str | None, str]]


def subjects(data: bytes, belief: Belief = INTEGRITY_ONLY) -> list[Subject]:
    return list(verify_archive("case.zip", data, belief))


def failures(data: bytes, belief: Belief = INTEGRITY_ONLY) -> Failures:
    return [
        (check.name, check.code, check.sentence)
        for subject in subjects(data, belief)
        for check in subject.failed
    ]


def codes(data: bytes) -> list[tuple[str, str | None]]:
    return [(name, code) for name, code, _ in failures(data)]


def named(prefix: str) -> str:
    """The first file of the archive whose name begins so."""
    return next(name for name in files_of(exported().data) if name.startswith(prefix))


def test_an_archive_is_proved_without_any_node() -> None:
    """Chain, files, seals, signatures, receipts and certificates all verify."""
    found = subjects(exported().data)
    assert [subject.name for subject in found if not subject.is_valid] == []
    assert {check.name for subject in found for check in subject.checks} >= {
        "chain",
        "file",
        "seal",
        "maker",
        "authority",
        "certificate",
        "content",
        "message-signature",
        "receipt-references",
        "row",
    }


def test_the_same_case_gives_the_same_archive() -> None:
    """Order, times and journal depend on nothing but the case; the seal of P-256 keys alone differs."""
    again = archive(played().case, played().records, seal())
    assert again.manifest == exported().manifest
    assert {name: data for name, data in files_of(again.data).items() if name != MANIFEST} == {
        name: data for name, data in files_of(exported().data).items() if name != MANIFEST
    }


def test_a_changed_document_is_named() -> None:
    """The file whose SHA-256 differs is named, and its seal is broken."""
    file = named("documents/")

    def change(files: Files) -> None:
        files[file] = files[file].replace(b"<town>", b"<town>X", 1)

    found = failures(spoiled(change))
    assert found[0][:2] == ("file", "changed")
    assert file in found[0][2]
    assert {name for name, _, _ in found} == {"file", "seal", "content"}


@pytest.mark.parametrize("prefix", ["documents/", "messages/", "certificates/", "ca.crl", "case.json"])
def test_a_removed_file_is_named(prefix: str) -> None:
    """A file that the journal names and that is not there is missing."""
    file = named(prefix)
    found = failures(spoiled(lambda files: files.pop(file)))
    assert ("file", "missing") in [each[:2] for each in found]
    assert any(file in sentence for _, _, sentence in found)


def test_an_added_file_is_named() -> None:
    """A file without entry is told as added."""
    found = failures(spoiled(lambda files: files.update({"documents/new.xml": b"<new/>"})))
    assert found == [
        (
            "file",
            "added",
            "Expected only files that the journal names, found documents/new.xml besides",
        )
    ]


def test_a_changed_entry_is_named() -> None:
    """A line whose hash does not fit any more is named with its number."""

    def change(lines: list[bytes]) -> None:
        lines[2] = lines[2].replace(b'"direction":"out"', b'"direction":"in"')

    (name, code, sentence), *rest = failures(with_lines(change))
    assert (name, code, rest) == ("chain", "changed", [])
    assert sentence.startswith("Expected entry 3 (document documents/")


def test_an_entry_that_was_made_anew_is_named() -> None:
    """With a fitting hash of its own, the entry behind it tells."""

    def change(lines: list[bytes]) -> None:
        lines[0] = remade(lines[0], at="2020-01-01T00:00:00.000Z")

    (name, code, sentence), *rest = failures(with_lines(change))
    assert (name, code, rest) == ("chain", "changed", [])
    assert "to follow entry 1" in sentence


def test_a_chain_that_was_made_anew_does_not_fit_the_manifest() -> None:
    """Whoever makes every hash anew is found out by the sealed head."""

    def change(lines: list[bytes]) -> None:
        previous = "0" * 64
        for place, line in enumerate(lines):
            changes = {"at": "2020-01-01T00:00:00.000Z"} if place == 0 else {}
            lines[place] = remade(line, previous=previous, **changes)
            previous = json.loads(lines[place])["hash"]

    (name, code, sentence), *rest = failures(with_lines(change))
    assert (name, code, rest) == ("chain", "changed", [])
    assert "the hash that the manifest states" in sentence


def test_a_removed_entry_is_named() -> None:
    """The number that is missing is told, and its file counts as added."""
    found = failures(with_lines(lambda lines: lines.pop(0)))
    assert found == [("chain", "missing", "Expected entry 1 in the journal, found none")]


def test_removed_entries_at_the_end_are_named() -> None:
    """The manifest knows how many there are."""

    def cut(lines: list[bytes]) -> None:
        del lines[-2:]

    found = failures(with_lines(cut))
    last = exported().manifest.head.entries
    assert found[0][2] == f"Expected entries {last - 1}, {last} in the journal, found none"
    assert [each[:2] for each in found[1:]] == [("file", "added"), ("file", "added")]


def test_re_ordered_entries_are_named() -> None:
    """Two entries that changed places are told as that."""

    def swap(lines: list[bytes]) -> None:
        lines[3], lines[4] = lines[4], lines[3]

    (name, code, sentence), *rest = failures(with_lines(swap))
    assert (name, code, rest) == ("chain", "re-ordered", [])
    assert sentence.startswith("Expected entry 4 (")


def test_an_added_entry_is_named() -> None:
    """A number beyond those of the manifest, or one that occurs twice, is told as added."""

    def add(lines: list[bytes]) -> None:
        last = json.loads(lines[-1])
        lines.append(
            remade(lines[0], number=last["number"] + 1, previous=last["hash"], file=None, sha256=None)
        )
        lines.append(lines[0])

    found = failures(with_lines(add))
    assert [each[:2] for each in found] == [("chain", "added"), ("chain", "added")]


def test_a_second_entry_about_a_file_is_named() -> None:
    """A file has one entry."""
    first = next(each for each in played().records if each.file)
    data = archive(played().case, (*played().records, first), seal()).data
    assert codes(data) == [("file", "added")]


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"",
        b"nonsense",
        b"[]",
        b"[" * 100_000,
        b'{"at":1,"facts":{},"file":null,"hash":"","number":1,"previous":"","sha256":null,"what":""}',
        b'{"at":"","facts":{},"file":"a","hash":"","number":1,"previous":"","sha256":null,"what":""}',
        b'{"at":"","facts":[],"file":null,"hash":"","number":1,"previous":"","sha256":null,"what":""}',
        b'{"at":"","facts":{},"file":null,"hash":"","number":true,"previous":"","sha256":null,"what":""}',
        b'{"at":"","facts":{},"file":null,"hash":"","number":1,"previous":"","sha256":null,"what":"\\ud800"}',
    ],
)
def test_a_line_that_is_no_entry_is_named(line: bytes) -> None:
    """Whatever stands in the journal, the line is told."""
    found = failures(with_lines(lambda lines: lines.insert(1, line)))
    assert found[0][2] == "Expected line 2 of the journal as it was written, found something else"


def test_a_manifest_of_somebody_else_is_not_believed() -> None:
    """The seal must be that of the institution whose copy it is."""
    stranger = archive(played().case, played().records, replace(seal(), keys=key_pair())).data
    other = replace(seal(), keys=demo_credentials().parties[ZUS].seal)
    assert codes(stranger) == [("seal", SubIndication.NO_CERTIFICATE_CHAIN_FOUND)]
    assert codes(archive(played().case, played().records, other).data) == [
        ("maker", SubIndication.SIG_CONSTRAINTS_FAILURE)
    ]


def test_an_archive_without_manifest_or_journal_is_told() -> None:
    """Nothing holds the files together then."""
    assert ("file", "missing") in codes(spoiled(lambda files: files.pop(MANIFEST)))
    assert ("chain", "missing") in codes(spoiled(lambda files: files.pop(JOURNAL)))


@pytest.mark.parametrize(
    "manifest",
    [
        b"<other/>",
        b"broken",
        b'<CaseArchive xmlns="urn:eessi-sim:case-archive:1"/>',
        b'<CaseArchive xmlns="urn:eessi-sim:case-archive:1"><head>0</head></CaseArchive>',
    ],
)
def test_a_strange_manifest_is_told(manifest: bytes) -> None:
    """What is no manifest is a failed check, and the rest is verified all the same."""
    assert codes(spoiled(lambda files: files.update({MANIFEST: manifest}))) == [("manifest", "xml")]


def test_what_is_no_archive_is_told() -> None:
    """A cut file is one failed check."""
    assert codes(exported().data[:1000]) == [("archive", "zip")]


def test_an_entry_of_the_zip_that_cannot_be_read_is_named() -> None:
    """A bomb in the archive is told by name and not unpacked."""
    bomb = bytes(40_000_000)
    found = failures(spoiled(lambda files: files.update({"bomb": bomb})))
    assert [(code, "bomb" in sentence) for _, code, sentence in found] == [("zip-too-large", True)]


def test_a_name_that_occurs_twice_is_named() -> None:
    """Programs differ in which of two entries they show, so that a second one is told."""
    archive_file = BytesIO(exported().data)
    with ZipFile(archive_file, "a") as target, pytest.warns(UserWarning, match="Duplicate name"):
        target.writestr("case.json", b"{}")
    found = failures(archive_file.getvalue())
    assert found == [("file", "added", "Expected one file case.json in the archive, found two")]


def test_another_authority_counts_more_than_that_in_the_archive() -> None:
    """Who names an authority believes nobody else."""
    stranger = Belief(trust(), START)
    assert {code for _, code, _ in failures(exported().data, stranger)} == {
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    }
    own = Belief(demo_credentials().trust, START)
    assert failures(exported().data, own) == []


def test_a_strange_authority_in_the_archive_is_told() -> None:
    """Without a readable authority signatures are intact at most."""
    found = codes(spoiled(lambda files: files.update({"ca.pem": b"nonsense"})))
    assert found == [("authority", "key-material"), ("file", "changed")]


def test_a_strange_certificate_is_told() -> None:
    """A file that is no certificate is told under its name."""
    file = named("certificates/")
    found = codes(spoiled(lambda files: files.update({file: b"nonsense"})))
    assert found == [("file", "changed"), ("certificate", "key-material")]


def test_a_certificate_without_purpose_is_told() -> None:
    """For what it may be used must be known."""
    bare = [
        replace(each, facts={"party": "NO:NAVAT07"}) if each.what == "certificate" and each.facts else each
        for each in played().records
    ]
    assert set(codes(archive(played().case, bare, seal()).data)) == {("certificate", "unreadable")}


def test_without_authority_certificates_are_only_read() -> None:
    """An archive without an authority says whose certificates these are, not whether to trust them."""
    records = [each for each in played().records if each.file not in ("ca.pem", "ca.crl")]
    found = subjects(archive(played().case, records, seal()).data)
    assert all(subject.is_valid for subject in found)
    assert all(check.trusted is None for subject in found for check in subject.checks)


def test_an_archive_without_certificates_is_proved_too() -> None:
    """What signs brings its certificate along."""
    records = [each for each in played().records if each.what != "certificate"]
    assert failures(archive(played().case, records, seal()).data) == []


def test_a_message_that_never_got_a_receipt_lacks_none() -> None:
    """When the journal says that no receipt came, none is missed."""
    records = [each for each in played().records if each.what != "receipt"]
    assert failures(archive(played().case, records, seal()).data) == []


def test_an_answer_besides_the_receipt_is_verified() -> None:
    """A further signal about a message has its own verdict."""
    receipt = next(each for each in played().records if each.what == "receipt")
    assert receipt.file
    folder = receipt.file.rpartition("/")[0]
    more = Record(at=START, what="error", file=f"{folder}/error-1.as4", content=receipt.content)
    found = subjects(archive(played().case, (*played().records, more), seal()).data)
    assert [(each.name, each.is_valid) for each in found if "error-1" in each.name] == [
        (f"{folder}/error-1.as4", True)
    ]


def test_a_message_without_facts_is_verified_by_itself() -> None:
    """A message that was refused before it was read has no facts to compare."""
    bare = [replace(each, facts={}) if each.what == "message" else each for each in played().records]
    found = subjects(archive(played().case, bare, seal()).data)
    assert all(subject.is_valid for subject in found)
    assert "row" not in {check.name for subject in found for check in subject.checks}


def test_any_flipped_bit_is_found() -> None:
    """Whatever octet of any file is changed, a check fails."""
    chance = random.Random(4)
    names = sorted(files_of(exported().data))
    for _ in range(40):
        file = chance.choice(names)

        def flip(files: Files, file: str = file) -> None:
            data = bytearray(files[file])
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            files[file] = bytes(data)

        assert failures(spoiled(flip)), file
