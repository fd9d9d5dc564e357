"""Whether the entries of a SYN001 fit together: references, periods, certificates; every fault is noted at its place."""

import base64
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from eessi_sim.errors import KeyMaterialError
from eessi_sim.ir import vocabulary
from eessi_sim.ir.faults import Faults
from eessi_sim.ir.listed import ListedCertificate, Use
from eessi_sim.ir.syn_reading import AccessPointRead, CentralRead, InstitutionRead, Link, Listing, Reader
from eessi_sim.security.keys import Certificate
from eessi_sim.xmlsafe import Element, text_of

_X509 = f"{{{vocabulary.EXTENSION}}}X509Certificate"


def check_references(listing: Listing, faults: Faults) -> None:
    """Note entries that are there twice, links and relations that lead nowhere or in a circle, overlaps."""
    _twice(listing.institutions, "institution", faults)
    _twice(listing.access_points, "access point", faults)
    known = {each.entry.id for each in listing.institutions}
    for institution in listing.institutions:
        _competences(institution, faults)
        for relation in institution.entry.relations:
            if relation.institution not in known:
                faults.at(
                    institution.place,
                    f"Expected the relations of {institution.entry.id} to name institutions of the list, "
                    f'found "{relation.institution}"',
                )
    _links(listing, known, faults)


def _twice(entries: Iterable[InstitutionRead] | Iterable[AccessPointRead], what: str, faults: Faults) -> None:
    seen: set[str] = set()
    for each in entries:
        if each.entry.id in seen:
            faults.at(each.place, f"Expected every {what} once, found {each.entry.id} again")
        seen.add(each.entry.id)


def _competences(institution: InstitutionRead, faults: Faults) -> None:
    groups: dict[tuple[str, str], list[int]] = {}
    for number, entry in enumerate(institution.entry.competences):
        groups.setdefault((entry.buc, entry.role), []).append(number)
    for (buc, role), numbers in groups.items():
        for place, number in enumerate(numbers):
            period = institution.periods[number]
            if any(period.overlaps(institution.periods[other]) for other in numbers[:place]):
                faults.at(
                    period.place,
                    f"Expected one competence of {institution.entry.id} as {role} in {buc} at a time, "
                    "found overlapping validities",
                )


def _links(listing: Listing, known: Collection[str], faults: Faults) -> None:
    points: dict[str, AccessPointRead] = {each.entry.id: each for each in listing.access_points}
    served: dict[str, list[tuple[str, Link]]] = {}
    for point in listing.access_points:
        for link in point.links:
            if link.institution in points:
                _between_points(point, link, points, faults)
            elif link.institution not in known:
                faults.at(
                    link.period.place,
                    f'Expected an institution of the list linked to {point.entry.id}, found "{link.institution}"',
                )
            others = served.setdefault(link.institution, [])
            for other, earlier in others:
                if link.period.overlaps(earlier.period):
                    faults.at(
                        link.period.place,
                        f"Expected one access point for {link.institution} at a time, found {other} and "
                        f"{point.entry.id} with overlapping validities",
                    )
            others.append((point.entry.id, link))


def _between_points(
    point: AccessPointRead, link: Link, points: Mapping[str, AccessPointRead], faults: Faults
) -> None:
    """An access point serves institutions, never another one; what leads back to its start is told as such."""
    reached = {link.institution}
    ahead = [link.institution]
    while ahead:
        for further in points[ahead.pop()].links:
            if further.institution in points and further.institution not in reached:
                reached.add(further.institution)
                ahead.append(further.institution)
    what = "a cycle between access points" if point.entry.id in reached else "an access point"
    faults.at(
        link.period.place,
        f"Expected an institution linked to {point.entry.id}, found {what}: {link.institution}",
    )


@dataclass(frozen=True, slots=True)
class Certified:
    """The certificates of a listing by thumbprint; those with a fault are missing."""

    found: Mapping[str, Certificate]

    def of(self, references: Iterable[Element]) -> tuple[Certificate, ...]:
        """Return the certificates that the references name, each once, in their order."""
        thumbprints = dict.fromkeys(map(text_of, references))
        return tuple(self.found[each] for each in thumbprints if each in self.found)


