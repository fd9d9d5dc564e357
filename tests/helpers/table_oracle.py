"""A second, small reading of the process tables, straight from their YAML: may this document be sent now?

It shares no code with the engine: it counts events of the case against the rows, where the engine keeps a ledger of
offers. It says no only where the table says no; so whatever it forbids must never be executed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import yaml

from eessi_sim import resources
from eessi_sim.buc.case import Case, Document, Event, EventKind

_SHORT = {"CaseOwner": "CO", "Counterparty": "CP"}
_WHOLE_CASE = {"X005", "X006", "X007", "X009"}
_ABOUT = {"X008": "invalidate", "X011": "reject", "X012": "clarify"}
_ANSWERS = {"X003": "X002", "X010": "X009", "X013": "X012"}
_ON: Any = True
"""The key ``on``, which plain YAML 1.1 reads as a truth value."""


@dataclass(frozen=True)
class Wanted:
    """A document that somebody wants to make."""

    sed: str
    parent: Document | None
    now: datetime


class TableOracle:
    """The table of one process as its file says it.

    Args:
        buc: name of the process.
    """

    def __init__(self, buc: str) -> None:
        self._file: Mapping[str, Any] = _read(buc)
        groups = (self._file["steps"], self._file.get("horizontal", {"rows": []}))
        self._rows = [row for group in groups for row in group["rows"]]
        self._effects = self._file.get("effects", {"rows": []})["rows"]
        self._alternatives = self._file.get("alternatives", {"rows": []})["rows"]
        conditions = self._file.get("conditions", {"rows": []})["rows"]
        self._conditions = {row["name"]: row["holds"] for row in conditions}

    def forbids(self, case: Case, wanted: Wanted) -> str | None:
        """Return why the owner of a copy may not make this document now; None when the table does not forbid it."""
        role = _SHORT[case.role]
        if wanted.sed.startswith("X0"):
            return self._forbids_administrative(case, wanted, role)
        if case.status != "open":
            return f"the case is {case.status}"
        if wanted.parent is not None and not wanted.parent.stands:
            return "its request does not stand"
        reasons = [self._forbids_row(case, row, wanted, role) for row in self._rows_of(wanted.sed, role)]
        if not reasons:
            return f"no row lets {role} send it"
        if None not in reasons:
            return reasons[0]
        return self._exceeded(case, wanted, role) or self._excluded(case, wanted)

    def lets_receive(self, sed: str, sender: str, receiver: str) -> bool:
        """Return whether any row sends this type from one role to the other."""
        if sed.startswith("X"):
            return True
        rows = self._rows_of(sed, _SHORT[sender])
        other = "CP" if self._file["participation"] == "multilateral" else ""
        default = {"CO": {"CP"}, "CP": {"CO", other}}
        return any(_SHORT[receiver] in set(_list(row.get("to")) or default[_SHORT[sender]]) for row in rows)

    def _rows_of(self, sed: str, role: str) -> list[Mapping[str, Any]]:
        return [row for row in self._rows if _is_of(row, sed) and role in _list(row["from"])]

    def _forbids_row(self, case: Case, row: Mapping[str, Any], wanted: Wanted, role: str) -> str | None:
        if row.get("starter") and (role != "CO" or not case.counterparties):
            return "only an owner with counterparties starts"
        if not all(self._holds(self._conditions[name], case) for name in _list(row.get("if"))):
            return "a condition does not hold"
        if row.get("replies_to"):
            parent = wanted.parent
            if parent is None or parent.type not in _list(row["replies_to"]):
                return "no such request"
            return (
                None if parent.sender != case.own or _places(case) != {case.own} else "it is our own request"
            )
        if wanted.parent is not None:
            return "it answers nothing"
        after = self._after(row)
        if after and not any(d.stands and d.type in after for d in case.documents):
            return f"none of {', '.join(after)} stands"
        return None

    def _exceeded(self, case: Case, wanted: Wanted, role: str) -> str | None:
        """More documents than occasions, or an occasion that was taken away after the last one."""
        occasions: list[int] = []
        rows = self._rows_of(wanted.sed, role)
        endless = any(row.get("repeatable") for row in rows)
        parent = wanted.parent.id if wanted.parent else None
        mine = _places(case)
        gone = -1
        for number, event in enumerate(case.history):
            if self._is_occasion(case, event, rows, parent, mine):
                occasions.append(number)
            if (
                _of(event, wanted.sed, parent)
                and event.institution in mine
                and event.kind in ("sent", "invalidated")
            ):
                recreated = event.kind == "invalidated" and any(
                    row.get("recreate_after_invalidate") for row in rows
                )
                if endless or recreated:
                    occasions.append(number)
            if any(self._takes_away(effect, event, case, wanted, role) for effect in self._effects):
                gone = number
        mine_made = [
            d for d in case.documents if d.type == wanted.sed and d.sender in mine and d.parent_id == parent
        ]
        if not endless and len(mine_made) >= len(occasions):
            return f"{len(mine_made)} were made of {len(occasions)}"
        return None if occasions and max(occasions) >= gone else "it was withdrawn"

    def _is_occasion(
        self, case: Case, event: Event, rows: list[Mapping[str, Any]], parent: object, mine: set[str]
    ) -> bool:
        for row in rows:
            if row.get("starter") and event.kind == "opened" and parent is None:
                return True
            exchanged = event.kind in ("sent", "received")
            if row.get("replies_to") and exchanged and event.document_id == parent and parent is not None:
                return True
            if exchanged and parent is None and event.sed in self._after(row):
                return True
        return any(
            effect["effect"] == "offer_again" and self._fires(effect, event, case, _SHORT[case.role])
            for effect in self._effects
            if any(_is_of(row, sed) for row in rows for sed in effect["seds"])
        )

    def _takes_away(
        self, effect: Mapping[str, Any], event: Event, case: Case, wanted: Wanted, role: str
    ) -> bool:
        return (
            effect["effect"] == "withdraw"
            and effect.get("action", "create") != "update"
            and wanted.sed in effect["seds"]
            and wanted.sed != event.sed
            and not effect.get("only_as_starter")
            and (
                effect.get("parent") is None
                or (wanted.parent is not None and wanted.parent.id == event.parent_id)
            )
            and self._fires(effect, event, case, role)
        )

    def _fires(self, effect: Mapping[str, Any], event: Event, case: Case, role: str) -> bool:
        own = event.institution in _places(case)
        triggers = {
            EventKind.CREATED: "create",
            EventKind.DELETED: "delete",
            EventKind.SENT: "send",
            EventKind.RECEIVED: "receive",
            EventKind.UPDATE_RECEIVED: "receive_update",
            EventKind.INVALIDATED: "invalidate" if own else "receive_invalidate",
        }
        return (
            role in _list(effect["by"])
            and effect[_ON] == triggers.get(event.kind)
            and event.sed in _list(effect["of"])
        )

    def _excluded(self, case: Case, wanted: Wanted) -> str | None:
        parent = wanted.parent.id if wanted.parent else None
        for group in self._alternatives:
            if wanted.sed not in group["seds"]:
                continue
            for d in case.documents:
                counts = d.sender in _places(case) and d.type in group["seds"] and d.type != wanted.sed
                if counts and (d.is_draft or d.stands) and (group["per"] == "case" or d.parent_id == parent):
                    return f"{d.type} excludes it"
        return None

    def _forbids_administrative(self, case: Case, wanted: Wanted, role: str) -> str | None:
        sed, parent, close = wanted.sed, wanted.parent, self._file["close"]
        if sed in ("X002", "X003", "X004"):
            if not case.is_closed_for_all or not close.get("reopen"):
                return "there is nothing to reopen"
        elif case.status != "open":
            return f"the case is {case.status}"
        elif not case.is_started:
            return "the case is not started"
        if sed in _WHOLE_CASE:
            return None if role in self._file["admin"]["roles"].get(sed, ()) else f"{role} may not send it"
        if sed == "X001":
            return self._forbids_close(case, close.get("for_all") or {}, wanted.now, role)
        if sed in _ANSWERS and (parent is None or parent.type != _ANSWERS[sed]):
            return "it answers nothing"
        if sed not in _ABOUT:
            return None
        return self._forbids_about(case, _ABOUT[sed], parent)

    def _forbids_about(self, case: Case, permission: str, parent: Document | None) -> str | None:
        if parent is None or not parent.stands:
            return "it is about nothing that stands"
        own = parent.sender in _places(case)
        if own is not (permission == "invalidate"):
            return "it is about a document of the wrong side"
        role = case.role_of(parent.sender)
        if role is None or case.own in parent.refused_by:
            return "it was refused already"
        key = "sender_may" if permission == "invalidate" else "receiver_may"
        rows = self._rows_of(parent.type, _SHORT[role])
        return None if any(permission in row.get(key, ()) for row in rows) else "no row permits it"

    def _forbids_close(self, case: Case, rule: Mapping[str, Any], now: datetime, role: str) -> str | None:
        if role not in rule.get("by", ()):
            return f"{role} may not close"
        at_once = rule.get("at_once_if")
        if "after" not in rule or (at_once and self._holds(self._conditions[at_once], case)):
            return None
        sent = [d.exchanged_at for d in case.exchanged() if d.type == rule["since"] and d.exchanged_at]
        since = sent[-1] if sent else case.created_at
        days = timedelta(days=int(rule["after"].strip("PD")))
        return None if now >= since + days else f"its time comes {since + days}"

    def _after(self, row: Mapping[str, Any]) -> list[str]:
        free = not (row.get("starter") or row.get("replies_to"))
        is_horizontal = row in self._file.get("horizontal", {"rows": []})["rows"]
        return _list(row.get("after")) or (list(self._file["starters"]) if free and is_horizontal else [])

    def _holds(self, holds: Mapping[str, Any], case: Case) -> bool:
        standing = [d for d in case.exchanged() if d.stands]
        if "any_of" in holds:
            return any(self._holds(each, case) for each in holds["any_of"])
        if "answer" in holds:
            requests = [d for d in standing if d.type == holds["to_latest"]]
            answers = [
                d
                for d in standing
                if requests and d.parent_id == requests[-1].id and d.type == holds["answer"]
            ]
            senders = {d.sender for d in answers}
            return bool(senders) and ("from" not in holds or senders >= set(case.counterparties))
        if "counterparties" in holds:
            return (len(case.counterparties) > 1) is (holds["counterparties"] == "several")
        if "fact" in holds:
            return True  # nobody looks into contents here
        sed = holds.get("fewer") or holds["at_least"]
        limit = holds.get("than", holds.get("as_many_as"))
        number = sum(1 for d in standing if d.type == sed)
        against = limit if isinstance(limit, int) else sum(1 for d in standing if d.type == limit)
        return number < against if "fewer" in holds else number >= against


@cache
def _read(buc: str) -> Mapping[str, Any]:
    path = next((resources.schemas() / "buc").glob(f"*/{buc}.yaml"))
    loaded: Mapping[str, Any] = yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return loaded


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _is_of(row: Mapping[str, Any], sed: str) -> bool:
    return bool(row["sed"] == sed or (row.get("per_country") and sed.startswith(f"{row['sed']}_")))


def _of(event: Event, sed: str, parent: object) -> bool:
    return event.sed == sed and event.parent_id == parent


def _places(case: Case) -> set[str]:
    return {str(institution) for institution in case.places_of(case.own)}


def oracles() -> Iterator[str]:
    """Return the names of all processes."""
    return (
        path.stem
        for path in sorted((resources.schemas() / "buc").glob("*/*.yaml"))
        if path.parent.name != "AD"
    )
