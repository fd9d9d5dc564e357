"""Reads ``institutions/<country>/<code>.yaml`` and ``institutions/networks/*.yaml`` into the model.

A file is one institution or one network; unknown keys are errors with a suggestion. URLs and certificates exist
only once a network is built, so they are never in these files. Stories are named here but read elsewhere.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from eessi_sim.attachments import DEFAULT_LIMITS, MEGABYTE, AttachmentLimits
from eessi_sim.definition_files import Fields, Node, load_yaml, suggestion
from eessi_sim.identifiers import COUNTRIES, BucType, InstitutionId, SedType
from eessi_sim.ir import groups
from eessi_sim.ir.checks import DEFAULT_CHECKS, Checks, read_checks
from eessi_sim.ir.model import (
    KEEP_ALL,
    AccessPointEntry,
    ApplicationRole,
    AssignedBuc,
    BehaviourRule,
    CentralServicesNode,
    Contact,
    Decision,
    Endpoint,
    Exchange,
    Institution,
    Keeping,
    NewcomerGets,
    Occasion,
    Translation,
)
from eessi_sim.ir.points import read_access_points, read_central
from eessi_sim.ir.repository import InstitutionRepository

_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,99}")
_MOST_MEGABYTES = 2048
"""Such files pass in pieces, never held as a whole; beyond, nobody has tried (our choice, inferred)."""
_LEAST_KEPT = timedelta(days=30)
"""The window of duplicate detection of the profile."""
_CONTACT_KEYS = ("email", "phone", "fax", "url", "street", "postal_code", "town")


@dataclass(frozen=True, slots=True)
class NetworkDefinition:
    """A network as its file describes it: who takes part; without URLs and certificates."""

    id: str
    title: str
    access_points: tuple[AccessPointEntry, ...]
    """One for all, or one per country."""
    institutions: tuple[Institution, ...]
    stories: tuple[str, ...]
    """Ids of the stories that the network can play."""
    attachments: AttachmentLimits = DEFAULT_LIMITS
    """Which attachments its nodes take."""
    keeping: Keeping = KEEP_ALL
    """How long they keep what is finished."""
    checks: Checks = DEFAULT_CHECKS
    """Which checks its access points make."""
    synchronised: bool = False
    """Whether its nodes learn of a newer directory by system messages, each for itself."""
    central: CentralServicesNode | None = None
    """The central service node; None when the one access point is it too."""

    def only(self, kept: Collection[InstitutionId]) -> "NetworkDefinition":
        """Return the network with these institutions only; its access points serve the others no more."""
        return replace(
            self,
            access_points=tuple(
                replace(point, linked=tuple(each for each in point.linked if each in kept))
                for point in self.access_points
            ),
            institutions=tuple(each for each in self.institutions if each.id in kept),
        )

    def repository(self, version: str) -> InstitutionRepository:
        """Return the repository of this network under a version number."""
        return InstitutionRepository(version, self.institutions, self.access_points, self.central)

    def deciding(self, decision: Decision) -> "NetworkDefinition":
        """Return the network in which all rules of all institutions decide, suggest, or leave it to a clerk."""
        return replace(
            self,
            institutions=tuple(
                replace(each, behaviours=tuple(replace(rule, decides=decision) for rule in each.behaviours))
                for each in self.institutions
            ),
        )


def load_institution(path: Path) -> Institution:
    """Read one institution.

    Raises:
        DefinitionError: names file, line and key.
    """
    return _institution(load_yaml(path), path)


def load_institutions(folder: Path) -> tuple[Institution, ...]:
    """Read all institutions of a folder with one sub-folder per country, in the order of their ids.

    Raises:
        DefinitionError: names file, line and key.
    """
    return tuple(load_institution(path) for path in _institution_files(folder))


def load_network(path: Path, folders: Sequence[Path]) -> NetworkDefinition:
    """Read a network and the institutions it names.

    Args:
        path: the network file.
        folders: where the institutions are looked for, in this order; the user's own folder first.

    Raises:
        DefinitionError: names file, line and key; an institution without file is one of the reasons.
    """
    fields = load_yaml(path).mapping(
        required=("id", "title", "institutions"),
        allowed=(
            "access_point",
            "access_points",
            "csn",
            "stories",
            "attachments",
            "pull",
            "routing",
            "checks",
            "synchronised",
            "retention",
        ),
    )
    institutions = _pulling(fields, fields.each("institutions", _finder(folders)))
    institutions = groups.with_systems(fields, institutions)
    named = tuple(zip(fields["institutions"].sequence(), institutions, strict=True))
    points = read_access_points(fields, named)
    return NetworkDefinition(
        id=fields.read("id", Node.text),
        title=fields.read("title", Node.text),
        access_points=points,
        institutions=institutions,
        stories=fields.each("stories", Node.text),
        attachments=fields.read("attachments", _attachments, DEFAULT_LIMITS),
        keeping=fields.read("retention", _keeping, KEEP_ALL),
        checks=fields.read("checks", read_checks, DEFAULT_CHECKS),
        central=read_central(fields, points),
        synchronised=fields.read("synchronised", Node.boolean, default="access_points" in fields),
    )


def _pulling(fields: Fields, institutions: tuple[Institution, ...]) -> tuple[Institution, ...]:
    """Return the institutions, those that the network lets fetch their messages with their channels."""
    known = [institution.id for institution in institutions]
    channels: dict[str, str] = {}
    for channel, readers in fields.read("pull", lambda node: node.entries(), {}).items():
        groups.channel(readers, channel)
        for place in readers.each(lambda node: node):
            if place.text() not in known:
                raise place.error(
                    f'Expected an institution of this network, found "{place.text()}"',
                    hint=suggestion(place.text(), known),
                )
            channels[place.text()] = channel
    return tuple(
        replace(each, endpoint=Endpoint(Exchange.PULL, channels[each.id])) if each.id in channels else each
        for each in institutions
    )


def _attachments(node: Node) -> AttachmentLimits:
    fields = node.mapping(allowed=("types", "file_mb", "message_mb"))
    usual = DEFAULT_LIMITS
    limits = AttachmentLimits(
        types=fields.each("types", _media_type) or usual.types,
        file_bytes=fields.read("file_mb", _megabytes, usual.file_bytes),
        message_bytes=fields.read("message_mb", _megabytes, usual.message_bytes),
    )
    if limits.message_bytes < limits.file_bytes:
        raise node.error(
            f"Expected message_mb to be at least file_mb, found {limits.message_bytes // MEGABYTE} "
            f"and {limits.file_bytes // MEGABYTE}",
            hint="A message must have room for its largest file.",
        )
    return limits


def _keeping(node: Node) -> Keeping:
    fields = node.mapping(allowed=("messages", "journal"))
    return Keeping(fields.read("messages", _long_enough, None), fields.read("journal", _long_enough, None))


def _long_enough(node: Node) -> timedelta:
    kept = node.duration()
    if kept < _LEAST_KEPT:
        raise node.error(
            f"Expected {_LEAST_KEPT.days} days at least, found {node.text()}",
            hint="So long a sender may repeat a message, and a repetition must be recognised.",
        )
    return kept


def _media_type(node: Node) -> str:
    text = node.text()
    if not _MEDIA_TYPE.fullmatch(text):
        raise node.error(
            f'Expected a media type, found "{text}"', hint="Write it like application/pdf, in small letters."
        )
    return text


def _megabytes(node: Node) -> int:
    number = node.integer()
    if not 1 <= number <= _MOST_MEGABYTES:
        raise node.error(
            f"Expected 1 to {_MOST_MEGABYTES} megabytes, found {number}",
            hint="Larger files do not travel with messages.",
        )
    return number * MEGABYTE


def _institution_files(folder: Path) -> list[Path]:
    return sorted(path for country in COUNTRIES for path in (folder / country).glob("*.yaml"))


def _finder(folders: Sequence[Path]) -> Callable[[Node], Institution]:
    def find(node: Node) -> Institution:
        institution_id = node.parsed(InstitutionId)
        country, code = institution_id.split(":")
        for folder in folders:
            path = folder / country / f"{code}.yaml"
            if path.is_file():
                return load_institution(path)
        known = [f"{p.parent.name}:{p.stem}" for folder in folders for p in _institution_files(folder)]
        raise node.error(
            f'Expected an institution that has a file, found "{institution_id}"',
            hint=suggestion(institution_id, known),
        )

    return find


def _institution(node: Node, path: Path) -> Institution:
    fields = node.mapping(
        required=("id", "name", "country", "competences"),
        allowed=(
            "contact",
            "endpoint",
            "behaviours",
            "newcomer_gets",
            "external",
            "liaison_body",
            "public",
            "from",
            "until",
        ),
    )
    institution_id = fields.read("id", _id_of_file(path))
    return Institution(
        id=institution_id,
        name=fields.read("name", _name),
        country=fields.read("country", lambda place: place.one_of([institution_id.country])),
        competences=tuple(entry for group in fields.each("competences", _competences) for entry in group),
        contact=fields.read("contact", _contact, Contact()),
        endpoint=fields.read("endpoint", _endpoint, Endpoint()),
        behaviours=fields.each("behaviours", _behaviour),
        newcomer_gets=fields.read(
            "newcomer_gets", lambda place: place.member(NewcomerGets), NewcomerGets.TO_ALL
        ),
        external=fields.read("external", Node.boolean, default=False),
        liaison_body=fields.read("liaison_body", Node.boolean, default=False),
        public=fields.read("public", Node.boolean, default=True),
        valid_from=fields.read("from", _start_of_day, None),
        valid_until=fields.read("until", _end_of_day, None),
    )


def _id_of_file(path: Path) -> Callable[[Node], InstitutionId]:
    def read(node: Node) -> InstitutionId:
        institution_id = node.parsed(InstitutionId)
        expected = f"{path.parent.name}:{path.stem}"
        if institution_id != expected:
            raise node.error(
                f'Expected the id "{expected}" of the folder and file name, found "{institution_id}"',
                hint="Name the file <country>/<code>.yaml after the id.",
            )
        return institution_id

    return read


def _name(node: Node) -> tuple[Translation, ...]:
    names = tuple(Translation(language, text.text()) for language, text in node.entries().items())
    if not names:
        raise node.error("Expected a name in at least one language, found none", hint='Add "en: …".')
    return names


def _competences(node: Node) -> tuple[AssignedBuc, ...]:
    """Return one entry per process and role; the repository lists one competence per process and role (observed)."""
    fields = node.mapping(required=("buc", "roles", "from"), allowed=("ready", "until"))
    start = fields.read("from", _start_of_day)
    end = fields.read("until", _end_of_day, None)
    if end is not None and end <= start:
        raise fields["until"].error("Expected a last day on or after the first, found an earlier one")
    ready = fields.read("ready", Node.boolean, default=True)
    roles = fields["roles"].each(lambda place: place.member(ApplicationRole))
    return tuple(
        AssignedBuc(buc, role, start, end, ready) for buc in fields.read("buc", _bucs) for role in roles
    )


def _bucs(node: Node) -> tuple[BucType, ...]:
    """Return the one process that is named, or all of a list."""
    return node.each(_buc) if node.is_sequence else (_buc(node),)


def _buc(node: Node) -> BucType:
    return node.parsed(BucType)


def _contact(node: Node) -> Contact:
    fields = node.mapping(allowed=_CONTACT_KEYS)
    return Contact(**{key: place.text() for key, place in fields.items()})


def _endpoint(node: Node) -> Endpoint:
    fields = node.mapping(required=("exchange",), allowed=("channel",))
    exchange = fields["exchange"].member(Exchange)
    if exchange is Exchange.PUSH and "channel" in fields:
        raise fields["channel"].error(
            'Expected a channel only with "exchange: pull"', hint="The network gives the address to push to."
        )
    return Endpoint(exchange, fields.read("channel", groups.channel, ""))


def _behaviour(node: Node) -> BehaviourRule:
    fields = node.mapping(allowed=("when", "overdue", "reply", "send", "after", "decides"))
    if ("when" in fields) == ("overdue" in fields):
        raise node.error(
            'Expected either "when" or "overdue"',
            hint='A rule acts when a document arrives ("when"), or when its answer is late ("overdue").',
        )
    is_late = "overdue" in fields
    decides = fields.read("decides", lambda place: place.member(Decision), Decision.AUTOMATIC)
    _check_steps(node, fields, is_late=is_late, decides=decides)
    return BehaviourRule(
        when=fields.read("overdue" if is_late else "when", _sed_type),
        reply=fields.read("reply", _sed_type, None),
        send=fields.each("send", _sed_type),
        after=fields.read("after", Node.duration, timedelta(0)),
        decides=decides,
        occasion=Occasion.OVERDUE if is_late else Occasion.RECEIVED,
    )


def _check_steps(node: Node, fields: Fields, *, is_late: bool, decides: Decision) -> None:
    """Refuse a rule that says not, or twice, what is sent."""
    if is_late and "reply" in fields:
        raise fields["reply"].error(
            'Expected "send" in a rule for what is overdue, found "reply"',
            hint="A reminder answers nothing that was received.",
        )
    if decides is Decision.MANUAL and not {"reply", "send"} & set(fields):
        return
    if ("reply" in fields) == ("send" in fields):
        raise node.error(
            'Expected either "reply" or "send"', hint="A rule answers a document or sends others, not both."
        )


def _sed_type(node: Node) -> SedType:
    return node.parsed(SedType)


def _start_of_day(node: Node) -> datetime:
    return _midnight(node.date())


def _end_of_day(node: Node) -> datetime | None:
    """Return the midnight that ends the day: ``until`` names the last day on which something holds.

    The last day of the calendar is a usual way to write "without end".
    """
    day = node.date()
    return None if day == date.max else _midnight(day) + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