def check_certificates(
    listing: Listing,
    known: Mapping[str, Certificate],
    reader: Reader,
    faults: Faults,
    *,
    lenient: bool = False,
) -> Certified:
    """Find the certificate of every thumbprint and note what does not fit.

    Args:
        listing: what was read.
        known: certificates that we have from elsewhere, by thumbprint.
        reader: reads the times.
        faults: takes thumbprints that are not listed, listed twice or named by nobody, certificates that differ from what
            is listed, and those that we have nowhere.
        lenient: whether the last are no fault.
    """
    wanted = {text_of(each): each for each in _references(listing)}
    found: dict[str, Certificate] = {}
    listed: set[str] = set()
    for place in listing.certificates:
        thumbprint = text_of(place.find("thumbprint"))
        if thumbprint in listed:
            faults.at(place, f"Expected every certificate once in the list, found {thumbprint} again")
        elif thumbprint not in wanted:
            faults.at(
                place, f"Expected every certificate to belong to somebody, found {thumbprint} of nobody"
            )
        listed.add(thumbprint)
        certificate = _certificate(place, known.get(thumbprint), faults)
        if certificate is not None and _is_as_listed(place, certificate, reader, faults):
            found[thumbprint] = certificate
        elif certificate is None and place.find(_X509) is None and not lenient:
            faults.at(
                place,
                f"Expected to have the certificate {thumbprint} of {text_of(place.find('subject'))}, found it "
                "nowhere; the message lists certificates and does not carry them",
            )
    for thumbprint, place in wanted.items():
        if thumbprint not in listed:
            faults.at(place, f"Expected a thumbprint that the list of certificates has, found {thumbprint}")
    return Certified(found)


def listed_uses(listing: Listing, reader: Reader) -> tuple[Use, ...]:
    """Return whose certificates a listing names and what it lists of them; what has a fault is left out."""
    details = {text_of(each.find("thumbprint")): _listed(each, reader) for each in listing.certificates}
    uses = [
        Use(each.entry.id, purpose, certificate)
        for each in _entries(listing)
        for purpose, references in each.named.by_purpose().items()
        for reference in references
        if (certificate := details.get(text_of(reference)))
    ]
    return tuple(uses)


def _references(listing: Listing) -> Iterable[Element]:
    for each in _entries(listing):
        yield from each.named.all


def _entries(listing: Listing) -> Iterable[CentralRead | InstitutionRead | AccessPointRead]:
    entries: list[CentralRead | InstitutionRead | AccessPointRead] = [
        *listing.institutions,
        *listing.access_points,
    ]
    if listing.central:
        entries.append(listing.central)
    return entries


def _certificate(place: Element, known: Certificate | None, faults: Faults) -> Certificate | None:
    carried = place.find(_X509)
    if carried is None:
        return known
    try:
        return Certificate.from_der(_octets(carried))
    except KeyMaterialError as error:
        faults.at(carried, error.message)
        return None


def _is_as_listed(place: Element, certificate: Certificate, reader: Reader, faults: Faults) -> bool:
    listed = _listed(place, reader)
    if listed is None:
        return False
    differences = listed.differences(certificate)
    if differences:
        faults.at(
            place,
            f"Expected the certificate of {listed.subject} as it is listed, found another {' and '.join(differences)}",
        )
    return not differences


def _listed(place: Element, reader: Reader) -> ListedCertificate | None:
    start, end = (reader.time(each) for name in ("validFrom", "validTo") for each in place.iterfind(name))
    if start is None or end is None:
        return None
    return ListedCertificate(
        serial=int(text_of(place.find("serialNumber")), 16),
        subject=text_of(place.find("subject")),
        issuer=text_of(place.find("issuer")),
        valid_from=start,
        valid_to=end,
        thumbprint=text_of(place.find("thumbprint")),
        public_key=_octets(place.find("publicKey")),
    )


def _octets(place: Element | None) -> bytes:
    """Return what base64 says; the schema has checked it."""
    return base64.b64decode("".join(text_of(place).split()))
