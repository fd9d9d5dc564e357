"""System messages: the directory goes from the central service node to the access points, from there to institutions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.helpers.federation import CENTRAL, NORWAY, POLAND, SWEDEN, Federation
from tests.helpers.forge import codes
from tests.helpers.lab import A003, NAV, POINT, ZUS, Lab, demo, demo_credentials, silent

from eessi_sim.access_point.central import CentralNode
from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, Party, Receipt, UserMessage
from eessi_sim.as4.msh import Packed
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir import syn_writing
from eessi_sim.ir.model import CentralServicesNode, Certificates, Endpoint
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.rotation import next_version
from eessi_sim.ir.syn_writing import Addressing
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.simulation.assembly import INBOUND_PATH
from eessi_sim.storage.base import Direction
from eessi_sim.synchronisation import documents
from eessi_sim.transport.base import Request, Response

CSN = InstitutionId("EU:CSN01")
SYSTEM_INBOUND = "SystemMessaging/v1.0/Inbound"


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """The demo network in which every node has a directory of its own."""
    async with Lab.build(replace(silent(demo()), synchronised=True)) as network:
        yield network


def newer(repository: InstitutionRepository, version: str | None = None) -> InstitutionRepository:
    """The same directory under another version, in which an institution has another name."""
    return replace(repository, version=version or next_version(repository.version))


def versions(lab: Lab, *parties: InstitutionId) -> list[str]:
    """The version that each of these goes by."""
    found = [lab.point.station if party == POINT else lab.node(party).office.station for party in parties]
    return [station.directory.current.version for station in found]


async def test_newer_directory_gets_to_every_institution(lab: Lab) -> None:
    """The access point gives it on as SYN001; whoever has installed it has answered with a receipt."""
    first = lab.point.station.directory.current
    lab.point.station.directory.current = newer(first)
    assert await lab.point.synchroniser.publish() == 16
    await lab.work(5)
    assert versions(lab, POINT, NAV, ZUS) == [next_version(first.version)] * 3
    given = [each for each in await lab.messages(POINT, Direction.OUT) if "system" in each.details]
    assert {(each.state, each.details["system"]) for each in given} == {("delivered", "SYN001")}
    assert ("directory", "installed") in await lab.steps(NAV)


@pytest.mark.parametrize("has", ["0.0.1", None, "99.0"])
async def test_who_asks_gets_the_latest_directory(lab: Lab, has: str | None) -> None:
    """E-21: a SYN002 with an old, the same or a newer version is answered with what the access point has."""
    await lab.node(NAV).synchroniser.ask(has)
    await lab.work(5)
    (sent,) = await lab.messages(NAV, Direction.OUT)
    (got,) = await lab.messages(NAV, Direction.IN)
    assert (sent.state, sent.details["system"]) == ("delivered", "SYN002")
    assert (got.state, got.details["system"]) == ("delivered", "SYN001")
    assert ("directory", "unchanged") in await lab.steps(NAV)


async def test_document_passes_in_a_network_that_is_synchronised(lab: Lab) -> None:
    """Everybody's own directory says the same."""
    await lab.open()
    await lab.work(5)
    assert await lab.delivery(NAV, A003) == "delivered"


def request_of(packed: Packed, client: bytes) -> Request:
    """The request of a TLS client that hands in a message."""
    return Request(
        method="POST",
        path=f"/EESSI/{SYSTEM_INBOUND}",
        headers={"content-type": packed.content_type},
        body=packed.body,
        peer_certificate=client,
    )


