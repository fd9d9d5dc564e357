"""``eessi-sim institutions``: who takes part, for what they are competent, and how they behave."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import click
from rich.text import Text

from eessi_sim import resources
from eessi_sim.cli import failures, output
from eessi_sim.cli.networks import network_option
from eessi_sim.ir.generating import MOST, generated, load_kinds
from eessi_sim.ir.loader import load_institutions
from eessi_sim.ir.model import ApplicationRole, AssignedBuc, BehaviourRule, Decision, Institution, Occasion
from eessi_sim.simulation.assembly import load_definition

_LETTERS: Final = {
    ApplicationRole.CASE_OWNER: "CO",
    ApplicationRole.COUNTERPARTY: "CP",
    ApplicationRole.INTELLIGENT_RA: "RA",
}


@click.group(epilog=failures.EXIT_STATUS)
def institutions() -> None:
    r"""The institutions: which there are, what each is competent for, how it answers.

    All of them are simulated, also where a name is that of a real one.

    \b
    Example:
      eessi-sim institutions list
      eessi-sim institutions show NO:NAVAT07
      eessi-sim institutions generate --count 3120 --out many
    """


def _folder_option(command: output.AnyCommand) -> output.AnyCommand:
    return click.option(
        "--folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="Institutions of your own, <country>/<code>.yaml, instead of the built-in ones.",
    )(command)


def _load(folder: Path | None) -> tuple[Institution, ...]:
    place = folder or resources.institutions()
    found = load_institutions(place)
    if not found:
        raise failures.usage(f'Expected files like NO/NAVAT07.yaml below "{place}", found none.')
    return found


@institutions.command(
    "list", short_help="Every institution and its competences.", epilog=failures.EXIT_STATUS
)
@click.option("--country", metavar="CC", help="Only this country, EESSI's code: EL is Greece.")
@click.option("--buc", metavar="BUC", help="Only those competent in this process.")
@network_option("Only those of this network, each with its access point.")
@_folder_option
@output.shared_options
def list_(
    *, country: str | None, buc: str | None, network: Path | None, folder: Path | None, as_json: bool
) -> None:
    r"""List the institutions with their names and competences: CO as case owner, CP as counterparty.

    \b
    Example:
      eessi-sim institutions list --country DE
      eessi-sim institutions list --buc P_BUC_01
      eessi-sim institutions list --network federated

    \b
    With --json: [{"id", "name", "country", "external", "competences": [{"buc", "role",
      "from", "until", "ready"}]}]; until is the first moment after the end. With --network also
      "access_point".
    """
    served_by = _served_by(network)
    found = [
        each
        for each in _load(folder)
        if network is None or each.id in served_by
        if (country is None or each.country == country.upper())
        and (buc is None or buc.upper() in {entry.buc.upper() for entry in each.competences})
    ]
    if as_json:
        output.show_json([{**summary(each), **_point_as_json(each, served_by)} for each in found])
    elif found:
        rows = [
            (each.id, each.name_in(), _competences(each), *([served_by[each.id]] if network else []))
            for each in found
        ]
        headings = ["!Institution", "Name", "Competent for", *(["!Access point"] if network else [])]
        output.show_table(headings, rows)
    else:
        output.show(Text("No institution fits."))


def _served_by(network: Path | None) -> dict[str, str]:
    """Return the access point of every institution of a network; nothing without network."""
    points = load_definition(network).access_points if network else ()
    return {institution: point.id for point in points for institution in point.linked}


def _point_as_json(institution: Institution, served_by: Mapping[str, str]) -> dict[str, object]:
    return {"access_point": served_by[institution.id]} if served_by else {}


def _competences(institution: Institution) -> str:
    roles: dict[str, list[str]] = {}
    for entry in institution.competences:
        roles.setdefault(entry.buc, []).append(_LETTERS[entry.role])
    return ", ".join(f"{buc} {'/'.join(letters)}" for buc, letters in roles.items())


def summary(institution: Institution) -> dict[str, object]:
    """Return who an institution is and what it is competent for, for JSON."""
    return {
        "id": institution.id,
        "name": institution.name_in(),
        "country": institution.country,
        "external": institution.external,
        "competences": [_competence_as_json(entry) for entry in institution.competences],
    }


def _competence_as_json(entry: AssignedBuc) -> dict[str, object]:
    return {
        "buc": entry.buc,
        "role": entry.role,
        "from": entry.valid_from,
        "until": entry.valid_until,
        "ready": entry.ready,
    }


@institutions.command(short_help="One institution, with its behaviours.", epilog=failures.EXIT_STATUS)
@click.argument("institution", metavar="ID")
@network_option("The network whose access point serves it.")
@_folder_option
@output.shared_options
def show(*, institution: str, network: Path | None, folder: Path | None, as_json: bool) -> None:
    r"""Show one institution: names, competences with their dates, endpoint, and what it does by itself.

    \b
    Example:
      eessi-sim institutions show NO:NAVAT07
      eessi-sim institutions show NO:NAVAT07 --network federated

    \b
    With --json: what "institutions list" has, and "names": {language: text}, "contact": {},
      "endpoint": {"exchange", "channel"}, "behaviours": [{"id", "occasion",
      "decides", "when", "reply", "send", "after_seconds"}].
    """
    known = {str(each.id).upper(): each for each in _load(folder)}
    found = known.get(institution.upper())
    if found is None:
        raise failures.usage(
            f'Expected an institution, found "{institution}". {failures.nearest(institution, known)}'
        )
    served_by = _served_by(network)
    if network and found.id not in served_by:
        raise failures.usage(
            f'Expected an institution of the network, found "{found.id}". '
            f"{failures.nearest(found.id, served_by)}"
        )
    if as_json:
        output.show_json({**_as_json(found), **_point_as_json(found, served_by)})
    else:
        _show(found, served_by.get(found.id))


def _as_json(institution: Institution) -> dict[str, object]:
    contact, endpoint = institution.contact, institution.endpoint
    known = {name: getattr(contact, name) for name in contact.__slots__}
    return {
        **summary(institution),
        "names": {name.language: name.text for name in institution.name},
        "contact": {name: value for name, value in known.items() if value},
        "endpoint": {"exchange": endpoint.exchange, "channel": endpoint.channel},
        "behaviours": [
            {
                "id": rule.id,
                "occasion": rule.occasion,
                "decides": rule.decides,
                "when": rule.when,
                "reply": rule.reply,
                "send": rule.send,
                "after_seconds": rule.after.total_seconds(),
            }
            for rule in institution.behaviours
        ],
    }


def _show(institution: Institution, access_point: str | None) -> None:
    contact, endpoint = institution.contact, institution.endpoint
    output.show(Text(f"{institution.id}  {institution.name_in()}", style="bold"))
    names = {f"name ({each.language})": each.text for each in institution.name}
    output.show_fields(
        {
            **names,
            "address": ", ".join(
                filter(None, [contact.street, f"{contact.postal_code or ''} {contact.town or ''}".strip()])
            ),
            "e-mail": contact.email,
            "phone": contact.phone,
            "endpoint": f"{endpoint.exchange} {endpoint.channel}".strip() + ", address given by the network",
            **({"access point": access_point} if access_point else {}),
            "played by": "somebody else's system" if institution.external else "the simulator",
        }
    )
    output.show(Text())
    _show_competences(institution.competences)
    if institution.behaviours:
        rows = [(_when(rule), _does(rule)) for rule in institution.behaviours]
        output.show(Text())
        output.show_table(["!On receipt of", "It sends"], rows, title="Behaviours")


def _show_competences(entries: Sequence[AssignedBuc]) -> None:
    rows = [
        (
            entry.buc,
            entry.role,
            f"{entry.valid_from:%Y-%m-%d}",
            _last_day(entry),
            "yes" if entry.ready else "not yet",
        )
        for entry in entries
    ]
    output.show_table(["!BUC", "!Role", "!From", "!Until", "!In EESSI"], rows, title="Competences")


def _last_day(entry: AssignedBuc) -> str:
    """Return the last day on which a competence holds, as its file says it."""
    return f"{entry.valid_until - timedelta(days=1):%Y-%m-%d}" if entry.valid_until else "no end"


def _does(rule: BehaviourRule) -> str:
    what = f"{rule.reply} as reply" if rule.reply else ", ".join(rule.send) or "nothing"
    who = "" if rule.decides is Decision.AUTOMATIC else f" ({rule.decides})"
    return f"{what}, after {rule.after.total_seconds():g} s{who}"


def _when(rule: BehaviourRule) -> str:
    return rule.when if rule.occasion is Occasion.RECEIVED else f"{rule.when}, answer overdue"


@institutions.command(short_help="Make up as many institutions as you like.", epilog=failures.EXIT_STATUS)
@click.option(
    "--count", type=click.IntRange(1, MOST), default=3120, show_default=True, help="How many institutions."
)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True, help="Where to."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another number draws others.")
@output.shared_options
def generate(*, count: int, out: Path, seed: int, as_json: bool) -> None:
    r"""Write the files of made-up institutions of all 32 countries, and a network file that names them.

    The same count and seed give the same files. A folder that holds something is left alone.

    \b
    Example:
      eessi-sim institutions generate --count 3120 --out many
      eessi-sim ir show many/networks/generated.yaml

    \b
    With --json: {"folder", "institutions", "countries", "network"}.
    """
    if out.exists() and any(out.iterdir()):
        raise failures.usage(f'Expected an empty folder or none at "{out}", found files in it.')
    paths = []
    for name, text in generated(load_kinds(resources.institutions() / "kinds.yaml"), count, seed):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    *files, network = paths
    countries = len({path.parent for path in files})
    if as_json:
        output.show_json(
            {"folder": out, "institutions": len(files), "countries": countries, "network": network}
        )
    else:
        output.show(Text(f"{len(files)} institutions of {countries} countries; their network is {network}"))
