"""The folder of a whole run: everything that two files say is compared."""

import json
import random
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers import evidence
from tests.helpers.as4_messages import NOW, RECEIVER, SENDER, authority, keys_of, packed_message, sed_payload

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.errors import EnvironmentProblem, KeyMaterialError
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.verification.folder import load_authorities, verify_folder
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Belief, Check, Subject


def verified(folder: Path, belief: Belief = INTEGRITY_ONLY) -> list[Subject]:
    return list(verify_folder(folder, belief))


def failures(folder: Path, belief: Belief = INTEGRITY_ONLY) -> list[tuple[str, str]]:
    """File and name of each check that failed."""
    return [(check.file, check.name) for subject in verified(folder, belief) for check in subject.failed]


def only_failure(folder: Path) -> Check:
    [check] = [check for subject in verified(folder) for check in subject.failed]
    return check


def test_a_run_as_it_was_written_passes(tmp_path: Path) -> None:
    """A run as it was written passes every check."""
    evidence.write_run(tmp_path, index=True)
    assert failures(tmp_path) == []


def test_the_checks_of_a_message_have_stable_names(tmp_path: Path) -> None:
    """Programs find the checks of a message by their names."""
    evidence.write_run(tmp_path)
    [subject] = verified(tmp_path)
    assert [(check.file, check.name) for check in subject.checks] == [
        ("message.as4", "message-signature"),
        ("message.as4", "sender"),
        ("message.as4", "envelope"),
        ("message.as4", "seal"),
        ("sbdh.xml", "content"),
        ("sed.xml", "content"),
        ("report.json", "row"),
        ("receipt.xml", "message-signature"),
        ("receipt.xml", "receiver"),
        ("receipt.xml", "receipt-references"),
        ("receipt.xml", "receipt-way"),
    ]


def test_a_subject_says_who_sent_what_to_whom(tmp_path: Path) -> None:
    """The description of a message names SED, sender and receiver."""
    evidence.write_run(tmp_path)
    assert verified(tmp_path)[0].description == "A003 PL:ZUS001 → NO:NAVAT07"


def test_signers_are_trusted_through_the_authority_in_the_folder(tmp_path: Path) -> None:
    """The authority in the folder is believed when nobody else is named."""
    evidence.write_run(tmp_path)
    [subject] = verified(tmp_path)
    assert {check.trusted for check in subject.checks if check.signer} == {True}


def test_without_authority_trust_is_not_judged(tmp_path: Path) -> None:
    """Without an authority signatures are intact, and nothing is said about trust."""
    evidence.write_run(tmp_path)
    (tmp_path / "ca.pem").unlink()
    [subject] = verified(tmp_path)
    assert {check.trusted for check in subject.checks} == {None}
    assert subject.is_valid


def test_a_named_authority_wins_over_the_one_in_the_folder(tmp_path: Path) -> None:
    """Who names an authority does not believe the one that came with the evidence."""
    evidence.write_run(tmp_path)
    stranger = tmp_path / "stranger.pem"
    stranger.write_bytes(keys_of("DE:DVKA01").certificate.pem)
    belief = Belief(load_authorities(stranger))
    assert ("message.as4", "message-signature") in failures(tmp_path, belief)


def test_the_folder_of_one_message_is_verified_with_the_authority_above_it(tmp_path: Path) -> None:
    """One may verify a single message of a report."""
    place = evidence.write_run(tmp_path)
    [subject] = verified(place)
    assert subject.is_valid
    assert subject.checks[0].trusted


def test_a_single_message_is_compared_with_its_report(tmp_path: Path) -> None:
    """The folder of one message is judged by the report and the index above it, too."""
    place = evidence.write_run(tmp_path, index=True)
    (place / "sed.xml").write_bytes((place / "sed.xml").read_bytes() + b"\n")
    [subject] = verified(place)
    assert [(check.file, check.name) for check in subject.failed] == [("sed.xml", "sum")]
    assert "row" in {check.name for check in subject.checks}


