"""eessi-sim as4: two lone gateways, one in a process of its own, over real HTTP and HTTPS."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from tests.helpers.as4_encryption import encrypted_message, held
from tests.helpers.as4_messages import keys_of, packed_message, stamp, unpacked
from tests.helpers.commands import run, run_json
from tests.helpers.tls import TlsFolder

from eessi_sim.as4 import msh
from eessi_sim.as4.ebms_errors import EbmsErrorCode
from eessi_sim.cli import as4 as command
from eessi_sim.cli import as4_dump

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both sides for profile 1.15."""
    folder = tmp_path_factory.mktemp("keys")
    assert run("as4", "keys", folder, "ours", "theirs").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def modern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of both sides for profile 2.0."""
    folder = tmp_path_factory.mktemp("modern")
    assert run("as4", "keys", folder, "ours", "theirs", "--profile", "edelivery-2.0").exit_code == 0
    return folder


def sides(keys: Path, mine: str = "ours", partner: str = "theirs") -> tuple[str, ...]:
    """Return the options for keys."""
    return ("--keys", str(keys / mine), "--partner", str(keys / partner))


def read_json(stream: IO[str]) -> dict[str, object]:
    """Read one JSON object from a stream of them."""
    text = ""
    while not text.endswith("}\n") or text.count("{") != text.count("}"):
        line = stream.readline()
        assert line, text
        text += line
    found: dict[str, object] = json.loads(text)
    return found


@contextmanager
def receiver(keys: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``as4 receive`` in a process; gives it and its URL, and stops it."""
    whole = ("as4", "receive", "--port", "0", "--json", *sides(keys, "theirs", "ours"), *options)
    with subprocess.Popen(
        [sys.executable, "-m", "eessi_sim", *whole], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, str(read_json(process.stdout)["url"])
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(20)


@pytest.fixture
def order(tmp_path: Path) -> Path:
    """A document to send."""
    path = tmp_path / "order.xml"
    path.write_bytes(b"<order/>")
    return path


def test_files_arrive_and_the_receipt_is_shown(keys: Path, order: Path, tmp_path: Path) -> None:
    """Ping and send are receipted; the payloads lie in files; the receiver ends after its count."""
    binary = tmp_path / "data"
    binary.write_bytes(os.urandom(500))
    with receiver(keys, "--out", str(tmp_path / "in"), "--count", "1") as (process, url):
        assert "Receipted" in run("as4", "ping", url, *sides(keys)).stdout
        sent = run_json("as4", "send", url, order, binary, *sides(keys))
        assert (sent["delivered"], sent["status"], sent["errors"]) == (True, 200, [])
        assert process.stdout is not None
        received = read_json(process.stdout)
        assert process.wait(20) == 0
    assert received["message_id"] == sent["message_id"]
    assert isinstance(received["files"], list)
    paths = [Path(str(name)) for name in received["files"]]
    assert [path.suffix for path in paths] == [".xml", ".bin"]
    assert [path.read_bytes() for path in paths] == [b"<order/>", binary.read_bytes()]


def test_large_file_is_not_held(keys: Path, tmp_path: Path) -> None:
    """Without encryption a file of megabytes goes from disk to disk, and nothing else is left there."""
    scan, out = tmp_path / "scan.pdf", tmp_path / "in"
    scan.write_bytes(b"%PDF-1.7" + os.urandom(2 * 1024 * 1024))
    with receiver(keys, "--out", str(out), "--count", "1", "--sign-only") as (process, url):
        assert run_json("as4", "send", url, scan, "--sign-only", *sides(keys))["delivered"]
        assert process.wait(20) == 0
    assert [path.read_bytes() for path in out.iterdir()] == [scan.read_bytes()]


def test_refusals_name_the_field_and_the_reason(keys: Path, order: Path, tmp_path: Path) -> None:
    """The sender learns the field that differs; what security refused stands at the receiver only."""
    with receiver(keys, "--out", str(tmp_path)) as (process, url):
        wrong = run("as4", "send", url, order, *sides(keys), "--action", "Submit")
        assert wrong.exit_code == 1
        assert "EBMS:0010 (failure)" in wrong.stdout
        assert 'Action: expected "submit"' in wrong.stdout
        readable = run_json("as4", "send", url, order, *sides(keys), "--sign-only", "--uncompressed")
        assert [error["code"] for error in readable["errors"]] == ["EBMS:0103"]
        broken = subprocess.run(
            [
                sys.executable,
                "-c",
                f"import urllib.request as u; u.urlopen(u.Request({url!r}, b'--x', {{'Content-Type': 'multipart/related; boundary=x'}}))",
            ]
        )
        assert broken.returncode == 0
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "EBMS:0103 Expected encrypted parts, found readable ones" in said
    assert "a message: EBMS:0007" in said


def test_second_profile_over_tls(modern: Path, order: Path, tmp_path: Path) -> None:
    """Ed25519 and X25519 over mutual TLS, certificates named by issuer and serial number."""
    folder = TlsFolder(tmp_path / "tls")
    ours, theirs = folder.identity("ours"), folder.identity("theirs")
    profile = (
        "--profile",
        "edelivery-2.0",
        "--key-reference",
        "issuer-serial",
        "--tls-authority",
        str(ours.authorities),
    )
    with receiver(modern, *profile, "--tls", str(theirs.certificate), "--out", str(tmp_path)) as (_, url):
        assert url.startswith("https://")
        result = run("as4", "send", url, order, *sides(modern), *profile, "--tls", ours.certificate)
        assert result.exit_code == 0, result.output


def test_receiver_speaks_plainly_without_json(keys: Path, tmp_path: Path) -> None:
    """For people, the receiver says where it listens and what came."""
    whole = (
        "as4",
        "receive",
        "--port",
        "0",
        *sides(keys, "theirs", "ours"),
        "--out",
        str(tmp_path),
        "--count",
        "1",
    )
    with subprocess.Popen(
        [sys.executable, "-m", "eessi_sim", *whole], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        url = first.removeprefix("AS4 receiver at ").partition(",")[0]
        assert run("as4", "send", url, "-", *sides(keys), stdin=b"octets").exit_code == 0
        assert process.wait(20) == 0
        assert "from sender: " in process.stdout.read()


class TestAnswers:
    """Answers that are no receipts."""

    def answered(self, keys: Path, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes = b"") -> str:
        """Send to a transport that answers so."""
        from eessi_sim.transport.base import Response

        class Fixed:
            def __init__(self, _identity: object) -> None:
                pass

            async def send(self, *_given: object, **_named: object) -> Response:
                return Response(status, {"content-type": "text/html"}, body)

            async def close(self) -> None:
                pass

        monkeypatch.setattr(command, "HttpTransport", Fixed)
        result = run("as4", "ping", "http://there.example/", *sides(keys))
        return f"{result.exit_code} {result.output}"

    def test_acceptance_is_told_apart(self, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """HTTP 202 is fine, and said not to be a receipt."""
        assert self.answered(keys, monkeypatch, 202).startswith("0 Accepted with HTTP 202")

    def test_web_page_is_no_receipt(self, keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What answers there instead is quoted."""
        found = self.answered(keys, monkeypatch, 404, b"<html>gone")
        assert found.startswith("3 ")
        assert "<html>gone" in found

    def test_nobody_there_is_a_missing_receipt(self, keys: Path) -> None:
        """Without an answer the receipt is missing: EBMS:0301 in words."""
        result = run("as4", "ping", "http://127.0.0.1:9/", *sides(keys))
        assert result.exit_code == 1
        assert "Expected a receipt after 1 attempts" in result.stderr


class TestOptions:
    """Keys and options that do not fit."""

    def test_keys_are_never_overwritten(self, keys: Path) -> None:
        """A folder with keys is left alone."""
        result = run("as4", "keys", keys, "ours")
        assert (result.exit_code, "its keys would be lost" in result.stderr) == (3, True)

    def test_keys_are_listed_as_json(self, tmp_path: Path) -> None:
        """The names of the files come relative to the folder; the elliptic profile has one pair for all."""
        found = run_json("as4", "keys", tmp_path, "a", "--profile", "edelivery-2.0-ec")
        assert found["files"] == ["a/ca.pem", "a/sign.key", "a/sign.pem"]

    def test_keys_of_another_profile_are_named(self, keys: Path) -> None:
        """RSA keys do not fit AS4 2.0: a usage error that says what is missing."""
        result = run("as4", "ping", "http://x.example/", *sides(keys), "--profile", "edelivery-2.0")
        assert result.exit_code == 2
        assert "eddsa-ed25519" in result.stderr

    def test_one_half_of_tls_is_a_usage_error(self, keys: Path) -> None:
        """A certificate without authorities, or the other way round, is refused."""
        result = run("as4", "ping", "https://x.example/", *sides(keys), "--tls", keys / "ours" / "sign.pem")
        assert (result.exit_code, "together" in result.stderr) == (2, True)

    def test_missing_certificate_of_the_partner_is_named(self, keys: Path, tmp_path: Path) -> None:
        """An empty folder for the partner is exit status 3."""
        result = run("as4", "ping", "http://x.example/", "--keys", keys / "ours", "--partner", tmp_path)
        assert (result.exit_code, "encrypt.pem" in result.stderr) == (3, True)

    def test_partner_without_authority_is_believed_by_its_certificate(
        self, keys: Path, tmp_path: Path, order: Path
    ) -> None:
        """A folder with nothing but the certificate is enough."""
        (tmp_path / "sign.pem").write_bytes((keys / "ours" / "sign.pem").read_bytes())
        whole = (
            "as4",
            "receive",
            "--port",
            "0",
            "--json",
            "--keys",
            str(keys / "theirs"),
            "--partner",
            str(tmp_path),
        )
        with subprocess.Popen(
            [sys.executable, "-m", "eessi_sim", *whole, "--out", str(tmp_path / "in"), "--count", "1"],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            url = read_json(process.stdout)["url"]
            assert run("as4", "send", url, order, *sides(keys)).exit_code == 0
            assert process.wait(20) == 0


class TestExport:
    """as4 pmode export."""

    @pytest.mark.parametrize(
        ("product", "begin"), [("holodeck", "<?xml"), ("phase4", "{"), ("domibus", "<?xml")]
    )
    def test_every_product_has_a_file(self, product: str, begin: str, tmp_path: Path) -> None:
        """The text goes to standard output or into a file, the same."""
        options = (
            "as4",
            "pmode",
            "export",
            "https://g.example/as4",
            "--product",
            product,
            "--agreement",
            "urn:a",
        )
        shown = run(*options).stdout
        assert shown.startswith(begin)
        run(*options, "-o", tmp_path / "file")
        assert (tmp_path / "file").read_text() == shown


class TestDump:
    """as4 dump."""

    def dumped(self, packed: msh.Packed, tmp_path: Path, *options: object) -> dict[str, object]:
        """Return what dump says about a message."""
        (tmp_path / "message.as4").write_bytes(msh.to_file(packed))
        found: dict[str, object] = run_json("as4", "dump", tmp_path / "message.as4", *options)
        return found

    def test_encrypted_message_is_shown_as_found_and_decrypted(self, tmp_path: Path) -> None:
        """Without a key the parts are octets; with it they have their size and type, and go to files."""
        packed = encrypted_message("x25519")
        held("x25519").save(tmp_path / "e.pem")
        closed = self.dumped(packed, tmp_path, "--out", tmp_path / "none")
        assert not (tmp_path / "none").exists()
        opened = self.dumped(packed, tmp_path, "--decrypt", tmp_path / "e.pem", "--out", tmp_path / "parts")
        assert closed["encrypted"] is opened["encrypted"] is True
        assert isinstance(closed["parts"], list)
        assert isinstance(opened["parts"], list)
        assert {part["type"] for part in closed["parts"]} == {"application/octet-stream"}
        assert [part["bytes"] for part in opened["parts"]] == [28, 12, 52]
        assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
            "part-1.xml",
            "part-2.pdf",
            "part-3.xml",
        ]

    @pytest.mark.parametrize(
        ("make", "kind", "shown"),
        [
            (packed_message, "user message", {"signed": True}),
            (
                lambda: msh.pack_receipt(unpacked(packed_message()), None, stamp=stamp()),
                "receipt",
                {"signed": False},
            ),
            (
                lambda: msh.pack_error([EbmsErrorCode.OTHER.error("no")], None, about=None, stamp=stamp()),
                "error",
                {"errors": "EBMS:0004 no"},
            ),
            (
                lambda: msh.pack_pull_request("urn:mpc", keys_of("PL:ZUS001"), stamp=stamp()),
                "pull request",
                {"mpc": "urn:mpc"},
            ),
        ],
    )
    def test_every_kind_of_message_is_told(
        self, make: Callable[[], msh.Packed], kind: str, shown: dict[str, object], tmp_path: Path
    ) -> None:
        """Each kind has its own words, and all show in the table for people."""
        found = self.dumped(make(), tmp_path)
        assert found["kind"] == kind
        assert shown.items() <= found.items()
        assert kind in run("as4", "dump", tmp_path / "message.as4").stdout

    @pytest.mark.parametrize(
        ("media_type", "suffix"),
        [("text/xml; charset=utf-8", ".xml"), ("application/pdf", ".pdf"), ("a/b", ".bin")],
    )
    def test_files_end_as_people_expect(self, media_type: str, suffix: str) -> None:
        """XML is .xml whatever the machine's table says first; unknown types are .bin."""
        assert as4_dump.suffix_of(media_type) == suffix


def test_text_xml_travels_as_application_xml() -> None:
    """Media types come from the name; text types of XML are avoided."""
    assert command._media_type("a.xml") == "application/xml"
    assert command._media_type("a") == "application/octet-stream"
