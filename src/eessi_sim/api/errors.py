"""The one place where errors become HTTP: family to status, one JSON shape."""

from typing import Final

from eessi_sim.errors import (
    AttachmentError,
    AttachmentNotFound,
    CaseError,
    CaseNotFound,
    Conflict,
    DocumentNotFound,
    EessiSimError,
    EnvelopeError,
    MediaTypeUnknown,
    MessageNotFound,
    RequestTooLarge,
    ResendUseless,
    RoutingError,
    SedError,
    SedInvalid,
    ServiceBusy,
    ServiceTooSlow,
    SignatureError,
    StorageError,
    TransportError,
    XmlError,
)

_STATUS: Final[tuple[tuple[type[EessiSimError], int], ...]] = (
    (CaseNotFound, 404),
    (DocumentNotFound, 404),
    (AttachmentNotFound, 404),
    (MessageNotFound, 404),
    (ResendUseless, 409),
    (AttachmentError, 422),
    (CaseError, 409),
    (Conflict, 409),
    (SedError, 422),
    (XmlError, 422),
    (EnvelopeError, 422),
    (SignatureError, 422),
    (RoutingError, 422),
    (StorageError, 503),
    (TransportError, 502),
    (RequestTooLarge, 413),
    (MediaTypeUnknown, 415),
    (ServiceBusy, 503),
    (ServiceTooSlow, 504),
)


def status_of(error: EessiSimError) -> int:
    """Return the HTTP status of an error; the first family that fits decides, 400 when none does."""
    return next((status for family, status in _STATUS if isinstance(error, family)), 400)


def shape_of(error: EessiSimError) -> dict[str, object]:
    """Return the JSON shape of an error, with the findings when it has some."""
    shape = error.as_dict()
    if isinstance(error, SedInvalid) and hasattr(error.report, "as_dict"):
        shape["report"] = error.report.as_dict()
    return shape
