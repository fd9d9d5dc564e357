"""``eessi-sim bench`` as a user calls it, with numbers so small that it is quick."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from eessi_sim.benchmark.crossing import Crossing, Part, latency_of
from eessi_sim.benchmark.gauge import Reading
from eessi_sim.cli import bench_network
from eessi_sim.cli.main import cli

NETWORK = ("bench", "network", "--storage", "sqlite", "--workers", "1")
TINY = ("bench", "--messages", "2", "--seconds", "0.02", "--keys", "p256")


def bench(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, [*TINY, *arguments])


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    result = bench("--json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_json_says_what_was_sent(found: dict[str, Any]) -> None:
    """The SED, its process and the number under way together are in the JSON."""
    assert (found["sed"], found["buc"], found["in_flight"]) == ("A003", "LA_BUC_02", 32)


def test_json_has_a_run_for_every_store(found: dict[str, Any]) -> None:
    """Without --storage both stores are measured end to end."""
    assert [run["storage"] for run in found["results"][0]["end_to_end"]] == ["memory", "sqlite"]


def test_every_run_is_complete(found: dict[str, Any]) -> None:
    """A run has number, throughput, latencies, processor time, and what it is compared with."""
    wanted = {
        "storage", "seds", "seconds", "seds_per_second", "latency_ms",
        "cpu_ms_per_sed", "steps_ms_per_sed", "floor_ms_per_sed", "ratio",
    }  # fmt: skip
    assert all(set(run) == wanted for run in found["results"][0]["end_to_end"])


def test_every_sed_was_receipted(found: dict[str, Any]) -> None:
    """With so few SEDs the time is never up before the first two are sent."""
    assert [run["seds"] for run in found["results"][0]["end_to_end"]] == [2, 2]


def test_every_step_is_complete(found: dict[str, Any]) -> None:
    """A step has name, part, places, number, both times, cost, share, floor and ratio."""
    wanted = {
        "step", "part", "where", "times", "us", "wall_us", "us_per_sed", "share", "floor_us", "ratio",
    }  # fmt: skip
    assert all(set(step) == wanted for step in found["results"][0]["steps"])


def test_steps_have_all_three_parts(found: dict[str, Any]) -> None:
    """What happens in memory, on disk and over sockets is measured."""
    assert {step["part"] for step in found["results"][0]["steps"]} == {"core", "disk", "network"}


def test_floor_names_every_operation(found: dict[str, Any]) -> None:
    """Signatures, digests, parsing, canonical forms, schema, gzip, HTTP and SQLite are on the floor."""
    assert len(found["results"][0]["floor"]) == 16


def test_table_shows_steps_and_runs() -> None:
    """Without --json people get the steps with their sums, and the end-to-end table."""
    result = bench("--storage", "memory")
    assert "all of core" in result.stdout
    assert "end to end" in result.stdout


def test_both_kinds_of_keys_are_measured() -> None:
    """Without --keys there is a result for RSA-2048, as EESSI has it, and one for P-256."""
    result = CliRunner().invoke(
        cli, ["bench", "--messages", "1", "--seconds", "0.02", "--storage", "memory", "--json"]
    )
    assert [each["keys"] for each in json.loads(result.stdout)["results"]] == ["rsa", "p256"]


def test_sed_that_opens_no_case_is_wrong_usage() -> None:
    """A reply as --sed ends with status 2 and names SEDs that can be sent."""
    result = bench("--sed", "A012")
    assert result.exit_code == 2
    assert "A003" in result.stderr


def test_validation_is_measured_beside_its_floor() -> None:
    """``bench validate`` gives both times and their ratio for the SED that is asked for."""
    result = CliRunner().invoke(cli, ["bench", "validate", "--sed", "P2000", "--seconds", "0.02", "--json"])
    assert result.exit_code == 0, result.stderr
    (cost,) = json.loads(result.stdout)
    assert cost["sed"] == "P2000"
    assert set(cost) == {"sed", "version", "bytes", "rules", "floor_us", "us", "ratio"}


def test_validation_is_measured_for_every_sector() -> None:
    """Without a SED the table has one row per sector."""
    result = CliRunner().invoke(cli, ["bench", "validate", "--seconds", "0.01"])
    assert result.exit_code == 0, result.stderr
    assert sum(line[:1] in set("APUHX") for line in result.stdout.splitlines()) == 5


def test_messages_are_measured_beside_their_floor() -> None:
    """``bench as4`` says what a message of the wanted size costs on both sides, and the floor."""
    result = CliRunner().invoke(
        cli, ["bench", "as4", "--keys", "p256", "--bytes", "20000", "--seconds", "0.01", "--json"]
    )
    assert result.exit_code == 0, result.stderr
    (cost,) = json.loads(result.stdout)
    assert abs(cost["bytes"] - 20_000) < 50
    assert cost["ratio"] == pytest.approx((cost["pack_us"] + cost["verify_us"]) / cost["floor_us"], abs=0.01)


def test_messages_are_measured_with_both_kinds_of_keys() -> None:
    """Without --keys the table of ``bench as4`` has a row for RSA and one for P-256."""
    result = CliRunner().invoke(cli, ["bench", "as4", "--seconds", "0.01"])
    assert result.exit_code == 0, result.stderr
    assert "RSA-2048" in result.stdout
    assert "P-256" in result.stdout


def test_engine_is_measured_by_length_and_by_number_of_cases() -> None:
    """``bench engine`` has a row for each length and two for each store, as a table and as JSON."""
    tiny = ["bench", "engine", "--cases", "3", "--documents", "2", "--actions", "2", "--seconds", "0.001"]
    result = CliRunner().invoke(cli, [*tiny, "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert [row["documents"] for row in found["acts"]] == [1, 2]
    assert [(row["storage"], row["cases"]) for row in found["stores"]] == [
        ("memory", 1), ("memory", 3), ("sqlite", 1), ("sqlite", 3),
    ]  # fmt: skip
    shown = CliRunner().invoke(cli, tiny).stdout
    assert "receive µs" in shown
    assert "ratio" in shown


@pytest.mark.process
def test_network_of_processes_is_measured() -> None:
    """Ten tenths, each with the memory of all three processes."""
    result = CliRunner().invoke(cli, [*NETWORK, "--seconds", "1", "--json"])
    assert result.exit_code == 0, result.stderr
    (run,) = json.loads(result.stdout)["runs"]
    assert len(run["tenths"]) == 10
    assert run["tenths"][0]["rss_mb"].keys() == {"EU:APSIM01", "NO:NAVAT07", "SE:FKSE01"}


def test_network_is_shown_as_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """People see a line per tenth and one per run."""

    async def measured(*_: object) -> Crossing:
        part = Part(7, 1.0, {"EU:APSIM01": Reading(2048, 1024, 0.1)}, 0.1)
        return Crossing("sqlite", 1, (part, part), {"EU:APSIM01": Reading()}, latency_of([]))

    monkeypatch.setattr(bench_network, "measure", measured)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli, NETWORK)
    assert result.exit_code == 0, result.stderr
    assert "EU:APSIM01 MB" in result.stdout
    assert "100%" in result.stdout


def test_seconds_and_minutes_exclude_each_other() -> None:
    """One says how long."""
    result = CliRunner().invoke(cli, ["bench", "network", "--seconds", "1", "--minutes", "1"])
    assert result.exit_code == 2


@pytest.mark.process
def test_idle_institutions_are_measured() -> None:
    """A few institutions in one process: time, memory, and a SED that crosses."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        cli, ["bench", "hosts", "--count", "40", "--pairs", "1"]
    )
    assert result.exit_code == 0, result.stderr
    assert all(word in result.stdout for word in ("host-1", "up after", "1 SEDs between"))
