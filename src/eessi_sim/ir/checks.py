"""Which checks an access point makes on business documents, and in which order: data, a section of the network file.

Only names here; what a check does is written where the access point works. The order in a real access point is not
public beyond "malware scan, document validation, forward" (observed); the rest is our choice (inferred).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eessi_sim.definition_files import Node, suggestion

ENVELOPE: Final = "envelope"
SCAN: Final = "scan"
TRANSACTION: Final = "transaction"
STANDARD_ORDER: Final = (
    SCAN,
    ENVELOPE,
    "consistency",
    "competence",
    "legal-ground",
    TRANSACTION,
    "attachments",
    "schema",
    "rules",
)
"""Cheap checks first."""
ON_REQUEST: Final = ("duplicates",)
"""Checks that a network file has to ask for: a document sent again as a new message is no fault by itself."""
KNOWN: Final = (*STANDARD_ORDER, *ON_REQUEST)
_WITHOUT_ENVELOPE: Final = frozenset({SCAN, ENVELOPE})


class WhenSilent(StrEnum):
    """What happens to messages while the scanner does not answer."""

    HOLD = "hold"
    """They wait until it does."""
    PASS = "pass"  # noqa: S105 - not a password
    """They pass, and the journal says so."""


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of an access point."""

    order: tuple[str, ...] = STANDARD_ORDER
    clamd: str = ""
    """Address of a clamd, ``host:port`` or the path of its socket; empty asks none."""
    when_silent: WhenSilent = WhenSilent.HOLD

    @property
    def order_from_abroad(self) -> tuple[str, ...]:
        """The checks of what another access point brings.

        That one looked at the course of the case, of which this one may have seen only a part (our choice, inferred).
        """
        return tuple(name for name in self.order if name != TRANSACTION)


DEFAULT_CHECKS: Final = Checks()


def read_checks(node: Node) -> Checks:
    """Read the section ``checks`` of a network file.

    Args:
        node: keys ``order`` (all checks, in order), ``off`` and ``on`` (differences from the usual order), ``clamd``
            and ``when_silent``.

    Raises:
        DefinitionError: names line and key: an unknown check, one that comes twice, one before the envelope was read.
    """
    fields = node.mapping(allowed=("order", "off", "on", "clamd", "when_silent"))
    order = fields.each("order", _known) or STANDARD_ORDER
    left_out = fields.each("off", _known)
    order = (*(name for name in order if name not in left_out), *fields.each("on", _known))
    _require_sense(node, order)
    return Checks(
        order,
        fields.read("clamd", _address, ""),
        fields.read("when_silent", lambda place: place.member(WhenSilent), WhenSilent.HOLD),
    )


def _known(node: Node) -> str:
    name = node.text()
    if name not in KNOWN:
        raise node.error(
            f'Expected a check of the access point, found "{name}"',
            hint=f"{suggestion(name, KNOWN)} It has {', '.join(KNOWN)}.",
        )
    return name


def _require_sense(node: Node, order: tuple[str, ...]) -> None:
    twice = [name for name in order if order.count(name) > 1]
    if twice:
        raise node.error(
            f'Expected every check once, found "{twice[0]}" twice', hint="Leave one of them out."
        )
    before = order[: order.index(ENVELOPE)] if ENVELOPE in order else order
    early = [name for name in before if name not in _WITHOUT_ENVELOPE]
    if early:
        raise node.error(
            f'Expected "{ENVELOPE}" before "{early[0]}", which needs what it reads',
            hint=f'Put "{ENVELOPE}" in front, or leave "{early[0]}" out.',
        )


def _address(node: Node) -> str:
    text = node.text()
    host, _, port = text.rpartition(":")
    if not text.startswith("/") and not (host and port.isdecimal() and 0 < int(port) < 65_536):
        raise node.error(
            f'Expected the address of a clamd, found "{text}"',
            hint="Write host:port, as in 127.0.0.1:3310, or the path of its socket.",
        )
    return text
