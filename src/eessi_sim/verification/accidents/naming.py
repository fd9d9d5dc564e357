"""Accidents of names: other prefixes, declarations and attributes that a serializer adds or leaves out."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.verification.accidents.model import Candidate, Content
from eessi_sim.verification.accidents.xml_edit import canonical, rebuilt, tree_of
from eessi_sim.xmlsafe import Element

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_USUAL: Final = {
    "xsi": _XSI,
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
"""Declarations that serializers put on every root: .NET both first ones, JAXB the first."""
_INVENTED: Final = (
    "ns",
    *(f"ns{number}" for number in range(10)),
    "n",
    "n0",
    "n1",
    "p",
    "tns",
    "q1",
    "a",
    "m",
    "x",
)
"""Prefixes that programs invent: JAXB and CXF ns2, .NET q1, IBM p, Axis ns1, editors tns (observed)."""
_KNOWN: Final = {
    "http://www.w3.org/2000/09/xmldsig#": ("ds", "dsig"),
    "http://uri.etsi.org/01903/v1.3.2#": ("xades", "etsi", "xad"),
    "http://www.w3.org/2003/05/soap-envelope": ("S12", "env", "soap", "SOAP-ENV", "soapenv", "s"),
    "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/": ("eb", "eb3", "ebms", "msg"),
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd": ("wsu",),
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd": ("wsse",),
    _XSI: ("xsi",),
}
"""Prefixes of well-known namespaces in products (observed)."""
_PLACEHOLDER: Final = b"eessi-sim-placeholder"
_MOST_NAMESPACES: Final = 8
_MOST_DECLARATIONS: Final = 12
_MOST_ATTRIBUTES: Final = 12
_ZONED: Final = re.compile(rb">(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)<")
_DAY: Final = re.compile(rb">(\d{4}-\d\d-\d\d)<")
_FRACTION: Final = re.compile(rb">(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.0+([Z+-][^<]*)?<")
_ENTIRE: Final = re.compile(rb">(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([Z+-][^<]*)?<")


def prefix_renamed(content: Content) -> Iterator[Candidate]:
    """Yield the XML with another prefix for one of its namespaces, each in turn."""
    root = tree_of(content.octets)
    if root is None or _PLACEHOLDER in content.octets:
        return
    namespaces = _namespaces(root)[:_MOST_NAMESPACES]
    for uri, old in namespaces:
        marked = canonical(_renamed(root, uri, _PLACEHOLDER.decode()))
        for new in _prefixes(root, uri, old):
            octets = _named_instead(marked, new) if new else canonical(_renamed(root, uri, None))
            yield Candidate(octets, f"{_named(new)} before, {_named(old)} now, for {uri}")


def _same(_uri: str, prefix: str | None) -> str | None:
    return prefix


def _renamed(root: Element, wanted: str, new: str | None) -> Element:
    return rebuilt(root, lambda uri, prefix: new if uri == wanted else prefix)


def _named_instead(marked: bytes, prefix: str) -> bytes:
    """Put a prefix in place of the placeholder; building the tree anew for each prefix would take ten times longer."""
    octets = marked.replace(_PLACEHOLDER, prefix.encode())
    if octets.count(b"xmlns") == octets.count(b"xmlns:" + prefix.encode() + b"="):
        return octets
    root = tree_of(octets)  # declarations are sorted by prefix, so theirs may have changed places
    return octets if root is None else canonical(root)


def _namespaces(root: Element) -> list[tuple[str, str | None]]:
    """Return the namespaces of a tree with their prefixes, in order of appearance."""
    found = {
        (uri, prefix or None): None for _, (prefix, uri) in etree.iterwalk(root, events=("start-ns",)) if uri
    }
    return list(found)


def _prefixes(root: Element, uri: str, old: str | None) -> Iterator[str | None]:
    """Yield the prefixes that a namespace may have had, the likely ones first."""
    name = xmlsafe.local_name(root)
    own = (name, name.lower(), name[:1].lower(), "sed", "ns3")
    taken = {prefix for _, prefix in _namespaces(root)}
    everything = dict.fromkeys(chain((None,), _KNOWN.get(uri, ()), _INVENTED, own))
    return (prefix for prefix in everything if prefix != old and prefix not in taken)


def _named(prefix: str | None) -> str:
    return f'prefix "{prefix}"' if prefix else "no prefix"


def declaration_lost(content: Content) -> Iterator[Candidate]:
    """Yield the XML with the declarations on its root that serializers write without need."""
    root = tree_of(content.octets)
    if root is None:
        return
    missing = {prefix: uri for prefix, uri in _USUAL.items() if prefix not in root.nsmap}
    both = {prefix: uri for prefix, uri in missing.items() if prefix != "xs"}
    for added in (*({prefix: uri} for prefix, uri in missing.items()), both):
        names = " and ".join(f"xmlns:{prefix}" for prefix in added)
        yield Candidate(canonical(rebuilt(root, _same, added)), names)


def declaration_added(content: Content) -> Iterator[Candidate]:
    """Yield the XML without a declaration that no name uses: each in turn, then all of them."""
    root = tree_of(content.octets)
    if root is None:
        return
    declared = xmlsafe.declared_prefixes(root)
    if len(declared) <= _MOST_DECLARATIONS:
        for prefix in sorted(declared):
            rest = xmlsafe.exclusive_c14n(root, sorted(declared - {prefix}))
            yield Candidate(rest, f"xmlns:{prefix}" if prefix != "#default" else "xmlns")
    yield Candidate(xmlsafe.exclusive_c14n(root), "all that no name uses")


def schema_location_added(content: Content) -> Iterator[Candidate]:
    """Yield the XML without the attributes that say where a schema lies, and without their declaration."""
    root = tree_of(content.octets)
    if root is None:
        return
    names = (f"{{{_XSI}}}schemaLocation", f"{{{_XSI}}}noNamespaceSchemaLocation")
    present = [name for name in names if name in root.attrib]
    for name in present:
        root.attrib.pop(name)
    if not present:
        return
    yield Candidate(canonical(root))
    prefixes = sorted(xmlsafe.declared_prefixes(root))
    yield Candidate(xmlsafe.exclusive_c14n(root, [prefix for prefix in prefixes if prefix != "xsi"]))


def attribute_added(content: Content) -> Iterator[Candidate]:
    """Yield the XML without one of the attributes of its root, each in turn."""
    root = tree_of(content.octets)
    if root is None:
        return
    for name in list(root.attrib)[:_MOST_ATTRIBUTES]:
        value = str(root.attrib.pop(name))
        short = str(name).rpartition("}")[2]
        yield Candidate(canonical(root), f'{short}="{value[:60]}"')
        yield Candidate(xmlsafe.exclusive_c14n(root), f'{short}="{value[:60]}"')
        root.set(name, value)


def values_rewritten(content: Content) -> Iterator[Candidate]:
    """Yield the XML with its dates and times in the other spellings that data bindings have."""
    octets = content.octets
    yield Candidate(_ZONED.sub(rb">\1<", octets), "dates without time zone")
    yield Candidate(_DAY.sub(rb">\1Z<", octets), "dates with time zone Z")
    for zone in (b"+01:00", b"+02:00"):
        yield Candidate(_DAY.sub(rb">\g<1>" + zone + b"<", octets), f"dates with time zone {zone.decode()}")
    yield Candidate(_FRACTION.sub(rb">\1\2<", octets), "times without fraction")
    yield Candidate(_ENTIRE.sub(rb">\1.000\2<", octets), "times with milliseconds")
