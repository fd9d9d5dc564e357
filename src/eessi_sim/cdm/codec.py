"""Codec: a SED from XML to the JSON form of RINA and back, without loss of content.

``{"A003": {"Person": {…}, "sedGVer": "4", "sedVer": "4"}}``: groups are objects, elements that may repeat are
arrays even when there is one, a coded leaf is ``{"value": ["NO"]}``, every text is a string, and the attributes
of an element stand beside its children (RINA samples and the EC's training slides, observed). What may repeat is
read from the schema, so that other packages work too.

Content is lossless both ways for a document that is valid by its schema. Not content, and left out, are the
signature, comments, the prefix of the root and white space between elements. JSON written by hand may leave a
field out as ``null``; it is read as absent (our choice, inferred). The order of elements is restored from the
schema, which loses the interleaving of a repeated group of several elements; our schemas have none.
"""

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.sed import PREFIX, SIGNATURE, Sed
from eessi_sim.cdm.shape import Field, Shape, Shapes
from eessi_sim.definition_files import suggestion
from eessi_sim.errors import IdentifierError, NotASed, SedError
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

Json = dict[str, "Json"] | list["Json"] | str | None
"""What the JSON form is made of; RINA writes numbers and yes or no as strings."""

_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_HINTS: Final = (f"{_XSI}schemaLocation", f"{_XSI}noNamespaceSchemaLocation")
"""Attributes that tell a parser where a schema lies; not content."""
_MAJOR: Final = "sedGVer"
_MINOR: Final = "sedVer"
_TEXT: Final = "value"
"""Key of the text of an element that has attributes too, as in packages of others (our choice, inferred)."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What the production Char of XML 1.0, 2.2 leaves out."""


class Codec:
    """Writes and reads the JSON form of one SED definition.

    Args:
        definition: the SED.

    Raises:
        DefinitionError: the schema does not define the element of the SED.
    """

    def __init__(self, definition: SedDefinition) -> None:
        self._definition = definition
        self._shapes = Shapes.of(definition)

    @classmethod
    def of(cls, definition: SedDefinition) -> "Codec":
        """Return the codec of a definition; made once per process."""
        return _codec(definition)

    def to_json(self, element: Element) -> dict[str, Json]:
        """Return the JSON form of a SED, without its signature.

        Raises:
            SedError: the document has something that its schema does not know; validate it first.
        """
        return {self._definition.type: self._group(element, self._shapes.of_field(self._shapes.root))}

    def to_xml(self, document: Mapping[str, object]) -> Element:
        """Return the SED that a JSON form stands for, elements in the order of the schema.

        Raises:
            SedError: unknown key (names the nearest), or a value of the wrong JSON type; names the place.
        """
        name = self._definition.type
        if name not in document:
            raise SedError(
                f'Expected the key "{name}", found {_listed(document)}',
                path="$",
                hint=f'Write {{"{name}": …}}.',
            )
        root_field = self._shapes.root
        namespace = self._definition.namespace
        root = etree.Element(root_field.tag, nsmap={PREFIX: namespace} if namespace else None)
        self._fill(root, self._shapes.of_field(root_field), document[name], f"$.{name}")
        return root

    def _group(self, element: Element, shape: Shape) -> dict[str, Json]:
        if shape.fields is None:
            raise _no_json_form(element, "elements with free text, or of any kind")
        found: dict[str, Json] = {}
        _refuse_text(element.text, element)
        for child in element:
            _refuse_text(child.tail, element)
            field = shape.fields.get(child.tag)
            if field is not None:
                self._put(found, field, child)
            elif child.tag != SIGNATURE:
                raise _unknown_element(child, shape.fields)
        return {**found, **_attributes(element, shape)}

    def _put(self, found: dict[str, Json], field: Field, child: Element) -> None:
        value = self._value(child, self._shapes.of_field(field))
        if field.is_array:
            array = found.setdefault(field.name, [])
            assert isinstance(array, list)  # a name has one field
            array.append(value)
        elif field.name in found:
            raise SedError(
                f'Expected "{field.name}" once, found it again',
                path=xmlsafe.path_of(child),
                line=child.sourceline,
            )
        else:
            found[field.name] = value

    def _value(self, element: Element, shape: Shape) -> Json:
        if shape.simple is None:
            return self._group(element, shape)
        if len(element):
            raise _no_json_form(element, "a text with elements")
        if not element.attrib:
            return element.text or ""
        return {_TEXT: element.text or "", **_attributes(element, shape)}

    def _fill(self, parent: Element, shape: Shape, content: object, path: str) -> None:
        if not isinstance(content, dict):
            raise _wrong_type("an object", content, path)
        fields, attributes = shape.fields or {}, shape.attributes or {}
        known = [*(field.name for field in fields.values()), *attributes]
        for key in content:
            if key not in known:
                raise SedError(
                    f'Expected a known field, found "{key}" at {path}',
                    path=f"{path}.{key}",
                    hint=suggestion(key, known),
                )
        for field in fields.values():
            self._add(parent, field, content.get(field.name), f"{path}.{field.name}")
        for name in attributes:
            if content.get(name) is not None:
                parent.set(name, _checked_text(content[name], f"{path}.{name}"))

    def _add(self, parent: Element, field: Field, value: object, path: str) -> None:
        if value is None:
            return
        if field.is_array and not isinstance(value, list):
            raise _wrong_type("an array", value, path)
        shape = self._shapes.of_field(field)
        for index, item in enumerate(value if field.is_array and isinstance(value, list) else [value]):
            place = f"{path}[{index}]" if field.is_array else path
            child = etree.SubElement(parent, field.tag)
            if shape.simple is None:
                self._fill(child, shape, item, place)
            else:
                self._fill_text(child, shape, item, place)

    def _fill_text(self, element: Element, shape: Shape, content: object, path: str) -> None:
        if isinstance(content, dict) and shape.attributes:
            text = content.get(_TEXT)
            self._fill(element, shape, {key: content[key] for key in content if key != _TEXT}, path)
            content, path = "" if text is None else text, f"{path}.{_TEXT}"
        element.text = _checked_text(content, path)


