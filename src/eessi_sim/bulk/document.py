"""Document: a bulk SED as a master and its claims, taken apart, changed claim by claim, and put together again.

On the wire the claims stand inside the one document, as in the forms of CDM 4.1; RINA stores and shows them as
subdocuments (observed). Every function takes time linear in the number of claims and leaves its input alone.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.bulk.definition import BulkDefinition, Claims, Total, holds, require_claims
from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.sed import SIGNATURE
from eessi_sim.cdm.shape import Shapes
from eessi_sim.cdm.xpath import Path
from eessi_sim.errors import SedError
from eessi_sim.xmlsafe import Element

_CENT: Final = Decimal("0.01")


class ClaimError(SedError):
    """A claim cannot be added, changed or removed."""

    code = "claim"


@dataclass(frozen=True, slots=True)
class BulkDocument:
    """A bulk SED taken apart; its parts belong to nobody else and are not changed."""

    definition: SedDefinition
    master: Element
    """The document without its claims and without a signature, which would no longer hold."""
    claims: tuple[Element, ...]
    """Subdocuments, in the order of the document."""

    @classmethod
    def split(cls, definition: SedDefinition, root: Element) -> "BulkDocument":
        """Take a document apart.

        Raises:
            NotBulk: the SED has no individual claims.
            DefinitionError: its file is wrong.
        """
        _, about = require_claims(definition)
        master = copy.deepcopy(root)
        for signature in master.findall(SIGNATURE):
            master.remove(signature)
        claims = tuple(master.findall(about.path))
        for claim in claims:
            _detach(claim)
        _drop_empty(master, about)
        return cls(definition, master, claims)

    def assemble(self) -> Element:
        """Return one document: the claims in their place, numbered if the SED wants that, and the totals computed.

        Raises:
            DefinitionError: the file of the SED is wrong.
        """
        bulk, about = require_claims(self.definition)
        root = copy.deepcopy(self.master)
        claims = [copy.deepcopy(claim) for claim in self.claims]
        if about.in_order:
            for place, claim in enumerate(claims, start=1):
                _set_number(claim, about, place)
        if claims:
            _container(root, self.definition, about).extend(claims)
        _set_totals(root, bulk, claims)
        return root

    def get(self, number: str) -> Element:
        """Return the claim with a number.

        Raises:
            ClaimError: there is none.
        """
        return self.claims[self._place(number)]

    def add(self, claim: Element) -> "BulkDocument":
        """Return the document with one more claim at the end.

        Raises:
            ClaimError: its number is taken.
        """
        number = number_of(claim, self._about)
        if number in self._places():
            raise ClaimError(
                f"Expected a claim that is not there yet, found number {number} again",
                hint="Update the claim, or give the new one another number.",
            )
        return replace(self, claims=(*self.claims, claim))

    def update(self, claim: Element) -> "BulkDocument":
        """Return the document with this claim in the place of the one with its number.

        Raises:
            ClaimError: there is none with its number.
        """
        place = self._place(number_of(claim, self._about))
        return replace(self, claims=(*self.claims[:place], claim, *self.claims[place + 1 :]))

    def remove(self, number: str) -> "BulkDocument":
        """Return the document without the claim of this number.

        Raises:
            ClaimError: there is none.
        """
        place = self._place(number)
        return replace(self, claims=(*self.claims[:place], *self.claims[place + 1 :]))

    def merge(self, claims: Iterable[Element]) -> "BulkDocument":
        """Return the document with each claim in the place of the one with its number, the new ones at the end."""
        found = {number_of(claim, self._about): claim for claim in self.claims}
        found.update((number_of(claim, self._about), claim) for claim in claims)
        return replace(self, claims=tuple(found.values()))

    @property
    def _about(self) -> Claims:
        return require_claims(self.definition)[1]

    def _places(self) -> Mapping[str, int]:
        about = self._about
        return {number_of(claim, about): place for place, claim in enumerate(self.claims)}

    def _place(self, number: str) -> int:
        places = self._places()
        if number not in places:
            shown = ", ".join(list(places)[:10])
            raise ClaimError(
                f'Expected the number of a claim of this document, found "{number}"',
                hint=f"It has {len(places)} claims: {shown}{', …' if len(places) > 10 else ''}.",
            )
        return places[number]


def number_of(claim: Element, about: Claims) -> str:
    """Return the number of a claim without zeros in front, empty when it states none."""
    text = xmlsafe.text_of(claim.find(about.number))
    return str(int(text)) if text.isdecimal() and text.isascii() else text


def names_of(claim: Element, about: Claims) -> str:
    """Return whom a claim is about."""
    found = (xmlsafe.text_of(claim.find(path)) for path in about.names)
    return " ".join(name for name in found if name)


def amount_at(path: Path | None, element: Element) -> Decimal | None:
    """Return an amount, None when there is none or it is no number: the schema says what is wrong with it."""
    found = path.first(element) if path is not None else None
    try:
        amount = Decimal(xmlsafe.text_of(found)) if found is not None else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def total_of(total: Total, claims: Sequence[Element]) -> str | None:
    """Return what a leaf of the master must say, None when the claims do not tell."""
    counted = [claim for claim in claims if total.unless is None or not holds(total.unless, claim)]
    if total.count:
        return str(len(counted))
    if total.first is not None:
        found = (total.first.first(claim) for claim in counted[:1])
        return next((xmlsafe.text_of(leaf) for leaf in found if leaf is not None), None)
    added = sum((_sum(total.plus, claim) for claim in counted), Decimal())
    taken = sum((_sum(total.minus, claim) for claim in counted), Decimal())
    return str((added - taken).quantize(_CENT))


def _sum(paths: Iterable[Path], claim: Element) -> Decimal:
    return sum((amount_at(path, claim) or Decimal() for path in paths), Decimal())


def _set_totals(root: Element, bulk: BulkDefinition, claims: Sequence[Element]) -> None:
    for total in bulk.totals:
        leaf, text = total.path.first(root), total_of(total, claims)
        if leaf is not None and text is not None:
            leaf.text = text


def _set_number(claim: Element, about: Claims, number: int) -> None:
    leaf = claim.find(about.number)
    if leaf is not None:
        leaf.text = str(number)


def _detach(claim: Element) -> None:
    parent = claim.getparent()
    assert parent is not None  # it was found below the root
    parent.remove(claim)
    claim.tail = None


def _drop_empty(master: Element, about: Claims) -> None:
    """Take away the groups around the claims that have nothing else."""
    group = master.find("/".join(about.steps[:-1]))
    while group is not None and group is not master and not len(group):
        parent = group.getparent()
        assert parent is not None  # it is below the root
        parent.remove(group)
        group = parent


def _container(root: Element, definition: SedDefinition, about: Claims) -> Element:
    """Return the element that the claims stand in; made where the schema wants it when there is none."""
    shapes = Shapes.of(definition)
    element, field = root, shapes.root
    for name in about.steps[:-1]:
        fields = shapes.of_field(field).fields or {}
        order = {tag: place for place, tag in enumerate(fields)}
        field = next(each for each in fields.values() if each.name == name)
        found = element.find(field.tag)
        if found is None:
            found = etree.Element(field.tag)
            before = sum(1 for child in element if order.get(child.tag, len(order)) <= order[field.tag])
            element.insert(before, found)
        element = found
    return element
