"""How an institution that pulls gets its messages: it asks its access point, often while something comes, else rarely.

A message that was fetched takes the same way as one that was pushed, so it is verified, stored with its receipt and known
again in the same manner. One for another institution of the same channel is handed on to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.channels import belongs_to, channel_mpc, wait_before_next
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import ErrorSignal, RoutingInput, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import EessiSimError, TransportError
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.inbox import Inbox
from eessi_sim.gateway.outbox import reason_of
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.ir.model import Exchange, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.transport.base import Request, Response

_WITHIN: Final = 300.0
"""Seconds for one request: nobody knows how large the message will be (our choice, inferred)."""
_DURABLE: Final = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True)
class Turn:
    """One pull request that is due."""

    number: int


class Collector:
    """The queue of pull requests of one institution: one at a time, the next when its wait is over.

    Args:
        station: the institution's identity, seams and limits.
        inbox: takes what was fetched.
    """

    def __init__(self, station: Station, inbox: Inbox) -> None:
        self._station = station
        self._inbox = inbox
        self._wait = 0.0
        self._due = station.clock.now()
        self._turns = 0
        self._is_asking = False
        self._problem = ""
        """Why the last request failed, so that the journal tells it once."""

    # What the worker asks.

    async def claim(self, _limit: int) -> Sequence[Turn]:
        """Take the request that is due; none while one is under way."""
        if self._is_asking or self._station.clock.now() < self._due:
            return ()
        self._is_asking = True
        self._turns += 1
        return (Turn(self._turns),)

    async def next_due(self) -> datetime | None:
        """Return when to ask again."""
        return None if self._is_asking else self._due

    async def process(self, _turn: Turn) -> None:
        """Ask once, and decide when to ask again: at once when a message came."""
        got_message = False
        station = self._station
        try:
            for channel in station.directory.current.get(station.party, station.clock.now()).channels:
                got_message |= await self._ask(channel)
            self._problem = ""
        except EessiSimError as error:
            await self._note_problem(error)
        finally:
            self._wait = wait_before_next(self._wait, got_message=got_message)
            self._due = self._station.clock.now() + timedelta(seconds=self._wait)
            self._is_asking = False

    async def failed(self, _turn: Turn, fault: Exception) -> None:
        """Say that our own code failed; the next request is due as after any other."""
        await self._note_problem(EessiSimError(f"internal: {type(fault).__name__}"))

    async def _note_problem(self, error: EessiSimError) -> None:
        problem = f"{error.code}: {error.message}"
        if problem == self._problem:
            return
        self._problem = problem
        work = UnitOfWork()
        work.journal(self._station.note("pull", "failed", reason=problem))
        await self._station.store.commit(work)

    async def _ask(self, channel: str) -> bool:
        """Send one request to a channel and take what comes; return whether a message came and is safe.

        Raises:
            TransportError: nobody answered.
            EbmsFault, XmlError: what came back is no message, or the access point refused.
        """
        station = self._station
        point = station.directory.current.access_point_of(station.party)
        packed = msh.pack_pull_request(channel_mpc(channel), station.keys, stamp=station.stamp())
        answer = await station.transport.send(
            point.inbox,
            packed.body,
            headers={"content-type": packed.content_type},
            within=_WITHIN,
            into=station.spool,
        )
        try:
            if answer.status != 200:
                raise TransportError(
                    f'Expected a message of the channel "{channel}", found HTTP {answer.status}'
                )
            content_type = answer.headers.get("content-type", "")
            message = await aside(
                answer.spooled, lambda: msh.unpack(content_type, answer.octets, station.limits)
            )
            if _is_about(message, packed.message_id):
                return False
            return await self._take(answer, message, channel, point.id)
        finally:
            if answer.spooled is not None:
                answer.spooled.discard()

    async def _take(self, answer: Response, message: Unpacked, channel: str, point: InstitutionId) -> bool:
        """Take a message, or hand it to the one it is for; return whether it is safe there."""
        unit = message.unit
        if isinstance(unit, UserMessage) and not belongs_to(
            channel_mpc(channel), unit.mpc or vocabulary.DEFAULT_MPC
        ):
            raise EbmsFault(
                EbmsErrorCode.VALUE_INCONSISTENT,
                f'Expected a message of the channel "{channel}", found one of "{unit.mpc}"',
            )
        way = RoutingInput.of(unit) if isinstance(unit, UserMessage) else message.routing
        receiver = way.receiver.id if way else self._station.party
        inner = self._inner_of(receiver, channel)
        if inner is None:
            request = Request(
                method="POST", path="/", headers=answer.headers, body=answer.body, spooled=answer.spooled
            )
            response = await self._inbox.take_pulled(request, point)
        else:
            response = await self._station.transport.send(
                inner, answer.octets, headers={"content-type": answer.headers["content-type"]}, within=_WITHIN
            )
        work = UnitOfWork()
        work.journal(
            self._station.note(
                "pulled",
                "ok" if response.status in _DURABLE else "failed",
                message_id=message.message_id,
                channel=channel,
                **({} if inner is None else {"handed_to": receiver}),
            )
        )
        await self._station.store.commit(work)
        return response.status in _DURABLE

    def _inner_of(self, receiver: str, channel: str) -> str | None:
        """Return where another institution of the channel takes its messages; None for our own and for strangers'."""
        station = self._station
        if receiver == station.party:
            return None
        sharing = station.directory.current.sharing(channel, station.clock.now())
        return next((_entrance(each) for each in sharing if each.id == receiver), None)


def _entrance(institution: Institution) -> str:
    """Return where an institution takes what another one fetched; one that only some systems pull for is pushed to."""
    endpoint = institution.endpoint
    return endpoint.inner if endpoint.exchange is Exchange.PULL else endpoint.channel


def _is_about(message: Unpacked, request: MessageId) -> bool:
    """Whether an answer says that nothing waits; an error that waited in the channel has a way of its own.

    Raises:
        EbmsFault: the access point refused the request.
    """
    unit = message.unit
    if not isinstance(unit, ErrorSignal) or message.is_multihop:
        return False
    first = unit.errors[0]
    if first.code == EbmsErrorCode.EMPTY_CHANNEL.code and unit.info.ref_to_message_id in (None, request):
        return True
    known = EbmsErrorCode.find(first.code) or EbmsErrorCode.OTHER
    raise EbmsFault(known, f"Expected a message, found {reason_of(unit)}")


def collects(directory: InstitutionRepository, party: InstitutionId, at: datetime) -> bool:
    """Return whether an institution asks for messages, its own and those of others behind the same gateway.

    Institutions that share a channel and a TLS certificate are behind one gateway: the first of them asks for all.
    """
    entry = directory.find(party)
    if entry is None or not entry.channels:
        return False
    sharing = directory.sharing(entry.channels[0], at)
    together = (each.id for each in sharing if each.certificates.tls == entry.certificates.tls)
    return next(together, party) == party
