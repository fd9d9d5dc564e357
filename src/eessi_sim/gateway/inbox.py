"""Takes requests in: limits, TLS identity, structure, signature; then the node's own acceptor.

Order of checks after the AS4 profile (limits and parsing before any cryptography, signature before any
processing). What a message means is decided by the ``Acceptor`` of the node: an institution is the end of
the way, the access point an intermediary.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Protocol

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode, EbmsFault, NotAs4
from eessi_sim.as4.model import UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.as4.wss import Verified
from eessi_sim.errors import StorageError, Unavailable, XmlError
from eessi_sim.gateway.aside import aside
from eessi_sim.gateway.gate import RETRY_AFTER
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import InstitutionId, MessageId
from eessi_sim.security.keys import Certificate
from eessi_sim.security.xmldsig import Reference
from eessi_sim.transport.base import Request, Response

_SHOWN: Final = 8
"""How many parties one sentence names."""
ACCEPTED = Response(status=202)
"""The message is durable; receipts and errors come by callback (EESSI practice, observed)."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message whose structure and signature have been checked."""

    request: Request
    unpacked: Unpacked
    client: frozenset[InstitutionId]
    """Parties that the directory lists for the TLS certificate of the connection."""
    references: tuple[Reference, ...]
    """What its signature covers."""


