"""Processing modes: presets, keys that fit, and which mode a message belongs to."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.helpers.as4_encryption import held
from tests.helpers.as4_messages import NOW, RECEIVER, SENDER, authority, keys_of, user_message
from tests.helpers.keys import certificate

from eessi_sim.as4 import mode_matching, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import Agreement, CollaborationInfo, Party
from eessi_sim.as4.modes import (
    EDELIVERY_1,
    EDELIVERY_2,
    EDELIVERY_2_EC,
    EESSI,
    PRESETS,
    ProcessingMode,
    ProfileName,
)
from eessi_sim.errors import SettingsError
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import KeyAlgorithm

RSA = keys_of(SENDER.id, KeyAlgorithm.RSA_2048)
P256 = keys_of(SENDER.id, KeyAlgorithm.P_256)
ED25519 = authority(KeyAlgorithm.P_256).issue(
    SENDER.id, Purpose.EBMS, country="PL", now=NOW, key=ed25519.Ed25519PrivateKey.generate()
)


def test_every_profile_has_a_preset() -> None:
    """The names of the profiles and the presets are the same."""
    assert set(PRESETS) == set(ProfileName)


@pytest.mark.parametrize(
    ("mode", "keys", "recipient"),
    [
        (EESSI, RSA, None),
        (EESSI, P256, None),
        (EDELIVERY_1, RSA, held("rsa").certificate),
        (EDELIVERY_2, ED25519, held("x25519").certificate),
        (EDELIVERY_2_EC, P256, held("p-256").certificate),
    ],
)
def test_fitting_keys_pass(mode: ProcessingMode, keys: KeyPair, recipient: Certificate | None) -> None:
    """Each profile takes the keys that it names; EESSI takes both kinds that its networks use."""
    mode.check_keys(keys, recipient)


@pytest.mark.parametrize(
    ("mode", "keys", "recipient", "found"),
    [
        (EDELIVERY_1, P256, held("rsa").certificate, "ecdsa"),
        (EDELIVERY_2, RSA, held("x25519").certificate, "rsa-sha256"),
        (EDELIVERY_1, RSA, None, "none"),
        (EDELIVERY_1, RSA, held("x25519").certificate, "X25519"),
        (EDELIVERY_2, ED25519, certificate(ed25519.Ed25519PrivateKey.generate()), "none"),
    ],
)
def test_unfit_keys_are_named(
    mode: ProcessingMode, keys: KeyPair, recipient: Certificate | None, found: str
) -> None:
    """The error names the mode, what it asks for and what was given."""
    with pytest.raises(SettingsError, match=found) as caught:
        mode.check_keys(keys, recipient)
    assert mode.id in caught.value.message


class TestMatching:
    """Selecting the mode of a message."""

    exact = replace(EESSI, id="exact", sender=SENDER, receiver=RECEIVER)

    def fault(self, *modes: ProcessingMode, **changes: object) -> EbmsFault:
        """Return the fault that selection ends with."""
        with pytest.raises(EbmsFault) as caught:
            mode_matching.select(user_message(**changes), modes)
        assert caught.value.error_code is EbmsErrorCode.PROCESSING_MODE_MISMATCH
        return caught.value

    def test_most_specific_mode_wins(self) -> None:
        """A mode that names the parties goes before one that takes anybody, whatever the order."""
        for modes in ((EESSI, self.exact), (self.exact, EESSI)):
            assert mode_matching.select(user_message(), modes) is self.exact

    def test_equal_modes_are_ambiguous(self) -> None:
        """Two modes that fit equally are EBMS:0010, and both are named."""
        fault = self.fault(self.exact, replace(self.exact, id="twin"))
        assert '"exact" and "twin"' in fault.message

    def test_without_any_mode_the_error_says_so(self) -> None:
        """An empty list is not called a nearest mode."""
        assert "no P-Mode at all" in self.fault().message

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            (
                {"sender": replace(SENDER, id="PL:OTHER")},
                'From/PartyId: expected "PL:ZUS001", found "PL:OTHER"',
            ),
            ({"receiver": replace(RECEIVER, type=None)}, 'To/PartyId/@type: expected "urn:eu'),
            ({"receiver": Party(RECEIVER.id, role="urn:role")}, 'To/Role: expected "urn:eu'),
            ({"mpc": "urn:channel"}, '@mpc: expected "http://docs'),
        ],
    )
    def test_nearest_mode_and_field_are_named(self, change: dict[str, object], named: str) -> None:
        """The sentence names the nearest mode and the field that differs, and travels in ErrorDetail."""
        far = replace(self.exact, id="far", sender=Party("AA:AA001"), receiver=Party("BB:BB001"))
        fault = self.fault(far, self.exact, **change)
        assert 'nearest is "exact"' in fault.message
        assert named in fault.message
        assert fault.detail is not None
        assert named in fault.detail
        assert 'PartyId: expected "AA' not in fault.message

    def test_fields_of_the_collaboration_are_compared(self) -> None:
        """Service, its type, action and agreement are told apart; only-case differences are pointed out."""
        mode = replace(self.exact, agreement=Agreement("urn:agreement"))
        work = CollaborationInfo(
            conversation_id="1", service="businessmessaging", service_type=None, action="Post"
        )
        found = self.fault(mode, collaboration=work).message
        for part in (
            'Service: expected "BusinessMessaging", found "businessmessaging" (only capital',
            "Service/@type",
            'Action: expected "Send", found "Post"',
            'AgreementRef: expected "urn:agreement", found ""',
        ):
            assert part in found

    def test_mode_without_service_type_wants_none(self) -> None:
        """A service is compared together with its type, absent on both sides or on neither."""
        mode = ProcessingMode(id="plain", service=vocabulary.BUSINESS_SERVICE)
        assert "Service/@type" in self.fault(mode).message

    def test_absent_channel_is_the_default_one(self) -> None:
        """A message without mpc fits a mode for the default channel."""
        assert mode_matching.select(user_message(mpc=None), [self.exact]) is self.exact
