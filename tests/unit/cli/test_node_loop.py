"""The event loop of a node process."""

import importlib.util
import sys

import pytest

from eessi_sim.cli import node


def test_node_runs_on_the_standard_loop_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the faster event loop is not installed, the standard one is used."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert node.loop_factory() is None


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="the extra 'fast' is not installed")
def test_node_runs_on_the_faster_loop_where_it_is_installed() -> None:
    """With the extra ``fast`` a node runs on uvloop."""
    factory = node.loop_factory()
    assert factory is not None
    loop = factory()
    assert type(loop).__module__.startswith("uvloop")
    loop.close()
