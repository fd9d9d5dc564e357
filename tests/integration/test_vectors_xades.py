"""A seal made by another product, from a sample that may lie beside the checkout; its values are placeholders."""

from datetime import UTC, datetime

from tests.helpers.vectors import needs_vectors, sample

from eessi_sim import xmlsafe
from eessi_sim.security.result import SubIndication
from eessi_sim.security.xades import verify


@needs_vectors
def test_placeholder_seal_is_read_and_refused_by_its_digest() -> None:
    """The old form (default namespace, implicit inclusive form) is understood; what fails is the digest."""
    sed = xmlsafe.parse(sample("P4000-sbdh-1.0.xml"))[1]
    result = verify(sed, trust=None, expected=None, at=datetime(2018, 1, 1, tzinfo=UTC))
    assert result.sub_indication is SubIndication.HASH_FAILURE
    assert "of the document" in result.explanation
    assert result.references[0].canonical.startswith(b"<sed:P4000 ")
