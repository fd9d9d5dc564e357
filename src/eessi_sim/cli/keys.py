"""Keys that commands sign with: of an institution of a network, from a file, or made on the spot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from eessi_sim.cli import failures
from eessi_sim.errors import KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import Certificate, KeyPair, Purpose
from eessi_sim.security.pki import CertificateAuthority

_THROW_AWAY: Final = InstitutionId("EU:THROWAWAY")
_HEAD_START: Final = timedelta(days=1)
_PKI: Final = "pki"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key pair, with the authority that was made for it when nobody else vouches."""

    keys: KeyPair
    made_for_it: Certificate | None = None


def throw_away(now: datetime) -> Signer:
    """Make an authority and a seal that nobody knows; its private key is forgotten afterwards."""
    authority = CertificateAuthority.create("Throw-away authority of eessi-sim sign", now - _HEAD_START)
    keys = authority.issue(
        _THROW_AWAY, Purpose.SEAL, country=_THROW_AWAY.country, now=now - _HEAD_START, days=31
    )
    return Signer(keys, authority.certificate)


def from_file(path: Path) -> Signer:
    """Load a certificate with its private key beside it as ``.key``; either file may be named.

    Raises:
        KeyMaterialError: one of them is missing or something else.
    """
    return Signer(KeyPair.load(path.with_suffix(".pem") if path.suffix == ".key" else path))


def of_institution(institution: str, state: Path) -> Signer:
    """Load the seal of an institution from the folder of a network, or from its ``pki`` folder.

    Raises:
        KeyMaterialError: the folder has no keys of this institution; names the nearest.
    """
    name = InstitutionId(institution).file_name
    folders = [state / _PKI, state]
    for folder in folders:
        if (folder / name / "seal.pem").is_file():
            return Signer(KeyPair.load(folder / name / "seal.pem"))
    known = [
        path.parent.name.replace("_", ":", 1) for folder in folders for path in folder.glob("*/seal.pem")
    ]
    raise KeyMaterialError(
        f'Expected the seal of {institution} below "{state}", found none',
        hint=failures.nearest(institution, known) if known else f"Make keys with: eessi-sim pki init {state}",
    )
