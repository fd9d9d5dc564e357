"""Key files for mutual TLS on the loopback address; made once per run, kept nowhere."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eessi_sim.security.keys import key_path
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm, Purpose
from eessi_sim.transport.base import TlsIdentity

DAY = timedelta(days=1)


@dataclass
class TlsFolder:
    """One authority and the key files of those it vouches for.

    TLS looks at the time of the machine, so these certificates are the only ones in the tests
    that do not follow a clock of ours.
    """

    folder: Path

    def __post_init__(self) -> None:
        self.now = datetime.now(UTC)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = CertificateAuthority.create("Test authority", self.now - DAY, KeyAlgorithm.P_256)
        (self.folder / "authority.pem").write_bytes(self.authority.certificate.pem)

    def identity(
        self,
        name: str,
        *,
        hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
        since: timedelta = DAY,
        days: int = 30,
        authorities: Path | None = None,
    ) -> TlsIdentity:
        """Key files of one party."""
        keys = self.authority.issue(
            name, Purpose.TLS, country="NO", now=self.now - since, days=days, hosts=hosts
        )
        path = self.folder / f"{name}.pem"
        keys.save(path)
        return TlsIdentity(path, key_path(path), authorities or self.folder / "authority.pem")
