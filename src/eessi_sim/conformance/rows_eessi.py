"""Rows of the conformance list that need a live network: what must be accepted, and how signals may look."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from eessi_sim.as4 import msh
from eessi_sim.as4.model import EbmsError, MessageProperty, Payload, Receipt, Severity
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import AS4_SIGNALS, EESSI_SIGNALS, SignalStyle
from eessi_sim.conformance.bench import Bench
from eessi_sim.conformance.draft import PDF, forged_part
from eessi_sim.conformance.model import Result, expect
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import NetworkPlay, Stimulus, Wire, fired, sent, submitted
from eessi_sim.conformance.rows_business import error, receipt, signalled
from eessi_sim.conformance.rows_packaging import suites
from eessi_sim.conformance.setting import FK, NAV, POINT, ZUS
from eessi_sim.conformance.wire import Shot
from eessi_sim.security.xmldsig import Reference
from eessi_sim.simulation.views import MOST_SHOWN


def parts(make: Callable[[bytes], list[Payload]], files: int = 0) -> NetworkPlay:
    """A good document in parts of any kind; the receipt has one reference for each, one for the header, one for the Body."""

    async def play(live: Range) -> Result:
        packed = live.packed(parts=make, files=files)
        result = await live.submit(Shot.of(packed))
        (signal, *_) = await live.signals(packed.message_id, 1)
        confirmed = signal.references if isinstance(signal, Receipt) else ()
        expect(_digests(confirmed) == _digests(packed.digests), "Expected all digests in the receipt")
        number = len(live.unpacked(packed).parts)
        expect(len(confirmed) == 2 + number, f"Expected {2 + number} references, found {len(confirmed)}")
        state = await live.until_settled(ZUS, packed.message_id)
        expect(state == "delivered", f"Expected a delivery, found {state}")
        if len(packed.body) <= MOST_SHOWN:  # of a larger one only the digests in the receipt tell
            arrived = await live.network.readers[ZUS].message("in", packed.message_id)
            # Order, properties and octets of all parts.
            is_same = arrived is not None and arrived.body == packed.body
            expect(is_same, "Expected the octets that were sent at the receiver")
        return result

    return play


def _digests(references: Iterable[Reference]) -> set[tuple[str | None, bytes]]:
    return {(each.uri, each.digest_value) for each in references}


def attachments(number: int) -> NetworkPlay:
    """The SED and so many attachments."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED"),
            *(forged_part(n) for n in range(number)),
        ],
        number,
    )


def large() -> NetworkPlay:
    """An attachment of 50 MB that travels as it is."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED"),
            forged_part(0, PDF.ljust(50 * 1024 * 1024, b"\0"), compressed=False),
        ],
        1,
    )


def characters(name: str) -> NetworkPlay:
    """A SED whose part says its character set."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED", character_set=name)
        ]
    )


def utf16(sed: bytes) -> list[Payload]:
    """The document in UTF-16."""
    text = sed.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    return [
        msh.compressed_payload("sed-1@pl.example", text, "application/xml", "SED", character_set="UTF-16")
    ]


def with_properties(live: Bench) -> Shot:
    """Properties of the message, one of them with a type."""
    properties = (MessageProperty("note", "x"), MessageProperty("other", "y", "urn:type"))
    return Shot.of(live.packed(lambda unit: replace(unit, properties=properties)))


def styled(style: SignalStyle, change: Callable[[Packed], Packed] = lambda packed: packed) -> NetworkPlay:
    """A receipt in another form: it must reach the sender."""

    async def play(live: Range) -> Result:
        original = await live.sent_by_receiver()
        packed = change(receipt(live, original, style=style))
        answer = await live.fire(Shot.of(packed))
        await live.until_sent(original.message_id, "delivered")
        return Result(f"{answer.outcome} delivered", answer.milliseconds)

    return play


def in_multipart(packed: Packed) -> Packed:
    """The same as the only part of a multipart."""
    head = b"--b\r\nContent-ID: <root@x>\r\nContent-Type: application/soap+xml; charset=utf-8\r\n\r\n"
    frame = 'multipart/related; type="application/soap+xml"; start="<root@x>"; boundary="b"'
    return replace(packed, content_type=frame, body=head + packed.body + b"\r\n--b--\r\n")


def turned_round(packed: Packed) -> Packed:
    """The same header blocks in the other order, Security last."""
    head, _, rest = packed.body.partition(b"<S12:Header>")
    header, _, tail = rest.partition(b"</S12:Header>")
    security, end, others = header.partition(b"</wsse:Security>")
    body = b"".join((head, b"<S12:Header>", others, security, end, b"</S12:Header>", tail))
    return replace(packed, body=body)


def failed(error_: EbmsError, state: str) -> NetworkPlay:
    """An error of the receiver about a message that waits for its receipt."""

    async def play(live: Range) -> Result:
        original = await live.sent_by_receiver()
        packed = msh.pack_error([error_], live.keys[NAV].ebms, about=original, stamp=live.stamp(NAV))
        answer = await live.fire(Shot.of(packed))
        await live.good_message()
        await live.until_sent(original.message_id, state)
        return Result(f"{answer.outcome} {state}", answer.milliseconds)

    return play


async def error_after_receipt(live: Range) -> Result:
    """An error about a message that was receipted: noted, and the message stays delivered."""
    original = await live.sent_by_receiver()
    await live.fire(Shot.of(receipt(live, original)))
    await live.until_sent(original.message_id, "delivered")
    packed = error(live, original, live.keys[NAV].ebms)
    answer = await live.fire(Shot.of(packed))
    await live.good_message()
    found = [outcome for _, outcome in await live.journal(ZUS, original.message_id)]
    expect(found[-1] == "failure", f"Expected the error in the journal, found {found[-1]}")
    return Result(f"{answer.outcome} {await live.state_of_sent(original.message_id)}", answer.milliseconds)


