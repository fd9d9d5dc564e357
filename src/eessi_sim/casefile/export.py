"""Makes the archive of a case: the files in the order of the journal, the journal, and the sealed manifest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from eessi_sim import zipsafe
from eessi_sim.buc.case import Case
from eessi_sim.casefile import chain, manifest
from eessi_sim.casefile.chain import Record
from eessi_sim.casefile.manifest import Manifest
from eessi_sim.security.keys import KeyPair

MANIFEST: Final = "manifest.xml"
JOURNAL: Final = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Seal:
    """With what an archive is sealed, and when."""

    keys: KeyPair
    at: datetime
    token: str
    """32 hexadecimal digits that occur nowhere else."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An archive, and what it says about itself."""

    data: bytes = field(repr=False)
    manifest: Manifest
    files: int
    """Beside manifest and journal."""


def archive(case: Case, records: Sequence[Record], seal: Seal, *, masked: bool = False) -> Exported:
    """Return an archive; the same arguments give the same bytes, when the keys sign so (RSA does).

    Args:
        case: the copy of the case.
        records: everything about it, in order.
        seal: of the institution whose copy it is.
        masked: whether persons are hidden in the records.
    """
    journal, head = chain.write(records)
    about = Manifest(
        case=case.international_id,
        local_case=case.id,
        buc=case.buc,
        node=case.own,
        made_at=seal.at,
        masked=masked,
        head=head,
    )
    files = {record.file: record.content for record in records if record.file}
    sealed = manifest.write(about, seal.keys, token=seal.token)
    return Exported(zipsafe.write({MANIFEST: sealed, JOURNAL: journal, **files}), about, len(files))
