"""What changed between two repositories, one line for each thing that changed.

Compared is what a repository says to others: habits of institutions and who plays them are ours and left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eessi_sim.ir.listed import Sight, Use
from eessi_sim.ir.model import AccessPointEntry, AssignedBuc, Institution

_Facts = Mapping[tuple[str, str], str]
"""What an entry says, by kind of fact and subject."""


class Action(StrEnum):
    """What happened to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed."""

    party: str
    action: Action
    kind: str
    """``institution``, ``access point``, ``competence``, ``endpoint``, ``certificate``, ``link``, ``name`` …"""
    subject: str
    """Which of them, for example ``P_BUC_01 CaseOwner``; empty where there is only one."""
    before: str = ""
    after: str = ""


def difference(old: Sight, new: Sight) -> tuple[Change, ...]:
    """Return what changed, in the order of the parties' ids."""
    before, after = _parties(old), _parties(new)
    changes = list(_of_facts("", _of_repository(old), _of_repository(new)))
    for party, now in after.items():
        if party in before:
            changes += _of_facts(party, _facts(before[party]), _facts(now))
        else:
            changes.append(Change(party, Action.ADDED, now.kind, "", after=now.name))
    for party, was in before.items():
        if party not in after:
            changes.append(Change(party, Action.REMOVED, was.kind, "", before=was.name))
    return tuple(
        sorted(changes, key=lambda change: (change.party, change.kind, change.subject, change.before))
    )


@dataclass(frozen=True, slots=True)
class _Party:
    """An entry and what is listed of its certificates."""

    entry: Institution | AccessPointEntry
    uses: tuple[Use, ...]

    @property
    def kind(self) -> str:
        return "institution" if isinstance(self.entry, Institution) else "access point"

    @property
    def name(self) -> str:
        return self.entry.name_in() if isinstance(self.entry, Institution) else self.entry.name


def _parties(sight: Sight) -> dict[str, _Party]:
    uses = sight.by_party()
    entries: tuple[Institution | AccessPointEntry, ...] = (
        *sight.repository.institutions,
        *sight.repository.access_points,
    )
    return {entry.id: _Party(entry, uses.get(entry.id, ())) for entry in entries}


def _of_facts(party: str, old: _Facts, new: _Facts) -> Iterator[Change]:
    for kind, subject in {**old, **new}:
        before, after = old.get((kind, subject)), new.get((kind, subject))
        if before == after:
            continue
        action = Action.CHANGED if before and after else Action.REMOVED if before else Action.ADDED
        yield Change(party, action, kind, subject, before or "", after or "")


def _of_repository(sight: Sight) -> _Facts:
    central = sight.repository.central
    facts = {("version", ""): sight.repository.version}
    if central:
        facts["central services node", central.id] = central.channel
        facts |= _certificates(sight.by_party().get(central.id, ()))
    return facts


def _facts(party: _Party) -> _Facts:
    entry = party.entry
    own = _of_institution(entry) if isinstance(entry, Institution) else _of_access_point(entry)
    validity = {("validity", ""): _span(entry.valid_from, entry.valid_until)}
    return {**own, **validity, **_certificates(party.uses)}


def _of_institution(entry: Institution) -> dict[tuple[str, str], str]:
    contact = entry.contact
    facts = {
        ("endpoint", ""): f"{entry.endpoint.exchange} {entry.endpoint.channel}".strip(),
        ("liaison body", ""): str(entry.liaison_body).lower(),
        ("public", ""): str(entry.public).lower(),
    }
    facts |= {("name", each.language): each.text for each in entry.name}
    facts |= {("contact", key): getattr(contact, key) or "" for key in contact.__slots__}
    facts |= {("relation", each.institution): each.kind for each in entry.relations}
    facts |= dict(_competence(each) for each in entry.competences)
    return facts


def _competence(entry: AssignedBuc) -> tuple[tuple[str, str], str]:
    """A competence that starts again on another day is another one."""
    subject = f"{entry.buc} {entry.role} {entry.valid_from:%Y-%m-%d}"
    until = f"until {entry.valid_until:%Y-%m-%d}" if entry.valid_until else "without end"
    return ("competence", subject), f"{until}, {'ready' if entry.ready else 'not ready'}"


def _of_access_point(entry: AccessPointEntry) -> dict[tuple[str, str], str]:
    facts = {("name", "en"): entry.name}
    facts |= {("endpoint", key): getattr(entry, key) for key in ("outbox", "inbox", "inbound")}
    facts |= {("link", each): "served" for each in entry.linked}
    return facts


def _certificates(uses: Iterable[Use]) -> dict[tuple[str, str], str]:
    return {
        ("certificate", f"{use.purpose} {use.certificate.thumbprint}"): (
            f"{use.certificate.subject}, {_span(use.certificate.valid_from, use.certificate.valid_to)}"
        )
        for use in uses
    }


def _span(start: datetime | None, end: datetime | None) -> str:
    first = f"from {start:%Y-%m-%d}" if start else "since ever"
    return f"{first} {f'until {end:%Y-%m-%d}' if end else 'without end'}"