class Central:
    """A central service node played by the tests: beside the access point, with keys of its own."""

    def __init__(self, lab: Lab, keys: KeyPair) -> None:
        self.lab, self.keys = lab, keys

    @property
    def installed(self) -> InstitutionRepository:
        """What the access point has in force."""
        return self.lab.point.station.directory.current

    def directory(self, repository: InstitutionRepository) -> bytes:
        """A SYN001 in its envelope."""
        station = self.lab.point.station
        to = Addressing(POINT, station.clock.now(), station.ids, CSN)
        return syn_writing.message(repository, to, extended=True)

    def packed(self, content: bytes, keys: KeyPair | None = None) -> Packed:
        """A system message that carries a document."""
        station = self.lab.point.station
        unit = UserMessage(
            MessageInfo(station.ids.message_id(CSN), station.clock.now()),
            Party(CSN, role=vocabulary.CSN_ROLE),
            Party(POINT, role=vocabulary.ACCESS_POINT_ROLE),
            CollaborationInfo(conversation_id=station.ids.uuid(), service=vocabulary.SYSTEM_SERVICE),
        )
        payload = msh.compressed_payload("syn@eu.example", content, "application/xml", "SED")
        return msh.pack_user_message(
            unit, [payload], keys or self.keys, token=station.ids.hex32(), multihop=False
        )

    async def post(self, packed: Packed) -> Response:
        """Hand it in at the access point, over the connection of the central service node."""
        return await self.lab.point.handle(request_of(packed, self.keys.certificate.der))


@pytest.fixture
async def central(lab: Lab) -> Central:
    """The access point learns from a central service node of its own."""
    keys = demo_credentials().authority.issue(CSN, Purpose.EBMS, country="EU", now=lab.clock.now())
    point = lab.point.station.directory
    own = Certificates((keys.certificate,), (), (keys.certificate,))
    point.current = replace(
        point.current, central=CentralServicesNode(CSN, "https://csn.example/System", own)
    )
    return Central(lab, keys)


def receipted(response: Response) -> bool:
    """Whether the answer is a receipt."""
    return isinstance(msh.unpack(response.headers["content-type"], response.body).unit, Receipt)


@pytest.mark.parametrize(("version", "outcome"), [("9.0.0", "installed"), (None, "unchanged")])
async def test_directory_from_the_central_service_node_is_installed_and_given_on(
    lab: Lab, central: Central, version: str | None, outcome: str
) -> None:
    """E-20, newer and equal: receipted once it is stored; the institutions get it, too."""
    new = newer(central.installed, version or central.installed.version)
    assert receipted(await central.post(central.packed(central.directory(new))))
    await lab.work(5)
    assert ("directory", outcome) in await lab.steps(POINT)
    assert versions(lab, POINT, ZUS) == [new.version] * 2


async def test_older_directory_is_refused(lab: Lab, central: Central) -> None:
    """E-20, BU-11: no receipt, EBMS:0004 with the version that is installed; nothing changes."""
    before = central.installed
    answer = await central.post(central.packed(central.directory(newer(before, "1.0"))))
    assert codes(answer) == ["EBMS:0004"]
    assert central.installed == before
    assert await lab.messages(POINT, Direction.IN) == ()


async def test_broken_directory_leaves_the_old_one_in_force(lab: Lab, central: Central) -> None:
    """E-20: what cannot be installed is a dead letter that says why, with the line."""
    before = central.installed
    broken = central.directory(newer(before, "9.0.0")).replace(
        b"<officialID>NO:NAVAT07", b"<officialID>NO:NAVPE01", 1
    )
    assert receipted(await central.post(central.packed(broken)))
    await lab.work(5)
    (kept,) = await lab.messages(POINT, Direction.IN)
    assert (kept.state, central.installed) == ("rejected", before)
    assert "line" in (kept.last_error or "")


async def test_directory_that_comes_again_is_installed_once(lab: Lab, central: Central) -> None:
    """The same message is answered with the same receipt; other content under its id is EBMS:0003."""
    packed = central.packed(central.directory(newer(central.installed, "9.0.0")))
    answers = [await central.post(packed) for _ in range(2)]
    await lab.work(5)
    assert answers[0].body == answers[1].body
    assert len(await lab.messages(POINT, Direction.IN)) == 1
    other = replace(packed, body=packed.body + b"\r\n")
    assert codes(await central.post(other)) == ["EBMS:0003"]


