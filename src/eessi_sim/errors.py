"""Every exception of the project: one base, a few families, each class with a stable code.

The code appears on the command line, in the interface and in the journal. Checks return
reports and verdicts; only acting on a bad one raises. Errors of foreign libraries are mapped
at the border of the package that met them, always chained. Nothing else lives here.
"""


class EessiSimError(Exception):
    """Base of all errors of the project.

    Args:
        message: what was expected, what was found and where; no full stop.
        hint: what to change, as a sentence.
        context: values that identify the place (file, line, message id …), for logs and JSON.
    """

    code: str = "error"

    def __init__(self, message: str, *, hint: str | None = None, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def as_dict(self) -> dict[str, object]:
        """Return the error in the one JSON shape that every outside face uses."""
        shape: dict[str, object] = {"code": self.code, "message": self.message}
        if self.hint:
            shape["hint"] = self.hint
        if self.context:
            shape["context"] = {key: str(value) for key, value in self.context.items()}
        return shape


class IdentifierError(EessiSimError):
    """A text is not a well-formed identifier of its kind."""

    code = "identifier"


class DefinitionError(EessiSimError):
    """A file in ``schemas/`` or ``institutions/`` is wrong; names file, line and key."""

    code = "definition"


class SettingsError(EessiSimError):
    """A setting is unknown or its value cannot be used."""

    code = "settings"


class EnvironmentProblem(EessiSimError):  # noqa: N818 - not the program, the machine is at fault
    """The machine lacks something: a port, a permission, a Python version, a program."""

    code = "environment"


class XmlError(EessiSimError):
    """Bytes are not XML that we are willing to read."""

    code = "xml"


class XmlForbidden(XmlError):  # noqa: N818
    """The XML is well-formed but carries what we never accept, a document type for example."""

    code = "xml-forbidden"


class XmlTooLarge(XmlError):  # noqa: N818
    """The XML is larger or deeper than the limits allow."""

    code = "xml-too-large"


class ZipError(EessiSimError):
    """Bytes are not a zip archive, or it is broken."""

    code = "zip"


class ZipForbidden(ZipError):  # noqa: N818
    """An archive carries what we never unpack: another archive, an entry with a password, a name with detours."""

    code = "zip-forbidden"


class ZipTooLarge(ZipError):  # noqa: N818
    """An archive has more or larger entries than the limits allow."""

    code = "zip-too-large"


class SedError(EessiSimError):
    """A Structured Electronic Document cannot be used."""

    code = "sed"


class UnknownSedType(SedError):  # noqa: N818
    """No definition of this SED type exists in this version of the data model."""

    code = "sed-unknown"


class NotASed(UnknownSedType):
    """The root of the document is something else than a SED, an envelope for example."""

    code = "not-a-sed"


class SedInvalid(SedError):  # noqa: N818
    """A SED has findings that forbid to send it; ``report`` lists them all."""

    code = "sed-invalid"

    def __init__(self, message: str, *, report: object, hint: str | None = None, **context: object) -> None:
        super().__init__(message, hint=hint, **context)
        self.report = report


class EnvelopeError(EessiSimError):
    """The Standard Business Document Header is wrong or contradicts what it envelops."""

    code = "envelope"


class CaseError(EessiSimError):
    """A case cannot do what was asked."""

    code = "case"


class CaseNotFound(CaseError):  # noqa: N818
    """No such case at this institution."""

    code = "case-not-found"


class DocumentNotFound(CaseError):  # noqa: N818
    """No such document in this case."""

    code = "document-not-found"


class ActionNotAvailable(CaseError):  # noqa: N818
    """The process definition does not allow the action now; ``available`` says what it allows."""

    code = "action-not-available"

    def __init__(
        self, message: str, *, available: tuple[str, ...] = (), hint: str | None = None, **context: object
    ) -> None:
        super().__init__(message, hint=hint, **context)
        self.available = available

    def as_dict(self) -> dict[str, object]:
        """Return the error shape together with what is possible instead."""
        return {**super().as_dict(), "available": list(self.available)}


class SuggestionGone(CaseError):  # noqa: N818
    """No such suggestion in this case, or no longer."""

    code = "suggestion-gone"


class DocumentRefused(CaseError):  # noqa: N818
    """A received document does not fit the case; ``cause`` is the code for the business exception (X050)."""

    code = "document-refused"

    def __init__(self, message: str, *, cause: str, hint: str | None = None, **context: object) -> None:
        super().__init__(message, hint=hint, **context)
        self.cause = cause

    def as_dict(self) -> dict[str, object]:
        """Return the error shape together with the code that the X050 reports."""
        return {**super().as_dict(), "cause": self.cause}


class AttachmentError(CaseError):
    """A file cannot be attached to a document, or the attachments of a message are not what it says."""

    code = "attachment"


class AttachmentNotFound(AttachmentError):  # noqa: N818
    """No such attachment of this document."""

    code = "attachment-not-found"


class AttachmentNotAllowed(AttachmentError):  # noqa: N818
    """The process table does not let this SED carry attachments."""

    code = "attachment-not-allowed"


class AttachmentTypeRefused(AttachmentError):  # noqa: N818
    """The type of an attachment is not allowed, or its content is of another type than declared."""

    code = "attachment-type"


class AttachmentTooLarge(AttachmentError):  # noqa: N818
    """An attachment, or all of one message, are larger than the installation takes."""

    code = "attachment-too-large"


class AttachmentMissing(AttachmentError):  # noqa: N818
    """The envelope lists an attachment that is not in the message."""

    code = "attachment-missing"


class AttachmentNotListed(AttachmentError):  # noqa: N818
    """A message carries a part that its envelope does not list."""

    code = "attachment-not-listed"


class SignatureError(EessiSimError):
    """A signature does not verify; ``verdict`` says which check failed and why."""

    code = "signature"

    def __init__(
        self, message: str, *, verdict: object = None, hint: str | None = None, **context: object
    ) -> None:
        super().__init__(message, hint=hint, **context)
        self.verdict = verdict


class EncryptionError(EessiSimError):
    """Content cannot be encrypted, or is encrypted in a way that we do not accept."""

    code = "encryption"


class DecryptionError(EncryptionError):
    """Content cannot be decrypted; why exactly is never told."""

    code = "decryption"


class KeyMaterialError(EessiSimError):
    """A key or certificate cannot be read or used."""

    code = "key-material"


class RoutingError(EessiSimError):
    """A message cannot be brought to its receiver."""

    code = "routing"


class UnknownReceiver(RoutingError):  # noqa: N818
    """The Institution Repository does not know the receiver, or not any more."""

    code = "receiver-unknown"


class NotCompetent(RoutingError):  # noqa: N818
    """The institution is not competent for this process in this role."""

    code = "not-competent"


class TransportError(EessiSimError):
    """Bytes could not be brought to the other side."""

    code = "transport"


class ConnectFailed(TransportError):  # noqa: N818
    """No connection to the other side."""

    code = "connect-failed"


class TimedOut(TransportError):  # noqa: N818
    """The other side did not answer in time."""

    code = "timed-out"


class Refused(TransportError):  # noqa: N818
    """TLS was refused by one of the two sides."""

    code = "refused"


class StorageError(EessiSimError):
    """The durable store failed."""

    code = "storage"


class Conflict(StorageError):  # noqa: N818
    """Somebody else changed the same thing in between; read again and retry."""

    code = "conflict"


class CaseChanged(Conflict):
    """Somebody else changed the case since it was read; the step is taken again from the case as it is."""

    code = "case-changed"


class Unavailable(StorageError):  # noqa: N818
    """The store cannot be opened or written."""

    code = "store-unavailable"


class MigrationNeeded(StorageError):  # noqa: N818
    """The store was written by another version of the program."""

    code = "migration-needed"


class MessageNotFound(EessiSimError):  # noqa: N818
    """The node keeps no such message, or not in the state that was asked for."""

    code = "message-not-found"


class ResendUseless(EessiSimError):  # noqa: N818
    """A dead letter would only be refused again."""

    code = "resend-useless"


class RequestError(EessiSimError):
    """A request to a service of ours cannot be understood."""

    code = "request"


class RequestTooLarge(RequestError):  # noqa: N818
    """The body of a request is larger than the service reads."""

    code = "request-too-large"


class MediaTypeUnknown(RequestError):  # noqa: N818
    """The body of a request is of a media type that the service does not read."""

    code = "media-type"


class ServiceBusy(EessiSimError):  # noqa: N818
    """A service has more work waiting than it promises to do."""

    code = "service-busy"


class ServiceTooSlow(EessiSimError):  # noqa: N818
    """A service gave up on a piece of work that took too long."""

    code = "service-too-slow"
