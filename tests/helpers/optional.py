"""Programs that a test needs and that a machine may lack."""

import os
import shutil
from typing import NoReturn

import pytest


def require_program(name: str) -> str:
    """Return the path of a program; without it skip the test, or fail it under ``CI=true``.

    A machine that calls itself CI has to have every oracle: a skip there would hide a failure.
    """
    path = shutil.which(name)
    if path is None:
        lack(f"the program {name} is not installed")
    return path


def lack(reason: str) -> NoReturn:
    """Skip the test for what the machine lacks, or fail it under ``CI=true``."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
