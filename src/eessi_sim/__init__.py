"""EESSI in a box: institutions that exchange social security documents over real AS4.

The packages are layered; ``pyproject.toml`` holds the contract and ``README.md`` the map.
"""

__version__ = "0.1.0"
