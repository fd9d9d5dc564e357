"""Reads the entries of a SYN001 that keeps its schema; whether they fit together is asked by ``syn_checks``.

Of several addresses, telephone numbers and so on the first is kept, which is all that the model has (our reduction).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.definition_files import suggestion
from eessi_sim.identifiers import COUNTRIES, BucType, InstitutionId
from eessi_sim.ir import addresses, vocabulary
from eessi_sim.ir.faults import Faults
from eessi_sim.ir.model import (
    AccessPointEntry,
    ApplicationRole,
    AssignedBuc,
    CentralServicesNode,
    Contact,
    Endpoint,
    Exchange,
    Institution,
    Relation,
    Translation,
)
from eessi_sim.security.keys import Purpose
from eessi_sim.xmlsafe import Element, text_of

_UNIONS: Final = ("EU",)
"""What stands in front of the colon besides countries: the central service node (observed)."""
_NEIGHBOURS: Final = {"GR": "EL", "GB": "UK"}
"""Codes of ISO 3166 that EESSI writes differently (observed)."""
_TLS: Final = f"{{{vocabulary.EXTENSION}}}TLSCertificates"


@dataclass(frozen=True, slots=True)
class Period:
    """Times between which something holds, with the place that says so."""

    start: datetime
    end: datetime | None
    place: Element

    def overlaps(self, other: "Period") -> bool:
        """Return whether both hold at some moment."""
        return (self.end is None or other.start < self.end) and (other.end is None or self.start < other.end)

    def covers(self, at: datetime) -> bool:
        """Return whether it holds at this time."""
        return self.start <= at and (self.end is None or at < self.end)


@dataclass(frozen=True, slots=True)
class Named:
    """References of an entry to certificates: the elements that hold thumbprints."""

    ebms: tuple[Element, ...] = ()
    seal: tuple[Element, ...] = ()
    tls: tuple[Element, ...] | None = None
    """None where the message has no word about them."""

    @property
    def all(self) -> tuple[Element, ...]:
        """All of them."""
        return (*self.ebms, *self.seal, *(self.tls or ()))

    def by_purpose(self) -> dict[Purpose, tuple[Element, ...]]:
        """Return them apart."""
        return {Purpose.EBMS: self.ebms, Purpose.SEAL: self.seal, Purpose.TLS: self.tls or ()}


@dataclass(frozen=True, slots=True)
class Link:
    """An institution that an access point serves for some time."""

    institution: InstitutionId
    period: Period


@dataclass(frozen=True, slots=True)
class InstitutionRead:
    """An institution without its certificates."""

    entry: Institution
    place: Element
    named: Named
    periods: tuple[Period, ...]
    """Of the competences, in their order."""


@dataclass(frozen=True, slots=True)
class AccessPointRead:
    """An access point without its certificates and institutions."""

    entry: AccessPointEntry
    place: Element
    named: Named
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class CentralRead:
    """The central service node without its certificates."""

    entry: CentralServicesNode
    place: Element
    named: Named


@dataclass(frozen=True, slots=True)
class Listing:
    """A SYN001, read but not yet believed."""

    version: Element
    central: CentralRead | None
    institutions: tuple[InstitutionRead, ...]
    access_points: tuple[AccessPointRead, ...]
    certificates: tuple[Element, ...]


class Reader:
    """Turns elements into entries.

    Args:
        faults: takes what is wrong with single values; an entry without a usable id is left out.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._times: dict[str, datetime | None] = {}

    def listing(self, root: Element) -> Listing:
        """Return the entries of a SYN001 element that keeps its schema."""
        content = _one(root, "IRSync/InstitutionRepository")
        institutions = map(self._institution, content.iterfind("Institutions/Institution"))
        points = map(self._access_point, content.iterfind("AccessPoints/AccessPoint"))
        return Listing(
            _one(root, "IRSync/version"),
            self._central(_one(content, "CentralServicesNode")),
            tuple(each for each in institutions if each),
            tuple(each for each in points if each),
            tuple(content.iterfind("Certificates/Certificate")),
        )

    def time(self, element: Element) -> datetime | None:
        """Return a time, UTC where the text has no zone; None after a fault."""
        text = text_of(element)
        if text not in self._times:
            self._times[text] = _time(text)
        if self._times[text] is None:
            self._faults.at(element, f'Expected a time before the year 10000, found "{text}"')
        return self._times[text]

    def _id(self, parent: Element) -> InstitutionId | None:
        element = _one(parent, "officialID")
        text = text_of(element)
        country = text.partition(":")[0]
        if not self._is_known(element, country, _UNIONS):
            return None
        code = parent.find("countryCode/value")
        if code is not None and text_of(code) != country:
            self._faults.at(code, f'Expected the country of {text}, found "{text_of(code)}"')
        return InstitutionId(text)

    def _is_known(self, element: Element, country: str, more: tuple[str, ...]) -> bool:
        if country in COUNTRIES or country in more:
            return True
        near = _NEIGHBOURS.get(country)
        hint = f'Did you mean "{near}"?' if near else suggestion(country, COUNTRIES)
        self._faults.at(element, f'Expected one of the {len(COUNTRIES)} countries, found "{country}". {hint}')
        return False

    def _period(self, parent: Element) -> Period | None:
        place = _one(parent, "ValidityPeriod")
        start = self.time(_one(place, "start"))
        last = place.find("end")
        end = self.time(last) if last is not None else None
        if start is None:
            return None
        if end is not None and end <= start:
            self._faults.at(place, "Expected an end after the start, found an earlier one")
        return Period(start, end if end is None or end < vocabulary.LAST else None, place)

    def _entry_period(self, parent: Element) -> tuple[datetime | None, datetime | None]:
        """Return the period of an entry as a whole; the first day of the sample means no beginning."""
        period = self._period(parent)
        if period is None:
            return None, None
        return None if period.start == vocabulary.FIRST else period.start, period.end

    def _central(self, place: Element) -> CentralRead | None:
        party = self._id(place)
        if party is None:
            return None
        node = CentralServicesNode(party, text_of(place.find("SystemMessageEndpoint/channel")))
        named = Named(_certificates(place, "EbMSSignature"), (), _certificates(place, "TLS"))
        return CentralRead(node, place, named)

    def _institution(self, place: Element) -> InstitutionRead | None:
        party = self._id(place)
        if party is None:
            return None
        competences = [self._competence(each) for each in place.iterfind("Competences/Competence")]
        known = [pair for pair in competences if pair]
        start, end = self._entry_period(place)
        entry = Institution(
            id=party,
            name=_name(_one(place, "Name")),
            country=party.country,
            competences=tuple(competence for competence, _ in known),
            contact=_contact(place),
            endpoint=self._endpoint(_one(place, "BusinessMessageEndpoint")),
            liaison_body=text_of(place.find("isLiaisonBodyIndicator/value")) == "1",
            public=text_of(place.find("isPublicIndicator/value")) == "1",
            relations=tuple(self._relations(place)),
            valid_from=start,
            valid_until=end,
        )
        extra = place.find(_TLS)
        named = Named(
            _certificates(place, "EbMSSignature"),
            _certificates(place, "BusinessSignature"),
            tuple(extra.iter("thumbprint")) if extra is not None else None,
        )
        return InstitutionRead(entry, place, named, tuple(period for _, period in known))

    def _relations(self, place: Element) -> Iterable[Relation]:
        for each in place.iterfind("Relations/Relation"):
            party = self._id(_one(each, "InstitutionIdentification"))
            if party is not None:
                yield Relation(party, text_of(each.find("relation/value")))

    def _competence(self, place: Element) -> tuple[AssignedBuc, Period] | None:
        period = self._period(place)
        if period is None:
            return None
        buc = BucType(text_of(place.find("BUCType/name")))
        role = ApplicationRole(text_of(place.find("applicationRole")))
        ready = text_of(place.find("isEESSIReady")) in ("true", "1")
        return AssignedBuc(buc, role, period.start, period.end, ready), period

    def _endpoint(self, place: Element) -> Endpoint:
        channel = _one(place, "channel")
        exchange = Exchange(text_of(place.find("messageExchangePattern")).lower())
        if exchange is Exchange.PUSH:
            self._url(channel)
        elif not text_of(channel):
            self._faults.at(channel, "Expected the name of a queue, found nothing")
        return Endpoint(exchange, text_of(channel))

    def _url(self, channel: Element) -> str:
        text = text_of(channel)
        if not text.startswith(("https://", "http://")):
            self._faults.at(channel, f'Expected an address to push to, found "{text}"')
        return text

    def _access_point(self, place: Element) -> AccessPointRead | None:
        party = self._id(place)
        if party is None:
            return None
        start, end = self._entry_period(place)
        names = _name(_one(place, "Name"))
        entry = AccessPointEntry(
            party, names[0].text if names else party, party.country, valid_from=start, valid_until=end
        )
        base = self._url(_one(place, "BusinessMessageEndpoint/channel"))
        # Either side of an access point may show its own certificate; the model keeps them together.
        sides = (*_certificates(place, "ExternalTLS"), *_certificates(place, "InternalTLS"))
        links = (self._link(each) for each in place.iterfind("LinkedInstitutions/LinkedInstitution"))
        return AccessPointRead(
            addresses.based(entry, base),
            place,
            Named(_certificates(place, "EbMSSignature"), (), sides),
            tuple(link for link in links if link),
        )

    def _link(self, place: Element) -> Link | None:
        party = self._id(_one(place, "Institution"))
        period = self._period(place)
        return Link(party, period) if party and period else None


