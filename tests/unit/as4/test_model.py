"""The units of a message as values."""

import pytest
from tests.helpers.as4_messages import RECEIVER, SENDER, attachment, sed_payload, user_message

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.model import CollaborationInfo, ErrorSignal, PartInfo, Payload, RoutingInput


def test_ping_is_recognised_by_test_service_and_action() -> None:
    """A user message with the standard's test service and action is a ping."""
    work = CollaborationInfo(
        conversation_id="ping-1",
        service=vocabulary.TEST_SERVICE,
        service_type=None,
        action=vocabulary.TEST_ACTION,
    )
    assert user_message(collaboration=work).is_ping


def test_business_message_is_no_ping() -> None:
    """A business message is not taken for a ping."""
    assert not user_message().is_ping


def test_test_action_of_another_service_is_no_ping() -> None:
    """The test action alone does not make a ping."""
    work = CollaborationInfo(conversation_id="1", action=vocabulary.TEST_ACTION)
    assert not user_message(collaboration=work).is_ping


def test_way_back_swaps_the_parties() -> None:
    """The routing header of a signal has the parties of the user message swapped."""
    back = RoutingInput.back_to_sender_of(user_message())
    assert (back.sender, back.receiver) == (RECEIVER, SENDER)


def test_message_without_channel_is_routed_on_the_default_one() -> None:
    """An absent mpc means the default channel."""
    assert RoutingInput.of(user_message(mpc=None)).mpc == vocabulary.DEFAULT_MPC


@pytest.mark.parametrize("suffix", [".response", ".receipt", ".error", ""])
def test_routing_does_not_depend_on_the_suffix(suffix: str) -> None:
    """Whatever a product appends to action and channel, the plain form is the one of the user message."""
    plain = RoutingInput.of(user_message())
    work = CollaborationInfo(
        conversation_id=plain.collaboration.conversation_id, action=vocabulary.SEND_ACTION + suffix
    )
    found = RoutingInput(SENDER, RECEIVER, work, vocabulary.DEFAULT_MPC + suffix)
    assert found.plain == plain


def test_payload_tells_its_type_before_compression() -> None:
    """MimeType names what the part was before compression."""
    assert sed_payload().mime_type == "application/xml"


def test_payload_without_mime_type_has_that_of_its_part() -> None:
    """Without a MimeType property the type of the MIME part counts."""
    assert Payload("a@b", b"", "image/png").mime_type == "image/png"


def test_payload_tells_what_part_it_is() -> None:
    """PartType tells SED from attachment."""
    assert (sed_payload().part_type, attachment().part_type) == ("SED", "Attachment")


def test_payload_knows_that_it_is_compressed() -> None:
    """A part with CompressionType is compressed, one without is not."""
    assert sed_payload().is_compressed
    assert not Payload("a@b", b"", "image/png").is_compressed


def test_part_info_finds_no_property_that_is_absent() -> None:
    """A property that is not there is found as None."""
    assert PartInfo("a@b").find_property("MimeType") is None


def test_one_failure_makes_the_signal_a_failure() -> None:
    """A signal with a warning and a failure is a failure."""
    warning, failure = EbmsErrorCode.EMPTY_CHANNEL.error(), EbmsErrorCode.OTHER.error()
    assert ErrorSignal(user_message().info, (warning, failure)).is_failure


def test_warnings_alone_are_no_failure() -> None:
    """A signal with warnings only does not stop anything."""
    assert not ErrorSignal(user_message().info, (EbmsErrorCode.EMPTY_CHANNEL.error(),)).is_failure
