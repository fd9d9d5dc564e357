"""Our action list beside those of RINA's published sample cases: a table, every difference with its reason.

``pytest -s tests/unit/buc/test_rina_samples.py`` prints it. The samples are facts in ``tests/data``; see there.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.processes import BY, CASE, NOW, OWNER, run, table

from eessi_sim.buc import engine
from eessi_sim.buc.actions import Action, Operation
from eessi_sim.buc.case import Case, DocumentStatus, decode, encode
from eessi_sim.buc.rina_names import RinaNames
from eessi_sim.definition_files import Node, load_yaml
from eessi_sim.identifiers import CaseId

FILE = Path(__file__).parents[2] / "data" / "rina-action-lists.yaml"


@dataclass(frozen=True)
class Sample:
    """One published case: how to get there, and what RINA offers in it."""

    name: str
    buc: str
    party: str
    state: str
    parties: tuple[str, ...]
    steps: tuple[str, ...]
    edited: tuple[str, ...]
    offers: Counter[str]
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Whose row, and why it differs, by action."""


def samples() -> Iterator[Sample]:
    for node in load_yaml(FILE).each(lambda each: each):
        fields = node.mapping(
            required={"sample", "buc", "as", "state", "parties", "steps", "offers"},
            allowed={"edited", "differences"},
        )
        rows = [
            f"{operation} {text.text()}".strip()
            for operation, places in fields["offers"].entries().items()
            for text in places.each(lambda each: each)
        ]
        yield Sample(
            name=fields["sample"].text(),
            buc=fields["buc"].text(),
            party=fields["as"].text(),
            state=fields["state"].text(),
            parties=fields.each("parties", Node.text),
            steps=fields.each("steps", Node.text),
            edited=fields.each("edited", Node.text),
            offers=Counter(rows),
            differences=dict(fields.each("differences", _difference)),
        )


def _difference(node: Node) -> tuple[str, tuple[str, str]]:
    fields = node.mapping(required={"action", "whose", "reason"})
    return fields["action"].text(), (fields["whose"].one_of(["rina", "ours"]), fields["reason"].text())


SAMPLES = list(samples())
_FILES = (Operation.ADD_ATTACHMENT, Operation.REMOVE_ATTACHMENT)
"""RINA says by a property of the document, not in these lists, that it takes files (observed)."""


def case_of(sample: Sample) -> Case:
    """Our copy of the case in the state of the sample; every institution Norwegian, as there."""
    definition = table(sample.buc)
    if sample.parties == ("CO",):
        return engine.open_case(
            definition,
            case_id=CaseId("1"),
            international_id=CASE,
            cdm=definition.cdm,
            own=OWNER,
            counterparties=(),
            **BY,
        )
    case = run(definition, sample.parties, *sample.steps).cases[sample.party]
    own = [each for each in case.documents if each.sender == case.own and each.is_exchanged]
    for sed, document in zip(sample.edited, own, strict=False):
        assert document.type == sed
        case = engine.update(case, definition, document.id, **BY).case
        assert case.get(document.id).status is DocumentStatus.ACTIVE
    return decode(re.sub(rb'"(..):WALK', rb'"NO:\1WALK', encode(case)))


def ours(sample: Sample) -> Counter[str]:
    """What our engine offers, in the words of the file."""
    case = case_of(sample)
    offered = engine.available_actions(case, table(sample.buc), NOW)
    return Counter(_words(case, action) for action in offered if action.operation not in _FILES)


def _words(case: Case, action: Action) -> str:
    about = case.find(action.parent_id) if action.operation is Operation.CREATE else None
    return f"{action.text} about {about.type}" if about else action.text


@dataclass(frozen=True)
class Row:
    """One action of one sample: how often RINA and we offer it."""

    sample: Sample
    action: str
    rina: int
    ours: int

    @property
    def kind(self) -> str:
        return "same" if self.rina == self.ours else "different"

    @property
    def reason(self) -> str:
        return self.sample.differences.get(self.action, ("", ""))[1] if self.kind == "different" else ""

    @property
    def is_explained(self) -> bool:
        if self.kind == "same":
            return self.action not in self.sample.differences
        whose = "rina" if self.rina > self.ours else "ours"
        return self.sample.differences.get(self.action, ("", ""))[0] == whose


