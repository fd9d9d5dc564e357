"""Finds the definition files: an explicit folder, else those inside the wheel, else the checkout.

Only paths live here; what the files mean is the business of the package that reads them.
"""

from pathlib import Path

from eessi_sim.errors import DefinitionError

_PACKAGE = Path(__file__).resolve().parent


def definitions_root(explicit: Path | None = None) -> Path:
    """Return the folder that holds ``schemas`` and ``institutions``.

    Args:
        explicit: a folder named by the user; must hold ``schemas``.

    Raises:
        DefinitionError: when no folder holds the definitions.
    """
    candidates = [explicit] if explicit else [_PACKAGE / "definitions", _PACKAGE.parent.parent]
    for candidate in candidates:
        if (candidate / "schemas" / "cdm").is_dir():
            return candidate
    raise DefinitionError(
        "Found no folder with schemas/cdm in it",
        hint="Install the wheel again, or run from a checkout.",
        looked_in=", ".join(str(candidate) for candidate in candidates),
    )


def schemas(explicit: Path | None = None) -> Path:
    """Return the folder of the SED, BUC and envelope definitions."""
    return definitions_root(explicit) / "schemas"


def institutions(explicit: Path | None = None) -> Path:
    """Return the folder of the institution, network and story files."""
    return definitions_root(explicit) / "institutions"
