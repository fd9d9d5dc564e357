"""Definition: what ``<SED>.bulk.yaml`` says about a SED that lists individual claims, or speaks about all of them.

The element that repeats, the number that identifies a claim in its case, what every claim repeats of the master,
which totals the master states, and what the document says of each claim. Paths are XPath 1.0; those below
``claims`` start at a claim, all others at the root.
"""

import functools
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path as FilePath

from lxml import etree

from eessi_sim.cdm.catalogue import SedDefinition
from eessi_sim.cdm.xpath import Path, compiled
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.errors import SedError
from eessi_sim.identifiers import SedType
from eessi_sim.xmlsafe import Element


class Status(StrEnum):
    """What is the matter with a claim (our words, inferred)."""

    OPEN = "open"
    ACCEPTED = "accepted"
    PART_ACCEPTED = "part-accepted"
    CONTESTED = "contested"
    AMENDED = "amended"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"
    PART_PAID = "part-paid"
    PAID = "paid"
    SETTLED = "settled"
    CHARGED = "charged"
    REFUSED = "refused"


class Track(StrEnum):
    """What a document decides about: whether a claim is owed, or whether it bears interest."""

    CLAIM = "claim"
    INTEREST = "interest"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A field of the master that every claim repeats."""

    origin: Path
    target: str


@dataclass(frozen=True, slots=True)
class Total:
    """A leaf of the master that follows from the claims: their number, a sum, or what the first of them says."""

    path: Path
    count: bool
    plus: tuple[Path, ...]
    minus: tuple[Path, ...]
    unless: etree.XPath | None
    """Claims that do not count."""
    first: Path | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What is said of a claim that a document lists."""

    when: etree.XPath | None
    """Asked of the claim; None holds always."""
    status: Status | None
    """None leaves the claim as it is."""


@dataclass(frozen=True, slots=True)
class Others:
    """What is said of the claims that a document does not list."""

    when: etree.XPath | None
    """Asked of the root of the document; None holds always."""
    origins: frozenset[Status]
    status: Status


@dataclass(frozen=True, slots=True)
class Amounts:
    """Where a claim states its amounts."""

    requested: Path | None
    accepted: Path | None
    paid: Path | None
    currency: Path | None


@dataclass(frozen=True, slots=True)
class Says:
    """What a document says of the claims of its case; of several that hold, the first counts."""

    opens: bool
    """Whether its claims are new; every other document speaks of those that a document opened."""
    track: Track
    listed: tuple[Listed, ...]
    others: tuple[Others, ...]
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Claims:
    """The individual claims of a bulk SED."""

    path: str
    """Names from below the root to the element that repeats."""
    number: str
    """Leaf that identifies a claim, the same in all documents of the case."""
    in_order: bool
    """Whether claims are numbered 1, 2, 3 in the order of the document."""
    most: int
    """How many one document may have; a setting of the installation (documented), its value ours (inferred)."""
    names: tuple[str, ...]
    """Leaves that name the person, for lists."""
    repeats: tuple[Repeat, ...]
    ids: tuple[str, ...]
    """Leaves with an id of 32 hexadecimal digits that is made for every claim."""
    columns: tuple[str, ...]
    """Leaves that a table shows when nobody asks for all."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of ``path``."""
        return tuple(self.path.split("/"))


@dataclass(frozen=True, slots=True)
class BulkDefinition:
    """What one file says."""

    sed: SedType
    confidence: str
    request: Path
    """Where the document names the request that it is about."""
    claims: Claims | None
    """None for a SED that speaks about claims without a list of them."""
    totals: tuple[Total, ...]
    says: Says

    @classmethod
    def find(cls, definition: SedDefinition) -> "BulkDefinition | None":
        """Return what a SED says of individual claims, None when it says nothing; read once per process.

        Raises:
            DefinitionError: the file is wrong; names file, line and key.
        """
        return _load(definition.bulk) if definition.bulk is not None else None


