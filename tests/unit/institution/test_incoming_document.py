"""What the engine is told about a document that arrived: envelope and message properties, in its words."""

import pytest
from tests.helpers.as4_messages import SED, user_message
from tests.helpers.envelopes import HEADER
from tests.helpers.stored import a_message

from eessi_sim import xmlsafe
from eessi_sim.as4.model import MessageProperty
from eessi_sim.buc.engine import IncomingDocument
from eessi_sim.gateway.properties import PARENT_VERSION
from eessi_sim.institution.receiving import incoming_document
from eessi_sim.sbdh import OLD_HEADER_VERSION, StandardBusinessDocument


def incoming(parent_version: str) -> IncomingDocument:
    """A document whose message says which version of its parent the sender had."""
    letter = StandardBusinessDocument(HEADER, xmlsafe.parse(SED), OLD_HEADER_VERSION)
    unit = user_message(properties=(MessageProperty(PARENT_VERSION, parent_version),))
    return incoming_document(letter, unit, a_message())


@pytest.mark.parametrize(("said", "version"), [("1", 1), ("999999999", 999999999), ("", None)])
def test_the_version_of_the_parent_is_read(said: str, version: int | None) -> None:
    """A property without a value says nothing."""
    assert incoming(said).parent_version == version


@pytest.mark.parametrize("strange", ["x", "0", "-1", "+1", " 1", "1_0", "1.0", "\u0663", "9" * 5000])
def test_a_strange_version_of_the_parent_is_refused(strange: str) -> None:
    """Only plain digits are a version; the reason names the property, and no long value whole."""
    with pytest.raises(ValueError, match=PARENT_VERSION) as caught:
        incoming(strange)
    assert len(str(caught.value)) < 120
