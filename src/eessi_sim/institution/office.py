"""What an institution works with beyond its AS4 station: seal, definitions, habits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakValueDictionary

from eessi_sim import resources
from eessi_sim.buc.loader import Definitions
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.validation import Validator
from eessi_sim.gateway.station import Station
from eessi_sim.identifiers import CdmVersion
from eessi_sim.ir.model import BehaviourRule, NewcomerGets
from eessi_sim.security.keys import KeyPair
from eessi_sim.synchronisation.synchroniser import Holdings


@dataclass(frozen=True, slots=True)
class Library:
    """Definitions that all nodes of a process share: compiled once."""

    catalogue: Catalogue
    validator: Validator
    processes: Definitions

    @property
    def holdings(self) -> Holdings:
        """What system messages are checked against, and tell of."""
        return Holdings(resources.schemas(), self.catalogue.versions())


class CaseLocks:
    """One lock per case, so that two changes of one case follow each other instead of colliding."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def of(self, international_id: str) -> asyncio.Lock:
        """Return the lock of the case; it exists as long as somebody holds it."""
        lock = self._locks.get(international_id)
        if lock is None:
            lock = asyncio.Lock()
            self._locks[international_id] = lock
        return lock


@dataclass(frozen=True, slots=True)
class Office:
    """Identity, definitions and habits of one institution."""

    station: Station
    seal: KeyPair
    """Its business signature: seals SEDs."""
    library: Library
    cdm: CdmVersion
    """Model version of the cases it opens."""
    behaviours: tuple[BehaviourRule, ...] = ()
    """What it does by itself when a document arrives; the first rule that matches wins."""
    templates: Path | None = None
    """Folder with documents that only this institution writes so: ``<SED>.sample.xml``."""
    newcomer_gets: NewcomerGets = NewcomerGets.TO_ALL
    """What an institution is sent that this one adds to a running case."""
    pace: float = 1.0
    """Factor on the delays of its behaviours; 0.1 answers ten times faster."""
    locks: CaseLocks = field(default_factory=CaseLocks)