async def test_directory_that_somebody_else_signed_is_refused(lab: Lab, central: Central) -> None:
    """BU-10: another signature is EBMS:0101, and nothing is stored."""
    packed = central.packed(central.directory(newer(central.installed, "9.0.0")), lab.keys(NAV).ebms)
    assert codes(await central.post(packed)) == ["EBMS:0101"]
    assert await lab.messages(POINT, Direction.IN) == ()


@pytest.mark.parametrize(
    "url",
    [
        "http://zus.example/EESSI/Push",
        "file:///etc/passwd",
        "https://10.0.0.7/EESSI/Push",
        "https://localhost/EESSI/Push",
        "https://zus.example:8443/EESSI/Push",
        "https://user@zus.example/",
        "https://[::1/",
    ],
)
async def test_directory_with_an_address_inside_is_refused(lab: Lab, central: Central, url: str) -> None:
    """BU-12: a new endpoint must be https, a public host, the usual port; the old directory stays in force."""
    before = central.installed
    moved = tuple(
        replace(each, endpoint=Endpoint(channel=url)) if each.id == ZUS else each
        for each in before.institutions
    )
    new = replace(before, version="9.0.0", institutions=moved)
    await central.post(central.packed(central.directory(new)))
    await lab.work(5)
    assert central.installed == before
    (kept,) = await lab.messages(POINT, Direction.IN)
    assert kept.state == "rejected"


async def test_new_public_address_is_believed(lab: Lab, central: Central) -> None:
    """An institution may move to another host on the usual port."""
    moved = tuple(
        replace(each, endpoint=Endpoint(channel="https://new.zus.example/EESSI/Push"))
        if each.id == ZUS
        else each
        for each in central.installed.institutions
    )
    await central.post(
        central.packed(central.directory(replace(central.installed, version="9.0.0", institutions=moved)))
    )
    await lab.work(5)
    assert central.installed.version == "9.0.0"


async def test_versions_of_the_data_model_are_reported(lab: Lab, central: Central) -> None:
    """SYN005: the access point answers with the versions that it holds, in a message of its own."""
    station = lab.point.station
    question = documents.versions_request(Addressing(POINT, station.clock.now(), station.ids, CSN), CSN)
    assert receipted(await central.post(central.packed(question)))
    await lab.work(1)
    (report,) = [
        each
        for each in await lab.messages(POINT, Direction.OUT)
        if each.receiver == CSN and each.kind == "user"
    ]
    assert report.details["system"] == "SYN005"


async def test_request_for_the_data_model_is_a_dead_letter_that_says_so(lab: Lab, central: Central) -> None:
    """SYN003 and SYN004 are no business of the simulator; the refusal names what to do instead."""
    station = lab.point.station
    content = documents.versions_request(Addressing(POINT, station.clock.now(), station.ids, CSN), CSN)
    await central.post(central.packed(content.replace(b"SYN005", b"SYN003").replace(b"SUC_03", b"SUC_02")))
    await lab.work(1)
    (kept,) = await lab.messages(POINT, Direction.IN)
    assert (kept.state, "SYN003" in (kept.last_error or "")) == ("rejected", True)


async def test_institution_may_not_send_the_directory(lab: Lab, central: Central) -> None:
    """Whoever is not above a node has nothing to tell it."""
    station = lab.node(NAV).office.station
    to = Addressing(POINT, station.clock.now(), station.ids, NAV)
    content = syn_writing.message(newer(central.installed, "9.0.0"), to, extended=True)
    unit = UserMessage(
        MessageInfo(station.ids.message_id(NAV), station.clock.now()),
        Party(NAV),
        Party(POINT, role=vocabulary.ACCESS_POINT_ROLE),
        CollaborationInfo(conversation_id=station.ids.uuid(), service=vocabulary.SYSTEM_SERVICE),
    )
    payload = msh.compressed_payload("syn@no.example", content, "application/xml", "SED")
    packed = msh.pack_user_message(unit, [payload], station.keys, token=station.ids.hex32(), multihop=False)
    answer = await lab.point.handle(request_of(packed, lab.keys(NAV).tls.certificate.der))
    assert codes(answer) == ["EBMS:0101"]


