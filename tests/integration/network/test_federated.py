"""One access point per country: the way over two and three of them, encryption between them, a line that is cut."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.helpers import as4_oracle
from tests.helpers.federation import CENTRAL, NORWAY, POLAND, SWEDEN, Federation, three_countries
from tests.helpers.lab import FK, NAV, ZUS

from eessi_sim.access_point.central import DIRECTORY_PATH
from eessi_sim.as4 import msh
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.ir import snapshot
from eessi_sim.ir.addresses import BASE_PATH
from eessi_sim.ir.model import Certificates
from eessi_sim.storage.base import Direction, MessageKind, StoredMessage
from eessi_sim.transport.base import Response

A_DAY = 86_400
OUT, IN = Direction.OUT, Direction.IN


@pytest.fixture
async def lab() -> AsyncIterator[Federation]:
    """Norway, Sweden and Poland, each with its own access point."""
    async with Federation.of() as lab:
        yield lab


@pytest.fixture
async def sent(lab: Federation) -> Federation:
    """The same after NO:NAVAT07 has sent an A003 to PL:ZUS01 and the receipt is back."""
    await lab.open(owner=NAV, others=[ZUS])
    return lab


async def post(lab: Federation, message: StoredMessage, *, client: InstitutionId, to: InstitutionId) -> str:
    """Hand a message in; return the ebMS errors and the status of the answer."""
    certificate = lab.keys(client).tls.certificate.der
    answer = await lab.post(to, message.body, content_type=message.content_type, client=certificate)
    return f"{answer.status} {errors_in(answer)}".strip()


def errors_in(answer: Response) -> str:
    if "xml" not in answer.headers.get("content-type", ""):
        return ""
    unit = msh.unpack(answer.headers["content-type"], answer.body).unit
    return " ".join(error.code for error in getattr(unit, "errors", ()))


async def test_receiver_gets_the_octets_that_the_sender_sent(sent: Federation) -> None:
    """Between institutions nothing is changed, and somebody else's program verifies the signature at the end."""
    original, arrived = await sent.sent(NAV), await sent.received(ZUS)
    assert (arrived.body, arrived.content_type) == (original.body, original.content_type)
    assert as4_oracle.accepts_message(
        msh.to_file(msh.Packed(arrived.message_id, arrived.content_type, arrived.body))
    )


async def test_parts_are_encrypted_between_access_points(sent: Federation) -> None:
    """On the way from Norway to Poland nothing of the document can be read; both ends keep what was signed."""
    on_the_way, original = await sent.sent(NORWAY), await sent.sent(NAV)
    parts = msh.unpack(on_the_way.content_type, on_the_way.body).parts
    assert {part.content_type for part in parts} == {"application/octet-stream"}
    assert all(
        part.content not in on_the_way.body for part in msh.unpack(original.content_type, original.body).parts
    )
    assert (await sent.received(NORWAY)).body == (await sent.received(POLAND)).body == original.body


async def test_receipt_comes_back_over_both_access_points(sent: Federation) -> None:
    """The receipt passes Poland, then Norway, unchanged, and the document counts as delivered."""
    receipts = [
        await sent.sent(ZUS, MessageKind.RECEIPT),
        await sent.received(POLAND, MessageKind.RECEIPT),
        await sent.received(NORWAY, MessageKind.RECEIPT),
        await sent.received(NAV, MessageKind.RECEIPT),
    ]
    assert len({receipt.body for receipt in receipts}) == 1
    assert await sent.delivery(NAV) == "delivered"
    assert not await sent.messages(SWEDEN, IN)


async def test_journal_tells_the_next_access_point(sent: Federation) -> None:
    """The line about the message at the first access point names the second one."""
    (line,) = [
        each
        for each in await sent.journal(NORWAY)
        if each.step == "forwarded" and each.detail["kind"] == "user"
    ]
    assert (line.detail["next"], line.detail["to"]) == (POLAND, ZUS)


