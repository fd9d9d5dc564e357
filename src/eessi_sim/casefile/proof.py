"""Verifies an archive of a case without any node: manifest, chain, every file, every signature, every certificate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from eessi_sim import sbdh, xmlsafe
from eessi_sim.casefile import attachments, chain, contents, manifest
from eessi_sim.casefile.chain import Entry, Fault
from eessi_sim.casefile.export import JOURNAL, MANIFEST
from eessi_sim.casefile.hiding import WITHHELD
from eessi_sim.casefile.manifest import Manifest
from eessi_sim.casefile.masking import Opening, is_masked, unmask
from eessi_sim.errors import EnvelopeError, KeyMaterialError, XmlError, ZipError
from eessi_sim.security.keys import Certificate, Purpose
from eessi_sim.security.trust import TrustStore
from eessi_sim.storage.base import MessageKind
from eessi_sim.verification.evidence import ENVELOPE, MESSAGE, SED, Evidence, missing, verify_evidence
from eessi_sim.verification.files import verify_file
from eessi_sim.verification.masked import SOAP, cannot_be_verified, verify_masked
from eessi_sim.verification.outcome import Belief, Check, Subject
from eessi_sim.verification.signatures import SEAL, check_seal, check_signer_is, failed
from eessi_sim.zipsafe import Zip, ZipLimits

LIMITS: Final = ZipLimits(entries=20_000, total_bytes=1024 * 1024 * 1024, entry_bytes=256 * 1024 * 1024)
"""A case with attachments is larger than a folder of documents (our limits, inferred)."""
_NONE: Final[Mapping[str, tuple[Opening, ...]]] = MappingProxyType({})
_PURPOSES: Final = {purpose.value: purpose for purpose in Purpose}
_CHAIN: Final = "chain"
_FILE: Final = "file"
AUTHORITY: Final = "authority"
"""The check that says where the belief in signers comes from."""


@dataclass(frozen=True, slots=True)
class _Archive:
    """What was read of an archive."""

    files: Mapping[str, bytes]
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    """Of reading, not of comparing."""
    belief: Belief
    own_authority: bool
    """Whether nobody but the archive says whom to believe."""
    openings: Mapping[str, tuple[Opening, ...]]
    masked: bool = False
    """Whether the manifest says that persons are hidden; what looks so in another archive was changed."""

    def under(self, folder: str) -> dict[str, dict[str, bytes]]:
        """Return the files of each folder below one, by name."""
        found: dict[str, dict[str, bytes]] = {}
        for path, content in self.files.items():
            top, _, rest = path.partition("/")
            name, _, file = rest.partition("/")
            if top == folder and file:
                found.setdefault(name, {})[file] = content
        return found


def verify_archive(
    name: str, data: bytes, belief: Belief, openings: Mapping[str, tuple[Opening, ...]] = _NONE
) -> Iterator[Subject]:
    """Verify an archive, one subject for each thing in it.

    Args:
        name: how the user calls it.
        data: the archive.
        belief: whom to believe; the authority in the archive when nobody is named.
        openings: what is hidden in a masked archive, by file.
    """
    try:
        files, faults = _unpacked(Zip(data, LIMITS))
    except ZipError as error:
        yield Subject(name, "case archive", (failed("archive", name, error),))
        return
    entries, unread = chain.read(files.get(JOURNAL, b""), JOURNAL)
    try:
        believed = _with_authority(files, belief)
    except KeyMaterialError as error:
        believed = belief
        yield Subject(contents.AUTHORITY, "authority", (failed(AUTHORITY, contents.AUTHORITY, error),))
    found = _Archive(files, entries, (*faults, *unread), believed, belief.trust is None, openings)
    about, subject = _manifest(found)
    found = replace(found, masked=about is not None and about.masked)
    yield subject
    yield _journal(found, about)
    yield from _certificates(found)
    yield from _documents(found)
    yield from attachments.verify(found.entries, found.files, masked=found.masked)
    yield from _messages(found)


def _unpacked(archive: Zip) -> tuple[dict[str, bytes], tuple[Fault, ...]]:
    """Return the files by name, and a fault for each entry of the archive that is none."""
    files: dict[str, bytes] = {}
    faults: list[Fault] = []
    for position, name in enumerate(archive.names):
        try:
            content = archive.read(position)
        except ZipError as error:
            faults.append(Fault(error.code, f"{error.message} ({name})", name))
            continue
        if name in files:
            faults.append(Fault("added", f"Expected one file {name} in the archive, found two", name))
        else:
            files[name] = content
    return files, tuple(faults)


def _with_authority(files: Mapping[str, bytes], belief: Belief) -> Belief:
    if belief.trust is not None or contents.AUTHORITY not in files:
        return belief
    revoked = [files[name] for name in (contents.REVOKED,) if name in files]
    return replace(belief, trust=TrustStore.of([Certificate.from_pem(files[contents.AUTHORITY])], revoked))


def _manifest(found: _Archive) -> tuple[Manifest | None, Subject]:
    if MANIFEST not in found.files:
        return None, Subject(MANIFEST, "case archive", (missing(MANIFEST),))
    try:
        root, about = manifest.read(found.files[MANIFEST])
    except XmlError as error:
        return None, Subject(MANIFEST, "case archive", (failed("manifest", MANIFEST, error),))
    seal = check_seal(root, found.belief, MANIFEST, found.files[MANIFEST])
    signer = check_signer_is(about.node, seal, "maker")
    kind = "masked case archive" if about.masked else "case archive"
    description = f"{kind} of {about.node}, {about.buc} {about.case}"
    checks = (seal, *([signer] if signer else []), *_check_authority(found))
    return about, Subject(MANIFEST, description, checks)


def _check_authority(found: _Archive) -> Iterator[Check]:
    """Say where the belief comes from: an archive that brings its own authority proves less."""
    if found.belief.trust is not None:
        whom = (
            "in the archive itself; --ca names one that you know"
            if found.own_authority
            else "named with --ca"
        )
        sentence = f"Signers are believed by the authority {whom}"
        yield Check(name=AUTHORITY, file=contents.AUTHORITY, passed=True, sentence=sentence)


def _journal(found: _Archive, about: Manifest | None) -> Subject:
    """Compare the chain with itself, and the files with the chain."""
    order = list(chain.faults_of(found.entries, about.head if about else None, JOURNAL))
    files = [*found.faults, *_file_faults(found)]
    checks = [_check(_CHAIN, fault) for fault in order] + [_check(_FILE, fault) for fault in files]
    count = len(found.entries)
    if not order:
        checks.append(_passed(_CHAIN, f"The chain of {count} entries is unbroken, up to the head"))
    if not files:
        named = sum(entry.file is not None for entry in found.entries)
        checks.append(_passed(_FILE, f"All {named} files have their entry and the SHA-256 that it states"))
    return Subject(JOURNAL, f"journal of {count} entries", tuple(checks))


def _file_faults(found: _Archive) -> Iterator[Fault]:
    named: set[str] = set()
    for entry in found.entries:
        if entry.file is None:
            continue
        content = found.files.get(entry.file)
        if entry.file in named:
            yield Fault("added", f"Expected one entry about {entry.file}, found {entry.name} too", entry.file)
        elif content is None:
            yield Fault("missing", f"Expected the file of {entry.name}, found none", entry.file)
        elif chain.digest(content) != entry.sha256:
            sentence = f"Expected the SHA-256 that {entry.name} states, found another: the file was changed"
            yield Fault("changed", sentence, entry.file)
        named.add(entry.file)
    for name in found.files:
        if name not in named and name not in (MANIFEST, JOURNAL):
            yield Fault("added", f"Expected only files that the journal names, found {name} besides", name)


def _check(name: str, fault: Fault) -> Check:
    return Check(name=name, file=fault.file, passed=False, sentence=fault.sentence, code=fault.code)


def _passed(name: str, sentence: str) -> Check:
    return Check(name=name, file=JOURNAL, passed=True, sentence=sentence)


def _certificates(found: _Archive) -> Iterator[Subject]:
    """Judge each certificate at the beginning of its validity; that it was valid when it signed is checked there."""
    checks = [
        _check_certificate(entry, found)
        for entry in found.entries
        if entry.what == contents.CERTIFICATE and entry.file and "party" in entry.facts
    ]
    if checks:
        yield Subject(contents.CERTIFICATES, f"{len(checks)} certificates", tuple(checks))


def _check_certificate(entry: Entry, found: _Archive) -> Check:
    file = str(entry.file)
    if file not in found.files:
        return missing(file)
    try:
        certificate = Certificate.from_pem(found.files[file])
        purpose = _PURPOSES[entry.facts.get("purpose", "")]
    except KeyMaterialError as error:
        return failed(contents.CERTIFICATE, file, error)
    except KeyError:
        sentence = f"Expected the purpose of {file} in its entry, found none that we know"
        return Check(name=contents.CERTIFICATE, file=file, passed=False, sentence=sentence, code="unreadable")
    check = Check(
        name=contents.CERTIFICATE,
        file=file,
        passed=True,
        sentence=f"A certificate of {certificate.subject}",
    )
    if found.belief.trust is None:
        return check
    at = found.belief.at or certificate.not_before
    verdict = found.belief.trust.check(certificate, at, purpose)
    return replace(
        check,
        passed=verdict.ok,
        trusted=verdict.ok,
        sentence=f"{check.sentence}: {verdict.explanation}".rstrip("."),
        code=verdict.sub_indication,
    )


def _documents(found: _Archive) -> Iterator[Subject]:
    for entry in found.entries:
        if entry.what == contents.DOCUMENT and entry.file in found.files:
            file, facts = str(entry.file), entry.facts
            checks = (*_check_document(found, file), *_check_carried(found, entry))
            description = f"{facts.get('sed')} version {facts.get('version')}, {facts.get('direction')}"
            yield Subject(file, description, checks)


def _check_document(found: _Archive, file: str) -> Iterator[Check]:
    """Verify the seal of a document; that of a masked one only with the openings of what is hidden in it."""
    data = found.files[file]
    try:
        masked = xmlsafe.parse(data)
    except XmlError as error:
        yield failed("document", file, error)
        return
    if not (found.masked and is_masked(masked)):
        yield from verify_file(file, data, found.belief).checks
    elif file not in found.openings:
        yield cannot_be_verified(SEAL, file, "The seal of the document")
    else:
        openings = found.openings[file]
        root, wrong = unmask(masked, {opening.path: opening for opening in openings})
        yield _check_openings(file, len(openings), wrong)
        yield check_seal(root, found.belief, file)


def _check_openings(file: str, number: int, wrong: Sequence[str]) -> Check:
    return Check(
        name="openings",
        file=file,
        passed=not wrong,
        sentence=f"Expected openings that fit what is hidden, found another text at {', '.join(wrong)}"
        if wrong
        else f"All {number} openings fit what is hidden",
        code="changed" if wrong else None,
    )


def _check_carried(found: _Archive, document: Entry) -> Iterator[Check]:
    """Compare a document with the SED in each message that brought it or took it away."""
    file = str(document.file)
    same = {name: document.facts.get(name) for name in ("document", "version")}
    for entry in found.entries:
        is_about = all(entry.facts.get(key) == value for key, value in same.items())
        if entry.what == contents.MESSAGE_RECORD and entry.file and is_about:
            folder = entry.file.rpartition("/")[0]
            place, carried = _sed_in(found.files, folder)
            is_same = carried == found.files[file]
            yield Check(
                name="content",
                file=file,
                passed=is_same,
                sentence=f"The document is the SED of {place}"
                if is_same
                else f"Expected the document to be the SED of {place}, found another",
                code=None if is_same else "changed",
            )


def _sed_in(files: Mapping[str, bytes], folder: str) -> tuple[str, bytes | None]:
    """Return the SED of a message, and where it was found: by itself, or in the envelope of a masked archive."""
    place = f"{folder}/{SED}"
    if place in files or f"{folder}/{SOAP}" not in files:
        return place, files.get(place)
    place = f"{folder}/{ENVELOPE}"
    try:
        return place, xmlsafe.document_of(sbdh.read(files.get(place, b"")).sed)
    except (XmlError, EnvelopeError):
        return place, None


def _messages(found: _Archive) -> Iterator[Subject]:
    told = {entry.file: entry.facts for entry in found.entries if entry.what == contents.MESSAGE_RECORD}
    confirmed = {entry.facts.get("about") for entry in found.entries if entry.what == MessageKind.RECEIPT}
    withheld = _withheld(found)
    for name, files in found.under(contents.MESSAGES).items():
        if name in withheld:
            check = cannot_be_verified("message", f"{contents.MESSAGES}/{name}", "The message")
            yield Subject(name, "masked message", (check,))
            continue
        verify, main = (verify_masked, SOAP) if found.masked and SOAP in files else (verify_evidence, MESSAGE)
        facts = told.get(f"{contents.MESSAGES}/{name}/{main}", {})
        row = {"message_id": facts.get("message"), **facts} if "sed" in facts else None
        if row and facts.get("message") not in confirmed:
            row["receipt"] = "missing"
        yield verify(Evidence(name, files, row, told_by=JOURNAL), found.belief)
        for file, content in files.items():
            if file.endswith(".as4") and file != MESSAGE:
                yield verify_file(f"{contents.MESSAGES}/{name}/{file}", content, found.belief)


def _withheld(found: _Archive) -> set[str]:
    """Return the folders of messages that a masked archive left out."""
    return {
        entry.facts.get(WITHHELD, "")
        for entry in found.entries
        if found.masked and entry.what == contents.MESSAGE_RECORD and entry.file is None
    }
