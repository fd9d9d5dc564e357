"""Rows of the conformance list about the directory: SYN001 from the central service node, SYN002 from an institution.

The central service node EU:CSN01 is played by the runner; its messages go to the access point over mutual TLS.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from eessi_sim.as4 import msh, vocabulary
from eessi_sim.as4.model import CollaborationInfo, MessageInfo, Party, UserMessage
from eessi_sim.as4.msh import Packed
from eessi_sim.conformance.model import Result, expect
from eessi_sim.conformance.network import Range
from eessi_sim.conformance.plays import NetworkPlay, Stimulus
from eessi_sim.conformance.setting import CSN, NAV, POINT, ZUS
from eessi_sim.conformance.wire import PATIENCE, Shot
from eessi_sim.identifiers import InstitutionId, MessageId, RandomIdFactory
from eessi_sim.ir import addresses, snapshot, syn_writing
from eessi_sim.ir.model import Endpoint, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.rotation import next_version
from eessi_sim.ir.syn_writing import Addressing
from eessi_sim.ir.vocabulary import SYN001, system_address
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.synchronisation import documents

_THOUSANDS: Final = 2000
_LOOK_AGAIN: Final = 0.05
_INBOUND: Final = system_address(addresses.BASE_PATH + addresses.INBOUND)
_OUTBOX: Final = system_address(addresses.BASE_PATH + addresses.OUTBOX)


def _installed(live: Range) -> InstitutionRepository:
    """Return what the access point has in force."""
    return snapshot.load(live.state.directory_of(POINT))


def _directory(repository: InstitutionRepository) -> bytes:
    return syn_writing.message(
        repository, Addressing(POINT, datetime.now(UTC), RandomIdFactory(), CSN), extended=True
    )


def _system(live: Range, sender: InstitutionId, content: bytes, keys: KeyPair | None = None) -> Packed:
    """Return a system message to the access point."""
    role = vocabulary.CSN_ROLE if sender == CSN else vocabulary.INSTITUTION_ROLE
    unit = UserMessage(
        MessageInfo(MessageId(f"{uuid4()}@{sender.domain}"), datetime.now(UTC)),
        Party(sender, role=role),
        Party(POINT, role=vocabulary.ACCESS_POINT_ROLE),
        CollaborationInfo(conversation_id=str(uuid4()), service=vocabulary.SYSTEM_SERVICE),
    )
    payload = msh.compressed_payload(f"syn@{sender.domain}", content, "application/xml", "SED")
    return msh.pack_user_message(
        unit, [payload], keys or live.keys[sender].ebms, token=uuid4().hex, multihop=False
    )


async def _outcome(live: Range, message_id: str) -> str:
    """Wait until the access point has dealt with a directory; return what it noted."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [
                outcome for step, outcome in await live.journal(POINT, message_id) if step == "directory"
            ]
            if found:
                return found[-1]
            await asyncio.sleep(_LOOK_AGAIN)


def brought(
    change: Callable[[InstitutionRepository], InstitutionRepository],
    spoil: Callable[[bytes], bytes] = lambda content: content,
) -> NetworkPlay:
    """Send a SYN001 made of the directory in force."""

    async def play(live: Range) -> Result:
        before = _installed(live)
        packed = _system(live, CSN, spoil(_directory(change(before))))
        answer = await live.fire(Shot.of(packed, client=CSN, path=_INBOUND))
        if answer.outcome != "Receipt":
            return Result(answer.outcome, answer.milliseconds, packed.message_id)
        outcome = await _outcome(live, packed.message_id)
        kept = _installed(live).version == before.version
        expect(
            kept == (outcome != "installed"),
            f"Expected another directory only when one was installed: {outcome}",
        )
        return Result(f"Receipt {outcome}", answer.milliseconds)

    return play


def forged(client: InstitutionId, signer: InstitutionId) -> NetworkPlay:
    """Send a newer SYN001 in the name of the central service node."""

    async def play(live: Range) -> Result:
        installed = _installed(live)
        content = _directory(_newer(installed))
        packed = _system(live, CSN, content, live.keys[signer].ebms)
        answer = await live.fire(Shot.of(packed, client=client, path=_INBOUND))
        expect(_installed(live).version == installed.version, "Expected the directory unchanged")
        return Result(answer.outcome, answer.milliseconds, packed.message_id)

    return play


def asked(version: Callable[[str], str]) -> NetworkPlay:
    """Send a SYN002 as an institution; the latest SYN001 must come."""

    async def play(live: Range) -> Result:
        installed, box = _installed(live).version, live.boxes[NAV].system
        known = len(box)
        to = Addressing(POINT, datetime.now(UTC), RandomIdFactory())
        packed = _system(live, NAV, documents.directory_request(version(installed), to, NAV))
        answer = await live.fire(Shot.of(packed, path=_OUTBOX))
        await live.until(lambda: len(box) > known)
        document = box[-1]
        stated = documents.stated_version(document.sed)
        expect(stated == installed, f"Expected version {installed}, found {stated}")
        return Result(f"{answer.outcome} {document.header.document.type}", answer.milliseconds)

    return play


