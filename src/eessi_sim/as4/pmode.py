"""What two parties have agreed on: retries, the form of signals, which header values are legal.

Values and pure checks only; the constants of EESSI are those of its public reference samples (observed).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.differences import Difference
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, Party, UserMessage
from eessi_sim.clock import iso
from eessi_sim.errors import SettingsError

_Service: TypeAlias = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class ReceptionAwareness:
    """How often and when a message without receipt is sent again (AS4 3.2; numbers are inferred).

    The defaults wait 1, 3, 9, 27 and 60 seconds, then 60 more before the message counts as lost.
    """

    retries: int = 5
    """Attempts after the first one."""
    interval: float = 1.0
    """Seconds between the first attempt and the second."""
    multiplier: float = 3.0
    """Each wait is so many times the one before."""
    max_interval: float = 60.0
    """No wait is longer, in seconds."""

    def __post_init__(self) -> None:
        if self.retries < 0 or self.interval <= 0 or self.multiplier < 1 or self.max_interval < self.interval:
            raise SettingsError(
                f"Expected retries >= 0 and 0 < interval <= max_interval and multiplier >= 1, found {self}",
                hint="Correct the retry settings.",
            )


@dataclass(frozen=True, slots=True)
class SignalStyle:
    """Where products differ in the multi-hop frame of signals (AS4 4.4); EESSI's way by default (observed)."""

    receipt_suffix: str = ".response"
    """Appended to the action in the RoutingInput of a receipt."""
    error_suffix: str = ".response"
    """Appended to the action in the RoutingInput of an error."""
    has_mpc_suffix: bool = False
    """Whether the channel gets ``.receipt`` or ``.error`` appended, too."""
    has_messaging_role: bool = True
    """Whether ``eb:Messaging`` carries the role nextmsh."""


EESSI_SIGNALS: Final = SignalStyle()
AS4_SIGNALS: Final = SignalStyle(".receipt", ".error", has_mpc_suffix=True, has_messaging_role=False)
"""The form that the text of the AS4 profile describes (AS4 4.4, documented)."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Which Timestamps a receiver accepts: a message out of the window could be a replay (our choice, inferred)."""

    back: timedelta = timedelta(days=30)
    """Age of the oldest message; as long as ids are remembered for duplicate detection."""
    ahead: timedelta = timedelta(minutes=5)
    """How far ahead the clock of the sender may be."""

    def check(self, info: MessageInfo, now: datetime) -> None:
        """Check when a message was made.

        Raises:
            EbmsFault: 0003.
        """
        if not now - self.back <= info.timestamp <= now + self.ahead:
            raise _inconsistent(
                f'Expected a Timestamp near "{iso(now)}", found "{iso(info.timestamp)}"',
                hint="Set the clock of the sending machine, or send the message anew.",
            )


@dataclass(frozen=True, slots=True)
class Profile:
    """Header values that a receiver accepts in user messages; the defaults are EESSI's (observed)."""

    party_type: str = vocabulary.PARTY_TYPE
    roles: frozenset[str] = frozenset(
        {vocabulary.INSTITUTION_ROLE, vocabulary.CSN_ROLE, vocabulary.ACCESS_POINT_ROLE}
    )
    services: frozenset[_Service] = frozenset(
        {
            (vocabulary.BUSINESS_SERVICE, vocabulary.SERVICE_TYPE, vocabulary.SEND_ACTION),
            (vocabulary.SYSTEM_SERVICE, vocabulary.SERVICE_TYPE, vocabulary.SEND_ACTION),
            (vocabulary.TEST_SERVICE, None, vocabulary.TEST_ACTION),
        }
    )
    """Allowed combinations of service, its type, and action."""
    channels: frozenset[str] = frozenset({vocabulary.DEFAULT_MPC})
    clock_skew: timedelta = TimeWindow().ahead
    """How far ahead the clock of the sender may be."""
    window: timedelta = TimeWindow().back
    """How long ids are remembered for duplicate detection; older messages are refused."""

    def check(self, message: UserMessage) -> None:
        """Check the header values of ``message`` (parties, roles, service, action, channel).

        Raises:
            EbmsFault: 0003 for a value that contradicts the agreement, 0010 when no agreement fits.
        """
        _check_parties(message.sender, message.receiver, self)
        _check_service(message.collaboration, self)
        if (message.mpc or vocabulary.DEFAULT_MPC) not in self.channels:
            raise _inconsistent(f'Expected the default MPC in a user message, found "{message.mpc}"')

    def check_time(self, info: MessageInfo, now: datetime) -> None:
        """Check that the message was made neither in the future nor before the duplicate window; raises as TimeWindow."""
        TimeWindow(self.window, self.clock_skew).check(info, now)


EESSI_PROFILE: Final = Profile()


def _inconsistent(message: str, hint: str | None = None) -> EbmsFault:
    return EbmsFault(EbmsErrorCode.VALUE_INCONSISTENT, message, hint=hint)


def _check_parties(sender: Party, receiver: Party, profile: Profile) -> None:
    for side, party in (("From", sender), ("To", receiver)):
        if party.type != profile.party_type:
            raise _inconsistent(
                f'Expected PartyId type "{profile.party_type}" in {side}, found "{party.type or ""}"'
            )
        if party.role not in profile.roles:
            raise EbmsFault(
                EbmsErrorCode.PROCESSING_MODE_MISMATCH,
                f'Expected a known Role in {side}, found "{party.role}"',
                hint=f"Use {vocabulary.INSTITUTION_ROLE} for institutions.",
            )
    if sender.id == receiver.id:
        raise _inconsistent(f'Expected two different parties, found "{sender.id}" in From and To')


def _check_service(work: CollaborationInfo, profile: Profile) -> None:
    found = (work.service, work.service_type, work.action)
    if found in profile.services:
        return
    nearest = min(
        sorted(profile.services, key=str), key=lambda known: sum(map(_weight_of, _differences(known, found)))
    )
    named = "; ".join(map(str, _differences(nearest, found)))
    hint = f'Business messages use "{vocabulary.BUSINESS_SERVICE}" and "{vocabulary.SEND_ACTION}".'
    message = (
        f'Expected a known Service and Action, found "{work.service}" and "{work.action}"; '
        f'nearest is "{nearest[0]}" with "{nearest[2]}", where this differs: {named}'
    )
    raise EbmsFault(EbmsErrorCode.PROCESSING_MODE_MISMATCH, message, hint=hint, detail=f"{message}. {hint}")


def _differences(known: _Service, found: _Service) -> list[Difference]:
    """Compare service, type and action; the service says most about what was meant."""
    names = (("Service", 3), ("Service/@type", 1), ("Action", 2))
    return [
        Difference(name, expected or "", actual or "", weight)
        for (name, weight), expected, actual in zip(names, known, found, strict=True)
        if expected != actual
    ]


def _weight_of(difference: Difference) -> int:
    return difference.weight
