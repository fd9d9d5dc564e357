"""eessi-sim conformance: rows against lone gateways of our own, and against one at a URL."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json
from tests.helpers.lab import NAV, POINT, ZUS, demo, demo_credentials
from tests.integration.cli.test_as4 import receiver, sides

from eessi_sim.as4.modes import PRESETS, ProfileName
from eessi_sim.conformance import listing, runner
from eessi_sim.conformance.model import Case, Judged, Row, Verdict
from eessi_sim.conformance.point import at_party, own_point
from eessi_sim.conformance.runner import Benches
from eessi_sim.conformance.wire import Answer, Door
from eessi_sim.errors import SettingsError
from eessi_sim.simulation.assembly import parties_of, repository

pytestmark = pytest.mark.process


def test_rows_are_played_on_a_gateway_of_our_own(tmp_path: Path) -> None:
    """Without a URL a gateway is started; a row passes, one that cannot be played says why, files are written."""
    result = run("conformance", "--only", "8.3.10,TA02,P4-18", "--report", tmp_path)
    assert result.exit_code == 0
    assert "2 passed, 0 failed, 1 not applicable" in result.stdout
    assert "not part of the profile: two-way exchanges" in result.stdout
    assert {"index.html", "junit.xml", "trl.xml"} <= {path.name for path in tmp_path.iterdir()}


def test_gateway_at_a_url_is_judged_by_its_answers(tmp_path: Path) -> None:
    """What the answer shows is judged, what needs insight is not applicable, and a good message follows."""
    keys = tmp_path / "keys"
    run("as4", "keys", keys, "ours", "theirs")
    document = tmp_path / "order.xml"
    document.write_text("<order/>")
    ids = "XSW-1,REF-3,MI-7,MI-15,MI-10,PT-6,ALG-9,ALG-11,CRT-5,GZ-3,BU-1"
    with receiver(keys, "--out", str(tmp_path), "--action", "Send") as (_, url):
        found = run_json(
            "conformance",
            "--url",
            url,
            *sides(keys),
            "--only",
            ids,
            "--action",
            "Send",
            "--document",
            document,
        )
    verdicts = {row["id"]: row["verdict"] for row in found["rows"]}
    passed = {"XSW-1", "REF-3", "MI-7", "MI-15", "ALG-9", "GZ-3"}
    assert {name for name, verdict in verdicts.items() if verdict == "passed"} == passed
    assert found["failed"] == 0
    assert {row["outcome"] for row in found["rows"] if row["id"] == "XSW-1"} == {"EBMS:0101"}


def test_gateway_that_does_not_answer_fails(tmp_path: Path) -> None:
    """Where nobody listens every row fails, and so does the command."""
    keys = tmp_path / "keys"
    run("as4", "keys", keys, "ours", "theirs")
    result = run("conformance", "--url", "http://127.0.0.1:9/", *sides(keys), "--only", "XSW-1")
    assert result.exit_code == 1
    assert "Expected a receipt for a good message, found closed" in result.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--only", "XSW-99"), "Expected the id of a row"),
        (("--url", "http://x/"), "Expected --keys"),
        (("--url", "http://x/", "--keys", "ours"), "Expected --partner with --url"),
        (("--url", "http://x/", "--party", "PL:ZUS01"), "Expected --url or --party"),
        (("--partner", "."), "Expected --keys together with --partner"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    options: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong option ends the command with a sentence."""
    monkeypatch.chdir(tmp_path)
    if "ours" in options:
        run("as4", "keys", ".", "ours", "theirs")
    result = run("conformance", *options)
    assert result.exit_code != 0
    assert sentence in result.stderr


async def test_participant_of_a_network_is_found_in_its_directory() -> None:
    """An institution is sent messages at its entrance, an access point at its outbox for the receiver agreed on."""
    urls = {party: f"https://{party.file_name.lower()}.example" for party in parties_of(demo())}
    directory = repository(demo(), demo_credentials(), urls)
    async with own_point(ProfileName.EDELIVERY_2_EC) as point:
        mode = replace(point.mode, sender=replace(point.mode.sender, id=NAV))  # type: ignore[type-var] # it has one
        mode = replace(mode, receiver=replace(point.mode.receiver, id=ZUS))  # type: ignore[type-var] # as above
        straight = at_party(directory, ZUS, point.identity, mode, None)
        through = at_party(directory, POINT, point.identity, mode, None)
        assert straight.identity.partners == point.identity.partners
        trusting = at_party(directory, ZUS, replace(point.identity, partners=()), mode, None)
        assert trusting.identity.partners == directory.get(ZUS).certificates.ebms
        assert (straight.mode.receiver, through.mode.receiver) == (straight.mode.receiver,) * 2
        assert straight.mode.address != through.mode.address
        assert straight.forgery().is_multihop
        with pytest.raises(SettingsError):
            at_party(directory, ZUS, point.identity, PRESETS[ProfileName.EESSI], None)


async def test_wrong_outcome_fails_and_network_is_not_needed() -> None:
    """A case whose outcome is another one fails; one that needs a network is not applicable without."""
    row = next(each for each in listing.rows() if each.id == "8.3.10")
    async with own_point(ProfileName.EDELIVERY_1) as point:
        benches = Benches(points={ProfileName.EDELIVERY_1: point})
        wrong = await runner.play(row, replace(row.cases[0], expect="EBMS:0004"), benches)
        assert (wrong.verdict, wrong.outcome) == (Verdict.FAILED, "Receipt")
        network = Case(row="E-01", name="push, receipt by callback", expect="", judged=Judged.INSIGHT)
        lacking = await runner.play(row, network, benches)
        assert lacking.verdict is Verdict.NOT_APPLICABLE


async def test_row_is_played_once_for_all_that_it_proves() -> None:
    """A row that proves another one is played once and told twice."""
    row = next(each for each in listing.rows() if each.id == "8.3.10")
    other = Row(id="X", list="eessi", title="x", clause="x", confidence="inferred", also=("8.3.10",))
    async with own_point(ProfileName.EDELIVERY_1) as point:
        found = await runner.run((row, other), (row, other), Benches(points={ProfileName.EDELIVERY_1: point}))
        assert len(point.own.deliveries) == 2  # the row, and the good message behind it
    assert [each.row.id for each in found] == ["8.3.10", "X"]
    assert found[0].milliseconds == found[1].milliseconds


def test_door_reads_a_url() -> None:
    """Host, port and path of a URL; another scheme than http is refused."""
    assert Door.of("https://a.example/as4?x=1") == Door("a.example", 443, "/as4?x=1", "a.example")
    assert Door.of("http://a.example:81") == Door("a.example", 81, "/")
    with pytest.raises(SettingsError):
        Door.of("ftp://a.example/")


def test_answer_without_as4_is_its_status() -> None:
    """An answer that is no AS4 message counts by its status, silence by how it ended."""
    assert Answer(502, head=b"Content-Type: text/html", body=b"<html/>").outcome == "502"
    assert Answer().outcome == "closed"
    assert Answer(is_late=True).outcome == "no answer"
