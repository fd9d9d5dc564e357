"""Where the facts that the schemas were made of may lie: a folder ``shared/reference`` beside the checkout."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference"
_FILES = ("seds-la-h-x.yaml", "seds-pensions.yaml", "seds-unemployment.yaml")

needs_reference = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no collection of facts in ../shared/reference beside the checkout"
)
"""Skips where the folder is absent."""


@cache
def _load(name: str) -> dict[str, Any]:
    path = FOLDER / name
    document: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return document


def sed_names() -> list[str]:
    """Return all SEDs of the collection, none where it is absent."""
    return [name for file in _FILES for name in _load(file)["seds"]] if FOLDER.is_dir() else []


def paths_of(sed: str) -> Iterator[str]:
    """Yield the path of every field of a SED; a shared type wins over a copy in a sector."""
    (file,) = (name for name in _FILES if sed in _load(name)["seds"])
    types = _load(file)["types"] | _load(_FILES[0])["types"]
    definition = _load(file)["seds"][sed]
    yield from _walk(definition["fields"], types, "", ())
    if child := definition.get("child"):
        # One document holds the subdocuments (4.1 layout); without a named wrapper, that of the claims.
        wrapper = child.get("wrapper_in_single_document", "IndividualClaims/IndividualClaim")
        group, name = wrapper.split("/")
        (field,) = child["fields"]
        yield group
        yield from _walk([{**field, "name": name}], types, f"{group}/", ())


def _walk(
    fields: list[dict[str, Any]], types: dict[str, Any], place: str, around: tuple[str, ...]
) -> Iterator[str]:
    for field in fields:
        path = place + field["name"]
        yield path
        kind = field["type"]
        if kind == "group":
            yield from _walk(field.get("fields", []), types, f"{path}/", around)
        elif kind in types and kind not in around:
            yield from _walk(types[kind]["fields"], types, f"{path}/", (*around, kind))
