"""The command line: one module per family of commands; the root and its table are in ``main``.

Modules parse arguments, call the packages below and show what they return. No decision about documents,
signatures or messages is made here.
"""

import sys

_NEEDED = (3, 11)


def python_problem(version: "tuple[int, ...]") -> str:
    """Return why a version of Python will not do, empty when it will."""
    if version >= _NEEDED:
        return ""
    wanted, found = (".".join(str(part) for part in parts[:2]) for parts in (_NEEDED, version))
    return f"Expected Python {wanted} or newer, found {found}"


# Before any module with newer syntax is read: one sentence instead of a SyntaxError.
if python_problem(sys.version_info[:3]):
    sys.stderr.write(f"environment: {python_problem(sys.version_info[:3])}\n")
    raise SystemExit(3)
