"""Strict reading of ebMS elements: which children, how often, in which order; leaves; faults.

Follows the schema of ebMS3 core appendix A (documented). What the elements mean is the business of
``message_units``.
"""

from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.xmlsafe import Element, path_of, text_of

_EB: Final = f"{{{vocabulary.EB}}}"
MANY: Final = 10_000
"""No bound of its own: the size of the envelope bounds it."""

_USUAL_CHILDREN: Final = 32
_MOST_SHAPES: Final = 64
"""Sequences of children that a content model remembers, and how long they are at most."""


class Slot(NamedTuple):
    """A child element and how often it may occur."""

    name: str
    least: int = 1
    most: int = 1
    excess: EbmsErrorCode = EbmsErrorCode.INVALID_HEADER
    """Code when it occurs more often."""


class ContentModel:
    """Which children an element has, in which order and how often; made once, asked for every message.

    Args:
        slots: what may stand in it.
        is_open: children of other namespaces may stand anywhere in it; they are left aside.
    """

    __slots__ = ("_is_open", "_places", "_shapes", "_slots")

    def __init__(self, *slots: Slot, is_open: bool = False) -> None:
        self._slots = slots
        self._is_open = is_open
        self._places = {_EB + slot.name: place for place, slot in enumerate(slots)}
        self._shapes: dict[tuple[str, ...], tuple[slice, ...]] = {}

    def read(self, element: Element) -> list[list[Element]]:
        """Return the children of ``element``, one list for each slot.

        Raises:
            EbmsFault: 0009, or the code of the slot that is overfull.
        """
        children = list(element)
        tags = tuple([child.tag for child in children])
        shape = self._shapes.get(tags)
        if shape is not None:
            return [children[part] for part in shape]
        found = self._sorted(element, children)
        if len(tags) <= _USUAL_CHILDREN and sum(map(len, found)) == len(children):
            self._remember(tags, found)
        return found

    def _sorted(self, element: Element, children: list[Element]) -> list[list[Element]]:
        found: list[list[Element]] = [[] for _ in self._slots]
        position = 0
        for child in children:
            place = self._places.get(child.tag, -1)
            if place < position:
                if self._is_open and not child.tag.startswith(_EB):
                    continue
                raise self._unexpected(child, position)
            position = place
            found[place].append(child)
        for slot, those in zip(self._slots, found, strict=True):
            if not slot.least <= len(those) <= slot.most:
                raise _wrong_number(element, slot, len(those))
        return found

    def _remember(self, tags: tuple[str, ...], found: list[list[Element]]) -> None:
        """Keep which children of a sequence that was found good belong to which slot; few sequences are in use."""
        if len(self._shapes) == _MOST_SHAPES:
            self._shapes.clear()
        ends = list(accumulate(map(len, found)))
        self._shapes[tags] = tuple(slice(start, end) for start, end in pairwise([0, *ends]))

    def _unexpected(self, child: Element, position: int) -> EbmsFault:
        names = " or ".join(slot.name for slot in self._slots[position:])
        return invalid(f"Expected {names} at {path_of(child)}, found {child.tag}")


def _wrong_number(element: Element, slot: Slot, number: int) -> EbmsFault:
    if number < slot.least:
        return invalid(f"Expected {slot.name} in {path_of(element)}, found none")
    return EbmsFault(
        slot.excess, f"Expected at most {slot.most} {slot.name} in {path_of(element)}, found {number}"
    )


def read_leaf(element: Element) -> str:
    """Return the text of ``element``, which must have some and no children.

    Raises:
        EbmsFault: 0009.
    """
    text = text_of(element)
    if len(element) or not text:
        raise invalid(f"Expected text at {path_of(element)}, found {'elements' if len(element) else 'none'}")
    return text


def read_attribute(element: Element, name: str) -> str:
    """Return an attribute that must be there and not be empty.

    Raises:
        EbmsFault: 0009.
    """
    value = element.get(name)
    if not value:
        raise invalid(f"Expected an attribute {name} at {path_of(element)}, found none")
    return value


def invalid(message: str, hint: str | None = None) -> EbmsFault:
    """Return the fault for a header that is not as the ebMS schema wants it: 0009 InvalidHeader."""
    return EbmsFault(EbmsErrorCode.INVALID_HEADER, message, hint=hint)
