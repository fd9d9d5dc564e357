"""Generator: a valid document of any SED for a seed.

The same seed gives the same document, and the same persona in every SED. Chance never comes from the clock.
"""

import copy
import dataclasses
import functools
from random import Random
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.mend_root import VERSION_ATTRIBUTES
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.shape import Shapes
from eessi_sim.errors import SedError
from eessi_sim.samples.build import BARE, LIKE_SAMPLE, TYPICAL, Builder, Spot, Taste
from eessi_sim.samples.content import Content
from eessi_sim.samples.guide import Guide
from eessi_sim.samples.people import People, Persona
from eessi_sim.samples.settle import Judge, prune, settle, twin_of
from eessi_sim.xmlsafe import Element

_ATTEMPTS: Final = 6
_MOST_PERSONAS: Final = 1000
"""Kept in memory; to draw one takes as long as to write a document about it."""


class Generator:
    """Writes valid documents of one SED.

    Args:
        definition: the SED.
        guide: which field says what of the persona.
    """

    def __init__(self, definition: SedDefinition, guide: Guide | None = None) -> None:
        self.definition = definition
        self.people = People.default()
        self._guide = guide or Guide.default()
        self._shapes = Shapes.of(definition)
        version = definition.version
        self._stated = dict(zip(VERSION_ATTRIBUTES, (version.major, version.minor), strict=True))
        self.judge = Judge(CompiledSchema.of(definition), RuleSet.load(definition.rules), self._shapes)

    @functools.cached_property
    def stored(self) -> Element | None:
        """The stored sample without white space between elements; None when there is none."""
        sample = self.definition.sample
        if sample is None:
            return None
        root = xmlsafe.parse(sample.read_bytes())
        _strip(root)
        return root

    def persona(self, seed: int) -> Persona:
        """Return who the documents of a seed are about; the same object for all SEDs."""
        return _persona(seed)

    def document(self, seed: int, taste: Taste = TYPICAL, persona: Persona | None = None) -> Element:
        """Return a valid document.

        Args:
            seed: the same one gives the same document.
            taste: which of the free fields to write.
            persona: who it is about; that of the seed when None.

        Raises:
            SedError: no way was found to keep schema and rules; there is no stored sample either.
        """
        who, random = persona or self.persona(seed), Random(f"{seed}/{self.definition.type}")  # noqa: S311
        for wanted in (*[taste] * _ATTEMPTS, LIKE_SAMPLE, LIKE_SAMPLE, BARE):
            root = self._attempt(who, wanted, random)
            if root is not None:
                return root
        if self.stored is None or not self.judge.is_right(self.stored):
            raise SedError(
                f"Expected a way to write a valid {self.definition.type}, found none",
                hint="Put a sample beside the schema, or look whether a rule contradicts the schema.",
            )
        return copy.deepcopy(self.stored)

    @functools.cached_property
    def needed(self) -> frozenset[tuple[str, ...]]:
        """Tags of the paths below the root that a valid document cannot do without."""
        root = self.document(0, BARE)
        prune(root, self.judge)
        return frozenset(
            tuple(str(each.tag) for each in (element, *element.iterancestors()))[-2::-1]
            for element in root.iterdescendants()
        )

    def attempt(self, seed: int, taste: Taste) -> Element | None:
        """Return a valid document of one taste, None when the first attempt fails.

        Args:
            seed: the same one gives the same document.
            taste: which of the free fields to write.
        """
        random = Random(f"{seed}/{self.definition.type}/{taste.target}")  # noqa: S311
        return self._attempt(self.persona(seed), taste, random)

    def _attempt(self, persona: Persona, taste: Taste, random: Random) -> Element | None:
        content = Content(persona, self.people, self._guide, random)

        def builder(taste: Taste) -> Builder:
            return Builder(self._shapes, content, taste, random, self.definition.type.lower(), self._stated)

        own = builder(taste)
        like_sample = builder(dataclasses.replace(taste, in_sample=1.0, beyond=0.0))
        root = own.document(self.stored)
        rebuilds = [functools.partial(self._rebuilt, own), functools.partial(self._rebuilt, like_sample)]
        return root if settle(root, self.judge, rebuilds, self.stored) else None

    def _rebuilt(self, builder: Builder, node: Element) -> Element:
        line = [node, *node.iterancestors()][-2::-1]
        fields = self._shapes.chain([each.tag for each in line])
        spot = Spot(around=(self._shapes.root.type,))
        for field, each in zip(fields[1:], line, strict=True):
            spot = spot.below(field, sum(1 for _ in each.itersiblings(each.tag, preceding=True)))
        return builder.element(fields[-1], spot, twin_of(node, self.stored))


@functools.lru_cache(maxsize=_MOST_PERSONAS)
def _persona(seed: int) -> Persona:
    return People.default().persona(Random(seed))  # noqa: S311


def _strip(root: Element) -> None:
    for element in root.iter():
        if len(element) and not (element.text or "").strip():
            element.text = None
        element.tail = None
