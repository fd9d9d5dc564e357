"""Puts a report on the disk: the forms of the report, the evidence, the certificate of the authority.

An older report in the same folder is replaced; what is not a report's stays.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

from eessi_sim.errors import EnvironmentProblem
from eessi_sim.report import evidence, json_form, junit, page
from eessi_sim.report.evidence import Evidence
from eessi_sim.report.model import RunReport

INDEX_FILE: Final = "messages/index.json"
_PROBE: Final = ".eessi-sim-probe"


def prepare(folder: Path) -> None:
    """Make the folder of a report, before anything is run that would be in vain.

    Raises:
        EnvironmentProblem: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / _PROBE
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise EnvironmentProblem(
            f'Expected a folder that can be written, found "{folder}": {error.strerror}',
            hint="Name another folder with --report, or change its permissions.",
        ) from error


def write(folder: Path, report: RunReport, found: Sequence[Evidence], authority: Mapping[str, bytes]) -> None:
    """Write a whole report.

    Args:
        folder: exists and can be written.
        report: the run.
        found: the messages themselves.
        authority: public files of the authority by name; its certificate is ``CA_FILE``.
    """
    _remove_older(folder)
    files = evidence.lay_out(found)
    files.update(authority)
    files[INDEX_FILE] = evidence.index(files)
    files["report.json"] = json_form.write(report)
    files["junit.xml"] = junit.write(report)
    files["report.html"] = page.write(report)
    _write_all(folder, files)


def _write_all(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _remove_older(folder: Path) -> None:
    """Remove the messages that the index of an older report names, and nothing else."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        listed = json.loads((folder / INDEX_FILE).read_bytes())["files"]
        for name in {PurePosixPath(path).parts[1] for path in listed if _is_message_file(path)}:
            shutil.rmtree(folder / "messages" / name)


def _is_message_file(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return len(parts) == 3 and parts[0] == "messages" and parts[1] not in ("..", ".")
