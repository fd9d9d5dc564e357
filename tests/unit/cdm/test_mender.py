"""A document with mechanical faults is mended to what it was; one that only a person can put right is left alone."""

import re

import pytest
from tests.helpers.definitions import content_of

from eessi_sim import xmlsafe
from eessi_sim.cdm import mender
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.mender import mend
from eessi_sim.cdm.validation import Validator
from eessi_sim.identifiers import CdmVersion, SedType

CATALOGUE = Catalogue.default()
VALIDATOR = Validator(CATALOGUE)
FIRST, EVERY = 1, 0


def sample(sed: str = "A003") -> bytes:
    """The stored sample of a SED."""
    path = CATALOGUE.get(SedType(sed), CdmVersion("4.4")).sample
    assert path is not None
    return path.read_bytes()


def damaged(old: str, new: str, times: int = FIRST, document: bytes | None = None) -> bytes:
    """The sample after a replacement by regular expression."""
    before = (document or sample()).decode()
    after = re.sub(old, new, before, count=times, flags=re.DOTALL)
    assert after != before
    return after.encode()


def codes(data: bytes) -> list[str]:
    """The codes of what is found."""
    return [issue.code for issue in VALIDATOR.validate_bytes(data)[1].issues]


NAMESPACE = "http://ec.europa.eu/eessi/ns/4_4/A003"
SWAPPED = r"(<familyName>.*?</familyName>)(\s*)(<forename>.*?</forename>)"
TABLE = [
    ("siblings swapped", SWAPPED, r"\3\2\1", FIRST, "element-order"),
    ("groups swapped", r"(<Person>.*?</Person>)(\s*)(<Addresses>.*?</Addresses>)", r"\3\2\1", FIRST, "element-order"),
    ("code without its element", "<value>02</value>", "02", FIRST, "text-unexpected"),
    ("code without its element, blanks", "<value>02</value>", " 02 ", FIRST, "text-unexpected"),
    ("group left out", "</?PlaceBirth>", "", EVERY, "element-unexpected"),
    ("large group left out", "</?PersonIdentification>", "", EVERY, "element-unexpected"),
    ("group of a list left out", "</?Addresses>", "", EVERY, "element-unexpected"),
    ("name in other letters", "familyName>", "FAMILYNAME>", 2, "element-unexpected"),
    ("label", "<value>NO</value>", "<value>Norway</value>", FIRST, "value-not-in-code-list"),
    ("label in small letters", "<value>NO</value>", "<value>norway</value>", FIRST, "value-not-in-code-list"),
    ("code in small letters", "<value>NO</value>", "<value>no</value>", FIRST, "value-not-in-code-list"),
    ("code with blanks", "<value>NO</value>", "<value> NO\n </value>", FIRST, "value-not-in-code-list"),
    ("code without its zero", "<value>03</value>", "<value>3</value>", FIRST, "value-not-in-code-list"),
    ("code with a zero too many", "<value>03</value>", "<value>003</value>", FIRST, "value-not-in-code-list"),
    ("date with points", "1988-06-17", "17.06.1988", FIRST, "date-invalid"),
    ("date with slashes", "1988-06-17", "1988/06/17", FIRST, "date-invalid"),
    ("date of digits", "1988-06-17", "19880617", FIRST, "date-invalid"),
    ("date with short month", "1988-06-17", "1988-6-17", FIRST, "date-invalid"),
    ("date with a time", "1988-06-17", "1988-06-17T00:00:00", FIRST, "date-invalid"),
    ("date that can be read one way only", "1988-06-17", "06/17/1988", FIRST, "date-invalid"),
    ("date with blanks", "1988-06-17", " 1988-06-17 ", FIRST, "value-blanks"),
    ("child with prefix", "<(/?)familyName>", r"<\1a003:familyName>", 2, "element-namespace"),
    ("group with prefix", "<(/?)Person>", r"<\1a003:Person>", 2, "element-namespace"),
    ("everything with prefix", "<(/?)([A-Za-z]+)>", r"<\1a003:\2>", EVERY, "element-namespace"),
    ("default namespace", "a003:|:a003", "", EVERY, "element-namespace"),
    ("default namespace of a group", "<Person>", '<Person xmlns="urn:x">', FIRST, "element-namespace"),
    ("no namespace", "a003:| xmlns:a003=\\S*", "", EVERY, "not-a-sed"),
    ("namespace of something else", NAMESPACE, "urn:x", FIRST, "not-a-sed"),
    ("namespace of another SED", "4_4/A003", "4_4/A002", FIRST, "not-a-sed"),
    ("name of another SED", "a003:A003", "a003:A002", 2, "not-a-sed"),
    ("name misspelled", "a003:A003", "a003:A-003", 2, "not-a-sed"),
    ("version that nobody defines", "4_4/A003", "4_9/A003", FIRST, "sed-unknown"),
    ("version attribute", 'sedVer="4"', 'sedVer="3"', FIRST, "sed-version-mismatch"),
    ("version attribute left out", ' sedVer="4"', "", FIRST, "attribute-missing"),
    ("two elements twice", r"(<town>\S*</town>\s*<region>\S*</region>)", r"\1\1", FIRST, "element-repeated"),
    ("group twice", r"(<PlaceBirth>.*?</PlaceBirth>\s*)", r"\1\1", FIRST, "element-repeated"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "times", "code"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_mechanical_fault_is_mended(old: str, new: str, times: int, code: str) -> None:
    """The copy says what the document said before it was damaged."""
    wrong = damaged(old, new, times)
    [first] = [issue for issue in VALIDATOR.validate_bytes(wrong)[1].issues if issue.code == code][:1]
    assert first.mend is not None
    assert content_of(mend(wrong, VALIDATOR).data) == content_of(sample())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1988-06-17", "06/05/1988"),
        ("1988-06-17", "1988-02-30"),
        ("1988-06-17", "spring"),
        ("<value>02</value>", "<value>99</value>"),
        ("<dateBirth>.*?</dateBirth>", ""),
        ("<dateBirth>", "<unheardOf/><dateBirth>"),
        ("<dateBirth>", "some text<dateBirth>"),
        ("<Addresses>", "<Employer/><Addresses>"),
        (' sedVer="4"', ' sedVer="4" other=""'),
        ("<forename>", "<forename>Ada</forename><forename>"),
        ("4_4/A003(.*)<dateBirth>.*?</dateBirth>", r"4_4/A002\1"),
        ("A003 (.*)4_4/A003(.*)A003>", r"A902 \g<1>4_4/A901\2A902>"),
        ("a003:A003(.*)A003>$", r"a003:letter xmlns='urn:letter'\1letter>"),
    ],
)
def test_fault_for_a_person_is_left_alone(old: str, new: str) -> None:
    """Where there is more than one right answer nothing is guessed: the octets stay as they are."""
    wrong = damaged(old, new)
    assert mend(wrong, VALIDATOR) == mender.Mended(wrong, (), ())
    assert not any(issue.mend for issue in VALIDATOR.validate_bytes(wrong)[1].issues)


