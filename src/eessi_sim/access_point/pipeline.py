"""The ordered checks of a business document at the access point; the order is data.

A step says nothing or raises an ``EbmsFault``. The steps themselves are in ``steps``; the pipeline knows
only their names.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from eessi_sim.as4.limits import DEFAULT_LIMITS as AS4_LIMITS
from eessi_sim.as4.limits import As4Limits
from eessi_sim.as4.model import UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.attachments import DEFAULT_LIMITS, AttachmentLimits
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.report import ValidationReport
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import DefinitionError
from eessi_sim.gateway.aside import aside
from eessi_sim.identifiers import MessageId, SedType
from eessi_sim.ir.checks import DEFAULT_CHECKS, Checks
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.spool import SpoolFile


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What documents are checked against."""

    validator: Validator
    processes: Definitions


@dataclass(frozen=True, slots=True)
class Passed:
    """A message of a case that this access point has let pass."""

    message_id: MessageId
    sed: SedType
    document: str
    """Identity of the document and its version."""
    sender: str
    receiver: str
    is_lost: bool
    """Whether it ended as a dead letter here."""


@dataclass(slots=True)
class Inspection:
    """One business document under inspection; steps fill in what later ones need."""

    message: UserMessage
    unpacked: Unpacked
    repository: InstitutionRepository
    rulebook: Rulebook
    at: datetime
    passed: Callable[[str], Awaitable[tuple[Passed, ...]]]
    """Finds what this access point has let pass in a case, by its international id."""
    checks: Checks = DEFAULT_CHECKS
    """Which checks are made, and how."""
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments this access point lets pass."""
    limits: As4Limits = AS4_LIMITS
    """How much of a message it is willing to unpack."""
    document: StandardBusinessDocument | None = None
    facts: dict[str, str] = field(default_factory=dict)
    """What was found out, for the store and the report: sed, buc, cdm, case, xsd_valid, rules_valid."""
    done: list[str] = field(default_factory=list)
    """Names of the steps that had nothing to say, in order; what a refused document has not passed is missing."""
    legal_ground: str = ""
    """On which the document is exchanged."""
    _verdict: tuple[Sed, ValidationReport] | None = None

    @property
    def enveloped(self) -> StandardBusinessDocument:
        """The document once the step ``envelope`` has read it."""
        if self.document is None:
            raise DefinitionError(
                "Expected the step 'envelope' before the others", hint="Put 'envelope' first in the pipeline."
            )
        return self.document

    @property
    def notes(self) -> dict[str, str]:
        """What the journal says besides the facts: which steps were passed, and the legal ground."""
        notes = {"steps": " ".join(self.done)}
        return notes | ({"legal_ground": self.legal_ground} if self.legal_ground else {})

    def judged(self) -> tuple[Sed, ValidationReport]:
        """Return the document as a SED and what is wrong with it; looked at once, whichever step asks.

        Raises:
            SedError, XmlError: it is no SED.
        """
        if self._verdict is None:
            sed = self.rulebook.validator.identify(self.enveloped.sed)
            self._verdict = sed, self.rulebook.validator.validate(sed)
        return self._verdict


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
        self._steps = tuple((name, steps[name], name in thorough) for name in order)

    async def run(self, inspection: Inspection) -> None:
        """Run all steps.

        Raises:
            EbmsFault: of the first step that refuses the document.
        """
        for name, step, _ in self._steps:
            await _done(step(inspection))
            inspection.done.append(name)

    async def run_large(self, inspection: Inspection, spooled: SpoolFile) -> None:
        """Run all steps on a message in the spool, the thorough ones beside the event loop; raises as ``run``."""
        for name, step, is_thorough in self._steps:
            if is_thorough:
                await _done(await aside(spooled, partial(step, inspection)))
            else:
                await _done(step(inspection))
            inspection.done.append(name)


async def _done(step: Awaitable[None] | None) -> None:
    if step is not None:
        await step
