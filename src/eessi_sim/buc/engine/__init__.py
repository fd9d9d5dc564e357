"""The engine of the Business Use Cases: pure and total.

Any state of a case with any input gives a new state or a named refusal: ActionNotAvailable for what a
user wants, DocumentRefused for what a message brings, CaseError for arguments that make no sense.
Nothing here reads a clock, makes an id, stores or sends.
"""

from eessi_sim.buc.engine.attaching import attach, detach, require_may_carry
from eessi_sim.buc.engine.execute import (
    create,
    delete,
    record_delivery,
    record_handed_over,
    record_sent,
    report_exception,
    send,
    update,
)
from eessi_sim.buc.engine.incoming import AttachedFile, IncomingDocument
from eessi_sim.buc.engine.life import (
    archive,
    local_close,
    local_reopen,
    open_case,
    remove_case,
    restore,
    set_participants,
)
from eessi_sim.buc.engine.offering import actions, available_actions, close_offered_from, find_action
from eessi_sim.buc.engine.receive import receive
from eessi_sim.buc.engine.suggesting import decline, find_suggestion, suggest, take, without_stale

__all__ = [
    "AttachedFile",
    "IncomingDocument",
    "actions",
    "archive",
    "attach",
    "available_actions",
    "close_offered_from",
    "create",
    "decline",
    "delete",
    "detach",
    "find_action",
    "find_suggestion",
    "local_close",
    "local_reopen",
    "open_case",
    "receive",
    "record_delivery",
    "record_handed_over",
    "record_sent",
    "remove_case",
    "report_exception",
    "require_may_carry",
    "restore",
    "send",
    "set_participants",
    "suggest",
    "take",
    "update",
    "without_stale",
]
