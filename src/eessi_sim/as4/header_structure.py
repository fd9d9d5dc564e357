"""Strict reading of ebMS elements: which children, how often, in which order; leaves; faults.

Follows the schema of ebMS3 core appendix A (documented). What the elements mean is the business of
``message_units``.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.xmlsafe import Element, path_of, text_of

_EB: Final = f"{{{vocabulary.EB}}}"
MANY: Final = 10_000
"""No bound of its own: the size of the envelope bounds it."""


class Slot(NamedTuple):
    """A child element and how often it may occur."""

    name: str
    least: int = 1
    most: int = 1
    excess: EbmsErrorCode = EbmsErrorCode.INVALID_HEADER
    """Code when it occurs more often."""


def read_children(element: Element, *slots: Slot, is_open: bool = False) -> Mapping[str, tuple[Element, ...]]:
    """Return the children by name when they are what ``slots`` say, in that order.

    Args:
        element: the parent.
        slots: what may stand in it.
        is_open: children of other namespaces may stand anywhere in it; they are left aside.

    Raises:
        EbmsFault: 0009, or the code of the slot that is overfull.
    """
    found: dict[str, list[Element]] = {slot.name: [] for slot in slots}
    order = list(found)
    position = 0
    for child in element:
        tag: str = child.tag
        is_ebms, name = tag.startswith(_EB), tag.removeprefix(_EB)
        if is_open and not is_ebms:
            continue
        if not is_ebms or name not in order[position:]:
            raise invalid(f"Expected {' or '.join(order[position:])} at {path_of(child)}, found {tag}")
        position = order.index(name)
        found[name].append(child)
    for slot in slots:
        _check_number(element, slot, len(found[slot.name]))
    return {name: tuple(children) for name, children in found.items()}


def _check_number(element: Element, slot: Slot, number: int) -> None:
    if number < slot.least:
        raise invalid(f"Expected {slot.name} in {path_of(element)}, found none")
    if number > slot.most:
        raise EbmsFault(
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
