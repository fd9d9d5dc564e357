"""Shows where two octet strings part: place, path in the XML, and both texts around it, every octet visible.

Nothing is guessed here. Both strings are whole; only what is shown of them is short.
"""

import re
import unicodedata
from itertools import accumulate
from typing import Final

from eessi_sim.verification.outcome import Comparison, Difference, Excerpt

_BEFORE: Final = 30
"""Characters shown before a difference, and behind its start: two lines fit into 100 columns with their labels."""
_BEHIND: Final = 40
_MOST_MARKED: Final = 24
_CONTEXT: Final = 240
"""Octets decoded on either side; characters have up to four, escapes are cut to size afterwards."""
_LONGEST_CHARACTER: Final = 4
_TAG: Final = re.compile(rb'<(/?)([^\s<>/"?!]+)((?:[^<>"]*+"[^"]*+"){0,256}+[^<>"]*?)(/?)>')
_NAMED: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_DOTS: Final = "…"


def first_difference(name: str, expected: bytes, found: bytes) -> Difference:
    """Return where two octet strings part, as a difference with a line number and an excerpt of both."""
    at = _parting(expected, found)
    return Difference(
        f"{name}, octet {at + 1}, line {_line(found, at)}",
        excerpt(expected, at).text,
        excerpt(found, at).text,
        _how_long(expected, found, at),
    )


def compare(expected: bytes, found: bytes, origin: str) -> Comparison:
    """Return the first difference of two octet strings that are not equal.

    Args:
        expected: what was signed.
        found: what lies there.
        origin: how ``expected`` became known.
    """
    at = _parting(expected, found)
    end_expected, end_found = _ends(expected, found, at)
    return Comparison(
        origin=origin,
        octet=at + 1,
        line=_line(found, at),
        path=path_at(found, at),
        expected=excerpt(expected, at, end_expected),
        found=excerpt(found, at, end_found),
        expected_size=len(expected),
        found_size=len(found),
        extent=_extent(expected, found, at),
    )


def _parting(one: bytes, other: bytes) -> int:
    """Return the first octet that differs, moved back to the start of its character."""
    at = _mismatch(one, other, min(len(one), len(other)))
    start = at
    while start > max(0, at - _LONGEST_CHARACTER) and (_continues(one, start) or _continues(other, start)):
        start -= 1
    return start


def _continues(octets: bytes, at: int) -> bool:
    """Return whether an octet is not the first one of a character in UTF-8."""
    return at < len(octets) and octets[at] & 0xC0 == 0x80


def _mismatch(one: bytes, other: bytes, size: int) -> int:
    """Return the first index below ``size`` at which both differ, by halving: comparing slices is fast."""
    low, high = 0, size
    while low < high:
        middle = (low + high) // 2
        if one[low : middle + 1] == other[low : middle + 1]:
            low = middle + 1
        else:
            high = middle
    return low


def _ends(one: bytes, other: bytes, at: int) -> tuple[int, int]:
    """Return where both strings meet again, at least one octet behind ``at`` where there is one.

    They meet where what follows is equal for a while; that is enough to mark what was put in, taken out or replaced.
    """
    window_one, window_other = one[at : at + _CONTEXT], other[at : at + _CONTEXT]
    for skipped in range(1, _CONTEXT):
        for left in range(skipped + 1):
            right = skipped - left
            if _meet(window_one[left:], window_other[right:]):
                return at + left, at + right
    return len(one), len(other)


def _meet(one: bytes, other: bytes) -> bool:
    size = min(len(one), len(other), 8)
    return one[:size] == other[:size] and (size == 8 or len(one) == len(other))


def _line(octets: bytes, at: int) -> int:
    return octets.count(b"\n", 0, at) + 1


def excerpt(octets: bytes, at: int, end: int | None = None) -> Excerpt:
    """Return what stands around ``at``, with every character that is not seen written as an escape.

    Args:
        octets: the whole.
        at: first octet to mark.
        end: octet behind the last one to mark; nothing is marked when it is ``at`` or None.
    """
    end = at if end is None else end
    before = _cut(_pieces(octets[max(0, at - _CONTEXT) : at]), _BEFORE, at_start=True)
    marked = _cut(_pieces(octets[at : min(end, at + _CONTEXT)]), _MOST_MARKED)
    behind = _cut(_pieces(octets[end : end + _CONTEXT]), max(8, _BEHIND - len(marked)))
    return Excerpt(
        before + marked + behind, len(before), len(marked), octets[at : min(end, at + 16)].hex(" ")
    )


def _cut(pieces: list[str], width: int, *, at_start: bool = False) -> str:
    """Return as many whole pieces, the last ones with ``at_start``, as fit into ``width``; dots stand for the rest."""
    for kept, size in enumerate(accumulate(map(len, reversed(pieces) if at_start else pieces))):
        if size > width:
            rest = pieces[len(pieces) - kept :] if at_start else pieces[:kept]
            return _DOTS + "".join(rest) if at_start else "".join(rest) + _DOTS
    return "".join(pieces)


def printable(octets: bytes) -> str:
    """Return octets as text in which nothing hides: control characters, odd blanks, marks and broken UTF-8."""
    return "".join(_pieces(octets))


def _pieces(octets: bytes) -> list[str]:
    """Return what is printed for each character."""
    text = octets.decode("utf-8", "surrogateescape")
    return [character if _is_plain(character) else _escaped(character) for character in text]


def _is_plain(character: str) -> bool:
    if character < "\x80":
        return character.isprintable() and character != "\\"
    return unicodedata.category(character)[0] in "LNPS"  # letters, numbers, punctuation, symbols


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{{{code:x}}}" if code > 0xFF else f"\\x{code:02x}"


def path_at(octets: bytes, at: int) -> str | None:
    """Return the path of the element in which ``at`` stands, None when the octets are no XML.

    Works on text, because one of two forms may be damaged; canonical XML is regular enough.
    """
    if not octets.startswith(b"<"):
        return None
    path: list[str] = []
    counts: list[dict[str, int]] = [{}]
    for tag in _TAG.finditer(octets):
        closes, name, _, is_empty = tag.groups()
        if tag.start() >= at or (closes and tag.end() > at):
            break
        if closes:
            del path[-1:]
            del counts[max(1, len(counts) - 1) :]
            continue
        path.append(_step(name, counts[-1]))
        counts.append({})
        if is_empty and tag.end() <= at:
            path.pop()
            counts.pop()
    return "/" + "/".join(path)


def _step(name: bytes, siblings: dict[str, int]) -> str:
    """Return the local name of an element, with its position when it is not the first one of that name."""
    local = name.rpartition(b":")[2].decode("utf-8", "replace")
    siblings[local] = number = siblings.get(local, 0) + 1
    return f"{local}[{number}]" if number > 1 else local


def _how_long(expected: bytes, found: bytes, at: int) -> str:
    if at == len(found):
        return f"It ends there, {len(expected) - at} octets too early"
    if at == len(expected):
        return f"{len(found) - at} octets follow that do not belong there"
    if len(expected) == len(found):
        wrong = sum(one != other for one, other in zip(expected, found, strict=True))
        return f"{wrong} of {len(found)} octets differ" if wrong > 1 else "This one octet differs"
    return f"It has {len(found)} octets instead of {len(expected)}"


def _extent(expected: bytes, found: bytes, at: int) -> str:
    more = len(found) - len(expected)
    if not more:
        return _how_long(expected, found, at)
    return f"{abs(more):,} octet{'s'[: abs(more) != 1]} {'more' if more > 0 else 'fewer'} than were signed"
