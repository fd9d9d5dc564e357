"""Compares what came back with what the list wants. Pure."""

from typing import Final

from eessi_sim.conformance.model import Verdict

_TAKEN: Final = frozenset({"Receipt", "202", "204"})
_LATER: Final = "taken; its receipt comes in another connection, which is not seen here"
_MEANINGLESS: Final = frozenset({"200", "UserMessage", "PullRequest", "no answer"})


def judge(wanted: str, found: str, *, is_party: bool, is_strict: bool = False) -> tuple[Verdict, str]:
    """Return the verdict and what is to be said about it.

    Somebody else's product may refuse with another code than ours: what counts is that it refuses (inferred; the
    sources differ in codes for the same fault). ``is_strict`` asks for the code of the list.

    Args:
        wanted: outcome of the list.
        found: outcome that was seen.
        is_party: whether somebody else's gateway is judged, point to point.
        is_strict: whether codes must be those of the list.
    """
    if not is_party:
        return _exact(wanted, found)
    accepts = all(_is_receipt(each) for each in wanted.split(", "))
    if accepts:
        is_taken = all(each in _TAKEN for each in found.split(", "))
        return (Verdict.PASSED, _LATER if "202" in found else "") if is_taken else _exact(wanted, found)
    return _refusal(wanted, found, is_strict=is_strict)


def _refusal(wanted: str, found: str, *, is_strict: bool) -> tuple[Verdict, str]:
    if found == "202" and wanted.startswith("202 "):
        return Verdict.NOT_APPLICABLE, "taken; whether it is refused later is told in another connection"
    if found in _TAKEN or found in _MEANINGLESS:
        return Verdict.FAILED, f"Expected a refusal ({wanted}), found {found}"
    code = wanted.removeprefix("202 ")
    if code == found:
        return Verdict.PASSED, ""
    if is_strict:
        return _exact(code, found)
    return Verdict.PASSED, f"refused with {found}; the list says {code}"


def _is_receipt(outcome: str) -> bool:
    return outcome.lower().endswith("receipt")


def _exact(wanted: str, found: str) -> tuple[Verdict, str]:
    if wanted == found:
        return Verdict.PASSED, ""
    return Verdict.FAILED, f"Expected {wanted}, found {found}"
