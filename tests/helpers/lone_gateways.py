"""Two lone gateways for tests: keys of a profile on both sides, and a wire that is a function call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ed25519
from tests.helpers.as4_encryption import held
from tests.helpers.as4_messages import NOW, RECEIVER, SENDER, authority, keys_of, trust

from eessi_sim.as4 import vocabulary
from eessi_sim.as4.model import Party
from eessi_sim.as4.modes import PRESETS, ProcessingMode, ProfileName
from eessi_sim.clock import ManualClock
from eessi_sim.gateway.lone import Delivery, Identity, LoneGateway
from eessi_sim.security.keys import HeldKey, KeyPair, Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.security.trust import TrustStore
from eessi_sim.spool import Spool
from eessi_sim.stretch import IN_MEMORY, Extent, whole
from eessi_sim.transport.base import Handler, Request, Response

URL = "http://receiver.example/as4"
POINT_TO_POINT = (ProfileName.EDELIVERY_1, ProfileName.EDELIVERY_2, ProfileName.EDELIVERY_2_EC)


@cache
def _ed25519(name: str) -> KeyPair:
    return authority(KeyAlgorithm.P_256).issue(
        name, Purpose.EBMS, country=name[:2], now=NOW, key=ed25519.Ed25519PrivateKey.generate()
    )


def signing(profile: ProfileName, name: str) -> KeyPair:
    """Return the key that ``name`` signs with in this profile."""
    if profile is ProfileName.EDELIVERY_2:
        return _ed25519(name)
    is_rsa = profile is ProfileName.EDELIVERY_1
    return keys_of(name, KeyAlgorithm.RSA_2048 if is_rsa else KeyAlgorithm.P_256)


def receiving(profile: ProfileName, name: str) -> HeldKey:
    """Return the key that ``name`` decrypts with in this profile."""
    kinds = {ProfileName.EDELIVERY_1: "rsa", ProfileName.EDELIVERY_2: "x25519"}
    return held(kinds.get(profile, "p-256"), name)


def believed() -> TrustStore:
    """Return a store that believes both test authorities."""
    both = [authority(KeyAlgorithm.P_256).certificate, authority(KeyAlgorithm.RSA_2048).certificate]
    return TrustStore.of(both)


def mode_of(profile: ProfileName, **changes: object) -> ProcessingMode:
    """Return a mode between the two parties."""
    mode = replace(
        PRESETS[profile],
        id=f"{profile} test",
        sender=Party(SENDER.id, "urn:type", vocabulary.INITIATOR_ROLE),
        receiver=Party(RECEIVER.id, "urn:type", vocabulary.RESPONDER_ROLE),
        service="urn:service",
        service_type=None,
        action="submit",
        address=URL,
    )
    return replace(mode, **changes)  # type: ignore[arg-type] # tests name real fields


def identity(profile: ProfileName, name: str, partner: str) -> Identity:
    """Return the keys of ``name``, who talks with ``partner``."""
    return Identity(
        keys=signing(profile, name),
        decryption=(receiving(profile, name),),
        partners=(signing(profile, partner).certificate,),
        trust=believed(),
        recipient=receiving(profile, partner).certificate,
    )


@dataclass
class Wire:
    """A transport that calls the handler of the other side, and remembers what it brought."""

    handler: Handler
    requests: list[Request] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    change: Callable[[Response], Response] = lambda answer: answer
    """Applied to each answer on its way back."""
    spool: Spool | None = None
    """Where large requests are written, as a listener does."""

    async def send(
        self,
        url: str,
        body: Extent,
        *,
        headers: Mapping[str, str],
        within: float,
        method: str = "POST",
        into: Spool | None = None,
    ) -> Response:
        """Hand the request over."""
        request = Request(method=method, path=url, headers=headers, body=whole(body))
        if self.spool is not None and len(body) > IN_MEMORY:
            request = replace(request, body=b"", spooled=self.spool.write([whole(body)]))
        self.requests.append(request)
        self.answers.append(self.change(await self.handler(request)))
        if request.spooled is not None:
            request.spooled.discard()
        return self.answers[-1]

    async def close(self) -> None:
        """Nothing is open."""


class Pair:
    """A sender and a receiver that agreed on a mode."""

    def __init__(self, profile: ProfileName, *modes: ProcessingMode) -> None:
        self.received: list[Delivery] = []
        self.clock = ManualClock(NOW)
        self.receiver = LoneGateway(identity(profile, RECEIVER.id, SENDER.id), clock=self.clock)
        self.wire = Wire(self.receiver.serve(modes or (mode_of(profile),), self.deliver))
        self.sender = LoneGateway(identity(profile, SENDER.id, RECEIVER.id), self.wire, clock=self.clock)

    async def deliver(self, delivery: Delivery) -> None:
        """Remember what was delivered."""
        self.received.append(delivery)


__all__ = ["POINT_TO_POINT", "URL", "Pair", "Wire", "identity", "mode_of", "trust"]
