"""Writes a repository as SYN001, with the envelope round it, in canonical form with an element or a record on each line.

What the message cannot say is left out: habits of institutions, who plays them, TLS certificates of institutions (those
are a matter of their access point), seals of access points. ``extended`` adds the TLS certificates and the X.509 form of
every certificate in a namespace of ours.
"""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from eessi_sim import xmlsafe
from eessi_sim.clock import iso
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import DocumentId, IdFactory, InstitutionId, InternationalId
from eessi_sim.ir import vocabulary
from eessi_sim.ir.addresses import base_of
from eessi_sim.ir.listed import ListedCertificate
from eessi_sim.ir.model import (
    AccessPointEntry,
    AssignedBuc,
    CentralServicesNode,
    Certificates,
    Contact,
    Exchange,
    Institution,
    Relation,
    Translation,
)
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.sbdh import writing
from eessi_sim.sbdh.header import (
    BusinessScope,
    CaseAction,
    ContactTypeIdentifier,
    DocumentIdentification,
    Partner,
    StandardBusinessDocumentHeader,
)
from eessi_sim.security.keys import Certificate

_Lines = list[str]
_STEP: Final = "  "


@dataclass(frozen=True, slots=True)
class Addressing:
    """For whom and when the message is made."""

    receiver: InstitutionId
    at: datetime
    ids: IdFactory
    sender: InstitutionId | None = None
    """Who sends it; the central service node when None."""


def central_of(repository: InstitutionRepository) -> CentralServicesNode:
    """Return the central service node: the entry of its own, or the access point that is it too.

    Raises:
        DefinitionError: there is neither.
    """
    if repository.central:
        return repository.central
    points = sorted(repository.access_points, key=lambda entry: entry.country != "EU")
    if not points:
        raise DefinitionError(
            "Expected a central service node or an access point in the repository, found none",
            hint="A repository that travels says who sends it.",
        )
    point = points[0]
    own = Certificates(point.certificates.ebms, (), point.certificates.tls)
    return CentralServicesNode(point.id, base_of(point), own)


def message(repository: InstitutionRepository, to: Addressing, *, extended: bool = False) -> bytes:
    """Return the whole message: the envelope and the repository in it.

    Args:
        repository: what to write.
        to: receiver, time and identifiers of the message.
        extended: whether to add what only we understand.

    Raises:
        DefinitionError: endpoints of an access point do not lie below one address.
    """
    return enveloped(repository, to, body(repository, extended=extended))


def enveloped(repository: InstitutionRepository, to: Addressing, sed: bytes) -> bytes:
    """Return the whole message of a finished ``body`` of the repository, so that many get one that is written once."""
    header = StandardBusinessDocumentHeader(
        Partner(to.sender or central_of(repository).id, ContactTypeIdentifier.DATA_SOURCE),
        (Partner(to.receiver, ContactTypeIdentifier.DATA_DESTINATION),),
        DocumentIdentification(
            to.at, CaseAction.START, vocabulary.SYN001, UUID(to.ids.uuid()), vocabulary.VERSION
        ),
        BusinessScope(
            1,
            DocumentId(to.ids.hex32()),
            InternationalId(to.ids.hex32()),
            vocabulary.SYNC_SUC,
            vocabulary.VERSION,
        ),
    )
    return writing.wrap(header, sed)


def body(repository: InstitutionRepository, *, extended: bool = False) -> bytes:
    """Return the SYN001 element alone; arguments and errors as ``message`` has them."""
    central = central_of(repository)
    content = _tree(
        "InstitutionRepository",
        _central(central),
        _tree("Institutions", *(_institution(each, extended) for each in repository.institutions)),
        _tree("AccessPoints", *(_access_point(each) for each in repository.access_points)),
        _tree(
            "Certificates", *(_certificate(each, extended) for each in _listed(repository, central, extended))
        ),
    )
    lines = [
        f'<SYN001 xmlns="{vocabulary.NAMESPACE}">',
        '<IRSync xmlns="">',
        *_leaf("version", repository.version),
        *content,
        "</IRSync>",
        "</SYN001>",
    ]
    return "\n".join(lines).encode()


