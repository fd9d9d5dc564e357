"""The ordered checks of a business document at the access point; the order is data.

A step says nothing or raises an ``EbmsFault``. The steps themselves are in ``steps``; the pipeline knows
only their names.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from eessi_sim.as4.limits import DEFAULT_LIMITS as AS4_LIMITS
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.attachments import DEFAULT_LIMITS, AttachmentLimits
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import DefinitionError
from eessi_sim.gateway.aside import aside
from eessi_sim.identifiers import SedType
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.spool import SpoolFile

STANDARD_ORDER: Final = (
    "malware",
    "envelope",
    "consistency",
    "competence",
    "transaction",
    "attachments",
    "document",
)
"""Cheap checks first; the order of the checks in an access point is not public (inferred)."""
ORDER_FROM_ABROAD: Final = tuple(name for name in STANDARD_ORDER if name != "transaction")
"""What another access point brings was checked there; this one may not have seen the whole case (inferred)."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What documents are checked against."""

    validator: Validator
    processes: Definitions


@dataclass(slots=True)
class Inspection:
    """One business document under inspection; steps fill in what later ones need."""

    message: UserMessage
    unpacked: Unpacked
    repository: InstitutionRepository
    rulebook: Rulebook
    at: datetime
    exchanged: Callable[[str], Awaitable[frozenset[SedType]]]
    """Finds the SED types that this access point has let pass in a case, by its international id."""
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments this access point lets pass."""
    limits: As4Limits = AS4_LIMITS
    """How much of a message it is willing to unpack."""
    document: StandardBusinessDocument | None = None
    facts: dict[str, str] = field(default_factory=dict)
    """What was found out, for the store and the report: sed, buc, cdm, case, xsd_valid, rules_valid."""

    @property
    def enveloped(self) -> StandardBusinessDocument:
        """The document once the step ``envelope`` has read it."""
        if self.document is None:
            raise DefinitionError(
                "Expected the step 'envelope' before the others", hint="Put 'envelope' first in the pipeline."
            )
        return self.document


Step = Callable[[Inspection], Awaitable[None] | None]
"""Only a step that has to ask somebody else is to be awaited."""


class Pipeline:
    """Runs named steps in order.

    Args:
        order: names of the steps.
        steps: the steps by name.
        thorough: names of those that look at every octet of a message, and at nothing that changes.

    Raises:
        DefinitionError: a name is unknown.
    """

    def __init__(
        self, order: Sequence[str], steps: Mapping[str, Step], thorough: Collection[str] = ()
    ) -> None:
        unknown = [name for name in order if name not in steps]
        if unknown:
            raise DefinitionError(
                f"Expected steps of the pipeline, found {', '.join(unknown)}",
                hint=f"Known steps: {', '.join(sorted(steps))}.",
            )
        self._steps = tuple((steps[name], name in thorough) for name in order)

    async def run(self, inspection: Inspection) -> None:
        """Run all steps.

        Raises:
            EbmsFault: of the first step that refuses the document.
        """
        for step, _ in self._steps:
            await _done(step(inspection))

    async def run_large(self, inspection: Inspection, spooled: SpoolFile) -> None:
        """Run all steps on a message in the spool, the thorough ones beside the event loop; raises as ``run``."""
        for step, is_thorough in self._steps:
            if is_thorough:
                await _done(await aside(spooled, partial(step, inspection)))
            else:
                await _done(step(inspection))


async def _done(step: Awaitable[None] | None) -> None:
    if step is not None:
        await step
