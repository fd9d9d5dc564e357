"""Verifies one file by what it is: a sealed SED, an envelope, a message with its content, a receipt."""

from dataclasses import dataclass
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.model import ErrorSignal, PullRequest, Receipt, UserMessage
from eessi_sim.as4.msh import Unpacked
from eessi_sim.errors import EnvelopeError, IdentifierError, XmlError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.verification.outcome import Belief, Check, Subject
from eessi_sim.verification.recognition import Kind, kind_of
from eessi_sim.verification.signatures import check_message, check_seal, check_signer_is, failed
from eessi_sim.xmlsafe import local_name

_SIGNALS: Final = {Receipt: "receipt", ErrorSignal: "error signal", PullRequest: "pull request"}


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with what lies in it, as far as it could be read."""

    message: Unpacked
    payload: bytes | None = None
    """The envelope, decompressed."""
    document: StandardBusinessDocument | None = None

    @property
    def description(self) -> str:
        """What it is, from whom and for whom."""
        unit = self.message.unit
        if not isinstance(unit, UserMessage):
            about = f" for {unit.info.ref_to_message_id}" if unit.info.ref_to_message_id else ""
            return f"{_SIGNALS[type(unit)]}{about}"
        sed = self.document.header.document.type if self.document else "message"
        return f"{sed} {unit.sender.id} → {unit.receiver.id}"


def verify_file(name: str, data: bytes, belief: Belief) -> Subject:
    """Verify every signature in a file.

    Args:
        name: how the user calls it.
        data: its content.
        belief: whom to believe.
    """
    kind = kind_of(data)
    if kind is Kind.MESSAGE:
        return _message(name, data, belief)
    if kind is Kind.ENVELOPE:
        return _envelope(name, data, belief)
    if kind is Kind.SED:
        return _sed(name, data, belief)
    reason = "JSON carries no signature" if kind is Kind.SED_JSON else "neither XML nor a message"
    error = XmlError(
        f"Expected a signed SED, an envelope, a message or a receipt, found {reason}",
        hint="Give the XML or the .as4 file.",
    )
    return Subject(name, kind, (failed("file", name, error),))


def _sed(name: str, data: bytes, belief: Belief) -> Subject:
    try:
        root = xmlsafe.parse(data)
    except XmlError as error:
        return Subject(name, Kind.SED, (failed("file", name, error),))
    return Subject(name, local_name(root), (check_seal(root, belief, name, data),))


def _envelope(name: str, data: bytes, belief: Belief) -> Subject:
    try:
        document = sbdh.read(data)
    except (EnvelopeError, XmlError) as error:
        return Subject(name, Kind.ENVELOPE, (failed("envelope", name, error),))
    header = document.header
    description = f"{header.document.type} {header.sender.id} → {header.receivers[0].id}"
    consistency = check_consistency(document, header.sender.id, header.receivers[0].id, name)
    return Subject(name, description, (consistency, check_seal(document.sed, belief, name, data)))


def _message(name: str, data: bytes, belief: Belief) -> Subject:
    try:
        opened, checks = open_message(data, belief, name)
    except (EbmsFault, XmlError) as error:
        return Subject(name, Kind.MESSAGE, (failed("message", name, error),))
    return Subject(name, opened.description, checks)


def open_message(data: bytes, belief: Belief, file: str) -> tuple[Opened, tuple[Check, ...]]:
    """Take a stored message apart and verify all signatures in it.

    Raises:
        EbmsFault: its structure is wrong.
        XmlError: its envelope is no XML that we are willing to read.
    """
    message = msh.unpack_file(data)
    signature = check_message(message, belief, file)
    if not isinstance(message.unit, UserMessage):
        return Opened(message), (signature,)
    signer = check_signer_is(message.unit.sender.id, signature, "sender")
    opened, inside = _open_payload(message, message.unit, belief, file)
    return opened, (signature, *([signer] if signer else []), *inside)


def _open_payload(
    message: Unpacked, unit: UserMessage, belief: Belief, file: str
) -> tuple[Opened, tuple[Check, ...]]:
    if not message.parts:
        return Opened(message), ()
    payload = None
    try:
        payload = msh.payload_content(message.parts[0])
        document = sbdh.read(payload)
        consistency = check_consistency(document, unit.sender.id, unit.receiver.id, file)
    except (EbmsFault, XmlError, EnvelopeError, IdentifierError) as error:
        return Opened(message, payload), (failed("envelope", file, error),)
    return Opened(message, payload, document), (consistency, check_seal(document.sed, belief, file, payload))


def check_consistency(document: StandardBusinessDocument, sender: str, receiver: str, file: str) -> Check:
    """Check that envelope, message and SED say the same.

    Raises:
        IdentifierError: a party of the message is no institution.
    """
    found = sbdh.consistency(document, sender=InstitutionId(sender), receiver=InstitutionId(receiver))
    if not found:
        sentence = "Envelope, message and SED name the same parties, type and version"
        return Check(name="envelope", file=file, passed=True, sentence=sentence)
    sentence = " ".join(mismatch.sentence for mismatch in found).rstrip(".")
    return Check(name="envelope", file=file, passed=False, sentence=sentence, code=EnvelopeError.code)
