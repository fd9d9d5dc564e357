"""CDM 4.3 and 4.4 side by side: what differs is what the sources say, and each document meets its own version.

The differences stand here a second time on purpose, with who says so; a schema that strays from them is named.
"""

from pathlib import Path

import pytest
from tests.helpers.commands import run, run_json

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.comparison import Kind, compare
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.validation import Validator
from eessi_sim.identifiers import CdmVersion, SedType
from eessi_sim.xmlsafe import Element

CATALOGUE = Catalogue.default()
OLD, NEW = CdmVersion("4.3"), CdmVersion("4.4")
OLDER = [each for each in CATALOGUE.definitions() if each.version == OLD]
every_older = pytest.mark.parametrize("older", OLDER, ids=lambda one: one.type)

MELOSYS_SKILLS = (
    "melosys-skills: A008 of 4.3 has one State of residence, no purpose code, no additional information"
)
EUX_WEB_APP = "eux-web-app: lengths and fields of X010, labels of income, by version of the data model"
DIFFERENCES = {
    "A008": {
        "PurposeofSED/purposeOfSED": MELOSYS_SKILLS,
        "PurposeA008 01": MELOSYS_SKILLS,
        "PurposeA008 02": MELOSYS_SKILLS,
        "A008-R01": MELOSYS_SKILLS,
        "PurposeofSED/InformationWorkingInTwoOrMoreMemberStates/StatesResidence/StateResidence": MELOSYS_SKILLS,
        "PurposeofSED/NotificationChangesInRelevantData/Cancellation/personDidNotWorkIndicator": MELOSYS_SKILLS,
        "AdditionalInformation": MELOSYS_SKILLS,
        "AdditionalInformation/additionalInformation": MELOSYS_SKILLS,
    },
    "X010": {
        "ReplyReminder/InformationWillFollow/additionalInformation": EUX_WEB_APP,
        "ReplyReminder/InformationNotAvailable/pleaseProvideMoreDetailsIf99OtherSelected": EUX_WEB_APP,
    },
    "U004": {"IncomeType 01": EUX_WEB_APP, "IncomeType 02": EUX_WEB_APP},
}
"""By SED: the fields, codes and rules that are not the same, and the source; all other SEDs of 4.3 are equal."""

ENTRY = "<StateResidence><stateResidence><value>{}</value></stateResidence></StateResidence>"
TWO_STATES = (
    "<InformationWorkingInTwoOrMoreMemberStates><StatesResidence>"
    + ENTRY.format("NO")
    + ENTRY.format("SE")
    + "</StatesResidence></InformationWorkingInTwoOrMoreMemberStates>"
)


def in_new(older: SedDefinition) -> SedDefinition:
    return CATALOGUE.get(older.type, NEW)


def sample(sed: str, version: CdmVersion) -> str:
    path = CATALOGUE.get(SedType(sed), version).sample
    assert path is not None
    return path.read_text()


def codes(text: str) -> list[str]:
    _, report = Validator(CATALOGUE).validate_bytes(text.encode())
    return [issue.code for issue in report.issues]


def parsed(definition: SedDefinition) -> Element:
    return xmlsafe.parse(sample(definition.type, definition.version).encode())


def test_older_version_has_seds_of_every_sector() -> None:
    """At least ten SEDs of all five sectors exist in both versions."""
    assert len(OLDER) >= 10
    assert {each.sector for each in OLDER} == {"LA", "P", "U", "H", "X"}


@every_older
def test_versions_differ_in_what_the_sources_name(older: SedDefinition) -> None:
    """Fields, codes and rules are the same but for the differences that a source states."""
    found = {change.name for change in compare(older, in_new(older))}
    assert found == set(DIFFERENCES.get(older.type, {}))


@every_older
def test_source_says_what_is_known_about_the_older_version(older: SedDefinition) -> None:
    """The source of the SED tells on what its form in 4.3 rests, and it is no surer than in 4.4."""
    order = ["documented", "observed", "inferred"]
    assert "; 4.3: " in older.facts.source
    assert order.index(older.facts.confidence) >= order.index(in_new(older).facts.confidence)


@every_older
def test_examples_of_shared_rules_work_in_the_older_version(older: SedDefinition) -> None:
    """A rule that both versions share is proved by the same examples in both."""
    shared = {rule.id for rule in RuleSet.load(older.rules).rules}
    for rule in RuleSet.load(in_new(older).rules).own:
        if rule.id in shared:
            assert not rule.issues(edited(parsed(older), rule.good)), rule.id
            assert rule.issues(edited(parsed(older), rule.bad)), rule.id


@every_older
def test_document_of_one_version_is_none_of_the_other(older: SedDefinition) -> None:
    """With the namespace of the other version, version attributes and schema no longer fit."""
    for version, other in ((OLD, NEW), (NEW, OLD)):
        old, new = (f"/ns/{each.replace('.', '_')}/" for each in (version, other))
        assert "sed-version-mismatch" in codes(sample(older.type, version).replace(old, new))


