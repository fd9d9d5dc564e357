"""Content models: the same answer whether a sequence of children is met first or again."""

import pytest

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.header_structure import MANY, ContentModel, Slot
from eessi_sim.xmlsafe import local_name, parse


def found(model: ContentModel, *names: str) -> list[list[str]]:
    """Return the names in each slot."""
    children = "".join(f"<{name}/>" for name in names)
    element = parse(f'<eb:x xmlns:eb="{vocabulary.EB}" xmlns:o="urn:o">{children}</eb:x>'.encode())
    return [[local_name(child) for child in slot] for slot in model.read(element)]


def test_sequence_met_again_is_read_alike() -> None:
    """What is remembered of a sequence is no more than its order; a wrong one is refused each time."""
    model = ContentModel(Slot("a"), Slot("b", 0, MANY), Slot("c", 0), is_open=True)
    for _ in range(2):
        assert found(model, "eb:a", "eb:b", "eb:b") == [["a"], ["b", "b"], []]
        assert found(model, "o:b", "eb:a", "o:a", "eb:c") == [["a"], [], ["c"]]
        with pytest.raises(EbmsFault, match="Expected a in"):
            found(model, "eb:c")
        with pytest.raises(EbmsFault, match="Expected b or c at"):
            found(model, "eb:a", "eb:b", "eb:a")


def test_memory_of_sequences_is_bounded() -> None:
    """A sender with ever new sequences fills no memory."""
    model = ContentModel(Slot("a", 0, MANY), Slot("b", 0, MANY))
    for number in range(40):
        assert found(model, *["eb:a"] * number) == [["a"] * number, []]
        assert found(model, *["eb:a"] * number, "eb:b", "eb:b") == [["a"] * number, ["b", "b"]]
        assert found(model, *["eb:a"] * number, "eb:b") == [["a"] * number, ["b"]]
    assert len(model._shapes) <= 64
