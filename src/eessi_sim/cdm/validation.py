"""Validator: the schema, then the business rules, in one report.

A check returns findings and does not raise: what cannot be parsed, what is no SED and what nobody defines are
findings as well. Envelopes are opened by the caller; an envelope that arrives here is named in the finding.
"""

import dataclasses
import re
from collections.abc import Set as AbstractSet
from typing import Final

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cdm.mend_edits import Diagnosis
from eessi_sim.cdm.mend_root import VERSION_ATTRIBUTES, root_repair, version_repair
from eessi_sim.cdm.report import Issue, Severity, ValidationReport, line_of
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.sed import Sed
from eessi_sim.errors import NotASed, SedError, UnknownSedType, XmlError, XmlTooLarge
from eessi_sim.xmlsafe import DEFAULT_LIMITS, Element, XmlLimits

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(\S.{0,19})")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Validator:
    """Validates SEDs against the definitions of one catalogue.

    Args:
        catalogue: knows the SEDs.
        disabled_rules: ids of business rules that shall not run.
        limits: how large a document may be.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        disabled_rules: AbstractSet[str] = frozenset(),
        *,
        limits: XmlLimits = DEFAULT_LIMITS,
    ) -> None:
        self._catalogue = catalogue
        self._disabled = disabled_rules
        self._limits = limits

    @property
    def catalogue(self) -> Catalogue:
        """The SEDs that it knows."""
        return self._catalogue

    @property
    def disabled_rules(self) -> AbstractSet[str]:
        """Ids of the rules that do not run."""
        return self._disabled

    def identify(self, element: Element) -> Sed:
        """Return ``element`` as the SED that the definitions say it is.

        Raises:
            NotASed: none of them does.
        """
        return self._catalogue.identify(element)

    def validate(self, sed: Sed) -> ValidationReport:
        """Return what is wrong with a SED: schema first, then the rules, which run in any case.

        Raises:
            DefinitionError: a file of the definition is wrong.
        """
        try:
            definition = self._catalogue.get(sed.type, sed.version)
        except UnknownSedType as error:
            return ValidationReport((self.no_sed(error, sed.root),), sed.type, sed.version)
        version = tuple(diagnosis.issue for diagnosis in _version_diagnoses(sed))
        told = {issue.path for issue in version}
        findings = CompiledSchema.of(definition).findings(sed.root)
        schema = tuple(issue for issue in findings.issues if issue.path not in told)
        rules, more = RuleSet.load(definition.rules).findings(sed.root, self._disabled)
        return ValidationReport((*version, *schema, *rules), sed.type, sed.version, findings.capped + more)

    def validate_bytes(self, data: bytes) -> tuple[Sed | None, ValidationReport]:
        """Return the SED that the bytes hold, None when they hold none, and what is wrong with it.

        Args:
            data: XML, or JSON in RINA's form; told apart by the first character.

        Raises:
            DefinitionError: a file of the definition is wrong.
        """
        try:
            read = self._read(data)
        except (SedError, XmlError) as error:
            return None, ValidationReport((Issue.of_error(error),), None, None)
        if isinstance(read, Sed):
            return read, self.validate(read)
        try:
            sed = self._catalogue.identify(read)
        except NotASed as error:
            return None, ValidationReport((self.no_sed(error, read),), None, None)
        return sed, self.validate(sed)

    def no_sed(self, error: SedError, element: Element) -> Issue:
        """Return the finding that an element is no SED that anybody defines.

        Args:
            error: what is wrong with it.
            element: what should be a SED.
        """
        repair = root_repair(element, self._catalogue)
        issue = Issue.of_error(error, repair.shown() if repair is not None else None)
        return dataclasses.replace(issue, path=xmlsafe.path_of(element), line=line_of(element))

    def diagnoses(self, element: Element) -> tuple[tuple[Diagnosis, ...], int]:
        """Return what is wrong with the form of a SED, with the repairs, and how many more findings there are.

        The rules are not asked.

        Args:
            element: a SED, or what should be one.

        Raises:
            DefinitionError: a file of the definition is wrong.
        """
        try:
            sed = self._catalogue.identify(element)
            definition = self._catalogue.get(sed.type, sed.version)
        except (NotASed, UnknownSedType) as error:
            return (Diagnosis(self.no_sed(error, element), root_repair(element, self._catalogue)),), 0
        version = _version_diagnoses(sed)
        told = {diagnosis.issue.path for diagnosis in version}
        schema, capped = CompiledSchema.of(definition).diagnoses(element)
        return (*version, *(each for each in schema if each.issue.path not in told)), capped

    def _read(self, data: bytes) -> Sed | Element:
        match = _START.match(data)
        start = match.group(1) if match else b""
        if start[:1] in (b"{", b"["):
            self._refuse_size(data)
            # The JSON form needs the schema library, which nodes that meet only XML shall not load.
            from eessi_sim.cdm.codec import read_json  # noqa: PLC0415

            return read_json(data.removeprefix(_BYTE_ORDER_MARK), self._catalogue)
        if start[:1] == b"<" or data[:2] in _UTF16:
            return xmlsafe.parse(data, self._limits)
        found = f'"{start.decode("ascii", "replace")}"' if start else "nothing"
        raise SedError(
            f"Expected a SED as XML or JSON, found {found} at the start",
            hint='XML begins with "<", the JSON form with "{"; a whole message must be unpacked first.',
            line=1,
            column=1,
        )

    def _refuse_size(self, data: bytes) -> None:
        if len(data) > self._limits.max_bytes:
            raise XmlTooLarge(
                f"Expected at most {self._limits.max_bytes} bytes of JSON, found {len(data)}",
                hint="Send a smaller document, or raise the limit in the settings.",
            )


def _version_diagnoses(sed: Sed) -> tuple[Diagnosis, ...]:
    """Return a finding for each version attribute that contradicts the namespace."""
    stated = dict(zip(VERSION_ATTRIBUTES, (sed.version.major, sed.version.minor), strict=True))
    return tuple(
        _version_diagnosis(sed, name, expected, found)
        for name, expected in stated.items()
        if (found := sed.root.get(name, expected)) != expected
    )


def _version_diagnosis(sed: Sed, name: str, expected: str, found: str) -> Diagnosis:
    repair = version_repair(sed, name, expected)
    issue = Issue(
        severity=Severity.ERROR,
        code="sed-version-mismatch",
        path=f"{xmlsafe.path_of(sed.root)}/@{name}",
        message=f'Expected {name}="{expected}" as in the namespace of version {sed.version}, found "{found}"',
        line=line_of(sed.root),
        hint=f'Write {name}="{expected}", or give the root the namespace of the version that is meant.',
        rule=f"XSD:{sed.type}/@{name}",
        expected=expected,
        found=found,
        mend=repair.shown(),
    )
    return Diagnosis(issue, repair)
