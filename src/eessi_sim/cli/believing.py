"""The options ``--ca`` and ``--at``: whom to believe about signatures, and at which time."""

import functools
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import click

from eessi_sim.cli import inputs
from eessi_sim.verification.folder import load_authorities
from eessi_sim.verification.outcome import Belief


def belief_options(default: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the decorator that adds both options; they arrive as ``belief``.

    Args:
        default: what holds without ``--ca``, for its help.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.option(
            "--ca",
            multiple=True,
            type=click.Path(path_type=Path),
            metavar="PEM",
            help=f"Certificate of an authority to believe; {default}.",
        )
        @click.option(
            "--at",
            type=inputs.Time(),
            metavar="TIME",
            help="When certificates must be valid; the time that the signature states by default.",
        )
        @functools.wraps(command)
        def with_belief(*, ca: Sequence[Path], at: datetime | None, **others: object) -> None:
            command(belief=Belief(load_authorities(*ca) if ca else None, at), **others)

        return with_belief

    return decorate
