"""Which processing mode a message belongs to; when none fits, which comes nearest and what differs.

The most specific mode that fits wins. For the nearest, fields weigh as in the public code of AS4.NET: receiver 8,
sender 7, agreement 4, service and action 3, the rest 1 (observed).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.differences import Difference
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import Agreement, Party, UserMessage
from eessi_sim.as4.modes import ProcessingMode


@dataclass(frozen=True, slots=True)
class _Comparison:
    field: str
    expected: str | None
    """None matches anything."""
    found: str
    weight: int


def differences(message: UserMessage, mode: ProcessingMode) -> tuple[Difference, ...]:
    """Return where ``message`` is not what ``mode`` says, empty when it fits."""
    return tuple(
        Difference(each.field, each.expected, each.found, each.weight)
        for each in _comparisons(message, mode)
        if each.expected is not None and each.expected != each.found
    )


def select(message: UserMessage, modes: Sequence[ProcessingMode]) -> ProcessingMode:
    """Return the one mode that ``message`` belongs to.

    Args:
        message: header of the message.
        modes: all that were agreed.

    Raises:
        EbmsFault: 0010 when none fits, with the nearest one and what differs, or when several fit equally.
    """
    fitting = [mode for mode in modes if not differences(message, mode)]
    if not fitting:
        raise _none(message, modes)
    ranked = sorted(fitting, key=lambda mode: _points(message, mode), reverse=True)
    if len(ranked) > 1 and _points(message, ranked[0]) == _points(message, ranked[1]):
        raise _mismatch(
            f'Expected one P-Mode for the message, found "{ranked[0].id}" and "{ranked[1].id}"',
            "Say more in one of the two, an agreement or a party, so that they differ.",
        )
    return ranked[0]


def _points(message: UserMessage, mode: ProcessingMode) -> int:
    """Return the weight of all fields that the mode fixes and the message has so."""
    return sum(each.weight for each in _comparisons(message, mode) if each.expected == each.found)


def _none(message: UserMessage, modes: Sequence[ProcessingMode]) -> EbmsFault:
    if not modes:
        return _mismatch("Expected a P-Mode for the message, found no P-Mode at all", "Agree on one first.")
    nearest = min(modes, key=lambda mode: sum(each.weight for each in differences(message, mode)))
    found = "; ".join(map(str, differences(message, nearest)))
    return _mismatch(
        f'Expected a P-Mode that fits the message, found none; nearest is "{nearest.id}", where this differs: {found}',
        "Correct the message, or the P-Mode, in the fields named.",
    )


def _mismatch(message: str, hint: str) -> EbmsFault:
    detail = f"{message}. {hint}"
    return EbmsFault(EbmsErrorCode.PROCESSING_MODE_MISMATCH, message, hint=hint, detail=detail)


def _comparisons(message: UserMessage, mode: ProcessingMode) -> Iterator[_Comparison]:
    work = message.collaboration
    yield from _party("From", mode.sender, message.sender, 7)
    yield from _party("To", mode.receiver, message.receiver, 8)
    yield _Comparison("Service", mode.service, work.service, 3)
    service_type = None if mode.service is None else mode.service_type or ""
    yield _Comparison("Service/@type", service_type, work.service_type or "", 1)
    yield _Comparison("Action", mode.action, work.action, 3)
    agreement = None if mode.agreement is None else mode.agreement.value
    yield _Comparison("AgreementRef", agreement, (work.agreement or Agreement("")).value, 4)
    yield _Comparison("@mpc", mode.mpc, message.mpc or vocabulary.DEFAULT_MPC, 1)


def _party(side: str, expected: Party | None, found: Party, weight: int) -> Iterator[_Comparison]:
    if expected is None:
        return
    yield _Comparison(f"{side}/PartyId", expected.id, found.id, weight)
    yield _Comparison(f"{side}/PartyId/@type", expected.type or "", found.type or "", 1)
    yield _Comparison(f"{side}/Role", expected.role, found.role, 1)
