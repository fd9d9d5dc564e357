"""What changed between two repositories, one line for each thing that changed.

Compared is what a repository says to others: habits of institutions and who plays them are ours and left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from eessi_sim.ir.model import AccessPointEntry, AssignedBuc, Certificates, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Purpose

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


def difference(old: InstitutionRepository, new: InstitutionRepository) -> tuple[Change, ...]:
    """Return what changed, in the order of the parties' ids."""
    changes = [
        *_of_entries("institution", _by_id(old.institutions), _by_id(new.institutions)),
        *_of_entries("access point", _by_id(old.access_points), _by_id(new.access_points)),
        *_of_facts("", _of_repository(old), _of_repository(new)),
    ]
    return tuple(
        sorted(changes, key=lambda change: (change.party, change.kind, change.subject, change.before))
    )


def _by_id(entries: Iterable[Institution | AccessPointEntry]) -> dict[str, Institution | AccessPointEntry]:
    return {entry.id: entry for entry in entries}


def _of_entries(
    kind: str,
    old: Mapping[str, Institution | AccessPointEntry],
    new: Mapping[str, Institution | AccessPointEntry],
) -> Iterator[Change]:
    for party in {**old, **new}:
        before, after = old.get(party), new.get(party)
        if before is None and after is not None:
            yield Change(party, Action.ADDED, kind, "", after=_named(after))
        elif after is None and before is not None:
            yield Change(party, Action.REMOVED, kind, "", before=_named(before))
        elif before is not None and after is not None and before != after:
            yield from _of_facts(party, _facts(before), _facts(after))


def _of_facts(party: str, old: _Facts, new: _Facts) -> Iterator[Change]:
    for kind, subject in {**old, **new}:
        before, after = old.get((kind, subject)), new.get((kind, subject))
        if before == after:
            continue
        action = Action.CHANGED if before and after else Action.REMOVED if before else Action.ADDED
        yield Change(party, action, kind, subject, before or "", after or "")


def _named(entry: Institution | AccessPointEntry) -> str:
    return entry.name_in() if isinstance(entry, Institution) else entry.name


def _of_repository(repository: InstitutionRepository) -> _Facts:
    central = repository.central
    facts = {("version", ""): repository.version}
    if central:
        facts["central services node", central.id] = central.channel
        facts |= _certificates(central.certificates)
    return facts


def _facts(entry: Institution | AccessPointEntry) -> _Facts:
    own = _of_institution(entry) if isinstance(entry, Institution) else _of_access_point(entry)
    validity = {("validity", ""): _span(entry.valid_from, entry.valid_until)}
    return {**own, **validity, **_certificates(entry.certificates)}


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


def _certificates(certificates: Certificates) -> dict[tuple[str, str], str]:
    return {
        ("certificate", f"{purpose} {each.sha1_thumbprint}"): (
            f"{each.subject}, {_span(each.not_before, each.not_after)}"
        )
        for purpose in Purpose
        for each in certificates.of(purpose)
    }


def _span(start: datetime | None, end: datetime | None) -> str:
    first = f"from {start:%Y-%m-%d}" if start else "since ever"
    return f"{first} {f'until {end:%Y-%m-%d}' if end else 'without end'}"
