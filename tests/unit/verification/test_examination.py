"""A file that somebody wants to send: what it is, whether it is valid and intact."""

import json

import pytest
from tests.helpers import evidence
from tests.helpers.as4_messages import (
    SENDER,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unsigned_message,
)

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.model import Payload
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import XmlTooLarge
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.verification.examination import Examination, examine, refused
from eessi_sim.verification.outcome import INTEGRITY_ONLY
from eessi_sim.verification.recognition import Kind


def examined(data: bytes) -> Examination:
    return examine("file", data, Validator(Catalogue.default()), INTEGRITY_ONLY)


def found(examination: Examination) -> list[tuple[str, str | None]]:
    return [(issue.code, issue.rule) for issue in examination.report.issues]


def json_form() -> bytes:
    definition = Catalogue.default().get(SedType("A003"), CdmVersion("4.4"))
    return json.dumps(Codec.of(definition).to_json(xmlsafe.parse(evidence.sample()))).encode()


@pytest.mark.parametrize(
    ("data", "kind", "signatures"),
    [
        (evidence.sample(), Kind.SED, []),
        (json_form(), Kind.SED_JSON, []),
        (evidence.sealed(), Kind.SED, ["seal"]),
        (evidence.envelope(), Kind.ENVELOPE, ["seal"]),
        (evidence.files()["message.as4"], Kind.MESSAGE, ["message-signature", "seal"]),
    ],
)
def test_the_same_sed_is_valid_in_every_frame(data: bytes, kind: Kind, signatures: list[str]) -> None:
    """A SED is found, validated and its signatures checked, however it is wrapped."""
    examination = examined(data)
    assert (examination.kind, examination.sed, examination.version) == (kind, "A003", "4.4")
    assert examination.is_valid
    assert [check.name for check in examination.signatures] == signatures


def test_lines_of_findings_count_in_the_envelope_of_a_message() -> None:
    """What lay compressed in a message is the text that the findings speak about."""
    broken = evidence.envelope(
        evidence.sealed(evidence.sample().replace(b"<sex>", b"<sexx>").replace(b"</sex>", b"</sexx>"))
    )
    examination = examined(msh.to_file(evidence.message(broken)))
    [issue] = [issue for issue in examination.report.issues if "sexx" in issue.path]
    assert issue.line is not None
    assert b"<sexx>" in examination.text.splitlines()[issue.line - 1]


def test_a_broken_seal_is_an_error() -> None:
    """A SED whose seal does not fit must not be sent."""
    examination = examined(evidence.sealed().replace(b"Halina", b"Helina"))
    assert found(examination) == [("seal", "HASH_FAILURE")]
    assert examination.report.issues[0].expected is not None


def test_a_seal_of_the_wrong_form_is_an_error() -> None:
    """A seal in the wrong place is an error without digests."""
    data = evidence.sealed()
    start, end = data.index(b"<ds:Signature "), data.index(b"</ds:Signature>")
    twice = data.replace(b"</ds:Signature>", b"</ds:Signature>" + data[start:end] + b"</ds:Signature>")
    assert ("seal", "FORMAT_FAILURE") in found(examined(twice))


def test_a_broken_signature_of_a_message_is_an_error() -> None:
    """A message whose signature does not fit must not be sent; the SED in it is examined all the same."""
    data = evidence.files()["message.as4"].replace(b"PL:ZUS001</", b"PL:ZUS002</")
    examination = examined(data)
    assert ("message-signature", "HASH_FAILURE") in found(examination)
    assert examination.sed == "A003"


def test_an_unsigned_message_is_examined_without_signature() -> None:
    """A signature that is not there is no finding: validation judges documents."""
    examination = examined(msh.to_file(unsigned_message((sed_payload(evidence.envelope()),))))
    assert examination.is_valid
    assert [check.name for check in examination.signatures] == ["seal"]


def test_a_message_without_payload_is_valid() -> None:
    """A receipt has no document that could be wrong."""
    examination = examined(evidence.files()["receipt.xml"])
    assert (examination.is_valid, examination.sed) == (True, None)


def test_a_message_that_is_none_is_an_error() -> None:
    """Findings about the frame name the ebMS error code as their rule."""
    assert found(examined(b"--x\r\n\r\nhello\r\n--x--")) == [("ebms", "EBMS:0007")]


def test_a_message_whose_envelope_is_no_xml_is_an_error() -> None:
    """SOAP that cannot be parsed is an error."""
    data = b"Content-Type: application/soap+xml\r\n\r\n<Envelope"
    assert found(examined(data)) == [("xml", None)]


def test_a_payload_that_cannot_be_decompressed_is_an_error() -> None:
    """A broken gzip stream is an error with the ebMS code for it."""
    whole = sed_payload()
    payload = Payload(whole.content_id, b"no gzip", whole.content_type, whole.properties)
    examination = examined(msh.to_file(packed_message((payload,), keys=keys_of(SENDER.id))))
    assert found(examination) == [("ebms", "EBMS:0303")]


def test_an_envelope_that_contradicts_its_content_is_an_error() -> None:
    """Each contradiction is one finding with what was expected and found."""
    examination = examined(evidence.envelope().replace(b"<sbdh:Type>A003", b"<sbdh:Type>A004"))
    issues = [issue for issue in examination.report.issues if issue.code == "envelope"]
    assert (issues[0].path, issues[0].expected, issues[0].found) == (
        "DocumentIdentification/Type",
        "A003",
        "A004",
    )


def test_an_envelope_round_something_else_is_an_error() -> None:
    """What is in the envelope has to be a SED."""
    examination = examined(evidence.envelope(b"<letter></letter>"))
    assert "not-a-sed" in [code for code, _ in found(examination)]


@pytest.mark.parametrize("data", [b"", b"hello"])
def test_a_file_that_is_nothing_we_know_is_an_error(data: bytes) -> None:
    """A file of an unknown kind gets a finding, not an exception."""
    examination = examined(data)
    assert (examination.kind, found(examination)) == (Kind.UNKNOWN, [("sed", None)])


def test_a_file_that_was_not_read_has_the_reason_as_finding() -> None:
    """A file that is too large is not read and not valid."""
    examination = refused("big.xml", XmlTooLarge("Expected at most 1 bytes, found 2"))
    assert found(examination) == [("xml-too-large", None)]


def test_an_examination_as_json_has_everything() -> None:
    """JSON has file, kind, verdict, findings and signatures."""
    assert set(examined(evidence.sealed()).as_dict()) == {
        "file",
        "kind",
        "valid",
        "xsd_valid",
        "rules_valid",
        "sed",
        "version",
        "issues",
        "capped",
        "signatures",
    }


def test_a_signal_is_told_from_a_document() -> None:
    """An error signal is examined by its own signature only."""
    receipt = msh.pack_receipt(
        msh.unpack_file(evidence.files()["message.as4"]), keys_of("NO:NAVAT07"), stamp=stamp()
    )
    assert [check.name for check in examined(receipt.body).signatures] == ["message-signature"]
