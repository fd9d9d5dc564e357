"""The alarm about messages that nobody fetches: raised once for each, when its channel should have been emptied.

An institution must collect its messages at least once a day (decision E6 as summarised publicly, documented). Nothing
else happens to the message; it is handed out when somebody asks for it at last.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from eessi_sim.access_point.channels import ALARM, COLLECT_WITHIN, UNCOLLECTED, Channels
from eessi_sim.as4.channels import Waiting
from eessi_sim.errors import Conflict, Unavailable
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import MessageId
from eessi_sim.storage.base import Direction, UnitOfWork

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
        self._not_before: datetime | None = None

    async def claim(self, limit: int) -> Sequence[Waiting]:
        """Take messages that are late and have no alarm yet."""
        now = self._station.clock.now()
        if self._not_before is not None and now < self._not_before:
            return ()
        late = [each for each in self._quiet() if each.since + COLLECT_WITHIN <= now][:limit]
        self._raised.update(each.message_id for each in late)
        return late

    async def next_due(self) -> datetime | None:
        """Return when the next message will be late."""
        first = min((each.since for each in self._quiet()), default=None)
        if first is None:
            return None
        due = first + COLLECT_WITHIN
        return due if self._not_before is None else max(due, self._not_before)

    async def process(self, item: Waiting) -> None:
        """Raise the alarm of one message."""
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
            item.since.isoformat(timespec="seconds"),
            extra={"event": NOT_COLLECTED, "message_id": str(item.message_id)},
        )

    async def failed(self, item: Waiting, fault: Exception) -> None:  # noqa: ARG002 - of Queue; the worker logs it
        """Try again later."""
        self._raised.discard(item.message_id)
        self._not_before = self._station.clock.now() + _AGAIN

    def _quiet(self) -> list[Waiting]:
        """Return what waits and has no alarm; what went on is forgotten."""
        waiting = self._channels.entries()
        self._raised &= {each.message_id for each in waiting}
        return [each for each in waiting if each.message_id not in self._raised]
