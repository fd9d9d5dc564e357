"""Golden files: what a command printed when somebody last looked at it and found it good.

``EESSI_SIM_ACCEPT_GOLDEN=1`` (or ``make accept``) writes what is printed now; the review sees the difference.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "data" / "golden"


def assert_golden(name: str, text: str) -> None:
    """Compare a text with its golden file."""
    path = FOLDER / name
    if os.environ.get("EESSI_SIM_ACCEPT_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
