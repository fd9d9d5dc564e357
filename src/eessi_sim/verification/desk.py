"""Examines documents one after the other in a thread of its own, for services that must not stand still.

What waits is bounded and so is the time that a caller waits; nothing is kept when the answer is given.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import ServiceBusy, ServiceTooSlow
from eessi_sim.verification.examination import Examination, examine
from eessi_sim.verification.outcome import INTEGRITY_ONLY

_WAITING: Final = 8
"""Documents in work and in line; at some 10 ms each nobody waits long (our choice, inferred)."""
_SECONDS: Final = 30.0
"""Enough for the largest document that is read, on a slow machine (our choice, inferred)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A document as somebody handed it in."""

    name: str
    data: bytes
    disabled: frozenset[str] = frozenset()
    """Ids of business rules to leave out."""


@dataclass(slots=True)
class Desk:
    """One worker, a short line in front of it, and a clock."""

    work: Callable[[Upload], Examination]
    """Does the examination; called in the worker thread."""
    waiting: int = _WAITING
    """How many documents may be in work or in line."""
    seconds: float = _SECONDS
    """How long a caller waits."""
    _jobs: list[Future[Examination]] = field(default_factory=list)
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="examination")
    )

    @classmethod
    def of(cls, catalogue: Catalogue) -> "Desk":
        """Return a desk that knows the documents of ``catalogue``."""
        return cls(
            lambda upload: examine(
                upload.name, upload.data, Validator(catalogue, upload.disabled), INTEGRITY_ONLY
            )
        )

    async def examine(self, upload: Upload) -> Examination:
        """Examine a document.

        Raises:
            ServiceBusy: too many others wait already.
            ServiceTooSlow: it took too long; a place in the line stays taken until the worker is done with it.
        """
        self._jobs = [job for job in self._jobs if not job.done()]
        if len(self._jobs) >= self.waiting:
            raise ServiceBusy(
                f"Expected at most {self.waiting} documents in line, found the line full",
                hint="Try again in some seconds.",
            )
        job = self._pool.submit(self.work, upload)
        self._jobs.append(job)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(job), self.seconds)
        except TimeoutError as error:
            raise ServiceTooSlow(
                f"Expected the document to be examined within {self.seconds:g} seconds",
                hint="Send a smaller document, or examine it with eessi-sim validate.",
            ) from error

    def close(self) -> None:
        """Take no more work and wait for nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
