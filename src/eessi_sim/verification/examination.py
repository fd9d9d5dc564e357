"""Examines a file that somebody wants to send: what it is, whether its document is valid, whether it is intact.

A check returns findings and does not raise. Lines and columns of the findings count in ``text``, which is the
file itself or the envelope that lay compressed in a message.
"""

from dataclasses import dataclass, replace
from typing import Final

from eessi_sim import resources, sbdh
from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsFault
from eessi_sim.as4.msh import Unpacked
from eessi_sim.cdm.report import Issue, Severity, ValidationReport
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import EessiSimError, EnvelopeError, NotASed, SedError, XmlError, ZipForbidden
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.sbdh import StandardBusinessDocument
from eessi_sim.verification.outcome import Belief, Check
from eessi_sim.verification.recognition import Kind, kind_of
from eessi_sim.verification.signatures import check_message, check_seal
from eessi_sim.xmlsafe import Element

_NOTHING: Final = ValidationReport((), None, None)


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that was found out about one file."""

    name: str
    kind: Kind
    report: ValidationReport
    """All findings: about the frame, the document, and signatures that are broken."""
    signatures: tuple[Check, ...]
    """The signatures that are there, broken or not."""
    text: bytes
    """What the lines of the findings count in."""

    @property
    def sed(self) -> SedType | None:
        """Type of the document."""
        return self.report.sed

    @property
    def version(self) -> CdmVersion | None:
        """Version of the data model of the document."""
        return self.report.version

    @property
    def is_valid(self) -> bool:
        """Whether nothing forbids to send it."""
        return self.report.is_valid

    def as_dict(self) -> dict[str, object]:
        """Return the JSON form."""
        return {
            "file": self.name,
            "kind": self.kind,
            **self.report.as_dict(),
            "signatures": [check.as_dict() for check in self.signatures],
        }


def examine(name: str, data: bytes, validator: Validator, belief: Belief) -> Examination:
    """Examine a file; an archive is no document and refused, wherever it lies.

    Args:
        name: how the user calls it.
        data: its content.
        validator: judges the document.
        belief: whom to believe about signatures.

    Raises:
        DefinitionError: a file of the definition of the SED is wrong.
    """
    kind = kind_of(data)
    if kind is Kind.ZIP:
        return refused(name, _archive())
    if kind is Kind.MESSAGE:
        return _Examiner(name, kind, validator, belief).message(data)
    if kind is Kind.ENVELOPE:
        return _Examiner(name, kind, validator, belief).envelope(data)
    return _Examiner(name, kind, validator, belief).sed(data)


def _archive() -> ZipForbidden:
    return ZipForbidden(
        "Expected a document, found a zip archive",
        hint="Unpack it; eessi-sim validate reads the documents of an archive, but no archive in an archive.",
    )


def refused(name: str, error: EessiSimError) -> Examination:
    """Return the examination of a file that was not even read."""
    report = replace(_NOTHING, issues=(Issue.of_error(error),))
    return Examination(name, Kind.UNKNOWN, report, (), b"")


def envelope_rules() -> RuleSet:
    """Return the rules that see envelope and SED together."""
    return RuleSet.load(resources.schemas() / "envelope" / "sbdh.rules.yaml")


@dataclass(slots=True)
class _Examiner:
    """Goes from the outside in and collects what it finds."""

    name: str
    kind: Kind
    validator: Validator
    belief: Belief
    issues: tuple[Issue, ...] = ()
    signatures: tuple[Check, ...] = ()

    def message(self, data: bytes) -> Examination:
        """Examine a stored message and what it carries."""
        try:
            message = msh.unpack_file(data)
        except (EbmsFault, XmlError) as error:
            return self._failed(error, data)
        if message.is_signed:
            self._note(check_message(message, self.belief, self.name))
        return self._payload(message, data)

    def _payload(self, message: Unpacked, data: bytes) -> Examination:
        if not message.parts:
            return self._done(_NOTHING, data)
        try:
            payload = msh.document_content(message.parts[0])
        except EbmsFault as error:
            return self._failed(error, data)
        return self.envelope(payload)

    def envelope(self, data: bytes) -> Examination:
        """Examine an envelope and the SED in it."""
        try:
            document = sbdh.read(data)
            self._compare(document)
            self._check_together(document)
        except (EnvelopeError, SedError, XmlError) as error:
            return self._failed(error, data)
        try:
            sed = self.validator.identify(document.sed)
        except NotASed as error:
            issue = self.validator.no_sed(error, document.sed)
            return self._done(replace(_NOTHING, issues=(issue,)), data)
        self._seal(sed.root)
        return self._done(self.validator.validate(sed), data)

    def _compare(self, document: StandardBusinessDocument) -> None:
        header = document.header
        found = sbdh.consistency(document, sender=header.sender.id, receiver=header.receivers[0].id)
        self.issues += tuple(
            Issue(
                severity=Severity.ERROR,
                code=EnvelopeError.code,
                path=mismatch.field,
                message=mismatch.sentence.rstrip("."),
                hint=f"Make it {mismatch.expected}.",
                expected=mismatch.expected,
                found=mismatch.found,
            )
            for mismatch in found
        )

    def _check_together(self, document: StandardBusinessDocument) -> None:
        """Run the rules that see envelope and SED; those of the old header would find other names there."""
        if document.header_version == sbdh.HEADER_VERSION:
            whole = document.sed.getroottree().getroot()
            self.issues += envelope_rules().check(whole, self.validator.disabled_rules)

    def sed(self, data: bytes) -> Examination:
        """Examine a SED that stands alone."""
        sed, report = self.validator.validate_bytes(data)
        if sed is not None:
            self._seal(sed.root)
        return self._done(report, data)

    def _seal(self, sed: Element) -> None:
        if next(sed.iter(SIGNATURE), None) is not None:
            self._note(check_seal(sed, self.belief, self.name))

    def _note(self, check: Check) -> None:
        self.signatures += (check,)
        if not check.passed:
            self.issues += (_issue(check),)

    def _failed(self, error: EessiSimError, data: bytes) -> Examination:
        issue = Issue.of_error(error)
        ebms = error.context.get("ebms")
        return self._done(
            replace(_NOTHING, issues=(replace(issue, rule=str(ebms)) if ebms else issue,)), data
        )

    def _done(self, report: ValidationReport, data: bytes) -> Examination:
        whole = replace(report, issues=(*self.issues, *report.issues))
        return Examination(self.name, self.kind, whole, self.signatures, data)


def _issue(check: Check) -> Issue:
    return Issue(
        severity=Severity.ERROR,
        code=check.name,
        path="/",
        message=check.sentence.rstrip("."),
        hint=check.hint,
        rule=check.code,
        expected=check.differences[0].expected if check.differences else None,
        found=check.differences[0].found if check.differences else None,
    )
