"""Settle: changes a generated document until it keeps the rules.

What breaks a rule is written anew, then taken from the stored sample, then left out; each step must keep the
schema. All of it is bounded.
"""

import copy
import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.shape import Shapes, Simple
from eessi_sim.xmlsafe import Element

_ROUNDS: Final = 12
_MOST_LEAVES: Final = 10
_MOST_CODES: Final = 24
"""Lists of States and currencies decide nothing about their neighbours."""

Rebuild = Callable[[Element], Element]
"""Returns another element for the same place."""


class Judge:
    """Says whether a document is right: by its schema and by every rule, warnings included.

    Args:
        schema: of the SED.
        rules: of the SED.
        shapes: of the SED.
    """

    def __init__(self, schema: CompiledSchema, rules: RuleSet, shapes: Shapes) -> None:
        self._schema = schema
        self._shapes = shapes
        self._rules = rules

    def is_right(self, root: Element) -> bool:
        """Return whether nothing is wrong with a document."""
        return self._schema.verdict(root) and not self.broken(root)

    def codes_of(self, leaf: Element) -> Sequence[str]:
        """Return the codes that a leaf may have; none when it has no code list, or a very long one."""
        simple = leaf_type(self._shapes, leaf)
        codes = simple.code_list if simple is not None else None
        if codes is None or len(codes.values) > _MOST_CODES:
            return ()
        return [code.code for code in codes.values]

    def fits_schema(self, root: Element) -> bool:
        """Return whether a document fits its schema."""
        return self._schema.verdict(root)

    def rules_broken(self, root: Element) -> tuple[str, ...]:
        """Return the ids of the rules that a document breaks."""
        if self._rules.any_broken is None or not self._rules.any_broken(root):
            return ()
        return tuple(rule.id for rule in self._rules.rules if rule.broken_nodes(root))

    def broken(self, root: Element) -> list[Element]:
        """Return the outermost nodes that break a rule."""
        found = self._rules.any_broken(root) if self._rules.any_broken is not None else []
        assert isinstance(found, list)  # a union of paths yields nodes
        nodes = {id(node): node for node in found if isinstance(node, Element)}
        return [
            node for node in nodes.values() if not any(id(each) in nodes for each in node.iterancestors())
        ]

    def rules_against(self, root: Element) -> Callable[[], frozenset[tuple[str, Element]]]:
        """Return a question: which nodes break one of the rules that the document breaks now.

        It asks the few rules that are broken and not all of them, which costs a fraction, and can be asked again
        after each change of a text.
        """
        rules = [rule for rule in self._rules.rules if rule.broken_nodes(root)]
        return lambda: frozenset((rule.id, node) for rule in rules for node in rule.broken_nodes(root))


def settle(root: Element, judge: Judge, rebuilds: Sequence[Rebuild], stored: Element | None) -> bool:
    """Change a document until nothing is wrong with it; return whether that was possible.

    Args:
        root: the document; fits its schema.
        judge: says what is wrong.
        rebuilds: ways to write an element anew, to be tried one after the other.
        stored: the stored sample.
    """
    if not judge.fits_schema(root):
        return False
    tries: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        broken = judge.broken(root)
        if not broken:
            return True
        for node in broken:
            if node is not root and root not in node.iterancestors():
                continue  # left out with something around it
            path = xmlsafe.path_of(node)
            tries[path] += 1
            if node is root:
                if tries[path] > 1 or not _recoded(root, node, judge):
                    return False
            elif not _change(root, node, tries[path], judge, rebuilds, stored):
                return False
    return not judge.broken(root)


def _change(
    root: Element,
    node: Element,
    attempt: int,
    judge: Judge,
    rebuilds: Sequence[Rebuild],
    stored: Element | None,
) -> bool:
    """Change a node by the first means left that keeps the schema."""
    means = list(_means(node, rebuilds, stored))
    if attempt == len(rebuilds) + 1 and _recoded(root, node, judge):
        return True
    for replacement in means[attempt - 1 :]:
        if _replaced(root, node, replacement(), judge):
            return True
    return any(_replaced(root, ancestor, None, judge) for ancestor in _ancestors(node))


def _means(
    node: Element, rebuilds: Sequence[Rebuild], stored: Element | None
) -> Iterator[Callable[[], Element | None]]:
    """Yield what to try, the mildest first; a means that returns None leaves the node out."""
    twin = twin_of(node, stored)
    for rebuild in rebuilds:
        yield functools.partial(rebuild, node)
    if twin is not None:
        yield lambda: copy.deepcopy(twin)
    yield lambda: None


def _recoded(root: Element, node: Element, judge: Judge) -> bool:
    """Give a leaf in or near a node another code, if then less is broken: a text may want the code for other."""
    broken = len(judge.broken(root))
    breaking = judge.rules_against(root)
    first = breaking()
    for leaf in _leaves_near(node):
        before = leaf.text
        for code in judge.codes_of(leaf):
            leaf.text = code
            if not first <= breaking() and judge.fits_schema(root) and len(judge.broken(root)) < broken:
                return True
        leaf.text = before
    return False


def _leaves_near(node: Element) -> list[Element]:
    """Return the leaves in a node, then those beside it and beside what is around it."""
    rings = [node, *(each for each in node.iterancestors() if each.getparent() is not None)]
    leaves = [leaf for leaf in node.iterdescendants() if not len(leaf)]
    for ring in rings:
        for sibling in [*ring.itersiblings(preceding=True), *ring.itersiblings()]:
            leaves += [
                leaf
                for leaf in (sibling, *sibling, *(each for child in sibling for each in child))
                if not len(leaf)
            ]
    return leaves[:_MOST_LEAVES]


def leaf_type(shapes: Shapes, leaf: Element) -> Simple | None:
    """Return the type of a leaf, None where the schema is silent."""
    line = [leaf, *leaf.iterancestors()][-2::-1]
    fields = shapes.chain([str(each.tag) for each in line])
    return shapes.of_field(fields[-1]).simple if len(fields) == len(line) + 1 else None


def _ancestors(node: Element) -> list[Element]:
    return [each for each in node.iterancestors() if each.getparent() is not None]


def _replaced(root: Element, node: Element, new: Element | None, judge: Judge) -> bool:
    """Replace a node if the document still fits its schema afterwards."""
    parent = node.getparent()
    if parent is None:
        return False
    index = parent.index(node)
    if new is None:
        del parent[index]
    else:
        parent[index] = new
    if judge.fits_schema(root):
        return True
    if new is None:
        parent.insert(index, node)
    else:
        parent[index] = node
    return False


def twin_of(node: Element, stored: Element | None) -> Element | None:
    """Return the counterpart of a node in the stored sample: the same path, the same number or the last."""
    line = [node, *node.iterancestors()][-2::-1]
    twin = stored
    for each in line:
        found = twin.findall(each.tag) if twin is not None else []
        place = sum(1 for _ in each.itersiblings(each.tag, preceding=True))
        twin = found[min(place, len(found) - 1)] if found else None
    return twin


def prune(root: Element, judge: Judge) -> None:
    """Leave out everything that may be left out, the largest pieces first."""
    for element in list(root.iterdescendants(etree.Element)):
        parent = element.getparent()
        if parent is None or not any(each is root for each in element.iterancestors()):
            continue
        index = parent.index(element)
        del parent[index]
        if not judge.is_right(root):
            parent.insert(index, element)
