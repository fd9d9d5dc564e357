"""The diagram of a process."""

from tests.helpers.processes import small, table

from eessi_sim.buc.diagram import draw


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
