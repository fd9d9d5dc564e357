"""The signing keys of many parties in one file: thousands of files would take longer to write than the keys to make.

Only the owner of the file can read it. A key pair is taken apart when somebody asks for it, not before.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from eessi_sim.errors import KeyMaterialError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.security.keys import KeyPair, Purpose, write_private

FILE: Final = "keys.json"


class _Pair(msgspec.Struct, frozen=True):
    """A key pair as two PEM texts."""

    private: str
    certificate: str


_Content = dict[str, dict[Purpose, _Pair]]


class Bundle:
    """What one file holds.

    Args:
        path: the file, for messages.
        pairs: key pairs by party.
    """

    def __init__(self, path: Path, pairs: _Content) -> None:
        self._path = path
        self._pairs = pairs

    def find(self, party: InstitutionId, purpose: Purpose) -> KeyPair | None:
        """Return a key pair, None when the file has none.

        Raises:
            KeyMaterialError: what the file has is no key pair.
        """
        found = self._pairs.get(party, {}).get(purpose)
        if found is None:
            return None
        where = f"for {party} in {self._path}"
        return KeyPair.from_pem(found.private.encode(), found.certificate.encode(), where)


def save(pairs: Mapping[InstitutionId, Mapping[Purpose, KeyPair]], folder: Path) -> None:
    """Write the key pairs of some parties into the file of a folder."""
    texts = {
        str(party): {
            purpose: _Pair(pair.private_pem.decode(), pair.certificate.pem.decode())
            for purpose, pair in held.items()
        }
        for party, held in pairs.items()
    }
    write_private(folder / FILE, msgspec.json.encode(texts))


def load(folder: Path) -> Bundle:
    """Read the file of a folder; a folder without one has no key pairs.

    Raises:
        KeyMaterialError: the file is not what ``save`` wrote.
    """
    path = folder / FILE
    if not path.exists():
        return Bundle(path, {})
    try:
        return Bundle(path, msgspec.json.decode(path.read_bytes(), type=_Content))
    except msgspec.MsgspecError as error:
        raise KeyMaterialError(
            f"Expected the keys of a network in {path}, found: {error}",
            hint="Remove the folder and start the network again.",
        ) from error
