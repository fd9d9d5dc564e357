"""Accidents of programs that read a document into objects and write it again: other order of elements."""

from collections.abc import Callable, Iterator
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.verification.accidents.model import Candidate, Content
from eessi_sim.verification.accidents.xml_edit import canonical, edited, tree_of
from eessi_sim.xmlsafe import Element

_MOST_SWAPS: Final = 200
"""Neighbours that are swapped, each pair in turn."""


def values_sorted(content: Content) -> Iterator[Candidate]:
    """Yield the XML with repeated elements sorted by their text, both ways, and turned round."""
    yield from edited(content, _each_group(lambda group: sorted(group, key=_text)), "sorted before")
    yield from edited(
        content, _each_group(lambda group: sorted(group, key=_text, reverse=True)), "sorted downwards before"
    )
    yield from edited(content, _each_group(lambda group: group[::-1]), "in reverse order before")


def _text(element: Element) -> str:
    return "".join(str(text) for text in element.itertext())


def _each_group(arrange: Callable[[list[Element]], list[Element]]) -> Callable[[Element], None]:
    """Return an edit that arranges neighbours of one name."""

    def edit(root: Element) -> None:
        for parent in root.iter():
            _set_order(parent, [each for group in _groups(parent) for each in arrange(group)])

    return edit


def _groups(parent: Element) -> Iterator[list[Element]]:
    group: list[Element] = []
    for child in parent:
        if group and child.tag != group[0].tag:
            yield group
            group = []
        group.append(child)
    if group:
        yield group


def _set_order(parent: Element, order: list[Element]) -> None:
    """Put the children into another order; the white space behind each place stays there."""
    before = list(parent)
    if order == before:
        return
    tails = [child.tail for child in before]
    parent[:] = order
    for child, tail in zip(order, tails, strict=True):
        child.tail = tail


def names_sorted(content: Content) -> Iterator[Candidate]:
    """Yield the XML with the children of every element in the order of their names, as some JSON writers do."""
    return edited(content, _sort_names)


def _sort_names(root: Element) -> None:
    for parent in root.iter():
        _set_order(parent, sorted(parent, key=xmlsafe.local_name))


def neighbours_swapped(content: Content) -> Iterator[Candidate]:
    """Yield the XML with two neighbours in each other's place, each pair in turn."""
    root = tree_of(content.octets)
    if root is None:
        return
    swaps = 0
    for parent in list(root.iter()):
        for index in range(len(parent) - 1):
            swaps += 1
            if swaps > _MOST_SWAPS:
                return
            yield _swapped(root, parent, index)


def _swapped(root: Element, parent: Element, index: int) -> Candidate:
    before = list(parent)
    order = [*before[:index], before[index + 1], before[index], *before[index + 2 :]]
    _set_order(parent, order)
    note = f"{xmlsafe.local_name(order[index])} stood before {xmlsafe.local_name(order[index + 1])}"
    candidate = Candidate(canonical(root), f"{note} in {xmlsafe.path_of(parent)}")
    _set_order(parent, before)
    return candidate
