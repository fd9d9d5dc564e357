"""Explains checks that failed because a signature is broken: for ``verify --explain``, which may take its time."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from eessi_sim.security.keys import Certificate
from eessi_sim.verification.accidents.search import THOROUGH, Effort
from eessi_sim.verification.canonical_diff import compare
from eessi_sim.verification.causes import UNKNOWN, difference_of
from eessi_sim.verification.counterpart import counterpart_of
from eessi_sim.verification.facts import SignatureFacts, SignedThing
from eessi_sim.verification.outcome import Check, Difference, Forms
from eessi_sim.verification.signature_value import PLACE as VALUE
from eessi_sim.verification.signature_value import explain_value
from eessi_sim.verification.signing_certificate import explain_certificate

_OWN_DIGEST: Final = (
    "SignedInfo and the signature value are intact: the digest is the one that the signer wrote, "
    "and what it is about was changed, or digested wrongly by the signer"
)
_SAME: Final = "Your copy has the same canonical form as what was received, so nothing happened on the way"
_OTHER: Final = "Your copy differs, but is not what was signed either: its digest does not fit"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to know, and what he can contribute."""

    effort: Effort = THOROUGH
    copy: bytes | None = field(default=None, repr=False)
    """The signer's own copy of what was signed."""
    certificates: tuple[Certificate, ...] = ()
    """Certificates that may have signed."""


def explained(check: Check, question: Question) -> Check:
    """Return ``check`` with everything that can be found out about a broken signature.

    Args:
        check: of a signature; others come back as they are.
        question: how hard to look, and what to compare with.
    """
    facts = check.facts() if check.facts else None
    if facts is None:
        return check
    return replace(check, differences=tuple(_differences(facts, question)))


@dataclass(frozen=True, slots=True)
class NamedForm:
    """Octets that were digested or signed, with what they are."""

    reference: str
    form: str
    """``received`` or ``signed``, as in ``Written``."""
    octets: bytes = field(repr=False)


def forms_of(check: Check) -> Iterator[NamedForm]:
    """Yield what was digested for a check, every reference and SignedInfo, and what was signed where it is known.

    Args:
        check: of a signature, broken or not; others have no forms.
    """
    facts = check.facts() if check.facts else None
    if facts is None:
        return
    signed = {each.reference: each.forms.signed for each in check.differences if each.forms}
    received = {thing.name: thing.content.octets for thing in facts.things}
    for reference, octets in {**received, VALUE: facts.info.octets}.items():
        yield NamedForm(reference, "received", octets)
        before = signed.get(reference)
        if before is not None and before != octets:
            yield NamedForm(reference, "signed", before)


def _differences(facts: SignatureFacts, question: Question) -> Iterator[Difference]:
    value = explain_value(facts, question.certificates, question.effort)
    for thing in facts.things:
        if not thing.is_intact:
            difference = difference_of(thing, facts.things, question.effort)
            if value is None and facts.certificates:
                difference = replace(difference, remarks=(_OWN_DIGEST, *difference.remarks))
            yield _compared(thing, difference, question.copy)
        elif thing.steps not in _accepted(thing):
            yield _wrong_transforms(thing)
    certificate = explain_certificate(facts, question.certificates)
    if certificate is not None:
        yield certificate
    if value is not None:
        yield value


def _compared(thing: SignedThing, difference: Difference, copy: bytes | None) -> Difference:
    """Add the first difference against the signer's copy."""
    if copy is None:
        return difference
    own = counterpart_of(thing, copy)
    if own is None:
        return difference
    if own.octets == own.found:
        return replace(difference, remarks=(_SAME, *difference.remarks))
    comparison = compare(own.octets, own.found, own.origin)
    forms = Forms(thing.content.octets, own.octets)
    if own.is_signed:
        cause = "The content was changed after signing" if difference.cause == UNKNOWN else difference.cause
        remarks = tuple(remark for remark in difference.remarks if remark == _OWN_DIGEST)
        return replace(difference, cause=cause, comparison=comparison, forms=forms, tried=(), remarks=remarks)
    if difference.comparison is not None:
        return difference
    return replace(difference, comparison=comparison, forms=forms, remarks=(_OTHER, *difference.remarks))


def _accepted(thing: SignedThing) -> tuple[tuple[str, ...], ...]:
    """Return the lists of transforms that the profile knows; a document may leave out the last one."""
    return (thing.transforms, thing.transforms[:1]) if thing.content.is_enveloped else (thing.transforms,)


def _wrong_transforms(thing: SignedThing) -> Difference:
    """Return that the digest fits and only the list of transforms is not what is asked for."""
    is_order = sorted(thing.steps) == sorted(thing.transforms)
    what = (
        "The transforms stand in the wrong order"
        if is_order
        else "The transforms are not those of the profile"
    )
    return Difference(
        thing.name,
        _names(thing.transforms),
        _names(thing.steps),
        f"{what}; the digest fits, so the content is what was signed and only the list is wrong",
        ("transform-order" if is_order else "transforms",),
        forms=Forms(thing.content.octets, thing.content.octets),
    )


def _names(transforms: tuple[str, ...]) -> str:
    return ", ".join(
        str(each).rpartition("#")[2] or str(each).rstrip("#").rpartition("/")[2] for each in transforms
    )
