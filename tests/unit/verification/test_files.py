"""One file: recognised by its content, every signature in it verified."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers import evidence
from tests.helpers.as4_messages import (
    NOW,
    SENDER,
    authority,
    edited,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unsigned_message,
    user_message,
)

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.model import Party
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.outcome import INTEGRITY_ONLY, Subject
from eessi_sim.verification.recognition import Kind, kind_of


def verified(data: bytes) -> Subject:
    return verify_file("file", data, INTEGRITY_ONLY)


def codes(subject: Subject) -> list[tuple[str, str | None]]:
    return [(check.name, check.code) for check in subject.failed]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"A003": {}}', Kind.SED_JSON),
        (b"\xef\xbb\xbf  [", Kind.SED_JSON),
        (b"<A003/>", Kind.SED),
        (b"PK\x03\x04", Kind.ZIP),
        (b"<broken", Kind.SED),
        (b"\n\n<A003/>", Kind.SED),
        ('<?xml version="1.0" encoding="UTF-16"?><A003/>'.encode("utf-16"), Kind.SED),
        (b"Content-Type: text/plain\r\n\r\n", Kind.MESSAGE),
        (b"\r\n--boundary\r\n", Kind.MESSAGE),
        (b"hello", Kind.UNKNOWN),
        (b"", Kind.UNKNOWN),
    ],
)
def test_a_file_is_recognised_by_its_first_octets(data: bytes, kind: Kind) -> None:
    """The name of a file says nothing; its content does."""
    assert kind_of(data) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("message.as4", Kind.MESSAGE),
        ("receipt.xml", Kind.MESSAGE),
        ("sbdh.xml", Kind.ENVELOPE),
        ("sed.xml", Kind.SED),
    ],
)
def test_the_files_of_a_report_are_recognised(name: str, kind: Kind) -> None:
    """The four files of a message are of three kinds."""
    assert kind_of(evidence.files()[name]) is kind


@pytest.mark.parametrize(
    ("name", "description", "checks"),
    [
        ("sed.xml", "A003", ["seal"]),
        ("sbdh.xml", "A003 PL:ZUS001 → NO:NAVAT07", ["envelope", "seal"]),
        ("message.as4", "A003 PL:ZUS001 → NO:NAVAT07", ["message-signature", "sender", "envelope", "seal"]),
        (
            "receipt.xml",
            "receipt for 3f0f7a52-6f3e-4b43-a7c5-000000000001@pl.example",
            ["message-signature"],
        ),
    ],
)
def test_every_signature_of_a_file_is_verified(name: str, description: str, checks: list[str]) -> None:
    """What is checked depends on what the file is."""
    subject = verified(evidence.files()[name])
    assert (subject.description, [check.name for check in subject.checks]) == (description, checks)
    assert subject.is_valid


def test_a_signature_names_signer_and_time() -> None:
    """A check of a signature says who signed, and when by its own account."""
    [check] = verified(evidence.files()["sed.xml"]).checks
    assert (check.signer, check.signed_at) == ("CN=PL:ZUS001 seal,O=PL:ZUS001,C=PL", NOW)


def test_a_changed_document_fails_with_both_digests() -> None:
    """A changed SED names the reference that failed."""
    data = evidence.files()["sed.xml"].replace(b"Halina", b"Helina")
    subject = verified(data)
    assert codes(subject) == [("seal", "HASH_FAILURE")]
    assert [each.reference for each in subject.checks[0].differences] == ["the document (URI empty)"]


def test_a_document_without_seal_fails() -> None:
    """A SED that nobody signed cannot be verified."""
    assert codes(verified(evidence.sample())) == [("seal", "FORMAT_FAILURE")]


def test_a_document_that_is_no_xml_fails() -> None:
    """A file that cannot be parsed fails with the reason of the parser."""
    assert codes(verified(b"<A003>")) == [("file", "xml")]


@pytest.mark.parametrize("data", [b'{"A003": {}}', b"hello"])
def test_a_file_that_carries_no_signature_fails(data: bytes) -> None:
    """JSON and plain text carry no signature."""
    assert codes(verified(data)) == [("file", "xml")]


def test_an_envelope_that_is_none_fails() -> None:
    """A header that is not well-formed fails."""
    data = evidence.files()["sbdh.xml"].replace(b"<sbdh:CaseAction>Start", b"<sbdh:CaseAction>Begin")
    assert codes(verified(data)) == [("envelope", "envelope")]


def test_an_envelope_that_contradicts_its_content_fails() -> None:
    """The envelope names the type of its SED."""
    data = evidence.files()["sbdh.xml"].replace(b"<sbdh:Type>A003", b"<sbdh:Type>A004")
    [check] = verified(data).failed
    assert check.sentence.startswith('DocumentIdentification/Type is "A004"')


def test_a_message_that_is_none_fails() -> None:
    """A message whose structure is wrong fails."""
    assert codes(verified(b"--x\r\n\r\nhello\r\n--x--")) == [("message", "ebms")]


def test_an_unsigned_message_fails() -> None:
    """A message without a Security header fails; its content is verified all the same."""
    packed = unsigned_message((sed_payload(evidence.envelope()),))
    assert codes(verified(msh.to_file(packed))) == [("message-signature", "FORMAT_FAILURE")]


def test_a_message_with_an_unknown_kind_of_key_fails() -> None:
    """A signature whose certificate cannot be found fails."""
    packed = edited(packed_message((sed_payload(evidence.envelope()),)), ('URI="#cert-', 'URI="#gone-'))
    assert codes(verified(msh.to_file(packed))) == [("message-signature", "NO_SIGNING_CERTIFICATE_FOUND")]


def test_a_message_without_payload_has_only_its_own_signature() -> None:
    """A test message carries nothing."""
    packed = packed_message(())
    subject = verified(msh.to_file(packed))
    assert [check.name for check in subject.checks] == ["message-signature", "sender"]
    assert subject.checks[0].sentence == "The signature over Messaging and Body is intact"


def test_a_message_of_several_parts_says_how_many_are_signed() -> None:
    """The sentence counts the parts."""
    packed = packed_message()
    assert "Messaging, Body and 2 parts" in verified(msh.to_file(packed)).checks[0].sentence


def test_a_payload_that_is_no_envelope_fails() -> None:
    """A payload that is no envelope fails, although its message is intact."""
    packed = packed_message((sed_payload(b"<A003/>"),))
    subject = verified(msh.to_file(packed))
    assert codes(subject) == [("envelope", "envelope")]
    assert subject.description == "message PL:ZUS001 → NO:NAVAT07"


def test_a_message_between_parties_that_are_no_institutions_fails() -> None:
    """The parties of a message are institutions."""
    message = replace(user_message(), receiver=Party("org:holodeckb2b:example"))
    packed = packed_message((sed_payload(evidence.envelope()),), message=message)
    assert codes(verified(msh.to_file(packed))) == [("envelope", "identifier")]


def test_a_message_of_another_sender_than_its_signer_fails() -> None:
    """A message is signed by the institution that it comes from."""
    keys = keys_of("DE:DVKA01")
    packed = packed_message((sed_payload(evidence.envelope()),), keys=keys)
    assert codes(verified(msh.to_file(packed))) == [("sender", "SIG_CONSTRAINTS_FAILURE")]


def test_of_a_signer_that_is_no_institution_nothing_is_said() -> None:
    """A certificate that names no institution is judged by its authority alone."""
    start = NOW - timedelta(days=1)
    keys = authority(KeyAlgorithm.P_256).issue("Holodeck", Purpose.EBMS, country="NL", now=start)
    packed = packed_message((sed_payload(evidence.envelope()),), keys=keys)
    assert [check.name for check in verified(msh.to_file(packed)).checks] == [
        "message-signature",
        "envelope",
        "seal",
    ]


def test_an_error_signal_says_what_it_is() -> None:
    """A signed error signal is verified like a message."""
    error = EbmsErrorCode.OTHER.error("no", detail=None)
    packed = msh.pack_error([error], keys_of(SENDER.id), about=None, stamp=stamp())
    subject = verified(packed.body)
    assert (subject.description, subject.is_valid) == ("error signal", True)


def test_a_check_as_json_leaves_out_what_is_not_known(tmp_path: Path) -> None:
    """JSON of a check has only what is known."""
    shape = verify_file("sed.xml", evidence.files()["sed.xml"], evidence.belief(tmp_path)).as_dict()
    assert shape == {
        "name": "sed.xml",
        "description": "A003",
        "valid": True,
        "checks": [
            {
                "name": "seal",
                "file": "sed.xml",
                "passed": True,
                "sentence": "The seal is intact",
                "signer": "CN=PL:ZUS001 seal,O=PL:ZUS001,C=PL",
                "signed_at": "2026-03-02T08:15:01.000Z",
                "trusted": True,
            }
        ],
    }


def test_a_difference_is_part_of_the_json() -> None:
    """JSON of a failed check has reference, digests and cause, and what was tried in vain."""
    subject = verified(evidence.files()["sed.xml"].replace(b"Halina", b"Helina"))
    differences = subject.checks[0].as_dict()["differences"]
    assert isinstance(differences, list)
    assert [set(each) for each in differences] == [
        {"reference", "expected", "found", "cause", "tried", "remarks"}
    ]
