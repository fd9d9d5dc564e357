"""Programs that a test needs and that a machine may lack."""

import os
import shutil

import pytest


def require_program(name: str) -> str:
    """Return the path of a program; without it skip the test, or fail it under ``CI=true``.

    A machine that calls itself CI has to have every oracle: a skip there would hide a failure.
    """
    path = shutil.which(name)
    if path is None:
        reason = f"the program {name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
