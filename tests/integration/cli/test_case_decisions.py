"""``case suggestions``, ``case accept`` and ``case decline`` on the folder of a network that does not run."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.helpers.case_archives import state_folder
from tests.helpers.commands import run, run_json
from tests.helpers.lab import A003
from tests.helpers.process_networks import NORWAY
from tests.helpers.processes import case_of

from eessi_sim.buc import engine
from eessi_sim.buc.case import Actor, ActorKind, Case
from eessi_sim.buc.loader import Definitions
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.cli.case_decisions import possible
from eessi_sim.identifiers import BucType, SedType
from eessi_sim.storage.base import UnitOfWork
from eessi_sim.storage.sqlite import SqliteStorage

RULE = Actor(ActorKind.RULE, "overdue-A003-X009")
IDS = ("aa000000000000000000000000000001", "ab000000000000000000000000000002")


def suggested(case: Case) -> Case:
    """The case with two suggestions of a rule."""
    about = next(each.id for each in case.documents if each.type == A003)
    definition = Definitions.default().get(case.buc)
    now = case.created_at + timedelta(days=1)
    for suggestion_id in IDS:
        proposal = Suggestion(
            id=suggestion_id,
            rule=RULE.name,
            sed=SedType("X009"),
            about=about,
            inputs=("answer due 2026-05-02",),
            at=now,
        )
        case = engine.suggest(case, definition, proposal, now=now, actor=RULE)
    return case


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the network; a rule of Norway suggests two reminders in its only case."""
    made = state_folder(tmp_path_factory.mktemp("decisions"))

    async def fill() -> None:
        storage = SqliteStorage(made.database(NORWAY))
        node = storage.node(NORWAY)
        (case,) = await node.cases()
        work = UnitOfWork()
        work.save_case(suggested(case), case.revision)
        await node.commit(work)
        await storage.close()

    asyncio.run(fill())
    return made.path


def test_suggestions_are_listed_with_rule_and_inputs(state: Path) -> None:
    """Enough of the id to decide one, and why it is suggested."""
    result = run("case", "suggestions", "--state", state)
    assert result.exit_code == 0
    for text in ("aa000000", "NO:NAVAT07", "X009", "overdue-A003-X009", "answer due"):
        assert text in result.stdout
    assert "case accept aa000000" in result.stderr


@pytest.mark.parametrize("option", ["--reason", "--clerk"])
def test_a_decision_has_a_name_and_a_reason(state: Path, option: str) -> None:
    """Blanks are neither."""
    words = {"--reason": "not ours", "--clerk": "anna", option: " "}
    options = [part for pair in words.items() for part in pair]
    result = run("case", "decline", IDS[0], *options, "--state", state)
    assert (result.exit_code, "Expected some words, found none" in result.stderr) == (2, True)


def test_suggestions_of_one_case_are_listed_as_json(state: Path) -> None:
    """The whole id and everything else that the rule said."""
    (first, _) = run_json("case", "suggestions", "--state", state)
    (again, _) = run_json("case", "suggestions", first["case"], "--state", state)
    assert again == first
    assert (first["id"], first["sed"], first["inputs"]) == (IDS[0], "X009", ["answer due 2026-05-02"])


def test_show_has_the_suggestions_of_its_case(state: Path) -> None:
    """Below its documents, and below who decided what."""
    (first, _) = run_json("case", "suggestions", "--state", state)
    shown = run("case", "show", first["case"], "--state", state).stdout
    assert "aa000000" in shown
    assert "suggested X009: rule overdue-A003-X009" in shown
    history = run_json("case", "show", first["case"], "--state", state)["history"]
    assert (history[-1]["kind"], history[-1]["decided_by"]) == ("suggested", "rule")


def test_a_node_without_suggestions_has_none(state: Path) -> None:
    """An empty list is no error."""
    assert run_json("case", "suggestions", "--state", state, "--node", "PL:ZUS01") == []


def test_nothing_is_decided_while_the_network_does_not_run(state: Path) -> None:
    """The hint says how to start it."""
    result = run("case", "decline", IDS[0], "--reason", "no", "--state", state)
    assert (result.exit_code, "a stopped one" in result.stderr) == (3, True)


@pytest.mark.parametrize(
    ("wanted", "status", "words"), [("ff", 1, "case suggestions"), ("a", 2, "2 suggestions")]
)
def test_the_suggestion_must_be_named_clearly(state: Path, wanted: str, status: int, words: str) -> None:
    """None and several are told apart."""
    result = run("case", "accept", wanted, "--state", state)
    assert (result.exit_code, words in result.stderr) == (status, True)


def test_a_process_that_nobody_defines_suggests_nothing() -> None:
    """What is possible cannot be told then."""
    case = suggested(case_of("LA_BUC_02", "CO", "CO send A003"))
    assert len(possible(case)) == 2
    assert possible(replace(case, buc=BucType("LA_BUC_77"))) == []


def test_what_is_late_is_a_finding(state: Path) -> None:
    """Exit status 1; a case in which the answer never came."""
    storage = SqliteStorage(state / "nodes" / f"{NORWAY.file_name}.sqlite")

    async def forget_the_answer() -> None:
        node = storage.node(NORWAY)
        (case,) = await node.cases()
        work = UnitOfWork()
        open_ = tuple(each for each in case.documents if each.type == A003)
        work.save_case(replace(case, documents=open_, revision=case.revision + 1), case.revision)
        await node.commit(work)
        await storage.close()

    asyncio.run(forget_the_answer())
    result = run("case", "overdue", "--state", state, "--at", "2036-01-01")
    assert result.exit_code == 1
    assert "PL:ZUS01 owes the answer to A003" in result.stdout