async def pinged(live: Range) -> Result:
    """A test message: a receipt, and no document."""
    before = await live.network.controls[ZUS].cases()
    result = await live.submit(Shot.of(live.ping(ZUS)))
    after = await live.network.controls[ZUS].cases()
    expect(len(after) == len(before), "Expected no new case, found one")
    return result


def without_routing(live: Range, original: Unpacked) -> Packed:
    """A receipt as if the message had not been multi-hop."""
    plain = replace(original, envelope=replace(original.envelope, is_multihop=False))
    return receipt(live, plain, references=msh.signed_references(original))


def compressed_after_signing(live: Bench) -> Shot:
    """A part that was signed as it is and compressed afterwards."""
    made = live.forgery()
    whole = made.payloads[0]
    readable = replace(whole, octets=msh.payload_content(whole))
    references = replace(made, payloads=(readable, *made.payloads[1:])).usual_references()
    return Shot.of(replace(made, references=references).packed())


def failure(code: str, severity: Severity = Severity.FAILURE) -> EbmsError:
    """An error of the receiver."""
    return EbmsError(code, severity, "Other", "No")


async def receiver_is_gone(live: Range) -> Result:
    """A receiver that stays away: the access point gives up and tells the sender."""
    box = live.boxes[FK]
    box.away = True
    try:
        return await live.submit(Shot.of(live.ping(FK)))
    finally:
        box.away = False


async def receipt_lost(live: Range) -> Result:
    """A message without receipt is brought again, with the same id and digests; the receipt for it counts."""
    original = await live.sent_by_receiver()
    again = await live.again(original)
    same = _digests(msh.signed_references(again)) == _digests(msh.signed_references(original))
    expect(same, "Expected the same digests in the retry")
    answer = await live.fire(Shot.of(receipt(live, again)))
    await live.until_sent(original.message_id, "delivered")
    return Result(f"{answer.outcome} delivered", answer.milliseconds)


async def power_cut(live: Range) -> Result:
    """The access point is killed as soon as it has taken a message, and started again: one delivery."""
    packed = live.packed()
    answer = await live.fire(Shot.of(packed))
    await live.restart(POINT)
    found = await live.callback(packed.message_id)
    states = [view.state for view in await live.views(ZUS) if view.message_id == packed.message_id]
    expect(states == ["delivered"], f"Expected one delivery, found {states}")
    return Result(f"{answer.outcome} {found}", answer.milliseconds)


def point_to_point(live: Range) -> Shot:
    """A message that is not for intermediaries."""
    return Shot.of(live.draft().packed(live.keys[NAV].ebms, multihop=False))


def changed(**style: Any) -> SignalStyle:  # fields of SignalStyle
    """The style of EESSI with a difference."""
    return replace(EESSI_SIGNALS, **style)


def no_payload_type(sed: bytes) -> list[Payload]:
    """A SED that travels as application/xml."""
    return [msh.plain_payload("sed-1@pl.example", sed, "application/xml", "SED")]


STIMULI: tuple[Stimulus | Wire, ...] = (
    Stimulus("E-01", "push, receipt by callback", attachments(1)),
    Stimulus("E-06", "receiver stays away", receiver_is_gone),
    Stimulus("E-10", "not multi-hop", fired(point_to_point)),
    Stimulus("E-11", "signal without RoutingInput", signalled(without_routing)),
    Stimulus("E-13", "receipt lost", receipt_lost),
    Stimulus("E-15", "no attachment", attachments(0)),
    Stimulus("E-15", "one attachment", attachments(1)),
    Stimulus("E-15", "ten attachments", attachments(10)),
    Stimulus("E-16", "uncompressed SED", parts(no_payload_type)),
    Stimulus("E-16", "gzip SED", attachments(0)),
    Stimulus("E-23", ".response", styled(EESSI_SIGNALS)),
    Stimulus("E-23", ".receipt, MPC with suffix, no role", styled(AS4_SIGNALS)),
    Stimulus("E-23", "no suffix", styled(changed(receipt_suffix=""))),
    Stimulus("E-23", "MPC with suffix, role", styled(changed(has_mpc_suffix=True))),
    Stimulus("E-24", "Security last", styled(EESSI_SIGNALS, turned_round)),
    Stimulus("E-26", "ping", pinged),
    Stimulus("E-27", "error after the receipt", error_after_receipt),
    Stimulus("E-28", "warning", failed(failure("EBMS:0004", Severity.WARNING), "awaiting-receipt")),
    Stimulus("E-29", "unknown code", failed(failure("EBMS:9999"), "rejected")),
    Stimulus("E-31", "attachment of 50 MB", large()),
    Stimulus("E-32", "access point killed and started", power_cut),
    Wire("TA20", "message properties", submitted(with_properties)),
    Stimulus("TA22", "receipt in a multipart", styled(EESSI_SIGNALS, in_multipart)),
    Stimulus("TA27", "UTF-16", parts(utf16)),
    Stimulus("TA28", "UTF-8", characters("UTF-8")),
    Wire("TA35", "sign then compress", sent(compressed_after_signing)),
    Stimulus("TA43", "TLS 1.2 with a listed suite", fired(suites("ECDHE-ECDSA-AES128-GCM-SHA256"))),
)  # fmt: skip
