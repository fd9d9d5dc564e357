"""The diagram of a process."""

from xml.etree import ElementTree as ET

import pytest
from tests.helpers.processes import SMALL, small, table

from eessi_sim.buc import diagram
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.buc.diagram import Box, Picture, picture_of, picture_of_sub_process
from eessi_sim.buc.diagram_svg import draw_svg
from eessi_sim.buc.loader import Definitions, read_definition
from eessi_sim.definition_files import read_yaml


def draw(definition: BucDefinition, *, horizontal: bool = False) -> str:
    return diagram.draw(picture_of(definition, horizontal=horizontal))


def test_diagram_has_a_lane_for_each_role() -> None:
    """Both roles have a lane; the starter is marked, what may be repeated has a star."""
    text = draw(small())
    assert 'subgraph CO["Case Owner"]' in text
    assert 'CO_T001["T001"]:::starter' in text
    assert 'CO_T003["T003 *"]' in text


def test_arrows_tell_replies_from_what_comes_after() -> None:
    """A reply has a dotted arrow, a later SED a plain one."""
    text = draw(small())
    assert "CO_T001 -. reply .-> CP_T002" in text
    assert "CO_T001 --> CO_T003" in text


def test_delayed_close_is_drawn() -> None:
    """The delay of X001 stands at its arrow; without one there is none."""
    assert 'CO_A003 == "after 60 days" ==> CO_X001' in draw(table("LA_BUC_02"))
    assert "==>" not in draw(table("UB_BUC_01"))


def test_every_box_is_drawn_once() -> None:
    """A SED with several rows has one box."""
    lines = draw(table("UB_BUC_01")).splitlines()
    assert len([line for line in lines if line.strip().startswith("CO_U001[")]) == 1


def test_countries_are_drawn_as_one() -> None:
    """P3000 has one box, not 32."""
    assert draw(table("P_BUC_01")).count('CO_P3000["P3000"]') == 1


def test_horizontal_seds_are_drawn_on_request() -> None:
    """H-SEDs clutter the picture and are left out unless asked for."""
    assert "H001" not in draw(table("UB_BUC_01"))
    assert "CO_H001" in draw(table("UB_BUC_01"), horizontal=True)


def test_close_is_not_drawn_where_no_sed_closes() -> None:
    """Without the administrative SEDs the picture has no end."""
    text = SMALL.replace("mode: local", "mode: global\n      for_all: {by: [CO], after: P1D, since: T001}")
    definition = read_definition(read_yaml(text.replace("      local: [CO, CP]\n", ""), "T_BUC_01.yaml"), {})
    assert "closes" not in draw(definition)


def test_sub_process_is_drawn_with_who_starts_it() -> None:
    """The request to reopen and the decision stand in one lane, the answer in the other."""
    process = Definitions.default().sub_processes[1]
    text = diagram.draw(picture_of_sub_process(process))
    assert 'S_X002["X002"]:::starter' in text
    assert "O_X003 -. reply .-> S_X004" in text


def _svg(picture: Picture) -> ET.Element:
    return ET.fromstring(draw_svg(picture))


def _classes(root: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in root.iter() if name in each.get("class", "").split()]


def test_svg_has_lanes_boxes_and_arrows() -> None:
    """Two lanes, a box per SED, an arrow per follow-up and reply."""
    root = _svg(picture_of(small()))
    assert [len(_classes(root, name)) for name in ("lane", "box", "starter", "arrow")] == [2, 3, 1, 2]


def test_svg_puts_later_seds_to_the_right() -> None:
    """The column of a box says how many steps come before it; the end stands last."""
    boxes = {box.id: box for box in picture_of(table("LA_BUC_02")).boxes}
    root = _svg(picture_of(table("LA_BUC_02")))
    edges = dict(zip(boxes, (int(box.get("x", "")) for box in _classes(root, "box")), strict=True))
    assert edges["CO_A003"] < edges["CP_A004"] < edges["CO_A007"] < edges["CO_X001"]


def test_svg_tells_the_delay() -> None:
    """The delay of the closing SED stands at its arrow."""
    assert "after 60 days" in draw_svg(picture_of(table("LA_BUC_02")))


def test_svg_says_what_its_signs_mean() -> None:
    """A reader needs no manual for dashes and stars."""
    assert "dashes: reply · *: several times" in draw_svg(picture_of(small()))


def test_svg_escapes_what_tables_say() -> None:
    """Signs that mean something in XML are written as text."""
    box = Box("S_1", "S", "a < b & c")
    root = _svg(Picture("<title> & more", {"S": "A & B"}, (box,), ()))
    assert [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")][:-1] == [
        "<title> & more",
        "A & B",
        "a < b & c",
    ]


@pytest.mark.parametrize("buc", ["H_BUC_02b", "H_BUC_08", "UB_BUC_04"])
def test_svg_draws_loops(buc: str) -> None:
    """A SED that follows itself, or an earlier one, has a bow."""
    picture = picture_of(table(buc), horizontal=True)
    assert len(_classes(_svg(picture), "arrow")) == len(picture.arrows)


def test_svg_draws_a_sub_process_without_seds() -> None:
    """An empty lane is drawn too."""
    empty = next(each for each in Definitions.default().sub_processes if not each.rules)
    assert len(_classes(_svg(picture_of_sub_process(empty)), "lane")) == 2
