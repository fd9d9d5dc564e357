"""One phase4 for all interop tests; a JVM takes seconds to start."""

from collections.abc import Iterator

import pytest
from tests.helpers.phase4 import Peer, running
from tests.helpers.phase4_keys import THEIRS, Realm


@pytest.fixture(scope="session")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Realm:
    """Keys of both sides."""
    return Realm(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory, realm: Realm) -> Iterator[Peer]:
    """One phase4 for everything."""
    tls = realm.tls(THEIRS)
    with running(tmp_path_factory.mktemp("phase4"), tls) as process:
        yield process
