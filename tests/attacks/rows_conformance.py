"""Rows of the conformance list that need a live network: what must be accepted, and how signals may look."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.attacks.live import Range, Shot
from tests.attacks.row import Play, Result, Row, called_back, fired, later
from tests.attacks.rows_business import error, receipt, signalled
from tests.attacks.rows_packaging import suites
from tests.helpers.attached import PDF, forged_part, listed
from tests.helpers.lab import NAV, ZUS

from eessi_sim import sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.model import EbmsError, MessageProperty, Payload, Receipt, Severity, UserMessage
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import AS4_SIGNALS, EESSI_SIGNALS, SignalStyle

PASSED = "202 receipt"


def parts(make: Callable[[bytes], list[Payload]], number: int = 0) -> Play:
    """A good document in parts of any kind; the receipt has one reference for each, one for the header, one for the Body."""

    async def play(live: Range) -> Result:
        draft = live.draft()
        header = replace(draft.header, attachments=tuple(listed(n) for n in range(number)))
        payloads = make(sbdh.wrap(header, draft.sed))
        packed = draft.packed(live.keys[NAV].ebms, payloads=tuple(payloads))
        result = await called_back(live, Shot.of(packed))
        (signal, *_) = await live.signals(packed.message_id, 1)
        assert isinstance(signal, Receipt)
        assert {(r.uri, r.digest_value) for r in signal.references} == {
            (r.uri, r.digest_value) for r in packed.digests
        }
        assert len(signal.references) == 2 + len(payloads)
        assert await live.until_settled(ZUS, packed.message_id) == "delivered"
        arrived = await live.network.readers[ZUS].message("in", packed.message_id)
        assert arrived is not None
        assert arrived.body == packed.body  # order, properties and octets of all parts
        return result

    return play


def attachments(number: int) -> Play:
    """The SED and so many attachments."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED"),
            *(forged_part(n) for n in range(number)),
        ],
        number,
    )


def large() -> Play:
    """An attachment of 50 MB that travels as it is."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED"),
            forged_part(0, PDF.ljust(50 * 1024 * 1024, b"\0"), compressed=False),
        ],
        1,
    )


def characters(name: str) -> Play:
    """A SED whose part says its character set."""
    return parts(
        lambda sed: [
            msh.compressed_payload("sed-1@pl.example", sed, "application/xml", "SED", character_set=name)
        ]
    )


def utf16(sed: bytes) -> list[Payload]:
    text = sed.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")
    return [
        msh.compressed_payload("sed-1@pl.example", text, "application/xml", "SED", character_set="UTF-16")
    ]


def with_properties(live: Range) -> Shot:
    properties = (MessageProperty("note", "x"), MessageProperty("other", "y", "urn:type"))
    return Shot.of(live.packed(live.draft().with_unit(properties=properties)))


def styled(style: SignalStyle, change: Callable[[Packed], Packed] = lambda packed: packed) -> Play:
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


def failed(error_: EbmsError, state: str) -> Play:
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
    assert found[-1] == "failure"
    return Result(f"{answer.outcome} {await live.state_of_sent(original.message_id)}", answer.milliseconds)


async def pinged(live: Range) -> Result:
    """A test message: a receipt, and no document."""
    before = await live.network.controls[ZUS].cases()
    result = await called_back(live, Shot.of(live.ping(ZUS)))
    assert len(await live.network.controls[ZUS].cases()) == len(before)
    return result


def without_routing(live: Range, original: Unpacked) -> Packed:
    """A receipt as if the message had not been multi-hop."""
    assert isinstance(original.unit, UserMessage)
    plain = replace(original, envelope=replace(original.envelope, is_multihop=False))
    return receipt(live, plain, references=msh.signed_references(original))


def compressed_after_signing(live: Range) -> Shot:
    """A part that was signed as it is and compressed afterwards."""
    draft = live.draft()
    wrapped = sbdh.wrap(draft.header, draft.sed)
    later_ = msh.compressed_payload("sed-1@pl.example", wrapped, "application/xml", "SED")
    made = live.forgery(draft, payloads=(replace(later_, octets=wrapped),))
    references = made.usual_references()
    return Shot.of(replace(made, payloads=(later_,), references=references).packed())


def failure(code: str, severity: Severity = Severity.FAILURE) -> EbmsError:
    return EbmsError(code, severity, "Other", "No")


def point_to_point(live: Range) -> Shot:
    return Shot.of(live.packed(multihop=False))


def changed(**style: Any) -> SignalStyle:  # fields of SignalStyle
    return replace(EESSI_SIGNALS, **style)


def no_payload_type(sed: bytes) -> list[Payload]:
    """A SED that travels as application/xml."""
    return [msh.plain_payload("sed-1@pl.example", sed, "application/xml", "SED")]


ROWS = [
    Row("E-01", "push, receipt by callback", PASSED, attachments(1)),
    Row("E-10", "not multi-hop", "EBMS:0010", fired(point_to_point)),
    Row("E-11", "signal without RoutingInput", "EBMS:0020 awaiting-receipt", signalled(without_routing)),
    Row("E-15", "no attachment", PASSED, attachments(0)),
    Row("E-15", "one attachment", PASSED, attachments(1)),
    Row("E-15", "ten attachments", PASSED, attachments(10)),
    Row("E-16", "uncompressed SED", PASSED, parts(no_payload_type)),
    Row("E-16", "gzip SED", PASSED, attachments(0)),
    Row("E-23", ".response", "202 delivered", styled(EESSI_SIGNALS)),
    Row("E-23", ".receipt, MPC with suffix, no role", "202 delivered", styled(AS4_SIGNALS)),
    Row("E-23", "no suffix", "202 delivered", styled(changed(receipt_suffix=""))),
    Row("E-23", "MPC with suffix, role", "202 delivered", styled(changed(has_mpc_suffix=True))),
    Row("E-24", "Security last", "202 delivered", styled(EESSI_SIGNALS, turned_round)),
    Row("E-26", "ping", PASSED, pinged),
    Row("E-27", "error after the receipt", "202 delivered", error_after_receipt),
    Row("E-28", "warning", "202 awaiting-receipt", failed(failure("EBMS:0004", Severity.WARNING), "awaiting-receipt")),
    Row("E-29", "unknown code", "202 rejected", failed(failure("EBMS:9999"), "rejected")),
    Row("E-31", "attachment of 50 MB", PASSED, large(), megabytes=400.0, note="held in memory, not yet streamed"),
    Row("TA20", "message properties", PASSED, later(with_properties)),
    Row("TA22", "receipt in a multipart", "202 delivered", styled(EESSI_SIGNALS, in_multipart)),
    Row("TA27", "UTF-16", PASSED, parts(utf16)),
    Row("TA28", "UTF-8", PASSED, characters("UTF-8")),
    Row("TA35", "sign then compress", "EBMS:0101", fired(compressed_after_signing)),
    Row("TA43", "TLS 1.2 with a listed suite", "400", fired(suites("ECDHE-ECDSA-AES128-GCM-SHA256")), note="the handshake is made; one octet is no message"),
]  # fmt: skip
