"""The Java side of the interop tests: builds it once, starts one process of it, and talks with it by JSON lines."""

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.optional import lack, require_program

from eessi_sim.transport.base import TlsIdentity

SOURCES = Path(__file__).parents[1] / "interop" / "java"
TARGET = SOURCES / "target"
_STAMP = TARGET / "built"
_BUILD_SECONDS = 600
_ANSWER_SECONDS = 60


def build() -> str:
    """Compile our Java sources and fetch phase4, once for each state of the sources; return the class path.

    Skips the test (fails it under ``CI=true``) where no JDK or no Maven is installed, or Maven cannot fetch phase4.
    """
    for program in ("java", "javac", "mvn"):
        require_program(program)
    with (SOURCES / "pom.xml").open("rb") as turn:
        # The processes of one test run would build in the same folder at the same time.
        fcntl.flock(turn, fcntl.LOCK_EX)
        _build_once(_state())
    return os.pathsep.join([str(TARGET / "classes"), str(TARGET / "dependency" / "*")])


def _build_once(state: str) -> None:
    if not _STAMP.exists() or _STAMP.read_text() != state:
        shutil.rmtree(TARGET, ignore_errors=True)
        done = subprocess.run(
            ["mvn", "--batch-mode", "--quiet", "compile", "dependency:copy-dependencies"],
            cwd=SOURCES,
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode:
            lack(
                f"Maven could not build {SOURCES.name}, which needs Maven Central once: {done.stdout[-2000:]}"
            )
        _STAMP.write_text(state)


def _state() -> str:
    files = [SOURCES / "pom.xml", *sorted((SOURCES / "src").rglob("*.java"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


class Peer:
    """A running phase4; answers one question at a time."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    async def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Send a command and return the answer.

        Raises:
            AssertionError: the process failed or is silent for too long.
        """
        line = json.dumps({"do": command, **arguments})
        answer = await asyncio.wait_for(asyncio.to_thread(self._exchange, line), _ANSWER_SECONDS)
        found: dict[str, Any] = json.loads(answer) if answer else {"failure": "the process has ended"}
        assert "failure" not in found, f"{found}\n{self.log()}"
        return found

    def _exchange(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def log(self) -> str:
        """Return the end of what phase4 logged."""
        return self._log.read_text(errors="replace")[-6000:]


@contextmanager
def running(folder: Path, tls: TlsIdentity) -> Iterator[Peer]:
    """Start phase4 with ``folder`` for its files, and end it afterwards."""
    log = folder / "phase4.log"
    command = ["java", "-cp", build(), "interop.Peer", str(tls.certificate), str(tls.authorities)]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            cwd=folder,
        ) as process,
    ):
        try:
            yield Peer(process, log)
        finally:
            process.kill()
