"""Messages that other products made: each is read, and its signature accepted or refused as it should be.

The files are public samples that do not belong to this project; the tests are skipped where they are not at hand.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from tests.helpers.vectors import needs_vectors, sample

from eessi_sim.as4 import msh, security_tokens
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import ErrorSignal, PullRequest, Receipt, Severity, UserMessage
from eessi_sim.as4.wss import Verified
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.policy import DEFAULT, LEGACY_RSA_1024, SignaturePolicy
from eessi_sim.security.result import SubIndication, VerificationResult
from eessi_sim.security.xmldsig import DS

THEN = datetime(2017, 6, 1, tzinfo=UTC)
"""A time at which all certificates of the samples were valid."""

pytestmark = needs_vectors


def _message(name: str) -> msh.Unpacked:
    return msh.unpack_file(sample(name))


def _own_certificate(message: msh.Unpacked) -> Certificate:
    """Return the certificate that the message brings along."""
    security = message.envelope.security
    assert security is not None
    key_info = security.find(f".//{{{DS}}}KeyInfo")
    assert key_info is not None
    return security_tokens.find_certificates(key_info, security, ())[0]


def _verify(message: msh.Unpacked, policy: SignaturePolicy = DEFAULT) -> Verified:
    """Verify with the certificate of the message itself on the list; the samples use TLS certificates (observed)."""
    return msh.verify(
        message,
        candidates=[_own_certificate(message)],
        trust=None,
        at=THEN,
        policy=policy,
        purpose=Purpose.TLS,
    )


@dataclass(frozen=True)
class Expected:
    """What a sample must turn out to be."""

    unit: type
    is_multihop: bool
    is_signed: bool


SAMPLES = {
    "as4-multihop-message.as4": Expected(ErrorSignal, is_multihop=True, is_signed=True),
    "multihopreceipt.xml": Expected(Receipt, is_multihop=True, is_signed=False),
    "as4-soap-pullrequest.xml": Expected(PullRequest, is_multihop=False, is_signed=False),
    "as4-pullrequest-warning.xml": Expected(ErrorSignal, is_multihop=True, is_signed=True),
    "as4-soap-signed-message.txt": Expected(UserMessage, is_multihop=False, is_signed=True),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_message_of_another_product_is_read(name: str) -> None:
    """Each sample is read as found, mark, line ends and missing MIME header included."""
    message = _message(name)
    assert Expected(type(message.unit), message.is_multihop, message.is_signed) == SAMPLES[name]


def test_multihop_error_says_what_its_sender_meant() -> None:
    """The multipart sample is an EBMS:0004 with a detail, on its way back to UK:UK001."""
    message = _message("as4-multihop-message.as4")
    assert isinstance(message.unit, ErrorSignal)
    error = message.unit.errors[0]
    assert (error.code, error.severity, error.detail) == (
        "EBMS:0004",
        Severity.FAILURE,
        "this is my other error",
    )
    assert message.routing is not None
    assert (message.routing.receiver.id, message.routing.plain.collaboration.action) == ("UK:UK001", "Send")


def test_multihop_error_verifies() -> None:
    """Messaging and Body of the multipart sample are signed with RSA-SHA256, and unchanged."""
    message = _message("as4-multihop-message.as4")
    assert [reference.uri[:6] for reference in _verify(message).references] == ["#heade", "#body-"]


def test_certificate_of_the_sample_is_refused_for_messages() -> None:
    """The sample is signed with a TLS server certificate, which our own policy does not accept for messages."""
    message = _message("as4-multihop-message.as4")
    with pytest.raises(EbmsFault) as caught:
        msh.verify(message, candidates=[_own_certificate(message)], trust=None, at=THEN)
    assert caught.value.error_code is EbmsErrorCode.FAILED_AUTHENTICATION


def test_expired_certificate_of_the_sample_is_refused_today() -> None:
    """At a time after its end the certificate of the sample is refused."""
    message = _message("as4-multihop-message.as4")
    with pytest.raises(EbmsFault) as caught:
        msh.verify(
            message,
            candidates=[_own_certificate(message)],
            trust=None,
            at=datetime(2026, 3, 2, tzinfo=UTC),
            purpose=Purpose.TLS,
        )
    assert isinstance(caught.value.verdict, VerificationResult)
    assert caught.value.verdict.sub_indication is SubIndication.EXPIRED


def test_multihop_receipt_has_its_references() -> None:
    """The receipt sample repeats three references and routes back without suffix."""
    message = _message("multihopreceipt.xml")
    assert isinstance(message.unit, Receipt)
    assert [reference.uri for reference in message.unit.references][2] == "cid:defaultSED"
    assert message.routing is not None
    assert message.routing.plain.mpc.endswith("/defaultMPC")


def test_unsigned_receipt_is_refused_where_a_signature_is_due() -> None:
    """The receipt sample has no signature; as a proof it is worth nothing."""
    with pytest.raises(EbmsFault) as caught:
        msh.verify(_message("multihopreceipt.xml"), candidates=None, trust=None, at=THEN)
    assert caught.value.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE


def test_pull_request_names_its_channel() -> None:
    """The pull request sample asks for a channel of its own."""
    unit = _message("as4-soap-pullrequest.xml").unit
    assert isinstance(unit, PullRequest)
    assert unit.mpc == "http://example.holodeckb2b.org/mpc/2"


def test_pretty_printed_warning_is_refused() -> None:
    """The EBMS:0006 sample was indented after signing: its Messaging has another digest, its Body the signed one."""
    with pytest.raises(EbmsFault) as caught:
        _verify(_message("as4-pullrequest-warning.xml"))
    assert caught.value.error_code is EbmsErrorCode.FAILED_AUTHENTICATION
    assert isinstance(caught.value.verdict, VerificationResult)
    assert caught.value.verdict.sub_indication is SubIndication.HASH_FAILURE
    assert [reference.ok for reference in caught.value.verdict.references] == [False, True]


def test_message_signed_with_a_short_key_is_refused() -> None:
    """The simple SOAP sample is signed with 1024 bits of RSA, below our policy."""
    with pytest.raises(EbmsFault) as caught:
        _verify(_message("as4-soap-signed-message.txt"))
    assert caught.value.error_code is EbmsErrorCode.FAILED_AUTHENTICATION


def test_message_signed_with_a_short_key_verifies_when_allowed() -> None:
    """With 1024 bits allowed explicitly the simple SOAP sample verifies."""
    assert _verify(_message("as4-soap-signed-message.txt"), LEGACY_RSA_1024).result.is_valid


def test_agreement_and_properties_of_another_product_are_read() -> None:
    """The simple SOAP sample has an agreement with a P-Mode, no party types, and a property twice."""
    unit = _message("as4-soap-signed-message.txt").unit
    assert isinstance(unit, UserMessage)
    assert unit.collaboration.agreement is not None
    assert (unit.collaboration.agreement.pmode, unit.sender.type, len(unit.properties)) == (
        "push-sample",
        None,
        2,
    )
