"""Rows 7.6: replays, parties, routing, and what a message says about the business."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.attacks.live import Answer, Range, Shot
from tests.attacks.row import Play, Result, Row, called_back, edited, fired, later
from tests.helpers.forge import Draft
from tests.helpers.lab import BA, FK, NAV, POINT, ZUS

from eessi_sim import xmlsafe
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.as4.model import MessageInfo, Party, Receipt, UserMessage
from eessi_sim.as4.msh import Packed, Unpacked
from eessi_sim.as4.pmode import EESSI_SIGNALS
from eessi_sim.identifiers import BucType, InstitutionId, MessageId, SedType
from eessi_sim.sbdh import CaseAction, ContactTypeIdentifier, Partner
from eessi_sim.security.keys import KeyPair
from eessi_sim.transport.base import Response

OWNER, OTHER = ContactTypeIdentifier.CASE_OWNER, ContactTypeIdentifier.COUNTERPARTY


def drafted(change: Callable[[Range, Draft], Draft], **shot: Any) -> Play:  # fields of Shot
    """A signed message with something wrong in its header, answered at the entrance."""
    return fired(lambda live: Shot.of(live.packed(change(live, live.draft())), **shot))


def unit(change: Callable[[UserMessage], dict[str, object]], **shot: Any) -> Play:  # as above
    """The same for fields of the ebMS header."""
    return drafted(lambda _, draft: draft.with_unit(**change(draft.unit)), **shot)


def business(change: Callable[[Range, Draft], Draft]) -> Play:
    """A message whose document is wrong; the answer comes later."""
    return later(lambda live: Shot.of(live.packed(change(live, live.draft()))))


def work(**changes: Any) -> Play:  # fields of CollaborationInfo
    return unit(lambda old: {"collaboration": replace(old.collaboration, **changes)})


def aged(age: timedelta) -> Play:
    """A message with a Timestamp that lies so far back."""
    return unit(lambda old: {"info": MessageInfo(old.info.message_id, datetime.now(UTC) - age)})


def named(text: str) -> Play:
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
    first = await called_back(live, Shot.of(packed))
    second = await live.fire(Shot.of(packed))
    signals = await live.signals(packed.message_id, 2)
    assert [type(each) for each in signals] == [Receipt, Receipt]
    assert len({each.info.message_id for each in signals}) == 1
    states = [view.state for view in await live.views(ZUS) if view.message_id == packed.message_id]
    assert states == ["delivered"], states
    return Result(f"{first.outcome}, {second.outcome} receipt", second.milliseconds)


async def same_id(live: Range) -> Result:
    """Other content under an id that was used: the first one stands."""
    draft = live.draft()
    await called_back(live, Shot.of(live.packed(draft)))
    answer = await live.fire(Shot.of(live.packed(draft.with_scope(document_version=2))))
    return Result(answer.outcome, answer.milliseconds)


async def other_case(live: Range) -> Result:
    """An id in capitals is another id."""
    draft = live.draft()
    await called_back(live, Shot.of(live.packed(draft)))
    other = live.draft().named(draft.unit.info.message_id.upper())
    return await called_back(live, Shot.of(live.packed(other)))


def pull(live: Range) -> Shot:
    """A PullRequest of the attacker, signed."""
    mpc = f"{vocabulary.DEFAULT_MPC}/PL"
    return Shot.of(msh.pack_pull_request(mpc, live.keys[NAV].ebms, stamp=live.stamp(NAV)))


async def pulled_twice(live: Range) -> Result:
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
) -> Play:
    """Send a signal about a message of PL:ZUS01; the message must go on waiting for its receipt."""

    async def play(live: Range) -> Result:
        original = await live.sent_by_receiver()
        answer = await live.fire(Shot.of(make(live, original), to=at, client=client))
        if at == POINT and answer.status == 202:
            await live.good_message()  # what was forwarded has arrived before this one is answered
        state = await live.state_of_sent(original.message_id)
        good = await live.fire(Shot.of(receipt(live, original)))
        assert good.status == 202, good
        await live.until_sent(original.message_id, "delivered")
        return Result(f"{answer.outcome} {state}", answer.milliseconds)

    return play


def wrong_digests(live: Range, original: Unpacked) -> Packed:
    found = msh.signed_references(original)
    return receipt(live, original, references=(replace(found[0], digest_value=bytes(32)), *found[1:]))


def some_digests(live: Range, original: Unpacked) -> Packed:
    return receipt(live, original, references=msh.signed_references(original)[:1])


def unsigned_receipt(live: Range, original: Unpacked) -> Packed:
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


def unknown(live: Range, original: Unpacked) -> Unpacked:
    """A message that nobody has sent."""
    assert isinstance(original.unit, UserMessage)
    return about(
        original, info=MessageInfo(MessageId(f"{uuid4()}@{ZUS.domain}"), original.unit.info.timestamp)
    )


async def error_about_error(live: Range) -> Result:
    """An error about an error that the access point has sent, in a form that it would forward."""
    draft = live.draft()
    wrong = draft.with_scope(buc=BucType("LA_BUC_99"))
    await called_back(live, Shot.of(live.packed(wrong)))
    (signal,) = await live.signals(wrong.unit.info.message_id, 1)
    known = live.unpacked(live.unsigned(draft.named(signal.info.message_id)))
    back = about(known, sender=Party(ZUS), receiver=Party(NAV))
    answer = await live.fire(Shot.of(error(live, back, live.keys[NAV].ebms)))
    assert b"SignalMessage" not in answer.body
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
    packed = live.packed(draft)
    other = msh.unpack(packed.content_type, packed.body)
    blocks = msh._routing_blocks(  # as our own code writes them
        replace(draft.unit, sender=Party(FK), receiver=Party(NAV)),
        vocabulary.RECEIPT_ACTION,
        "",
        EESSI_SIGNALS,
    )
    body = other.body.replace(b"<eb:Messaging ", blocks.encode() + b"<eb:Messaging ", 1)
    return Shot.of(replace(packed, body=body))


def stripped(live: Range) -> Shot:
    packed = live.packed()
    return Shot.of(
        replace(packed, body=packed.body.replace(f' S12:role="{vocabulary.NEXT_MSH}"'.encode(), b"", 1))
    )


def looped(live: Range) -> Shot:
    """The access point gets what it sent."""
    return Shot.of(live.packed(), client=POINT)


def channel(text: str) -> Play:
    return unit(lambda _: {"mpc": text})


def suspended(live: Range) -> Shot:
    """A message of an institution whose entry has ended, with its own keys."""
    draft = live.draft().addressed(sender=BA).with_header(sender=Partner(BA, OWNER))
    return Shot.of(live.packed(draft, live.keys[BA].ebms), client=BA)


def noted(make: Callable[[Range], Shot], code: str) -> Play:
    """Brought to the receiver as the access point would; the refusal is in its journal."""

    async def play(live: Range) -> Result:
        shot = replace(make(live), to=ZUS, client=POINT)
        answer = await live.fire(shot)
        entries = await live.journal(ZUS, shot.message_id)
        assert ("refused", code) in entries, entries
        return Result(f"{answer.outcome} {code}", answer.milliseconds, shot.message_id)

    return play


def to(party: str) -> Callable[[Range], Shot]:
    return lambda live: Shot.of(live.packed(live.draft().addressed(receiver=party)))


# Business


def refused_by_receiver(change: Callable[[Range, Draft], Draft]) -> Play:
    """The access point lets it pass; the receiver gives a receipt for the message and refuses the document."""

    async def play(live: Range) -> Result:
        packed = live.packed(change(live, live.draft()))
        result = await called_back(live, Shot.of(packed))
        state = await live.until_settled(ZUS, packed.message_id)
        return Result(f"{result.outcome} {state}", result.milliseconds)

    return play


def brought(change: Callable[[Range, Draft], Draft]) -> Play:
    """The same, brought by an access point that checks no documents."""

    async def play(live: Range) -> Result:
        packed = live.packed(change(live, live.draft()))
        answer = await live.fire(Shot.of(packed, to=ZUS, client=POINT))
        state = await live.until_settled(ZUS, packed.message_id)
        return Result(f"{answer.outcome} {state}", answer.milliseconds)

    return play


def unsealed(_: Range, draft: Draft) -> Draft:
    start, end = (
        draft.sed.index(b"<ds:Signature"),
        draft.sed.index(b"</ds:Signature>") + len(b"</ds:Signature>"),
    )
    return replace(draft, sed=draft.sed[:start] + draft.sed[end:])


def wrapped_seal(live: Range, draft: Draft) -> Draft:
    """The sealed document hidden inside the signature of a forged one (XSW-10)."""
    signed = xmlsafe.exclusive_c14n(xmlsafe.parse(draft.sed))
    forged = signed.replace(b"<familyName>", b"<familyName>Evil", 1)
    end = forged.index(b"</ds:Signature>")
    return replace(draft, sed=forged[:end] + b"<ds:Object>" + signed + b"</ds:Object>" + forged[end:])


def resealed(live: Range, draft: Draft) -> Draft:
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
    return draft.edited(b"<familyName>[^<]*", b"<familyName>" + text, live.keys[NAV].seal)


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
        packed = live.packed(draft.with_document(case_action=action))
        result = await called_back(live, Shot.of(packed))
        assert (result.outcome, await live.until_settled(ZUS, packed.message_id)) == (
            "202 receipt",
            "delivered",
        )
        (filed,) = (
            outcome for step, outcome in await live.journal(ZUS, packed.message_id) if step == "filed"
        )
        states.append(f"{number} {filed}")
    return Result(", ".join(states))


def _self_reference(live: Range) -> Shot:
    packed = live.unsigned()
    tag = f"<eb:RefToMessageId>{packed.message_id}</eb:RefToMessageId></eb:MessageInfo>"
    return Shot.of(replace(packed, body=packed.body.replace(b"</eb:MessageInfo>", tag.encode(), 1)))


NO_PULL = "nobody pulls yet: the access point knows no channels"
MPC = vocabulary.DEFAULT_MPC
PARTY = f'<eb:PartyId type="{vocabulary.PARTY_TYPE}">PL:ZUS01</eb:PartyId>'
ROLE = f"<eb:Role>{vocabulary.INSTITUTION_ROLE}</eb:Role>"

REPLAYS = [
    Row("RP-1", "exact replay", "202 receipt, 202 receipt", replayed),
    Row("RP-2", "replay behind the window", "EBMS:0003", aged(timedelta(days=31))),
    Row("RP-3", "same id, other content", "EBMS:0003", same_id),
    Row("RP-4", "replayed PullRequest", "EBMS:0020", pulled_twice, note=NO_PULL),
    Row("RP-5", "replayed receipt", "202 202 delivered", receipt_again),
    Row("RP-6", "receipt for an unknown message, at the access point", "EBMS:0020 awaiting-receipt", signalled(lambda live, m: receipt(live, unknown(live, m), references=msh.signed_references(m)))),
    Row("RP-6", "receipt for an unknown message, at the institution", "202 awaiting-receipt", signalled(lambda live, m: receipt(live, unknown(live, m), references=msh.signed_references(m)), at=ZUS, client=POINT), target=ZUS),
    Row("RP-7", "wrong digest", "202 awaiting-receipt", signalled(wrong_digests), target=ZUS),
    Row("RP-7", "some digests", "202 awaiting-receipt", signalled(some_digests), target=ZUS),
    Row("RP-8", "signed by another, at the access point", "EBMS:0101 awaiting-receipt", signalled(lambda live, m: receipt(live, m, live.keys[FK].ebms))),
    Row("RP-8", "signed by another, at the institution", "202 awaiting-receipt", signalled(lambda live, m: receipt(live, m, live.keys[FK].ebms), at=ZUS, client=POINT), target=ZUS),
    Row("RP-9", "unsigned, at the access point", "EBMS:0103 awaiting-receipt", signalled(unsigned_receipt)),
    Row("RP-9", "unsigned, at the institution", "202 awaiting-receipt", signalled(unsigned_receipt, at=ZUS, client=POINT), target=ZUS),
    Row("RP-10", "unsigned error, at the access point", "400 awaiting-receipt", signalled(lambda live, m: error(live, m, None)), note="no error about an error: a status and a sentence"),
    Row("RP-10", "unsigned error, at the institution", "202 awaiting-receipt", signalled(lambda live, m: error(live, m, None), at=ZUS, client=POINT), target=ZUS),
    Row("RP-10", "error of a third party", "202 awaiting-receipt", signalled(lambda live, m: error(live, m, live.keys[FK].ebms), at=ZUS, client=POINT), target=ZUS),
    Row("RP-11", "10 minutes ahead", "EBMS:0003", aged(timedelta(minutes=-10))),
    Row("RP-11", "a year back", "EBMS:0003", aged(timedelta(days=365))),
    Row("RP-11", "no time", "EBMS:0009", edited(("</eb:Timestamp>", "x</eb:Timestamp>"))),
    Row("RP-12", "brackets", "EBMS:0009", named("&lt;a@b&gt;")),
    Row("RP-12", "blank", "EBMS:0009", named("a b@c")),
    Row("RP-12", "path", "EBMS:0009", named("..\\..\\a@b")),
    Row("RP-12", "no domain", "EBMS:0009", named("abc")),
    Row("RP-12", "too long", "EBMS:0009", named("a" * 250 + "@" + "b" * 20)),
    Row("RP-12", "other case", "202 receipt", other_case),
    Row("RP-13", "refers to itself", "EBMS:0009", fired(_self_reference)),
]  # fmt: skip


PARTIES = [
    Row("PT-1", "unknown From", "EBMS:0101", drafted(lambda _, d: d.addressed(sender="NO:NOBODY"))),
    Row("PT-2", "unknown To, at the access point", "EBMS:0020", fired(to("PL:NOBODY"))),
    Row("PT-2", "unknown To, at the institution", "202 EBMS:0003", noted(to("PL:NOBODY"), "EBMS:0003"), target=ZUS),
    Row("PT-3", "another To, at the institution", "202 EBMS:0003", noted(to(FK), "EBMS:0003"), target=ZUS),
    Row("PT-4", "no type", "EBMS:0003", unit(lambda u: {"receiver": Party(u.receiver.id, None)})),
    Row("PT-4", "other type", "EBMS:0003", unit(lambda u: {"sender": Party(u.sender.id, "urn:other")})),
    Row("PT-5", "From and To", "EBMS:0003", drafted(lambda _, d: d.addressed(receiver=NAV))),
    Row("PT-6", "two PartyIds", "EBMS:0003", edited((PARTY, PARTY + PARTY.replace("PL:ZUS01", "SE:FKSE01")))),
    Row("PT-7", "To is suspended", "EBMS:0020", fired(to(BA))),
    Row("PT-7", "From is suspended", "EBMS:0101", fired(suspended)),
    Row("PT-8", "unknown Service", "EBMS:0010", work(service="Other")),
    Row("PT-8", "unknown Action", "EBMS:0010", work(action="Other")),
    Row("PT-8", "other type of Service", "EBMS:0010", work(service_type="urn:other")),
    Row("PT-9", "wrong Role", "EBMS:0010", unit(lambda u: {"sender": Party(u.sender.id, role="urn:other")})),
    Row("PT-9", "no Role", "EBMS:0009", edited((PARTY + ROLE, PARTY))),
    Row("PT-10", "other MPC", "EBMS:0003", channel("urn:mpc")),
    Row("PT-11", "brought by another institution", "EBMS:0101", fired(lambda live: Shot.of(live.packed(), to=ZUS, client=FK)), target=ZUS, note="one access point; who is not it brings nothing"),
]  # fmt: skip

ROUTING = [
    Row("RI-1", "routed to another institution", "EBMS:0020 awaiting-receipt", signalled(routed(lambda m: about(m, sender=Party(FK))))),
    Row("RI-1", "routed to nobody", "EBMS:0020 awaiting-receipt", signalled(routed(lambda m: about(m, sender=Party("PL:NOBODY"))))),
    Row("RI-2", "RoutingInput on a user message", "EBMS:0003", fired(rerouted)),
    Row("RI-3", "role removed", "EBMS:0101", fired(stripped)),
    Row("RI-4", "message comes back to the access point", "EBMS:0101", fired(looped), note="an access point is no sender of user messages; one access point, so no other loop exists"),
    Row("RI-5", "PullRequest for the next MSH", "EBMS:0009", fired(lambda live: _edited_pull(live, "S12:mustUnderstand=", f'S12:role="{vocabulary.NEXT_MSH}" S12:mustUnderstand='))),
    Row("RI-5", "PullRequest with To icloud", "EBMS:0009", fired(lambda live: _edited_pull(live, "<eb:Messaging ", f'<wsa:To xmlns:wsa="{vocabulary.WSA}">{vocabulary.ICLOUD}</wsa:To><eb:Messaging '))),
    Row("RI-6", "MPC of another institution", "EBMS:0020", fired(pull), note=NO_PULL),
    *(Row("RI-7", name, "EBMS:0003", channel(text)) for name, text in {"empty suffix": MPC + "/", "dots": MPC + "/..", "capitals": MPC.upper(), "prefix": MPC[:-1], "sub-channel": MPC + "/PL"}.items()),
    Row("RI-8", "error about an error", "400", error_about_error, note="a status and a sentence, no error signal"),
    Row("RI-9", "user message in place of an answer", "202", message_for_a_receipt),
    Row("RI-9", "PullRequest at the institution", "EBMS:0008", fired(lambda live: replace(pull(live), to=ZUS, client=POINT)), target=ZUS, note=NO_PULL),
]  # fmt: skip


def _edited_pull(live: Range, old: str, new: str) -> Shot:
    shot = pull(live)
    before, found, behind = shot.body.rpartition(old.encode())
    assert found
    return replace(shot, body=before + new.encode() + behind)


DOCUMENT = "202 EBMS:0004"
BUSINESS = [
    Row("BU-1", "another sender in the envelope", DOCUMENT, business(lambda _, d: d.with_header(sender=Partner(FK, OWNER)))),
    Row("BU-1", "another receiver in the envelope", DOCUMENT, business(lambda _, d: d.with_header(receivers=(Partner(FK, OTHER),)))),
    Row("BU-2", "another type in the envelope", DOCUMENT, business(lambda _, d: d.with_document(type=SedType("A009")))),
    Row("BU-3", "invalid document", DOCUMENT, business(lambda live, d: d.edited(b"<familyName>.*?</familyName>", b"", live.keys[NAV].seal))),
    Row("BU-4", "no seal", "202 receipt rejected", refused_by_receiver(unsealed), target=ZUS),
    Row("BU-4", "seal of another institution", "202 receipt rejected", refused_by_receiver(resealed), target=ZUS),
    Row("BU-4", "changed behind the seal", "202 receipt rejected", refused_by_receiver(lambda _, d: d.edited(b"<familyName>", b"<familyName>x")), target=ZUS),
    Row("XSW-10", "sealed document inside a forged one", DOCUMENT, business(wrapped_seal)),
    Row("XSW-10", "the same at the institution", "202 rejected", brought(wrapped_seal), target=ZUS),
    Row("BU-5", "unknown process", DOCUMENT, business(lambda _, d: d.with_scope(buc=BucType("LA_BUC_99")))),
    Row("BU-5", "wrong role", DOCUMENT, business(lambda _, d: d.with_roles(OTHER, OWNER))),
    Row("BU-5", "action of other messages", DOCUMENT, business(lambda _, d: d.with_document(case_action=CaseAction.REQUEST))),
    Row("BU-6", "sender not competent", DOCUMENT, business(lambda _, d: d.with_scope(buc=BucType("P_BUC_01")))),
    Row("BU-7", "gap, equal, lower", "1 ok, 3 ok, 3 unchanged, 2 unchanged", versions, target=ZUS, note="a lower or equal version changes nothing; a gap is closed by the newest"),
    Row("BU-8", "malware", DOCUMENT, later(malware)),
    Row("BU-9", "markup in a name", "202 receipt delivered", refused_by_receiver(script), target=ZUS, note="a text; the pages that show it escape it"),
]  # fmt: skip

ROWS = [*REPLAYS, *PARTIES, *ROUTING, *BUSINESS]
