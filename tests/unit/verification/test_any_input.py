"""Whatever lies in a file: a verdict, never an exception."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers import definitions, evidence

from eessi_sim.cdm.validation import Validator
from eessi_sim.verification.examination import examine
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.outcome import INTEGRITY_ONLY

SEEDS = (*evidence.files().values(), evidence.sample(), b'{"A901": {"sedGVer": "4", "sedVer": "4"}}')


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """One of the files of a run with a piece taken out and another put in."""
    data = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 60)))
    return data[:start] + draw(st.binary(max_size=20)) + data[end:]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | mutilated())
def test_any_file_gets_a_verdict_about_its_signatures(data: bytes) -> None:
    """verify_file never raises, and something is always said."""
    assert verify_file("file", data, INTEGRITY_ONLY).checks


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | mutilated())
def test_any_file_gets_a_verdict_about_its_content(data: bytes) -> None:
    """Examine never raises, and what is not valid has a finding."""
    examination = examine("file", data, Validator(definitions.catalogue()), INTEGRITY_ONLY)
    assert examination.is_valid or examination.report.issues
