"""A step that another process overtook begins again, a bounded number of times."""

import pytest

from eessi_sim.errors import CaseChanged, Conflict
from eessi_sim.institution.overtaken import again_when_overtaken


class Step:
    """Meets so many faults before it is done."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.times = 0

    @again_when_overtaken
    async def take(self, word: str) -> str:
        """Return the word."""
        self.times += 1
        if self.faults:
            raise self.faults.pop()
        return word


async def test_overtaken_step_is_taken_again() -> None:
    """The case was changed twice meanwhile: the third time it is done."""
    step = Step(CaseChanged("x"), CaseChanged("x"))
    assert (await step.take("done"), step.times) == ("done", 3)


async def test_other_conflicts_are_no_reason() -> None:
    """A message that moved on is not tried again here."""
    step = Step(Conflict("x"))
    with pytest.raises(Conflict):
        await step.take("done")
    assert step.times == 1


async def test_step_gives_up_in_the_end() -> None:
    """Overtaken ten times, it says so."""
    step = Step(*[CaseChanged("x")] * 20)
    with pytest.raises(CaseChanged):
        await step.take("done")
    assert step.times == 10
