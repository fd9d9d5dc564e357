"""Mends a whole document: finds faults, does one repair, looks again, until nothing mechanical is left.

A repair is kept only when its finding is gone and the same kind of finding did not turn up elsewhere; so a document
never becomes worse. Octets in, octets out: what is judged is what will be written. Everything that no repair
touches keeps its meaning: comments, the text around the document, an envelope.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.mend_edits import Diagnosis, Repair
from eessi_sim.cdm.report import Issue, Mend
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.cdm.validation import Validator
from eessi_sim.xmlsafe import DOCUMENT_LIMITS, Element

MAX_ROUNDS: Final = 300
"""Repairs that are tried; a document with more faults is not one that a machine should mend (our limit, inferred)."""
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'
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

    @classmethod
    def of(cls, data: bytes, validator: Validator, locate: Callable[[Element], Element]) -> "_State":
        root = xmlsafe.parse(data, DOCUMENT_LIMITS)
        return cls(data, root, validator.diagnoses(locate(root)))


@dataclass(slots=True)
class _Work:
    """Goes from one state of a document to the next."""

    validator: Validator
    locate: Callable[[Element], Element]
    state: _State
    changes: list[Change] = field(default_factory=list)
    _refused: set[tuple[str, str, str]] = field(default_factory=set)

    def step(self) -> bool:
        """Try one repair; return whether there was one."""
        for diagnosis in self.state.diagnoses:
            if diagnosis.repair is not None and _key(diagnosis.issue) not in self._refused:
                self._try(diagnosis.issue, diagnosis.repair)
                return True
        return False

    def _try(self, issue: Issue, repair: Repair) -> None:
        after = _State.of(_repaired(self.state, repair), self.validator, self.locate)
        if _is_better(self.state.diagnoses, after.diagnoses, issue):
            self.changes.append(Change(issue.code, issue.path, repair.shown()))
            self.state = after
        else:
            self._refused.add(_key(issue))

    def result(self, original: bytes) -> Mended:
        """Return what has become of the document."""
        if not self.changes:
            return Mended(original, (), ())
        is_signed = next(self.state.root.iter(SIGNATURE), None) is not None
        return Mended(self.state.data, tuple(self.changes), (_SIGNED,) if is_signed else ())


def _key(issue: Issue) -> tuple[str, str, str]:
    return issue.code, issue.path, issue.message


def _is_better(before: tuple[Diagnosis, ...], after: tuple[Diagnosis, ...], mended: Issue) -> bool:
    """Return whether the finding is gone, and no other of its kind has come.

    Findings of other kinds may come: what was hidden behind the fault is seen now.
    """
    old = [_key(each.issue) for each in before]
    new = [_key(each.issue) for each in after]
    gone = new.count(_key(mended)) < old.count(_key(mended))
    return gone and not any(key[0] == mended.code and key not in old for key in new)


def _repaired(state: _State, repair: Repair) -> bytes:
    """Return the document with one repair done, comments and all."""
    root = xmlsafe.parse(state.data, DOCUMENT_LIMITS, keep_comments=True)
    in_front = [_node(sibling) for sibling in root.itersiblings(preceding=True)][::-1]
    behind = [_node(sibling) for sibling in root.itersiblings()]
    frame = etree.Element("frame")
    frame.append(root)
    repair.apply(dict(zip(state.root.iter(), root.iter(etree.Element), strict=True)))
    parts = [*in_front, xmlsafe.serialize(frame[0], declaration=False), *behind]
    return _DECLARATION + b"\n".join(parts) + b"\n"


def _node(node: Element) -> bytes:
    return etree.tostring(node, encoding="UTF-8", xml_declaration=False, with_tail=False)
