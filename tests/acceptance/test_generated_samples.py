"""Documents made on demand: the valid ones are valid for everybody, the wrong ones are wrong for exactly their reason.

The oracles are libxml2 (verdict of ``CompiledSchema``), the library xmlschema and the rules.
"""

from datetime import date

import pytest
from tests.helpers.generated import NAMES, SEEDS, Verdicts, examine_all

from eessi_sim import resources
from eessi_sim.cdm.catalogue import Catalogue
from eessi_sim.samples.build import FULL, LIKE_SAMPLE
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.guide import Guide

CATALOGUE = Catalogue.default()
# Tens of thousands of documents: what they run through is measured by the tests of the modules.
pytestmark = [pytest.mark.no_cover, pytest.mark.timeout(1500)]
every_sed = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdicts]:
    """All documents of all SEDs, made and judged once."""
    return examine_all()


@every_sed
def test_twenty_seeds_are_valid(name: str, verdicts: dict[str, Verdicts]) -> None:
    """Twenty generated documents are valid by libxml2, by xmlschema and by every rule; short ones may coincide."""
    assert verdicts[name].typical == []
    assert verdicts[name].different > SEEDS // 2


@every_sed
def test_every_dialect_is_valid(name: str, verdicts: dict[str, Verdicts]) -> None:
    """An unusual document is still valid by libxml2, by xmlschema and by every rule."""
    assert verdicts[name].unusual == {dialect.value: [] for dialect in Dialect}


@every_sed
def test_every_wrong_document_is_refused_for_its_reason(name: str, verdicts: dict[str, Verdicts]) -> None:
    """Each document of the mutation kit causes the finding of its manifest row, and no other."""
    assert verdicts[name].missed == []
    assert verdicts[name].wrong > 50


@every_sed
def test_every_rule_has_a_wrong_document(name: str, verdicts: dict[str, Verdicts]) -> None:
    """The kit breaks every rule of the SED's own file."""
    assert verdicts[name].rules_without == frozenset()


def test_the_kit_is_nearly_complete(
    verdicts: dict[str, Verdicts], record_property: pytest.FixtureRequest
) -> None:
    """Hardly any requirement stays unbroken, hardly any wrong document breaks a rule besides; says the figures."""
    wrong = sum(each.wrong for each in verdicts.values())
    unreached = sum(len(each.unreached) for each in verdicts.values())
    companions = sum(each.companions for each in verdicts.values())
    distinct = frozenset().union(*(each.findings for each in verdicts.values()))
    figures = f"{wrong} wrong documents, {len(distinct)} distinct findings, {companions} with companions, {unreached} unreached"
    print(figures)
    record_property("kit", figures)  # type: ignore[operator]  # a fixture that pytest gives no type
    assert unreached < wrong / 50, figures
    assert companions < wrong / 20, figures


def test_one_seed_is_one_person_with_one_employer() -> None:
    """Documents of one seed name the same person and employers, whatever the SED."""
    people, employers = set(), []
    for sed_type in ("A001", "A003", "H002", "P2000", "U002"):
        definition = next(each for each in CATALOGUE.definitions() if each.type == sed_type)
        root = document(Generator(definition), 7, Dialect.FULL)
        names = {root.findtext(f".//PersonIdentification/{tag}") for tag in ("familyName", "forename")}
        people.add((frozenset(names), root.findtext(".//PersonIdentification/dateBirth")))
        employers.append({name.text for name in root.iterfind(".//Employer/name")})
    assert len(people) == 1
    assert set.intersection(*(names for names in employers if names))


def test_one_seed_is_one_career() -> None:
    """All days of a seed lie by the same time before those of the stored samples."""
    earlier = set()
    for sed_type, path in (("A003", ".//FixedPeriod/startDate"), ("U002", ".//startDate")):
        definition = next(each for each in CATALOGUE.definitions() if each.type == sed_type)
        generator = Generator(definition)
        made, stored = generator.attempt(7, LIKE_SAMPLE), generator.stored
        assert made is not None
        assert stored is not None
        days = [date.fromisoformat(root.findtext(path, "")) for root in (stored, made)]
        earlier.add((days[0] - days[1]).days)
    assert len(earlier) == 1


def test_every_pattern_of_the_guide_is_used() -> None:
    """No pattern is misspelt or hidden behind another one: each decides about a field of some SED."""
    guide = Guide.load(resources.schemas() / "samples" / "fields.yaml")
    unused = guide.values
    for definition in CATALOGUE.definitions():
        Generator(definition, guide=guide).attempt(0, FULL)
        used = set(guide._known.values())
        unused = tuple(entry for entry in unused if entry not in used)
        if not unused:
            break
    assert [entry.pattern.pattern for entry in unused] == []