def test_valid_document_stays_as_it_is() -> None:
    """Nothing is done to what is right."""
    assert mend(sample(), VALIDATOR).data == sample()


def test_faults_of_many_kinds_are_mended_together() -> None:
    """What is hidden behind one fault is mended after it."""
    wrong = damaged(SWAPPED, r"\3\2\1")
    wrong = damaged("<value>NO</value>", "Norway", EVERY, wrong)
    wrong = damaged("1988-06-17", "17.6.1988", FIRST, wrong)
    wrong = damaged("4_4/A003", "4_9/A003", FIRST, wrong)
    mended = mend(wrong, VALIDATOR)
    assert content_of(mended.data) == content_of(sample())
    kinds = {change.code for change in mended.changes}
    assert kinds == {
        "sed-unknown",
        "element-order",
        "text-unexpected",
        "value-not-in-code-list",
        "date-invalid",
    }


def test_change_tells_what_was_done() -> None:
    """A change has the code and place of its finding, a sentence, and the fragment before and after."""
    [change] = mend(damaged("1988-06-17", "17.06.1988"), VALIDATOR).changes
    assert change.as_dict() == {
        "code": "date-invalid",
        "path": "/A003/Person/PersonIdentification/dateBirth",
        "sentence": "Write 1988-06-17.",
        "before": "<dateBirth>17.06.1988</dateBirth>",
        "after": "<dateBirth>1988-06-17</dateBirth>",
    }


