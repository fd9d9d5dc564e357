"""The files that one schema is made of: found and checked before any schema library opens them.

A schema may come from anybody. So its files lie inside one folder, none has a document type, number and size are
bounded, and a file that is missing is named together with the line that wants it. Circular includes and imports are
legal (XML Schema Part 1, 4.2) and common.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.annotation import XSD
from eessi_sim.cdm.report import line_of
from eessi_sim.errors import DefinitionError, XmlError
from eessi_sim.xmlsafe import XmlLimits

_REFERENCES: Final = (f"{XSD}include", f"{XSD}import", f"{XSD}redefine")
_MAX_FILES: Final = 1000
"""Files of one schema; the whole data model has some hundred documents (our limit, inferred)."""
_MAX_BYTES: Final = 64 * 1024 * 1024
"""Size of all of them together (our limit, inferred)."""
_MEND: Final = "Mend the place; xmllint --schema says the same about it."
_SKIPPED: Final = "Skipping import of schema"
_ONE_FILE: Final = (
    "Of one namespace libxml2 imports one file only, the first: let all imports of a namespace name the same file, "
    "and let that include the others."
)
_LIMITS: Final = XmlLimits(max_bytes=_MAX_BYTES)
_STANDARD: Final = {
    "http://www.w3.org/2000/09/xmldsig#": "xmldsig.xsd",
    "http://uri.etsi.org/01903/v1.3.2#": "xades.xsd",
}
"""Namespaces of standards whose schema comes with the program; packages name them by their address in the web."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One line of a schema that wants another file."""

    location: str
    namespace: str
    """Of an import; empty for an include."""
    line: int | None

    @property
    def is_remote(self) -> bool:
        """Whether it names an address in the web and not a file."""
        parts = urlsplit(self.location)
        return bool(parts.scheme or parts.netloc) and parts.scheme != "file"


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """What must be known about one file before it is compiled."""

    path: Path
    namespace: str
    """Target namespace, empty when there is none."""
    references: tuple[Reference, ...]
    size: int

    @classmethod
    def read(cls, path: Path) -> "SchemaFile":
        """Return what a file says; read once per process.

        Raises:
            DefinitionError: it cannot be read, is not XML, or has a document type.
        """
        return _read(path)


@dataclass(frozen=True, slots=True)
class SchemaFiles:
    """All files that one schema is made of."""

    files: tuple[SchemaFile, ...]
    """The schema itself first."""
    ours: Mapping[str, str]
    """Addresses in the web, with the paths of our copies."""

    @classmethod
    def of(cls, xsd: Path, root: Path) -> "SchemaFiles":
        """Return the files of a schema; read once per process.

        Args:
            xsd: the schema.
            root: the folder that it may read from.

        Raises:
            DefinitionError: a file is missing, unreadable or outside the folder, or there are too many.
        """
        return _files_of(xsd, root)


@functools.cache
def compiled(xsd: Path, root: Path) -> etree.XMLSchema:
    """Return the schema as libxml2 compiles it; done once per process.

    Args:
        xsd: the schema.
        root: the folder that it may read from.

    Raises:
        DefinitionError: it cannot be compiled, or is made of files that it may not use.
    """
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    parser.resolvers.add(_OnlyChecked(SchemaFiles.of(xsd, root)))
    try:
        return etree.XMLSchema(etree.parse(str(xsd.resolve()), parser))
    except etree.LxmlError as error:
        raise DefinitionError(
            f"Expected a schema that compiles, found: {_first_fault(error)} ({xsd})",
            hint=_ONE_FILE if _SKIPPED in str(error.error_log) else _MEND,
            file=xsd,
        ) from error


class _OnlyChecked(etree.Resolver):
    """Lets libxml2 read the files that were checked, and gives it our copies of those in the web.

    Args:
        checked: the files of the schema.
    """

    def __init__(self, checked: SchemaFiles) -> None:
        self._paths = {file.path for file in checked.files}
        self._ours = checked.ours

    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002 - given by lxml
        """Return None, which lets libxml2 read the file, or what reads our copy; raise for all others."""
        if system_url in self._ours:
            return self.resolve_filename(self._ours[system_url], context)  # type: ignore[attr-defined] # not in the stubs
        if _path_of(system_url).resolve() not in self._paths:
            raise DefinitionError(f'Expected a file that was checked, found "{system_url}"')
        return None