def rows(sample: Sample) -> list[Row]:
    found = ours(sample)
    return [Row(sample, name, sample.offers[name], found[name]) for name in sorted(sample.offers | found)]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.name)
def test_our_actions_are_those_of_the_sample(sample: Sample) -> None:
    """Every row is the same, or the file says whose it is and why; no explanation is left over."""
    found = rows(sample)
    for row in found:
        print(f"{sample.name:58} {row.action:26} {row.rina} {row.ours} {row.kind:9} {row.reason}")
    assert [row.action for row in found if not row.is_explained] == []
    assert set(sample.differences) <= {row.action for row in found}


def test_almost_everything_is_the_same() -> None:
    """The counts that the table ends with."""
    kinds = Counter(row.kind for sample in SAMPLES for row in rows(sample))
    print(f"{len(SAMPLES)} samples: {kinds['same']} rows the same, {kinds['different']} different")
    assert kinds == {"same": 154, "different": 1}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.name)
def test_every_action_has_rinas_names(sample: Sample) -> None:
    """Whatever is offered can be written as RINA writes it."""
    case, definition = case_of(sample), table(sample.buc)
    for action in engine.actions(case, definition, NOW):
        named = RinaNames.default().describe(action, case, definition)
        assert named.operation is action.operation
        assert "{" not in f"{named.display_name}{named.template}{named.type_version}"


def described(sample: str, text: str) -> dict[str, Any]:
    """An action of a sample as RINA writes it."""
    chosen = next(each for each in SAMPLES if sample in each.name)
    case, definition = case_of(chosen), table(chosen.buc)
    action = next(each for each in engine.actions(case, definition, NOW) if _words(case, each) == text)
    named = RinaNames.default().describe(action, case, definition)
    return {
        name: getattr(named, name) for name in ("name", "display_name", "template", "category", "tag_type")
    }


@pytest.mark.parametrize(
    ("sample", "action", "names"),
    [
        ("P2K-X005", "Create P4000", ("Create", "Create P4000", "P4000", "Documents", "sectorial")),
        ("P2K-X005", "Create H120", ("Create", "Create H120", "H120", "Horizontal Documents", "admin")),
        ("P2K-X005", "Create X009", ("Create", "Create Reminder", "X009", "Case Actions", "admin")),
        ("P2K-X005", "Create X008 about P2100", ("Create", "Invalidate SED", "X008", "Documents", "admin")),
        ("P2K-X005", "Update P2100", ("Update", "Update", "P2100", "Documents", "sectorial")),
        ("P2K-X005", "Update P5000", ("Update", "Edit draft", "P5000", "Documents", "sectorial")),
        ("P2K-X005", "Update X005", ("Update", "Edit draft", "X005", "Case Actions", "admin")),
        ("P2K-X005", "Delete P5000", ("Delete", "Delete", "Delete_Document", "Documents", "admin")),
        ("P2K-X005", "Send X005", ("Send", "Send", "Send_Document", "Documents", "sectorial")),
        (
            "P2K-X005",
            "SendParticipants P10000",
            ("Participants_Send", "Send", "SelectParticipantsFromExisting", "Documents", "sectorial"),
        ),
        (
            "P2K-X005",
            "LocalClose",
            ("Close case", "Close Case (Local)", "Close_Case", "Case Actions", "admin"),
        ),
        (
            "emptyDocumentsList",
            "SelectParticipants",
            ("Participants", "Choose Participants", "Create_Participants", "Participants", "sectorial"),
        ),
        ("mock/buc", "DeleteCase", ("DeleteCase", "Delete Case", "Delete_Case", "Case Actions", "admin")),
    ],
)
def test_actions_are_named_as_in_the_samples(sample: str, action: str, names: tuple[str, ...]) -> None:
    """Name, displayName, template, category and type of the tags."""
    assert tuple(described(sample, action).values()) == names


def test_a_reply_is_named_as_one() -> None:
    """RINA writes Create P9000 Reply."""
    definition = table("P_BUC_01")
    case = run(definition, ("CO", "CP1"), "CO send P2000", "CO send P8000").cases["CP1"]
    action = next(each for each in engine.actions(case, definition, NOW) if each.sed == "P9000")
    assert RinaNames.default().describe(action, case, definition).display_name == "Create P9000 Reply"
