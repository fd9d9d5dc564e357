"""How the access point answers pull requests: who may ask, and with what.

Authorised is who lists the channel in the Institution Repository: the TLS client and the certificate that signed the
request must each be of one of them (AS4 3.4 option 2; channels from the repository, inferred).
"""

from collections.abc import Awaitable, Callable
from typing import Final

from eessi_sim.access_point.channels import Channels
from eessi_sim.as4 import confirmation
from eessi_sim.as4.channels import channel_mpc, unknown_channel
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault
from eessi_sim.as4.model import PullRequest, Receipt
from eessi_sim.as4.pmode import EESSI_PROFILE
from eessi_sim.gateway.inbox import Received, named, synchronous_error
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.ir.model import Institution
from eessi_sim.security.keys import Certificate
from eessi_sim.storage.base import StoredMessage, UnitOfWork
from eessi_sim.transport.base import Response

_REMEMBERED: Final = 10_000
"""Requests that this process knows again although they fetched nothing; those that did are known for ever, and to every
process, from the journal (our choice)."""


class PullDesk:
    """Answers those who fetch from the channels.

    Args:
        station: the access point's identity, seams and limits.
        channels: what waits.
        give_up: tells the sender of a message that was handed out as often as agreed, in vain.
    """

    def __init__(
        self, station: Station, channels: Channels, give_up: Callable[[StoredMessage], Awaitable[None]]
    ) -> None:
        self._station = station
        self._channels = channels
        self._give_up = give_up
        self._answered: dict[MessageId, None] = {}

    def allow(self, client: frozenset[InstitutionId], pull: PullRequest) -> None:
        """Let only those ask who list the channel, by their TLS certificate."""
        if not client & {each.id for each in self._readers(pull.mpc)}:
            raise _not_yours(pull, client)

    def candidates(self, pull: PullRequest) -> tuple[Certificate, ...]:
        """Return the certificates that may have signed: of those who list the channel."""
        return tuple(c for each in self._readers(pull.mpc) for c in each.certificates.ebms)

    def _readers(self, mpc: str) -> tuple[Institution, ...]:
        station = self._station
        name = mpc.removeprefix(channel_mpc(""))
        readers = station.directory.current.sharing(name, station.clock.now()) if name != mpc else ()
        if not readers:
            raise unknown_channel(mpc)
        return readers

    async def answer(self, received: Received, pull: PullRequest) -> Response:
        """Answer with the oldest message of the channel, with EBMS:0006 when nothing is due or the request is a repetition."""
        station, request = self._station, pull.info.message_id
        EESSI_PROFILE.check_time(pull.info, station.clock.now())
        if request in self._answered or await station.store.journal_of(request):
            return self._empty(pull, "the request was answered before")
        self._answered[request] = None
        if len(self._answered) > _REMEMBERED:
            del self._answered[next(iter(self._answered))]
        by = named(received.client & {each.id for each in self._readers(pull.mpc)})
        for receipt in pull.receipts:
            await self._take_receipt(receipt, pull.mpc, by)
        message = await self._channels.take(pull.mpc)
        while message is not None and self._channels.is_in_vain(message):
            await self._give_up(message)
            message = await self._channels.take(pull.mpc)
        if message is None:
            return self._empty(pull, "nothing waits in the channel")
        await self._channels.hand_out(message, by=by, request=request)
        return Response(200, {"content-type": message.content_type}, message.body, message.spooled)

    async def _take_receipt(self, receipt: Receipt, mpc: str, by: str) -> None:
        """Note a receipt that came along; one about what does not wait here means nothing."""
        message = await self._channels.find(mpc, receipt.info.ref_to_message_id)
        if message is None:
            return
        confirmation.check_references(receipt, self._station.references_of(message))
        work = UnitOfWork()
        await self._channels.receipted(work, message.message_id, by=by)
        await self._station.store.commit(work)

    def _empty(self, pull: PullRequest, why: str) -> Response:
        """Nothing is journalled: everybody who pulls asks again and again."""
        name = pull.mpc.removeprefix(channel_mpc(""))
        fault = EbmsFault(
            EbmsErrorCode.EMPTY_CHANNEL, f'Expected a message in the channel "{name}", found none: {why}'
        )
        fault.about(pull.info.message_id)
        return synchronous_error(self._station, fault)


def _not_yours(pull: PullRequest, client: frozenset[InstitutionId]) -> EbmsFault:
    return EbmsFault(
        EbmsErrorCode.FAILED_AUTHENTICATION,
        f'Expected the TLS certificate of an institution that lists the channel "{pull.mpc[:200]}", '
        f"found one of {named(client)}",
        hint="The Institution Repository says who may pull from which channel.",
    )
