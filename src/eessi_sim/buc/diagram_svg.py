"""Draws the picture of a process as SVG: two lanes, boxes in the order of the process, arrows between them.

A small writer of our own: a picture needs no more than rectangles, lines and text, and no library.
"""

from collections import defaultdict
from typing import Final
from xml.sax.saxutils import escape

from eessi_sim.buc.diagram import Arrow, ArrowKind, Box, Picture

_COLUMN: Final = 150
_ROW: Final = 46
_WIDTH: Final = 96
_HEIGHT: Final = 30
_MARGIN: Final = 16
_HEADING: Final = 34
_LANE_HEAD: Final = 26
_LETTER: Final = 7
_SMALL: Final = 5
_FOOT: Final = 14
_LEGEND: Final = "thick: begins · line: after · dashes: reply · *: several times"
_STYLE: Final = (
    "text{font-family:sans-serif;font-size:12px;fill:#1b1f24}"
    ".title{font-size:15px;font-weight:bold}.lane{fill:#f3f5f8;stroke:#c5ccd6}.name{font-weight:bold;fill:#4a5563}"
    ".box{fill:#fff;stroke:#2b5c9e}.starter{stroke-width:3}.closing{stroke:#8a4b08}"
    ".arrow{fill:none;stroke:#4a5563;stroke-width:1.2}.words{font-size:10px;fill:#4a5563}"
)
_Places = dict[str, tuple[int, int]]
"""Left and upper edge of each box."""


def draw_svg(picture: Picture) -> str:
    """Return a picture as SVG document."""
    places, bands, width = _layout(picture)
    height = max(top + tall for top, tall in bands.values()) + _MARGIN + _FOOT
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img">'
        ),
        f"<title>{escape(picture.title)}</title>",
        f"<style>{_STYLE}</style>",
        (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
            'orient="auto"><path d="M0 0L8 4L0 8z" fill="#4a5563"/></marker></defs>'
        ),
        f'<text class="title" x="{_MARGIN}" y="24">{escape(picture.title)}</text>',
        *(_lane(picture.lanes[lane], top, tall, width) for lane, (top, tall) in bands.items()),
        *(_arrow(arrow, places) for arrow in picture.arrows if {arrow.start, arrow.end} <= set(places)),
        *(_box(box, *places[box.id]) for box in picture.boxes),
        f'<text class="words" x="{_MARGIN}" y="{height - 10}">{escape(_LEGEND)}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _layout(picture: Picture) -> tuple[_Places, dict[str, tuple[int, int]], int]:
    """Place every box: its column says how many steps come before it, its lane who sends it."""
    ranks = _ranks(picture)
    places: _Places = {}
    bands: dict[str, tuple[int, int]] = {}
    top = _HEADING
    for lane in picture.lanes:
        filled: defaultdict[int, int] = defaultdict(int)
        for box in picture.boxes:
            if box.lane == lane:
                rank = ranks[box.id]
                places[box.id] = (
                    _MARGIN * 2 + rank * _COLUMN,
                    top + _LANE_HEAD + _MARGIN // 2 + filled[rank] * _ROW,
                )
                filled[rank] += 1
        tall = _LANE_HEAD + _MARGIN + max([1, *filled.values()]) * _ROW
        bands[lane] = (top, tall)
        top += tall + _MARGIN // 2
    title = _MARGIN * 2 + len(picture.title) * _LETTER * 5 // 4
    edges = [places[box.id][0] + _width(box) for box in picture.boxes]
    return places, bands, max([title, len(_LEGEND) * _SMALL, *edges]) + _MARGIN * 2


def _ranks(picture: Picture) -> dict[str, int]:
    """Count for each box the steps that must come before it; what is never reached stands first."""
    ranks = {box.id: 0 for box in picture.boxes if box.starter}
    wave = list(ranks)
    while wave:
        ends = [arrow.end for start in wave for arrow in picture.arrows if arrow.start == start]
        starts = {arrow.end: ranks[arrow.start] for arrow in picture.arrows if arrow.start in wave}
        wave = [end for end in dict.fromkeys(ends) if end not in ranks]
        ranks.update({end: starts[end] + 1 for end in wave})
    last = max(ranks.values(), default=0)
    return {box.id: last + 1 if box.closing else ranks.get(box.id, 0) for box in picture.boxes}


def _lane(title: str, top: int, tall: int, width: int) -> str:
    return (
        f'<rect class="lane" x="{_MARGIN}" y="{top}" width="{width - 2 * _MARGIN}" height="{tall}" rx="6"/>'
        f'<text class="name" x="{_MARGIN + 10}" y="{top + 18}">{escape(title)}</text>'
    )


def _width(box: Box) -> int:
    return max(_WIDTH, len(box.text) * _LETTER + 16)


def _box(box: Box, x: int, y: int) -> str:
    kinds = " ".join(["box", *(["starter"] if box.starter else []), *(["closing"] if box.closing else [])])
    width = _width(box)
    round_ = _HEIGHT // 2 if box.closing else 4
    return (
        f'<rect class="{kinds}" x="{x}" y="{y}" width="{width}" height="{_HEIGHT}" rx="{round_}"/>'
        f'<text x="{x + width // 2}" y="{y + 19}" text-anchor="middle">{escape(box.text)}</text>'
    )


def _arrow(arrow: Arrow, places: _Places) -> str:
    """A line to the right, or a bow when the end stands before the start, or under it."""
    (x1, y1), (x2, y2) = places[arrow.start], places[arrow.end]
    if arrow.kind is ArrowKind.DELAY:
        return _delay(arrow.text, x1 + _WIDTH // 2, y1, x2 + _WIDTH // 2)
    middle = _HEIGHT // 2
    if x2 > x1:
        x, bend = x1 + _WIDTH, 30
        path = f"M{x} {y1 + middle}C{x + bend} {y1 + middle} {x2 - bend} {y2 + middle} {x2} {y2 + middle}"
    elif arrow.start == arrow.end:
        path = f"M{x1 + _WIDTH - 24} {y1 + _HEIGHT}c0 14 -40 14 -40 0"
    else:
        start, end = (y1 + _HEIGHT, y2) if y2 >= y1 else (y1, y2 + _HEIGHT)
        bend = 20 if y2 >= y1 else -20
        path = f"M{x1 + 24} {start}C{x1 + 24} {start + bend} {x2 + 40} {end - bend} {x2 + 40} {end}"
    return _line(path, ' stroke-dasharray="5 4"' if arrow.kind is ArrowKind.REPLY else "")


def _delay(text: str, x1: int, y: int, x2: int) -> str:
    """A delay goes above the boxes of its lane."""
    line = _line(f"M{x1} {y}v-10H{x2}v10", ' stroke-dasharray="1 4"')
    return f'{line}<text class="words" x="{x2 - 8}" y="{y - 14}" text-anchor="end">{escape(text)}</text>'


def _line(path: str, dashes: str) -> str:
    return f'<path class="arrow" d="{path}"{dashes} marker-end="url(#tip)"/>'
