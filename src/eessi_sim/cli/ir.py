"""``eessi-sim ir``: the Institution Repository as a whole: look at it, compare it, send it, install it."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random

import click
from rich.text import Text

from eessi_sim import resources
from eessi_sim.cli import failures, output
from eessi_sim.cli.institutions import summary
from eessi_sim.cli.ir_sources import (
    both,
    certificates_in,
    certificates_option,
    directory_file,
    moment,
    sight_of,
    source_argument,
)
from eessi_sim.cli.stage import find_state
from eessi_sim.cli.stores import state_option
from eessi_sim.errors import EnvironmentProblem
from eessi_sim.identifiers import BucType, InstitutionId, RandomIdFactory
from eessi_sim.ir import importing, snapshot, syn_writing
from eessi_sim.ir.difference import difference
from eessi_sim.ir.listed import Sight, Use
from eessi_sim.ir.model import AccessPointEntry, ApplicationRole, Institution
from eessi_sim.ir.repository import InstitutionRepository
from eessi_sim.ir.rotation import rotated
from eessi_sim.security.keys import Purpose
from eessi_sim.security.pki import CertificateAuthority
from eessi_sim.simulation.credentials import FILES, HEAD_START, HOSTS


@click.group(epilog=failures.EXIT_STATUS)
def ir() -> None:
    r"""The Institution Repository: who takes part, where, with which certificates; one version of it at a time.

    SOURCE is a network file (.yaml), the folder of a network that was started, a snapshot (.json) or a SYN001 (.xml).

    \b
    Example:
      eessi-sim ir show institutions/networks/union.yaml
      eessi-sim ir export .eessi-sim --out syn001.xml
      eessi-sim ir diff .eessi-sim syn001.xml
      eessi-sim ir rotate SE:FKSE01
    """


@ir.command(short_help="Version, entries, who is competent, certificates.", epilog=failures.EXIT_STATUS)
@source_argument
@click.option("--buc", type=BucType, metavar="BUC", help="Only who is competent and ready for this process.")
@click.option(
    "--role",
    type=click.Choice([str(each) for each in ApplicationRole]),
    default="Counterparty",
    show_default=True,
)
@click.option("--at", metavar="TIME", help="Day or time at which the competence holds; now by default.")
@certificates_option
@output.shared_options
def show(
    *, source: Path, buc: BucType | None, role: str, at: str | None, folder: Path | None, as_json: bool
) -> None:
    r"""Show a repository: version, institutions, access points, certificates with thumbprints and validity.

    \b
    Example:
      eessi-sim ir show .eessi-sim
      eessi-sim ir show institutions/networks/union.yaml --buc P_BUC_01 --role CaseOwner --at 2026-03-02

    \b
    With --json: {"version", "central", "institutions": [{"id", …, "listed", "liaison_body", "endpoint"}],
      "access_points": [{"id", "name", "outbox", "inbox", "inbound", "linked"}], "certificates":
      [{"party", "purpose", "thumbprint", "subject", "from", "until"}]}
    """
    sight = sight_of(source, folder)
    repository = sight.repository
    time = moment(at)
    chosen = repository.institutions if buc is None else repository.institutions_competent(buc, role, at=time)
    left_out = {each.id for each in repository.institutions} - {each.id for each in chosen}
    certificates = [_certificate(use) for use in sight.uses if use.party not in left_out]
    if as_json:
        output.show_json(
            {
                "version": repository.version,
                "central": repository.central.id if repository.central else None,
                "institutions": [_institution(each, time) for each in chosen],
                "access_points": [_access_point(each) for each in repository.access_points],
                "certificates": certificates,
            }
        )
    else:
        _show(repository, chosen, certificates)


def _institution(institution: Institution, at: datetime) -> dict[str, object]:
    endpoint = institution.endpoint
    return {
        **summary(institution),
        "listed": institution.is_listed(at),
        "liaison_body": institution.liaison_body,
        "endpoint": {"exchange": endpoint.exchange, "channel": endpoint.channel},
    }


def _access_point(entry: AccessPointEntry) -> dict[str, object]:
    return {
        "id": entry.id,
        "name": entry.name,
        "outbox": entry.outbox,
        "inbox": entry.inbox,
        "inbound": entry.inbound,
        "linked": entry.linked,
    }


def _certificate(use: Use) -> dict[str, object]:
    listed = use.certificate
    return {
        "party": use.party,
        "purpose": use.purpose,
        "thumbprint": listed.thumbprint,
        "subject": listed.subject,
        "from": listed.valid_from,
        "until": listed.valid_to,
    }


def _show(
    repository: InstitutionRepository, chosen: Iterable[Institution], certificates: list[dict[str, object]]
) -> None:
    institutions = tuple(chosen)
    output.show_fields(
        {
            "version": repository.version,
            "institutions": f"{len(institutions)} of {len({each.country for each in institutions})} countries",
            "access points": ", ".join(
                f"{each.id} (serves {len(each.linked)})" for each in repository.access_points
            ),
            "central services node": repository.central.id if repository.central else "an access point",
        }
    )
    rows = [
        (each.id, each.name_in(), ", ".join(_sectors(each)), each.endpoint.exchange, _yes(each.liaison_body))
        for each in institutions
    ]
    output.show(Text())
    output.show_table(["!Institution", "Name", "Sectors", "!Exchange", "!Liaison"], rows)
    if certificates:
        output.show(Text())
        output.show_table(
            ["!Party", "!Purpose", "!Thumbprint", "!Until"],
            [
                (each["party"], each["purpose"], each["thumbprint"], f"{each['until']:%Y-%m-%d}")
                for each in certificates
            ],
            title="Certificates",
        )


def _sectors(institution: Institution) -> list[str]:
    return sorted({entry.buc.sector for entry in institution.competences})


def _yes(answer: bool) -> str:
    return "yes" if answer else ""


@ir.command(short_help="What changed between two repositories.", epilog=failures.EXIT_STATUS)
@click.argument("old", type=click.Path(path_type=Path, exists=True), metavar="OLD")
@click.argument("new", type=click.Path(path_type=Path, exists=True), metavar="NEW")
@certificates_option
@output.shared_options
def diff(*, old: Path, new: Path, folder: Path | None, as_json: bool) -> None:
    r"""Compare two repositories: institutions, access points, competences, endpoints, certificates, links.

    How institutions behave and who plays them is not part of what a repository tells others.

    \b
    Example:
      eessi-sim ir diff yesterday.xml today.xml
      eessi-sim ir diff institutions/networks/demo.yaml institutions/networks/union.yaml

    \b
    With --json: {"old", "new", "changes": [{"party", "action", "kind", "subject", "before", "after"}]},
      old and new being the versions.
    """
    before, after = both(old, new, folder)
    changes = difference(before, after)
    if as_json:
        output.show_json(
            {
                "old": before.repository.version,
                "new": after.repository.version,
                "changes": [{name: getattr(each, name) for name in each.__slots__} for each in changes],
            }
        )
    elif changes:
        rows = [
            (each.party, each.action, f"{each.kind} {each.subject}".strip(), each.before, each.after)
            for each in changes
        ]
        output.show_table(["!Party", "!Change", "What", "Before", "After"], rows)
    else:
        output.show(Text(f"No difference; version {after.repository.version}."))


@ir.command(short_help="Write it as SYN001.", epilog=failures.EXIT_STATUS)
@source_argument
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE")
@click.option(
    "--to", "receiver", type=InstitutionId, metavar="ID", help="Receiver; an access point by default."
)
@click.option("--at", metavar="TIME", help="Creation time of the message; now by default.")
@click.option("--seed", type=int, help="Makes the ids of the message repeat.")
@click.option("--extended", is_flag=True, help="Add the certificates themselves; no real system does.")
@output.shared_options
def export(
    *,
    source: Path,
    out: Path,
    receiver: InstitutionId | None,
    at: str | None,
    seed: int | None,
    extended: bool,
    as_json: bool,
) -> None:
    r"""Write a repository as the SYN001 message that the central services node sends.

    The message lists certificates by serial number, names, dates, thumbprint and key. It does not carry them; --extended
    does so in an element of our own, and adds the TLS certificates of institutions.

    \b
    Example:
      eessi-sim ir export .eessi-sim --out syn001.xml
      eessi-sim ir export institutions/networks/union.yaml --to BE:APBE01 --out union.xml

    With --json: {"file", "version", "institutions", "bytes"}
    """
    repository = sight_of(source).repository
    bits = secrets.randbits if seed is None else Random(seed).getrandbits  # noqa: S311 - no secrets, only ids
    ids = RandomIdFactory(bits)
    to = receiver or repository.access_points[0].id
    data = syn_writing.message(repository, syn_writing.Addressing(to, moment(at), ids), extended=extended)
    out.write_bytes(data)
    facts = {
        "file": out,
        "version": repository.version,
        "institutions": len(repository.institutions),
        "bytes": len(data),
    }
    if as_json:
        output.show_json(facts)
    else:
        output.show_fields(facts)


@ir.command("import", short_help="Install a SYN001: all of it or nothing.", epilog=failures.EXIT_STATUS)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    metavar="DIR|FILE",
    help="Folder of a network, or a snapshot (.json), which is made when there is none.",
)
@click.option("--check", is_flag=True, help="Only say what is wrong with it.")
@certificates_option
@output.shared_options
def import_(*, file: Path, into: Path | None, check: bool, folder: Path | None, as_json: bool) -> None:
    r"""Check a SYN001 against schema, references, certificates and the version that is installed, and install it.

    What it lists of a certificate (thumbprint, serial number, key) must fit one that we have: in the installed
    repository, in --certificates, or in the message itself when it was exported with --extended. The version before stays
    beside the new one as directory-VERSION.json. Nodes that run take it up within seconds.

    \b
    Example:
      eessi-sim ir import syn001.xml --check --certificates pki
      eessi-sim ir import syn001.xml --into .eessi-sim

    With --json: {"version", "before", "institutions", "changes", "installed"}
    """
    if into is None and not check:
        raise failures.usage("Expected --into with a place to install it, or --check, found neither.")
    place = directory_file(into) if into else None
    installed = snapshot.load(place) if place and place.exists() else importing.NOTHING
    around = importing.Surroundings(resources.schemas(), moment(None), installed, certificates_in(folder))
    repository = importing.read(file.read_bytes(), str(file), around)
    if place and not check:
        _install(repository, place)
    facts = {
        "version": repository.version,
        "before": installed.version,
        "institutions": len(repository.institutions),
        "changes": len(difference(Sight.of(installed), Sight.of(repository))),
        "installed": not check,
    }
    if as_json:
        output.show_json(facts)
    else:
        output.show_fields(facts)


def _install(repository: InstitutionRepository, place: Path) -> None:
    """Keep the version before beside the new one, then replace it."""
    if place.exists():
        before = snapshot.load(place)
        snapshot.save(before, place.with_name(f"{place.stem}-{before.version}.json"))
    snapshot.save(repository, place)


@ir.command(short_help="A new key and certificate for one party.", epilog=failures.EXIT_STATUS)
@click.argument("party", type=InstitutionId, metavar="ID")
@click.option(
    "--purpose", type=click.Choice([str(each) for each in Purpose]), default="messaging", show_default=True
)
@click.option(
    "--alone", is_flag=True, help="Drop the certificates before: what they signed is refused from now on."
)
@state_option
@output.shared_options
def rotate(*, party: InstitutionId, purpose: str, alone: bool, state: Path, as_json: bool) -> None:
    r"""Issue a new key pair for a party of a network and list it in the next version of the directory.

    The certificates before stay listed, so that messages that wait in queues are accepted. Nodes that run take up the
    directory within seconds; the party itself uses its new key when it starts again.

    \b
    Example:
      eessi-sim ir rotate SE:FKSE01
      eessi-sim ir rotate EU:APSIM01 --purpose TLS --state ~/network

    With --json: {"party", "purpose", "version", "thumbprint", "listed"}
    """
    place = directory_file(state)
    old = snapshot.load(place)
    use = Purpose(purpose)
    if use is Purpose.TLS:
        _require_own_process(state, party)
    authority = CertificateAuthority.load(state / "pki")
    hosts = HOSTS if use is Purpose.TLS else ()
    pair = authority.issue(party, use, country=party.country, now=moment(None) - HEAD_START, hosts=hosts)
    new = rotated(old, party, use, pair.certificate, alone=alone)
    _install(new, place)
    pair.save(state / "pki" / party.file_name / FILES[use])
    facts = {
        "party": party,
        "purpose": use,
        "version": new.version,
        "thumbprint": pair.certificate.sha1_thumbprint,
        "listed": len(new.certificates_of(party, use)),
    }
    if as_json:
        output.show_json(facts)
    else:
        output.show_fields(facts)


def _require_own_process(state: Path, party: InstitutionId) -> None:
    """Refuse a TLS key pair for one of many institutions that show that of their process.

    Raises:
        EnvironmentProblem: the party is one of them.
    """
    network = find_state(state)
    host = network.address(party).host if network and party in (node.party for node in network.nodes) else ""
    if host:
        raise EnvironmentProblem(
            f"Expected a party with a TLS key pair of its own, found {party}, which shows that of {host}",
            hint="Rotate its messaging or seal key pair, or start the network anew with --hosts 0.",
        )