def require_claims(definition: SedDefinition) -> tuple[BulkDefinition, Claims]:
    """Return what makes a SED a bulk SED.

    Raises:
        DefinitionError: its file is wrong.
        NotBulk: it is none.
    """
    found = BulkDefinition.find(definition)
    if found is None or found.claims is None:
        raise NotBulk(
            f"Expected a bulk SED with individual claims, found {definition.type} in version {definition.version}",
            hint="The command eessi-sim bulk list names those that are defined.",
        )
    return found, found.claims


class NotBulk(SedError):  # noqa: N818 - says what is the matter
    """A SED has no individual claims."""

    code = "not-bulk"


@functools.cache
def _load(path: FilePath) -> BulkDefinition:
    fields = load_yaml(path).mapping(
        required={"sed"}, allowed={"same_as", "confidence", "request", "claims", "totals", "says"}
    )
    if "same_as" in fields:
        return _load((path.parent / f"{fields['same_as'].text()}.bulk.yaml").resolve())
    return BulkDefinition(
        sed=fields.read("sed", lambda node: node.parsed(SedType)),
        confidence=fields.read("confidence", Node.text),
        request=fields.read("request", Path),
        claims=fields.read("claims", _claims, None),
        totals=fields.each("totals", _total),
        says=fields.read("says", _says),
    )


def _claims(node: Node) -> Claims:
    fields = node.mapping(
        required={"path", "number", "most", "names", "columns"}, allowed={"in_order", "repeats", "ids"}
    )
    return Claims(
        path=fields.read("path", Node.text),
        number=fields.read("number", Node.text),
        in_order=fields.read("in_order", Node.boolean, default=False),
        most=fields.read("most", Node.integer),
        names=fields.each("names", Node.text),
        repeats=fields.each("repeats", _repeat),
        ids=fields.each("ids", Node.text),
        columns=fields.each("columns", Node.text),
    )


def _repeat(node: Node) -> Repeat:
    fields = node.mapping(required={"from", "to"}, allowed=())
    return Repeat(fields.read("from", Path), fields.read("to", Node.text))


def _total(node: Node) -> Total:
    fields = node.mapping(required={"path"}, allowed={"count", "plus", "minus", "unless", "first"})
    return Total(
        path=fields.read("path", Path),
        count=fields.read("count", Node.boolean, default=False),
        plus=fields.each("plus", Path),
        minus=fields.each("minus", Path),
        unless=fields.read("unless", _test, None),
        first=fields.read("first", Path, None),
    )


def _says(node: Node) -> Says:
    fields = node.mapping(allowed={"opens", "track", "listed", "others", "amounts", "currency"})
    amounts = (
        fields["amounts"].mapping(allowed={"requested", "accepted", "paid"}) if "amounts" in fields else None
    )
    found = {name: Path(value) for name, value in (amounts or {}).items()}
    return Says(
        opens=fields.read("opens", Node.boolean, default=False),
        track=fields.read("track", lambda value: value.member(Track), Track.CLAIM),
        listed=fields.each("listed", _listed),
        others=fields.each("others", _others),
        amounts=Amounts(
            found.get("requested"),
            found.get("accepted"),
            found.get("paid"),
            fields.read("currency", Path, None),
        ),
    )


def _listed(node: Node) -> Listed:
    fields = node.mapping(allowed={"when", "status"})
    return Listed(fields.read("when", _test, None), fields.read("status", _status, None))


def _others(node: Node) -> Others:
    fields = node.mapping(required={"from", "status"}, allowed={"when"})
    return Others(
        fields.read("when", _test, None),
        frozenset(fields.each("from", _status)),
        fields.read("status", _status),
    )


def _status(node: Node) -> Status:
    return node.member(Status)


def _test(node: Node) -> etree.XPath:
    """Return an expression that is true or false."""
    return compiled(node, f"boolean({node.text()})")


def holds(test: etree.XPath | None, element: Element) -> bool:
    """Return whether a condition holds at an element; none holds always."""
    return test is None or bool(test(element))
