"""Why a signature value does not fit although every digest may: other key, other scheme, or a changed SignedInfo."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import new
from typing import Final

from eessi_sim.security.keys import Certificate
from eessi_sim.security.schemes import fitting_scheme, recovered_digest
from eessi_sim.verification.accidents.search import Effort, search
from eessi_sim.verification.canonical_diff import compare
from eessi_sim.verification.causes import tried_sentence
from eessi_sim.verification.facts import SignatureFacts
from eessi_sim.verification.outcome import Difference, Forms, in_base64

PLACE: Final = "SignatureValue"
_RECONSTRUCTED: Final = "made again: the accident was undone, and the signature value fits"
_CHANGED: Final = "SignedInfo was changed after signing, and not by one of the usual accidents"
_UNKNOWN: Final = (
    "Another key made this value, or SignedInfo was changed after signing: no certificate at hand fits, "
    "with any scheme, and no accident that was undone helps"
)


def value_fits(facts: SignatureFacts) -> bool:
    """Return whether the first certificate in the signature made its value."""
    return any(_has_signed(facts, each, facts.info.octets) for each in facts.certificates[:1])


def _has_signed(facts: SignatureFacts, certificate: Certificate, octets: bytes) -> bool:
    return certificate.has_signed(octets, facts.parsed.value, facts.parsed.algorithm)


def explain_value(facts: SignatureFacts, more: Sequence[Certificate], effort: Effort) -> Difference | None:
    """Return why the signature value does not fit, None when it does or no certificate is at hand.

    Args:
        facts: about the signature.
        more: certificates that somebody gave, to be tried as well.
        effort: how hard to look.
    """
    if not facts.certificates or value_fits(facts):
        return None
    return _Explainer(facts, (*facts.certificates, *more), effort).explain()


@dataclass(frozen=True, slots=True)
class _Explainer:
    facts: SignatureFacts
    certificates: tuple[Certificate, ...]
    """That of KeyInfo first."""
    effort: Effort

    def explain(self) -> Difference:
        for explanation in self._other_maker():
            return explanation
        return self._changed_info()

    @property
    def _plain(self) -> Difference:
        signer = self.certificates[0]
        method = str(self.facts.parsed.algorithm).rpartition("#")[2]
        return Difference(
            PLACE,
            f'a value of the key of "{signer.subject}", {method}',
            _shortened(self.facts.value),
            _UNKNOWN,
            forms=Forms(self.facts.info.octets),
        )

    def _other_maker(self) -> Iterator[Difference]:
        """Yield an explanation by another scheme or another key, over SignedInfo as it is."""
        parsed, info = self.facts.parsed, self.facts.info.octets
        signer = self.certificates[0]
        for certificate in self.certificates:
            scheme = fitting_scheme(certificate, info, parsed.value)
            if scheme is None:
                continue
            if certificate is not signer:
                cause = (
                    f'The key of "{certificate.subject}" (serial number {certificate.serial}) made this value '
                    f"({scheme.name}): KeyInfo holds the wrong certificate"
                )
                yield replace(self._plain, cause=cause, accidents=("wrong-certificate",))
            else:
                stated = str(parsed.algorithm).rpartition("#")[2]
                cause = f"The right key made this value over this SignedInfo, but with {scheme.name} instead of {stated}"
                yield replace(self._plain, cause=cause, accidents=("signature-scheme",))

    def _changed_info(self) -> Difference:
        """Return an explanation by a SignedInfo that is not what was signed."""
        result = search(self.facts.info, self._fits, self.effort)
        if result.undone is not None:
            undone, info = result.undone, self.facts.info.octets
            return replace(
                self._plain,
                cause=f"SignedInfo is not what was signed. {undone.sentence}",
                accidents=undone.codes,
                comparison=compare(undone.octets, info, _RECONSTRUCTED),
                forms=Forms(info, undone.octets),
            )
        return replace(
            self._unexplained(), tried=result.tried, remarks=(*self._remarks(), tried_sentence(result))
        )

    def _fits(self, octets: bytes) -> bool:
        return any(_has_signed(self.facts, each, octets) for each in self.certificates)

    def _unexplained(self) -> Difference:
        for certificate in self.certificates:
            found = recovered_digest(certificate, self.facts.parsed.value)
            if found is not None:
                name, digest = found
                here = new(name.replace("-", ""), self.facts.info.octets, usedforsecurity=False).digest()
                return replace(
                    self._plain,
                    expected=f"{in_base64(digest)} ({name}, as the value says)",
                    found=f"{in_base64(here)} ({name} of SignedInfo)",
                    cause=f'{_CHANGED}: the key of "{certificate.subject}" made the value over another one',
                    accidents=("signed-info-changed",),
                )
        return (
            self._plain
            if self._has_right_kind()
            else replace(self._plain, cause=self._wrong_kind(), accidents=("wrong-certificate",))
        )

    def _has_right_kind(self) -> bool:
        return self.certificates[0].is_rsa == ("rsa" in str(self.facts.parsed.algorithm).rpartition("#")[2])

    def _wrong_kind(self) -> str:
        kind = "an RSA" if self.certificates[0].is_rsa else "an elliptic curve"
        method = str(self.facts.parsed.algorithm).rpartition("#")[2]
        return f"The certificate in KeyInfo has {kind} key, but the SignatureMethod is {method}: it is the wrong certificate"

    def _remarks(self) -> tuple[str, ...]:
        names = "; ".join(dict.fromkeys(each.subject for each in self.certificates))
        return (f"Certificates that were tried: {names}",)


def _shortened(value: str) -> str:
    return value if len(value) <= 88 else f"{value[:72]}… ({len(value)} characters)"
