"""RuleSet: what the schema of a SED cannot say, as XPath 1.0 tests in ``<SED>.rules.yaml``.

A rule runs once for every node that its context finds; its test must be true there. Expressions are compiled
once per file. The functions that they may call live in ``functions``, the edits of their examples in
``examples``; nothing about a particular SED lives in Python.
"""

import copy
import dataclasses
import functools
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.examples import Edit
from eessi_sim.cdm.report import BUSINESS_RULE, Issue, Severity, line_of
from eessi_sim.cdm.xpath import Path, compiled
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.xmlsafe import Element

_HERE: Final = "."
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_SHOWN: Final = 60
"""How much of a value a message repeats."""
MAX_ISSUES: Final = 100
"""How many findings of the rules a report lists; more help nobody (our choice, inferred)."""
_GRAVITY: Final = {severity: place for place, severity in enumerate(Severity)}
"""The gravest first."""
_CONFIDENCES: Final = ("documented", "observed", "inferred")


class Message:
    """A sentence with XPaths in braces, filled from the node at fault.

    Args:
        node: the sentence in its file.

    Raises:
        DefinitionError: one of the expressions is no XPath.
    """

    __slots__ = ("_expressions", "template")

    def __init__(self, node: Node) -> None:
        self.template = node.text()
        self._expressions = {
            text: compiled(node, f"string({text})") for text in _PLACEHOLDER.findall(self.template)
        }

    def fill(self, element: Element) -> str:
        """Return the sentence for one node."""
        return _PLACEHOLDER.sub(lambda match: self._value(match.group(1), element), self.template)

    def _value(self, expression: str, element: Element) -> str:
        text = " ".join(str(self._expressions[expression](element)).split())
        return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a file."""

    id: str
    severity: Severity
    context: Path
    """Where it runs."""
    test: str
    """What must be true there."""
    broken: etree.XPath
    """Finds the nodes of the context where the test is false; one evaluation instead of one per node."""
    message: Message
    hint: str | None
    source: str
    confidence: str
    good: tuple[Edit, ...]
    """Makes of the sample a document that keeps the rule."""
    bad: tuple[Edit, ...]
    """Makes of the sample a document that breaks the rule."""

    def nodes(self, root: Element) -> list[Element]:
        """Return the nodes that the rule speaks about."""
        return self.context.elements(root)

    def issues(self, root: Element) -> list[Issue]:
        """Return one finding for every node that breaks the rule."""
        return [self.issue(node) for node in self.broken_nodes(root)]

    def broken_nodes(self, root: Element) -> list[Element]:
        """Return the nodes that break the rule."""
        found = self.broken(root)
        assert isinstance(found, list)  # a path with a predicate yields nodes
        return [node for node in found if isinstance(node, Element)]

    def issue(self, node: Element) -> Issue:
        """Return the finding about a node that breaks the rule."""
        return Issue(
            severity=self.severity,
            code=BUSINESS_RULE,
            path=xmlsafe.path_of(node),
            message=self.message.fill(node),
            line=line_of(node),
            hint=self.hint,
            rule=self.id,
            source=self.source,
            confidence=self.confidence,
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one SED: its own and those that its file includes."""

    own: tuple[Rule, ...] = ()
    included: tuple[Rule, ...] = ()
    """Rules that several SEDs share; one whose context a SED does not have is silent there."""
    any_broken: etree.XPath | None = None
    """Finds the nodes that break any rule. Most documents break none, and one evaluation costs far less than many."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, the included ones first."""
        return self.included + self.own

    @classmethod
    def load(cls, path: FilePath | None) -> "RuleSet":
        """Return the rules of a file; read once per process. No file, no rules.

        Raises:
            DefinitionError: the file is wrong; names file, line and key.
        """
        return _load(path) if path is not None else cls()

    def check(self, element: Element, disabled: AbstractSet[str] = frozenset()) -> tuple[Issue, ...]:
        """Return what the rules find in a SED, at most ``MAX_ISSUES`` findings; see ``findings``."""
        return self.findings(element, disabled)[0]

    def findings(
        self, element: Element, disabled: AbstractSet[str] = frozenset(), max_issues: int = MAX_ISSUES
    ) -> tuple[tuple[Issue, ...], int]:
        """Return what the rules find in a SED, and how many more findings there are.

        Args:
            element: the SED; it need not be valid by its schema.
            disabled: ids of rules to leave out.
            max_issues: how many findings to list; the others are only counted.
        """
        # A rule may say "//": inside an envelope that would look outside the SED.
        root = element if element.getparent() is None else copy.deepcopy(element)
        if self.any_broken is None or not self.any_broken(root):
            return (), 0
        broken = [
            (rule, node) for rule in self.rules if rule.id not in disabled for node in rule.broken_nodes(root)
        ]
        if len(broken) > max_issues:
            # The verdict is read off the list: no error may be left out in favour of a warning.
            broken.sort(key=lambda pair: _GRAVITY[pair[0].severity])
        issues = tuple(rule.issue(node) for rule, node in broken[:max_issues])
        return issues, len(broken) - len(issues)


@functools.cache
def _load(path: FilePath) -> RuleSet:
    fields = load_yaml(path).mapping(required={"sed", "rules"}, allowed={"include", "except"})
    sets = fields.each("include", lambda node: _included(node, path))
    included = tuple(rule for one in sets for rule in one.rules)
    left_out = fields.each("except", lambda node: node.one_of([rule.id for rule in included]))
    included = tuple(rule for rule in included if rule.id not in left_out)
    rules = _set(fields["rules"], fields.each("rules", _rule), included)
    seen: set[str] = set()
    for rule in rules.rules:
        if rule.id in seen:
            raise fields["rules"].error(f'Expected every rule id once, found "{rule.id}" again')
        seen.add(rule.id)
    return rules


def _set(node: Node, own: tuple[Rule, ...], included: tuple[Rule, ...]) -> RuleSet:
    if not own and not included:
        return RuleSet()
    union = " | ".join(_broken(rule.context.text, rule.test) for rule in included + own)
    return RuleSet(own, included, compiled(node, union))


def _broken(context: str, test: str) -> str:
    """Return the expression for the nodes of the context where the test is false."""
    return f"({context})[not({test})]"


def _included(node: Node, path: FilePath) -> RuleSet:
    """Return the rules of ``<name>.rules.yaml`` beside the file or one folder up; the name may be a path."""
    name = f"{node.text()}.rules.yaml"
    for folder in (path.parent, path.parent.parent):
        if (folder / name).is_file():
            return _load(folder / name)
    raise node.error(f'Expected the file "{name}" beside this one or one folder up, found none')


def _rule(node: Node) -> Rule:
    fields = node.mapping(
        required={"id", "test", "message", "source", "confidence", "examples"},
        allowed={"severity", "context", "hint"},
    )
    examples = fields["examples"].mapping(required={"good", "bad"}, allowed=())
    test = fields["test"]
    compiled(test, test.text())
    context = fields.read("context", Path, None) or Path(dataclasses.replace(node, value=_HERE))
    return Rule(
        id=fields.read("id", Node.text),
        severity=fields.read("severity", lambda value: value.member(Severity), Severity.ERROR),
        context=context,
        test=test.text(),
        broken=compiled(test, _broken(context.text, test.text())),
        message=fields.read("message", Message),
        hint=fields.read("hint", Node.text, None),
        source=fields.read("source", Node.text),
        confidence=fields.read("confidence", lambda value: value.one_of(_CONFIDENCES)),
        good=examples.each("good", Edit.read),
        bad=examples.each("bad", Edit.read),
    )
