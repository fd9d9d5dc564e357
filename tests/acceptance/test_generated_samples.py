"""Documents made on demand: the valid ones are valid for everybody, the wrong ones are wrong for exactly their reason.

The oracles are libxml2 (verdict of ``CompiledSchema``), the library xmlschema and the rules.
"""

import pytest

from eessi_sim import resources, xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.report import BUSINESS_RULE, Issue
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.shape import component_model
from eessi_sim.cdm.validation import Validator
from eessi_sim.samples.build import FULL
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.guide import Guide
from eessi_sim.samples.kit import Kit, WrongDocument

CATALOGUE = Catalogue.default()
VALIDATOR = Validator(CATALOGUE)
SEEDS = 20
# Tens of thousands of documents: what they run through is measured by the tests of the modules.
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(600)]
every_sed = pytest.mark.parametrize(
    "definition", CATALOGUE.definitions(), ids=lambda one: f"{one.type}-{one.version}"
)


def findings(definition: SedDefinition, data: bytes) -> list[str]:
    """What anybody finds: our validator, and the library that judges independently of libxml2."""
    sed = Sed.read(data)
    found = [f"{issue.path}: {issue.message}" for issue in VALIDATOR.validate(sed).issues]
    return found + [str(error.reason) for error in component_model(definition).iter_errors(sed.root)]


@every_sed
def test_twenty_seeds_are_valid(definition: SedDefinition) -> None:
    """Twenty generated documents are valid by libxml2, by xmlschema and by every rule, and mostly different."""
    generator = Generator(definition)
    documents = [xmlsafe.serialize(document(generator, seed, Dialect.TYPICAL)) for seed in range(SEEDS)]
    assert [found for data in documents for found in findings(definition, data)] == []
    assert len(set(documents)) == SEEDS


@every_sed
def test_every_dialect_is_valid(definition: SedDefinition) -> None:
    """An unusual document is still valid by libxml2, by xmlschema and by every rule."""
    generator = Generator(definition)
    found = {
        dialect: findings(definition, xmlsafe.serialize(document(generator, 1, dialect)))
        for dialect in Dialect
    }
    assert found == {dialect: [] for dialect in Dialect}


def reason_missed(wrong: WrongDocument) -> str | None:
    """Why the findings about a wrong document are not exactly the one that it must cause."""
    expected = wrong.expected
    issues = VALIDATOR.validate(Sed.of(wrong.root)).issues
    rules = {issue.rule for issue in issues if issue.code == BUSINESS_RULE}
    schema = [issue for issue in issues if issue.code != BUSINESS_RULE]
    if rules != {*wrong.companions, *([expected.rule] if expected.rule else [])}:
        return f"{wrong.name}: expected the rules {expected.rule} {wrong.companions}, found {rules}"
    if expected.rule:
        return _about("schema", wrong, schema) if schema else None
    if [(issue.code, issue.path) for issue in schema] == [(expected.code, expected.path)]:
        return None
    return _about(f"{expected.code} at {expected.path}", wrong, schema)


def _about(expected: str, wrong: WrongDocument, found: list[Issue]) -> str:
    return f"{wrong.name}: expected {expected}, found {[(issue.code, issue.path) for issue in found]}"


@every_sed
def test_every_wrong_document_is_refused_for_its_reason(definition: SedDefinition) -> None:
    """Each document of the mutation kit causes the finding of its manifest row, and no other."""
    documents = list(Kit(Generator(definition), 0).documents())
    assert [missed for wrong in documents if (missed := reason_missed(wrong))] == []
    assert len(documents) > 50


@every_sed
def test_every_rule_has_a_wrong_document(definition: SedDefinition) -> None:
    """The kit breaks every rule that speaks of anything in the sample."""
    kit = Kit(Generator(definition), 0)
    broken = {wrong.expected.rule for wrong in kit.documents("rule")}
    own = {rule for rule in kit.rules() if rule.startswith(f"{definition.type}-")}
    assert own - broken == set()


def test_one_seed_is_one_person() -> None:
    """Documents of one seed name the same person, whatever the SED."""
    people = set()
    for sed_type in ("A001", "H002", "P2000", "U002"):
        definition = next(each for each in CATALOGUE.definitions() if each.type == sed_type)
        root = document(Generator(definition), 7, Dialect.FULL)
        names = {root.findtext(f".//PersonIdentification/{tag}") for tag in ("familyName", "forename")}
        people.add((frozenset(names), root.findtext(".//PersonIdentification/dateBirth")))
    assert len(people) == 1


def test_every_pattern_of_the_guide_is_used() -> None:
    """No pattern is misspelt or hidden behind another one: each decides about a field of some SED."""
    guide = Guide.load(resources.schemas() / "samples" / "fields.yaml")
    for definition in CATALOGUE.definitions():
        Generator(definition, guide=guide).attempt(0, FULL)
    used = set(guide._known.values())
    assert [entry.pattern.pattern for entry in guide.values if entry not in used] == []
