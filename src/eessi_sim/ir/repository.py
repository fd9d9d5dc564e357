"""Answers questions about who takes part; one repository never changes, a newer version replaces it as a whole.

What follows from an answer (an ebMS error, an X050) is decided by whoever asked.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from eessi_sim.definition_files import suggestion
from eessi_sim.errors import DefinitionError, NotCompetent, UnknownReceiver
from eessi_sim.identifiers import BucType, InstitutionId
from eessi_sim.ir import vocabulary
from eessi_sim.ir.model import (
    AccessPointEntry,
    AssignedBuc,
    CentralServicesNode,
    Certificates,
    Exchange,
    Institution,
)
from eessi_sim.security.keys import Certificate, Purpose

_SHOWN: Final = 8
"""How many competences or institutions one sentence names."""

_Entry = TypeVar("_Entry", Institution, AccessPointEntry)


@dataclass(frozen=True, slots=True)
class _Index:
    """Look-up tables, built once, because every message asks them."""

    institutions: dict[str, Institution]
    access_points: dict[str, AccessPointEntry]
    access_point_of: dict[str, AccessPointEntry]
    parties_of_tls: dict[bytes, frozenset[InstitutionId]]
    certificates_at: dict[str, Certificates]
    channels: dict[str, tuple[Institution, ...]]


@dataclass(frozen=True, slots=True)
class InstitutionRepository:
    """One version of the repository.

    Args:
        version: version number as SYN001 carries it, for example ``4.4.1``.
        institutions: all institutions of the network.
        access_points: all access points of the network.
        central: the central service node; None when an access point is it too, as in our own networks.

    Raises:
        DefinitionError: an id is listed twice, or an institution is linked to two access points.
    """

    version: str
    institutions: tuple[Institution, ...] = ()
    access_points: tuple[AccessPointEntry, ...] = ()
    central: CentralServicesNode | None = None
    _index: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        central = (self.central,) if self.central else ()
        index = _Index(
            _by_id(self.institutions),
            _by_id(self.access_points),
            _links(self.access_points),
            _parties_of_tls((*self.institutions, *self.access_points, *central)),
            _certificates_at(self.institutions, self.access_points, central),
            _channels(self.institutions),
        )
        object.__setattr__(self, "_index", index)  # the dataclass is frozen

    def find(self, institution_id: str, at: datetime | None = None) -> Institution | None:
        """Return the institution, or None when it is not listed (at that time, when one is given)."""
        institution = self._index.institutions.get(institution_id)
        if institution is None or (at is not None and not institution.is_listed(at)):
            return None
        return institution

    def get(self, institution_id: str, at: datetime | None = None) -> Institution:
        """Return the institution.

        Raises:
            UnknownReceiver: it is not listed (at that time, when one is given); names the nearest ids.
        """
        institution = self._index.institutions.get(institution_id)
        if institution is None:
            raise UnknownReceiver(
                f'Expected an institution of the repository, found "{institution_id}"',
                hint=suggestion(institution_id, self._index.institutions),
                institution=institution_id,
            )
        if at is not None and not institution.is_listed(at):
            raise UnknownReceiver(
                f'Expected an institution that is listed on {at:%Y-%m-%d}, found "{institution_id}", which is not',
                hint="Its entry is not valid at that time; check from and until.",
                institution=institution_id,
            )
        return institution

    def find_access_point(self, access_point_id: str) -> AccessPointEntry | None:
        """Return the access point with this id, or None."""
        return self._index.access_points.get(access_point_id)

    def access_point_of(self, institution_id: str) -> AccessPointEntry:
        """Return the access point that serves the institution.

        Raises:
            UnknownReceiver: no access point serves it.
        """
        entry = self._index.access_point_of.get(institution_id)
        if entry is None:
            raise UnknownReceiver(
                f'Expected an access point that serves "{institution_id}", found none',
                hint="Link the institution to an access point in the network file.",
                institution=institution_id,
            )
        return entry

    def serves(self, access_point_id: str, institution_id: str) -> bool:
        """Return whether this access point is that of the institution."""
        entry = self._index.access_point_of.get(institution_id)
        return entry is not None and entry.id == access_point_id

    def way(self, sender: str, receiver: str) -> tuple[AccessPointEntry, ...]:
        """Return the access points that a message passes, that of its sender first.

        Raises:
            UnknownReceiver: one of the two has no access point.
        """
        first, last = self.access_point_of(sender), self.access_point_of(receiver)
        way = [first]
        while way[-1].id != last.id:
            way.append(self._step(way[-1], last))
        return tuple(way)

    def next_access_point(self, here: str, receiver: str) -> AccessPointEntry | None:
        """Return the access point to which the one called ``here`` sends what is for ``receiver``; None is itself.

        Raises:
            UnknownReceiver: no access point serves the receiver.
        """
        last = self.access_point_of(receiver)
        point = self._index.access_points.get(here)
        return None if point is None or last.id == here else self._step(point, last)

    def _step(self, here: AccessPointEntry, last: AccessPointEntry) -> AccessPointEntry:
        """Return where the way to ``last`` leads on from ``here``: down its routes, else up, else across.

        The routes ``via`` make trees; network files that make circles are refused, so that every way ends. The way
        back is the same one.
        """
        way = self._upwards(last)
        known = [each.id for each in way]
        if here.id in known:
            return way[known.index(here.id) - 1]
        return self._index.access_points[here.via] if here.via else way[-1]

    def _upwards(self, point: AccessPointEntry) -> list[AccessPointEntry]:
        way = [point]
        while (via := way[-1].via) is not None:
            way.append(self._index.access_points[via])
        return way

    def is_competent(
        self, institution_id: str, buc: BucType, role: str, *, at: datetime, ready: bool = True
    ) -> bool:
        """Return whether the institution may take part in the process in this role.

        Args:
            institution_id: who.
            buc: the process type.
            role: ``CaseOwner``, ``Counterparty`` or ``IntelligentRA``.
            at: time at which the competence must hold.
            ready: whether it must also handle the process in EESSI already.
        """
        institution = self.find(institution_id, at)
        return institution is not None and _is_competent(institution, buc, role, at, ready)

    def require_competent(
        self, institution_id: str, buc: BucType, role: str, *, at: datetime, ready: bool = True
    ) -> None:
        """Refuse an institution that may not take part in the process in this role.

        Raises:
            UnknownReceiver: it is not listed at that time.
            NotCompetent: says what it is competent for, and who would be.
        """
        institution = self.get(institution_id, at)
        if not _is_competent(institution, buc, role, at, ready):
            raise NotCompetent(
                f"Expected {institution_id} to be competent as {role} in {buc} on {at:%Y-%m-%d}, "
                f"found {_finding(institution, buc, role, at)}",
                hint=self._who_else(institution, buc, role, at),
                institution=institution_id,
                buc=buc,
                role=role,
            )

    def institutions_competent(self, buc: BucType, role: str, *, at: datetime) -> tuple[Institution, ...]:
        """Return all institutions that are competent and ready for the process in this role."""
        return tuple(
            institution
            for institution in self.institutions
            if institution.is_listed(at) and _is_competent(institution, buc, role, at, ready=True)
        )

    def sharing(self, channel: str, at: datetime) -> tuple[Institution, ...]:
        """Return the institutions that list this pull channel, as far as their entries are valid at that time."""
        return tuple(each for each in self._index.channels.get(channel, ()) if each.is_listed(at))

    def parties_of_tls(self, certificate: bytes) -> frozenset[InstitutionId]:
        """Return who may use this TLS certificate; a gateway may serve several institutions.

        Args:
            certificate: the octets (DER) that the TLS layer saw.
        """
        return self._index.parties_of_tls.get(certificate, frozenset())

    def certificates_at(self, url: str) -> Certificates:
        """Return the certificates of whom the repository lists at ``url``; none when it lists nobody there.

        Several parties may share an address, as behind a national gateway.
        """
        return self._index.certificates_at.get(url, Certificates())

    def certificates_of(self, party: str, purpose: Purpose) -> tuple[Certificate, ...]:
        """Return the certificates listed for an institution, access point or the central service node; else none."""
        if self.central is not None and party == self.central.id:
            return self.central.certificates.of(purpose)
        entry = self._index.institutions.get(party) or self._index.access_points.get(party)
        return entry.certificates.of(purpose) if entry else ()

    def ebms_certificates(self, party: str) -> tuple[Certificate, ...]:
        """Return the certificates with which ``party`` signs ebMS messages; none when it is unknown."""
        return self.certificates_of(party, Purpose.EBMS)

    def _who_else(self, institution: Institution, buc: BucType, role: str, at: datetime) -> str:
        competent = self.institutions_competent(buc, role, at=at)
        near = [other.id for other in competent if other.country == institution.country]
        if near:
            return f"Competent in {institution.country}: {_some(near)}."
        if competent:
            return (
                f"Nobody in {institution.country} is; competent elsewhere: {_some(e.id for e in competent)}."
            )
        return "Nobody in this network is; add the competence to the file of an institution."


def _by_id(entries: Iterable[_Entry]) -> dict[str, _Entry]:
    found: dict[str, _Entry] = {}
    for entry in entries:
        if entry.id in found:
            raise DefinitionError(f'Expected every id once in the repository, found "{entry.id}" twice')
        found[entry.id] = entry
    return found


def _links(entries: Iterable[AccessPointEntry]) -> dict[str, AccessPointEntry]:
    found: dict[str, AccessPointEntry] = {}
    for entry in entries:
        for institution_id in entry.linked:
            other = found.setdefault(institution_id, entry)
            if other is not entry:
                raise DefinitionError(
                    f'Expected one access point for "{institution_id}", found {other.id} and {entry.id}'
                )
    return found


def _parties_of_tls(
    entries: Iterable[Institution | AccessPointEntry | CentralServicesNode],
) -> dict[bytes, frozenset[InstitutionId]]:
    found: defaultdict[bytes, set[InstitutionId]] = defaultdict(set)
    for entry in entries:
        for certificate in entry.certificates.tls:
            found[certificate.der].add(entry.id)
    return {der: frozenset(parties) for der, parties in found.items()}


def _certificates_at(
    institutions: Iterable[Institution],
    access_points: Iterable[AccessPointEntry],
    central: Iterable[CentralServicesNode],
) -> dict[str, Certificates]:
    places = [
        (
            each.endpoint.channel if each.endpoint.exchange is Exchange.PUSH else each.endpoint.inner,
            each.certificates,
        )
        for each in institutions
    ]
    places += [
        (system.endpoint.channel, each.certificates)
        for each in institutions
        for system in each.systems
        if system.endpoint.exchange is Exchange.PUSH
    ]
    for point in access_points:
        places += [(url, point.certificates) for url in {point.outbox, point.inbox, point.inbound}]
    places += [(node.channel, node.certificates) for node in central]
    places += [
        (vocabulary.system_address(url), certificates)
        for url, certificates in places
        if vocabulary.system_address(url) != url
    ]
    found: dict[str, Certificates] = {}
    for url, certificates in places:
        if url:  # empty until the network is built
            found[url] = found.get(url, Certificates()).joined(certificates)
    return found


def _channels(institutions: Iterable[Institution]) -> dict[str, tuple[Institution, ...]]:
    found: defaultdict[str, list[Institution]] = defaultdict(list)
    for institution in institutions:
        for channel in institution.channels:
            found[channel].append(institution)
    return {channel: tuple(sharing) for channel, sharing in found.items()}


def _is_competent(institution: Institution, buc: BucType, role: str, at: datetime, ready: bool) -> bool:
    return any(
        entry.buc == buc and entry.role == role and entry.is_in_force(at) and (entry.ready or not ready)
        for entry in institution.competences
    )


def _finding(institution: Institution, buc: BucType, role: str, at: datetime) -> str:
    """Say what there is instead of the competence that was asked for."""
    entries = [entry for entry in institution.competences if entry.buc == buc and entry.role == role]
    if entries:
        return _state(entries[0], at)
    in_force = [entry for entry in institution.competences if entry.is_in_force(at)]
    if not in_force:
        return "no competence in force"
    return _some(f"{entry.role} in {entry.buc}" for entry in in_force)


def _state(entry: AssignedBuc, at: datetime) -> str:
    if at < entry.valid_from:
        return f"a competence that starts on {entry.valid_from:%Y-%m-%d}"
    if not entry.is_in_force(at):
        return f"a competence that ended on {entry.valid_until:%Y-%m-%d}"
    return "a competence that is not ready for EESSI yet"


def _some(words: Iterable[str]) -> str:
    listed = list(words)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
