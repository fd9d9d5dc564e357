"""Reads the folder of a whole run and verifies all of it.

``messages/<message-id>/`` holds ``message.as4``, ``sbdh.xml``, ``sed.xml`` and ``receipt.xml``; ``ca.pem`` and
``ca.crl`` say whom to believe; ``report.json`` lists the messages, each row with the SHA-256 sums of its files
under ``files``. What is compared stands in ``evidence``.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from eessi_sim.errors import EnvironmentProblem, IdentifierError, KeyMaterialError
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import Certificate
from eessi_sim.security.trust import TrustStore
from eessi_sim.verification.evidence import MESSAGE, Evidence, verify_evidence
from eessi_sim.verification.outcome import Belief, Check, Subject

AUTHORITY: Final = "ca.pem"
_REVOKED: Final = ".crl"
_REPORT: Final = "report.json"
_MESSAGES: Final = "messages"
_END: Final = b"-----END CERTIFICATE-----"


def load_authorities(*paths: Path) -> TrustStore:
    """Return the trust in all certificates of PEM files, and in the revocation lists (``.crl``) beside them.

    Raises:
        KeyMaterialError: a file cannot be read or holds something else.
    """
    anchors: list[Certificate] = []
    crls: list[bytes] = []
    for path in paths:
        pieces = _read_key_material(path).split(_END)
        anchors.extend(Certificate.from_pem(piece + _END) for piece in pieces[:-1] or pieces)
        revoked = path.with_suffix(_REVOKED)
        if revoked.is_file():
            crls.append(_read_key_material(revoked))
    return TrustStore.of(anchors, crls)


def _read_key_material(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyMaterialError(
            f'Expected the certificate of an authority at "{path}", found: {error.strerror}',
            hint="Name a PEM file, the ca.pem of a report for example.",
        ) from error


def folder_belief(folder: Path, belief: Belief) -> Belief:
    """Return ``belief``, with the authority of the folder, or of the report above it, when it names none.

    Raises:
        KeyMaterialError: the certificate or the revocation list cannot be read.
    """
    places = (folder, folder.absolute().parent.parent)
    found = next((place / AUTHORITY for place in places if (place / AUTHORITY).is_file()), None)
    if belief.trust is not None or found is None:
        return belief
    return replace(belief, trust=load_authorities(found))


def verify_folder(folder: Path, belief: Belief) -> Iterator[Subject]:
    """Verify everything in a folder, message by message.

    Args:
        folder: the report of a run, or the folder of one message.
        belief: whom to believe; the authority in the folder when nobody is named.

    Raises:
        EnvironmentProblem: the folder holds no messages.
        KeyMaterialError: its authority cannot be read.
    """
    belief = folder_belief(folder, belief)
    if (folder / MESSAGE).is_file():
        yield verify_evidence(_read(folder, None), belief)
        return
    if not (folder / _MESSAGES).is_dir():
        raise EnvironmentProblem(
            f'Expected messages in "{folder}", found none',
            hint="Name the folder that a run was told to write its report to.",
        )
    report = _read_report(folder / _REPORT)
    yield from report.subjects(folder)
    for place in sorted(path for path in (folder / _MESSAGES).iterdir() if path.is_dir()):
        yield verify_evidence(_read(place, report.row(place.name)), belief)


def _read(folder: Path, row: Mapping[str, Any] | None) -> Evidence:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    return Evidence(folder.name, files, row)


@dataclass(frozen=True, slots=True)
class _Report:
    """``report.json`` as far as it is evidence."""

    rows: Mapping[str, Mapping[str, Any]] | None
    """By name of the folder; None without a report."""
    error: Check | None = None

    def row(self, name: str) -> Mapping[str, Any] | None:
        """Return what is said about the message of a folder."""
        return None if self.rows is None else self.rows.get(name, {})

    def subjects(self, folder: Path) -> Iterator[Subject]:
        """Yield what is wrong with the report as a whole."""
        lost = [name for name in self.rows or () if not (folder / _MESSAGES / name).is_dir()]
        checks = [*([self.error] if self.error else []), *(_no_folder(name) for name in lost)]
        if checks:
            yield Subject(_REPORT, "the report itself", tuple(checks))


def _no_folder(name: str) -> Check:
    sentence = f"Expected a folder for message {name}, which the report lists, found none"
    return Check(name="folder", file=f"{_MESSAGES}/{name}", passed=False, sentence=sentence, code="missing")


def _read_report(path: Path) -> _Report:
    if not path.is_file():
        return _Report(None)
    try:
        rows = json.loads(path.read_bytes())["messages"]
        return _Report({MessageId(row["message_id"]).file_name: row for row in rows})
    except (ValueError, LookupError, TypeError, RecursionError, IdentifierError) as error:
        sentence = f"Expected a report with a list of messages, found something else: {error}"
        return _Report(
            None, Check(name="report", file=_REPORT, passed=False, sentence=sentence, code="report")
        )
