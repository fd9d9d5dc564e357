"""Processes that tests start without measuring their coverage, because others run through the same lines."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MEASURED: Final = "COVERAGE_PROCESS_CONFIG"
"""Tells processes that a measured one starts to measure themselves."""


@contextmanager
def unmeasured() -> Iterator[None]:
    """Let the processes that are started meanwhile run at full speed; measured ones take up to twice as long."""
    measured = os.environ.pop(_MEASURED, None)
    try:
        yield
    finally:
        if measured is not None:
            os.environ[_MEASURED] = measured
