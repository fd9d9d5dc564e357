"""Keys for two gateways of which one is a Java program: ours as objects, theirs as PEM files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from eessi_sim.as4.modes import ProfileName
from eessi_sim.cli.as4_keys import AUTHORITY, ENCRYPTION, SIGNING
from eessi_sim.gateway.lone import Identity
from eessi_sim.security.keys import Certificate, HeldKey, KeyPair, Purpose, key_path
from eessi_sim.security.pki import CertificateAuthority, KeyAlgorithm
from eessi_sim.security.trust import TrustStore
from eessi_sim.transport.base import TlsIdentity

OURS, THEIRS = "ours", "theirs"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Realm:
    """One authority and everybody it vouches for; phase4 looks at the time of the machine, so the keys do too."""

    folder: Path
    name: str = "Interop authority"

    @cached_property
    def now(self) -> datetime:
        """Begin of the validity."""
        return datetime.now(UTC) - _DAY

    @cached_property
    def authority(self) -> CertificateAuthority:
        """Who issues all certificates."""
        return CertificateAuthority.create(self.name, self.now, KeyAlgorithm.P_256)

    @cache  # noqa: B019 - lives as long as the test session
    def signing(self, profile: ProfileName, name: str) -> KeyPair:
        """Return the key that ``name`` signs with in this profile."""
        key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | None = None
        if profile is ProfileName.EDELIVERY_2:
            key = ed25519.Ed25519PrivateKey.generate()
        elif profile is ProfileName.EDELIVERY_1:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self.authority.issue(name, Purpose.EBMS, country="NO", now=self.now, key=key)

    @cache  # noqa: B019 - as above
    def receiving(self, profile: ProfileName, name: str) -> HeldKey:
        """Return the key that ``name`` decrypts with in this profile."""
        if profile is ProfileName.EDELIVERY_2:
            return self.authority.issue_agreement(name, country="NO", now=self.now)
        return self.signing(profile, name)

    def identity(self, profile: ProfileName, name: str, partner: str) -> Identity:
        """Return the keys of ``name``, who talks with ``partner``."""
        return Identity(
            keys=self.signing(profile, name),
            decryption=(self.receiving(profile, name),),
            partners=(self.signing(profile, partner).certificate,),
            trust=TrustStore.of([self.authority.certificate]),
            recipient=self.receiving(profile, partner).certificate,
        )

    def files(self, profile: ProfileName, name: str, partner: str) -> dict[str, str]:
        """Write the same as files for Java, and return their paths."""
        return {
            "signing": self._store(self.signing(profile, name), f"{profile}-{name}-signing"),
            "decryption": self._store(self.receiving(profile, name), f"{profile}-{name}-decryption"),
            "authority": self._pem(self.authority.certificate, f"{self.name}"),
            "partner": self._pem(self.signing(profile, partner).certificate, f"{profile}-{partner}-signing"),
            "recipient": self._pem(self.receiving(profile, partner).certificate, f"{profile}-{partner}"),
        }

    def command_keys(self, profile: ProfileName, name: str, folder: Path) -> Path:
        """Write the same as a folder for the command line, and return it."""
        own = folder / name
        self.signing(profile, name).save(own / SIGNING)
        if profile is ProfileName.EDELIVERY_2:
            self.receiving(profile, name).save(own / ENCRYPTION)
        (own / AUTHORITY).write_bytes(self.authority.certificate.pem)
        return own

    def tls(self, name: str) -> TlsIdentity:
        """Write key files for mutual TLS on the loopback address."""
        path = self.folder / f"tls-{name}.pem"
        if not path.exists():
            hosts = ("127.0.0.1", "localhost")
            self.authority.issue(name, Purpose.TLS, country="NO", now=self.now, hosts=hosts).save(path)
        return TlsIdentity(path, key_path(path), Path(self._pem(self.authority.certificate, f"{self.name}")))

    def _store(self, held: HeldKey, name: str) -> str:
        path = self.folder / f"{name}.pem"
        held.save(path)
        return str(path)

    def _pem(self, certificate: Certificate, name: str) -> str:
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.pem)
        return str(path)