@functools.cache
def _files_of(xsd: Path, root: Path) -> SchemaFiles:
    found: dict[Path, SchemaFile] = {}
    ours: dict[str, str] = {}
    waiting = [xsd.resolve()]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        file = found[path] = SchemaFile.read(path)
        _refuse_excess(found, xsd)
        for reference in file.references:
            target = _target(file, reference, root)
            if reference.is_remote:
                ours[reference.location] = str(target)
            waiting.append(target)
    return SchemaFiles(tuple(found.values()), MappingProxyType(ours))


def _refuse_excess(found: Mapping[Path, SchemaFile], xsd: Path) -> None:
    size = sum(file.size for file in found.values())
    if len(found) > _MAX_FILES or size > _MAX_BYTES:
        raise DefinitionError(
            f"Expected a schema of at most {_MAX_FILES} files and {_MAX_BYTES} bytes, "
            f"found {len(found)} files and {size} bytes so far ({xsd})",
            hint="Leave out what the SED does not use.",
            file=xsd,
        )


def _target(file: SchemaFile, reference: Reference, root: Path) -> Path:
    """Return the file that a reference means.

    Raises:
        DefinitionError: it is missing, in the web, or outside the folder.
    """
    shipped = resources.schemas().resolve() / "envelope"
    if reference.is_remote:
        if reference.namespace in _STANDARD:
            return shipped / _STANDARD[reference.namespace]
        hint = "Nothing is fetched from the web: put a copy into the folder, and name that."
        raise _refused(file, reference, "an address in the web", hint)
    path = (file.path.parent / _path_of(reference.location)).resolve()
    if not any(path.is_relative_to(folder) for folder in (root.resolve(), shipped)):
        hint = f"A schema may use files below {root} only: name the folder that is above all of them."
        raise _refused(file, reference, "one outside the folder", hint)
    if not path.is_file():
        raise _refused(file, reference, "no such file", _elsewhere(path.name, root))
    return path


def _refused(file: SchemaFile, reference: Reference, found: str, hint: str) -> DefinitionError:
    return DefinitionError(
        f'Expected the file "{reference.location}" that {file.path.name} wants at line {reference.line}, '
        f"found {found} ({file.path})",
        hint=hint,
        file=file.path,
        line=reference.line,
    )


def _elsewhere(name: str, root: Path) -> str:
    """Return advice about a missing file: where one of this name lies, in capital or small letters."""
    near = [path for path in sorted(root.rglob("*.xsd")) if path.name.casefold() == name.casefold()]
    return (
        f"A file of this name lies at {near[0]}." if near else f"Put it there; {root} has none of this name."
    )


def _path_of(location: str) -> Path:
    """Return the path in a location: a relative one, or what a file: address holds."""
    return Path(unquote(location.removeprefix("file://")))


@functools.cache
def _read(path: Path) -> SchemaFile:
    try:
        data = path.read_bytes()
        root = xmlsafe.parse(data, _LIMITS)
    except (OSError, XmlError) as error:
        why = error.message if isinstance(error, XmlError) else error.strerror
        raise DefinitionError(
            f"Expected a readable schema, found: {why} ({path})",
            hint=error.hint if isinstance(error, XmlError) else None,
            file=path,
        ) from error
    references = tuple(
        Reference(location.strip(), each.get("namespace", ""), line_of(each))
        for each in root.iterchildren(*_REFERENCES)
        if (location := each.get("schemaLocation")) is not None
    )
    return SchemaFile(path, root.get("targetNamespace", ""), references, len(data))


def _first_fault(error: etree.LxmlError) -> str:
    """Return the first thing that libxml2 says, with its place; the others mostly follow from it."""
    log: Any = error.error_log  # the stubs of lxml do not know that one can iterate over it, nor of levels
    faults = log.filter_from_errors()
    entry = next((each for each in faults if each.filename.endswith(".xsd")), None)
    if entry is None:
        return str(error)
    return f"{entry.message.strip()} ({_path_of(entry.filename).name}, line {entry.line})"
