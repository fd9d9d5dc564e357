"""The AS4 example of the README is a program that runs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.helpers.commands import run

pytestmark = pytest.mark.process
README = Path(__file__).resolve().parents[3] / "README.md"


def test_example_delivers_an_order(tmp_path: Path) -> None:
    """Both ends in one program: the order is delivered, the receipt is good."""
    [program] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert run("as4", "keys", tmp_path / "keys", "ours", "theirs").exit_code == 0
    found = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert found.stderr == ""
    assert found.stdout == "ours [b'<order/>']\nTrue ()\n"
