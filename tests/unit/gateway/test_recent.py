"""The memory of the newest messages: bounded, and every value is given out once."""

from eessi_sim.gateway.recent import Recent


def test_kept_value_is_found() -> None:
    """What was kept of a message is returned for its digest."""
    recent = Recent[str]()
    recent.keep("a", "value", 10)
    assert recent.take("a") == "value"


def test_value_is_given_out_once() -> None:
    """Whoever takes a value has it alone."""
    recent = Recent[str]()
    recent.keep("a", "value", 10)
    recent.take("a")
    assert recent.take("a") is None


def test_unknown_message_has_no_value() -> None:
    """Nothing is known of a message that nobody kept."""
    assert Recent[str]().take("a") is None


def test_oldest_value_makes_room() -> None:
    """When the sum of the sizes grows too large the oldest value is forgotten first."""
    recent = Recent[str](most_bytes=20)
    for name in ("a", "b", "c"):
        recent.keep(name, name, 10)
    assert [recent.take(name) for name in ("a", "b", "c")] == [None, "b", "c"]


def test_value_larger_than_the_memory_is_not_kept() -> None:
    """A single message that needs more than there is room for is forgotten at once."""
    recent = Recent[str](most_bytes=20)
    recent.keep("a", "value", 21)
    assert recent.take("a") is None


def test_taken_value_frees_its_room() -> None:
    """What was taken does not count any more."""
    recent = Recent[str](most_bytes=20)
    recent.keep("a", "a", 20)
    recent.take("a")
    recent.keep("b", "b", 20)
    assert recent.take("b") == "b"


def test_newer_value_replaces_the_older_one() -> None:
    """A message kept again counts once, with its newer value."""
    recent = Recent[str](most_bytes=20)
    recent.keep("a", "old", 20)
    recent.keep("a", "new", 20)
    assert recent.take("a") == "new"
