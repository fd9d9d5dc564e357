"""``case do``: which document is meant by a wish, and what the node is asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import AsyncMock

import click
import pytest
from tests.helpers.commands import run
from tests.helpers.processes import NOW, case_of

from eessi_sim.buc.case import Case
from eessi_sim.cli.case_do import Wish, deed_for
from eessi_sim.errors import ActionNotAvailable
from eessi_sim.identifiers import InstitutionId, SedType
from eessi_sim.institution.casework import Move

SE = InstitutionId("SE:FKSE01")
A003, A004, X008 = map(SedType, ("A003", "A004", "X008"))
ASKED = case_of("LA_BUC_02", "CO", "CO send A003")
TWICE = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004", "CO send A003")
FIRST = ASKED.documents[0].id


def asked(case: Case = ASKED, **wish: Any) -> tuple[str, tuple[Any, ...]]:
    """What the node is asked for first: the name of the call, and its arguments without the case."""
    control = AsyncMock()
    deed: Callable[..., Awaitable[object]] = deed_for(Wish(**wish), case, NOW)
    asyncio.run(deed(control, case.id))  # type: ignore[arg-type] # an awaitable that is a coroutine
    name, (_, *rest), named = control.mock_calls[0]
    return name, (*rest, *(value for value in named.values() if value is not None))


@pytest.mark.parametrize(
    ("wish", "call"),
    [
        ({"word": "close"}, ("move", (Move.CLOSE,))),
        ({"word": "participants", "receivers": (SE,)}, ("set_participants", ((SE,),))),
        ({"word": "invalidate"}, ("send", (X008, FIRST))),
        ({"word": "send", "sed": X008, "about": FIRST[:30]}, ("send", (X008, FIRST))),
        ({"word": "create", "sed": X008}, ("draft", (X008, FIRST))),
        ({"word": "update"}, ("update", (FIRST,))),
        ({"word": "save", "sed": A003}, ("save", (FIRST,))),
        ({"word": "delete", "about": "nobody"}, ("delete_draft", ("nobody",))),
        ({"word": "send", "about": FIRST, "receivers": (SE,)}, ("send_draft", (FIRST, (SE,)))),
    ],
)
def test_a_word_asks_the_node(wish: dict[str, Any], call: tuple[str, tuple[Any, ...]]) -> None:
    """The only document that can be meant is found; one that nobody knows the node refuses."""
    assert asked(**wish) == call


@pytest.mark.parametrize("wish", [{"word": "delete"}, {"word": "update", "sed": A004}])
def test_a_word_that_fits_no_document_says_what_does(wish: dict[str, Any]) -> None:
    """The error lists what is offered instead."""
    with pytest.raises(ActionNotAvailable) as refusal:
        asked(**wish)
    assert "Update A003" in refusal.value.available


@pytest.mark.parametrize(
    "wish", [{"word": "update"}, {"word": "invalidate"}, {"word": "send", "about": "000"}]
)
def test_one_of_several_documents_must_be_chosen(wish: dict[str, Any]) -> None:
    """Nothing is done to one of them by chance."""
    with pytest.raises(click.BadParameter, match=r"--about|give more"):
        asked(TWICE, **wish)


@pytest.mark.parametrize("wish", [{"word": "create"}, {"word": "participants"}])
def test_what_is_missing_is_asked_for(wish: dict[str, Any]) -> None:
    """A draft needs a type, and participants need names."""
    with pytest.raises(click.UsageError, match="with --"):
        asked(**wish)


@pytest.mark.parametrize("words", [("nonsense",), ("A012", "--sed", "A004")])
def test_an_unclear_action_is_wrong_usage(words: tuple[str, ...]) -> None:
    """Neither a word nor one type of SED: status 2, before anything is looked up."""
    assert run("case", "do", "4711", *words).exit_code == 2
