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
from eessi_sim.cdm.report import Issue, Severity, ValidationReport, line_of
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.schema import CompiledSchema
from eessi_sim.cdm.sed import Sed
from eessi_sim.errors import SedError, UnknownSedType, XmlError, XmlTooLarge
from eessi_sim.xmlsafe import DEFAULT_LIMITS, Element, XmlLimits

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(\S.{0,19})")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_VERSION_ATTRIBUTES: Final = ("sedGVer", "sedVer")


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
            return ValidationReport((_at_root(Issue.of_error(error), sed),), sed.type, sed.version)
        version = _version_issues(sed)
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
            sed = self._read(data)
        except (SedError, XmlError) as error:
            return None, ValidationReport((Issue.of_error(error),), None, None)
        return sed, self.validate(sed)

    def _read(self, data: bytes) -> Sed:
        match = _START.match(data)
        start = match.group(1) if match else b""
        if start[:1] in (b"{", b"["):
            self._refuse_size(data)
            # The JSON form needs the schema library, which nodes that meet only XML shall not load.
            from eessi_sim.cdm.codec import read_json  # noqa: PLC0415

            return read_json(data.removeprefix(_BYTE_ORDER_MARK), self._catalogue)
        if start[:1] == b"<" or data[:2] in _UTF16:
            return self.identify(xmlsafe.parse(data, self._limits))
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


def _at_root(issue: Issue, sed: Sed) -> Issue:
    return dataclasses.replace(issue, path=xmlsafe.path_of(sed.root), line=line_of(sed.root))


def _version_issues(sed: Sed) -> tuple[Issue, ...]:
    """Return a finding for each version attribute that contradicts the namespace."""
    stated = dict(zip(_VERSION_ATTRIBUTES, (sed.version.major, sed.version.minor), strict=True))
    return tuple(
        _version_issue(sed, name, expected, found)
        for name, expected in stated.items()
        if (found := sed.root.get(name, expected)) != expected
    )


def _version_issue(sed: Sed, name: str, expected: str, found: str) -> Issue:
    return Issue(
        severity=Severity.ERROR,
        code="sed-version-mismatch",
        path=f"{xmlsafe.path_of(sed.root)}/@{name}",
        message=f'Expected {name}="{expected}" as in the namespace of version {sed.version}, found "{found}"',
        line=line_of(sed.root),
        hint=f'Write {name}="{expected}", or give the root the namespace of the version that is meant.',
        rule=f"XSD:{sed.type}/@{name}",
        expected=expected,
        found=found,
    )
