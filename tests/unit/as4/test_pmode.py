"""What two parties have agreed on."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.helpers.as4_messages import NOW, RECEIVER, SENDER, user_message

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, UserMessage
from eessi_sim.as4.pmode import EESSI_PROFILE, ReceptionAwareness
from eessi_sim.errors import SettingsError

_WORK = user_message().collaboration


def test_business_message_of_eessi_is_accepted() -> None:
    """Two institutions, BusinessMessaging and Send on the default channel fit the profile."""
    EESSI_PROFILE.check(user_message())


def test_absent_channel_is_the_default_one() -> None:
    """A user message without mpc fits the profile."""
    EESSI_PROFILE.check(user_message(mpc=None))


def test_ping_is_accepted() -> None:
    """The test service of the standard, which has no type, fits the profile."""
    ping = CollaborationInfo(
        conversation_id="ping-1",
        service=vocabulary.TEST_SERVICE,
        service_type=None,
        action=vocabulary.TEST_ACTION,
    )
    EESSI_PROFILE.check(user_message(collaboration=ping))


@pytest.mark.parametrize(
    ("row", "message", "code"),
    [
        ("PT-4", user_message(sender=replace(SENDER, type=None)), "EBMS:0003"),
        ("PT-4", user_message(receiver=replace(RECEIVER, type="urn:other")), "EBMS:0003"),
        ("PT-5", user_message(receiver=SENDER), "EBMS:0003"),
        ("PT-8", user_message(collaboration=replace(_WORK, service="Other")), "EBMS:0010"),
        ("PT-8", user_message(collaboration=replace(_WORK, service_type=None)), "EBMS:0010"),
        ("PT-8", user_message(collaboration=replace(_WORK, action="Take")), "EBMS:0010"),
        ("PT-9", user_message(sender=replace(SENDER, role="Sender")), "EBMS:0010"),
        ("PT-10", user_message(mpc=vocabulary.DEFAULT_MPC + "/NO"), "EBMS:0003"),
        ("RI-7", user_message(mpc=vocabulary.DEFAULT_MPC.upper()), "EBMS:0003"),
    ],
)
def test_value_outside_the_profile_is_refused(row: str, message: UserMessage, code: str) -> None:
    """A header value that EESSI does not use is refused with the code of the conformance list."""
    with pytest.raises(EbmsFault) as caught:
        EESSI_PROFILE.check(message)
    assert caught.value.error_code.code == code, row


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=-5), timedelta(days=30)])
def test_message_of_about_now_is_accepted(age: timedelta) -> None:
    """Clocks may differ by five minutes, and a message may travel for thirty days."""
    EESSI_PROFILE.check_time(MessageInfo(user_message().info.message_id, NOW - age), NOW)


@pytest.mark.parametrize("age", [timedelta(minutes=-5, milliseconds=-1), timedelta(days=30, milliseconds=1)])
def test_message_of_another_time_is_refused(age: timedelta) -> None:
    """RP-2, RP-11: a message from the future, or older than our memory for duplicates, is refused."""
    with pytest.raises(EbmsFault) as caught:
        EESSI_PROFILE.check_time(MessageInfo(user_message().info.message_id, NOW - age), NOW)
    assert caught.value.error_code.code == "EBMS:0003"


@pytest.mark.parametrize(
    "change", [{"retries": -1}, {"interval": 0.0}, {"multiplier": 0.5}, {"max_interval": 0.5}]
)
def test_schedule_that_makes_no_sense_is_refused(change: dict[str, float]) -> None:
    """Retries below zero, no interval, shrinking waits or a bound below the first wait are refused."""
    with pytest.raises(SettingsError):
        ReceptionAwareness(**change)  # type: ignore[arg-type] # one argument of each type


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"action": "send"}, 'Action: expected "Send", found "send" (only capital letters or blanks differ)'),
        ({"service_type": None}, 'Service/@type: expected "urn:eu:europa:ec:dgempl:eessi", found ""'),
        (
            {"service": vocabulary.TEST_SERVICE, "service_type": None},
            f'Action: expected "{vocabulary.TEST_ACTION}"',
        ),
    ],
)
def test_refused_service_learns_the_nearest_one(change: dict[str, str], named: str) -> None:
    """EBMS:0010 names the nearest service and the one field that differs, and says so in ErrorDetail."""
    with pytest.raises(EbmsFault) as caught:
        EESSI_PROFILE.check(user_message(collaboration=replace(_WORK, **change)))  # type: ignore[arg-type] # tests name real fields
    assert caught.value.message.count("expected") == 1
    assert named in caught.value.message
    assert named in (caught.value.detail or "")
