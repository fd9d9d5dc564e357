"""Draws one case as a sequence diagram, as inline SVG with the classes of the page's style sheet.

Lanes are the institutions with the access point among them; an arrow is a message on its way through the access
point, the dashed line under it its receipt. All coordinates are computed here; colours are the style sheet's.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from lxml import etree

from eessi_sim.clock import span
from eessi_sim.report.model import CaseFile, Message, Party, RunReport
from eessi_sim.xmlsafe import Element

_WIDTH: Final = 1120
_GUTTER: Final = 108
"""Left margin, for the times."""
_HEAD: Final = 92
"""Height of the lane headings."""
_ROW: Final = 58
_DETOUR: Final = 20
"""How much lower a message leaves the access point on the side it came from."""
_RECEIPT: Final = 20
"""How far below its message a receipt is drawn."""
_LABEL_UP: Final = 8
_BOX: Final = 232
_BETWEEN: Final = 10
"""Between two boxes."""
_ARROW: Final = 9
_REASON: Final = 90
"""Letters of a reason that find room."""
_LETTER: Final = 6.9
"""Width of a letter of a name, about."""


@dataclass(frozen=True, slots=True)
class _Lane:
    party: Party
    x: float
    room: float
    """To the next lane."""


@dataclass(frozen=True, slots=True)
class _Way:
    """The way of one message across the lanes: where it begins, the access points, where it ends."""

    stops: tuple[float, ...]

    @property
    def start(self) -> float:
        """Lane of the sender."""
        return self.stops[0]

    @property
    def middle(self) -> float:
        """Lane of the first access point."""
        return self.stops[1]

    @property
    def end(self) -> float:
        """Lane of the receiver."""
        return self.stops[-1]

    @property
    def corners(self) -> tuple[float, ...]:
        """Lanes of the access points that it leaves to the side it came from."""
        around = zip(self.stops, self.stops[1:], self.stops[2:], strict=False)
        return tuple(here for before, here, after in around if (here - before) * (after - here) < 0)

    @property
    def turns(self) -> bool:
        """Whether it has a corner."""
        return bool(self.corners)

    @property
    def drop(self) -> int:
        """How much lower it ends than it begins."""
        return _DETOUR * len(self.corners)


def draw(report: RunReport, case: CaseFile) -> Element:
    """Return the diagram of a case as an ``svg`` element.

    Args:
        report: the run.
        case: one of its cases.
    """
    messages = report.messages_of(case.id)
    lanes = _lanes(report, case)
    ways = [_way(lanes, message) for message in messages]
    height = _HEAD + sum(_ROW + 2 * way.drop for way in ways) + 24
    # Without namespace: inside HTML the name of the element is enough (HTML standard, section 13.2.6.5).
    svg = etree.Element("svg", viewBox=f"0 0 {_WIDTH} {height}", role="img", attrib={"class": "sequence"})
    title = f"{case.buc} as a sequence of {len(messages)} messages"
    etree.SubElement(svg, "title").text = title
    for lane in lanes:
        _draw_lane(svg, lane, height)
    y = _HEAD + 34
    before: Message | None = None
    for message, way in zip(messages, ways, strict=True):
        _draw_message(svg, message, way, y)
        _draw_time(svg, message, before, y)
        before = message
        y += _ROW + 2 * way.drop
    return svg


def _lanes(report: RunReport, case: CaseFile) -> tuple[_Lane, ...]:
    """Put the owner left, its access point beside it, the counterparties right, each behind its own access point.

    An access point that serves several stands where the first of them needs it; one that only hands on, at the right.
    """
    ids = [case.owner, *_points_of(report, case.owner)]
    for party in case.participants:
        ids += [*_points_of(report, party), party]
    ids += [each for message in report.messages_of(case.id) for each in message.access_points]
    ordered = [report.party(each) for each in dict.fromkeys(ids)]
    step = (_WIDTH - _GUTTER) / len(ordered)
    return tuple(_Lane(party, round(_GUTTER + step * (i + 0.5), 1), step) for i, party in enumerate(ordered))


def _points_of(report: RunReport, party: str) -> tuple[str, ...]:
    """Return the access point of a party; the only one where nobody is said to be served by it."""
    own = report.party(party).access_point
    return (own,) if own else tuple(each.id for each in report.parties if each.is_access_point)[:1]


def _way(lanes: Sequence[_Lane], message: Message) -> _Way:
    places = {lane.party.id: lane.x for lane in lanes}
    points = message.access_points or [lane.party.id for lane in lanes if lane.party.is_access_point]
    return _Way(tuple(places[each] for each in (message.sender, *points, message.receiver)))


def _draw_lane(svg: Element, lane: _Lane, height: int) -> None:
    kind = "point" if lane.party.is_access_point else "party"
    group = etree.SubElement(svg, "g", attrib={"class": f"lane {kind}"})
    width = min(_BOX, 2 * (lane.x - _GUTTER), round(lane.room - _BETWEEN, 1))
    etree.SubElement(
        group,
        "line",
        x1=_n(lane.x),
        x2=_n(lane.x),
        y1=str(_HEAD - 6),
        y2=str(height - 6),
        attrib={"class": "life"},
    )
    etree.SubElement(
        group, "rect", x=_n(lane.x - width / 2), y="4", width=_n(width), height=str(_HEAD - 16), rx="8"
    )
    _text(group, lane.x, 27, lane.party.id, "id")
    name = lane.party.name.removesuffix(" (simulated)")
    lines = textwrap.wrap(name, int((width - 16) / _LETTER), max_lines=2, placeholder=" …")
    for number, line in enumerate(lines):
        _text(group, lane.x, 47 + 16 * number, line, "name")


def _draw_time(svg: Element, message: Message, before: Message | None, y: float) -> None:
    """Write when it was sent; the date when it is another day than before."""
    at = message.sent_at
    _text(svg, 0, y + 5, f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}", "time")
    if before is None or before.sent_at.date() != at.date():
        _text(svg, 0, y - 12, f"{at:%d %b %Y}", "date")


def _draw_message(svg: Element, message: Message, way: _Way, y: float) -> None:
    state = "good" if message.is_complete else "bad"
    link = etree.SubElement(svg, "a", href=f"#{anchor(message)}", attrib={"class": f"message {state}"})
    etree.SubElement(link, "title").text = _story_of(message)
    end = way.end if message.has_arrived else way.middle
    _draw_hops(link, way, y, has_arrived=message.has_arrived)
    label = f"{message.sed} {message.title}" if message.title else message.sed
    # In the middle of the first hop when the way turns, else in the middle of the whole.
    _text(link, (way.start + (way.middle if way.turns else end)) / 2, y - _LABEL_UP, label, "sed")
    if message.receipted_at is not None:
        _draw_receipt(link, way, y, message.receipted_at - message.sent_at)
    elif not message.has_arrived:
        _draw_reason(link, message, way, y)
    else:
        words = textwrap.shorten(message.shortcoming or "", _REASON, placeholder=" …")
        _text(link, (way.start + end) / 2, y + _RECEIPT, words, "reason")


def _draw_reason(group: Element, message: Message, way: _Way, y: float) -> None:
    """Write behind the cross why a message got no further than the access point."""
    words = textwrap.shorten(message.reason or message.shortcoming or "", _REASON, placeholder=" …")
    aside = 16 if way.start < way.middle else -16
    text = _text(group, way.middle + aside, y + 5, words, "reason")
    text.set("text-anchor", "start" if aside > 0 else "end")


def _draw_hops(group: Element, way: _Way, y: float, *, has_arrived: bool) -> None:
    if not has_arrived:
        _line(group, way.start, way.middle, y, "way")
        _cross(group, way.middle, y)
        return
    _stairs(group, way.stops, way.corners, y, "way")
    left = way.corners
    for stop in way.stops[1:-1]:
        _dot(group, stop, y + _DETOUR * (len(way.corners) - len(left)))
        left = left[1:] if left[:1] == (stop,) else left
    _head(group, way.end, y + way.drop, rightward=way.end > way.stops[-2])


def _draw_receipt(group: Element, way: _Way, y: float, after: timedelta) -> None:
    top = y + way.drop + _RECEIPT
    bottom = top + way.drop
    _stairs(group, way.stops[::-1], way.corners[::-1], top, "receipt")
    _head(group, way.start, bottom, rightward=way.start > way.middle)
    words = f"receipt after {span(after)}"
    _text(group, (way.start + way.middle) / 2, bottom - 4, words, "after")


def _stairs(group: Element, stops: Sequence[float], corners: Sequence[float], y: float, kind: str) -> None:
    """Draw a way across the lanes, one step lower behind every corner."""
    x = stops[0]
    for corner in corners:
        _line(group, x, corner, y, kind)
        _upright(group, corner, y, y + _DETOUR, kind)
        x, y = corner, y + _DETOUR
    _line(group, x, stops[-1], y, kind)


def _story_of(message: Message) -> str:
    """Return the message as a sentence, for whoever cannot see the drawing."""
    end = "accepted, receipted and valid" if message.is_complete else (message.shortcoming or "")
    return f"{message.sed} from {message.sender} to {message.receiver}: {end}"


def anchor(message: Message) -> str:
    """Return the id of the message's row on the page."""
    return "m-" + "".join(sign if sign.isalnum() else "-" for sign in message.message_id)