async def test_message_passes_three_access_points() -> None:
    """Where Norway and Poland are reached over Sweden, each hop is encrypted anew and the octets arrive all the same."""
    async with Federation.of(three_countries(over_sweden=True)) as lab:
        await lab.open(owner=NAV, others=[ZUS])
        hops = [(await lab.sent(point)).body for point in (NORWAY, SWEDEN, POLAND)]
        assert len(set(hops)) == 3
        assert hops[2] == (await lab.sent(NAV)).body == (await lab.received(ZUS)).body
        assert await lab.delivery(NAV) == "delivered"


async def test_repeated_message_is_forwarded_once_more_as_it_was(sent: Federation) -> None:
    """A repetition at the first access point sends the same encrypted octets; the receiver counts a duplicate."""
    before = (await sent.sent(NORWAY)).body
    outbox = sent.directory.current.access_point_of(NAV).outbox
    original = await sent.sent(NAV)
    await sent.network.switchboard.transport(sent.keys(NAV).tls.certificate.der).send(
        outbox, original.body, headers={"content-type": original.content_type}, within=60
    )
    await sent.work(1)
    assert (await sent.sent(NORWAY)).body == before
    assert (await sent.received(ZUS)).details["duplicates"] == "1"


async def test_access_point_that_cannot_decrypt_refuses(lab: Federation) -> None:
    """Encrypted with a key that Poland does not have: EBMS:0102, a dead letter in Norway, and the sender is told."""
    directory = lab.directory.current
    wrong = replace(
        directory,
        access_points=tuple(
            replace(
                point,
                certificates=replace(
                    point.certificates, ebms=(*lab.keys(SWEDEN).certificates.ebms, *point.certificates.ebms)
                ),
            )
            if point.id == POLAND
            else point
            for point in directory.access_points
        ),
    )
    lab.directory.current = wrong
    await lab.open(owner=NAV, others=[ZUS])
    dead = await lab.sent(NORWAY)
    assert (dead.state, (dead.last_error or "")[:9]) == ("rejected", "EBMS:0102")
    assert await lab.delivery(NAV) == "error"
    assert "EBMS:0102" in ((await lab.sent(NAV)).last_error or "")


async def test_access_point_without_a_key_is_no_way(lab: Federation) -> None:
    """Where the directory lists no ebMS certificate of the next access point nothing is sent in clear."""
    directory = lab.directory.current
    lab.directory.current = replace(
        directory,
        access_points=tuple(
            replace(point, certificates=Certificates(tls=point.certificates.tls))
            if point.id == POLAND
            else point
            for point in directory.access_points
        ),
    )
    await lab.open(owner=NAV, others=[ZUS])
    assert (await lab.received(NORWAY)).state == "rejected"
    assert not await lab.messages(NORWAY, OUT)


async def test_readable_message_from_an_access_point_is_refused(lab: Federation) -> None:
    """Poland takes from other access points only what is encrypted for it."""
    await lab.network.lines.cut("PL")
    await lab.open(owner=NAV, others=[ZUS])
    await lab.network.lines.restore("PL")
    assert await post(lab, await lab.sent(NAV), client=NORWAY, to=POLAND) == "200 EBMS:0103"


@pytest.mark.parametrize(
    ("client", "to"), [(NAV, POLAND), (SWEDEN, POLAND), (FK, NORWAY)], ids=["sender", "other", "stranger"]
)
async def test_only_the_last_hop_hands_in(sent: Federation, client: InstitutionId, to: InstitutionId) -> None:
    """An institution of abroad, and an access point that is not on the way, are refused."""
    assert await post(sent, await sent.sent(NORWAY), client=client, to=to) == "200 EBMS:0101"


