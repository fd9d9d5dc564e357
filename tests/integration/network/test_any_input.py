"""Whatever a listed party sends, a node answers: nothing that can be read from the wire makes it stumble."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.as4_messages import texts
from tests.helpers.forge import Draft, post
from tests.helpers.lab import NAV, POINT, ZUS, Lab

from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import MessageProperty, Party
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import ALL_MESSAGES, Direction

BOTH = pytest.mark.parametrize(("to", "client"), [(POINT, NAV), (ZUS, POINT)])
ANSWERS = {200, 202, 400, 403, 405}


@BOTH
async def test_damaged_message_is_answered(sent: Lab, to: InstitutionId, client: InstitutionId) -> None:
    """Octets changed, cut out or doubled anywhere: an answer, no second document, no second message taken in."""
    chance = random.Random(11)
    message = await sent.sent(NAV)
    packed = Draft.of(message).named("damaged@forged.example").packed(sent.keys(NAV).ebms)
    before = len(await sent.messages(to, Direction.IN))
    for _ in range(150):
        start = chance.randrange(len(packed.body))
        end = min(start + chance.choice([1, 1, 3, 40, 900]), len(packed.body))
        piece = chance.choice([b"", chance.randbytes(end - start), 2 * packed.body[start:end]])
        if piece == packed.body[start:end]:
            continue
        body = packed.body[:start] + piece + packed.body[end:]
        answer = await post(sent, replace(packed, body=body), client=client, to=to)
        assert answer.status in ANSWERS
    assert len(await sent.messages(to, Direction.IN)) - before <= 1  # boundaries and preambles are not signed
    assert await sent.types(ZUS) == ["A003"]


parties = st.one_of(st.sampled_from([NAV, ZUS, POINT, "NO:NOBODY", "EU:CSN0001"]), texts)
units = st.fixed_dictionaries(
    {},
    optional={
        "receiver": st.builds(Party, parties),
        "mpc": st.one_of(st.none(), texts),
        "properties": st.lists(
            st.builds(MessageProperty, st.sampled_from(["ParentDocumentId", "a"]), texts)
        ).map(tuple),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=units, number=st.integers(0, 10**9))
async def test_strange_header_is_answered(changes: dict[str, object], number: int) -> None:
    """Odd parties, channels and properties in a signed message never end in a fault of the node."""
    async with Lab.build() as lab:
        await lab.open()
        draft = Draft.of(await lab.sent(NAV)).named(f"strange-{number}@forged.example")
        try:
            packed = draft.with_unit(**changes).packed(lab.keys(NAV).ebms)
        except EbmsFault:
            return  # cannot even be written
        for to, client in ((POINT, NAV), (ZUS, POINT)):
            assert (await post(lab, packed, client=client, to=to)).status in ANSWERS
        await lab.work(60)
        states = {
            message.state
            for party in (POINT, ZUS, NAV)
            for message in await lab.store(party).messages(ALL_MESSAGES)
        }
        assert "dead-lettered" not in states
        assert not [entry for entry in await lab.journal() if "internal" in str(entry.detail)]
