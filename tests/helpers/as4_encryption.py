"""Encrypted messages for tests: who receives, the keys of each kind, one message for each profile."""

from dataclasses import replace
from functools import cache

from tests.helpers.as4_messages import (
    NOW,
    RECEIVER,
    SED,
    SENDER,
    TOKEN,
    attachment,
    authority,
    keys_of,
    sed_payload,
    user_message,
)

from eessi_sim.as4 import msh
from eessi_sim.as4.encryption import Encryption
from eessi_sim.as4.key_references import KeyReference
from eessi_sim.as4.model import Payload
from eessi_sim.security.keys import HeldKey
from eessi_sim.security.pki import KeyAlgorithm

PLAIN = msh.plain_payload(
    "plain@pl.example", b"<a  b='1'><!-- c -->" + SED + b"</a>", "application/xml", "SED"
)
PAYLOADS: tuple[Payload, ...] = (sed_payload(), attachment(), PLAIN)
KINDS = ("rsa", "p-256", "x25519")


@cache
def held(kind: str, name: str = RECEIVER.id) -> HeldKey:
    """Return the key that ``name`` decrypts with."""
    if kind == "x25519":
        return authority(KeyAlgorithm.P_256).issue_agreement(name, country="NO", now=NOW)
    return keys_of(name, KeyAlgorithm.RSA_2048 if kind == "rsa" else KeyAlgorithm.P_256)


def encrypted_message(
    kind: str = "rsa",
    reference: KeyReference = KeyReference.TOKEN,
    payloads: tuple[Payload, ...] = PAYLOADS,
    **changes: object,
) -> msh.Packed:
    """Return a signed message whose parts are encrypted for the receiver."""
    how = replace(Encryption(held(kind).certificate, reference), **changes)  # type: ignore[arg-type] # tests name real fields
    return msh.pack_user_message(
        user_message(), payloads, keys_of(SENDER.id), token=TOKEN, multihop=False, encryption=how
    )
