"""Masking: what is hidden is bound by a salted hash and can be shown again; what stays is what the data file names."""

from itertools import count
from pathlib import Path

import pytest
from tests.helpers import evidence

from eessi_sim import xmlsafe
from eessi_sim.casefile.masking import (
    BLOCKS,
    MASKED,
    Fields,
    MaskedDocument,
    Opening,
    commitment,
    is_masked,
    mask,
    unmask,
)
from eessi_sim.errors import DefinitionError
from eessi_sim.xmlsafe import Element

FIELDS = Fields.default()


def masked(text: str) -> MaskedDocument:
    """A document without persons, with salts that can be foretold."""
    numbers = count(1)
    return mask(xmlsafe.parse(text.encode()), FIELDS, lambda: f"salt-{next(numbers)}")


def shown(root: Element) -> list[str]:
    """Every text of a document."""
    return [text for element in root.iter() for text in (element.text, element.tail) if text and text.strip()]


def test_a_hidden_text_shows_blocks_and_its_commitment() -> None:
    """The text is gone, the hash of salt, place and text stands there."""
    found = masked("<A003><name>Kari</name></A003>")
    assert shown(found.root) == [f"{BLOCKS} {commitment('salt-1', '/A003/name', 'Kari')}"]
    assert found.openings == (Opening("/A003/name", "salt-1", "Kari"),)


def test_the_same_text_never_looks_the_same() -> None:
    """Salt and place differ, so that equal names cannot be recognised."""
    first, second = shown(masked("<A003><name>Kari</name><name>Kari</name></A003>").root)
    assert first != second


@pytest.mark.parametrize(
    ("xml", "is_shown"),
    [
        ("<country><value>NO</value></country>", True),
        ("<startDate>2026-03-02</startDate>", True),
        ("<amount>12.50</amount>", True),
        ("<Institution><institutionID>NO:NAVAT07</institutionID></Institution>", True),
        ("<dateBirth>1980-03-02</dateBirth>", False),
        ("<sex><value>01</value></sex>", False),
        ("<Birth><country><value>NO</value></country></Birth>", False),
        ("<startDate>on the birthday of Kari</startDate>", False),
        ("<anythingNew>Kari</anythingNew>", False),
        ("<institutionID>Kari Nordmann</institutionID>", False),
    ],
)
def test_only_what_the_file_names_is_shown(xml: str, is_shown: bool) -> None:
    """Place and text must both fit; hide wins; what nobody thought of is hidden."""
    assert is_masked(masked(f"<A003>{xml}</A003>").root) is not is_shown


def test_text_where_none_belongs_is_hidden() -> None:
    """Text of the root and behind elements is hidden too."""
    found = masked("<A003>Kari<a><startDate>2026-03-02</startDate>Ola</a></A003>")
    assert all(MASKED.fullmatch(text) or text == "2026-03-02" for text in shown(found.root))
    assert [opening.value for opening in found.openings] == ["Kari", "Ola"]


def test_the_digests_of_a_seal_are_hidden() -> None:
    """Whoever knows all but one name could try names against the digest of the seal."""
    sealed = xmlsafe.parse(evidence.sealed())
    found = mask(sealed, FIELDS, lambda: "salt")
    texts = shown(found.root)
    digests = [
        element.text
        for element in sealed.iter()
        if xmlsafe.local_name(element) == "SignatureValue"
        or xmlsafe.path_of(element).endswith(("/Reference[1]/DigestValue", "/Reference[2]/DigestValue"))
    ]
    assert len(digests) == 3
    assert not set(digests) & set(texts)


def test_a_document_that_names_nobody_stays_as_it_is() -> None:
    """Its seal stays whole."""
    found = masked("<A003><startDate>2026-03-02</startDate></A003>")
    assert (found.openings, is_masked(found.root)) == ((), False)


def test_openings_bring_the_document_back() -> None:
    """With all openings the document is what was signed, octet by octet."""
    sealed = xmlsafe.parse(evidence.sealed())
    found = mask(sealed, FIELDS, lambda: "salt")
    root, wrong = unmask(found.root, {opening.path: opening for opening in found.openings})
    assert xmlsafe.document_of(root) == xmlsafe.document_of(sealed)
    assert wrong == ()


def test_a_single_opening_shows_a_single_field() -> None:
    """What has no opening stays hidden."""
    found = masked("<A003><a>Kari</a><b>Ola</b></A003>")
    root, _ = unmask(found.root, {"/A003/a": found.openings[0]})
    assert shown(root) == ["Kari", f"{BLOCKS} {found.openings[1].commitment}"]


def test_an_opening_with_another_text_is_named() -> None:
    """Nobody can say later that something else was hidden."""
    found = masked("<A003><a>Kari</a></A003>")
    _, wrong = unmask(found.root, {"/A003/a": Opening("/A003/a", "salt-1", "Ola")})
    assert wrong == ("/A003/a",)


def test_an_opening_of_what_is_not_hidden_changes_nothing() -> None:
    """A text that is shown is not replaced."""
    root, _ = unmask(xmlsafe.parse(b"<A003><a>Ola</a></A003>"), {"/A003/a": Opening("/A003/a", "", "Kari")})
    assert shown(root) == ["Ola"]


def test_a_pattern_that_is_none_is_told(tmp_path: Path) -> None:
    """The file and the line are named."""
    path = tmp_path / "fields.yaml"
    path.write_text("hide: ['(']\nkeep: []\n")
    with pytest.raises(DefinitionError, match="Expected a pattern"):
        Fields.load(path)
