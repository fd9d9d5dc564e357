"""The mutation kit: every deliberately wrong document of a SED, with the finding that it must cause.

One document for every requirement of the schema (``mutations``), and one for every rule, made by the failing
example of the rule file.
"""

import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.report import BUSINESS_RULE
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cdm.shape import Shapes
from eessi_sim.samples.build import Taste
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.mutations import Expected, Mutation, mutations
from eessi_sim.xmlsafe import Element

_RULE: Final = "rule"
_SHARES: Final = ((0.0, 0.0), (1.0, 0.0), None, (1.0, 1.0))
"""How much stands round the target: nothing that need not, then what the stored sample has, then the stored sample
itself, whose sums are right, then everything."""


@dataclass(frozen=True, slots=True)
class WrongDocument:
    """A document with one fault."""

    kind: str
    """``rule``, or what of the schema is broken."""
    what: str
    """What was done, as a sentence."""
    expected: Expected
    root: Element
    companions: tuple[str, ...] = ()
    """Ids of rules that cannot but be broken with it."""

    @property
    def name(self) -> str:
        """A word for a file name: the kind and the place, or the rule."""
        if self.expected.rule:
            return f"rule-{self.expected.rule}"
        leaf = self.expected.path.rpartition("/")[2].replace("[", "-").rstrip("]").replace("@", "")
        return f"{self.kind}-{leaf}"

    def data(self) -> bytes:
        """Return the file, one element on a line."""
        root = copy.deepcopy(self.root)
        etree.indent(root)
        return xmlsafe.serialize(root) + b"\n"

    def as_dict(self) -> dict[str, object]:
        """Return the row of the manifest."""
        expects = {
            key: value for key, value in dataclasses.asdict(self.expected).items() if value is not None
        }
        row: dict[str, object] = {"kind": self.kind, "what": self.what, "expects": expects}
        return row | ({"companions": list(self.companions)} if self.companions else {})


class Kit:
    """Makes the wrong documents of one SED.

    Args:
        generator: of the SED.
        seed: whose persona the documents are about.
    """

    def __init__(self, generator: Generator, seed: int) -> None:
        self._generator = generator
        self._seed = seed
        self._definition = generator.definition
        self.unreached: list[str] = []
        """What could not be broken so far, because no valid document with this place was found, or because the stored
        sample says nothing that a shared rule speaks of."""
        self._target: tuple[str, ...] | None = None
        self._bases: dict[tuple[float, float] | None, Element | None] = {}

    def documents(self, wanted: str | None = None) -> Iterator[WrongDocument]:
        """Yield the wrong documents: the schema first, by place, then the rules.

        Args:
            wanted: a kind of fault or the id of a rule; all when None.
        """
        for mutation in mutations(Shapes.of(self._definition)):
            if wanted in (None, mutation.kind) and (found := self._mutated(mutation)) is not None:
                yield found
            elif wanted in (None, mutation.kind) and not any(
                base is not None for base in self._bases.values()
            ):
                self.unreached.append(f"{mutation.kind} {_written(mutation.target)}")
        for rule in RuleSet.load(self._definition.rules).rules:
            if wanted in (None, _RULE, rule.id) and (broken := self._broken(rule)) is not None:
                yield broken
            elif wanted in (None, _RULE, rule.id):
                self.unreached.append(f"{_RULE} {rule.id}")

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of fault that the schema of the SED has room for."""
        return tuple(dict.fromkeys(each.kind for each in mutations(Shapes.of(self._definition))))

    def rules(self) -> tuple[str, ...]:
        """Return the ids of the rules of the SED."""
        return tuple(rule.id for rule in RuleSet.load(self._definition.rules).rules)

    def _mutated(self, mutation: Mutation) -> WrongDocument | None:
        """Return the smallest document with the fault, whose fault touches no rule where that can be."""
        fallback = None
        for share in _SHARES:
            base = self._base(share, mutation.target)
            if base is None:
                continue
            root = copy.deepcopy(base)
            at = _found(root, mutation.target)
            assert at is not None  # it stands in the document that was copied
            expected = mutation.change(at)
            if expected is None or self._generator.judge.fits_schema(root):
                continue
            companions = self._generator.judge.rules_broken(root)
            found = WrongDocument(mutation.kind, mutation.what, expected, root, companions)
            if not companions:
                return found
            fallback = fallback or found
        return fallback

    def _base(self, share: tuple[float, float] | None, target: tuple[str, ...]) -> Element | None:
        """Return a valid document with the target in it; made once, because most can be broken in several ways."""
        if target != self._target:
            self._target, self._bases = target, {}
        if share not in self._bases:
            root = self._whole(share, target)
            self._bases[share] = root if root is not None and _found(root, target) is not None else None
        return self._bases[share]

    def _whole(self, share: tuple[float, float] | None, target: tuple[str, ...]) -> Element | None:
        if share is None:
            return self._generator.stored
        return self._generator.attempt(self._seed, Taste(*share, target, self._generator.needed))

    def _broken(self, rule: Rule) -> WrongDocument | None:
        """Return the failing example of a rule, None when it speaks of nothing in the stored sample."""
        stored = self._generator.stored
        if stored is None or not rule.bad or not rule.bad[0].can_apply(stored):
            return None
        root = edited(stored, rule.bad)
        nodes = rule.broken_nodes(root)
        if not nodes:
            return None
        expected = Expected(BUSINESS_RULE, xmlsafe.path_of(nodes[0]), rule.id, rule.severity.value)
        others = tuple(each for each in self._generator.judge.rules_broken(root) if each != rule.id)
        return WrongDocument(_RULE, f"{rule.id} is broken: {rule.test}", expected, root, others)


def _found(root: Element, target: tuple[str, ...]) -> Element | None:
    at: Element | None = root
    for tag in target:
        at = at.find(tag) if at is not None else None
    return at


def _written(target: tuple[str, ...]) -> str:
    return "/".join(tag.rpartition("}")[2] for tag in target) or "/"
