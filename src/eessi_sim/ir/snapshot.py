"""One finished repository as a JSON file, so that separate processes share certificates and endpoints.

The file is ours and holds no secret; certificates stand in it as PEM. How a repository travels between nodes as
a SYN message is not decided here.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import msgspec

from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.ir.model import AccessPointEntry, CentralServicesNode, Certificates, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate

_FORM: Final = 1


_Entry = TypeVar("_Entry", Institution, AccessPointEntry)


@dataclass(frozen=True, slots=True)
class _Pem:
    """The certificates of one party as text."""

    ebms: tuple[str, ...]
    seal: tuple[str, ...]
    tls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Snapshot:
    form: Literal[1]
    """Number of this form of the file."""
    version: str
    institutions: tuple[Institution, ...]
    access_points: tuple[AccessPointEntry, ...]
    certificates: dict[str, _Pem]
    """By id of the party; the entries themselves list none in the file."""
    central: CentralServicesNode | None = None
    central_certificates: _Pem = _Pem((), (), ())


def write(repository: InstitutionRepository) -> bytes:
    """Return the repository as JSON, the same bytes for the same repository."""
    institutions, access_points = repository.institutions, repository.access_points
    central = repository.central
    snapshot = _Snapshot(
        form=_FORM,
        version=repository.version,
        institutions=tuple(replace(entry, certificates=Certificates()) for entry in institutions),
        access_points=tuple(
            replace(entry, certificates=Certificates()) for entry in repository.access_points
        ),
        certificates={
            **{entry.id: _to_pem(entry.certificates) for entry in institutions},
            **{entry.id: _to_pem(entry.certificates) for entry in access_points},
        },
        central=replace(central, certificates=Certificates()) if central else None,
        central_certificates=_to_pem(central.certificates if central else Certificates()),
    )
    # Identifiers are texts of their own classes, which the encoder does not know.
    return msgspec.json.format(msgspec.json.encode(snapshot, enc_hook=str), indent=1)


def read(data: bytes, file: str = "snapshot") -> InstitutionRepository:
    """Return the repository that ``write`` made.

    Args:
        data: the JSON.
        file: name to show in errors.

    Raises:
        DefinitionError: not a snapshot, or one of another form.
    """
    try:
        snapshot = _DECODER.decode(data)
        return InstitutionRepository(
            snapshot.version,
            tuple(_with_certificates(entry, snapshot) for entry in snapshot.institutions),
            tuple(_with_certificates(entry, snapshot) for entry in snapshot.access_points),
            _central(snapshot),
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, EessiSimError) as error:
        raise DefinitionError(
            f"Expected a snapshot of the Institution Repository, found: {error} ({file})",
            hint="Start the network again; it writes the snapshot anew.",
            file=file,
        ) from error


def save(repository: InstitutionRepository, path: Path) -> None:
    """Write the repository to a file; a reader sees the old file or the new one, never half of one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(write(repository))
    fresh.replace(path)


def load(path: Path) -> InstitutionRepository:
    """Read a file that ``save`` wrote.

    Raises:
        DefinitionError: the file cannot be read, or is no snapshot.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DefinitionError(
            f"Expected a readable file, found {error.strerror} ({path})", file=str(path)
        ) from error
    return read(data, str(path))


def _to_pem(certificates: Certificates) -> _Pem:
    return _Pem(_texts(certificates.ebms), _texts(certificates.seal), _texts(certificates.tls))


def _texts(certificates: tuple[Certificate, ...]) -> tuple[str, ...]:
    return tuple(certificate.pem.decode() for certificate in certificates)


def _with_certificates(entry: _Entry, snapshot: _Snapshot) -> _Entry:
    return replace(entry, certificates=_from_pem(snapshot.certificates.get(entry.id, _Pem((), (), ()))))


def _central(snapshot: _Snapshot) -> CentralServicesNode | None:
    if snapshot.central is None:
        return None
    return replace(snapshot.central, certificates=_from_pem(snapshot.central_certificates))


def _from_pem(pem: _Pem) -> Certificates:
    return Certificates(_read(pem.ebms), _read(pem.seal), _read(pem.tls))


def _read(texts: tuple[str, ...]) -> tuple[Certificate, ...]:
    return tuple(Certificate.from_pem(text) for text in texts)


def _identifier(kind: type[Any], text: object) -> object:  # Any: msgspec hands over the annotated class
    return kind(text)


_DECODER: Final = msgspec.json.Decoder(_Snapshot, dec_hook=_identifier)