def test_messages_come_in_the_order_of_the_report(tmp_path: Path) -> None:
    """The report knows the order in which messages were sent; others follow."""
    place = evidence.write_run(tmp_path, report=False)
    for name in ("z@pl.example", "a@pl.example"):
        shutil.copytree(place, tmp_path / "messages" / name)
    rows = [{**evidence.row(), "message_id": "z@pl.example"}, evidence.row()]
    (tmp_path / "report.json").write_text(json.dumps({"messages": rows}))
    assert [subject.name for subject in verified(tmp_path)] == [
        "z@pl.example",
        evidence.FOLDER,
        "a@pl.example",
    ]


def test_certificates_are_judged_at_the_time_of_the_message(tmp_path: Path) -> None:
    """The time that counts is the signed one, because the clock of a run may be simulated."""
    evidence.write_run(tmp_path)
    belief = Belief(at=NOW + timedelta(days=4000))
    assert failures(tmp_path) == []
    assert ("message.as4", "message-signature") in failures(tmp_path, belief)


def test_a_revoked_signer_is_not_believed(tmp_path: Path) -> None:
    """The revocation list beside the authority counts."""
    evidence.write_run(tmp_path)
    keys = authority(KeyAlgorithm.P_256)
    revoking = replace(keys, revoked={keys_of(SENDER.id).certificate.serial: NOW - timedelta(hours=1)})
    (tmp_path / "ca.crl").write_bytes(revoking.crl(NOW))
    checks = [check for subject in verified(tmp_path) for check in subject.failed]
    assert [(check.name, check.code) for check in checks] == [("message-signature", "REVOKED")]


def test_a_folder_without_messages_is_refused(tmp_path: Path) -> None:
    """A folder that is no report is refused."""
    with pytest.raises(EnvironmentProblem, match="Expected messages"):
        verified(tmp_path)


def test_an_authority_that_is_none_is_refused(tmp_path: Path) -> None:
    """A ca.pem that holds something else is refused."""
    evidence.write_run(tmp_path)
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(KeyMaterialError):
        verified(tmp_path)


