"""The error table and the exception that carries an entry of it."""

import pytest

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.model import Severity
from eessi_sim.identifiers import MessageId

TABLE = """
0001 ValueNotRecognized failure Content ebMS
0002 FeatureNotSupported warning Content ebMS
0003 ValueInconsistent failure Content ebMS
0004 Other failure Content ebMS
0005 ConnectionFailure failure Communication ebMS
0006 EmptyMessagePartitionChannel warning Communication ebMS
0007 MimeInconsistency failure Unpackaging ebMS
0008 FeatureNotSupported failure Unpackaging ebMS
0009 InvalidHeader failure Unpackaging ebMS
0010 ProcessingModeMismatch failure Processing ebMS
0011 ExternalPayloadError failure Content ebMS
0020 RoutingFailure failure Processing ebMS
0021 MPCCapacityExceeded failure Processing ebMS
0022 MessagePersistenceTimeout failure Processing ebMS
0023 MessageExpired warning Processing ebMS
0030 BundlingError failure Content ebMS
0031 RelatedMessageFailed failure Processing ebMS
0040 BadFragmentGroup failure Content ebMS
0041 DuplicateMessageSize failure Content ebMS
0042 DuplicateFragmentCount failure Content ebMS
0043 DuplicateMessageHeader failure Content ebMS
0044 DuplicateAction failure Content ebMS
0045 DuplicateCompressionInfo failure Content ebMS
0046 DuplicateFragment failure Content ebMS
0047 BadFragmentStructure failure Unpackaging ebMS
0048 BadFragmentNum failure Content ebMS
0049 BadFragmentCount failure Content ebMS
0050 FragmentSizeExceeded warning Unpackaging ebMS
0051 ReceiveIntervalExceeded failure Unpackaging ebMS
0052 BadProperties warning Unpackaging ebMS
0053 HeaderMismatch failure Unpackaging ebMS
0054 OutOfStorageSpace failure Unpackaging ebMS
0055 DecompressionError failure Processing ebMS
0060 ResponseUsingAlternateMEP warning Processing ebMS
0101 FailedAuthentication failure Processing security
0102 FailedDecryption failure Processing security
0103 PolicyNoncompliance failure Processing security
0201 DysfunctionalReliability failure Processing reliability
0202 DeliveryFailure failure Communication reliability
0301 MissingReceipt failure Communication ebMS
0302 InvalidReceipt failure Communication ebMS
0303 DecompressionFailure failure Communication ebMS
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("number", "short", "severity", "category", "origin"), ROWS)
def test_entry_is_that_of_the_standard(
    number: str, short: str, severity: str, category: str, origin: str
) -> None:
    """Each entry has the words of ebMS3 core 6.7, AS4 chapter 3 or part 2."""
    entry = EbmsErrorCode.find(f"EBMS:{number}")
    assert entry is not None
    assert (entry.short_description, entry.severity, entry.category, entry.origin) == (
        short,
        Severity(severity),
        category,
        origin,
    )


def test_table_has_no_code_of_our_own() -> None:
    """The table holds the codes of the standards and no others."""
    assert len(EbmsErrorCode) == len(ROWS)


def test_unknown_code_is_not_found() -> None:
    """A code of somebody's own has no entry."""
    assert EbmsErrorCode.find("EBMS:9999") is None


def test_fault_about_a_header_tells_the_sender_what_is_wrong() -> None:
    """Faults of structure travel with their teaching sentence and their findings."""
    fault = EbmsFault(
        EbmsErrorCode.OTHER, "Expected x, found y", detail="three findings", ref=MessageId("a@b")
    )
    error = fault.as_error()
    assert (error.code, error.description, error.detail, error.ref) == (
        "EBMS:0004",
        "Expected x, found y",
        "three findings",
        "a@b",
    )


@pytest.mark.parametrize(
    "code",
    [
        EbmsErrorCode.FAILED_AUTHENTICATION,
        EbmsErrorCode.FAILED_DECRYPTION,
        EbmsErrorCode.POLICY_NONCOMPLIANCE,
    ],
)
def test_fault_of_security_tells_the_wire_nothing(code: EbmsErrorCode) -> None:
    """What exactly is wrong with a signature stays in our journal; the wire gets one sentence per code."""
    first, second = EbmsFault(code, "Expected the key of A"), EbmsFault(code, "Expected the digest of B")
    assert first.description == second.description
    assert "key" not in first.description


def test_first_message_id_of_a_fault_stays() -> None:
    """Who knows the message first, names it."""
    fault = EbmsFault(EbmsErrorCode.OTHER, "x")
    assert fault.about(MessageId("a@b")).about(MessageId("c@d")).ref == "a@b"


def test_fault_as_json_names_the_ebms_code() -> None:
    """The JSON shape of a fault carries the ebMS code beside our own."""
    shape = EbmsFault(EbmsErrorCode.OTHER, "x").as_dict()
    assert (shape["code"], shape["context"]) == ("ebms", {"ebms": "EBMS:0004"})


def test_bytes_that_are_no_message_have_a_code_of_their_own() -> None:
    """NotAs4 is told apart from faults that deserve an error signal."""
    assert NotAs4(EbmsErrorCode.INVALID_HEADER, "x").as_dict()["code"] == "not-as4"
