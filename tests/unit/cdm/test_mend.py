"""Each mechanical fault has its repair, also in documents of other people's schemas; the others have none."""

import pytest
from tests.helpers.definitions import catalogue, content_of, definition, document, odd, sample

from eessi_sim import xmlsafe
from eessi_sim.cdm.fault import Fault
from eessi_sim.cdm.mend import Place, repair_of
from eessi_sim.cdm.mender import Mended, mend
from eessi_sim.cdm.shape import Shapes
from eessi_sim.cdm.validation import Validator

VALIDATOR = Validator(catalogue())
NAMESPACE = "http://ec.europa.eu/eessi/ns/4_4/U901"


def mended(old: str, new: str) -> Mended:
    """The sample of A901, changed and mended."""
    return mend(xmlsafe.serialize(document(old, new)), VALIDATOR)


def sentences(content: str = "", attributes: str = "") -> list[str]:
    """What is done to a U901."""
    data = xmlsafe.serialize(odd(content, f'sedGVer="4" sedVer="4" {attributes}'))
    shown = [issue.mend.sentence for issue in VALIDATOR.validate_bytes(data)[1].issues if issue.mend]
    assert [change.mend.sentence for change in mend(data, VALIDATOR).changes] == shown[:1]
    return shown


@pytest.mark.parametrize(
    ("content", "attributes", "sentence"),
    [
        ("", 'issued="02.03.2026"', "Write 2026-03-02."),
        ("<colour>RED</colour>", "", "Write red."),
        ("<colour><value>red</value></colour>", "", "Take <value> away from around the value."),
        ("<year>02.03.2026</year>", "", "Write 2026."),
        ("<Town>Oslo</Town>", "", "Write the name as <town>."),
        ("<label>x</label>", "", "Put <Part> around <label>."),
        ("<Part weight='x'><label/></Part><town/>", "", "Bring the elements in <U901> into the order of the schema."),
        ('<Part><label/><x:Part xmlns:x="urn:x"><x:label/></x:Part></Part>', "", "Take the namespace off <Part>."),
    ],
)  # fmt: skip
def test_repair_is_told(content: str, attributes: str, sentence: str) -> None:
    """A fault of a foreign schema is mended in the same way."""
    assert sentences(content, attributes)[0] == sentence


@pytest.mark.parametrize(
    ("content", "attributes"),
    [
        ("", 'issued="today"'),
        ("", 'unknown="1"'),
        ("<colour><value>red</value><value>red</value></colour>", ""),
        ("<colour><value>blue</value></colour>", ""),
        ("<colour><value><value>red</value></value></colour>", ""),
        ("<number>5</number><from/><until/><from/><until/>", ""),
        ("<Extension>text</Extension>", ""),
        (
            f"<Extension><U901 xmlns='{NAMESPACE}' issued='1.1.2026'/></Extension>",
            "",
        ),
        ("<Part/><unknown/>", ""),
        ("<Part><label/></Part><town/><unknown/>", ""),
        (f"<Extension><z:U901 xmlns:z='{NAMESPACE}' issued=' 2026-01-01 '/></Extension>", ""),
        ("<until>x</until>", ""),
    ],
)
def test_doubtful_fault_has_no_repair(content: str, attributes: str) -> None:
    """A repeated group that sorting would tear apart, several readings, unknown things: nothing is proposed."""
    assert sentences(content, attributes) == []


def test_attribute_that_may_have_any_value_is_not_made_up() -> None:
    """Which date a missing attribute should have is not known."""
    fault = Fault(at=odd(), code="attribute-missing", message="", step="/@issued")
    of_u901 = definition("U901")
    assert repair_of(Place(of_u901, Shapes.of(of_u901), fault)) is None


def test_unknown_things_in_a_group_keep_their_namespace() -> None:
    """With the namespace of a group only that of elements is taken away which the schema knows."""
    part = "<z:Part><z:label>x</z:label><z:weird/></z:Part>".replace(
        "z:Part>", f"z:Part xmlns:z='{NAMESPACE}'>", 1
    )
    data = mend(xmlsafe.serialize(odd(part, 'sedGVer="4" sedVer="4"')), VALIDATOR).data
    assert [element.tag for element in xmlsafe.parse(data)[0]] == ["label", f"{{{NAMESPACE}}}weird"]


def test_copies_are_removed() -> None:
    """Of elements that say the same, one is kept."""
    address = "<Address>\n      <town>Oslo</town>\n      <country>\n        <value>NO</value>\n      </country>\n    </Address>"
    assert content_of(mended(address, address * 3).data) == content_of(sample())


def test_copies_are_kept_when_removing_them_is_not_enough() -> None:
    """Where others remain that differ, only a person knows which one is right."""
    names = "<name>Ada</name>"
    result = mended(names, f"{names}{names}<name>Eve</name>")
    assert (result.changes, result.data.count(names.encode())) == ((), 2)


def test_value_that_still_does_not_fit_is_left() -> None:
    """Blanks are not taken away from a value that is too long without them."""
    assert mended("<name>Ada</name>", f"<name> {'A' * 20} </name>").changes == ()


def test_text_beside_elements_is_left() -> None:
    """Which of them is the code, only a person knows."""
    assert mended("<nationality>", "<nationality>SE").changes == ()


def test_names_that_differ_twice_are_left() -> None:
    """Children of an unknown element are not looked at."""
    assert mended("<name>", "<x><y/></x><name>").changes == ()


def test_unknown_version_is_replaced_by_the_stated_one() -> None:
    """Of two versions that are defined, the attributes say which is meant, or the newest is taken."""
    stated = mended("4_4/A901", "4_9/A901")
    assert b"4_4/A901" in stated.data
    silent = xmlsafe.serialize(document('sedGVer="4" sedVer="4"', "")).replace(b"4_4/A901", b"4_9/A901")
    assert b"4_4/A901" in mend(silent, VALIDATOR).data
    other = xmlsafe.serialize(document('sedVer="4"', 'sedVer="2"')).replace(b"4_4/A901", b"4_9/A901")
    assert b"4_2/A901" in mend(other, VALIDATOR).data


def test_repair_that_does_not_help_is_taken_back() -> None:
    """A value that does not fit without its blanks either stays as it was."""
    data = xmlsafe.serialize(odd(attributes='sedGVer="4" sedVer="4" pattern=" ? "'))
    [issue] = VALIDATOR.validate_bytes(data)[1].issues
    assert issue.mend is not None
    assert mend(data, VALIDATOR) == Mended(data, (), ())
