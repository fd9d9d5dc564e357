"""Makes up institutions, as many as a real directory has: their files and the network file that names them.

The same count and seed give the same files on every machine: chance comes from SHA-256. What is drawn from stands in
``institutions/kinds.yaml``. Writing the files is the caller's business.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final

from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.errors import DefinitionError
from eessi_sim.identifiers import COUNTRIES, BucType

MOST: Final = 20_000
"""More than six times the institutions of the real directory (our limit, inferred)."""
_NETWORK: Final = "generated"
_SINCE: Final = "2019-07-01"
_NOT_READY: Final = 20
"""One of so many institutions does not handle its last process in EESSI yet."""
_PULLS: Final = 4
"""One of so many institutions collects its messages from a queue."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of institution that every country has."""

    code: str
    name: str
    share: int
    """How often it is drawn, compared with the others."""
    bucs: tuple[BucType, ...]
    behaviours: tuple[str, ...]
    """Lines of the institution file, as they stand there."""


def load_kinds(path: Path) -> tuple[Kind, ...]:
    """Read the kinds of institution.

    Raises:
        DefinitionError: names file, line and key.
    """
    top = load_yaml(path).mapping(required=("behaviours", "kinds"))
    usual = top.each("behaviours", Node.text)

    def kind(node: Node) -> Kind:
        fields = node.mapping(required=("code", "name", "share", "bucs", "behaviours"))
        return Kind(
            fields["code"].text(),
            fields["name"].text(),
            fields["share"].integer(),
            fields.each("bucs", lambda place: place.parsed(BucType)),
            fields.each("behaviours", Node.text) + usual,
        )

    return top.each("kinds", kind)


def generated(kinds: tuple[Kind, ...], count: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Yield path and text of every file: the institutions, at last the network file that names them.

    Args:
        kinds: what to draw from.
        count: how many institutions; they are spread evenly over the 32 countries.
        seed: another seed draws other kinds.

    Raises:
        DefinitionError: fewer than one, or more than we make.
    """
    if not 1 <= count <= MOST:
        raise DefinitionError(
            f"Expected 1 to {MOST} institutions, found {count}", hint="The real directory has some 3,000."
        )
    ids: list[str] = []
    for number in range(count):
        country = COUNTRIES[number % len(COUNTRIES)]
        turn = number // len(COUNTRIES)
        kind = kinds[turn] if turn < len(kinds) else _drawn(kinds, f"{seed}/{number}/kind")
        code = f"{kind.code}{turn + 1:04d}"
        ids.append(f"{country}:{code}")
        yield (
            f"{country}/{code}.yaml",
            _institution(kind, country, code, f"{seed}/{number}", turn < len(kinds)),
        )
    yield f"networks/{_NETWORK}.yaml", _network(ids, seed)


def _chance(topic: str, below: int) -> int:
    """Return a number that depends on nothing but the topic."""
    return int.from_bytes(hashlib.sha256(topic.encode()).digest()[:8]) % below


def _drawn(kinds: tuple[Kind, ...], topic: str) -> Kind:
    borders = list(accumulate(kind.share for kind in kinds))
    drawn = _chance(topic, borders[-1])
    return next(kind for kind, border in zip(kinds, borders, strict=True) if drawn < border)


def _institution(kind: Kind, country: str, code: str, topic: str, is_first: bool) -> str:
    late = kind.bucs[-1:] if _chance(f"{topic}/ready", _NOT_READY) == 0 and not is_first else ()
    ready = [buc for buc in kind.bucs if buc not in late]
    lines = [
        f"id: {country}:{code}",
        "name:",
        f"  en: {kind.name} {code[len(kind.code) :]} of {country} (simulated)",
        f"country: {country}",
        *(["liaison_body: true"] if is_first else []),
        "competences:",
        f"  - {{buc: [{', '.join(ready)}], roles: [CaseOwner, Counterparty], from: {_SINCE}}}",
        *(
            f"  - {{buc: {buc}, roles: [CaseOwner, Counterparty], ready: false, from: {_SINCE}}}"
            for buc in late
        ),
        "contact:",
        f"  email: {code.lower()}.{country.lower()}@eessi-sim.example",
        f"  street: Example Street {1 + _chance(f'{topic}/street', 199)}",
        '  postal_code: "00000"',
        f"  town: Exampletown {country}",
        f"endpoint: {{exchange: {'pull' if _chance(f'{topic}/pull', _PULLS) == 0 else 'push'}}}",
        "behaviours:",
        *(f"  - {line}" for line in kind.behaviours),
    ]
    return "\n".join(lines) + "\n"


def _network(ids: list[str], seed: int) -> str:
    lines = [
        f"# Made by: eessi-sim institutions generate --count {len(ids)} --seed {seed}",
        f"id: {_NETWORK}",
        f"title: {len(ids)} made-up institutions",
        "access_point: {id: EU:APSIM01, name: Central access point and central service node (simulated)}",
        "institutions:",
        *(f"  - {each}" for each in ids),
        "stories: []",
    ]
    return "\n".join(lines) + "\n"
