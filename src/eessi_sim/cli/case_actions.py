"""What a case offers now, in our words and in RINA's, for ``case show --json``."""

from dataclasses import asdict
from datetime import datetime

from eessi_sim.buc import engine
from eessi_sim.buc.case import Case
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.rina_names import RinaNames
from eessi_sim.clock import iso


def as_json(case: Case, now: datetime) -> list[dict[str, object]]:
    """Return the JSON form of every action that can be used now; none of a process that nobody defines."""
    definition = Definitions.default().find(case.buc)
    if definition is None:
        return []
    names = RinaNames.default()
    return [
        {
            "text": action.text,
            "operation": action.operation,
            "sed": action.sed,
            "document": action.document_id,
            "parent": action.parent_id,
            "available_from": iso(action.available_from) if action.available_from else None,
            "rina": asdict(names.describe(action, case, definition)),
        }
        for action in engine.available_actions(case, definition, now)
    ]
