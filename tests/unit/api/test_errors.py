"""Errors as HTTP: one status per family, one shape for all."""

import pytest

from eessi_sim import errors
from eessi_sim.api.errors import shape_of, status_of
from eessi_sim.cdm.report import ValidationReport
from eessi_sim.errors import EessiSimError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.CaseNotFound("x"), 404),
        (errors.DocumentNotFound("x"), 404),
        (errors.AttachmentNotFound("x"), 404),
        (errors.AttachmentTooLarge("x"), 422),
        (errors.ActionNotAvailable("x"), 409),
        (errors.DocumentRefused("x", cause="01"), 409),
        (errors.Conflict("x"), 409),
        (errors.SedInvalid("x", report=None), 422),
        (errors.NotASed("x"), 422),
        (errors.XmlTooLarge("x"), 422),
        (errors.EnvelopeError("x"), 422),
        (errors.SignatureError("x"), 422),
        (errors.NotCompetent("x"), 422),
        (errors.IdentifierError("x"), 400),
        (errors.DefinitionError("x"), 400),
        (errors.SettingsError("x"), 400),
        (errors.Unavailable("x"), 503),
        (errors.TimedOut("x"), 502),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_family_decides_the_status(error: EessiSimError, status: int) -> None:
    """The first family that an error belongs to gives its HTTP status; without one it is a bad request."""
    assert status_of(error) == status


def test_shape_is_that_of_the_error() -> None:
    """An error appears over HTTP in the shape it has everywhere."""
    error = errors.CaseNotFound("Expected a case", hint="List the cases.", case="1")
    assert shape_of(error) == error.as_dict()


def test_shape_of_an_invalid_document_has_the_report() -> None:
    """The findings travel with the error."""
    report = ValidationReport((), None, None)
    assert shape_of(errors.SedInvalid("x", report=report))["report"] == report.as_dict()


def test_report_that_is_none_is_left_out() -> None:
    """An invalid document about which nobody reported has no findings in its shape."""
    assert "report" not in shape_of(errors.SedInvalid("x", report=None))
