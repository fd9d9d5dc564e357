"""Compares the envelope with the message that carries it and with the SED inside.

The same facts stand at several layers; which of them must agree is inferred from the duplicated fields. Whether
the process allows this SED, action and role is the business of ``buc``.
"""

from dataclasses import dataclass
from typing import Final

from eessi_sim.identifiers import InstitutionId
from eessi_sim.sbdh.header import HEADER_VERSION, StandardBusinessDocument, StandardBusinessDocumentHeader
from eessi_sim.xmlsafe import local_name, namespace

_SED_NAMESPACE: Final = "http://ec.europa.eu/eessi/ns"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The envelope says one thing, the message or the SED another."""

    field: str
    """Name of the field in the envelope or on the SED."""
    expected: str
    found: str
    sentence: str
    """The finding as a sentence for people."""


def consistency(
    document: StandardBusinessDocument, *, sender: InstitutionId, receiver: InstitutionId
) -> tuple[Mismatch, ...]:
    """Return every contradiction between the envelope, the ebMS message and the SED.

    A SED under an old header has no version in its namespace; there only parties and SED type are compared.

    Args:
        document: the envelope that was read.
        sender: ``From/PartyId`` of the ebMS message.
        receiver: ``To/PartyId`` of the ebMS message.
    """
    checks = [*_parties(document.header, sender, receiver), _type(document)]
    if document.header_version == HEADER_VERSION:
        checks += _versions(document)
    return tuple(mismatch for mismatch in checks if mismatch.expected != mismatch.found)


def _parties(
    header: StandardBusinessDocumentHeader, sender: InstitutionId, receiver: InstitutionId
) -> list[Mismatch]:
    # A multilateral SED names all its receivers; the message goes to one of them.
    addressed = [partner.id for partner in header.receivers]
    found = receiver if receiver in addressed else addressed[0]
    return [
        _compare("Sender/Identifier", sender, header.sender.id, "the ebMS message comes from"),
        _compare("Receiver/Identifier", receiver, found, "the ebMS message goes to"),
    ]


def _type(document: StandardBusinessDocument) -> Mismatch:
    found = local_name(document.sed)
    return _compare("DocumentIdentification/Type", found, document.header.document.type, "the SED element is")


def _versions(document: StandardBusinessDocument) -> list[Mismatch]:
    header, sed = document.header, document.sed
    version = header.document.version
    expected = f"{_SED_NAMESPACE}/{version.major}_{version.minor}/{header.document.type}"
    checks = [_compare("CaseId/BusinessServiceName", version, header.scope.buc_version, "TypeVersion says")]
    # Packages with other namespaces say nothing about the version there; whether one is known is told elsewhere.
    if namespace(sed).startswith(f"{_SED_NAMESPACE}/"):
        found = namespace(sed)
        checks.insert(0, _compare("SED namespace", expected, found, "by Type and TypeVersion it would be"))
    # System messages such as SYN001 have no version attributes (observed).
    if "sedGVer" in sed.attrib or "sedVer" in sed.attrib:
        found = f"{sed.get('sedGVer', '')}.{sed.get('sedVer', '')}"
        checks.append(_compare("sedGVer and sedVer", version, found, "TypeVersion says"))
    return checks


def _compare(field: str, expected: str, found: str, because: str) -> Mismatch:
    sentence = f'{field} is "{found}", but {because} "{expected}".'
    return Mismatch(field, str(expected), str(found), sentence)
