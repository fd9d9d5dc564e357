"""Who takes part in a run, and with which documents; the names of processes and documents are data."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from eessi_sim import resources
from eessi_sim.definition_files import load_yaml
from eessi_sim.identifiers import BucType, InstitutionId, SedType

POINT: Final = InstitutionId("EU:APSIM01")
NAV: Final = InstitutionId("NO:NAVAT07")
"""Whose messages are good and bad; played by the runner, as is ``FK``."""
ZUS: Final = InstitutionId("PL:ZUS01")
"""The receiver."""
FK: Final = InstitutionId("SE:FKSE01")
CSN: Final = InstitutionId("EU:CSN01")
"""The central service node, played by the runner."""
BA: Final = InstitutionId("DE:BA01")
"""Listed, but its time is over."""
PULLER: Final = InstitutionId("SE:PMSE01")
SHARER: Final = InstitutionId("NL:SVB01")
"""Two that share a channel of the access point; played by the runner."""


_KEYS: Final = ("process", "document", "other-document", "unknown-process", "foreign-process", "name")


@dataclass(frozen=True, slots=True)
class Setting:
    """What is exchanged."""

    process: BucType
    document: SedType
    """With which a case of the process begins."""
    other_document: SedType
    unknown_process: BucType
    foreign_process: BucType
    """One in which the sender is not competent."""
    name: str
    """Local name of the element that holds a name of a person."""

    @property
    def open_tag(self) -> bytes:
        """Where the name begins."""
        return f"<{self.name}>".encode()

    @property
    def close_tag(self) -> bytes:
        """Where it ends."""
        return f"</{self.name}>".encode()


def folder() -> Path:
    """Where the lists and the network of the runner stand."""
    return resources.schemas() / "conformance"


@cache
def setting() -> Setting:
    """Return what ``setting.yaml`` says."""
    keys = load_yaml(folder() / "setting.yaml").mapping(required=_KEYS)
    return Setting(
        process=keys.read("process", lambda node: node.parsed(BucType)),
        document=keys.read("document", lambda node: node.parsed(SedType)),
        other_document=keys.read("other-document", lambda node: node.parsed(SedType)),
        unknown_process=keys.read("unknown-process", lambda node: node.parsed(BucType)),
        foreign_process=keys.read("foreign-process", lambda node: node.parsed(BucType)),
        name=keys["name"].text(),
    )
