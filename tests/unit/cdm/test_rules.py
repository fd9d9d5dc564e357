"""Business rules find what the schema cannot say."""

from pathlib import Path

import pytest
from lxml import etree
from tests.helpers.definitions import definition, document, yaml_file

from eessi_sim import xmlsafe
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.report import BUSINESS_RULE, Issue, Severity
from eessi_sim.cdm.rules import RuleSet
from eessi_sim.errors import DefinitionError

RULES = RuleSet.load(definition("A901").rules)
WRONG = document("2026-12-31", "2019-01-01")

RULE = """
sed: A901
rules:
  - id: R1
    context: {context}
    test: {test}
    message: {message}
    source: our choice
    confidence: inferred
    examples: {{good: [], bad: [{{remove: Person}}]}}
"""


def rule(folder: Path, *, context: str = ".", test: str = "Person", message: str = "No person") -> RuleSet:
    """A set of one rule."""
    return RuleSet.load(yaml_file(folder, RULE.format(context=context, test=test, message=message)))


def test_document_that_keeps_the_rules_has_no_findings() -> None:
    """The sample breaks no rule."""
    assert RULES.check(document()) == ()


def test_broken_rule_is_one_complete_finding() -> None:
    """Severity, place, sentence, hint, id, source and confidence are all there."""
    assert RULES.check(WRONG) == (
        Issue(
            severity=Severity.ERROR,
            code=BUSINESS_RULE,
            path="/A901/Period/FixedPeriod",
            message="End date 2019-01-01 lies before start date 2026-01-01",
            line=20,
            hint="Swap the dates.",
            rule="A901-R01",
            source="Reg. 987/2009 art. 16(3)",
            confidence="inferred",
        ),
    )


def test_disabled_rule_does_not_run() -> None:
    """A rule can be left out by its id."""
    assert RULES.check(WRONG, {"A901-R01"}) == ()


def test_rule_without_context_runs_on_the_sed() -> None:
    """The default context is the SED itself."""
    [issue] = RULES.check(edited(document(), RULES.own[1].bad))
    assert (issue.rule, issue.path, issue.severity) == ("A901-R02", "/A901", Severity.WARNING)


def test_rule_runs_once_for_every_node(tmp_path: Path) -> None:
    """Each node that breaks the rule is a finding of its own, with its own values."""
    rules = rule(tmp_path, context="Person/nationality/value", test="false()", message="'Not {.}'")
    assert [issue.message for issue in rules.check(document())] == ["Not NO", "Not PL"]


def test_rule_speaks_only_about_the_nodes_of_its_context(tmp_path: Path) -> None:
    """Without a node there is nothing to find."""
    assert rule(tmp_path, context="Nothing", test="false()").check(document()) == ()


def test_context_may_be_a_union(tmp_path: Path) -> None:
    """Several paths may be joined."""
    rules = rule(tmp_path, context="Person/name | Period", test="false()")
    assert len(rules.check(document())) == 2


def test_attributes_are_no_place_for_a_finding(tmp_path: Path) -> None:
    """A context must find elements."""
    assert rule(tmp_path, context="'@sedVer'", test="false()").check(document()) == ()


def test_message_shortens_long_values(tmp_path: Path) -> None:
    """A message repeats at most sixty characters of a value, on one line."""
    root = document("Ada", "A\n" + "b" * 80)
    [issue] = rule(tmp_path, test="false()", message="'{Person/name}'").check(root)
    assert issue.message == "A " + "b" * 57 + "…"


def test_message_may_calculate(tmp_path: Path) -> None:
    """What stands in braces is any XPath."""
    [issue] = rule(tmp_path, test="false()", message="'{count(//value)} values'").check(document())
    assert issue.message == "3 values"


def test_included_rules_run_first() -> None:
    """Rules that several SEDs share stand in a file of their own."""
    assert [one.id for one in RULES.rules] == ["SHARED-R01", "A901-R01", "A901-R02"]
    assert [one.id for one in RULES.included] == ["SHARED-R01"]


def test_rule_knows_its_nodes() -> None:
    """Shared rules tell whether a document has anything to judge."""
    assert [xmlsafe.text_of(one) for one in RULES.included[0].nodes(document())] == ["Ada"]


def test_good_and_bad_examples_behave() -> None:
    """The good example keeps each rule, the bad one breaks it."""
    for one in RULES.rules:
        assert not one.issues(edited(document(), one.good))
        assert one.issues(edited(document(), one.bad))


def test_sed_inside_an_envelope_is_judged_alone() -> None:
    """A rule that says // does not look outside the SED, and lines stay those of the document."""
    envelope = xmlsafe.parse(b"<envelope><name>small</name></envelope>")
    envelope.append(document("Ada", "ada"))
    [issue] = RULES.check(envelope[1])
    assert (issue.path, issue.line) == ("/A901/Person/name", 4)


