"""Installs a SYN001: all of it or nothing.

What the message does not say of a party stays as it is installed: habits of an institution, who plays it, its TLS
certificates, the seal of an access point.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.schema_files import compiled
from eessi_sim.errors import DefinitionError, EessiSimError
from eessi_sim.ir.faults import Faults
from eessi_sim.ir.listed import Sight, by_thumbprint
from eessi_sim.ir.model import AccessPointEntry, CentralServicesNode, Certificates, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.syn_checks import Certified, check_certificates, check_references, listed_uses
from eessi_sim.ir.syn_reading import AccessPointRead, InstitutionRead, Listing, Reader, is_listing
from eessi_sim.sbdh import reading
from eessi_sim.security.keys import Certificate
from eessi_sim.xmlsafe import Element, text_of

NOTHING: Final = InstitutionRepository("0.0.0")
"""What is installed before the first import."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an import is compared with.

    Args:
        schemas: folder of the definitions that come with the program.
        at: the time; links of access points that do not hold then are checked and left out.
        installed: the repository there is; its version must not be greater, its certificates are known.
        certificates: further certificates that we know.
        lenient: whether a certificate that we have nowhere is left out instead of refused: to look at a message, never
            to install it.
    """

    schemas: Path
    at: datetime
    installed: InstitutionRepository = NOTHING
    certificates: tuple[Certificate, ...] = ()
    lenient: bool = False


def read(data: bytes, file: str, around: Surroundings) -> InstitutionRepository:
    """Return the repository that a SYN001 says, with what is installed about its parties.

    Args:
        data: the message with its envelope, or the SYN001 element alone.
        file: name to show in errors.
        around: what there is.

    Raises:
        DefinitionError: names every fault with file and line; nothing is installed.
    """
    return look(data, file, around).repository


def look(data: bytes, file: str, around: Surroundings) -> Sight:
    """Return the repository, and what the message lists of certificates; arguments and errors as ``read`` has them."""
    root = _root(data, file)
    faults = Faults(file)
    _check_schema(root, around.schemas, faults)
    faults.refuse()
    reader = Reader(faults)
    listing = reader.listing(root)
    check_references(listing, faults)
    known = by_thumbprint((*around.certificates, *_certificates_of(around.installed)))
    certified = check_certificates(listing, known, reader, faults, lenient=around.lenient)
    _check_version(listing, around.installed, faults)
    _check_central(listing, faults)
    faults.refuse()
    return Sight.of(_merged(listing, certified, around), listed_uses(listing, reader))


def version_key(version: str) -> tuple[int, ...]:
    """Return a version so that greater is newer, number by number; 4.4 is 4.4.0.

    Raises:
        DefinitionError: not numbers with dots.
    """
    numbers = version.split(".")
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise DefinitionError(
            f'Expected a version of numbers with dots, found "{version}"', hint="Write it like 4.4.1."
        )
    key = [int(number) for number in numbers]
    while key and key[-1] == 0:
        key.pop()
    return tuple(key)


def _root(data: bytes, file: str) -> Element:
    try:
        root = xmlsafe.parse(data)
        if xmlsafe.local_name(root) == "StandardBusinessDocument":
            root = reading.read_element(root).sed
    except EessiSimError as error:
        raise DefinitionError(f"{error.message} ({file})", hint=error.hint, file=file) from error
    if not is_listing(root):
        raise DefinitionError(
            f"Expected a SYN001, found {xmlsafe.local_name(root)} ({file}, line {root.sourceline})",
            hint="Give the message with its envelope, or the SYN001 element alone.",
            file=file,
            line=root.sourceline,
        )
    return root


def _check_schema(root: Element, schemas: Path, faults: Faults) -> None:
    folder = schemas / "system"
    schema = compiled(folder / "SYN001.xsd", folder)
    if not schema.validate(root):
        log: Any = schema.error_log  # the stubs of lxml do not know that it can be iterated
        for entry in log:
            faults.on(entry.line, f"Expected what the schema SYN001.xsd says, found: {entry.message}")


def _check_version(listing: Listing, installed: InstitutionRepository, faults: Faults) -> None:
    version = text_of(listing.version)
    if version_key(version) < version_key(installed.version):
        faults.at(
            listing.version,
            f"Expected version {installed.version}, which is installed, or a newer one, found {version}",
        )


def _check_central(listing: Listing, faults: Faults) -> None:
    """An access point that is the central service node too has no other certificates as such."""
    central = listing.central
    for point in listing.access_points:
        if central and central.entry.id == point.entry.id:
            own = set(map(text_of, point.named.all))
            for reference in central.named.all:
                if text_of(reference) not in own:
                    faults.at(
                        reference,
                        f"Expected a certificate of {point.entry.id}, which is access point too, "
                        f"found {text_of(reference)}",
                    )


def _certificates_of(repository: InstitutionRepository) -> Iterator[Certificate]:
    parties: Iterable[Institution | AccessPointEntry | CentralServicesNode] = (
        *repository.institutions,
        *repository.access_points,
        *((repository.central,) if repository.central else ()),
    )
    for party in parties:
        yield from (*party.certificates.ebms, *party.certificates.seal, *party.certificates.tls)


def _merged(listing: Listing, certified: Certified, around: Surroundings) -> InstitutionRepository:
    points = tuple(_access_point(each, certified, around) for each in listing.access_points)
    return InstitutionRepository(
        text_of(listing.version),
        tuple(_institution(each, certified, around.installed) for each in listing.institutions),
        points,
        _central(listing, certified, points),
    )


def _institution(
    read_: InstitutionRead, certified: Certified, installed: InstitutionRepository
) -> Institution:
    named = read_.named
    old = installed.find(read_.entry.id) or read_.entry
    return replace(
        read_.entry,
        certificates=Certificates(
            certified.of(named.ebms),
            certified.of(named.seal),
            old.certificates.tls if named.tls is None else certified.of(named.tls),
        ),
        behaviours=old.behaviours,
        newcomer_gets=old.newcomer_gets,
        external=old.external,
        systems=old.systems,
    )


def _access_point(read_: AccessPointRead, certified: Certified, around: Surroundings) -> AccessPointEntry:
    old = around.installed.find_access_point(read_.entry.id)
    linked = tuple(link.institution for link in read_.links if link.period.covers(around.at))
    return replace(
        read_.entry,
        linked=linked,
        certificates=Certificates(
            certified.of(read_.named.ebms),
            old.certificates.seal if old else (),
            certified.of(read_.named.tls or ()),
        ),
    )


def _central(
    listing: Listing, certified: Certified, points: tuple[AccessPointEntry, ...]
) -> CentralServicesNode | None:
    read_ = listing.central
    if read_ is None or any(point.id == read_.entry.id for point in points):
        return None
    own = Certificates(certified.of(read_.named.ebms), (), certified.of(read_.named.tls or ()))
    return replace(read_.entry, certificates=own)
