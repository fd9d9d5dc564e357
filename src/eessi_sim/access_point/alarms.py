"""The alarm about messages that nobody fetches: raised once for each, when its channel should have been emptied.

An institution must collect its messages at least once a day (decision E6 as summarised publicly, documented). Nothing
else happens to the message; it is handed out when somebody asks for it at last.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.channels import ALARM, COLLECT_WITHIN, UNCOLLECTED, Channels
from eessi_sim.errors import Conflict, Unavailable
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import Direction, StoredMessage, UnitOfWork

_log = logging.getLogger(__name__)

NOT_COLLECTED: Final = "not-collected"
"""Name of the alarm."""
_AGAIN: Final = timedelta(minutes=1)
"""Wait after an alarm that could not be stored (our choice, inferred)."""


class Alarms:
    """What the worker of the alarms works off.

    Args:
        station: identity and seams of the access point.
        channels: what waits there.
    """

    def __init__(self, station: Station, channels: Channels) -> None:
        self._station = station
        self._channels = channels
        self._raised: set[MessageId] = set()
        self._next: datetime | None = None
        self._not_before: datetime | None = None

    @property
    def is_watching(self) -> bool:
        """Whether it knows when to look again; whatever is parked from now on is late after that."""
        return self._next is not None

    async def claim(self, limit: int) -> Sequence[StoredMessage]:
        """Take messages that are late and have no alarm yet, and note when the next one will be late."""
        now = self._station.clock.now()
        if self._not_before is not None and now < self._not_before:
            return ()
        waiting = await self._channels.uncollected()
        self._raised &= {each.message_id for each in waiting}
        quiet = [
            each for each in waiting if ALARM not in each.details and each.message_id not in self._raised
        ]
        late = [each for each in quiet if each.created_at + COLLECT_WITHIN <= now][-limit:]
        self._raised.update(each.message_id for each in late)
        first = min((each.created_at for each in quiet if each not in late), default=None)
        self._next = None if first is None else first + COLLECT_WITHIN
        return late

    async def next_due(self) -> datetime | None:
        """Return when to look again."""
        if self._not_before is not None and self._not_before > self._station.clock.now():
            return self._not_before
        return self._next

    async def process(self, item: StoredMessage) -> None:
        """Raise the alarm of one message, unless another process did."""
        station = self._station
        message = await station.store.find_message(Direction.OUT, item.message_id)
        if message is None or ALARM in message.details:
            return
        channel = message.channel or ""
        work = UnitOfWork()
        work.update_message(
            Direction.OUT, item.message_id, expected_states=UNCOLLECTED, details={ALARM: NOT_COLLECTED}
        )
        work.journal(
            station.note(
                NOT_COLLECTED, ALARM, message_id=item.message_id, channel=channel, to=message.receiver
            )
        )
        try:
            await station.store.commit(work)
        except Conflict:  # somebody fetched it at this very moment
            return
        except Unavailable as fault:
            await self.failed(item, fault)
            raise
        _log.warning(
            "%s: message %s waits in channel %s for %s since %s: nobody fetches it",
            station.party,
            item.message_id,
            channel,
            message.receiver,
            item.created_at.isoformat(timespec="seconds"),
            extra={"event": NOT_COLLECTED, "message_id": str(item.message_id)},
        )

    async def failed(self, item: StoredMessage, fault: Exception) -> None:  # noqa: ARG002 - of Queue; the worker logs it
        """Try again later."""
        self._raised.discard(item.message_id)
        self._not_before = self._station.clock.now() + _AGAIN
