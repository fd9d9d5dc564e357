"""A file is mended in the form in which it came."""

import json

import pytest
from tests.helpers import evidence
from tests.helpers.definitions import content_of

from eessi_sim import sbdh, xmlsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.codec import Codec
from eessi_sim.cdm.mender import Mended
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import SedError, XmlError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.verification.examination import examine
from eessi_sim.verification.mending import mend_file
from eessi_sim.verification.outcome import INTEGRITY_ONLY
from eessi_sim.verification.recognition import kind_of

VALIDATOR = Validator(Catalogue.default())
WRONG_DATE = (b"1988-06-17", b"17.06.1988")


def mended(data: bytes) -> Mended:
    """The file after mending, by what it is."""
    return mend_file(kind_of(data), data, VALIDATOR)


def json_form() -> dict[str, object]:
    """The sample as JSON."""
    definition = Catalogue.default().get(SedType("A003"), CdmVersion("4.4"))
    return dict(Codec.of(definition).to_json(xmlsafe.parse(evidence.sample())))


def test_sed_is_mended() -> None:
    """A SED alone."""
    wrong = evidence.sample().replace(*WRONG_DATE)
    assert content_of(mended(wrong).data) == content_of(evidence.sample())


def test_sed_in_its_envelope_is_mended() -> None:
    """The envelope stays as it is round a SED that is mended."""
    right = evidence.envelope(evidence.sample().partition(b"\n")[2])
    wrong = right.replace(*WRONG_DATE)
    assert content_of(mended(wrong).data) == content_of(right)
    assert sbdh.read(mended(wrong).data).header == sbdh.read(right).header


def test_version_of_a_sed_in_its_envelope_is_mended() -> None:
    """The mend of a namespace is shown for a SED in its envelope, too."""
    right = evidence.envelope(evidence.sample().partition(b"\n")[2])
    wrong = right.replace(b"eessi/ns/4_4/A003", b"eessi/4_4/A003")
    shown = examine("file", wrong, VALIDATOR, INTEGRITY_ONLY).report.issues
    assert [issue.code for issue in shown if issue.mend] == ["not-a-sed"]
    assert content_of(mended(wrong).data) == content_of(right)


def test_envelope_without_a_sed_is_left() -> None:
    """Where nothing is, nothing is mended."""
    wrong = f'<StandardBusinessDocument xmlns="{sbdh.NAMESPACE}"/>'.encode()
    assert mended(wrong).changes == ()


def test_json_is_mended() -> None:
    """The JSON form is mended as JSON."""
    text = json.dumps(json_form())
    wrong = text.replace("1988-06-17", "17.06.1988").replace('"NO"', '"Norway"').encode()
    assert json.loads(mended(b"\xef\xbb\xbf" + wrong).data) == json_form()


def test_json_without_faults_stays_as_it_is() -> None:
    """Not even the white space changes."""
    data = json.dumps(json_form()).encode()
    assert mended(data) == Mended(data, (), ())


def test_message_is_not_mended() -> None:
    """Its signature covers the packed document."""
    with pytest.raises(SedError, match="found AS4 message"):
        mended(evidence.files()["message.as4"])


@pytest.mark.parametrize("data", [b"<A003", b"<!DOCTYPE a []><a/>"])
def test_what_cannot_be_read_is_not_mended(data: bytes) -> None:
    """Broken XML is an error."""
    with pytest.raises(XmlError):
        mended(data)
