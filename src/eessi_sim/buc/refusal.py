"""Why a received document is refused: the causes that an X050 reports, and the one way to raise them.

The codes are those of the code list BusinessExceptionType of the X050 (inferred from the list of causes
that RINA's store of business exceptions suggests).
"""

from enum import StrEnum

from eessi_sim.errors import DocumentRefused
from eessi_sim.identifiers import SedType


class ExceptionCause(StrEnum):
    """Kind of business exception, with its code in the X050."""

    NOT_VALID = "01"
    VERSION_NOT_SUPPORTED = "02"
    CASE_UNKNOWN = "03"
    NOT_EXPECTED = "04"
    NO_PARTICIPANT = "05"
    NOT_COMPETENT = "06"
    SIGNATURE_NOT_VALID = "07"
    OTHER = "99"


def refused(cause: ExceptionCause, message: str, *, sed: SedType, hint: str | None = None) -> DocumentRefused:
    """Return the error that refuses a received document of type ``sed``."""
    return DocumentRefused(message, cause=cause.value, hint=hint, sed=sed)
