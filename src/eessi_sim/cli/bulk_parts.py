"""``eessi-sim bulk split`` and ``join``: a document as the files of its master and its claims."""

import json
from pathlib import Path

import click

from eessi_sim.bulk import subdocuments
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.cli import failures, inputs, output
from eessi_sim.cli.bulk_documents import hand_over, read_document, target_option
from eessi_sim.errors import EnvironmentProblem, SedError


@click.command(short_help="A document in parts.", epilog=failures.EXIT_STATUS)
@click.argument("name", metavar="FILE")
@click.option("-o", "--output", "folder", metavar="DIR", required=True, help="New folder for the parts.")
@inputs.cdm_option
@output.shared_options
def split(*, name: str, folder: str, catalogue: Catalogue, as_json: bool) -> None:
    r"""Write the master and every claim as files of their own, in the form in which RINA stores them.

    master.json has the root <SED>_Master, each file of the folder claims the root <SED>_Child. A signature does not
    hold for parts and is left out.

    \b
    Example:
      eessi-sim bulk split claim.xml -o parts
      eessi-sim bulk join parts -o claim.xml

    With --json: {"folder", "claims"}
    """
    document = read_document(name, catalogue)
    parts = subdocuments.write(document)
    _write_parts(Path(folder), parts)
    if as_json:
        output.show_json({"folder": folder, "claims": len(document.claims)})
        return
    line = output.mark(passed=True)
    line.append(folder, style="bold")
    line.append(f"  master.json and {len(document.claims)} claims")
    output.show_unwrapped(line)


def _write_parts(folder: Path, parts: subdocuments.Parts) -> None:
    try:
        (folder / "claims").mkdir(parents=True)
        (folder / "master.json").write_text(_json(parts.master), encoding="utf-8")
        width = len(str(len(parts.claims)))
        for place, claim in enumerate(parts.claims, start=1):
            (folder / "claims" / f"{place:0{width}}.json").write_text(_json(claim), encoding="utf-8")
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a new folder at "{folder}", found: {error.strerror}',
            hint="Choose another one with -o.",
        ) from error


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@click.command(short_help="A document put together.", epilog=failures.EXIT_STATUS)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@target_option
@inputs.cdm_option
@output.shared_options
def join(*, folder: Path, target: str | None, catalogue: Catalogue, as_json: bool) -> None:
    r"""Put the parts that bulk split wrote together again, claims in the order of their file names.

    The totals are computed again, so that parts may be added, changed and removed in between.

    \b
    Example:
      eessi-sim bulk join parts -o claim.xml

    With --json: {"file", "claims"}
    """
    files = [folder / "master.json", *sorted((folder / "claims").glob("*.json"))]
    master, *claims = [_part(file) for file in files]
    document = subdocuments.read(subdocuments.Parts(master, tuple(claims)), catalogue)
    hand_over(document, target, as_json=as_json)


def _part(file: Path) -> object:
    data = inputs.read_input(str(file))
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SedError(
            f'Expected JSON in "{file}", found: {str(error)[:200]}', hint="See what bulk split writes."
        ) from error