def _one(parent: Element, path: str) -> Element:
    """Return what the schema demands."""
    found: Element = next(parent.iterfind(path))
    return found


def _certificates(place: Element, kind: str) -> tuple[Element, ...]:
    path = f"{kind}Certificates/{kind}Certificate/CertificateIdentification/thumbprint"
    return tuple(place.iterfind(path))


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _name(place: Element) -> tuple[Translation, ...]:
    return tuple(
        Translation(text_of(each.find("languageCode")).lower(), text_of(each.find("text")))
        for each in place.iterfind("Translation")
    )


def _contact(place: Element) -> Contact:
    def first(path: str) -> str | None:
        return text_of(place.find(path)) or None

    address = "PostalAddresses/PostalAddress"
    return Contact(
        email=first("ContactInfo/EmailAddresses/EmailAddress/emailAddress"),
        phone=first("ContactInfo/PhoneNumbers/PhoneNumber/phoneNumber"),
        fax=first("ContactInfo/FaxNumbers/FaxNumber/faxNumber"),
        url=first("ContactInfo/URLs/URL/uRL"),
        street=first(f"{address}/Street/Translation/text"),
        postal_code=first(f"{address}/zIPCode"),
        town=first(f"{address}/Town/Translation/text"),
    )


def is_listing(element: Element) -> bool:
    """Return whether an element is a SYN001."""
    return xmlsafe.local_name(element) == vocabulary.SYN001
