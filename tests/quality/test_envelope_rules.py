"""Rules about envelope and SED together: the sample is faultless, and the examples prove every rule."""

import pytest
from click.testing import CliRunner

from eessi_sim import resources, sbdh, xmlsafe
from eessi_sim.cdm.examples import edited
from eessi_sim.cdm.rules import Rule, RuleSet
from eessi_sim.cli.main import cli

FOLDER = resources.schemas() / "envelope"
SAMPLE = FOLDER / "sbdh.sample.xml"
RULES = RuleSet.load(FOLDER / "sbdh.rules.yaml")
every_rule = pytest.mark.parametrize("rule", RULES.own, ids=lambda rule: rule.id)


def test_sample_keeps_all_rules() -> None:
    """The enveloped sample has no finding, neither of the document nor of the envelope."""
    result = CliRunner().invoke(cli, ["validate", str(SAMPLE)])
    assert result.exit_code == 0
    assert "valid" in result.stdout
    assert "warning" not in result.stdout


def test_prefix_of_rules_is_the_namespace_of_the_envelope() -> None:
    """Rules and the reader of envelopes, which do not know each other, mean the same namespace."""
    assert xmlsafe.parse(SAMPLE.read_bytes()).tag == f"{{{sbdh.NAMESPACE}}}StandardBusinessDocument"
    assert RULES.own[0].nodes(xmlsafe.parse(SAMPLE.read_bytes()))


@every_rule
def test_good_example_keeps_the_rule(rule: Rule) -> None:
    """The good example breaks no rule at all."""
    assert RULES.check(edited(xmlsafe.parse(SAMPLE.read_bytes()), rule.good)) == ()


@every_rule
def test_bad_example_breaks_the_rule(rule: Rule) -> None:
    """The bad example breaks its rule, and the finding has hint and source."""
    (issue, *_) = rule.issues(edited(xmlsafe.parse(SAMPLE.read_bytes()), rule.bad))
    assert issue.hint
    assert issue.source


def test_rule_is_found_by_validate_and_can_be_switched_off() -> None:
    """``validate`` names the rule in an enveloped SED, and --disable silences it."""
    broken = SAMPLE.read_bytes().replace(b"P_BUC_01:4.4", b"LA_BUC_02:4.4")
    found = CliRunner().invoke(cli, ["validate", "-"], input=broken)
    assert (found.exit_code, "SBDH-R03" in found.stdout) == (1, True)
    silent = CliRunner().invoke(cli, ["validate", "-", "--disable", "SBDH-R03"], input=broken)
    assert "SBDH-R03" not in silent.stdout
