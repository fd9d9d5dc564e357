"""A store that fails when a test says so: what a full disk, a crash or a bug of ours looks like to a node."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from eessi_sim.errors import Unavailable
from eessi_sim.identifiers import InstitutionId
from eessi_sim.storage.base import NodeStore, Storage
from eessi_sim.storage.memory import MemoryStorage


@dataclass
class _Fault:
    error: Exception
    after: int
    times: int

    def strike(self) -> None:
        """Raise, unless it is too early or over."""
        if self.after > 0:
            self.after -= 1
        elif self.times > 0:
            self.times -= 1
            raise self.error


@dataclass
class FaultyStorage:
    """The memory store, with faults per node and method."""

    inner: MemoryStorage = field(default_factory=MemoryStorage)
    _faults: dict[tuple[str, str], _Fault] = field(default_factory=dict)

    def fail(
        self, party: InstitutionId, method: str, error: Exception, *, after: int = 0, times: int = 1
    ) -> None:
        """Let calls of a method fail: ``times`` of them, behind the first ``after``."""
        self._faults[party, method] = _Fault(error, after, times)

    def break_down(self, party: InstitutionId, *, after: int) -> None:
        """Let a node write ``after`` more times and never again, until ``mend``: it crashes at that point."""
        lost = Unavailable("Expected a store that can be written, found none")
        self.fail(party, "commit", lost, after=after, times=1_000_000)

    def mend(self) -> None:
        """Let everything work again."""
        self._faults.clear()

    def node(self, party: InstitutionId) -> NodeStore:
        """Return the view of one node, faults included."""
        return cast(
            NodeStore, _FaultyNode(self.inner.node(party), lambda method: self._strike(party, method))
        )

    def _strike(self, party: InstitutionId, method: str) -> None:
        fault = self._faults.get((party, method))
        if fault is not None:
            fault.strike()

    def __getattr__(self, name: str) -> Any:  # whatever else a storage can do
        return getattr(self.inner, name)

    @property
    def storage(self) -> Storage:
        """Itself, for those who ask for a storage."""
        return cast(Storage, self)


class _FaultyNode:
    def __init__(self, inner: NodeStore, strike: Callable[[str], None]) -> None:
        self._inner = inner
        self._strike = strike

    def __getattr__(self, name: str) -> Any:  # every method of the store it stands for
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._strike(name)
            return method(*args, **kwargs)

        async def call_later(*args: Any, **kwargs: Any) -> Any:
            self._strike(name)
            return await method(*args, **kwargs)

        return call_later if inspect.iscoroutinefunction(method) else call