def _listed(
    repository: InstitutionRepository, central: CentralServicesNode, extended: bool
) -> Iterable[Certificate]:
    """Return every certificate that the message names, once, in the order of first use."""
    named: dict[bytes, Certificate] = {}
    groups = [central.certificates.ebms, central.certificates.tls]
    for institution in repository.institutions:
        own = institution.certificates
        groups += [own.ebms, own.seal, own.tls if extended else ()]
    for entry in repository.access_points:
        groups += [entry.certificates.ebms, entry.certificates.tls]
    for group in groups:
        named.update((certificate.der, certificate) for certificate in group)
    return named.values()


def _leaf(name: str, text: str) -> _Lines:
    return [f"<{name}>{xmlsafe.escape_text(text)}</{name}>"]


def _tree(name: str, *children: _Lines) -> _Lines:
    if not children:
        return [f"<{name}></{name}>"]
    return [f"<{name}>", *(_STEP + line for child in children for line in child), f"</{name}>"]


def _record(name: str, *children: _Lines) -> _Lines:
    """Return an element with all that is in it on one line."""
    return [f"<{name}>{''.join(line for child in children for line in child)}</{name}>"]


def _value(name: str, text: str) -> _Lines:
    return _record(name, _leaf("value", text))


def _central(node: CentralServicesNode) -> _Lines:
    return _tree(
        "CentralServicesNode",
        _leaf("officialID", node.id),
        _references("EbMSSignatureCertificate", node.certificates.ebms),
        _endpoint("SystemMessageEndpoint", node.channel, "PUSH"),
        _references("TLSCertificate", node.certificates.tls),
    )


def _institution(institution: Institution, extended: bool) -> _Lines:
    own = institution.certificates
    contact = institution.contact
    parts = [
        _leaf("officialID", institution.id),
        _leaf("cLDId", institution.id.partition(":")[2]),
        _value("countryCode", institution.country),
        _value("isPublicIndicator", _indicator(institution.public)),
        _value("isLiaisonBodyIndicator", _indicator(institution.liaison_body)),
        _tree("Relations", *map(_relation, institution.relations)),
        _record("Name", *map(_translation, institution.name)),
        _entry_period(institution.valid_from, institution.valid_until),
        _addresses(contact),
        *_contact_info(contact),
        _tree("Competences", *(_competence(*each) for each in enumerate(institution.competences, 1))),
        _references("EbMSSignatureCertificate", own.ebms),
        _references("BusinessSignatureCertificate", own.seal),
        *_endpoints(institution),
    ]
    if extended:
        parts.append(_tls(own.tls))
    return _tree("Institution", *parts)


def _indicator(answer: bool) -> str:
    return "1" if answer else "0"


def _relation(relation: Relation) -> _Lines:
    return _record(
        "Relation",
        _reference("InstitutionIdentification", relation.institution),
        _value("relation", relation.kind),
    )


def _reference(name: str, institution: InstitutionId) -> _Lines:
    return _record(name, _leaf("officialID", institution), _value("countryCode", institution.country))


def _translation(name: Translation) -> _Lines:
    return _record("Translation", _leaf("languageCode", name.language.upper()), _leaf("text", name.text))


def _entry_period(start: datetime | None, end: datetime | None) -> _Lines:
    return _period(start or vocabulary.FIRST, end or vocabulary.LAST)


def _period(start: datetime, end: datetime | None) -> _Lines:
    return _record("ValidityPeriod", _leaf("start", iso(start)), _leaf("end", iso(end)) if end else [])


def _addresses(contact: Contact) -> _Lines:
    if not (contact.street or contact.postal_code or contact.town):
        return _tree("PostalAddresses")
    return _tree(
        "PostalAddresses",
        _record(
            "PostalAddress",
            _leaf("zIPCode", contact.postal_code or ""),
            _leaf("isVisitorAddress", "true"),
            _place("Street", contact.street),
            _place("Town", contact.town),
        ),
    )


def _place(name: str, text: str | None) -> _Lines:
    return _record(name, _translation(Translation("en", text))) if text else []


