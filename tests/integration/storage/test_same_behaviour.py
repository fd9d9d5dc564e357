"""Any sequence of operations can be seen the same on every back end."""

import asyncio
from collections.abc import Awaitable, Callable
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.postgresql import Server, empty
from tests.helpers.stored import (
    MINUTE,
    NODE,
    NOON,
    OTHER_NODE,
    a_case,
    a_document,
    a_message,
    an_entry,
    message_id,
)

from eessi_sim.attachments import Octets
from eessi_sim.errors import Conflict
from eessi_sim.storage.base import (
    Claim,
    Direction,
    MessageKind,
    MessageQuery,
    NodeStore,
    Storage,
    UnitOfWork,
)
from eessi_sim.storage.registry import open_storage

Operation = Callable[[Storage], Awaitable[object]]

CONTENTS = (b"", b"scan", b"photo")
STATES = ("SUBMITTED", "SENDING", "RETRY_DUE", "DELIVERED")
numbers = st.integers(1, 4)
states = st.sampled_from(STATES)
some_states = st.frozensets(states)
directions = st.sampled_from(Direction)
kinds = st.sampled_from(MessageKind)
times = st.one_of(st.none(), st.integers(-3, 3).map(lambda minutes: NOON + minutes * MINUTE))
texts = st.one_of(st.none(), st.sampled_from(["a", "b"]))
nodes = st.sampled_from([NODE, OTHER_NODE])
workers = st.sampled_from(["", "1"])
messages = st.builds(
    a_message,
    numbers,
    direction=directions,
    kind=kinds,
    state=states,
    due_at=times,
    leased_until=times,
    channel=texts,
    ref_to=st.one_of(st.none(), numbers.map(message_id)),
    conversation=st.sampled_from(["conversation-1", "conversation-2"]),
    details=st.dictionaries(st.sampled_from("xyz"), st.text(max_size=3)),
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "state": states,
        "due_at": times,
        "leased_until": times,
        "channel": texts,
        "attempts": st.integers(0, 9),
        "body": st.binary(min_size=1, max_size=4),  # without octets it would have to lie in the spool
        "receipted_at": times,
        "details": st.dictionaries(st.sampled_from("xyz"), st.text(max_size=3)),
    },
)


@st.composite
def writes(draw: st.DrawFn) -> Callable[[UnitOfWork], None]:
    """One write of any kind."""
    kind = draw(st.sampled_from(["add", "update", "case", "document", "content", "journal"]))
    if kind == "add":
        message = draw(messages)
        return lambda work: work.add_message(message)
    if kind == "update":
        key = (draw(directions), message_id(draw(numbers)))
        expected = draw(st.one_of(st.none(), some_states))
        fields: Any = draw(changes)
        return lambda work: work.update_message(*key, expected_states=expected, **fields)
    if kind == "case":
        international = a_case(draw(numbers)).international_id
        case = a_case(draw(numbers), revision=draw(numbers), international_id=international)
        revision = draw(st.integers(0, 4))
        return lambda work: work.save_case(case, revision)
    if kind == "document":
        document = a_document(draw(numbers), version=draw(numbers), content=draw(st.binary(max_size=4)))
        return lambda work: work.save_document(document)
    if kind == "content":
        content = Octets.of(draw(st.sampled_from(CONTENTS)))
        return lambda work: work.save_content(content)
    entry = an_entry(message_id=draw(texts), case_id=draw(texts))
    return lambda work: work.journal(entry)


@st.composite
def commits(draw: st.DrawFn) -> Operation:
    """A unit of work; the outcome is its conflict, if there is one."""
    node, steps = draw(nodes), draw(st.lists(writes(), max_size=5))

    async def run(storage: Storage) -> object:
        work = UnitOfWork()
        for step in steps:
            step(work)
        try:
            await storage.node(node).commit(work)
        except Conflict as conflict:
            return conflict.as_dict()
        return "done"

    return run


