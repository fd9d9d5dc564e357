"""Where messages of other products may lie: in a folder ``shared/vectors`` beside the checkout; never part of it."""

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "vectors"

needs_vectors = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="no messages of other products in ../shared/vectors beside the checkout"
)
"""Skips where the folder is absent."""


def sample(name: str) -> bytes:
    """Return the bytes of one message, as found."""
    return (FOLDER / name).read_bytes()
