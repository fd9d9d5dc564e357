"""Other people's tools agree with our messages: signature, digests, MIME frame; and refuse them after one changed byte.

xmlsec verifies whole signatures where all references are in the envelope. It does not know the transform of attachments,
so there each step is repeated with a tool of its own: MIME by Python's ``email``, canonical form by ``xml.etree``, digest by
``hashlib``, signature value by xmlsec.
"""

import base64

import pytest
from lxml import etree
from tests.helpers import as4_oracle
from tests.helpers.as4_messages import (
    SED,
    SENDER,
    attachment,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unpacked,
)

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.security.keys import KeyPair
from eessi_sim.security.pki import KeyAlgorithm

pytestmark = pytest.mark.oracle

PAYLOADS = (
    sed_payload(),
    attachment(),
    msh.plain_payload("plain@pl.example", b"<a  b='1'><!-- c -->" + SED + b"</a>", "application/xml", "SED"),
)


def _signals(keys: KeyPair) -> dict[str, msh.Packed]:
    """Return one message of each kind whose references are all in the envelope."""
    received = unpacked(packed_message(keys=keys))
    error = EbmsErrorCode.OTHER.error("Ærlig talt < & >", detail="one\r\ntwo")
    return {
        "user": packed_message([], keys=keys),
        "receipt": msh.pack_receipt(received, keys, stamp=stamp()),
        "error": msh.pack_error([error], keys, about=received, stamp=stamp()),
        "fault": msh.pack_error([error], keys, about=None, stamp=stamp(), fault="a < b"),
        "pull": msh.pack_pull_request(vocabulary.DEFAULT_MPC + "/NO", keys, stamp=stamp()),
    }


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("kind", ["user", "receipt", "error", "fault", "pull"])
def test_xmlsec_accepts_our_signature(kind: str, algorithm: KeyAlgorithm) -> None:
    """xmlsec finds both digests and the value of our signature right."""
    assert as4_oracle.accepts_envelope(_signals(keys_of(SENDER.id, algorithm))[kind].body)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("kind", ["user", "receipt", "error", "pull"])
def test_xmlsec_refuses_our_message_after_one_changed_letter(kind: str, algorithm: KeyAlgorithm) -> None:
    """xmlsec looks at the same Messaging as we do."""
    body = _signals(keys_of(SENDER.id, algorithm))[kind].body
    changed = body.replace(b":15:01.000Z", b":15:02.000Z")
    assert changed != body
    assert not as4_oracle.accepts_envelope(changed)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_digests_of_a_message_with_attachments_are_right(algorithm: KeyAlgorithm) -> None:
    """Messaging, Body, compressed parts and an XML part have the digests that other tools compute."""
    parts = as4_oracle.mime_parts(msh.to_file(packed_message(PAYLOADS, keys=keys_of(SENDER.id, algorithm))))
    assert len(parts) == 1 + len(PAYLOADS)
    assert as4_oracle.computed_digests(parts) == as4_oracle.signed_digests(as4_oracle.envelope_of(parts))


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_signature_value_of_a_message_with_attachments_is_right(algorithm: KeyAlgorithm) -> None:
    """xmlsec accepts the signature value over the canonical SignedInfo, and refuses it over anything else."""
    packed = packed_message(PAYLOADS, keys=keys_of(SENDER.id, algorithm))
    envelope = as4_oracle.envelope_of(as4_oracle.mime_parts(msh.to_file(packed)))
    assert as4_oracle.accepts_value(envelope)
    assert not as4_oracle.accepts_value(envelope, added=b" ")


def test_python_reads_our_frame_like_we_do() -> None:
    """Another MIME reader finds the same parts, types and octets."""
    packed = packed_message(PAYLOADS)
    theirs = [
        (name, part.get_content_type(), as4_oracle.octets_of(part))
        for name, part in as4_oracle.mime_parts(msh.to_file(packed)).items()
        if not name.startswith("root-")
    ]
    ours = [(part.content_id, part.content_type, part.content) for part in unpacked(packed).parts]
    assert theirs == ours


def test_receipt_repeats_the_digests_that_others_computed() -> None:
    """The digests in a receipt are those of the SignedInfo it confirms, in the same order."""
    keys = keys_of(SENDER.id)
    packed = packed_message(PAYLOADS, keys=keys)
    receipt = etree.fromstring(msh.pack_receipt(unpacked(packed), keys, stamp=stamp()).body)
    copied = [
        (
            reference.get("URI"),
            base64.b64decode(reference.findtext("ds:DigestValue", namespaces=as4_oracle.NAMESPACES) or ""),
        )
        for reference in receipt.iterfind(".//eb:Receipt//ds:Reference", as4_oracle.NAMESPACES)
    ]
    assert copied == list(
        as4_oracle.signed_digests(as4_oracle.envelope_of(as4_oracle.mime_parts(msh.to_file(packed)))).items()
    )
