"""What another process did to a case meanwhile: the step is taken again from the case as it is now.

Within a process changes of one case wait for each other (``CaseLocks``). Several processes that play the same institution
find out when they store: the revision of the case is no longer the one they read, and nothing was stored.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from eessi_sim.errors import CaseChanged

_TIMES: Final = 10
"""Of the steps that meet, one comes through each time; so many processes do not play one institution (our choice)."""
_PAUSE: Final = 0.004
"""Seconds to wait before the first repetition, about as long as a step takes; then so much longer each time."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def again_when_overtaken(
    step: Callable[Given, Awaitable[Result]],
) -> Callable[Given, Coroutine[Any, Any, Result]]:  # Any: what coroutines of asyncio send and yield
    """Return ``step`` so that it begins again when the case has changed since it was read.

    The step reads the case itself, and writes nothing but one unit of work of its own.

    Raises:
        CaseChanged: it was overtaken too often.
    """

    @functools.wraps(step)
    async def stubborn(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for time in range(1, _TIMES):
            try:
                return await step(*args, **kwargs)
            except CaseChanged:
                await asyncio.sleep(_PAUSE * time)
        return await step(*args, **kwargs)

    return stubborn
