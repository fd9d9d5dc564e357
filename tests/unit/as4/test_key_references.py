"""The three ways to name a certificate, and the kinds of keys that sign, together."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.helpers.as4_messages import (
    NOW,
    RECEIVER,
    SENDER,
    TOKEN,
    attachment,
    authority,
    keys_of,
    sed_payload,
    stamp,
    trust,
    unpacked,
    user_message,
)

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.policy import DEFAULT, EDELIVERY_2, SignaturePolicy

ED25519 = authority(KeyAlgorithm.P_256).issue(
    SENDER.id, Purpose.EBMS, country="PL", now=NOW, key=ed25519.Ed25519PrivateKey.generate()
)
KEYS = {"rsa": keys_of(SENDER.id, KeyAlgorithm.RSA_2048), "p-256": keys_of(SENDER.id), "ed25519": ED25519}


def packed(keys: KeyPair, reference: KeyReference) -> msh.Packed:
    """Return a message that names its certificate in this way."""
    return msh.pack_user_message(
        user_message(),
        (sed_payload(), attachment()),
        keys,
        token=TOKEN,
        multihop=False,
        key_reference=reference,
    )


def verify(message: msh.Packed, *candidates: Certificate, policy: SignaturePolicy) -> None:
    """Verify a message of one of the senders."""
    kind = KeyAlgorithm.RSA_2048 if candidates[0].is_rsa else KeyAlgorithm.P_256
    msh.verify(unpacked(message), candidates=candidates, trust=trust(kind), at=NOW, policy=policy)


@pytest.mark.parametrize("reference", KeyReference)
@pytest.mark.parametrize(
    ("kind", "policy"),
    [("rsa", DEFAULT), ("p-256", DEFAULT), ("p-256", EDELIVERY_2), ("ed25519", EDELIVERY_2)],
)
def test_every_key_and_reference_verifies(
    kind: str, policy: SignaturePolicy, reference: KeyReference
) -> None:
    """The receiver finds the certificate among those it has, or in the token."""
    keys = KEYS[kind]
    verify(packed(keys, reference), keys.certificate, policy=policy)


@pytest.mark.parametrize("reference", [KeyReference.ISSUER_SERIAL, KeyReference.KEY_IDENTIFIER])
def test_named_certificate_must_be_at_hand(reference: KeyReference) -> None:
    """A message that names a certificate we do not have is EBMS:0101."""
    with pytest.raises(EbmsFault) as caught:
        verify(packed(ED25519, reference), keys_of(RECEIVER.id).certificate, policy=EDELIVERY_2)
    assert caught.value.error_code is EbmsErrorCode.FAILED_AUTHENTICATION


@pytest.mark.parametrize(("kind", "policy"), [("ed25519", DEFAULT), ("rsa", EDELIVERY_2)])
def test_algorithm_of_another_profile_is_refused(kind: str, policy: SignaturePolicy) -> None:
    """EESSI's receiver takes no Ed25519, that of AS4 2.0 no RSA: EBMS:0103 (ALG-4)."""
    with pytest.raises(EbmsFault) as caught:
        verify(packed(KEYS[kind], KeyReference.TOKEN), KEYS[kind].certificate, policy=policy)
    assert caught.value.error_code is EbmsErrorCode.POLICY_NONCOMPLIANCE


@pytest.mark.parametrize("reference", [KeyReference.ISSUER_SERIAL, KeyReference.KEY_IDENTIFIER])
@pytest.mark.parametrize("kind", ["receipt", "error"])
def test_signals_name_their_certificate_likewise(kind: str, reference: KeyReference) -> None:
    """Receipts and errors carry no token when their signer names its certificate otherwise."""
    received = unpacked(packed(ED25519, KeyReference.TOKEN))
    makers: dict[str, Callable[[], msh.Packed]] = {
        "receipt": lambda: msh.pack_receipt(received, ED25519, stamp=stamp(), key_reference=reference),
        "error": lambda: msh.pack_error(
            [EbmsErrorCode.OTHER.error()], ED25519, about=received, stamp=stamp(), key_reference=reference
        ),
    }
    signal = makers[kind]()
    assert b"BinarySecurityToken" not in signal.body
    verify(signal, ED25519.certificate, policy=EDELIVERY_2)
