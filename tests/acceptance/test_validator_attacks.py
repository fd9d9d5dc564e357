"""Files that attack the validator: the parser attacks and the compression attacks, each in a process of its own.

Every one ends with a finding (never a crash, never a hang) within bounded processor time and memory.
"""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from tests.helpers.as4_messages import packed_message, unsigned_message

from eessi_sim.as4.model import MessageProperty, Payload
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.identifiers import CdmVersion, SedType

pytestmark = pytest.mark.process

MEMORY = 200 * 1024 * 1024
"""Octets that the process may hold, interpreter and definitions included."""
SECONDS = 10.0
"""Processor time that the process may take; a bound against endless work, not a measure of speed."""
MEGABYTES = 10 * 1024 * 1024
A003 = Catalogue.default().get(SedType("A003"), CdmVersion("4.4"))


@dataclass(frozen=True)
class Verdict:
    """What the command said and what it used."""

    code: str
    document: dict[str, Any]
    memory: int
    seconds: float


def sample() -> bytes:
    assert A003.sample is not None
    return A003.sample.read_bytes()


def with_doctype(doctype: bytes, use: bytes = b"") -> bytes:
    """Return the sample behind a document type declaration, with a reference in a name."""
    declaration, rest = sample().split(b"?>", 1)
    name = b"<familyName>"
    return declaration + b"?>" + doctype + rest.replace(name, name + use, 1)


def laughs(levels: int = 12) -> bytes:
    entities = b'<!ENTITY l0 "ha">' + b"".join(
        b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, levels)
    )
    return with_doctype(b"<!DOCTYPE x [%s]>" % entities, b"&l%d;" % (levels - 1))


def quadratic() -> bytes:
    return with_doctype(b'<!DOCTYPE x [<!ENTITY a "%s">]>' % (b"a" * 100_000), b"&a;" * 50_000)


def in_name(content: bytes) -> bytes:
    return sample().replace(b"<familyName>", b"<familyName>" + content, 1)


def on_root(attributes: bytes) -> bytes:
    return sample().replace(b"sedGVer", attributes + b" sedGVer", 1)


def message(content: bytes, mime: str = "application/xml") -> bytes:
    """Return a stored AS4 message whose first part holds these octets under the name of gzip."""
    properties = (MessageProperty("MimeType", mime), MessageProperty("CompressionType", "application/gzip"))
    payload = Payload("sed-1@pl.example", content, "application/gzip", properties)
    packed = unsigned_message([payload])
    return f"Content-Type: {packed.content_type}\r\n\r\n".encode() + packed.body


def bomb() -> bytes:
    """Return 10 MB of gzip that unpack to 10 GB."""
    member = gzip.compress(bytes(1 << 24), 9)
    return member * 640  # several members are legal; making them one by one would take half a minute


