"""The table of ebMS error codes, and the exception that carries one of them.

Sources: ebMS3 core 6.7, AS4 profile 1.0 chapter 3, ebMS3 part 2 (documented). No message is read here.
"""

from enum import Enum
from typing import Final

from eessi_sim.as4.model import EbmsError, Severity
from eessi_sim.errors import EessiSimError
from eessi_sim.identifiers import MessageId

_F: Final = Severity.FAILURE
_W: Final = Severity.WARNING


class EbmsErrorCode(Enum):
    """Code, short description, severity, category and origin of every error of ebMS3 and AS4."""

    VALUE_NOT_RECOGNIZED = ("EBMS:0001", "ValueNotRecognized", _F, "Content", "ebMS")
    FEATURE_NOT_SUPPORTED_WARNING = ("EBMS:0002", "FeatureNotSupported", _W, "Content", "ebMS")
    VALUE_INCONSISTENT = ("EBMS:0003", "ValueInconsistent", _F, "Content", "ebMS")
    OTHER = ("EBMS:0004", "Other", _F, "Content", "ebMS")
    CONNECTION_FAILURE = ("EBMS:0005", "ConnectionFailure", _F, "Communication", "ebMS")
    EMPTY_CHANNEL = ("EBMS:0006", "EmptyMessagePartitionChannel", _W, "Communication", "ebMS")
    MIME_INCONSISTENCY = ("EBMS:0007", "MimeInconsistency", _F, "Unpackaging", "ebMS")
    FEATURE_NOT_SUPPORTED = ("EBMS:0008", "FeatureNotSupported", _F, "Unpackaging", "ebMS")
    INVALID_HEADER = ("EBMS:0009", "InvalidHeader", _F, "Unpackaging", "ebMS")
    PROCESSING_MODE_MISMATCH = ("EBMS:0010", "ProcessingModeMismatch", _F, "Processing", "ebMS")
    EXTERNAL_PAYLOAD_ERROR = ("EBMS:0011", "ExternalPayloadError", _F, "Content", "ebMS")
    FAILED_AUTHENTICATION = ("EBMS:0101", "FailedAuthentication", _F, "Processing", "security")
    FAILED_DECRYPTION = ("EBMS:0102", "FailedDecryption", _F, "Processing", "security")
    POLICY_NONCOMPLIANCE = ("EBMS:0103", "PolicyNoncompliance", _F, "Processing", "security")
    DYSFUNCTIONAL_RELIABILITY = ("EBMS:0201", "DysfunctionalReliability", _F, "Processing", "reliability")
    DELIVERY_FAILURE = ("EBMS:0202", "DeliveryFailure", _F, "Communication", "reliability")
    MISSING_RECEIPT = ("EBMS:0301", "MissingReceipt", _F, "Communication", "ebMS")
    INVALID_RECEIPT = ("EBMS:0302", "InvalidReceipt", _F, "Communication", "ebMS")
    DECOMPRESSION_FAILURE = ("EBMS:0303", "DecompressionFailure", _F, "Communication", "ebMS")
    ROUTING_FAILURE = ("EBMS:0020", "RoutingFailure", _F, "Processing", "ebMS")
    MPC_CAPACITY_EXCEEDED = ("EBMS:0021", "MPCCapacityExceeded", _F, "Processing", "ebMS")
    MESSAGE_PERSISTENCE_TIMEOUT = ("EBMS:0022", "MessagePersistenceTimeout", _F, "Processing", "ebMS")
    MESSAGE_EXPIRED = ("EBMS:0023", "MessageExpired", _W, "Processing", "ebMS")
    BUNDLING_ERROR = ("EBMS:0030", "BundlingError", _F, "Content", "ebMS")
    RELATED_MESSAGE_FAILED = ("EBMS:0031", "RelatedMessageFailed", _F, "Processing", "ebMS")
    BAD_FRAGMENT_GROUP = ("EBMS:0040", "BadFragmentGroup", _F, "Content", "ebMS")
    DUPLICATE_MESSAGE_SIZE = ("EBMS:0041", "DuplicateMessageSize", _F, "Content", "ebMS")
    DUPLICATE_FRAGMENT_COUNT = ("EBMS:0042", "DuplicateFragmentCount", _F, "Content", "ebMS")
    DUPLICATE_MESSAGE_HEADER = ("EBMS:0043", "DuplicateMessageHeader", _F, "Content", "ebMS")
    DUPLICATE_ACTION = ("EBMS:0044", "DuplicateAction", _F, "Content", "ebMS")
    DUPLICATE_COMPRESSION_INFO = ("EBMS:0045", "DuplicateCompressionInfo", _F, "Content", "ebMS")
    DUPLICATE_FRAGMENT = ("EBMS:0046", "DuplicateFragment", _F, "Content", "ebMS")
    BAD_FRAGMENT_STRUCTURE = ("EBMS:0047", "BadFragmentStructure", _F, "Unpackaging", "ebMS")
    BAD_FRAGMENT_NUM = ("EBMS:0048", "BadFragmentNum", _F, "Content", "ebMS")
    BAD_FRAGMENT_COUNT = ("EBMS:0049", "BadFragmentCount", _F, "Content", "ebMS")
    FRAGMENT_SIZE_EXCEEDED = ("EBMS:0050", "FragmentSizeExceeded", _W, "Unpackaging", "ebMS")
    RECEIVE_INTERVAL_EXCEEDED = ("EBMS:0051", "ReceiveIntervalExceeded", _F, "Unpackaging", "ebMS")
    BAD_PROPERTIES = ("EBMS:0052", "BadProperties", _W, "Unpackaging", "ebMS")
    HEADER_MISMATCH = ("EBMS:0053", "HeaderMismatch", _F, "Unpackaging", "ebMS")
    OUT_OF_STORAGE_SPACE = ("EBMS:0054", "OutOfStorageSpace", _F, "Unpackaging", "ebMS")
    DECOMPRESSION_ERROR = ("EBMS:0055", "DecompressionError", _F, "Processing", "ebMS")
    RESPONSE_USING_ALTERNATE_MEP = ("EBMS:0060", "ResponseUsingAlternateMEP", _W, "Processing", "ebMS")

    def __init__(
        self, code: str, short_description: str, severity: Severity, category: str, origin: str
    ) -> None:
        self.code = code
        self.short_description = short_description
        self.severity = severity
        self.category = category
        self.origin = origin

    @classmethod
    def find(cls, code: str) -> "EbmsErrorCode | None":
        """Return the entry of ``code``, None for a code of somebody's own."""
        return _BY_CODE.get(code)

    def error(
        self, description: str | None = None, *, detail: str | None = None, ref: MessageId | None = None
    ) -> EbmsError:
        """Make the ``eb:Error`` of this code.

        Args:
            description: one sentence for the wire.
            detail: findings for people, as text.
            ref: id of the message in error.
        """
        return EbmsError(
            self.code,
            self.severity,
            self.short_description,
            description,
            detail,
            ref,
            self.category,
            self.origin,
        )