A008_WITH_PURPOSE = ("<PurposeofSED>", "<PurposeofSED><purposeOfSED><value>01</value></purposeOfSED>")
A008_WITH_TEXT = (
    "</PurposeofSED>",
    "</PurposeofSED><AdditionalInformation><additionalInformation>x</additionalInformation></AdditionalInformation>",
)
X010_WITH_TEXT = ("</expectedDate>", "</expectedDate><additionalInformation>x</additionalInformation>")


@pytest.mark.parametrize(
    ("sed", "change"),
    [("A008", A008_WITH_PURPOSE), ("A008", A008_WITH_TEXT), ("X010", X010_WITH_TEXT)],
    ids=["A008 purpose", "A008 text", "X010 text"],
)
def test_field_that_came_with_the_newer_version_is_refused_in_the_older(
    sed: str, change: tuple[str, str]
) -> None:
    """What melosys-skills and eux-web-app call new in 4.4 is unknown in 4.3."""
    assert codes(sample(sed, OLD)) == []
    assert codes(sample(sed, OLD).replace(*change)) == ["element-unexpected"]


def test_second_state_of_residence_is_refused_in_the_older_version() -> None:
    """A008 of 4.3 has one State of residence, 4.4 a list (melosys-skills)."""
    found = {}
    for version in (OLD, NEW):
        start, rest = sample("A008", version).split("<NotificationChangesInRelevantData>")
        text = start + TWO_STATES + rest.split("</NotificationChangesInRelevantData>")[1]
        found[version] = codes(
            text.replace("<value>01</value>\n    </purposeOfSED>", "<value>02</value></purposeOfSED>")
        )
    assert found[NEW] == []
    assert found[OLD] != []


@pytest.mark.parametrize(
    ("length", "is_valid"), [(255, (True, True)), (256, (False, True)), (501, (False, False))]
)
def test_reason_is_longer_in_the_newer_version(length: int, is_valid: tuple[bool, bool]) -> None:
    """The reason text of X010 has 255 characters up to 4.3, 500 from 4.4 on (eux-web-app)."""
    text = f"<value>99</value></reason><pleaseProvideMoreDetailsIf99OtherSelected>{'x' * length}</pleaseProvideMoreDetailsIf99OtherSelected>"
    found = []
    for version in (OLD, NEW):
        start, reason = sample("X010", version).split("<reason>")
        found.append(not codes(start + "<reason>" + text + reason.split("</reason>")[1]))
    assert tuple(found) == is_valid


def test_older_a008_without_purpose_breaks_no_rule() -> None:
    """The rule that compares the purpose with the block exists only where there is a purpose."""
    rules = [
        {rule.id for rule in RuleSet.load(CATALOGUE.get(SedType("A008"), each).rules).rules}
        for each in (OLD, NEW)
    ]
    assert rules[1] - rules[0] == {"A008-R01"}


def test_missing_purpose_is_found_in_the_newer_version() -> None:
    """The document that is right in 4.3 lacks the purpose in 4.4."""
    root = xmlsafe.parse(sample("A008", NEW).encode())
    purpose = root.find("PurposeofSED/purposeOfSED")
    assert purpose is not None
    purpose.getparent().remove(purpose)  # type: ignore[union-attr] # it has one
    report = Validator(CATALOGUE).validate(Sed.of(root))
    assert [issue.rule for issue in report.issues] == ["A008-R01"]


def test_documents_of_both_versions_are_validated_in_one_call(tmp_path: Path) -> None:
    """Each document is checked against the schema of its own version."""
    for version in (OLD, NEW):
        (tmp_path / f"{version}.xml").write_text(sample("A008", version))
        (tmp_path / f"{version}-x.xml").write_text(sample("X010", version))
    files = run_json("validate", tmp_path)["files"]
    assert [(file["sed"], file["version"], file["valid"]) for file in files] == [
        ("X010", "4.3", True),
        ("A008", "4.3", True),
        ("X010", "4.4", True),
        ("A008", "4.4", True),
    ]


def test_sed_that_the_older_version_lacks_leads_to_the_newer() -> None:
    """A SED that is only defined in 4.4 says so when it comes as 4.3."""
    text = sample("A002", NEW).replace("/ns/4_4/", "/ns/4_3/").replace('sedVer="4"', 'sedVer="3"')
    result = run("validate", "-", stdin=text)
    assert "A002 is defined in version 4.4." in result.stdout


def test_every_difference_is_one_that_can_be_shown() -> None:
    """The table above speaks only of SEDs of both versions, and seds diff prints it."""
    kinds = {change["kind"] for change in run_json("seds", "diff", "A008", OLD, NEW)["changes"]}
    assert set(DIFFERENCES) <= {each.type for each in OLDER}
    assert kinds == set(Kind)