def _line(group: Element, x1: float, x2: float, y: float, kind: str) -> None:
    etree.SubElement(group, "line", x1=_n(x1), x2=_n(x2), y1=_n(y), y2=_n(y), attrib={"class": kind})


def _upright(group: Element, x: float, y1: float, y2: float, kind: str) -> None:
    etree.SubElement(group, "line", x1=_n(x), x2=_n(x), y1=_n(y1), y2=_n(y2), attrib={"class": kind})


def _dot(group: Element, x: float, y: float) -> None:
    etree.SubElement(group, "circle", cx=_n(x), cy=_n(y), r="4.5", attrib={"class": "stop"})


def _cross(group: Element, x: float, y: float) -> None:
    reach = _ARROW - 2
    path = f"M{_n(x - reach)} {_n(y - reach)}l{2 * reach} {2 * reach}m0 {-2 * reach}l{-2 * reach} {2 * reach}"
    etree.SubElement(group, "path", d=path, attrib={"class": "cross"})


def _head(group: Element, x: float, y: float, *, rightward: bool) -> None:
    """Draw the point of an arrow; a shape of its own, because markers do not inherit colours."""
    back = -_ARROW if rightward else _ARROW
    path = f"M{_n(x)} {_n(y)}l{back} {-_ARROW / 2}v{_ARROW}z"
    etree.SubElement(group, "path", d=path, attrib={"class": "head"})


def _text(group: Element, x: float, y: float, words: str, kind: str) -> Element:
    text = etree.SubElement(group, "text", x=_n(x), y=_n(y), attrib={"class": kind})
    text.text = words
    return text


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
