"""Clean-up in a network that runs: what is finished loses its octets, everything else goes on as before."""

from datetime import timedelta

import pytest
from tests.helpers.lab import A003, A012, NAV, POINT, ZUS, Lab

from eessi_sim.errors import ResendUseless, SettingsError, Unavailable
from eessi_sim.gateway.retention import Retention
from eessi_sim.simulation.operations import Operations
from eessi_sim.storage.base import Direction

DAYS_90 = Retention(messages=timedelta(days=90))


async def test_octets_of_finished_messages_are_removed(lab: Lab) -> None:
    """After 90 days message and signals lose their octets; who, when and the digest stay, and so does the case."""
    await lab.open()
    operations = Operations(lab.node(NAV))
    before = await lab.sent(NAV)
    await lab.work(89 * 86400)
    assert (await operations.clean_up(DAYS_90)).messages == 0
    await lab.work(2 * 86400)
    assert (await operations.clean_up(DAYS_90, dry_run=True)).messages == 2
    assert (await operations.clean_up(DAYS_90)).messages == 2
    after = await lab.sent(NAV)
    assert (after.body, after.details["removed"], after.state) == (b"", before.digest, "delivered")
    assert (await operations.clean_up(DAYS_90)).messages == 0
    assert await lab.network.controls[NAV].message("out", before.message_id) is None
    (document,) = await lab.store(NAV).documents((await lab.case(NAV)).id, with_content=True)
    assert document.content


async def test_case_goes_on_after_the_clean_up(lab: Lab) -> None:
    """The access point still knows what was exchanged, so an answer after years passes."""
    await lab.open()
    await lab.work(91 * 86400)
    for node in (lab.point, lab.node(NAV), lab.node(ZUS)):
        await Operations(node).clean_up(DAYS_90)
    await lab.reply(ZUS, A012, A003)
    assert await lab.delivery(ZUS, A012) == "delivered"


async def test_old_lines_of_the_journal_are_removed(lab: Lab) -> None:
    """Lines that are older than their limit go, and one line says how many; octets have a limit of their own."""
    await lab.open()
    await lab.work(91 * 86400)
    lines, operations = len(await lab.journal(NAV)), Operations(lab.node(NAV))
    retention = Retention(journal=timedelta(days=90))
    assert (await operations.clean_up(retention, dry_run=True)).journal == lines
    assert (await operations.clean_up(retention)).journal == lines
    (line,) = await lab.journal(NAV)
    assert (line.step, line.detail["journal"]) == ("cleaned-up", str(lines))
    assert {entry.node for entry in await lab.journal()} > {NAV}
    assert (await lab.sent(NAV)).body


async def test_old_dead_letter_is_not_resent(lab: Lab) -> None:
    """Receivers would take it for a replay: a new message is needed, and force does not help."""
    lab.take_down(POINT)
    await lab.open()
    await lab.work(31 * 86400)
    with pytest.raises(ResendUseless, match="the last 30 days"):
        await Operations(lab.node(NAV)).resend(Direction.OUT, (await lab.sent(NAV)).message_id, force=True)


def test_nothing_is_removed_while_it_may_be_repeated() -> None:
    """Less than 30 days is refused, for messages and for the journal."""
    with pytest.raises(SettingsError, match="30 days"):
        Retention(messages=timedelta(days=29))
    with pytest.raises(SettingsError, match="journal"):
        Retention(journal=timedelta(days=1))


async def test_clean_up_of_the_day_survives_a_store_that_fails(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that fails costs one day; what the node does by itself is noted as such."""
    await lab.open()
    await lab.work(91 * 86400)
    operations = Operations(lab.node(NAV))

    async def broken(*_: object, **__: object) -> None:
        raise Unavailable("Expected room, found none")

    with monkeypatch.context() as patch:
        patch.setattr(operations, "clean_up", broken)
        await operations.clean_today(DAYS_90)
    assert "no clean-up today: store-unavailable" in caplog.text
    await operations.clean_today(DAYS_90)
    assert (await lab.sent(NAV)).is_removed
    assert (await lab.journal(NAV))[-1].detail["actor"] == "node"
