"""A run of one message as it lies on the disk: message, envelope, SED, receipt, authority, report, index."""

import hashlib
import json
from functools import cache
from pathlib import Path

from tests.helpers.as4_messages import (
    MESSAGE_ID,
    NOW,
    RECEIVER,
    SENDER,
    TOKEN,
    authority,
    keys_of,
    packed_message,
    sed_payload,
    stamp,
    unpacked,
)
from tests.helpers.envelopes import HEADER

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.security import xades
from eessi_sim.security.keys import KeyPair, Purpose
from eessi_sim.security.pki import KeyAlgorithm
from eessi_sim.verification.folder import load_authorities
from eessi_sim.verification.outcome import Belief

FOLDER = MESSAGE_ID.file_name


def sample(sed: str = "A003") -> bytes:
    """The sample of a SED that comes with the program."""
    path = Catalogue.default().get(SedType(sed), CdmVersion("4.4")).sample
    assert path is not None
    return path.read_bytes()


def sealed(sed: bytes | None = None, keys: KeyPair | None = None) -> bytes:
    """A SED, the sample of A003 by default, with the seal of the sender."""
    root = xmlsafe.parse(sample() if sed is None else sed)
    seal = keys or keys_of(SENDER.id, purpose=Purpose.SEAL)
    return xades.sign(root, seal, signing_time=NOW, token=TOKEN)


def envelope(sed: bytes | None = None) -> bytes:
    """An envelope round a sealed SED."""
    return sbdh.wrap(HEADER, sealed() if sed is None else sed)


def message(payload: bytes | None = None) -> msh.Packed:
    """A signed message with an envelope in it."""
    return packed_message((sed_payload(envelope() if payload is None else payload),))


def receipt(of: msh.Packed, keys: KeyPair | None = None) -> bytes:
    """The receipt of a message, signed by its receiver."""
    return msh.pack_receipt(unpacked(of), keys or keys_of(RECEIVER.id), stamp=stamp()).body


@cache
def files() -> dict[str, bytes]:
    """The four files of one message."""
    packed = message()
    return {
        "message.as4": msh.to_file(packed),
        "sbdh.xml": envelope(),
        "sed.xml": sealed(),
        "receipt.xml": receipt(packed),
    }


def row() -> dict[str, str]:
    """What the report says about the message."""
    return {
        "message_id": MESSAGE_ID,
        "sed": "A003",
        "cdm": "4.4",
        "buc": "LA_BUC_02",
        "case": HEADER.scope.case_id,
        "from": SENDER.id,
        "to": RECEIVER.id,
        "receipt": "valid",
    }


def write_run(folder: Path, *, report: bool = True, index: bool = False) -> Path:
    """Write the run below ``folder`` and return the folder of its message."""
    place = folder / "messages" / FOLDER
    place.mkdir(parents=True)
    for name, content in files().items():
        (place / name).write_bytes(content)
    (folder / "ca.pem").write_bytes(authority(KeyAlgorithm.P_256).certificate.pem)
    if report:
        (folder / "report.json").write_text(json.dumps({"messages": [row()]}))
    if index:
        write_index(folder)
    return place


def write_index(folder: Path) -> None:
    """Write the SHA-256 sums of the files as they lie there."""
    paths = [folder / "ca.pem", *sorted((folder / "messages").glob("*/*"))]
    sums = {
        path.relative_to(folder).as_posix(): {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for path in paths
    }
    (folder / "messages" / "index.json").write_text(json.dumps({"files": sums}))


def belief(folder: Path) -> Belief:
    """The trust in the authority of the run."""
    path = folder / "ca.pem"
    path.write_bytes(authority(KeyAlgorithm.P_256).certificate.pem)
    return Belief(load_authorities(path))
