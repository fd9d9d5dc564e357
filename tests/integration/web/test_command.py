"""``eessi-sim validator`` as a process."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from tests.helpers.commands import run


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    """The command, on a free port."""
    command = [sys.executable, "-m", "eessi_sim", "validator", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_command_serves_until_told_to_stop(process: subprocess.Popen[str]) -> None:
    """It tells its address, answers there, and ends with 0 when it is told to."""
    assert process.stdout is not None
    url = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["url"]
    assert url.startswith("http://127.0.0.1:")
    assert json.load(urllib.request.urlopen(url + "healthz")) == {"ok": True}
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "machine.example"])
def test_other_hosts_demand_a_token(host: str) -> None:
    """An address that others reach is refused without a token."""
    result = run("validator", "--host", host)
    assert (result.exit_code, "--token" in result.output) == (2, True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_port_in_use_is_a_fault_of_the_machine(host: str) -> None:
    """A port that is taken ends in a sentence and exit status 3."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("validator", "--host", host, "--port", str(other.getsockname()[1]))
    assert (result.exit_code, "--port" in result.output) == (3, True)