def test_an_authority_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A certificate file that does not exist is an error of the environment."""
    with pytest.raises(KeyMaterialError, match="No such file"):
        load_authorities(tmp_path / "ca.pem")


def test_all_certificates_of_a_file_are_believed(tmp_path: Path) -> None:
    """A PEM file may hold several authorities."""
    path = tmp_path / "many.pem"
    path.write_bytes(keys_of("DE:DVKA01").certificate.pem + authority(KeyAlgorithm.P_256).certificate.pem)
    assert authority(KeyAlgorithm.P_256).certificate in load_authorities(path).anchors


@pytest.mark.parametrize("name", ["message.as4", "sbdh.xml", "sed.xml", "receipt.xml"])
def test_a_missing_file_is_found(tmp_path: Path, name: str) -> None:
    """Every file of a message has to be there."""
    place = evidence.write_run(tmp_path)
    (place / name).unlink()
    check = only_failure(tmp_path)
    assert (check.file, check.name, check.code) == (name, "file", "missing")


def test_a_receipt_that_never_came_is_no_fault_of_the_evidence(tmp_path: Path) -> None:
    """A report that says itself that no receipt came is consistent."""
    place = evidence.write_run(tmp_path)
    (place / "receipt.xml").unlink()
    (tmp_path / "report.json").write_text(
        json.dumps({"messages": [{**evidence.row(), "receipt": "missing"}]})
    )
    assert failures(tmp_path) == []


@pytest.mark.parametrize("name", ["sbdh.xml", "sed.xml"])
def test_content_that_differs_from_the_message_is_found_with_its_place(tmp_path: Path, name: str) -> None:
    """A changed copy is found, with the first octet that differs."""
    place = evidence.write_run(tmp_path)
    data = (place / name).read_bytes().replace(b"Halina", b"Helina", 1)
    (place / name).write_bytes(data)
    check = only_failure(tmp_path)
    at = data.index(b"Helina") + 2
    assert check.differences[0].reference.startswith(f"{name}, octet {at}, line ")
    assert check.differences[0].cause == "This one octet differs"


def test_a_sed_may_stand_as_in_the_envelope_and_with_a_declaration(tmp_path: Path) -> None:
    """A SED with XML declaration in front is the same SED."""
    place = evidence.write_run(tmp_path)
    path = place / "sed.xml"
    path.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>\n' + path.read_bytes() + b"\n")
    assert failures(tmp_path) == []


def test_a_sed_that_was_formatted_is_another_file(tmp_path: Path) -> None:
    """A pretty-printed SED is not the SED of the message."""
    place = evidence.write_run(tmp_path)
    path = place / "sed.xml"
    path.write_bytes(path.read_bytes().replace(b"><", b">\n<"))
    assert failures(tmp_path) == [("sed.xml", "content")]


def test_a_sed_that_is_no_xml_is_found(tmp_path: Path) -> None:
    """A SED that cannot be parsed is not the SED of the message, even if the payload begins like it."""
    place = evidence.write_run(tmp_path)
    (place / "sed.xml").write_bytes(b"<familyName>")
    assert failures(tmp_path) == [("sed.xml", "content")]


def test_a_message_that_was_replaced_is_found(tmp_path: Path) -> None:
    """A message with another name on it than the receipt confirms is found."""
    place = evidence.write_run(tmp_path)
    other = evidence.message(
        evidence.envelope(evidence.sealed(evidence.sample().replace(b"Halina", b"Helina")))
    )
    data = f"Content-Type: {other.content_type}\r\n\r\n".encode() + other.body
    (place / "message.as4").write_bytes(data)
    assert ("receipt.xml", "receipt-references") in failures(tmp_path)


@pytest.mark.parametrize(
    ("part", "instead"), [(b">BB:BB001<", b">BB:BB002<"), (b"RoutingInput", b"RoutingOutput")]
)
def test_a_receipt_that_leads_elsewhere_is_found(tmp_path: Path, part: bytes, instead: bytes) -> None:
    """The unsigned routing of a receipt has to lead from the receiver back to the sender of the message."""
    place = evidence.write_run(tmp_path)
    data = (place / "receipt.xml").read_bytes()
    part = part.replace(b"BB:BB001", RECEIVER.id.encode())
    assert part in data
    (place / "receipt.xml").write_bytes(data.replace(part, instead))
    assert failures(tmp_path) == [("receipt.xml", "receipt-way")]


def test_a_point_to_point_receipt_needs_no_way(tmp_path: Path) -> None:
    """A message that no intermediary may forward is receipted without routing."""
    place = evidence.write_run(tmp_path, report=False)
    packed = packed_message((sed_payload(evidence.envelope()),), multihop=False)
    (place / "message.as4").write_bytes(msh.to_file(packed))
    (place / "receipt.xml").write_bytes(evidence.receipt(packed))
    assert failures(tmp_path) == []


def test_a_receipt_of_another_message_is_found(tmp_path: Path) -> None:
    """A receipt has to name the message."""
    place = evidence.write_run(tmp_path)
    data = (place / "receipt.xml").read_bytes().replace(b"000000000001@", b"000000000002@")
    (place / "receipt.xml").write_bytes(data)
    names = [name for _, name in failures(tmp_path)]
    assert names == ["message-signature", "receipt-references"]


def test_a_receipt_signed_by_somebody_else_is_found(tmp_path: Path) -> None:
    """A receipt is signed by the receiver of the message."""
    place = evidence.write_run(tmp_path)
    forged = evidence.receipt(evidence.message(), keys_of("DE:DVKA01"))
    (place / "receipt.xml").write_bytes(forged)
    check = only_failure(tmp_path)
    assert check.name == "receiver"
    assert check.sentence == f"Expected a signature of {RECEIVER.id}, found one of DE:DVKA01"


def test_a_receipt_that_is_a_message_is_found(tmp_path: Path) -> None:
    """The message itself is no receipt."""
    place = evidence.write_run(tmp_path)
    (place / "receipt.xml").write_bytes((place / "message.as4").read_bytes())
    assert ("receipt.xml", "receipt-references") in failures(tmp_path)


def test_a_receipt_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    """A receipt that is no message at all is found."""
    place = evidence.write_run(tmp_path)
    (place / "receipt.xml").write_text("thank you")
    assert failures(tmp_path) == [("receipt.xml", "receipt")]


def test_a_message_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    """A message that is none is found."""
    place = evidence.write_run(tmp_path)
    (place / "message.as4").write_text("hello")
    assert failures(tmp_path) == [("message.as4", "message")]


def test_a_signal_in_the_place_of_a_message_is_found(tmp_path: Path) -> None:
    """A receipt in the place of the message is found."""
    place = evidence.write_run(tmp_path)
    (place / "message.as4").write_bytes((place / "receipt.xml").read_bytes())
    assert failures(tmp_path) == [("report.json", "row")]


@pytest.mark.parametrize("key", ["message_id", "sed", "cdm", "buc", "case", "from", "to"])
def test_a_report_that_contradicts_the_message_is_found(tmp_path: Path, key: str) -> None:
    """What the report says about a message is what the message says."""
    evidence.write_run(tmp_path)
    changed = {**evidence.row(), key: "other"} if key != "message_id" else {**evidence.row(), key: "a@b"}
    (tmp_path / "report.json").write_text(json.dumps({"messages": [changed]}))
    assert ("report.json", "row") in failures(tmp_path)


def test_a_message_that_the_report_forgot_is_found(tmp_path: Path) -> None:
    """A message that is not in the report is found."""
    evidence.write_run(tmp_path)
    (tmp_path / "report.json").write_text('{"messages": []}')
    assert failures(tmp_path) == [("report.json", "row")]


def test_a_message_that_only_the_report_knows_is_found(tmp_path: Path) -> None:
    """A message of the report without a folder is found."""
    evidence.write_run(tmp_path)
    rows = [evidence.row(), {**evidence.row(), "message_id": "gone@pl.example"}]
    (tmp_path / "report.json").write_text(json.dumps({"messages": rows}))
    assert failures(tmp_path) == [("messages/gone@pl.example", "folder")]


def test_a_run_without_report_is_judged_by_its_messages(tmp_path: Path) -> None:
    """The messages alone are evidence, too."""
    evidence.write_run(tmp_path, report=False)
    assert failures(tmp_path) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"messages": [{}]}', '{"messages": [{"message_id": "no id"}]}'])
def test_a_report_that_cannot_be_read_is_found(tmp_path: Path, text: str) -> None:
    """A report that is none is found; the messages are verified all the same."""
    evidence.write_run(tmp_path)
    (tmp_path / "report.json").write_text(text)
    assert failures(tmp_path) == [("report.json", "report")]
    assert len(verified(tmp_path)) == 2


def test_a_file_that_differs_from_the_index_is_found(tmp_path: Path) -> None:
    """A change that no signature covers is found by the sums of the index."""
    place = evidence.write_run(tmp_path, index=True)
    path = place / "message.as4"
    path.write_bytes(path.read_bytes() + b"\r\n")
    check = only_failure(tmp_path)
    assert (check.file, check.name) == ("message.as4", "sum")
    assert check.differences[0].reference == "SHA-256 of message.as4"


def test_an_authority_that_differs_from_the_index_is_found(tmp_path: Path) -> None:
    """The certificate of the authority is in the index."""
    evidence.write_run(tmp_path, index=True)
    path = tmp_path / "ca.pem"
    path.write_bytes(path.read_bytes() + b"\n")
    assert failures(tmp_path) == [("ca.pem", "sum")]


@pytest.mark.parametrize("name", ["ca.pem", "messages/gone/sed.xml"])
def test_a_file_that_only_the_index_knows_is_found(tmp_path: Path, name: str) -> None:
    """A file that is in the index has to be there."""
    evidence.write_run(tmp_path, index=True)
    path = tmp_path / "messages" / "index.json"
    listed = json.loads(path.read_text())
    listed["files"][name] = {"sha256": "00"}
    path.write_text(json.dumps(listed))
    (tmp_path / "ca.pem").unlink()
    names = {file for file, _ in failures(tmp_path)}
    assert names == ({"ca.pem"} if name == "ca.pem" else {"ca.pem", "messages/gone"})


def test_a_file_that_the_index_forgot_is_found(tmp_path: Path) -> None:
    """A file of a message has to be in the index."""
    place = evidence.write_run(tmp_path)
    data = (place / "sed.xml").read_bytes()
    (place / "sed.xml").unlink()
    evidence.write_index(tmp_path)
    (place / "sed.xml").write_bytes(data)
    assert failures(tmp_path) == [("sed.xml", "sum")]


def test_a_file_of_a_message_that_the_index_lists_has_to_be_there(tmp_path: Path) -> None:
    """A file that was removed after the run is missing by the index, too."""
    place = evidence.write_run(tmp_path, index=True)
    (place / "receipt.xml").unlink()
    assert failures(tmp_path) == [("receipt.xml", "file"), ("receipt.xml", "file")]


def test_an_index_may_have_one_entry_per_message(tmp_path: Path) -> None:
    """The index may list the files by message."""
    evidence.write_run(tmp_path)
    entry = {"folder": evidence.FOLDER, "files": dict.fromkeys(evidence.files(), "00")}
    (tmp_path / "messages" / "index.json").write_text(json.dumps({"message": entry}))
    assert len(failures(tmp_path)) == 4


@pytest.mark.parametrize("text", ["[]", '{"files": {"a/b/c": {"sha256": "0"}}}', '{"files": {"a": 1}}'])
def test_an_index_that_cannot_be_read_is_found(tmp_path: Path, text: str) -> None:
    """An index that is none, or names files elsewhere, is found."""
    evidence.write_run(tmp_path)
    (tmp_path / "messages" / "index.json").write_text(text)
    assert failures(tmp_path) == [("index.json", "report")]


def test_no_flipped_bit_passes_as_the_original(tmp_path: Path) -> None:
    """A flipped bit anywhere in a message, its envelope, its SED, its receipt or the authority is found."""
    evidence.write_run(tmp_path, index=True)
    chance = random.Random(7)
    paths = [tmp_path / "ca.pem", *sorted((tmp_path / "messages").glob("*/*"))]
    for path in paths:
        original = path.read_bytes()
        for _ in range(12):
            data = bytearray(original)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
            assert _is_refused(tmp_path), path
        path.write_bytes(original)


def _is_refused(folder: Path) -> bool:
    try:
        return bool(failures(folder))
    except KeyMaterialError:
        return True


def test_what_passes_without_index_says_the_same(tmp_path: Path) -> None:
    """Without sums a flipped bit may hide in the frame only: the SED that is read is the one that was sealed."""
    place = evidence.write_run(tmp_path)
    sed = xmlsafe.exclusive_c14n(xmlsafe.parse((place / "sed.xml").read_bytes()))
    chance = random.Random(11)
    path = place / "sed.xml"
    original = path.read_bytes()
    for _ in range(40):
        data = bytearray(original)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        if not failures(tmp_path):
            assert xmlsafe.exclusive_c14n(xmlsafe.parse(bytes(data))) == sed
