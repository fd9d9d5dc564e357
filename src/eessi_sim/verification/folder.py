"""Reads the folder of a whole run and verifies all of it.

``messages/<message-id>/`` holds ``message.as4``, ``sbdh.xml``, ``sed.xml`` and ``receipt.xml``; ``ca.pem`` and
``ca.crl`` say whom to believe; ``report.json`` lists the messages and ``messages/index.json`` the SHA-256 sums
of all files. What is compared for one message stands in ``evidence``.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from eessi_sim.errors import EnvironmentProblem, IdentifierError, KeyMaterialError
from eessi_sim.identifiers import MessageId
from eessi_sim.security.keys import Certificate
from eessi_sim.security.trust import TrustStore
from eessi_sim.verification.evidence import MESSAGE, Evidence, check_sum, verify_evidence
from eessi_sim.verification.outcome import Belief, Check, Subject

_T = TypeVar("_T")
AUTHORITY: Final = "ca.pem"
_REVOKED: Final = ".crl"
_REPORT: Final = "report.json"
_MESSAGES: Final = "messages"
_INDEX: Final = "messages/index.json"
_LISTED: Final = re.compile(r"(messages/[^/]+/)?[^/]+")
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
        place = folder.absolute()
        yield verify_evidence(_Ledger(place.parent.parent).evidence(place), belief)
        return
    if not (folder / _MESSAGES).is_dir():
        raise EnvironmentProblem(
            f'Expected messages in "{folder}", found none',
            hint="Name the folder that a run was told to write its report to.",
        )
    ledger = _Ledger(folder)
    if ledger.checks:
        yield Subject(_REPORT, "the report itself", tuple(ledger.checks))
    for place in ledger.in_order(path for path in (folder / _MESSAGES).iterdir() if path.is_dir()):
        yield verify_evidence(ledger.evidence(place), belief)


def _read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


class _Ledger:
    """What report and index say about the messages; reading them is a check of its own.

    Args:
        folder: the report of a run.
    """

    def __init__(self, folder: Path) -> None:
        self.checks: list[Check] = []
        self._rows = self._load(folder / _REPORT, _rows)
        self._sums = self._load(folder / _INDEX, _sums)
        listed = {*(self._rows or ()), *(Path(path).parts[1] for path in self._sums or () if "/" in path)}
        lost = sorted(name for name in listed if not (folder / _MESSAGES / name).is_dir())
        self.checks += [_no_folder(name) for name in lost]
        self.checks += [
            check_sum(path, digest, _bytes_of(folder / path))
            for path, digest in (self._sums or {}).items()
            if "/" not in path
        ]

    def _load(self, path: Path, read: Callable[[Any], dict[str, _T]]) -> dict[str, _T] | None:
        """Return what a file of the report says, None when there is none or it says nothing that we understand."""
        if not path.is_file():
            return None
        try:
            return read(json.loads(path.read_bytes()))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, IdentifierError) as error:
            sentence = f"Expected {path.name} as a run writes it, found something else: {error}"
            self.checks.append(
                Check(name="report", file=path.name, passed=False, sentence=sentence, code="unreadable")
            )
            return None

    def in_order(self, places: Iterable[Path]) -> list[Path]:
        """Return message folders in the order of the report, those that it forgot at the end."""
        position = {name: number for number, name in enumerate(self._rows or ())}
        return sorted(places, key=lambda place: (position.get(place.name, len(position)), place.name))

    def evidence(self, place: Path) -> Evidence:
        """Return one message folder with what is said about it."""
        prefix = f"{_MESSAGES}/{place.name}/"
        sums = (
            None
            if self._sums is None
            else {
                path.removeprefix(prefix): digest
                for path, digest in self._sums.items()
                if path.startswith(prefix)
            }
        )
        row = None if self._rows is None else self._rows.get(place.name, {})
        return Evidence(place.name, _read(place), row, sums)


def _rows(report: Any) -> dict[str, Mapping[str, Any]]:  # Any: JSON of anybody
    return {MessageId(row["message_id"]).file_name: dict(row) for row in report["messages"]}


def _sums(index: Any) -> dict[str, str]:  # Any: JSON of anybody
    """Read the index: one list of paths, or one entry per message."""
    if "files" in index:
        return {_path(path): _digest(entry) for path, entry in index["files"].items()}
    return {
        _path(f"{_MESSAGES}/{entry['folder']}/{file}"): _digest(digest)
        for entry in index.values()
        for file, digest in entry["files"].items()
    }


def _path(text: str) -> str:
    if not _LISTED.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no file of a report")
    return text


def _digest(entry: Any) -> str:  # Any: JSON of anybody
    return entry if isinstance(entry, str) else str(entry["sha256"])


def _bytes_of(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _no_folder(name: str) -> Check:
    sentence = f"Expected a folder for message {name}, which the report lists, found none"
    return Check(name="folder", file=f"{_MESSAGES}/{name}", passed=False, sentence=sentence, code="missing")
