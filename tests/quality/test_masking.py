"""No field of any SED lets a person through: whatever is written into a masked document, only few fields show it."""

from eessi_sim import xmlsafe
from eessi_sim.casefile.masking import MASKED, Fields, mask
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.xmlsafe import Element

SAMPLES = [each.sample for each in Catalogue.default().definitions() if each.sample is not None]
NAME = "Kari Nordmann"
NUMBER = "88061799008"
DATE = "1980-03-02"


def showing(text: str) -> set[str]:
    """The paths that show a text when it is written into every field of every SED."""
    found: set[str] = set()
    for sample in SAMPLES:
        root = xmlsafe.parse(sample.read_bytes())
        for leaf in leaves(root):
            leaf.text = text
        masked = mask(root, Fields.default(), lambda: "salt")
        found |= {xmlsafe.path_of(leaf) for leaf in leaves(masked.root) if leaf.text == text}
    return found


def leaves(root: Element) -> list[Element]:
    return [element for element in root.iter() if not len(element) and (element.text or "").strip()]


def last_names(paths: set[str]) -> set[str]:
    return {path.rpartition("/")[2].partition("[")[0] for path in paths}


def test_a_name_is_shown_nowhere_but_as_name_of_an_institution() -> None:
    """A name, a street, a free text: every field hides it, those that nobody thought of too."""
    assert last_names(showing(NAME)) == {"institutionName"}


def test_a_personal_number_is_shown_nowhere() -> None:
    """Neither codes nor amounts have the form of one."""
    assert showing(NUMBER) == set()


def test_a_date_is_shown_unless_it_is_one_of_a_life() -> None:
    """Dates of periods and decisions stay, those of birth, marriage and death do not."""
    names = last_names(showing(DATE))
    assert {"startDate", "endDate"} <= names
    life = ("birth", "death", "marriage", "familystatus", "livedtogether", "livingapart")
    assert [name for name in names if any(word in name.lower() for word in life)] == []


def test_a_masked_sample_still_tells_something() -> None:
    """Each field is hidden or stays as it is; over all SEDs a third of them stays at least."""
    before: list[str | None] = []
    after: list[str | None] = []
    for sample in SAMPLES:
        root = xmlsafe.parse(sample.read_bytes())
        before += [leaf.text for leaf in leaves(root)]
        after += [leaf.text for leaf in leaves(mask(root, Fields.default(), lambda: "salt").root)]
    assert all(new == old or MASKED.fullmatch(new or "") for old, new in zip(before, after, strict=True))
    assert sum(new == old for old, new in zip(before, after, strict=True)) > len(before) / 3
