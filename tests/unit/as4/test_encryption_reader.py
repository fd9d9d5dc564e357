"""What a Security header says about encryption is counted before anything is computed."""

import pytest
from lxml import etree

from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.encryption_reader import ENCRYPTED_DATA, ENCRYPTED_KEY, read_encryption
from eessi_sim.security.ciphers import EncryptionPolicy


@pytest.mark.parametrize(("keys", "data"), [(3, 1), (1, 2)])
def test_more_than_the_message_needs_is_refused(keys: int, data: int) -> None:
    """More keys than the policy allows, or more encrypted parts than there are parts, are EBMS:0009."""
    security = etree.Element("Security")
    for tag in (*[ENCRYPTED_KEY] * keys, *[ENCRYPTED_DATA] * data):
        etree.SubElement(security, tag)
    with pytest.raises(EbmsFault) as caught:
        read_encryption(security, EncryptionPolicy(max_keys=2), parts=1)
    assert caught.value.error_code is EbmsErrorCode.INVALID_HEADER
    assert f"found {keys} and {data}" in str(caught.value)
