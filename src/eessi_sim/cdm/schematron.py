"""Business rules of a SED as ISO Schematron (ISO/IEC 19757-3), for tools that do not know our rule files.

Every assertion runs at the root of the SED and asks for nodes that break the rule, because contexts of our rules
are full XPath 1.0, of which a Schematron context may only be a part. A rule that calls a ``sim:`` function needs a
processor that offers it; its name and meaning are in ``functions``.
"""

import re
from collections.abc import Iterable
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.functions import NAMESPACE
from eessi_sim.cdm.rules import Rule
from eessi_sim.xmlsafe import Element

SCHEMATRON: Final = "http://purl.oclc.org/dsdl/schematron"
_PARTS: Final = re.compile(r"\{([^{}]+)\}")
_STEPS: Final = re.compile(r"[A-Za-z][\w/]*|\.")
"""Expressions of a message that can follow the node at fault in one path."""


def write(definition: SedDefinition, rules: Iterable[Rule]) -> bytes:
    """Return the rules as one Schematron schema, a pattern for each.

    Args:
        definition: the SED that they belong to.
        rules: what to write, in this order.
    """
    root = etree.Element(f"{{{SCHEMATRON}}}schema", nsmap={"sch": SCHEMATRON}, queryBinding="xslt")
    _child(root, "title").text = f"{definition.type} of CDM {definition.version}: {definition.title}"
    _child(root, "ns", prefix="sim", uri=NAMESPACE)
    for rule in rules:
        _pattern(root, rule)
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"


def _pattern(root: Element, rule: Rule) -> None:
    broken = f"({rule.context.text})[not({rule.test})]"
    at_root = _child(_child(root, "pattern", id=rule.id), "rule", context="/*")
    wanted = _child(at_root, "assert", id=f"{rule.id}-assert", flag=rule.severity, test=f"not({broken})")
    _fill(wanted, rule.message.template, broken)


def _fill(wanted: Element, template: str, broken: str) -> None:
    """Write the sentence; what no path can say stands as an ellipsis."""
    text, *rest = _PARTS.split(template)
    wanted.text = text
    for expression, tail in zip(rest[::2], rest[1::2], strict=True):
        if _STEPS.fullmatch(expression):
            part = _child(wanted, "value-of", select=f"({broken})[1]/{expression}")
            part.tail = tail
        elif len(wanted):
            wanted[-1].tail = f"{wanted[-1].tail}…{tail}"
        else:
            wanted.text = f"{wanted.text}…{tail}"


def _child(parent: Element, name: str, **attributes: str) -> Element:
    child = etree.SubElement(parent, f"{{{SCHEMATRON}}}{name}")
    for key, value in attributes.items():
        child.set(key, value)
    return child