_BY_CODE: Final = {entry.code: entry for entry in EbmsErrorCode}

_GENERIC: Final = {
    EbmsErrorCode.FAILED_AUTHENTICATION: "signature or certificate not valid",
    EbmsErrorCode.FAILED_DECRYPTION: "message cannot be decrypted",
    EbmsErrorCode.POLICY_NONCOMPLIANCE: "security of the message does not follow the policy",
}
"""What the wire says about security: one sentence per code, so that nobody can probe us (inferred)."""


class EbmsFault(EessiSimError):  # noqa: N818 - Fault is SOAP's word
    """A message cannot be accepted or made; says so in the words of ebMS.

    Args:
        error_code: entry of the table.
        message: the teaching sentence for our journal.
        hint: what to change.
        detail: findings that shall travel in ``ErrorDetail``.
        ref: id of the message in question, when it could be read.
        verdict: outcome of a signature check, for explanations.
    """

    code = "ebms"

    def __init__(
        self,
        error_code: EbmsErrorCode,
        message: str,
        *,
        hint: str | None = None,
        detail: str | None = None,
        ref: MessageId | None = None,
        verdict: object = None,
    ) -> None:
        super().__init__(message, hint=hint, ebms=error_code.code)
        self.error_code = error_code
        self.detail = detail
        self.ref = ref
        self.verdict = verdict

    @property
    def description(self) -> str:
        """Sentence for the wire; generic where detail would help an attacker."""
        return _GENERIC.get(self.error_code, self.message)

    def about(self, ref: MessageId | None) -> "EbmsFault":
        """Note which message the fault is about, unless that is known already, and return the fault."""
        self.ref = self.ref or ref
        return self

    def as_error(self) -> EbmsError:
        """Return the ``eb:Error`` that tells the other side."""
        return self.error_code.error(self.description, detail=self.detail, ref=self.ref)


class NotAs4(EbmsFault):
    """The bytes are no ebMS message at all: answer HTTP 400 with the sentence, without an error signal."""

    code = "not-as4"
