"""The corpus of the fuzzer: nothing in it makes an entrance stumble."""

from pathlib import Path

import pytest
from tests.fuzz.entrances import ENTRANCES, corpus, enter

FILES = [(name, path) for name in ENTRANCES for path in corpus(name)]


@pytest.mark.parametrize(("name", "path"), FILES, ids=[f"{name}-{path.name}" for name, path in FILES])
def test_entrance_reads_or_refuses(name: str, path: Path) -> None:
    """Good files are read; those that once made an entrance stumble are refused with an error of ours."""
    assert enter(name, path.read_bytes()) or not path.name.startswith("good")
