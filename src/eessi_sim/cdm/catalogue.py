"""Catalogue: which SEDs are defined, per version, and where the files of each definition lie.

A schema may have ``<name>.rules.yaml``, ``.sample.xml``, ``.answer.yaml`` and ``.bulk.yaml`` beside it; how files say what
they define is told in ``layouts``. Several folders may be given; the first one that defines a SED wins, so that a
user's own package stands in front of ours, or instead of it. The files themselves are read by ``schema``, ``rules``
and ``answers``.
"""

import difflib
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm import layouts
from eessi_sim.cdm.annotation import XSD, annotation_of, appinfo_of, documentation_of
from eessi_sim.cdm.layouts import Place
from eessi_sim.cdm.schema_files import SchemaFile
from eessi_sim.cdm.sed import Sed
from eessi_sim.errors import DefinitionError, NotASed, UnknownSedType, XmlError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element


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
    def bulk(self) -> Path | None:
        """File that says how the SED speaks of individual claims; read by the package ``bulk``."""
        return _beside(self.xsd, "bulk.yaml")

    @property
    def namespace(self) -> str:
        """Target namespace that the schema states; empty when it states none."""
        return SchemaFile.read(self.xsd).namespace

    @property
    def tag(self) -> str:
        """Name of the root element, with its namespace, as in a tree."""
        return f"{{{self.namespace}}}{self.type}" if self.namespace else self.type

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
        folders: folders of schemas; earlier ones win.

    Raises:
        DefinitionError: a schema file is not named after a SED, or two of a folder define the same.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        found: dict[tuple[SedType, CdmVersion], SedDefinition] = {}
        for folder in folders:
            for place in layouts.places(folder):
                found.setdefault((place.type, place.version), _definition(place))
        self._definitions = dict(sorted(found.items(), key=_order))
        self._folders = tuple(folders)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the definitions come from, in the order of their precedence."""
        return self._folders

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

    def identify(self, element: Element) -> Sed:
        """Return ``element`` as the SED that one of the schemas, or its namespace, says it is.

        Raises:
            NotASed: no schema defines such a root, and it is not named like a SED.
        """
        try:
            sed = Sed.of(element)
        except NotASed as error:
            found = self._with_root(element)
            if found is not None:
                return Sed(found.type, found.version, element)
            self._refuse_namespace(element, error)
            raise
        stated = self.find(sed.type, sed.version)
        if stated is not None and stated.tag == element.tag:
            return sed
        found = self._with_root(element)
        return sed if found is None else Sed(found.type, found.version, element)

    def _with_root(self, element: Element) -> SedDefinition | None:
        """Return the definition whose schema has this root: of the stated version, else the newest."""
        name = xmlsafe.local_name(element)
        found = [each for each in self.definitions() if each.type == name and each.tag == element.tag]
        stated = f"{element.get('sedGVer')}.{element.get('sedVer')}"
        return next((each for each in found if each.version == stated), found[-1] if found else None)

    def _refuse_namespace(self, element: Element, error: NotASed) -> None:
        """Say it better when the root has the name of a SED, but a namespace that no schema gives it."""
        name = xmlsafe.local_name(element)
        known = dict.fromkeys(each.namespace for each in self.definitions() if each.type == name)
        if known:
            namespace, listed = xmlsafe.namespace(element), '", "'.join(known)
            raise NotASed(
                f'Expected the SED "{name}" in the namespace of its schema, found it in "{namespace}"',
                hint=f'Known here: "{listed}".',
                **error.context,
            ) from error

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


def _definition(place: Place) -> SedDefinition:
    return SedDefinition(
        type=place.type,
        version=place.version,
        sector=place.sector,
        xsd=place.xsd,
        rules=_beside(place.xsd, "rules.yaml"),
        sample=_beside(place.xsd, "sample.xml"),
        answer=_beside(place.xsd, "answer.yaml"),
        root=place.root,
    )


def _beside(xsd: Path, suffix: str) -> Path | None:
    path = xsd.with_name(f"{xsd.stem}.{suffix}")
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
