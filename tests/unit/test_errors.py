"""Errors: stable codes, one JSON shape, extra facts where a caller needs them."""

import re

import pytest

from eessi_sim import errors
from eessi_sim.errors import (
    ActionNotAvailable,
    DocumentRefused,
    EessiSimError,
    NotCompetent,
    RoutingError,
    SedInvalid,
    SignatureError,
)

CLASSES = [
    value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, EessiSimError)
]


@pytest.mark.parametrize("error", CLASSES)
def test_code_is_a_word_in_kebab_case(error: type[EessiSimError]) -> None:
    """Codes are stable words that can stand in a URL, a file and a sentence."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", error.code)


def test_no_two_errors_share_a_code() -> None:
    """A code names one class."""
    codes = [error.code for error in CLASSES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_says_what_it_means(error: type[EessiSimError]) -> None:
    """The docstring of an error is its explanation in the documentation."""
    assert error.__doc__
    assert error.__doc__ != EessiSimError.__doc__ or error is EessiSimError


def test_error_reads_as_its_message() -> None:
    """Printed, an error is its sentence."""
    assert str(EessiSimError("Expected a, found b", hint="Write a.")) == "Expected a, found b"


def test_short_error_has_code_and_message_only() -> None:
    """The JSON shape has no empty parts."""
    assert EessiSimError("Expected a, found b").as_dict() == {
        "code": "error",
        "message": "Expected a, found b",
    }


def test_full_error_has_hint_and_context() -> None:
    """Hint and place travel in the JSON shape, the place as texts."""
    error = NotCompetent("Expected a, found b", hint="Write a.", line=7)
    assert error.as_dict() == {
        "code": "not-competent",
        "message": "Expected a, found b",
        "hint": "Write a.",
        "context": {"line": "7"},
    }


def test_error_is_caught_by_its_family() -> None:
    """A caller that cannot route need not know why."""
    with pytest.raises(RoutingError):
        raise NotCompetent("Expected a, found b")


def test_invalid_sed_carries_its_report() -> None:
    """Who may not send a SED gets all findings."""
    report = object()
    assert SedInvalid("Expected a valid SED", report=report).report is report


def test_unavailable_action_says_what_is_available() -> None:
    """Who may not act is told what is possible instead."""
    error = ActionNotAvailable("Expected an action", available=("Create A012", "Create X001"))
    assert error.as_dict()["available"] == ["Create A012", "Create X001"]


def test_refused_document_carries_the_cause_for_the_business_exception() -> None:
    """The X050 reports the code of the cause."""
    error = DocumentRefused("Expected A012", cause="unexpected-document")
    assert error.as_dict()["cause"] == error.cause == "unexpected-document"


def test_failed_signature_carries_its_verdict() -> None:
    """Which check failed travels with the error."""
    verdict = object()
    assert SignatureError("Expected a signature", verdict=verdict).verdict is verdict
