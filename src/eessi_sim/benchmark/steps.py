"""The steps of one SED from the sender to the receiver and of its receipt back, each with the real objects.

``where`` says at which nodes a step happens, once per letter; a test compares that with what the nodes really call.
The floor of a step is the sum of the bare operations that it cannot do without.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from eessi_sim import sbdh
from eessi_sim.access_point.pipeline import Inspection, Passed, Pipeline, Rulebook
from eessi_sim.access_point.routing import route
from eessi_sim.access_point.steps import STEPS
from eessi_sim.as4 import confirmation, msh
from eessi_sim.as4.msh import Stamp, Unpacked
from eessi_sim.benchmark.floor import Operation, operations
from eessi_sim.benchmark.specimens import Specimens
from eessi_sim.benchmark.stopwatch import Reading, measure_in_turn
from eessi_sim.buc import engine
from eessi_sim.buc.case import DeliveryStatus
from eessi_sim.buc.effects import SendDocument
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.identifiers import DocumentId, InstitutionId, MessageId
from eessi_sim.security import xades
from eessi_sim.security.keys import Purpose

_TOKEN: Final = "0123456789abcdef" * 2
_ID: Final = MessageId("00000000-0000-4000-8000-000000000000@bench.example")
_DOCUMENT: Final = DocumentId(_TOKEN)
_CHECKS: Final = ("consistency", "competence", "transaction")


class Place(StrEnum):
    """Who does a step; the first letter stands in the table."""

    SENDER = "sender"
    ACCESS_POINT = "access point"
    RECEIVER = "receiver"


class Part(StrEnum):
    """What a step belongs to: a run in memory consists of the first part alone."""

    CORE = "core"
    DISK = "disk"
    NETWORK = "network"


_PLACES: Final = {place.value[0].upper(): place for place in Place}


@dataclass(frozen=True, slots=True)
class Step:
    """One step before it is measured."""

    name: str
    where: str
    """First letters of the places, once for every time; empty for a step outside the usual path."""
    run: Callable[[], object]
    floor: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """One step and what it costs."""

    name: str
    part: Part
    places: tuple[Place, ...]
    """One entry for every time that the step happens for one SED."""
    reading: Reading
    floor: float
    """Microseconds of the bare operations, 0 when it needs none of them."""

    @property
    def times(self) -> int:
        """How often it happens for one SED."""
        return len(self.places)

    @property
    def per_sed(self) -> float:
        """Microseconds of processor time for one SED."""
        return self.reading.cpu * self.times

    @property
    def floor_per_sed(self) -> float:
        """Microseconds of bare operations for one SED."""
        return self.floor * self.times

    @property
    def ratio(self) -> float | None:
        """How much more it costs than its bare operations, None when it has none."""
        return self.reading.cpu / self.floor if self.floor else None


def measured(
    name: str, part: Part, where: str, reading: Reading, operations: Sequence[Reading] = ()
) -> Measured:
    """Return a step with its reading and the readings of its bare operations."""
    places = tuple(_PLACES[letter] for letter in where)
    return Measured(name, part, places, reading, sum(each.cpu for each in operations))


def measure_core(specimens: Specimens, seconds: float) -> tuple[dict[Operation, Reading], list[Measured]]:
    """Measure every step that needs neither socket nor disk, and in turn with them their bare operations.

    Args:
        specimens: what they are applied to.
        seconds: about how long to measure each.
    """
    steps = [
        *_at_the_sender(specimens),
        *_on_the_way(specimens),
        *_at_the_receiver(specimens),
        *_receipt(specimens),
    ]
    bare = operations(specimens)
    readings = measure_in_turn({**bare, **{step.name: step.run for step in steps}}, seconds)
    return {operation: readings[operation] for operation in bare}, [
        measured(
            step.name,
            Part.CORE,
            step.where,
            readings[step.name],
            [readings[operation] for operation in step.floor],
        )
        for step in steps
    ]


def _at_the_sender(its: Specimens) -> list[Step]:
    schema = CompiledSchema.of(its.route.sed)
    rules = RuleSet.load(its.route.sed.rules)
    token, seal, keys = _TOKEN, its.sender.seal, its.sender.station.keys
    enveloped = msh.payload_content(its.payload)
    return [
        Step("decide and record (engine)", "S", lambda: _send(its)),
        Step("validate by the XSD", "SAR", lambda: schema.verdict(its.root), (Operation.SCHEMA,)),
        Step("check the business rules", "SAR", lambda: rules.check(its.root)),
        Step(
            "seal the SED (XAdES)",
            "S",
            lambda: xades.sign(its.root, seal, signing_time=its.at, token=token),
            (Operation.CANONICAL_SED, Operation.DIGEST_SED, Operation.SIGN),
        ),
        Step("write the SBDH round it", "S", lambda: sbdh.wrap(its.document.header, its.sealed)),
        Step(
            "compress",
            "S",
            lambda: msh.compressed_payload(its.payload.content_id, enveloped, "application/xml", "SED"),
            (Operation.COMPRESS,),
        ),
        Step(
            "pack and sign the message",
            "S",
            lambda: msh.pack_user_message(its.user_message, [its.payload], keys, token=token),
            (Operation.DIGEST_PART, Operation.SIGN),
        ),
    ]


def _send(its: Specimens) -> None:
    """Do what the engine does for one sending, as ``InstitutionNode.send_document`` asks it to."""
    actor = its.sent.documents[0].versions[0].actor
    created = engine.create(
        its.opened, its.process, its.incoming.type, document_id=_DOCUMENT, now=its.at, actor=actor
    )
    sent = engine.send(created.case, its.process, _DOCUMENT, now=its.at, actor=actor)
    effect = next(each for each in sent.effects if isinstance(each, SendDocument))
    engine.record_sent(sent.case, _DOCUMENT, effect.version, dict.fromkeys(effect.receivers, _ID))


def _on_the_way(its: Specimens) -> list[Step]:
    message = its.message
    return [
        Step(
            "unpack the message",
            "AR",
            lambda: msh.unpack(message.content_type, message.body),
            (Operation.PARSE_MESSAGE,),
        ),
        Step(
            "verify the message",
            "AR",
            lambda: _verify(its, its.unpacked, its.route.owner),
            (Operation.CANONICAL_MESSAGE, Operation.DIGEST_PART, Operation.VERIFY),
        ),
        Step(
            "look through the parts",
            "AR",
            lambda: msh.look_through([its.payload], lambda _part, _piece: None),
            (Operation.DECOMPRESS,),
        ),
        Step("decompress", "AR", lambda: msh.document_content(its.payload), (Operation.DECOMPRESS,)),
        Step("read SBDH and SED", "AR", _reading(its), (Operation.PARSE_DOCUMENT,)),
        Step("check parties, competence, process; route", "A", _inspection(its)),
    ]


def _verify(its: Specimens, message: Unpacked, sender: InstitutionId) -> object:
    station = its.network.access_point.station
    return msh.verify(message, candidates=station.ebms_certificates(sender), trust=station.trust, at=its.at)


def _reading(its: Specimens) -> Callable[[], object]:
    enveloped = msh.payload_content(its.payload)
    return lambda: sbdh.read(enveloped)


def _inspection(its: Specimens) -> Callable[[], object]:
    station = its.network.access_point.station
    rulebook = Rulebook(its.library.validator, its.library.processes)
    pipeline = Pipeline(_CHECKS, STEPS)
    repository = station.directory.current

    async def nothing(_case: str) -> tuple[Passed, ...]:
        return ()

    def run() -> None:
        inspected = pipeline.run(
            Inspection(
                message=its.user_message,
                unpacked=its.unpacked,
                repository=repository,
                rulebook=rulebook,
                at=its.at,
                passed=nothing,
                document=its.document,
            )
        )
        with suppress(StopIteration):  # nothing in it waits: one push runs it to its end
            inspected.send(None)
        route(its.route.counterparty, its.network.access_point.station.party, repository, its.at)

    return run


def _at_the_receiver(its: Specimens) -> list[Step]:
    station = its.receiver.station
    seals = station.directory.current.certificates_of(its.route.owner, Purpose.SEAL)
    return [
        Step(
            "verify the seal (XAdES)",
            "R",
            lambda: xades.verify(its.document.sed, trust=station.trust, expected=seals, at=its.at),
            (Operation.CANONICAL_SED, Operation.DIGEST_SED, Operation.VERIFY),
        ),
        Step("take into the case (engine)", "R", lambda: _receive(its)),
    ]


def _receive(its: Specimens) -> object:
    return engine.receive(
        None, its.process, its.incoming, case_id=its.sent.id, own=its.route.counterparty, now=its.at
    )


def _receipt(its: Specimens) -> list[Step]:
    receipt, keys = its.receipt, its.receiver.station.keys
    stamp = Stamp(_ID, its.at, _TOKEN)
    signed = msh.signed_references(its.unpacked)
    last = its.message.message_id
    return [
        Step(
            "pack and sign the receipt",
            "R",
            lambda: msh.pack_receipt(its.unpacked, keys, stamp=stamp, references=signed),
            (Operation.SIGN,),
        ),
        Step(
            "unpack the receipt",
            "AS",
            lambda: msh.unpack(receipt.content_type, receipt.body),
            (Operation.PARSE_RECEIPT,),
        ),
        Step(
            "verify the receipt",
            "AS",
            lambda: _verify(its, its.unpacked_receipt, its.route.counterparty),
            (Operation.CANONICAL_RECEIPT, Operation.VERIFY),
        ),
        Step(
            "compare the receipt with the message",
            "S",
            lambda: confirmation.check_receipt(its.unpacked_receipt, signed),
        ),
        Step(
            "record the delivery (engine)",
            "S",
            lambda: engine.record_delivery(
                its.sent, last, DeliveryStatus.DELIVERED, at=its.at + timedelta(seconds=1)
            ),
        ),
    ]
