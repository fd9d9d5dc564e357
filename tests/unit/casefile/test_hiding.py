"""A masked archive: no person in any file, and everything verified that can be."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from tests.helpers.case_archives import files_of, played, seal, spoiled
from tests.helpers.envelopes import HEADER
from tests.helpers.lab import NAV

from eessi_sim import sbdh
from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.export import archive
from eessi_sim.casefile.hiding import Hidden, hide, openings_json, read_openings
from eessi_sim.casefile.masking import BLOCKS, Fields, Opening
from eessi_sim.casefile.proof import verify_archive
from eessi_sim.errors import KeyMaterialError
from eessi_sim.simulation.inprocess import START
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Check


@cache
def hidden() -> Hidden:
    return hide(played().records, Fields.default(), lambda: "a salt")


@cache
def masked() -> bytes:
    return archive(played().case, hidden().records, seal(), masked=True).data


def checks(data: bytes, openings: dict[str, tuple[Opening, ...]] | None = None) -> list[Check]:
    found = verify_archive("case.zip", data, INTEGRITY_ONLY, openings or {})
    return [check for subject in found for check in subject.checks]


def secrets() -> set[bytes]:
    """Every text that was hidden."""
    return {
        opening.value.encode()
        for openings in hidden().openings.values()
        for opening in openings
        if len(opening.value) > 4  # four digits are a part of some UUID by chance
    }


def stands_in(secret: bytes, everything: bytes) -> bool:
    """Whether a text stands there by itself: in the middle of a hash or signature it does by chance."""
    return re.search(rb"(?<![0-9A-Za-z])" + re.escape(secret) + rb"(?![0-9A-Za-z])", everything) is not None


def hiding(*records: Record) -> list[Record]:
    return list(hide(records, Fields.default(), lambda: "a salt").records)


def test_no_hidden_text_is_in_any_file() -> None:
    """Names, numbers and addresses are in no file, nor in the journal."""
    everything = b"\n".join(files_of(masked()).values())
    assert len(secrets()) > 20
    assert [secret for secret in secrets() if stands_in(secret, everything)] == []
    clear = b"\n".join(files_of(archive(played().case, played().records, seal()).data).values())
    assert sum(stands_in(secret, clear) for secret in secrets()) > 20


def test_a_masked_archive_verifies_but_for_what_is_hidden() -> None:
    """Chain, files, signatures of messages, envelopes, receipts and certificates verify; seals cannot be."""
    found = checks(masked())
    assert [check for check in found if not check.passed] == []
    assert {check.name for check in found if check.undecided} == {"seal", "payload"}
    assert {check.name for check in found if not check.undecided} >= {
        "seal",
        "chain",
        "file",
        "message-signature",
        "envelope",
        "receipt-references",
        "row",
        "content",
        "certificate",
    }


def test_openings_let_the_seals_be_verified() -> None:
    """With the openings each document is the one that was sealed."""
    found = checks(masked(), hidden().openings)
    assert [check for check in found if not check.passed] == []
    assert {check.name for check in found if check.undecided} == {"payload"}


def test_wrong_openings_are_told() -> None:
    """Another text than the hidden one fits neither its hash nor the seal."""
    file, (first, *others) = next(iter(hidden().openings.items()))
    wrong = (replace(first, value="Ola"), *others)
    found = checks(masked(), {file: wrong})
    assert [(check.name, check.file) for check in found if not check.passed] == [
        ("openings", file),
        ("seal", file),
    ]


def test_what_looks_masked_in_another_archive_was_changed() -> None:
    """Blocks in an archive that says nothing of masking do not excuse a seal."""
    blocks = f"{BLOCKS} {'0' * 64}".encode()

    def change(files: dict[str, bytes]) -> None:
        file = next(name for name in files if name.startswith("documents/"))
        files[file] = files[file].replace(b"<town>", b"<town>" + blocks)

    found = [check.name for check in checks(spoiled(change)) if not check.passed]
    assert "seal" in found


def test_a_changed_envelope_of_a_masked_message_is_told() -> None:
    """The SED in the envelope is the masked document."""

    def change(files: dict[str, bytes]) -> None:
        file = next(name for name in files if name.endswith("sbdh.xml"))
        files[file] = files[file].replace(b"</country>", b"</country>\n", 1)

    found = {check.name for check in checks(spoiled(change, masked())) if not check.passed}
    assert found == {"file", "content"}


@pytest.mark.parametrize("spoil", [b"<broken", b"<other/>"])
def test_a_strange_envelope_of_a_masked_message_is_told(spoil: bytes) -> None:
    """What is no envelope is a failed check."""

    def change(files: dict[str, bytes]) -> None:
        files[next(name for name in files if name.endswith("sbdh.xml"))] = spoil

    found = {check.name for check in checks(spoiled(change, masked())) if not check.passed}
    assert found >= {"file", "content", "envelope"}


def test_a_strange_document_of_a_masked_archive_is_told() -> None:
    """What is no XML is a failed check."""

    def change(files: dict[str, bytes]) -> None:
        files[next(name for name in files if name.startswith("documents/"))] = b"<broken"

    found = {check.name for check in checks(spoiled(change, masked())) if not check.passed}
    assert found == {"file", "document", "content"}


def test_what_cannot_be_read_is_left_out() -> None:
    """Nobody can say whom it names."""
    broken = Record(at=START, what="document", file="documents/a.xml", content=b"<broken")
    (found,) = hiding(broken)
    assert (found.file, found.content, found.facts) == (None, b"", {"withheld": "documents/a.xml"})


def test_an_error_is_left_out() -> None:
    """Its findings may show values."""
    (found,) = hiding(Record(at=START, what="error", file="messages/m/error-e.as4", content=b"Kari"))
    assert (found.file, found.content) == (None, b"")


def test_a_message_that_cannot_be_taken_apart_is_left_out() -> None:
    """Where its SOAP part ends nobody knows."""
    (found,) = hiding(Record(at=START, what="message", file="messages/m/message.as4", content=b"Kari"))
    assert found.file is None


def test_reasons_of_steps_are_hidden() -> None:
    """A sentence may name somebody, the other facts do not."""
    (found,) = hiding(Record(at=START, what="step", facts={"step": "filed", "reason": "Kari moved"}))
    assert found.facts == {"step": "filed", "reason": BLOCKS}


def test_who_decided_is_hidden_in_the_case() -> None:
    """The kind of actor stays."""
    case = json.loads(files_of(masked())["case.json"])
    actors = [event["actor"] for event in case["history"]]
    assert {actor["name"] for actor in actors} == {BLOCKS}
    assert BLOCKS not in {actor["kind"] for actor in actors}
    assert case["own"] == NAV


def test_details_of_deliveries_are_hidden() -> None:
    """An empty detail hides nothing and stays empty."""
    content = json.dumps({"deliveries": [{"detail": "Kari"}, {"detail": ""}]}).encode()
    (found,) = hiding(Record(at=START, what="case", file="case.json", content=content))
    assert json.loads(found.content) == {"deliveries": [{"detail": BLOCKS}, {"detail": ""}]}


def test_comments_of_an_envelope_are_left_out() -> None:
    """Nobody signed them, and they may say anything."""
    content = sbdh.wrap(HEADER, b"<A003><!-- Kari --><startDate>2026-03-02</startDate></A003>")
    (found,) = hiding(Record(at=START, what="part", file="messages/m/sbdh.xml", content=content))
    assert b"Kari" not in found.content
    assert b"<startDate>2026-03-02</startDate>" in found.content


def test_a_message_that_was_left_out_is_told() -> None:
    """What was answered to it stays, and nothing about it can be verified."""
    broken = [replace(each, content=b"Kari") if each.what == "message" else each for each in played().records]
    hidden_ = hide(broken, Fields.default(), lambda: "a salt")
    found = checks(archive(played().case, hidden_.records, seal(), masked=True).data)
    assert [check.sentence for check in found if check.name == "message"] == 2 * [
        "The message cannot be verified (masked)"
    ]
    assert [check.name for check in found if not check.passed] == []


def test_a_document_that_names_nobody_is_left_as_it_is() -> None:
    """Its seal verifies without openings, in the archive and in its envelope."""
    document = Record(
        at=START, what="document", file="d.xml", content=b"<A003><startDate>2026-03-02</startDate></A003>"
    )
    assert hiding(document) == [document]


def test_openings_are_read_as_they_were_written() -> None:
    """The file holds everything that was hidden."""
    assert read_openings(openings_json(hidden().openings)) == hidden().openings


def test_what_holds_no_openings_is_told() -> None:
    """The error says which file is meant."""
    with pytest.raises(KeyMaterialError, match="Expected the openings"):
        read_openings(b"[]")
