"""Where two octet strings part, and how that is shown."""

import pytest

from eessi_sim.verification.canonical_diff import compare, excerpt, first_difference, path_at, printable


@pytest.mark.parametrize(
    ("expected", "found", "where", "why"),
    [
        (b"ab\ncd", b"ab\nce", "f, octet 5, line 2", "This one octet differs"),
        (b"abcd", b"xbcy", "f, octet 1, line 1", "2 of 4 octets differ"),
        (b"abcd", b"ab", "f, octet 3, line 1", "It ends there, 2 octets too early"),
        (b"ab", b"abcd", "f, octet 3, line 1", "2 octets follow that do not belong there"),
        (b"abc", b"axbc", "f, octet 2, line 1", "It has 4 octets instead of 3"),
    ],
)
def test_the_first_difference_has_a_place_and_a_reason(
    expected: bytes, found: bytes, where: str, why: str
) -> None:
    """Two files are compared octet by octet."""
    difference = first_difference("f", expected, found)
    assert (difference.reference, difference.cause) == (where, why)


def test_both_sides_of_a_difference_are_shown() -> None:
    """An excerpt shows what is round the difference, octets that are no text included."""
    difference = first_difference("f", b"Halina", b"H\xfflina")
    assert (difference.expected, difference.found) == ("Halina", r"H\xfflina")


@pytest.mark.parametrize(
    ("expected", "found", "marked"),
    [
        (b"<a><b>1</b></a>", b"<a>\n  <b>1</b></a>", ("", "\\n  ")),
        (b"<a>one\ntwo</a>", b"<a>one\r\ntwo</a>", ("", "\\r")),
        (b"<a>H</a>............", b"<a>K</a>............", ("H", "K")),
        ("<a>\u00e9</a>".encode(), "<a>e\u0301</a>".encode(), ("\u00e9", "e\\u{301}")),
        (b"same, and more", b"same", (", and more", "")),
        (b"same", b"same, and more", ("", ", and more")),
    ],
)
def test_just_what_differs_is_marked(expected: bytes, found: bytes, marked: tuple[str, str]) -> None:
    """The caret stands under what was put in, taken out or replaced."""
    both = compare(expected, found, "known")
    shown = [each.text[each.marked_at :][: each.marked] for each in (both.expected, both.found)]
    assert tuple(shown) == marked


def test_octets_that_never_meet_again_are_marked_as_far_as_is_shown() -> None:
    """What differs to the end is cut."""
    both = compare(b"a" * 1000, b"b" * 1000, "known")
    assert both.found.text == "b" * 24 + "…"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\r\n\tb\\", r"a\r\n\tb\\"),
        (b"\x00\x7f", r"\x00\x7f"),
        (b"\xff", r"\xff"),
        ("\ufeffÅ\u00a0\u200b".encode(), r"\u{feff}Å\xa0\u{200b}"),
    ],
)
def test_nothing_hides_in_a_printed_text(octets: bytes, text: str) -> None:
    """Control characters, blanks that look like others, marks and broken UTF-8 are escaped."""
    assert printable(octets) == text


def test_long_surroundings_are_cut_on_both_sides() -> None:
    """An excerpt fits into a line."""
    shown = excerpt(b"x" * 100 + b"!" + b"y" * 100, 100, 101)
    assert shown.text == "…" + "x" * 30 + "!" + "y" * 39 + "…"
    assert (shown.marked_at, shown.marked, shown.octets) == (31, 1, "21")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("<a><b>1</b><b>|2</b></a>", "/a/b[2]"),
        ("<a><b>1</b>|<c/></a>", "/a"),
        ('<x:a y="/>"><b/><|c/></x:a>', "/a/c"),
        ("<a></a>|", "/"),
        ("|<a></a>", "/"),
        ("<?x?><a>|</a>", "/a"),
        ("</a></a>|", "/"),
        ("no XML|", None),
    ],
)
def test_a_place_has_a_path(text: str, path: str | None) -> None:
    """The element in which two forms part is named, even when what follows is damaged."""
    before, _, behind = text.partition("|")
    assert path_at((before + behind).encode(), len(before.encode())) == path
