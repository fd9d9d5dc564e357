"""Keys and certificates of a simulated network: one authority, three key pairs per party.

TLS, ebMS signature and business seal are separate, as the Institution Repository lists them (SYN001, observed).
Everything is made for this network only and trusted nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from eessi_sim.errors import KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.ir.model import Certificates
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore

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
    def certificates(self) -> Certificates:
        """The certificates as the repository lists them."""
        return Certificates(
            ebms=(self.ebms.certificate,), seal=(self.seal.certificate,), tls=(self.tls.certificate,)
        )

    @classmethod
    def issue(
        cls, authority: CertificateAuthority, party: InstitutionId, hosts: tuple[str, ...], now: datetime
    ) -> Self:
        """Make the key pairs of ``party``."""
        start = now - HEAD_START

        def pair(purpose: Purpose, names: tuple[str, ...] = ()) -> KeyPair:
            return authority.issue(party, purpose, country=party.country, now=start, hosts=names)

        return cls(pair(Purpose.TLS, hosts), pair(Purpose.EBMS), pair(Purpose.SEAL))

    def save(self, folder: Path) -> None:
        """Write certificates and private keys, the keys readable by their owner only."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, pair in (("tls", self.tls), ("ebms", self.ebms), ("seal", self.seal)):
            pair.save(folder / f"{name}.pem")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote."""
        return cls(*(KeyPair.load(folder / f"{name}.pem") for name in ("tls", "ebms", "seal")))


@dataclass(frozen=True, slots=True)
class Credentials:
    """All keys of one network."""

    authority: CertificateAuthority
    parties: dict[InstitutionId, PartyKeys]
    made_at: datetime

    @classmethod
    def make(
        cls,
        parties: Iterable[InstitutionId],
        *,
        now: datetime,
        algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048,
        hosts: tuple[str, ...] = HOSTS,
    ) -> Self:
        """Make an authority and the keys of all parties.

        Args:
            parties: institutions and access points.
            now: time on the clock of the network.
            algorithm: RSA-2048 as EESSI has it, or P-256.
            hosts: where the nodes listen; goes into the TLS certificates.
        """
        authority = CertificateAuthority.create("EESSI simulator CA", now - HEAD_START, algorithm)
        keys = {party: PartyKeys.issue(authority, party, hosts, now) for party in parties}
        return cls(authority, keys, now)

    @property
    def trust(self) -> TrustStore:
        """The authority as the only anchor, with its revocation list."""
        return TrustStore.of([self.authority.certificate], [self.authority.crl(self.made_at)])

    def save(self, folder: Path) -> None:
        """Write everything below ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        self.authority.save(folder, self.made_at)
        for party, keys in self.parties.items():
            keys.save(folder / party.file_name)


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