async def test_error_of_the_last_access_point_comes_back_to_the_sender(lab: Federation) -> None:
    """Poland cannot reach its institution for more than a day: the sender gets its error, signed by Poland."""
    lab.take_down(ZUS)
    await lab.open(owner=NAV, others=[ZUS])
    await lab.work(A_DAY)
    assert (await lab.sent(NAV)).state == "awaiting-receipt"
    await lab.work(A_DAY / 8)
    (error,) = await lab.messages(NAV, IN, MessageKind.ERROR)
    assert (error.sender, await lab.delivery(NAV)) == (ZUS, "error")
    assert "EBMS:0005" in ((await lab.sent(NAV)).last_error or "")
    assert (await lab.sent(POLAND)).state == "dead-lettered"


class TestCutOff:
    """The line of Poland is cut."""

    async def test_messages_wait_a_day_and_arrive_in_order(self, lab: Federation) -> None:
        """Everything waits at the neighbour, nobody is told of a failure, and then it arrives as it was sent."""
        assert await lab.network.lines.cut("PL") == {ZUS}
        case = await lab.open(owner=NAV, others=[ZUS])
        await lab.node(NAV).send_document(case.id, SedType("X009"))
        await lab.work(A_DAY)
        assert not await lab.messages(POLAND, IN)
        assert await lab.network.lines.waiting() == {NORWAY: 2}
        assert await lab.delivery(NAV) == "sent"
        await lab.network.lines.restore("PL")
        await lab.work(660)
        assert await lab.types(ZUS) == ["A003", "X009"]
        assert await lab.delivery(NAV) == "delivered"
        assert await lab.network.lines.waiting() == {}

    async def test_country_can_work_with_its_access_point(self, lab: Federation) -> None:
        """What Poland sends meanwhile is accepted by its own access point and waits there."""
        await lab.network.lines.cut("PL")
        await lab.open(owner=ZUS, others=[NAV])
        assert (await lab.sent(ZUS)).accepted_at is not None
        assert (await lab.sent(POLAND)).state == "retry-due"

    async def test_access_point_that_is_cut_off_hears_nobody(self, sent: Federation) -> None:
        """Other access points are answered 503, which means: again later."""
        await sent.network.lines.cut("PL")
        assert await post(sent, await sent.sent(NORWAY), client=NORWAY, to=POLAND) == "503"

    async def test_sender_is_told_when_the_access_point_gives_up(self, lab: Federation) -> None:
        """After nearly 26 hours Norway tells the sender that it could not bring the message."""
        await lab.network.lines.cut("PL")
        await lab.open(owner=NAV, others=[ZUS])
        await lab.work(A_DAY * 1.1)
        assert await lab.delivery(NAV) == "error"
        assert f"Not brought to {ZUS} after 161 attempts" in ((await lab.sent(NAV)).last_error or "")

    async def test_country_without_access_point_is_named(self, lab: Federation) -> None:
        """Only a country of the network can be cut off."""
        with pytest.raises(DefinitionError, match='found "DE"'):
            await lab.network.lines.cut("DE")


@pytest.mark.parametrize(
    ("client", "method", "path", "status"),
    [
        (NORWAY, "GET", DIRECTORY_PATH, 200),
        (NORWAY, "POST", DIRECTORY_PATH, 405),
        (NORWAY, "GET", "nothing", 405),
        (NAV, "GET", DIRECTORY_PATH, 403),
    ],
    ids=["directory", "post", "elsewhere", "institution"],
)
async def test_central_service_node_gives_the_directory_to_access_points(
    lab: Federation, client: InstitutionId, method: str, path: str, status: int
) -> None:
    """An access point gets the directory in force; nobody else, and nothing else."""
    central = lab.directory.current.central
    assert central is not None
    assert (central.id, central.channel.endswith(BASE_PATH)) == (CENTRAL, True)
    transport = lab.network.switchboard.transport(lab.keys(client).tls.certificate.der)
    answer = await transport.send(central.channel + path, b"", headers={}, within=60, method=method)
    assert answer.status == status
    if status == 200:
        assert snapshot.read(answer.body) == lab.directory.current
