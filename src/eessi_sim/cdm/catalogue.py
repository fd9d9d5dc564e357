"""Catalogue: which SEDs are defined, per version, and where the files of each definition lie.

A folder of definitions is ``<version>/<sector>/<SED>.xsd`` with ``<SED>.rules.yaml``, ``<SED>.sample.xml`` and
``<SED>.answer.yaml`` beside it. Several folders may be given; the first one that defines a SED wins, so that a
user's own package stands in front of ours. Another lay-out of files is one more function like ``_scan``.
The files themselves are read by ``schema``, ``rules`` and ``answers``.
"""

import difflib
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.annotation import XSD, annotation_of, appinfo_of, documentation_of
from eessi_sim.cdm.sed import namespace_of
from eessi_sim.errors import DefinitionError, IdentifierError, UnknownSedType, XmlError
from eessi_sim.identifiers import CdmVersion, SedType


@dataclass(frozen=True, slots=True)
class SedFacts:
    """What the schema of a SED says about the SED as a whole."""

    title: str = ""
    documentation: str = ""
    legal_basis: str = ""
    package: str = ""
    """Usual value of ``sedPackage``."""
    confidence: str = ""
    """How sure the information content is."""
    names: str = ""
    """How sure the element names are."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SedDefinition:
    """Everything that defines one type of SED in one version: paths, and facts read on demand."""

    type: SedType
    version: CdmVersion
    sector: str
    """Name of the folder: LA, P, U, H or X."""
    xsd: Path
    rules: Path | None
    sample: Path | None
    answer: Path | None
    root: Path
    """Folder that the schema may read from, envelopes included."""

    @property
    def namespace(self) -> str:
        """Target namespace of the SED."""
        return namespace_of(self.type, self.version)

    @property
    def facts(self) -> SedFacts:
        """Title, legal basis and confidence; read once per process."""
        return _read_facts(self.xsd, self.type)

    @property
    def title(self) -> str:
        """Title of the SED; its type when the schema gives none."""
        return self.facts.title or self.type


class Catalogue:
    """The SED definitions of one or more folders.

    Args:
        folders: folders with one sub-folder per version; earlier ones win.

    Raises:
        DefinitionError: a schema file is not named after a SED.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        found: dict[tuple[SedType, CdmVersion], SedDefinition] = {}
        for folder in folders:
            for definition in _scan(folder):
                found.setdefault((definition.type, definition.version), definition)
        self._definitions = dict(sorted(found.items(), key=_order))

    @classmethod
    def default(cls) -> "Catalogue":
        """Return the catalogue of the definitions that come with the program; made once per process."""
        return _default()

    def definitions(self) -> tuple[SedDefinition, ...]:
        """Return all definitions, by version, then by prefix and number of the SED."""
        return tuple(self._definitions.values())

    def versions(self) -> tuple[CdmVersion, ...]:
        """Return the versions of the data model that are defined, oldest first."""
        return tuple(dict.fromkeys(version for _, version in self._definitions))

    def find(self, sed_type: SedType, version: CdmVersion) -> SedDefinition | None:
        """Return the definition, None when there is none."""
        return self._definitions.get((sed_type, version))

    def get(self, sed_type: SedType, version: CdmVersion) -> SedDefinition:
        """Return the definition.

        Raises:
            UnknownSedType: there is none; names the nearest types, or the known versions of this one.
        """
        definition = self.find(sed_type, version)
        if definition is None:
            raise UnknownSedType(
                f'Expected a SED that is defined in version {version}, found "{sed_type}"',
                hint=self._advice(sed_type, version),
                sed=sed_type,
                version=version,
            )
        return definition

    def _advice(self, sed_type: SedType, version: CdmVersion) -> str:
        versions = [known for known_type, known in self._definitions if known_type == sed_type]
        if versions:
            return f"{sed_type} is defined in version {', '.join(versions)}."
        types = [known_type for known_type, known in self._definitions if known == version]
        if not types:
            return f"Known versions: {', '.join(self.versions()) or 'none'}."
        near = difflib.get_close_matches(sed_type, types, n=3)
        return f"Did you mean {' or '.join(near)}?" if near else "See the list of defined SEDs."


@functools.cache
def _default() -> Catalogue:
    return Catalogue([resources.schemas() / "cdm"])


def _order(entry: tuple[tuple[SedType, CdmVersion], SedDefinition]) -> tuple[int, int, str, int, str]:
    sed_type, version = entry[0]
    number = re.search(r"[0-9]+", sed_type)
    assert number is not None  # the pattern of SedType demands one
    return int(version.major), int(version.minor), sed_type.prefix, int(number.group()), sed_type


def _scan(folder: Path) -> Iterator[SedDefinition]:
    """Yield the definitions of a folder laid out like ours."""
    for version in sorted(folder.iterdir()):
        if version.is_dir() and CdmVersion.pattern.fullmatch(version.name):
            for xsd in sorted(version.glob("*/*.xsd")):
                yield _definition(xsd, CdmVersion(version.name), folder.parent)


def _definition(xsd: Path, version: CdmVersion, root: Path) -> SedDefinition:
    try:
        sed_type = SedType(xsd.stem)
    except IdentifierError as error:
        raise DefinitionError(
            f'Expected a schema named after a SED, found "{xsd.name}" ({xsd})',
            hint="Schemas that several SEDs share lie one folder up.",
            file=xsd,
        ) from error
    return SedDefinition(
        type=sed_type,
        version=version,
        sector=xsd.parent.name,
        xsd=xsd,
        rules=_beside(xsd, "rules.yaml"),
        sample=_beside(xsd, "sample.xml"),
        answer=_beside(xsd, "answer.yaml"),
        root=root,
    )


def _beside(xsd: Path, suffix: str) -> Path | None:
    path = xsd.with_suffix(f".{suffix}")
    return path if path.is_file() else None


@functools.cache
def _read_facts(xsd: Path, sed_type: SedType) -> SedFacts:
    try:
        schema = xmlsafe.parse(xsd.read_bytes())
    except (OSError, XmlError) as error:
        raise DefinitionError(f"Expected a readable schema ({xsd})", file=xsd) from error
    root = schema.find(f"{XSD}element[@name='{sed_type}']")
    if root is None:
        raise DefinitionError(f'Expected a root element "{sed_type}" ({xsd})', file=xsd)
    annotation = annotation_of(root)
    facts = appinfo_of(annotation, "sed")
    if facts is None:
        return SedFacts(documentation=documentation_of(annotation))
    return SedFacts(
        title=facts.get("title") or "",
        documentation=documentation_of(annotation),
        legal_basis=facts.get("legal-basis") or "",
        package=facts.get("package") or "",
        confidence=facts.get("confidence") or "",
        names=facts.get("names") or "",
        source=facts.get("source") or "",
    )