@pytest.fixture
async def federation() -> AsyncIterator[Federation]:
    """Norway, Sweden and Poland with an access point each, below a central service node."""
    async with Federation.of() as network:
        yield network


def central_node(lab: Federation) -> CentralNode:
    """The central service node."""
    node = lab.network.nodes[CENTRAL]
    assert isinstance(node, CentralNode)
    return node


async def test_directory_goes_down_from_the_central_service_node(federation: Federation) -> None:
    """Every access point installs it and gives it to its institutions; all receipts come at once."""
    node = central_node(federation)
    node.station.directory.current = newer(node.station.directory.current, "9.0.0")
    assert await node.synchroniser.publish() == 3
    await federation.work(5)
    stations = [federation.point_at(each).station for each in (NORWAY, SWEDEN, POLAND)]
    stations += [federation.node(each).office.station for each in (NAV, ZUS)]
    assert {station.directory.current.version for station in stations} == {"9.0.0"}
    sent = await federation.messages(CENTRAL, Direction.OUT)
    assert {(each.state, each.receipted_at is not None) for each in sent} == {("delivered", True)}
    # Whoever watches the network looks for documents among its steps.
    assert "sent" not in {step for step, _ in await federation.steps(CENTRAL)}


async def test_central_service_node_is_told_the_versions_of_the_data_model(federation: Federation) -> None:
    """It asks every access point by SYN005, and notes what each reports."""
    assert await central_node(federation).synchroniser.ask_versions() == 3
    await federation.work(5)
    reported = [each.detail["by"] for each in await federation.journal(CENTRAL) if each.step == "data-models"]
    assert sorted(reported) == sorted((NORWAY, SWEDEN, POLAND))
    assert not central_node(federation).busy


async def test_access_point_that_is_away_gets_the_directory_later(federation: Federation) -> None:
    """The message is tried again like any other."""
    point = federation.directory.current.find_access_point(SWEDEN)
    assert point is not None
    base = point.inbound.removesuffix(INBOUND_PATH)
    federation.network.switchboard.take_down(base)
    node = central_node(federation)
    node.station.directory.current = newer(node.station.directory.current, "9.0.0")
    await node.synchroniser.publish()
    await federation.work(2)
    assert federation.point_at(SWEDEN).station.directory.current.version != "9.0.0"
    federation.network.switchboard.bring_up(base)
    await federation.work(30)
    assert federation.point_at(SWEDEN).station.directory.current.version == "9.0.0"


async def test_central_service_node_takes_system_messages_only(federation: Federation) -> None:
    """A business message is refused there, whoever brings it."""
    await federation.open(owner=NAV, others=[ZUS])
    message = await federation.sent(NAV)
    for client in (NORWAY, NAV):
        request = Request(
            method="POST",
            path="/EESSI/SystemMessaging/v1.0/Inbound",
            headers={"content-type": message.content_type},
            body=message.body,
            peer_certificate=federation.keys(client).tls.certificate.der,
        )
        assert len(codes(await central_node(federation).handle(request))) == 1


async def test_of_two_versions_at_once_the_newer_one_stays(lab: Lab, central: Central) -> None:
    """Whichever is installed first, an older one never replaces a newer one."""
    versions_ = ("9.0.1", "9.0.0")
    await asyncio.gather(
        *(
            central.post(central.packed(central.directory(newer(central.installed, each))))
            for each in versions_
        )
    )
    await lab.work(5)
    assert central.installed.version == "9.0.1"


async def test_system_message_from_another_time_is_refused(lab: Lab, central: Central) -> None:
    """A timestamp that is older than repetitions are known for is EBMS:0003, as of any message."""
    packed = central.packed(central.directory(newer(central.installed, "9.0.0")))
    await lab.work(31 * 86_400)
    assert codes(await central.post(packed)) == ["EBMS:0003"]
