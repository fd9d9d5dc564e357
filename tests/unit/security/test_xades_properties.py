"""Facts about seals that hold for every document and every change of a bit."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.helpers.keys import NOW, key_pair
from tests.helpers.seals import SED, sealed

from eessi_sim import xmlsafe
from eessi_sim.errors import XmlError
from eessi_sim.security.xades import verify

SEALED = sealed()
BODY = xmlsafe.exclusive_c14n(xmlsafe.parse(SED))
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")) | st.sampled_from("\t\n\r"), max_size=30)


def verified_octets(document: bytes) -> bytes | None:
    """What a receiver may go on with, None when the document is refused."""
    try:
        root = xmlsafe.parse(document)
    except XmlError:
        return None
    return verify(root, trust=None, expected=[key_pair().certificate], at=NOW).signed_bytes


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SEALED) * 8 - 1))
@example(SEALED.index(b"<Empty>") * 8)
def test_no_single_bit_changes_what_is_accepted(bit: int) -> None:
    """After any flipped bit the seal is refused, or the accepted document is still the signed one."""
    changed = bytearray(SEALED)
    changed[bit // 8] ^= 1 << bit % 8
    assert verified_octets(bytes(changed)) in (None, BODY)


@settings(max_examples=100, deadline=None)
@given(TEXT, TEXT, st.sampled_from(["", "\n", "  \n "]))
def test_every_document_is_sealed_and_verified(text: str, attribute: str, gap: str) -> None:
    """Whatever characters a SED holds, its seal verifies and gives back its canonical form."""
    content = f'<a k="{xmlsafe.escape_attribute(attribute)}">{xmlsafe.escape_text(text)}</a>'
    sed = f'<u:U1 xmlns:u="urn:u">{gap}{content}{gap}</u:U1>'.encode()
    document = sealed(sed)
    assert xmlsafe.exclusive_c14n(xmlsafe.parse(document)) == document
    assert verified_octets(document) == xmlsafe.exclusive_c14n(xmlsafe.parse(sed))


@pytest.mark.parametrize(
    "length", [0, 1, len(SEALED) // 2, len(SEALED) - 1], ids=["nothing", "one", "half", "all-but-one"]
)
def test_cut_document_is_refused(length: int) -> None:
    """The beginning of a sealed document is no document."""
    assert verified_octets(SEALED[:length]) is None
