"""Lay-outs: how a folder of schemas says which SED and version each file defines.

Ours is ``<version>/<sector>/<SED>.xsd``. Packages of the Commission name their files ``<SED>-<version>.xsd``, anywhere
below the folder, and their types lie in files of any other name (observed in names that public programs mention).
A folder may hold both. Another lay-out is one more function that yields places.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eessi_sim.errors import DefinitionError, IdentifierError
from eessi_sim.identifiers import CdmVersion, SedType

_OFFICIAL: Final = re.compile(f"({SedType.pattern.pattern})-({CdmVersion.pattern.pattern})")


@dataclass(frozen=True, slots=True)
class Place:
    """Where one version of one SED is defined."""

    type: SedType
    version: CdmVersion
    sector: str
    """Name of the folder in our lay-out, else the letters of the SED."""
    xsd: Path
    root: Path
    """Folder that the schema may read from."""


def places(folder: Path) -> tuple[Place, ...]:
    """Return what a folder defines, in either lay-out.

    Args:
        folder: the folder that a user names.

    Raises:
        DefinitionError: a schema in our lay-out is not named after a SED, or two files define the same.
    """
    found: dict[tuple[SedType, CdmVersion], Place] = {}
    official = tuple(_official(folder))
    for place in (*official, *_ours(folder, is_mixed=bool(official))):
        first = found.setdefault((place.type, place.version), place)
        if first is not place:
            raise DefinitionError(
                f"Expected one schema of {place.type} in version {place.version}, "
                f'found two: "{first.xsd}" and "{place.xsd}"',
                hint="Remove one, or name the version of the data model that it belongs to.",
                file=place.xsd,
            )
    return tuple(found.values())


def _official(folder: Path) -> Iterator[Place]:
    """Yield the places of files named like ``A003-4.4.xsd``; all others are files that these may use."""
    for xsd in sorted(folder.rglob("*-*.xsd")):
        match = _OFFICIAL.fullmatch(xsd.stem)
        if match is not None:
            sed_type, version = SedType(match.group(1)), CdmVersion(match.group(match.lastindex or 0))
            yield Place(sed_type, version, sed_type.prefix, xsd, folder)


def _ours(folder: Path, *, is_mixed: bool) -> Iterator[Place]:
    """Yield the places of files named like ``4.4/LA/A003.xsd``.

    Args:
        folder: the folder.
        is_mixed: whether it holds the other lay-out too, so that any file may be one that others use.

    Raises:
        DefinitionError: a file is named after no SED, which would go unnoticed otherwise.
    """
    for version in sorted(folder.iterdir()):
        if version.is_dir() and CdmVersion.pattern.fullmatch(version.name):
            for xsd in sorted(version.glob("*/*.xsd")):
                if SedType.pattern.fullmatch(xsd.stem) or not is_mixed:
                    yield _place(xsd, CdmVersion(version.name), folder.parent)


def _place(xsd: Path, version: CdmVersion, root: Path) -> Place:
    try:
        sed_type = SedType(xsd.stem)
    except IdentifierError as error:
        raise DefinitionError(
            f'Expected a schema named after a SED, found "{xsd.name}" ({xsd})',
            hint="Schemas that several SEDs share lie one folder up.",
            file=xsd,
        ) from error
    return Place(sed_type, version, xsd.parent.name, xsd, root)