def test_sed_without_rule_file_has_no_rules() -> None:
    """Rules are optional."""
    assert RuleSet.load(None).check(document()) == ()


def test_rules_are_read_once() -> None:
    """Two requests for one file give the same rules."""
    assert RuleSet.load(definition("A901").rules) is RULES


def test_rule_file_must_name_known_keys(tmp_path: Path) -> None:
    """A mistyped key names file and line."""
    with pytest.raises(DefinitionError, match=r'found "tset".*line 6'):
        RuleSet.load(
            yaml_file(
                tmp_path, RULE.replace("    test:", "    tset:").format(context=".", test="x", message="x")
            )
        )


@pytest.mark.parametrize(
    "part", [{"test": "'('"}, {"context": "'['"}, {"message": "'{(}'"}, {"test": "'sim:x()'"}]
)
def test_wrong_expression_names_its_place(tmp_path: Path, part: dict[str, str]) -> None:
    """Expressions of a rule are checked when the file is read."""
    with pytest.raises(DefinitionError, match="line"):
        rule(tmp_path, **part)


def test_rule_id_must_be_unique(tmp_path: Path) -> None:
    """Two rules with one id could not be told apart."""
    one = RULE.format(context=".", test="Person", message="No person")
    with pytest.raises(DefinitionError, match='found "R1" again'):
        RuleSet.load(yaml_file(tmp_path, one + one.split("rules:\n")[1]))


def test_included_file_may_lie_beside(tmp_path: Path) -> None:
    """An include is looked for in the folder of the file first."""
    yaml_file(tmp_path, RULE.format(context=".", test="Person", message="No"), "near.rules.yaml")
    rules = RuleSet.load(yaml_file(tmp_path, "sed: A901\ninclude: [near]\nrules: []"))
    assert [one.id for one in rules.included] == ["R1"]


def test_included_file_must_exist(tmp_path: Path) -> None:
    """A missing include is named."""
    with pytest.raises(DefinitionError, match=r'"far\.rules\.yaml"'):
        RuleSet.load(yaml_file(tmp_path, "sed: A901\ninclude: [far]\nrules: []"))


def test_included_rule_may_be_left_out(tmp_path: Path) -> None:
    """A rule that does not hold in another version of the SED is named under except."""
    two = RULE.format(context=".", test="Person", message="No")
    yaml_file(tmp_path, two + two.split("rules:\n")[1].replace("R1", "R2"), "near.rules.yaml")
    rules = RuleSet.load(yaml_file(tmp_path, "sed: A901\ninclude: [near]\nexcept: [R1]\nrules: []"))
    assert [one.id for one in rules.rules] == ["R2"]


def test_rule_that_is_left_out_must_exist(tmp_path: Path) -> None:
    """A rule that was renamed does not come back unnoticed."""
    yaml_file(tmp_path, RULE.format(context=".", test="Person", message="No"), "near.rules.yaml")
    with pytest.raises(DefinitionError, match='Expected R1, found "R9"'):
        RuleSet.load(yaml_file(tmp_path, "sed: A901\ninclude: [near]\nexcept: [R9]\nrules: []"))


def test_file_without_rules_finds_nothing(tmp_path: Path) -> None:
    """An empty list of rules is a set that every document keeps."""
    path = tmp_path / "A901.rules.yaml"
    path.write_text("sed: A901\nrules: []\n", encoding="utf-8")
    rules = RuleSet.load(path)
    assert rules.rules == ()
    assert rules.check(etree.Element("A901")) == ()


def test_findings_of_rules_are_capped_with_a_count(tmp_path: Path) -> None:
    """Of very many findings the first hundred are listed, and the others counted."""
    rules = rule(tmp_path, context="a", test="false()")
    root = etree.Element("A901")
    for _ in range(250):
        etree.SubElement(root, "a")
    issues, more = rules.findings(root)
    assert (len(issues), more) == (100, 150)


def test_errors_are_listed_before_warnings_are_left_out(tmp_path: Path) -> None:
    """An error behind a hundred warnings is in the list, so that the document is not called valid."""
    path = tmp_path / "A901.rules.yaml"
    one = "{{id: {id}, severity: {severity}, context: {context}, test: 'false()', message: m, source: s, "
    rest = "confidence: inferred, examples: {good: [], bad: []}}"
    rules = [("R1", "warning", "a"), ("R2", "error", "b")]
    lines = [
        f"  - {one.format(id=name, severity=severity, context=context)}{rest}"
        for name, severity, context in rules
    ]
    path.write_text("sed: A901\nrules:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    root = etree.Element("A901")
    for name in ["a"] * 200 + ["b"]:
        etree.SubElement(root, name)
    issues, more = RuleSet.load(path).findings(root)
    assert (issues[0].severity, len(issues), more) == (Severity.ERROR, 100, 101)