def _contact_info(contact: Contact) -> list[_Lines]:
    if not (contact.url or contact.email or contact.fax or contact.phone):
        return []
    return [
        _tree(
            "ContactInfo",
            _ways("URLs", "URL", "uRL", contact.url),
            _ways("EmailAddresses", "EmailAddress", "emailAddress", contact.email),
            _ways("FaxNumbers", "FaxNumber", "faxNumber", contact.fax),
            _ways("PhoneNumbers", "PhoneNumber", "phoneNumber", contact.phone),
        )
    ]


def _ways(plural: str, single: str, leaf: str, text: str | None) -> _Lines:
    return _record(plural, _record(single, _leaf(leaf, text))) if text else _record(plural)


def _competence(number: int, entry: AssignedBuc) -> _Lines:
    return _record(
        "Competence",
        _leaf("id", str(number)),
        _leaf("applicationRole", entry.role),
        _period(entry.valid_from, entry.valid_until),
        _record("BUCType", _leaf("name", entry.buc)),
        _leaf("isEESSIReady", "true" if entry.ready else "false"),
    )


def _references(name: str, certificates: Iterable[Certificate]) -> _Lines:
    return _tree(f"{name}s", *(_record(name, _thumbprint(certificate)) for certificate in certificates))


def _thumbprint(certificate: Certificate) -> _Lines:
    return _record("CertificateIdentification", _leaf("thumbprint", certificate.sha1_thumbprint))


def _endpoints(institution: Institution) -> list[_Lines]:
    """Return both endpoints; a queue for system messages has a name of its own, an address serves both (inferred)."""
    channel = institution.endpoint.channel
    pulls = institution.endpoint.exchange is Exchange.PULL
    pattern = "Pull" if pulls else "Push"
    system = channel + vocabulary.SYSTEM_CHANNEL if pulls else channel
    return [
        _endpoint("BusinessMessageEndpoint", channel, pattern),
        _endpoint("SystemMessageEndpoint", system, pattern),
    ]


def _endpoint(name: str, channel: str, pattern: str) -> _Lines:
    return _tree(name, _leaf("channel", channel), _leaf("messageExchangePattern", pattern))


def _tls(certificates: Iterable[Certificate]) -> _Lines:
    inner = (f"<TLSCertificate>{''.join(_thumbprint(each))}</TLSCertificate>" for each in certificates)
    return [f'<ir:TLSCertificates xmlns:ir="{vocabulary.EXTENSION}">{"".join(inner)}</ir:TLSCertificates>']


def _access_point(entry: AccessPointEntry) -> _Lines:
    base = base_of(entry)
    return _tree(
        "AccessPoint",
        _leaf("officialID", entry.id),
        _value("countryCode", entry.country),
        _record("Name", _translation(Translation("en", entry.name))),
        _record(
            "ContactDetails",
            _record("ContactInfo", *map(_record, ("URLs", "EmailAddresses", "FaxNumbers", "PhoneNumbers"))),
        ),
        _tree("PostalAddresses"),
        _entry_period(entry.valid_from, entry.valid_until),
        _tree("LinkedInstitutions", *map(_link, entry.linked)),
        _references("EbMSSignatureCertificate", entry.certificates.ebms),
        _references("ExternalTLSCertificate", entry.certificates.tls),
        _references("InternalTLSCertificate", entry.certificates.tls),
        _endpoint("SystemMessageEndpoint", base, "PUSH"),
        _endpoint("BusinessMessageEndpoint", base, "PUSH"),
    )


def _link(institution: InstitutionId) -> _Lines:
    return _record("LinkedInstitution", _reference("Institution", institution), _entry_period(None, None))


def _certificate(certificate: Certificate, extended: bool) -> _Lines:
    listed = ListedCertificate.of(certificate)
    parts = [
        _leaf("serialNumber", f"{listed.serial:X}"),
        _leaf("subject", listed.subject),
        _leaf("issuer", listed.issuer),
        _leaf("validFrom", iso(listed.valid_from)),
        _leaf("validTo", iso(listed.valid_to)),
        _leaf("thumbprint", listed.thumbprint),
        _leaf("publicKey", base64.b64encode(listed.public_key).decode()),
    ]
    if extended:
        text = base64.b64encode(certificate.der).decode()
        parts.append([f'<ir:X509Certificate xmlns:ir="{vocabulary.EXTENSION}">{text}</ir:X509Certificate>'])
    return _tree("Certificate", *parts)
