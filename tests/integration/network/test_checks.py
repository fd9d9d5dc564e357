"""The checks of the access point in a network: switched on and off, journaled, with a scanner, with a quarantine."""

from dataclasses import replace

from tests.helpers.attached import PDF, new_file
from tests.helpers.forge import Draft, post
from tests.helpers.lab import A003, LA_BUC_02, NAV, POINT, ZUS, Lab, demo, silent

from eessi_sim.ir.checks import KNOWN, STANDARD_ORDER, Checks, WhenSilent
from eessi_sim.storage.base import Direction

MALWARE = PDF + rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NOWHERE = "127.0.0.1:1"


def _lab(checks: Checks) -> Lab:
    return Lab.build(replace(silent(demo()), checks=checks))


async def _send(lab: Lab, data: bytes | None = None) -> None:
    case = await lab.node(NAV).open_case(LA_BUC_02, (ZUS,))
    await lab.node(NAV).send_document(case.id, A003, files=[new_file("file.pdf", data)] if data else [])
    await lab.work(60)


async def test_every_step_and_the_legal_ground_are_journaled() -> None:
    """The line of the journal says which steps the document passed, and on which legal ground it is exchanged."""
    async with _lab(Checks()) as lab:
        await _send(lab)
        (line,) = [
            entry for entry in await lab.journal(POINT) if entry.step == "checked" and "sed" in entry.detail
        ]
        assert line.detail["steps"].split() == list(STANDARD_ORDER)
        assert "883/2004" in line.detail["legal_ground"]


async def test_harmful_message_is_kept_apart() -> None:
    """BU-8: it is in quarantine with its reason and the steps before, its sender has an error, its receiver nothing."""
    async with _lab(Checks()) as lab:
        await _send(lab, MALWARE)
        kept = await lab.received(POINT)
        assert (kept.state, await lab.delivery(NAV)) == ("quarantined", "error")
        assert "test string of virus scanners" in (kept.last_error or "")
        assert await lab.messages(ZUS, Direction.IN) == ()


async def test_check_that_is_off_lets_pass() -> None:
    """Without the scan the test string of scanners goes through."""
    async with _lab(Checks(tuple(name for name in STANDARD_ORDER if name != "scan"))) as lab:
        await _send(lab, MALWARE)
        assert await lab.delivery(NAV) == "delivered"


async def test_messages_wait_for_a_scanner_that_is_silent() -> None:
    """However often it is asked, nothing passes and nothing is refused, until it answers."""
    async with _lab(Checks(clamd=NOWHERE)) as lab:
        await _send(lab)
        kept = await lab.received(POINT)
        assert (kept.state, kept.attempts) == ("received", 0)
        assert ("checked", "held") in await lab.steps(POINT)


async def test_messages_pass_a_silent_scanner_where_the_network_wants_it() -> None:
    """The journal says that nobody looked."""
    async with _lab(Checks(clamd=NOWHERE, when_silent=WhenSilent.PASS)) as lab:
        await _send(lab)
        assert await lab.delivery(NAV) == "delivered"
        (line,) = [entry for entry in await lab.journal(POINT) if "scanner" in entry.detail]
        assert NOWHERE in line.detail["scanner"]


async def test_document_that_comes_again_is_refused_where_the_network_wants_it() -> None:
    """The same version to the same receiver in another message, while the first one was not lost."""
    async with _lab(Checks(KNOWN)) as lab:
        await _send(lab)
        again = Draft.of(await lab.sent(NAV)).named(f"again@{NAV.domain}").packed(lab.keys(NAV).ebms)
        await post(lab, again, client=NAV)
        await lab.work(5)
        assert "was not sent to PL:ZUS01 before" in await lab.reasons(POINT)
