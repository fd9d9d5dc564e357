"""Builder: writes the tree of a SED along its shape, with the stored sample as a twin to look at.

The result fits the schema as far as the shape tells it; the rules are the business of ``settle``. What stands
in a field is decided by ``content``, and which fields are written by a ``Taste``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

from lxml import etree

from eessi_sim.cdm.shape import Field, Group, Order, Place, Shape, Shapes
from eessi_sim.samples.content import Content
from eessi_sim.xmlsafe import Element

_DEEPEST: Final = 40
"""Beyond, only what the schema demands: a type may contain itself."""


@dataclass(frozen=True, slots=True)
class Taste:
    """Which of the fields that a schema leaves free are written."""

    in_sample: float
    """How often one that the stored sample has, from 0 to 1."""
    beyond: float
    """How often one that it has not."""
    target: tuple[str, ...] = ()
    """Tags of a path below the root that must be written whatever else is."""
    always: frozenset[tuple[str, ...]] = frozenset()
    """Further such paths, each with all above it."""

    def leads_to_target(self, path: tuple[str, ...]) -> bool:
        """Return whether a path is the target, or above it."""
        return bool(path) and self.target[: len(path)] == path

    def demands(self, path: tuple[str, ...]) -> bool:
        """Return whether a path must be written."""
        return self.leads_to_target(path) or path in self.always


TYPICAL: Final = Taste(0.9, 0.03)
FULL: Final = Taste(1.0, 1.0)
BARE: Final = Taste(0.0, 0.0)
LIKE_SAMPLE: Final = Taste(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where the builder is."""

    tags: tuple[str, ...] = ()
    path: str = ""
    """Names from below the root, repeated ones with their number: ``Children/Child#1``."""
    around: tuple[int, ...] = ()
    """Types of the elements around."""

    def below(self, field: Field, index: int) -> "Spot":
        """Return the place of a child."""
        name = field.name if field.maximum == 1 else f"{field.name}#{index}"
        path = f"{self.path}/{name}" if self.path else name
        return Spot((*self.tags, field.tag), path, (*self.around, field.type))


class Builder:
    """Writes documents of one SED.

    Args:
        shapes: what may stand where.
        content: what to write into the leaves.
        taste: which fields to write.
        random: where chance comes from.
        prefix: of the namespace of the root.
        stated: attributes of the root that say what the document is.
    """

    def __init__(
        self,
        shapes: Shapes,
        content: Content,
        taste: Taste,
        random: Random,
        prefix: str,
        stated: Mapping[str, str],
    ) -> None:
        self._shapes = shapes
        self._content = content
        self._taste = taste
        self._random = random
        self._prefix = prefix
        self._stated = stated

    def document(self, twin: Element | None) -> Element:
        """Return a whole document.

        Args:
            twin: the stored sample, None when there is none.
        """
        return self.element(self._shapes.root, Spot(around=(self._shapes.root.type,)), twin)

    def element(self, field: Field, spot: Spot, twin: Element | None) -> Element:
        """Return an element with everything in it.

        Args:
            field: what it is.
            spot: where it is.
            twin: its counterpart in the stored sample.
        """
        shape = self._shapes.of_field(field)
        namespace = field.tag[1:].partition("}")[0] if field.tag.startswith("{") else None
        element = etree.Element(field.tag, nsmap={self._prefix: namespace} if namespace else None)
        self._attributes(element, shape, spot, twin)
        if shape.simple is not None:
            element.text = self._content.text(shape.simple, spot.path, _text_of(twin))
        elif shape.model is not None:
            self._fill(element, shape.model, spot, twin)
        return element

    def _attributes(self, element: Element, shape: Shape, spot: Spot, twin: Element | None) -> None:
        for name, attribute in (shape.attributes or {}).items():
            stored = twin.get(name) if twin is not None else None
            if attribute.required or stored is not None:
                value = attribute.fixed or attribute.default or stored
                if value is None and not spot.path:
                    value = self._stated.get(name)
                element.set(
                    name,
                    value or self._content.text(attribute.simple, f"{spot.path}/@{attribute.name}", None),
                )

    def _fill(self, element: Element, group: Group, spot: Spot, twin: Element | None) -> None:
        times = group.minimum or int(self._wants_group(group, spot, twin))
        for _ in range(times):
            if group.order is Order.CHOICE:
                self._part(element, self._branch(group, spot, twin), spot, twin)
                continue
            for part in group.parts:
                self._part(element, part, spot, twin)

    def _part(self, element: Element, part: Group | Place, spot: Spot, twin: Element | None) -> None:
        if isinstance(part, Group):
            self._fill(element, part, spot, twin)
            return
        twins = twin.findall(part.field.tag) if twin is not None else []
        written: list[Element] = []
        for index in range(self._count(part, spot, len(twins))):
            counterpart = twins[index] if index < len(twins) else None
            new = self.element(part.field, spot.below(part.field, index), counterpart)
            if index < part.minimum or not _says_the_same(new, written):
                written.append(new)
        element.extend(written)

    def _count(self, place: Place, spot: Spot, stored: int) -> int:
        """Return how often a field is written."""
        must = place.minimum
        if self._taste.demands((*spot.tags, place.field.tag)):
            must = max(must, 1)
        inner = place.field.type in spot.around or len(spot.tags) >= _DEEPEST
        share = self._taste.in_sample if stored else 0.0 if inner else self._taste.beyond
        if self._random.random() < share:
            most = stored or 1 if place.maximum is None else min(stored or 1, place.maximum)
            return max(must, most)
        return must

    def _wants_group(self, group: Group, spot: Spot, twin: Element | None) -> bool:
        if any(self._taste.demands((*spot.tags, tag)) for tag in tags_of(group)):
            return True
        share = self._taste.in_sample if _is_in(group, twin) else self._taste.beyond
        return self._random.random() < share

    def _branch(self, group: Group, spot: Spot, twin: Element | None) -> Group | Place:
        """Return which part of a choice is written."""
        for demand in (self._taste.leads_to_target, self._taste.demands):
            for part in group.parts:
                if any(demand((*spot.tags, tag)) for tag in tags_of(part)):
                    return part
        stored = [part for part in group.parts if _is_in(part, twin)]
        if stored and self._random.random() < self._taste.in_sample:
            return stored[0]
        flat = [part for part in group.parts if not set(_types(part)) & set(spot.around)]
        return self._random.choice(flat or group.parts)


def _text_of(twin: Element | None) -> str | None:
    return twin.text if twin is not None else None


def _is_in(part: Group | Place, twin: Element | None) -> bool:
    return twin is not None and any(twin.find(tag) is not None for tag in tags_of(part))


def _fields(part: Group | Place) -> Iterable[Field]:
    if isinstance(part, Place):
        yield part.field
    else:
        for each in part.parts:
            yield from _fields(each)


def tags_of(part: Group | Place) -> list[str]:
    """Return the tags of the fields of a part of a content model."""
    return [field.tag for field in _fields(part)]


def _types(part: Group | Place) -> list[int]:
    return [field.type for field in _fields(part)]


def _says_the_same(new: Element, others: list[Element]) -> bool:
    return any(etree.tostring(new) == etree.tostring(other) for other in others)