def read_json(data: bytes, catalogue: Catalogue) -> Sed:
    """Return the SED that a JSON document in RINA's form stands for.

    Args:
        data: the document, UTF-8.
        catalogue: knows the SEDs.

    Raises:
        UnknownSedType: nobody defines this type in this version.
        SedError: not JSON, or not the JSON form of a SED.
    """
    document = _parsed(data)
    try:
        definition = catalogue.get(*identify(document))
    except SedError:
        silent = _silent_definition(document, catalogue)
        if silent is None:
            raise
        definition = silent
    return Sed(definition.type, definition.version, Codec.of(definition).to_xml(document))


def _silent_definition(document: object, catalogue: Catalogue) -> SedDefinition | None:
    """Return the newest definition whose documents cannot state their version, as in some packages of others."""
    names = list(document) if isinstance(document, dict) else []
    found = (each for each in reversed(catalogue.definitions()) if names == [each.type])
    return next((each for each in found if not _states_version(Shapes.of(each))), None)


def _states_version(shapes: Shapes) -> bool:
    return _MAJOR in (shapes.of_field(shapes.root).attributes or {})


def identify(document: object) -> tuple[SedType, CdmVersion]:
    """Return the type and version that a JSON form states: its only key, ``sedGVer`` and ``sedVer``.

    Raises:
        NotASed: it has not exactly one key that names a SED.
        SedError: the version is missing.
    """
    if not isinstance(document, dict) or len(document) != 1:
        raise NotASed(
            f"Expected one key that names the SED, found {_listed(document)}",
            hint='The JSON form is {"A003": {…, "sedGVer": "4", "sedVer": "4"}}.',
            path="$",
        )
    [(name, content)] = document.items()
    content = content if isinstance(content, dict) else {}
    try:
        return SedType(name), CdmVersion(f"{content.get(_MAJOR)}.{content.get(_MINOR)}")
    except IdentifierError as error:
        kind = NotASed if not SedType.pattern.fullmatch(name) else SedError
        raise kind(
            error.message,
            hint='Name the SED by the only key, and its version by "sedGVer" and "sedVer".',
            path=f"$.{name}",
        ) from error


@functools.cache
def _codec(definition: SedDefinition) -> Codec:
    return Codec(definition)


def _parsed(data: bytes) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads(
            data, object_pairs_hook=_each_key_once, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise SedError(
            f"Expected JSON, found at line {error.lineno}, column {error.colno}: {error.msg}",
            hint="Open the file in a JSON editor; it marks the place.",
            line=error.lineno,
            column=error.colno,
        ) from error
    except (
        ValueError,
        RecursionError,
    ) as error:  # not UTF-8, a number of thousands of digits, nested too deep
        raise SedError("Expected JSON of a SED in UTF-8, found something that nobody can read") from error
    return found


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise SedError(f'Expected every key once in an object, found "{twice}" again')
    return found


def _no_constant(name: str) -> None:
    raise SedError(f"Expected JSON, found {name}", hint="JSON has no such number; write a text.")


def _refuse_text(text: str | None, element: Element) -> None:
    if text and text.strip():
        raise _no_json_form(element, "text between elements")


def _no_json_form(element: Element, what: str) -> SedError:
    return SedError(
        f'Expected content that has a JSON form in "{xmlsafe.local_name(element)}", found {what}',
        path=xmlsafe.path_of(element),
        line=element.sourceline,
    )


def _unknown_element(child: Element, fields: Mapping[str, Field]) -> SedError:
    name = xmlsafe.local_name(child)
    return SedError(
        f'Expected a known element, found "{name}"',
        hint=suggestion(name, [field.name for field in fields.values()]),
        path=xmlsafe.path_of(child),
        line=child.sourceline,
    )


def _attributes(element: Element, shape: Shape) -> dict[str, Json]:
    found: dict[str, Json] = {
        str(name): str(value) for name, value in element.attrib.items() if name not in _HINTS
    }
    for name in found:
        if name not in (shape.attributes or {}):
            raise _no_json_form(element, f'the attribute "{name}"')
    return found


def _checked_text(value: object, path: str) -> str:
    if not isinstance(value, str):
        raise _wrong_type("a text", value, path)
    if _NOT_XML.search(value):
        raise SedError(
            f"Expected characters that XML can hold, found others at {path}",
            path=path,
            hint="Remove control characters.",
        )
    return value


def _wrong_type(expected: str, value: object, path: str) -> SedError:
    hints = {
        "a text": f'Write it in quotes: "{value}".',
        "an array": "Put it in square brackets, also when there is only one.",
        "an object": 'A group is written {…}, a code {"value": ["01"]}.',
    }
    return SedError(f"Expected {expected} at {path}, found {_kind(value)}", path=path, hint=hints[expected])


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return json.dumps(value)


def _listed(document: object) -> str:
    if not isinstance(document, dict):
        return _kind(document)
    return ", ".join(f'"{key}"' for key in list(document)[:5]) or "none"