SED_ATTACKS: dict[str, Callable[[], bytes]] = {
    "XML-1 doctype": lambda: with_doctype(b"<!DOCTYPE x>"),
    "XML-2 file": lambda: with_doctype(b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>', b"&f;"),
    "XML-2 http": lambda: with_doctype(b'<!DOCTYPE x [<!ENTITY f SYSTEM "http://127.0.0.1:9/">]>', b"&f;"),
    "XML-3 parameter entity": lambda: with_doctype(b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>'),
    "XML-4 external subset": lambda: with_doctype(b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'),
    "XML-4 XInclude": lambda: in_name(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/hostname" parse="text"/>'),
    "XML-5 billion laughs": laughs,
    "XML-6 quadratic": quadratic,
    "XML-7 depth": lambda: b"<a>" * 100_000 + b"</a>" * 100_000,
    "XML-8 attributes": lambda: on_root(b" ".join(b'a%d=""' % n for n in range(1_000_000))),
    "XML-8 long attribute": lambda: on_root(b'a="%s"' % (b"a" * MEGABYTES)),
    "XML-8 long text": lambda: in_name(b"a" * MEGABYTES),
    "XML-9 namespaces": lambda: on_root(b" ".join(b'xmlns:n%d="urn:%d"' % (n, n) for n in range(100_000))),
    "XML-10 UTF-7": lambda: sample().replace(b'encoding="UTF-8"', b'encoding="UTF-7"', 1),
    "XML-10 UTF-16 without mark": lambda: sample().decode().encode("utf-16-le"),
    "XML-10 overlong": lambda: in_name(b"\xc0\xaf"),
    "XML-10 declared otherwise": lambda: sample().replace(b'encoding="UTF-8"', b'encoding="UTF-16"', 1),
    "XML-11 NUL": lambda: in_name(b"\0"),
    "XML-11 control character": lambda: in_name(b"\x1b"),
    "XML-11 lone surrogate": lambda: in_name(b"\xed\xa0\x80"),
    "XML-14 content after root": lambda: sample() + b"<more/>",
    "XML-16 backtracking": lambda: sample().replace(b"NO:", b"+1" + b"1-1 " * 20_000 + b"x", 1),
    "XML-16 many codes": lambda: in_name(b"<value>01</value>" * 200_000),
    "XML-17 XPath": lambda: sample().replace(b"A003>", b"A003' or '1'='1>"),
    "JSON depth": lambda: b"[" * 1_000_000,
    "JSON number": lambda: b'{"A003": {"sedGVer": ' + b"9" * 1_000_000 + b"}}",
    "nothing": lambda: b"",
}  # fmt: skip

MESSAGE_ATTACKS: dict[str, Callable[[], bytes]] = {
    "GZ-1 bomb": lambda: message(bomb()),
    "GZ-2 nested": lambda: message(gzip.compress(gzip.compress(sample()))),
    "GZ-3 truncated": lambda: message(gzip.compress(sample())[:-20]),
    "GZ-3 checksum": lambda: message(gzip.compress(sample())[:-8] + bytes(8)),
    "GZ-4 garbage behind": lambda: message(gzip.compress(sample()) + b"garbage"),
    "GZ-5 no gzip": lambda: message(sample()),
    "GZ-6 hidden gzip": lambda: gzip.compress(sample()),
    "SZ-3 long part headers": lambda: message(gzip.compress(sample())).replace(
        b"Content-ID:", b"X-Long: " + b"a" * 100_000 + b"\r\nContent-ID:", 1
    ),
    "SZ-3 many parts": lambda: message(gzip.compress(sample())).replace(
        b"\r\n\r\n", b"\r\n\r\n" + b"--x\r\n\r\n" * 200_000, 1
    ),
    "XML-12 SOAP 1.1": lambda: packed_message().body.replace(
        b"http://www.w3.org/2003/05/soap-envelope", b"http://schemas.xmlsoap.org/soap/envelope/"
    ),
}  # fmt: skip


# A child is born with the memory of its parent on its record, so the one who measures must be small.
MEASURE = """
import json, resource, subprocess, sys
with open(sys.argv[1], "wb") as out:
    code = subprocess.run(sys.argv[2:], stdout=out, stderr=subprocess.DEVNULL, timeout=120).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, used.ru_maxrss * 1024, used.ru_utime + used.ru_stime]))
"""


def examine(data: bytes, folder: Path) -> Verdict:
    """Validate the octets with the command, in a process that is measured."""
    path, out = folder / "attack.bin", folder / "out.json"
    path.write_bytes(data)
    command = [sys.executable, "-m", "eessi_sim", "validate", str(path), "--json"]
    measured = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURE, str(out), *command],
        capture_output=True,
        check=True,
        timeout=180,
    )
    code, memory, seconds = json.loads(measured.stdout)
    assert code == 1
    document = json.loads(out.read_bytes())
    (issue, *_) = document["files"][0]["issues"]
    return Verdict(issue["code"], document, memory, seconds)


@pytest.mark.parametrize("name", SED_ATTACKS)
def test_attack_on_the_parser_is_a_finding(name: str, tmp_path: Path) -> None:
    """The document is refused with a finding, in bounded time and memory."""
    verdict = examine(SED_ATTACKS[name](), tmp_path)
    assert not verdict.document["valid"]
    assert verdict.memory < MEMORY
    assert verdict.seconds < SECONDS


@pytest.mark.parametrize("name", MESSAGE_ATTACKS)
def test_attack_by_compression_is_a_finding(name: str, tmp_path: Path) -> None:
    """The message is refused with a finding, in bounded time and memory."""
    verdict = examine(MESSAGE_ATTACKS[name](), tmp_path)
    assert not verdict.document["valid"]
    assert verdict.memory < MEMORY
    assert verdict.seconds < SECONDS


def test_doctype_is_named(tmp_path: Path) -> None:
    """A document type is refused as such, not as something it would have led to."""
    assert examine(laughs(), tmp_path).code == "xml-forbidden"


def test_nothing_is_fetched_for_a_schema_location(tmp_path: Path) -> None:
    """A schema that the document proposes is not looked at; the document is refused for the attribute."""
    root = etree.fromstring(sample())
    root.set("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation", "x http://127.0.0.1:9/x.xsd")
    root.set("surprise", "1")
    assert not examine(etree.tostring(root), tmp_path).document["valid"]


def test_many_findings_are_capped(tmp_path: Path) -> None:
    """A hundred thousand mistakes give a bounded list and a count of the rest."""
    document = examine(sample().replace(b"</familyName>", b"</familyName>" + b"<x/>" * 100_000, 1), tmp_path)
    (file,) = document.document["files"]
    assert len(file["issues"]) <= 300