def test_comments_stay_where_they_are() -> None:
    """Comments go along with the element behind them; those around the document stay around it."""
    wrong = damaged(SWAPPED, r"<!--a-->\3\2<!--b-->\1\2<!--c-->")
    wrong = damaged("<a003:A003", "<!--above--><a003:A003", FIRST, wrong) + b"<!--below-->"
    text = mend(wrong, VALIDATOR).data.decode()
    assert re.findall("<!--.*?-->", text) == [f"<!--{each}-->" for each in ("above", "b", "a", "c", "below")]
    assert re.search("<!--b--><familyName>.*<!--a--><forename>", text, re.DOTALL)


def test_copy_is_declared_as_utf_8() -> None:
    """The copy is UTF-8 whatever the document was."""
    wrong = damaged("1988-06-17", "17.06.1988").decode().replace("UTF-8", "UTF-16").encode("utf-16")
    mended = mend(wrong, VALIDATOR).data
    assert mended.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n')
    assert content_of(mended) == content_of(sample())


def test_signed_document_is_warned_about() -> None:
    """The signature stays and does not fit; the user is told."""
    signature = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/></a003:A003>'
    wrong = damaged("</a003:A003>", signature, FIRST, damaged("1988-06-17", "17.06.1988"))
    mended = mend(wrong, VALIDATOR)
    assert b"<ds:Signature" in mended.data
    assert [warning.split(":")[1] for warning in mended.warnings] == [" sign it again."]


def test_repairs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document with faults behind faults behind faults is mended in part."""
    monkeypatch.setattr(mender, "MAX_ROUNDS", 1)
    wrong = damaged("4_4/A003", "4_9/A003", FIRST, damaged("1988-06-17", "17.06.1988"))
    assert [change.code for change in mend(wrong, VALIDATOR).changes] == ["sed-unknown"]


def test_document_with_too_many_findings_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hundreds of things are wrong the user is told to look for the cause."""
    monkeypatch.setattr(mender, "MAX_FINDINGS", 2)
    wrong = damaged("<value>NO</value>", "<value>Norway</value>", 2)
    mended = mend(wrong, VALIDATOR)
    assert (mended.data, mended.changes) == (wrong, ())
    assert mended.warnings[0].endswith("look for a common cause.")


def test_more_faults_than_are_listed_are_mended() -> None:
    """A report lists a hundred findings; the mending goes on to the last."""
    address = "<Address><Address><town>Oslo</town><country><value>NO</value></country></Address><type><value>01</value></type></Address>"
    many = damaged("</Addresses>", f"{address * 150}</Addresses>")
    wrong = damaged("<value>NO</value>", "<value>Norway</value>", EVERY, many)
    assert content_of(mend(wrong, VALIDATOR).data) == content_of(many)


def test_repair_that_does_not_help_is_taken_back() -> None:
    """A group that is there already is not put around its elements a second time, when it may stand there once."""
    wrong = damaged("<PersonIdentification>", "<familyName>Ada</familyName><PersonIdentification>")
    assert mend(wrong, VALIDATOR).changes == ()


def test_default_namespace_of_an_envelope_does_not_spill() -> None:
    """In an envelope with a default namespace the envelope gets a prefix, so that the SED's elements have none."""
    envelope = b'<frame xmlns="urn:frame"><head/>' + sample().partition(b"?>")[2] + b"</frame>"
    mended = mend(envelope, VALIDATOR, lambda root: root[1]).data
    root = xmlsafe.parse(mended)
    assert [element.tag for element in (root, root[0])] == ["{urn:frame}frame", "{urn:frame}head"]
    assert content_of(xmlsafe.document_of(root[1])) == content_of(sample())