@st.composite
def claims(draw: st.DrawFn) -> Operation:
    """A claim; the outcome is what was claimed."""
    node = draw(nodes)
    claim = Claim(
        direction=draw(directions),
        states=draw(some_states),
        claimed_state=draw(states),
        now=NOON + draw(st.integers(-3, 3)) * MINUTE,
        lease=MINUTE,
        limit=draw(st.integers(0, 3)),
        channel=draw(texts),
        worker=draw(workers),
    )
    return lambda storage: storage.node(node).claim(claim)


@st.composite
def releases(draw: st.DrawFn) -> Operation:
    """The start of a worker; the outcome is how many leases it had."""
    node, worker = draw(nodes), draw(workers)
    return lambda storage: storage.node(node).release(worker)


queries = st.builds(
    MessageQuery,
    direction=st.one_of(st.none(), directions),
    kind=st.one_of(st.none(), kinds),
    states=st.one_of(st.none(), some_states),
    ref_to=st.one_of(st.none(), numbers.map(message_id)),
    conversation=st.one_of(st.none(), st.just("conversation-2")),
    before=st.one_of(st.none(), st.integers(0, 9)),
)


async def seen_of(node: NodeStore, query: MessageQuery, limit: int) -> list[Any]:
    """Everything that can be read of a node."""
    return [
        await node.counts(),
        await node.messages(limit=100, with_body=True),
        await node.messages(query, limit=limit),
        [await node.find_message(way, message_id(number)) for way in Direction for number in range(1, 5)],
        [await node.next_due(way, states) for way in Direction for states in (STATES, STATES[:1])],
        await node.cases(),
        await node.cases(limit=limit, after=a_case(2).id),
        [await node.find_case_by_international(a_case(number).international_id) for number in range(1, 5)],
        await node.documents("1001", with_content=True),
        await node.document("1001", a_document(1).document_id),
        [
            found and found.read()
            for each in CONTENTS
            for found in [await node.content(Octets.of(each).digest)]
        ],
        await node.journal(after=1, limit=limit),
        await node.journal_of("a"),
    ]


async def play(storage: Storage, operations: list[Operation], query: MessageQuery, limit: int) -> list[Any]:
    """The outcomes of all operations, and what can be seen after them."""
    outcomes: list[Any] = [await operation(storage) for operation in operations]
    for node in (NODE, OTHER_NODE):
        outcomes += await seen_of(storage.node(node), query, limit)
    return [*outcomes, await storage.journal(), await storage.journal_of("b")]


async def play_in(url: str, *play_: Any) -> list[Any]:
    """The outcomes in a store that is made for them."""
    storage = await open_storage(url)
    outcomes = await play(storage, *play_)
    await storage.close()
    return outcomes


operation_lists = st.lists(st.one_of(commits(), commits(), claims(), releases()), max_size=12)


@settings(max_examples=100, deadline=None)
@given(operation_lists, queries, st.integers(0, 4))
def test_back_ends_cannot_be_told_apart(operations: list[Operation], query: MessageQuery, limit: int) -> None:
    """Whatever is written, claimed and released, the file answers as the memory does."""
    with TemporaryDirectory() as folder:
        expected = asyncio.run(play_in("memory:", operations, query, limit))
        assert asyncio.run(play_in(f"sqlite://{folder}/store.db", operations, query, limit)) == expected


def test_server_cannot_be_told_apart(postgresql: Server) -> None:
    """Whatever is written, claimed and released, PostgreSQL answers as the memory does."""
    with asyncio.Runner() as runner:
        storage = runner.run(open_storage(postgresql.store))

        @settings(max_examples=60, deadline=None)
        @given(operation_lists, queries, st.integers(0, 4))
        def compare(operations: list[Operation], query: MessageQuery, limit: int) -> None:
            runner.run(empty(postgresql.store))
            expected = runner.run(play_in("memory:", operations, query, limit))
            assert runner.run(play(storage, operations, query, limit)) == expected

        compare()
        runner.run(empty(postgresql.store))
        runner.run(storage.close())
