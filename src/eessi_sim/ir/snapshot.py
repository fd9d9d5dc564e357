"""One finished repository as a JSON file, so that separate processes share certificates and endpoints.

The file is ours and holds no secret; certificates stand in it as PEM. How a repository travels between nodes as
a SYN message is not decided here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.ir.model import AccessPointEntry, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate

_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class _Snapshot:
    form: Literal[1]
    """Number of this form of the file."""
    version: str
    institutions: tuple[Institution, ...]
    access_points: tuple[AccessPointEntry, ...]


def write(repository: InstitutionRepository) -> bytes:
    """Return the repository as JSON, the same bytes for the same repository."""
    snapshot = _Snapshot(_FORM, repository.version, repository.institutions, repository.access_points)
    return msgspec.json.format(msgspec.json.encode(snapshot, enc_hook=_encode), indent=1)


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
        return InstitutionRepository(snapshot.version, snapshot.institutions, snapshot.access_points)
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


def _encode(value: object) -> str:
    return value.pem.decode() if isinstance(value, Certificate) else str(value)


def _decode(kind: type, value: Any) -> Any:  # msgspec asks for this signature
    return Certificate.from_pem(value) if kind is Certificate else kind(value)


_DECODER: Final = msgspec.json.Decoder(_Snapshot, dec_hook=_decode)
