"""The order of the checks is data; every name must be known."""

from datetime import UTC, datetime

import pytest
from tests.helpers.as4_messages import packed_message, unpacked, user_message
from tests.helpers.envelopes import nothing_yet
from tests.helpers.repositories import repository

from eessi_sim.access_point.pipeline import Inspection, Pipeline, Rulebook
from eessi_sim.access_point.steps import STEPS
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import DefinitionError
from eessi_sim.ir.checks import KNOWN, STANDARD_ORDER


def inspection() -> Inspection:
    """A message that nobody has looked at yet."""
    return Inspection(
        message=user_message(),
        unpacked=unpacked(packed_message()),
        repository=repository(),
        rulebook=Rulebook(Validator(Catalogue.default()), Definitions.default()),
        at=datetime(2026, 3, 2, tzinfo=UTC),
        passed=nothing_yet,
    )


async def test_steps_run_in_the_order_given() -> None:
    """The order is that of the names."""
    done: list[str] = []
    steps = {name: (lambda _inspection, name=name: done.append(name)) for name in "abc"}
    await Pipeline(["c", "a"], steps).run(inspection())
    assert done == ["c", "a"]


async def test_first_refusal_ends_the_inspection() -> None:
    """Later steps are not asked."""

    def refuse(_inspection: Inspection) -> None:
        raise EbmsFault(EbmsErrorCode.OTHER, "No")

    def never(_inspection: Inspection) -> None:
        raise AssertionError

    with pytest.raises(EbmsFault, match="No"):
        await Pipeline(["refuse", "never"], {"refuse": refuse, "never": never}).run(inspection())


def test_unknown_step_is_named_with_those_that_are_known() -> None:
    """A misspelt name in a configuration is found at the start."""
    with pytest.raises(DefinitionError, match="virus") as caught:
        Pipeline(["envelope", "virus"], STEPS)
    assert "competence" in (caught.value.hint or "")


def test_standard_order_has_every_step_once() -> None:
    """Every check that a network file can name is there; only the look for duplicates has to be asked for."""
    assert sorted(KNOWN) == sorted(STEPS)
    assert set(KNOWN) - set(STANDARD_ORDER) == {"duplicates"}


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in ("scan", "envelope")])
async def test_step_without_the_envelope_says_what_is_missing(name: str) -> None:
    """Every step about the document needs the envelope to have been read."""
    with pytest.raises(DefinitionError, match="envelope"):
        await Pipeline([name], STEPS).run(inspection())
