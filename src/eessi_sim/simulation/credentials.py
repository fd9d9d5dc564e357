"""Keys and certificates of a simulated network: one authority, three key pairs per party.

TLS, ebMS signature and business seal are separate, as the Institution Repository lists them (SYN001, observed).
Everything is made for this network only and trusted nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from eessi_sim.errors import KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.model import Certificates
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore
from eessi_sim.simulation import bundle

HEAD_START: Final = timedelta(days=1)
"""Certificates begin a day before the network, so that clocks may differ."""
HOSTS: Final = ("localhost", "127.0.0.1", "::1")
"""Where the nodes listen; TLS certificates name it."""
FILES: Final = {Purpose.TLS: "tls.pem", Purpose.EBMS: "ebms.pem", Purpose.SEAL: "seal.pem"}
"""Certificates of a party; the private key lies beside each."""


@dataclass(frozen=True, slots=True)
class PartyKeys:
    """The key pairs of one party."""

    tls: KeyPair
    ebms: KeyPair
    seal: KeyPair

    @property
    def signing(self) -> dict[Purpose, KeyPair]:
        """The key pairs that sign documents and messages."""
        return {Purpose.EBMS: self.ebms, Purpose.SEAL: self.seal}

    @property
    def certificates(self) -> Certificates:
        """The certificates as the repository lists them."""
        return Certificates(
            ebms=(self.ebms.certificate,), seal=(self.seal.certificate,), tls=(self.tls.certificate,)
        )

    @classmethod
    def issue(
        cls,
        authority: CertificateAuthority,
        party: InstitutionId,
        hosts: tuple[str, ...],
        now: datetime,
        tls: KeyPair | None = None,
    ) -> Self:
        """Make the key pairs of ``party``; that for TLS only when none is given."""
        start = now - HEAD_START

        def pair(purpose: Purpose, names: tuple[str, ...] = ()) -> KeyPair:
            return authority.issue(party, purpose, country=party.country, now=start, hosts=names)

        return cls(tls or pair(Purpose.TLS, hosts), pair(Purpose.EBMS), pair(Purpose.SEAL))

    def save(self, folder: Path) -> None:
        """Write certificates and private keys, the keys readable by their owner only."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, pair in (("tls", self.tls), ("ebms", self.ebms), ("seal", self.seal)):
            pair.save(folder / f"{name}.pem")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(*(KeyPair.load(folder / f"{name}.pem") for name in ("tls", "ebms", "seal")))


class Keyring:
    """The keys of the parties that one process plays, each read when it is asked for.

    Args:
        folder: what ``Credentials.save`` wrote.
        player: the process.
    """

    def __init__(self, folder: Path, player: str) -> None:
        self._folder = folder
        self._place = folder / file_name(player)
        self._tls = KeyPair.load(self._place / FILES[Purpose.TLS])
        self._bundle = bundle.load(self._place)

    def keys_of(self, party: InstitutionId) -> PartyKeys:
        """Return the key pairs of a party.

        Raises:
            KeyMaterialError: one is missing or unreadable.
        """
        ebms, seal = (self._pair(party, purpose) for purpose in (Purpose.EBMS, Purpose.SEAL))
        return PartyKeys(self._tls, ebms, seal)

    def _pair(self, party: InstitutionId, purpose: Purpose) -> KeyPair:
        own = self._folder / party.file_name / FILES[purpose]
        found = None if own.exists() else self._bundle.find(party, purpose)
        return found or KeyPair.load(own)


def load_pair(folder: Path, party: InstitutionId, purpose: Purpose) -> KeyPair:
    """Return a key pair of a party that ``Credentials.save`` wrote, whichever process plays it.

    Raises:
        KeyMaterialError: it is missing or unreadable.
    """
    own = folder / party.file_name / FILES[purpose]
    places = () if own.exists() else sorted(file.parent for file in folder.glob(f"*/{bundle.FILE}"))
    found = (bundle.load(place).find(party, purpose) for place in places)
    return next((pair for pair in found if pair is not None), None) or KeyPair.load(own)


def file_name(player: str) -> str:
    """Return the name of a process, or of the party that has one of its own, in a form that is safe in a path."""
    return player.replace(":", "_")


@dataclass(frozen=True, slots=True)
class Credentials:
    """All keys of one network."""

    authority: CertificateAuthority
    parties: dict[InstitutionId, PartyKeys]
    made_at: datetime
    hosted: Mapping[InstitutionId, str] = field(default_factory=dict)
    """Name of the process of those parties that share one, and its TLS key pair."""

    @classmethod
    def make(
        cls,
        parties: Iterable[InstitutionId],
        *,
        now: datetime,
        algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
        hosts: tuple[str, ...] = HOSTS,
        hosted: Mapping[InstitutionId, str] = MappingProxyType({}),
    ) -> Self:
        """Make an authority and the keys of all parties.

        Args:
            parties: institutions and access points.
            now: time on the clock of the network.
            algorithm: RSA-2048 as EESSI has it, or P-256.
            hosts: where the nodes listen; goes into the TLS certificates.
            hosted: name of the process of those parties that share one; they share its TLS key pair too.
        """
        authority = CertificateAuthority.create("EESSI simulator CA", now - HEAD_START, algorithm)
        shared = {
            name: authority.issue(name, Purpose.TLS, country="EU", now=now - HEAD_START, hosts=hosts)
            for name in dict.fromkeys(hosted.values())
        }
        keys = {
            party: PartyKeys.issue(authority, party, hosts, now, tls=shared.get(hosted.get(party, "")))
            for party in parties
        }
        return cls(authority, keys, now, hosted)

    @property
    def trust(self) -> TrustStore:
        """The authority as the only anchor, with its revocation list."""
        return TrustStore.of([self.authority.certificate], [self.authority.crl(self.made_at)])

    def save(self, folder: Path) -> None:
        """Write everything below ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.authority.save(folder, self.made_at)
        for party, keys in self.parties.items():
            if party not in self.hosted:
                keys.save(folder / party.file_name)
        for name in dict.fromkeys(self.hosted.values()):
            played = {party: keys for party, keys in self.parties.items() if self.hosted.get(party) == name}
            next(iter(played.values())).tls.save(folder / file_name(name) / FILES[Purpose.TLS])
            bundle.save({party: keys.signing for party, keys in played.items()}, folder / file_name(name))


def load_trust(folder: Path) -> TrustStore:
    """Return the trust that ``Credentials.save`` wrote: authority and revocation list.

    The private key of the authority stays where it is: nodes believe certificates, they do not issue any.

    Raises:
        KeyMaterialError: a file is missing or is something else.
    """
    try:
        authority, revoked = (folder / "ca.pem").read_bytes(), (folder / "ca.crl").read_bytes()
    except OSError as error:
        raise KeyMaterialError(
            f"Expected an authority and its revocation list in {folder}, found: {error}",
            hint="Remove the folder and start the network again.",
        ) from error
    return TrustStore.of([Certificate.from_pem(authority)], [revoked])
