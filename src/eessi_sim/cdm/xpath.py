"""Compiles the XPath 1.0 expressions of definition files, with the ``sim:`` functions, and reads their results.

Children of a SED have no namespace, so expressions need no prefix but ``sim``; rules about the envelope write ``sbdh``. Errors name the place in the file.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from lxml import etree

from eessi_sim.cdm.functions import FUNCTIONS, NAMESPACE, Result
from eessi_sim.definition_files import Node, suggestion
from eessi_sim.xmlsafe import Element

_CALL: Final = re.compile(r"\bsim:([A-Za-z0-9_-]+)")
_PREFIXES: Final = {"sim": NAMESPACE, "sbdh": "http://eessi.dgempl.ec.europa.eu/namespaces/sbdh"}
_SAMPLE: Final = etree.Element("sample")


class Path:
    """An expression that finds elements or attributes.

    Args:
        node: the expression in its file.

    Raises:
        DefinitionError: it is no XPath 1.0, or calls an unknown function.
    """

    __slots__ = ("_expression", "node")

    def __init__(self, node: Node) -> None:
        self.node = node
        self._expression = compiled(node, node.text())

    @property
    def text(self) -> str:
        """The expression as written."""
        return self.node.text()

    def elements(self, element: Element) -> list[Element]:
        """Return the elements found from ``element``."""
        return [found for found in self.found(element) if isinstance(found, Element)]

    def found(self, element: Element) -> list[Any]:
        """Return elements, and attributes as the texts of lxml that know their parent."""
        result = self._expression(element)
        return result if isinstance(result, list) else []

    def first(self, element: Element) -> Element | None:
        """Return the first element found, None when there is none."""
        return next(iter(self.elements(element)), None)


def compiled(node: Node, expression: str) -> etree.XPath:
    """Return a compiled expression.

    Args:
        node: where it stands, for errors.
        expression: the XPath.

    Raises:
        DefinitionError: it is no XPath 1.0, or calls an unknown function.
    """
    names = set(_CALL.findall(expression))
    for name in names:
        if name not in FUNCTIONS:
            raise node.error(
                f'Expected a known function, found "sim:{name}"', hint=suggestion(name, FUNCTIONS)
            )
    try:
        found = etree.XPath(expression, namespaces=_PREFIXES, extensions=_extensions(names))
        found(_SAMPLE)  # finds unknown prefixes, variables and functions of XPath's own
    except (etree.XPathError, TypeError) as error:
        raise node.error(f'Expected an XPath, found "{expression}": {error}') from error
    return found


def _extensions(names: set[str]) -> dict[tuple[str, str], Callable[..., Result]]:
    """Return only what the expression calls, because lxml registers them for every evaluation."""
    return {(NAMESPACE, name): _without_context(FUNCTIONS[name]) for name in names}


def _without_context(function: Callable[..., Result]) -> Callable[..., Result]:
    return lambda _, *arguments: function(*arguments)
