"""The manifest of an archive: what it is about and where its chain ends, sealed by the institution that made it.

The chain alone proves nothing against somebody who makes it again from its first entry; the seal over its head does.
It is made and verified like the seal of a SED.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.casefile.chain import Head
from eessi_sim.clock import iso
from eessi_sim.errors import IdentifierError, XmlError
from eessi_sim.identifiers import BucType, CaseId, InstitutionId, InternationalId
from eessi_sim.security import xades
from eessi_sim.security.keys import KeyPair
from eessi_sim.xmlsafe import Element, escape_text, local_name, namespace, text_of

NAMESPACE: Final = "urn:eessi-sim:case-archive:1"
_ROOT: Final = "CaseArchive"
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says about itself."""

    case: InternationalId
    """The id that all copies share."""
    local_case: CaseId
    """Its id at ``node``."""
    buc: BucType
    node: InstitutionId
    """Whose copy it is."""
    made_at: datetime
    masked: bool
    """Whether persons are hidden."""
    head: Head


def write(manifest: Manifest, keys: KeyPair, *, token: str) -> bytes:
    """Return a sealed manifest.

    Args:
        manifest: what to say.
        keys: the seal of the institution.
        token: 32 hexadecimal digits that make the ids of the seal unique.
    """
    members = {
        "case": manifest.case,
        "localCase": manifest.local_case,
        "buc": manifest.buc,
        "node": manifest.node,
        "madeAt": iso(manifest.made_at),
        "masked": "true" if manifest.masked else "false",
        "entries": str(manifest.head.entries),
        "head": manifest.head.hash,
    }
    text = "".join(f"\n  <{name}>{escape_text(value)}</{name}>" for name, value in members.items())
    root = xmlsafe.parse(f'<{_ROOT} xmlns="{NAMESPACE}">{text}\n</{_ROOT}>'.encode())
    return xades.sign(root, keys, signing_time=manifest.made_at, token=token)


def read(data: bytes) -> tuple[Element, Manifest]:
    """Return the root of a manifest, for its seal, and what it says.

    Raises:
        XmlError: it is no manifest.
    """
    root = xmlsafe.parse(data, xmlsafe.ENVELOPE_LIMITS)
    if (namespace(root), local_name(root)) != (NAMESPACE, _ROOT):
        raise _wrong(f"found <{local_name(root)}>")
    said = {local_name(child): text_of(child) for child in root}
    try:
        return root, _manifest(said)
    except (KeyError, ValueError, IdentifierError) as error:
        raise _wrong(f"found one without or with a strange {error}") from error


def _manifest(said: dict[str, str]) -> Manifest:
    if not _HASH.fullmatch(said["head"]) or not _NUMBER.fullmatch(said["entries"]):
        raise ValueError("head")
    return Manifest(
        case=InternationalId(said["case"]),
        local_case=CaseId(said["localCase"]),
        buc=BucType(said["buc"]),
        node=InstitutionId(said["node"]),
        made_at=datetime.fromisoformat(said["madeAt"]),
        masked={"true": True, "false": False}[said["masked"]],
        head=Head(int(said["entries"]), said["head"]),
    )


def _wrong(found: str) -> XmlError:
    return XmlError(
        f"Expected the manifest of a case archive, {found}",
        hint="Only archives that eessi-sim case export made can be verified.",
    )