async def rotated(live: Range) -> Result:
    """A certificate comes beside the old one while a message signed with the old one waits; both are believed."""
    fresh = live.authority.issue(NAV, Purpose.EBMS, country=NAV.country, now=datetime.now(UTC))
    os.kill(live.process(ZUS), signal.SIGSTOP)  # it keeps its connections and answers nobody
    try:
        waiting = live.packed()
        answer = await live.fire(Shot.of(waiting))
        await brought(lambda current: _listing(current, fresh))(live)
    finally:
        os.kill(live.process(ZUS), signal.SIGCONT)
    first = await live.callback(waiting.message_id)
    signed = live.signed(live.draft(), fresh)
    await _until_known(live, ZUS, fresh)
    second = await live.submit(Shot.of(signed))
    return Result(f"{answer.outcome} {first}, {second.outcome}", answer.milliseconds)


def _certificates(live: Range, party: InstitutionId) -> tuple[Certificate, ...]:
    """Return what a node lists for NO:NAVAT07."""
    return snapshot.load(live.state.directory_of(party)).ebms_certificates(NAV)


async def _until_known(live: Range, party: InstitutionId, keys: KeyPair) -> None:
    """Wait until a node lists a certificate of NO:NAVAT07."""
    async with asyncio.timeout(PATIENCE):
        while keys.certificate not in _certificates(live, party):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_LOOK_AGAIN)


def _newer(repository: InstitutionRepository) -> InstitutionRepository:
    return replace(repository, version=next_version(repository.version))


def _changed(
    repository: InstitutionRepository, change: Callable[[Institution], Institution], party: InstitutionId
) -> InstitutionRepository:
    entries = tuple(change(each) if each.id == party else each for each in repository.institutions)
    return replace(_newer(repository), institutions=entries)


def _listing(repository: InstitutionRepository, keys: KeyPair) -> InstitutionRepository:
    def add(entry: Institution) -> Institution:
        ebms = (*entry.certificates.ebms, keys.certificate)
        return replace(entry, certificates=replace(entry.certificates, ebms=ebms))

    return _changed(repository, add, NAV)


def _moved(url: str) -> Callable[[InstitutionRepository], InstitutionRepository]:
    return lambda current: _changed(
        current, lambda entry: replace(entry, endpoint=Endpoint(channel=url)), ZUS
    )


def _crowd(repository: InstitutionRepository) -> InstitutionRepository:
    """The directory with thousands of further institutions that no access point serves."""
    pattern = repository.get(ZUS)
    more = tuple(
        replace(
            pattern,
            id=InstitutionId(f"PL:CROWD{number:05}"),
            endpoint=Endpoint(channel=f"https://crowd{number}.example/"),
        )
        for number in range(_THOUSANDS)
    )
    return replace(_newer(repository), institutions=(*repository.institutions, *more))


def _without_crowd(repository: InstitutionRepository) -> InstitutionRepository:
    few = tuple(each for each in repository.institutions if "CROWD" not in each.id)
    return replace(_newer(repository), institutions=few)


def _older(repository: InstitutionRepository) -> InstitutionRepository:
    return replace(repository, version="1.0")


def _broken(content: bytes) -> bytes:
    return content.replace(b"<officialID>NO:NAVAT07", b"<officialID>SE:FKSE01", 1)


async def crowded(live: Range) -> Result:
    """Thousands of institutions: installed beside other work, then taken back by a newer version."""
    result = await brought(_crowd)(live)
    await live.good_message()
    expect(len(_installed(live).institutions) > _THOUSANDS, "Expected thousands of institutions")
    await brought(_without_crowd)(live)
    return result


STIMULI: tuple[Stimulus, ...] = (
    Stimulus("E-20", f"{SYN001} newer", brought(_newer)),
    Stimulus("E-20", f"{SYN001} equal", brought(lambda current: current)),
    Stimulus("E-20", f"{SYN001} older", brought(_older)),
    Stimulus("E-20", f"{SYN001} broken", brought(_newer, _broken)),
    Stimulus("E-21", "old version", asked(lambda _: "0.0.1")),
    Stimulus("E-21", "equal version", asked(lambda version: version)),
    Stimulus("E-21", "newer version", asked(lambda _: "999.0")),
    Stimulus("E-22", "second certificate while a message waits", rotated),
    Stimulus("BU-10", "signed by an institution", forged(CSN, NAV)),
    Stimulus("BU-10", "over the connection of an institution", forged(NAV, CSN)),
    Stimulus("BU-11", "older version", brought(_older)),
    Stimulus("BU-12", "internal address", brought(_moved("https://10.0.0.7/EESSI/"))),
    Stimulus("BU-12", "file", brought(_moved("file:///etc/passwd"))),
    Stimulus("BU-12", "other port", brought(_moved("https://zus.example:8443/EESSI/"))),
    Stimulus("BU-13", "thousands of institutions", crowded),
)