class Acceptor(Protocol):
    """What a kind of node does with messages; faults it raises are answered to the sender."""

    def allow(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> None:
        """Raise EbmsFault when this TLS client may not hand in this message."""
        ...

    def opened(self, client: frozenset[InstitutionId], unpacked: Unpacked) -> Unpacked:
        """Return the message without the encryption of the last hop, the same when there is none."""
        ...

    async def candidates(self, unpacked: Unpacked) -> tuple[Certificate, ...]:
        """Return the certificates that may have signed the message."""
        ...

    async def accept(self, received: Received) -> Response:
        """Make the verified message durable and answer."""
        ...

    async def refuse(
        self, unpacked: Unpacked, fault: EbmsFault, client: frozenset[InstitutionId], *, verified: bool
    ) -> Response:
        """Answer a message that was readable but is refused; ``verified`` when it is from whom it says."""
        ...


class Inbox:
    """The AS4 entrance of a node.

    Args:
        station: the node's identity, seams and limits.
        acceptor: what this kind of node does with messages.
    """

    def __init__(self, station: Station, acceptor: Acceptor) -> None:
        self._station = station
        self._acceptor = acceptor

    async def handle(self, request: Request) -> Response:
        """Answer one HTTP request; never raises for what a peer can send."""
        with self._station.gate.passing():
            response = await self._answer(request)
        self._station.measures.answers[response.status] += 1
        return response

    async def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return refused(405, "AS4 messages are sent by POST")
        client = self._client_of(request)
        if not client:
            return refused(403, "The directory does not list this TLS certificate")
        return await self._take_or_postpone(request, client, "send")

    async def take_pulled(self, request: Request, point: InstitutionId) -> Response:
        """Take a message that ``point`` gave as the answer to a pull request, as if it had pushed it."""
        return await self._take_or_postpone(request, frozenset({point}), "pull")

    async def _take_or_postpone(
        self, request: Request, client: frozenset[InstitutionId], verb: str
    ) -> Response:
        """Take a message; what cannot be stored is asked for again.

        Not as a signed error signal, which would be final for the sender (ebMS3 core 6.2); the text names the code
        and description of the error all the same.
        """
        gate = self._station.gate
        try:
            response = await self._take(request, client)
        except StorageError as error:
            gate.trouble = f"{error.code}: {error.message}" if isinstance(error, Unavailable) else None
            return later(f"not stored, {verb} it again later ({error.code})")
        if response.status < 400:
            gate.trouble = None
        return response

    def _client_of(self, request: Request) -> frozenset[InstitutionId]:
        if request.peer_certificate is None:
            return frozenset()
        return self._station.directory.current.parties_of_tls(request.peer_certificate)

    async def _take(self, request: Request, client: frozenset[InstitutionId]) -> Response:
        content_type = request.headers.get("content-type", "")
        try:
            unpacked = await aside(
                request.spooled, lambda: msh.unpack(content_type, request.octets, self._station.limits)
            )
        except (NotAs4, XmlError) as error:
            return refused(400, f"{error.code}: {error.message}")
        except EbmsFault as fault:
            return synchronous_error(self._station, fault)
        if isinstance(unpacked.unit, UserMessage) and not self._station.gate.is_open:
            return later("this node is being drained and takes no new messages")
        try:
            self._acceptor.allow(client, unpacked)
            opened = await aside(request.spooled, lambda: self._acceptor.opened(client, unpacked))
        except EbmsFault as fault:
            return await self._acceptor.refuse(unpacked, fault, client, verified=False)
        if opened is unpacked:
            return await self._check_and_accept(request, unpacked, client)
        bare = await aside(request.spooled, lambda: self._without_hop(request, opened))
        try:
            large = bare.spooled and msh.unpack(opened.content_type, bare.octets, self._station.limits)
            return await self._check_and_accept(bare, large or opened, client)
        finally:
            if bare.spooled is not None:
                bare.spooled.discard()

    def _without_hop(self, request: Request, opened: Unpacked) -> Request:
        """Return the request as if it had come without encryption; what was in the spool goes there again."""
        headers = {**request.headers, "content-type": opened.content_type}
        body, spool = opened.body, self._station.spool
        if request.spooled is None or spool is None:
            return replace(request, body=body, headers=headers, spooled=None)
        return replace(request, headers=headers, spooled=spool.write([body]))

    async def _check_and_accept(
        self, request: Request, unpacked: Unpacked, client: frozenset[InstitutionId]
    ) -> Response:
        try:
            candidates = await self._acceptor.candidates(unpacked)
            verified = await aside(request.spooled, lambda: self._verify(unpacked, candidates))
        except EbmsFault as fault:
            return await self._acceptor.refuse(unpacked, fault, client, verified=False)
        try:
            if request.spooled is not None:
                await aside(request.spooled, request.spooled.keep)
            return await self._acceptor.accept(Received(request, unpacked, client, verified.references))
        except EbmsFault as fault:
            return await self._acceptor.refuse(unpacked, fault, client, verified=True)

    def _verify(self, unpacked: Unpacked, candidates: tuple[Certificate, ...]) -> Verified:
        station = self._station
        if not candidates:
            raise EbmsFault(
                EbmsErrorCode.FAILED_AUTHENTICATION,
                "Expected a sender that the directory lists with an ebMS certificate",
                hint="Check the From party and the Institution Repository.",
            )
        return msh.verify(
            unpacked,
            candidates=candidates,
            trust=station.trust,
            at=station.clock.now(),
            policy=station.policy,
        )


def named(parties: Collection[str]) -> str:
    """Return the parties as a text for people; behind one certificate there may be thousands."""
    shown = sorted(parties)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def sender_of(unpacked: Unpacked) -> str | None:
    """Return the party that the message says it is from: its own header, else its routing input."""
    if isinstance(unpacked.unit, UserMessage):
        return unpacked.unit.sender.id
    return unpacked.routing.sender.id if unpacked.routing else None


def synchronous_error(station: Station, fault: EbmsFault) -> Response:
    """Return the answer that carries ``fault`` as a signed error signal, HTTP 200 (AS4.NET's default, observed)."""
    about = MessageId(fault.ref) if fault.ref else None
    packed = msh.pack_error([fault.as_error()], station.keys, about=about, stamp=station.stamp())
    return Response(200, {"content-type": packed.content_type}, packed.body)


def refused(status: int, reason: str) -> Response:
    """Return an answer that is no ebMS message: a status and a sentence."""
    return Response(
        status=status, headers={"content-type": "text/plain; charset=utf-8"}, body=f"{reason}\n".encode()
    )


def later(reason: str) -> Response:
    """Return an answer that asks to try again: 503 with the text of an ebMS error (core 6.7.2)."""
    code = EbmsErrorCode.OTHER
    answer = refused(503, f"{code.code} {code.short_description}: {reason}")
    return replace(answer, headers={**answer.headers, "retry-after": str(RETRY_AFTER)})
