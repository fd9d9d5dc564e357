"""``send --case``: where a document goes in a case that there is."""

from dataclasses import replace
from pathlib import Path

import click
import pytest
from tests.helpers.commands import run
from tests.helpers.process_networks import NORWAY
from tests.helpers.processes import NOW, case_of
from tests.helpers.stored_claims import SHARED, folder_with, samples

from eessi_sim.cli.places import Place, Way, parent_of, place_in_case
from eessi_sim.errors import CaseNotFound
from eessi_sim.identifiers import BucType, SedType

X008, A012 = map(SedType, ("X008", "A012"))
FIRST = f"{1:032x}"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only case is one of Norway."""
    return folder_with(tmp_path_factory.mktemp("places"), samples("U020", "U026"))


def place(state: Path, sed: SedType, about: str | None = None, case: str = SHARED) -> Place:
    return place_in_case(state, NORWAY, Way((), case, about, None), sed)


def test_a_document_goes_where_the_process_offers_it(state: Path) -> None:
    """Nothing is offered here: the institution will say so. A document that is named is taken as it is."""
    assert place(state, X008) == Place("4711", None)
    assert place(state, X008, FIRST) == Place("4711", FIRST)


def test_the_only_document_in_question_is_answered() -> None:
    """An answer has a parent, a document about the case has none."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003")
    assert parent_of(case, A012, NOW) == case.documents[0].id
    assert parent_of(case, SedType("A008"), NOW) is None


def test_one_of_several_documents_must_be_chosen() -> None:
    """They are named with type and sender."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004", "CO send A003")
    first = case.documents[0].id
    with pytest.raises(
        click.BadParameter, match=rf"choose one with --about: .*{first} \(A003 of PL:WALK01\)"
    ):
        parent_of(case, X008, NOW)


def test_a_process_that_nobody_defines_has_no_parents() -> None:
    """Nothing can be said."""
    case = replace(case_of("LA_BUC_02", "CP1", "CO send A003"), buc=BucType("LA_BUC_77"))
    assert parent_of(case, A012, NOW) is None


def test_a_case_of_nobody_is_told(state: Path) -> None:
    """The institution has none of this id."""
    with pytest.raises(CaseNotFound):
        place(state, X008, case="77")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ([], 2, "Expected a receiver with --to, or a case with --case"),
        (["--to", "PL:ZUS01", "--about", FIRST], 2, "Expected --case beside --about"),
        (["--case", SHARED, "--buc", "LA_BUC_02"], 2, "Expected --case or --buc, found both"),
        (["--case", SHARED], 3, "found a stopped one"),
    ],
)
def test_options_that_do_not_fit_are_wrong_usage(
    state: Path, tmp_path: Path, options: list[str], status: int, said: str
) -> None:
    """And a network that does not run takes nothing."""
    run("sample", "A003", "-o", tmp_path / "mine.xml")
    result = run("send", tmp_path / "mine.xml", "--from", NORWAY, *options, "--state", state)
    assert (result.exit_code, said in result.stderr) == (status, True)
