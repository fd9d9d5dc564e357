"""Mends a whole document: finds faults, repairs them, looks again, until nothing mechanical is left.

Repairs that do not touch each other are done together and kept when each has made a finding less. Otherwise the
first is done alone and kept only when its finding is gone and the same kind of finding did not turn up beside it; so a
document never becomes worse. Octets in, octets out: what is judged is what will be written. Everything that no repair
touches keeps its meaning: comments, the text around the document, an envelope.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.mend_edits import Diagnosis, Repair
from eessi_sim.cdm.report import Issue, Mend
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.cdm.validation import Validator
from eessi_sim.xmlsafe import DOCUMENT_LIMITS, Element

MAX_ROUNDS: Final = 100
"""How often repairs are tried; most documents take three rounds (our limit, inferred)."""
MAX_FINDINGS: Final = 1000
"""Where counting findings stops; a document with more is not one that a machine should mend (our limit, inferred)."""
_POSITION: Final = re.compile(r"\[\d+\]")
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
_OVERFULL: Final = (
    f"There are {MAX_FINDINGS} findings or more, which is too much to mend: look for a common cause."
)
_SIGNED: Final = "The document is signed and the signature is still there, but it does not fit the mended copy: sign it again."


@dataclass(frozen=True, slots=True)
class Change:
    """One repair that was done."""

    code: str
    """Code of the finding that is gone."""
    path: str
    """Where it was."""
    mend: Mend

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        shown = {"sentence": self.mend.sentence, "before": self.mend.before, "after": self.mend.after}
        return {"code": self.code, "path": self.path, **shown}


@dataclass(frozen=True, slots=True)
class Mended:
    """A document after mending."""

    data: bytes
    """The mended copy; the very same octets when nothing was changed."""
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    """What the user has to know about the copy."""


def whole_document(root: Element) -> Element:
    """Return the SED in a document that is nothing else."""
    return root


def mend(data: bytes, validator: Validator, locate: Callable[[Element], Element] = whole_document) -> Mended:
    """Return a document without its mechanical faults.

    Args:
        data: XML.
        validator: knows what is right.
        locate: finds the SED in the tree, for a document that lies in an envelope.

    Raises:
        XmlError: the bytes are not XML that we are willing to read.
        DefinitionError: a file of the definition is wrong.
    """
    work = _Work(validator, locate, _State.of(data, validator, locate))
    for _ in range(MAX_ROUNDS):
        if not work.step():
            break
    return work.result(data)


@dataclass(frozen=True, slots=True)
class _State:
    """A document with what is wrong with it."""

    data: bytes
    root: Element
    """Without comments."""
    diagnoses: tuple[Diagnosis, ...]
    total: int
    """Findings in all."""

    @property
    def is_cut(self) -> bool:
        """Whether there are findings that are not listed."""
        return self.total > len(self.diagnoses)

    @classmethod
    def of(cls, data: bytes, validator: Validator, locate: Callable[[Element], Element]) -> "_State":
        root = xmlsafe.parse(data, DOCUMENT_LIMITS)
        found, more = validator.diagnoses(locate(root))
        return cls(data, root, found, len(found) + more)


@dataclass(slots=True)
class _Work:
    """Goes from one state of a document to the next."""

    validator: Validator
    locate: Callable[[Element], Element]
    state: _State
    changes: list[Change] = field(default_factory=list)
    _refused: set[Issue] = field(default_factory=set)

    def step(self) -> bool:
        """Try all repairs that do not touch each other, or else the first one; return whether there was any."""
        if self.state.total >= MAX_FINDINGS:
            return False
        mendable = [
            (each.issue, each.repair)
            for each in self.state.diagnoses
            if each.repair is not None and each.issue not in self._refused
        ]
        if mendable and not self._try_together(_apart(mendable)):
            self._try(*mendable[0])
        return bool(mendable)

    def _try_together(self, chosen: Sequence[tuple[Issue, Repair]]) -> bool:
        """Do some repairs; keep them when each has made a finding less."""
        after = self._after([repair for _, repair in chosen])
        is_better = after.total <= self.state.total - len(chosen) and (
            self.state.is_cut  # then findings that were not listed come into sight
            or all(_is_better(self.state.diagnoses, after.diagnoses, issue) for issue, _ in chosen)
        )
        if is_better:
            self._keep(after, chosen)
        return is_better

    def _try(self, issue: Issue, repair: Repair) -> None:
        after = self._after([repair])
        if _is_better(self.state.diagnoses, after.diagnoses, issue):
            self._keep(after, [(issue, repair)])
        else:
            self._refused.add(issue)

    def _after(self, repairs: Sequence[Repair]) -> _State:
        return _State.of(_repaired(self.state, repairs), self.validator, self.locate)

    def _keep(self, state: _State, done: Sequence[tuple[Issue, Repair]]) -> None:
        self.changes += (Change(issue.code, issue.path, repair.shown()) for issue, repair in done)
        self.state = state

    def result(self, original: bytes) -> Mended:
        """Return what has become of the document."""
        warnings = [_OVERFULL] if self.state.total >= MAX_FINDINGS else []
        if self.changes and next(self.state.root.iter(SIGNATURE), None) is not None:
            warnings.append(_SIGNED)
        data = self.state.data if self.changes else original
        return Mended(data, tuple(self.changes), tuple(warnings))


def _apart(mendable: Sequence[tuple[Issue, Repair]]) -> list[tuple[Issue, Repair]]:
    """Return repairs of which none lies in the part of another, earlier ones first."""
    chosen: list[tuple[Issue, Repair]] = []
    taken: set[Element] = set()
    for issue, repair in mendable:
        around = {repair.part, *repair.part.iterancestors()}
        inside = set(repair.part.iter())
        if not taken & inside and not any(done.part in around for _, done in chosen):
            chosen.append((issue, repair))
            taken.add(repair.part)
    return chosen


def _key(issue: Issue) -> tuple[str, str, str]:
    """Return what makes a finding the same; positions do not, because siblings come and go."""
    return issue.code, _POSITION.sub("", issue.path), issue.message


def _is_better(before: tuple[Diagnosis, ...], after: tuple[Diagnosis, ...], mended: Issue) -> bool:
    """Return whether the finding is gone, and no other of its kind has come.

    What was hidden behind the fault is seen now: findings of other kinds may come, and those further down.
    """
    old, new = (Counter(_key(each.issue) for each in state) for state in (before, after))
    come = [path for code, path, _ in new - old if code == mended.code]
    is_gone = new[_key(mended)] < old[_key(mended)]
    return is_gone and all(path.count("/") > mended.path.count("/") for path in come)


def _repaired(state: _State, repairs: Iterable[Repair]) -> bytes:
    """Return the document with repairs done, comments and all."""
    root = xmlsafe.parse(state.data, DOCUMENT_LIMITS, comments=True)
    in_front = [_node(sibling) for sibling in root.itersiblings(preceding=True)][::-1]
    behind = [_node(sibling) for sibling in root.itersiblings()]
    frame = etree.Element("frame")
    frame.append(root)
    twins = dict(zip(state.root.iter(), root.iter(etree.Element), strict=True))
    for repair in repairs:
        repair.apply(twins)
    parts = [*in_front, xmlsafe.serialize(frame[0], declaration=False), *behind]
    return _DECLARATION + b"\n".join(parts) + b"\n"


def _node(node: Element) -> bytes:
    return etree.tostring(node, encoding="UTF-8", xml_declaration=False, with_tail=False)
