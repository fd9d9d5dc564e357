"""Pulling between lone gateways: the point where messages wait, and the one who fetches them.

What is offered next, who may ask and when to ask again is decided in ``as4.channels``; here is HTTP.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from eessi_sim.as4 import confirmation, msh, vocabulary
from eessi_sim.as4.channels import OfferPolicy, PullRights, Waiting, belongs_to, next_offer, wait_before_next
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.model import ErrorSignal, MessageInfo, PullRequest, Receipt, UserMessage
from eessi_sim.as4.modes import ProcessingMode
from eessi_sim.as4.msh import LargePacked, Packed, Unpacked
from eessi_sim.clock import Clock
from eessi_sim.errors import SettingsError, XmlError
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway
from eessi_sim.identifiers import MessageId
from eessi_sim.security.policy import DEFAULT, SignaturePolicy
from eessi_sim.spool import Spool, SpoolFile
from eessi_sim.transport.base import Request, Response, Transport

_WITHIN: Final = 60.0
"""Seconds for one HTTP exchange (our choice)."""
_REMEMBERED: Final = 10_000
"""Requests, and received messages, that are known again (our choice)."""
_T = TypeVar("_T")


class PullPoint:
    """Where messages wait for those who may fetch them; which, is known in memory only.

    Args:
        gateway: signs the answers.
        rights: who may pull from which channel.
        clock: the time.
        identity: keys of the gateway, and which authorities it believes.
        policy: how often a message without receipt is handed out.
        signatures: what is accepted in the signatures of requests.
    """

    def __init__(
        self,
        gateway: LoneGateway,
        rights: PullRights,
        *,
        clock: Clock,
        identity: Identity,
        policy: OfferPolicy | None = None,
        signatures: SignaturePolicy = DEFAULT,
    ) -> None:
        self._gateway = gateway
        self._rights = rights
        self._clock = clock
        self._identity = identity
        self._policy = policy or OfferPolicy()
        self._signatures = signatures
        self._waiting: dict[MessageId, Waiting] = {}
        self._packed: dict[MessageId, Packed | LargePacked] = {}
        self._files: dict[MessageId, SpoolFile] = {}
        self._answered: dict[MessageId, None] = {}

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """Everything that was put here, with its state now."""
        now = self._clock.now()
        return tuple(entry.settled(now, self._policy) for entry in self._waiting.values())

    def put(self, mpc: str, packed: Packed, *, needs_receipt: bool = True) -> None:
        """Let a message wait in a channel; a signal needs no receipt."""
        entry = Waiting(packed.message_id, mpc, self._clock.now(), needs_receipt)
        self._waiting[packed.message_id] = entry
        self._packed[packed.message_id] = packed

    def put_large(self, mpc: str, packed: LargePacked, file: SpoolFile) -> None:
        """Let a message wait whose octets lie in a file, which must stay as long as it waits."""
        entry = Waiting(packed.message_id, mpc, self._clock.now(), needs_receipt=True)
        self._waiting[packed.message_id] = entry
        self._packed[packed.message_id] = packed
        self._files[packed.message_id] = file

    async def handle(self, request: Request) -> Response:
        """Answer a pull request: the oldest message, EBMS:0006 when there is none, 403 for the wrong certificate."""
        try:
            unpacked = msh.unpack(request.headers.get("content-type", ""), request.octets)
        except (NotAs4, XmlError) as error:
            return Response(400, {"content-type": "text/plain; charset=utf-8"}, error.message.encode())
        except EbmsFault as fault:
            return self._gateway.refusal(fault)
        try:
            return self._answer(unpacked)
        except EbmsFault as fault:
            fault.about(unpacked.message_id)
            if fault.error_code is EbmsErrorCode.FAILED_AUTHENTICATION:
                return Response(403)
            return self._gateway.refusal(fault)

    def _answer(self, unpacked: Unpacked) -> Response:
        pull = unpacked.unit
        if not isinstance(pull, PullRequest):
            raise EbmsFault(
                EbmsErrorCode.FEATURE_NOT_SUPPORTED, "Expected a PullRequest, found another message"
            )
        msh.verify(
            unpacked,
            candidates=self._rights.candidates(pull.mpc),
            trust=self._identity.trust,
            at=self._clock.now(),
            policy=self._signatures,
        )
        self._gateway.check_time(pull.info)
        if pull.info.message_id in self._answered:
            # A request that somebody recorded must not fetch a second message.
            raise _empty(pull, "the request was answered before")
        _remember(self._answered, pull.info.message_id, None)
        for receipt in pull.receipts:
            self._acknowledge(receipt, pull.mpc)
        now = self._clock.now()
        entry = next_offer(self._waiting.values(), pull.mpc, now, self._policy)
        if entry is None:
            raise _empty(pull, "nothing waits in the channel")
        self._waiting[entry.message_id] = entry.offered(now)
        packed = self._packed[entry.message_id]
        headers = {"content-type": packed.content_type}
        if isinstance(packed, Packed):
            return Response(200, headers, packed.body)
        return Response(200, headers, spooled=self._files[entry.message_id])

    def _acknowledge(self, receipt: Receipt, mpc: str) -> None:
        """Note a receipt that came along; one that confirms another message, or other content, is no receipt."""
        ref = receipt.info.ref_to_message_id
        entry = self._waiting.get(ref) if ref else None
        if entry is None or entry.mpc != mpc:
            return
        confirmation.check_references(receipt, self._packed[entry.message_id].digests)
        self._waiting[entry.message_id] = entry.acknowledged()


def _remember(known: dict[MessageId, _T], key: MessageId, value: _T) -> None:
    known[key] = value
    if len(known) > _REMEMBERED:
        del known[next(iter(known))]


def _empty(pull: PullRequest, why: str) -> EbmsFault:
    return EbmsFault(EbmsErrorCode.EMPTY_CHANNEL, f'Expected a message for "{pull.mpc}", found none: {why}')


@dataclass(slots=True)
class Puller:
    """Fetches from one channel of one other gateway; changes with every message."""

    gateway: LoneGateway
    identity: Identity
    transport: Transport
    clock: Clock
    modes: Sequence[ProcessingMode]
    """What was agreed about the messages."""
    address: str
    mpc: str
    deliver: Callable[[Delivery], Awaitable[None]]
    """Makes a message durable; its receipt travels with the next request."""
    owed: list[Receipt] = field(default_factory=list)
    """Receipts that have not been sent."""
    received: dict[MessageId, Receipt] = field(default_factory=dict)
    spool: Spool | None = None
    """Where large messages are written while they come; without it every message is held."""

    async def once(self) -> bool:
        """Ask once, and return whether a message came.

        Raises:
            EbmsFault: the message does not fit or is not what it says, or the other side refused the request.
            TransportError: nobody answered; the receipts are still owed.
            SettingsError: the certificate may not pull from this channel.
        """
        along = tuple(self.owed)
        packed = msh.pack_pull_request(
            self.mpc, self.identity.keys, stamp=self.gateway.stamp(), receipts=along
        )
        answer = await self.transport.send(
            self.address,
            packed.body,
            headers={"content-type": packed.content_type},
            within=_WITHIN,
            into=self.spool,
        )
        try:
            return await self._answered(answer, len(along))
        finally:
            if answer.spooled is not None:
                answer.spooled.discard()

    async def _answered(self, answer: Response, along: int) -> bool:
        if answer.status == 403:
            raise SettingsError(
                f'Expected to be allowed to pull from "{self.mpc}", found HTTP 403',
                hint="Tell the other side which certificate signs the requests.",
            )
        del self.owed[:along]
        content_type = answer.headers.get("content-type", "")
        message = await aside(answer.spooled, lambda: msh.unpack(content_type, answer.octets))
        if isinstance(message.unit, ErrorSignal):
            return self._nothing(message.unit)
        await self._take(message, answer.spooled)
        return True

    def _nothing(self, signal: ErrorSignal) -> bool:
        first = signal.errors[0]
        if first.code != EbmsErrorCode.EMPTY_CHANNEL.code:
            known = EbmsErrorCode.find(first.code) or EbmsErrorCode.OTHER
            raise EbmsFault(
                known, f"Expected a message, found {first.code}: {first.detail or first.description}"
            )
        return False

    async def _take(self, message: Unpacked, spooled: SpoolFile | None) -> None:
        known = self.received.get(message.message_id)
        if known is None:
            delivery, references = await aside(spooled, lambda: self.gateway.check(message, self.modes))
            try:
                self._check_channel(delivery.message)
                await self.deliver(delivery)
            finally:
                delivery.discard()
            stamp = self.gateway.stamp()
            info = MessageInfo(stamp.message_id, stamp.timestamp, message.message_id)
            known = Receipt(info, references)
            _remember(self.received, message.message_id, known)
        self.owed.append(known)

    def _check_channel(self, message: UserMessage) -> None:
        found = message.mpc or vocabulary.DEFAULT_MPC
        if not belongs_to(self.mpc, found):
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f'Expected a message of the channel "{self.mpc}", found one of "{found}"',
                ref=message.info.message_id,
            )

    async def drain(self) -> int:
        """Ask until nothing waits, and return how many messages came; the last request brings the last receipt."""
        number = 0
        while await self.once():
            number += 1
        return number

    async def poll(self, rounds: int) -> None:
        """Ask so many times, less and less often while nothing waits."""
        wait = 0.0
        for _ in range(rounds):
            wait = wait_before_next(wait, got_message=await self.once())
            await self.clock.sleep(wait)
