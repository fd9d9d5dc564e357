"""Where ``eessi-sim ir`` takes a repository from: a network file, a running network, a snapshot, a SYN001."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from eessi_sim import resources
from eessi_sim.cli import failures, output
from eessi_sim.clock import SystemClock
from eessi_sim.errors import KeyMaterialError
from eessi_sim.ir import addresses, importing, snapshot
from eessi_sim.ir.listed import Sight
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.security.keys import Certificate
from eessi_sim.simulation.assembly import load_definition
from eessi_sim.simulation.state import load_state

FIRST_VERSION: Final = "4.4.1"
"""Version of a network that was not started yet, as it gets it when it is."""
_ENDINGS: Final = (".pem", ".crt", ".cer", ".der")

source_argument = click.argument("source", type=click.Path(path_type=Path, exists=True), metavar="SOURCE")
certificates_option = click.option(
    "--certificates",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="Certificates (PEM or DER, also in subfolders) that a SYN001 lists and does not carry.",
)


def moment(text: str | None) -> datetime:
    """Return the time that an option names: a day, or a time with zone; now without one."""
    if text is None:
        return SystemClock().now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise failures.usage(f'Expected a day or a time such as 2026-03-02, found "{text}".') from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def directory_file(source: Path) -> Path:
    """Return the snapshot in the folder of a network, or the snapshot itself.

    Raises:
        EnvironmentProblem: neither a network nor the name of a snapshot.
    """
    if source.suffix == ".json":
        return source
    load_state(source)
    return source / "directory.json"


def sight_of(
    source: Path, folder: Path | None = None, beside: InstitutionRepository = importing.NOTHING
) -> Sight:
    """Read a repository to look at it.

    Args:
        source: network file, folder of a network, snapshot, or SYN001.
        folder: certificates for a SYN001; what is listed of the others is shown too.
        beside: what a SYN001 is looked at beside: its certificates are known, and what a SYN001 never says is the same.
    """
    if source.suffix == ".yaml":
        return Sight.of(addresses.invented(load_definition(source).repository(FIRST_VERSION)))
    if source.suffix != ".xml":
        return Sight.of(snapshot.load(directory_file(source)))
    around = importing.Surroundings(
        resources.schemas(),
        SystemClock().now(),
        replace(beside, version=importing.NOTHING.version),
        certificates_in(folder),
        lenient=True,
    )
    return importing.look(source.read_bytes(), str(source), around)


def both(old: Path, new: Path, folder: Path | None) -> tuple[Sight, Sight]:
    """Read two repositories to compare them; a SYN001 comes second and is looked at beside the other."""
    if old.suffix == ".xml":
        after = sight_of(new, folder)
        return sight_of(old, folder, after.repository), after
    before = sight_of(old, folder)
    return before, sight_of(new, folder, before.repository)


def certificates_in(folder: Path | None) -> tuple[Certificate, ...]:
    """Return the certificates of a folder; files that hold none are left out with a remark."""
    found = []
    files = sorted(folder.rglob("*")) if folder else []
    for path in files:
        if path.suffix.lower() not in _ENDINGS:
            continue
        data = path.read_bytes()
        try:
            read = Certificate.from_pem if data.startswith(b"-----") else Certificate.from_der
            found.append(read(data))
        except KeyMaterialError as error:
            output.remark(f"{path}: {error.message}")
    return tuple(found)
