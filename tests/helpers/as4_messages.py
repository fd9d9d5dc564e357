"""Messages for tests: parties, keys, one complete user message, edits of its bytes, and strategies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import strategies as st

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import (
    Agreement,
    CollaborationInfo,
    MessageInfo,
    MessageProperty,
    Party,
    Payload,
    UserMessage,
)
from eessi_sim.as4.wss import Verified
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore

NOW = datetime(2026, 3, 2, 8, 15, 1, tzinfo=UTC)
TOKEN = "00000000000000000000000000000001"
RECEIPT_TOKEN = "00000000000000000000000000000002"
MESSAGE_ID = MessageId("3f0f7a52-6f3e-4b43-a7c5-000000000001@pl.example")
SED = b"<A003>\xc3\x85se &amp; Zo\xc3\xab</A003>"
SENDER = Party("PL:ZUS001")
RECEIVER = Party("NO:NAVAT07")


@cache
def authority(algorithm: KeyAlgorithm = KeyAlgorithm.P_256) -> CertificateAuthority:
    """Return the authority that issues keys of this kind."""
    return CertificateAuthority.create("Test CA", NOW - timedelta(days=9), algorithm)


@cache
def keys_of(
    name: str, algorithm: KeyAlgorithm = KeyAlgorithm.P_256, purpose: Purpose = Purpose.EBMS
) -> KeyPair:
    """Return the key pair of a party, the same in the whole run."""
    return authority(algorithm).issue(
        name, purpose, country=name.partition(":")[0], now=NOW - timedelta(days=1)
    )


def trust(algorithm: KeyAlgorithm = KeyAlgorithm.P_256) -> TrustStore:
    """Return a trust store that believes the test authority."""
    return TrustStore.of([authority(algorithm).certificate])


def user_message(**changes: object) -> UserMessage:
    """Return a business message from Poland to Norway."""
    message = UserMessage(
        MessageInfo(MESSAGE_ID, NOW),
        SENDER,
        RECEIVER,
        CollaborationInfo(conversation_id="8a1f0f0c-5b0e-4e7a-9a53-6f0c9a110003"),
    )
    return replace(message, **changes)  # type: ignore[arg-type] # tests name real fields


def sed_payload(content: bytes = SED) -> Payload:
    """Return a compressed SED."""
    return msh.compressed_payload("sed-1@pl.example", content, "application/xml", "SED")


def attachment() -> Payload:
    """Return a compressed attachment."""
    return msh.compressed_payload("att-1@pl.example", b"%PDF-1.7 ...", "application/pdf", "Attachment")


def packed_message(
    payloads: Sequence[Payload] | None = None,
    *,
    keys: KeyPair | None = None,
    message: UserMessage | None = None,
    multihop: bool = True,
) -> msh.Packed:
    """Return a signed user message with a SED and an attachment, unless told otherwise."""
    return msh.pack_user_message(
        message or user_message(),
        (sed_payload(), attachment()) if payloads is None else payloads,
        keys or keys_of(SENDER.id),
        token=TOKEN,
        multihop=multihop,
    )


def unsigned_message(payloads: Sequence[Payload] = (), **changes: object) -> msh.Packed:
    """Return a user message without signature."""
    return msh.pack_user_message(user_message(**changes), payloads, None, token=TOKEN)


def stamp(number: int = 4) -> msh.Stamp:
    """Return the identity of a signal."""
    return msh.Stamp(MessageId(f"signal-{number}@no.example"), NOW, RECEIPT_TOKEN)


def edited(packed: msh.Packed, *edits: tuple[str, str]) -> msh.Packed:
    """Return the message with texts replaced in its bytes; each must be there."""
    body = packed.body
    for old, new in edits:
        assert old.encode() in body, old
        body = body.replace(old.encode(), new.encode())
    return replace(packed, body=body)


def unpacked(packed: msh.Packed, *, lenient: bool = False) -> msh.Unpacked:
    """Take a message apart."""
    return msh.unpack(packed.content_type, packed.body, lenient=lenient)


def verified(
    message: msh.Unpacked, *candidates: Certificate, at: datetime = NOW, by: TrustStore | None = None
) -> Verified:
    """Verify a message; the sender is listed with its own certificate unless others are given."""
    listed = candidates or (keys_of(SENDER.id).certificate,)
    return msh.verify(message, candidates=listed, trust=by or trust(), at=at)


def fault_of_unpacking(packed: msh.Packed) -> EbmsFault:
    """Return the fault that unpacking ends with."""
    with pytest.raises(EbmsFault) as caught:
        unpacked(packed)
    return caught.value


def fault_of_verifying(message: msh.Unpacked, *candidates: Certificate, **how: object) -> EbmsFault:
    """Return the fault that verification ends with."""
    with pytest.raises(EbmsFault) as caught:
        verified(message, *candidates, **how)  # type: ignore[arg-type] # tests name real arguments
    return caught.value


def _is_plain(text: str) -> bool:
    return bool(text) and text == text.strip()


texts = st.text(
    st.characters(
        exclude_categories=["Cs"],
        exclude_characters=[chr(code) for code in range(32) if chr(code) not in "\t\n\r"]
        + ["\ufffe", "\uffff"],
    ),
    min_size=1,
    max_size=40,
).filter(_is_plain)
"""Texts that XML can carry, odd characters included, without white space around them."""

message_ids = st.from_regex(MessageId.pattern, fullmatch=True).map(MessageId)
content_ids = st.text("abcXYZ0189.-_~!$&'*+=:/@()%", min_size=1, max_size=40)
times = st.integers(0, 4 * 10**12).map(lambda milliseconds: datetime.fromtimestamp(milliseconds / 1000, UTC))
infos = st.builds(MessageInfo, message_ids, times, st.none() | message_ids).filter(
    lambda info: info.message_id != info.ref_to_message_id
)
parties = st.builds(Party, texts, st.none() | texts, texts)
agreements = st.builds(Agreement, texts, st.none() | texts, st.none() | texts)
collaborations = st.builds(
    CollaborationInfo,
    conversation_id=texts,
    service=texts,
    service_type=st.none() | texts,
    action=texts,
    agreement=st.none() | agreements,
)
_own_names = texts.filter(
    lambda name: name not in {vocabulary.COMPRESSION_TYPE, vocabulary.CHARACTER_SET, vocabulary.MIME_TYPE}
)
message_properties = st.builds(MessageProperty, _own_names, texts, st.none() | texts)
payloads = st.lists(
    st.builds(
        Payload,
        content_ids,
        st.binary(max_size=200),
        st.sampled_from(["application/octet-stream", "application/gzip", "application/pdf", "text/plain"]),
        st.lists(message_properties, max_size=3).map(tuple),
    ),
    max_size=4,
    unique_by=lambda payload: payload.content_id,
)
user_messages = st.builds(
    UserMessage,
    infos,
    parties,
    parties,
    collaborations,
    st.lists(message_properties, max_size=3).map(tuple),
    st.just(()),
    st.none() | texts,
)
