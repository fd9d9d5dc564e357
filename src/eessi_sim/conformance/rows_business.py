"""Rows 7.6: replays, parties, routing, and what a message says about the business."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.model import MessageInfo, Party, Receipt, UserMessage
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import EESSI_SIGNALS
from eessi_sim.conformance.draft import Draft
from eessi_sim.conformance.model import Result, expect
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import NetworkPlay, Play, Stimulus, Wire, edited, fired, later, unit
from eessi_sim.conformance.setting import BA, FK, NAV, POINT, ZUS, setting
from eessi_sim.conformance.wire import Answer, Shot
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.sbdh import CaseAction, ContactTypeIdentifier, Partner
from eessi_sim.security.keys import KeyPair
from eessi_sim.transport.base import Response

OWNER, OTHER = ContactTypeIdentifier.CASE_OWNER, ContactTypeIdentifier.COUNTERPARTY


def business(change: Callable[[Range, Draft], Draft]) -> NetworkPlay:
    """A message whose document is wrong; the answer comes later."""
    return later(lambda live: Shot.of(live.signed(change(live, live.draft()))))


def work(**changes: Any) -> Play:  # fields of CollaborationInfo
    """The same for what the message is about."""
    return unit(lambda old: {"collaboration": replace(old.collaboration, **changes)})


def aged(age: timedelta) -> Play:
    """A message with a Timestamp that lies so far back."""
    return unit(lambda old: {"info": MessageInfo(old.info.message_id, datetime.now(UTC) - age)})


def named(text: str) -> NetworkPlay:
    """An unsigned message with another MessageId."""

    def make(live: Range) -> Shot:
        packed = live.unsigned()
        tag = "<eb:MessageId>{}</eb:MessageId>"
        body = packed.body.replace(tag.format(packed.message_id).encode(), tag.format(text).encode())
        return Shot.of(replace(packed, body=body))

    return fired(make)


# Replays


async def replayed(live: Range) -> Result:
    """The same octets again: the same receipt again, one delivery."""
    packed = live.packed()
    first = await live.submit(Shot.of(packed))
    second = await live.fire(Shot.of(packed))
    signals = await live.signals(packed.message_id, 2)
    expect(
        [type(each) for each in signals] == [Receipt, Receipt], "Expected two receipts, found something else"
    )
    expect(len({each.info.message_id for each in signals}) == 1, "Expected the same receipt, found another")
    states = [view.state for view in await live.views(ZUS) if view.message_id == packed.message_id]
    expect(states == ["delivered"], f"Expected one delivery, found {states}")
    return Result(f"{first.outcome}, {second.outcome} receipt", second.milliseconds)


async def same_id(live: Range) -> Result:
    """Other content under an id that was used: the first one stands."""
    draft = live.draft()
    await live.submit(Shot.of(live.signed(draft)))
    answer = await live.fire(Shot.of(live.signed(draft.with_scope(document_version=2))))
    return Result(answer.outcome, answer.milliseconds)


async def other_case(live: Range) -> Result:
    """An id in capitals is another id."""
    draft = live.draft()
    await live.submit(Shot.of(live.signed(draft)))
    other = live.draft().named(draft.unit.info.message_id.upper())
    return await live.submit(Shot.of(live.signed(other)))


def pull(live: Range) -> Shot:
    """A PullRequest of the attacker, signed."""
    mpc = f"{vocabulary.DEFAULT_MPC}/PL"
    return Shot.of(msh.pack_pull_request(mpc, live.keys[NAV].ebms, stamp=live.stamp(NAV)))


async def pulled_twice(live: Range) -> Result:
    """The same request again."""
    shot = pull(live)
    await live.fire(shot)
    answer = await live.fire(shot)
    return Result(answer.outcome, answer.milliseconds)


# Signals about a message of the receiver: it has sent one to the attacker, who answers.


def about(original: Unpacked, **changes: Any) -> Unpacked:  # fields of UserMessage
    """The message as if it had been another one, so that signals about it are routed otherwise."""
    assert isinstance(original.unit, UserMessage)
    return replace(original, unit=replace(original.unit, **changes))


def receipt(live: Range, original: Unpacked, keys: KeyPair | None = None, **how: Any) -> Packed:
    """A receipt of the attacker."""
    return msh.pack_receipt(original, keys or live.keys[NAV].ebms, stamp=live.stamp(NAV), **how)


def error(live: Range, original: Unpacked, keys: KeyPair | None) -> Packed:
    """An error about a message."""
    no = EbmsErrorCode.OTHER.error("No")
    return msh.pack_error([no], keys, about=original, stamp=live.stamp(NAV))


def signalled(
    make: Callable[[Range, Unpacked], Packed], *, at: InstitutionId = POINT, client: InstitutionId = NAV
) -> NetworkPlay:
    """Send a signal about a message of PL:ZUS01; the message must go on waiting for its receipt."""

    async def play(live: Range) -> Result:
        original = await live.sent_by_receiver()
        answer = await live.fire(Shot.of(make(live, original), to=at, client=client))
        if at == POINT and answer.status == 202:
            await live.good_message()  # what was forwarded has arrived before this one is answered
        state = await live.state_of_sent(original.message_id)
        good = await live.fire(Shot.of(receipt(live, original)))
        expect(good.status == 202, f"Expected 202 for the good receipt, found {good.outcome}")
        await live.until_sent(original.message_id, "delivered")
        return Result(f"{answer.outcome} {state}", answer.milliseconds)

    return play


def wrong_digests(live: Range, original: Unpacked) -> Packed:
    """A receipt with a digest that is not that of the message."""
    found = msh.signed_references(original)
    return receipt(live, original, references=(replace(found[0], digest_value=bytes(32)), *found[1:]))


def some_digests(live: Range, original: Unpacked) -> Packed:
    """A receipt for a part of the message."""
    return receipt(live, original, references=msh.signed_references(original)[:1])


def unsigned_receipt(live: Range, original: Unpacked) -> Packed:
    """A receipt without signature."""
    return msh.pack_receipt(original, None, stamp=live.stamp(NAV))


async def receipt_again(live: Range) -> Result:
    """A receipt that came before."""
    original = await live.sent_by_receiver()
    packed = receipt(live, original)
    await live.fire(Shot.of(packed))
    await live.until_sent(original.message_id, "delivered")
    again = await live.fire(Shot.of(packed))
    straight = await live.fire(Shot.of(packed, to=ZUS, client=POINT))
    state = await live.state_of_sent(original.message_id)
    return Result(f"{again.outcome} {straight.outcome} {state}", again.milliseconds)


def unknown(original: Unpacked) -> Unpacked:
    """A message that nobody has sent."""
    assert isinstance(original.unit, UserMessage)
    return about(
        original, info=MessageInfo(MessageId(f"{uuid4()}@{ZUS.domain}"), original.unit.info.timestamp)
    )


async def error_about_error(live: Range) -> Result:
    """An error about an error that the access point has sent, in a form that it would forward."""
    draft = live.draft()
    wrong = draft.with_scope(buc=setting().unknown_process)
    await live.submit(Shot.of(live.signed(wrong)))
    (signal,) = await live.signals(wrong.unit.info.message_id, 1)
    known = live.unpacked(live.unsigned(draft.named(signal.info.message_id)))
    back = about(known, sender=Party(ZUS), receiver=Party(NAV))
    answer = await live.fire(Shot.of(error(live, back, live.keys[NAV].ebms)))
    expect(b"SignalMessage" not in answer.body, "Expected no signal in the answer, found one")
    return Result(answer.outcome, answer.milliseconds)


async def message_for_a_receipt(live: Range) -> Result:
    """A user message in the answer to a message that was brought."""
    evil = live.packed()
    live.boxes[FK].instead = [Response(200, {"content-type": evil.content_type}, evil.body)]
    ping = live.ping(FK)
    answer: Answer = await live.fire(Shot.of(ping))
    await live.until_served(FK)
    return Result(answer.outcome, answer.milliseconds, evil.message_id)


# Routing


def routed(change: Callable[[Unpacked], Unpacked]) -> Callable[[Range, Unpacked], Packed]:
    """A receipt whose way back is another one."""

    def make(live: Range, original: Unpacked) -> Packed:
        return receipt(live, change(original), references=msh.signed_references(original))

    return make


def rerouted(live: Range) -> Shot:
    """A user message with a routing header to somebody else."""
    draft = live.draft()
    packed = live.signed(draft)
    other = msh.unpack(packed.content_type, packed.body)
    blocks = msh.routing_blocks(
        replace(draft.unit, sender=Party(FK), receiver=Party(NAV)),
        vocabulary.RECEIPT_ACTION,
        "",
        EESSI_SIGNALS,
    )
    body = other.body.replace(b"<eb:Messaging ", blocks.encode() + b"<eb:Messaging ", 1)
    return Shot.of(replace(packed, body=body))


def stripped(live: Range) -> Shot:
    """A message whose signed role was removed on the way."""
    packed = live.packed()
    return Shot.of(
        replace(packed, body=packed.body.replace(f' S12:role="{vocabulary.NEXT_MSH}"'.encode(), b"", 1))
    )


def looped(live: Range) -> Shot:
    """The access point gets what it sent."""
    return Shot.of(live.packed(), client=POINT)


def channel(text: str) -> Play:
    """Another channel in a user message."""
    return unit(lambda _: {"mpc": text})


def suspended(live: Range) -> Shot:
    """A message of an institution whose entry has ended, with its own keys."""
    draft = live.draft().addressed(sender=BA).with_header(sender=Partner(BA, OWNER))
    return Shot.of(live.signed(draft, live.keys[BA].ebms), client=BA)


def noted(make: Callable[[Range], Shot], code: str) -> NetworkPlay:
    """Brought to the receiver as the access point would; the refusal is in its journal."""

    async def play(live: Range) -> Result:
        shot = replace(make(live), to=ZUS, client=POINT)
        answer = await live.fire(shot)
        entries = await live.journal(ZUS, shot.message_id)
        expect(("refused", code) in entries, f"Expected the refusal in the journal, found {entries}")
        return Result(f"{answer.outcome} {code}", answer.milliseconds, shot.message_id)

    return play


def to(party: str) -> Callable[[Range], Shot]:
    """A message to somebody."""
    return lambda live: Shot.of(live.signed(live.draft().addressed(receiver=party)))


# Business


def refused_by_receiver(change: Callable[[Range, Draft], Draft]) -> NetworkPlay:
    """The access point lets it pass; the receiver gives a receipt for the message and refuses the document."""

    async def play(live: Range) -> Result:
        packed = live.signed(change(live, live.draft()))
        result = await live.submit(Shot.of(packed))
        state = await live.until_settled(ZUS, packed.message_id)
        return Result(f"{result.outcome} {state}", result.milliseconds)

    return play


def brought(change: Callable[[Range, Draft], Draft]) -> NetworkPlay:
    """The same, brought by an access point that checks no documents."""

    async def play(live: Range) -> Result:
        packed = live.signed(change(live, live.draft()))
        answer = await live.fire(Shot.of(packed, to=ZUS, client=POINT))
        state = await live.until_settled(ZUS, packed.message_id)
        return Result(f"{answer.outcome} {state}", answer.milliseconds)

    return play


def unsealed(_: Range, draft: Draft) -> Draft:
    """The document without its seal."""
    start, end = (
        draft.sed.index(b"<ds:Signature"),
        draft.sed.index(b"</ds:Signature>") + len(b"</ds:Signature>"),
    )
    return replace(draft, sed=draft.sed[:start] + draft.sed[end:])


def wrapped_seal(_: Range, draft: Draft) -> Draft:
    """The sealed document hidden inside the signature of a forged one (XSW-10)."""
    signed = xmlsafe.exclusive_c14n(xmlsafe.parse(draft.sed))
    forged = signed.replace(setting().open_tag, setting().open_tag + b"Evil", 1)
    end = forged.index(b"</ds:Signature>")
    return replace(draft, sed=forged[:end] + b"<ds:Object>" + signed + b"</ds:Object>" + forged[end:])


def resealed(live: Range, draft: Draft) -> Draft:
    """The document under the seal of another institution."""
    return draft.edited(b"^", b"", live.keys[FK].seal)


def malware(live: Range) -> Shot:
    """The harmless test file of virus scanners as attachment."""
    test = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    draft = live.draft()
    part = msh.compressed_payload(
        "virus-1@pl.example", b"x" * 5_000_000 + test, "application/octet-stream", "Attachment"
    )
    return Shot.of(draft.packed(live.keys[NAV].ebms, payloads=(live.payloads(draft)[0], part)))


def script(live: Range, draft: Draft) -> Draft:
    """Markup and a formula where a name should be."""
    text = b"&lt;script&gt;alert(1)&lt;/script&gt;=cmd|' /C calc'!A0"
    return draft.edited(setting().open_tag + b"[^<]*", setting().open_tag + text, live.keys[NAV].seal)


async def versions(live: Range) -> Result:
    """Version 2, then 2 again, then 1: the receiver files each once, or says why not."""
    first = live.draft()
    states = []
    for number, action in (
        (1, CaseAction.START),
        (3, CaseAction.UPDATE),
        (3, CaseAction.UPDATE),
        (2, CaseAction.UPDATE),
    ):
        draft = first.named(f"{uuid4()}@{NAV.domain}").with_scope(document_version=number)
        packed = live.signed(draft.with_document(case_action=action))
        result = await live.submit(Shot.of(packed))
        state = await live.until_settled(ZUS, packed.message_id)
        expect(state == "delivered", f"Expected a delivery, found {result.outcome} {state}")
        (filed,) = (
            outcome for step, outcome in await live.journal(ZUS, packed.message_id) if step == "filed"
        )
        states.append(f"{number} {filed}")
    return Result(", ".join(states))


def _self_reference(live: Range) -> Shot:
    packed = live.unsigned()
    tag = f"<eb:RefToMessageId>{packed.message_id}</eb:RefToMessageId></eb:MessageInfo>"
    return Shot.of(replace(packed, body=packed.body.replace(b"</eb:MessageInfo>", tag.encode(), 1)))


MPC = vocabulary.DEFAULT_MPC
PARTY = f'<eb:PartyId type="{vocabulary.PARTY_TYPE}">PL:ZUS01</eb:PartyId>'
ROLE = f"<eb:Role>{vocabulary.INSTITUTION_ROLE}</eb:Role>"

REPLAYS: tuple[Stimulus | Wire, ...] = (
    Stimulus("RP-1", "exact replay", replayed),
    Stimulus("RP-2", "replay behind the window", aged(timedelta(days=31))),
    Stimulus("RP-3", "same id, other content", same_id),
    Stimulus("RP-4", "replayed PullRequest", pulled_twice),
    Stimulus("RP-5", "replayed receipt", receipt_again),
    Stimulus("RP-6", "receipt for an unknown message, at the access point", signalled(lambda live, m: receipt(live, unknown(m), references=msh.signed_references(m)))),
    Stimulus("RP-6", "receipt for an unknown message, at the institution", signalled(lambda live, m: receipt(live, unknown(m), references=msh.signed_references(m)), at=ZUS, client=POINT), target=ZUS),
    Stimulus("RP-7", "wrong digest", signalled(wrong_digests), target=ZUS),
    Stimulus("RP-7", "some digests", signalled(some_digests), target=ZUS),
    Stimulus("RP-8", "signed by another, at the access point", signalled(lambda live, m: receipt(live, m, live.keys[FK].ebms))),
    Stimulus("RP-8", "signed by another, at the institution", signalled(lambda live, m: receipt(live, m, live.keys[FK].ebms), at=ZUS, client=POINT), target=ZUS),
    Stimulus("RP-9", "unsigned, at the access point", signalled(unsigned_receipt)),
    Stimulus("RP-9", "unsigned, at the institution", signalled(unsigned_receipt, at=ZUS, client=POINT), target=ZUS),
    Stimulus("RP-10", "unsigned error, at the access point", signalled(lambda live, m: error(live, m, None))),
    Stimulus("RP-10", "unsigned error, at the institution", signalled(lambda live, m: error(live, m, None), at=ZUS, client=POINT), target=ZUS),
    Stimulus("RP-10", "error of a third party", signalled(lambda live, m: error(live, m, live.keys[FK].ebms), at=ZUS, client=POINT), target=ZUS),
    Stimulus("RP-11", "10 minutes ahead", aged(timedelta(minutes=-10))),
    Stimulus("RP-11", "a year back", aged(timedelta(days=365))),
    Wire("RP-11", "no time", edited(("</eb:Timestamp>", "x</eb:Timestamp>"))),
    Stimulus("RP-12", "brackets", named("&lt;a@b&gt;")),
    Stimulus("RP-12", "blank", named("a b@c")),
    Stimulus("RP-12", "path", named("..\\..\\a@b")),
    Stimulus("RP-12", "no domain", named("abc")),
    Stimulus("RP-12", "too long", named("a" * 250 + "@" + "b" * 20)),
    Stimulus("RP-12", "other case", other_case),
    Stimulus("RP-13", "refers to itself", fired(_self_reference)),
)  # fmt: skip


PARTIES: tuple[Stimulus | Wire, ...] = (
    Wire("PT-1", "unknown From", unit(lambda u: {"sender": replace(u.sender, id="NO:NOBODY")})),
    Wire("PT-2", "unknown To, at the access point", unit(lambda u: {"receiver": replace(u.receiver, id="PL:NOBODY")})),
    Stimulus("PT-2", "unknown To, at the institution", noted(to("PL:NOBODY"), "EBMS:0003"), target=ZUS),
    Stimulus("PT-3", "another To, at the institution", noted(to(FK), "EBMS:0003"), target=ZUS),
    Wire("PT-4", "no type", unit(lambda u: {"receiver": replace(u.receiver, type=None)})),
    Wire("PT-4", "other type", unit(lambda u: {"sender": replace(u.sender, type="urn:other")})),
    Wire("PT-5", "From and To", unit(lambda u: {"receiver": replace(u.receiver, id=u.sender.id)})),
    Wire("PT-6", "two PartyIds", edited((PARTY, PARTY + PARTY.replace("PL:ZUS01", "SE:FKSE01")))),
    Stimulus("PT-7", "To is suspended", fired(to(BA))),
    Stimulus("PT-7", "From is suspended", fired(suspended)),
    Wire("PT-8", "unknown Service", work(service="Other")),
    Wire("PT-8", "unknown Action", work(action="Other")),
    Wire("PT-8", "other type of Service", work(service_type="urn:other")),
    Wire("PT-9", "wrong Role", unit(lambda u: {"sender": replace(u.sender, role="urn:other")})),
    Wire("PT-9", "no Role", edited((PARTY + ROLE, PARTY))),
    Wire("PT-10", "other MPC", channel("urn:mpc")),
    Stimulus("PT-11", "brought by another institution", fired(lambda live: Shot.of(live.packed(), to=ZUS, client=FK)), target=ZUS),
)  # fmt: skip

ROUTING: tuple[Stimulus | Wire, ...] = (
    Stimulus("RI-1", "routed to another institution", signalled(routed(lambda m: about(m, sender=Party(FK))))),
    Stimulus("RI-1", "routed to nobody", signalled(routed(lambda m: about(m, sender=Party("PL:NOBODY"))))),
    Stimulus("RI-2", "RoutingInput on a user message", fired(rerouted)),
    Stimulus("RI-3", "role removed", fired(stripped)),
    Stimulus("RI-4", "message comes back to the access point", fired(looped)),
    Stimulus("RI-5", "PullRequest for the next MSH", fired(lambda live: _edited_pull(live, "S12:mustUnderstand=", f'S12:role="{vocabulary.NEXT_MSH}" S12:mustUnderstand='))),
    Stimulus("RI-5", "PullRequest with To icloud", fired(lambda live: _edited_pull(live, "<eb:Messaging ", f'<wsa:To xmlns:wsa="{vocabulary.WSA}">{vocabulary.ICLOUD}</wsa:To><eb:Messaging '))),
    Stimulus("RI-6", "MPC of another institution", fired(pull)),
    *(Wire("RI-7", name, channel(text)) for name, text in {"empty suffix": MPC + "/", "dots": MPC + "/..", "capitals": MPC.upper(), "prefix": MPC[:-1], "sub-channel": MPC + "/PL"}.items()),
    Stimulus("RI-8", "error about an error", error_about_error),
    Stimulus("RI-9", "user message in place of an answer", message_for_a_receipt),
    Stimulus("RI-9", "PullRequest at the institution", fired(lambda live: replace(pull(live), to=ZUS, client=POINT)), target=ZUS),
)  # fmt: skip


def _edited_pull(live: Range, old: str, new: str) -> Shot:
    shot = pull(live)
    before, found, behind = shot.body.rpartition(old.encode())
    expect(bool(found), f"Expected {old} in the request")
    return replace(shot, body=before + new.encode() + behind)


BUSINESS: tuple[Stimulus | Wire, ...] = (
    Stimulus("BU-1", "another sender in the envelope", business(lambda _, d: d.with_header(sender=Partner(FK, OWNER)))),
    Stimulus("BU-1", "another receiver in the envelope", business(lambda _, d: d.with_header(receivers=(Partner(FK, OTHER),)))),
    Stimulus("BU-2", "another type in the envelope", business(lambda _, d: d.with_document(type=setting().other_document))),
    Stimulus("BU-3", "invalid document", business(lambda live, d: d.edited(setting().open_tag + b".*?" + setting().close_tag, b"", live.keys[NAV].seal))),
    Stimulus("BU-4", "no seal", refused_by_receiver(unsealed), target=ZUS),
    Stimulus("BU-4", "seal of another institution", refused_by_receiver(resealed), target=ZUS),
    Stimulus("BU-4", "changed behind the seal", refused_by_receiver(lambda _, d: d.edited(setting().open_tag, setting().open_tag + b"x")), target=ZUS),
    Stimulus("XSW-10", "sealed document inside a forged one", business(wrapped_seal)),
    Stimulus("XSW-10", "the same at the institution", brought(wrapped_seal), target=ZUS),
    Stimulus("BU-5", "unknown process", business(lambda _, d: d.with_scope(buc=setting().unknown_process))),
    Stimulus("BU-5", "wrong role", business(lambda _, d: d.with_roles(OTHER, OWNER))),
    Stimulus("BU-5", "action of other messages", business(lambda _, d: d.with_document(case_action=CaseAction.REQUEST))),
    Stimulus("BU-6", "sender not competent", business(lambda _, d: d.with_scope(buc=setting().foreign_process))),
    Stimulus("BU-7", "gap, equal, lower", versions, target=ZUS),
    Stimulus("BU-8", "malware", later(malware)),
    Stimulus("BU-9", "markup in a name", refused_by_receiver(script), target=ZUS),
)  # fmt: skip

STIMULI = (*REPLAYS, *PARTIES, *ROUTING, *BUSINESS)
