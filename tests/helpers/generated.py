"""Makes and judges all documents on demand of one SED; in processes of their own, because there are tens of thousands."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from tests.helpers.unmeasured import unmeasured

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.report import BUSINESS_RULE, Issue
from eessi_sim.cdm.sed import Sed
from eessi_sim.cdm.shape import component_model
from eessi_sim.cdm.validation import Validator
from eessi_sim.errors import EessiSimError
from eessi_sim.samples.dialects import Dialect, document
from eessi_sim.samples.generator import Generator
from eessi_sim.samples.kit import Kit, WrongDocument


def name_of(definition: SedDefinition) -> str:
    """Return how the tests call a definition."""
    return f"{definition.type}-{definition.version}"


SEEDS = 20
NAMES = [name_of(definition) for definition in Catalogue.default().definitions()]


@dataclass(frozen=True)
class Verdicts:
    """What was found about the documents of one SED; empty lists are good."""

    typical: list[str]
    """Findings about twenty documents, of libxml2, the rules and xmlschema."""
    different: int
    """How many of the twenty differ."""
    unusual: dict[str, list[str]]
    """Findings by dialect."""
    missed: list[str]
    """Wrong documents that were not refused for exactly their reason."""
    wrong: int
    findings: frozenset[tuple[str, str]]
    """Kinds of finding with their places, or rules."""
    rules_without: frozenset[str]
    """Rules of the SED's own file that no wrong document breaks."""
    companions: int
    unreached: list[str]


def examine_all() -> dict[str, Verdicts]:
    """Return the verdicts by SED and version; unmeasured, because coverage would take as long as the work."""
    with unmeasured(), ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        return dict(zip(NAMES, pool.map(examine, NAMES, chunksize=1), strict=True))


def examine(name: str) -> Verdicts:
    """Make and judge the documents of one SED; one that cannot be made does not spoil the others."""
    try:
        return _examine(name)
    except EessiSimError as error:
        return Verdicts([str(error)], 0, {}, [str(error)], 0, frozenset(), frozenset(), 0, [])


def _examine(name: str) -> Verdicts:
    definition = next(each for each in Catalogue.default().definitions() if name_of(each) == name)
    generator = Generator(definition)
    documents = [xmlsafe.serialize(document(generator, seed, Dialect.TYPICAL)) for seed in range(SEEDS)]
    kit = Kit(generator, 0)
    wrong = list(kit.documents())
    own = {rule for rule in kit.rules() if rule.startswith(f"{definition.type}-")}
    return Verdicts(
        typical=[found for data in documents for found in _findings(definition, data)],
        different=len(set(documents)),
        unusual={
            dialect.value: list(_findings(definition, xmlsafe.serialize(document(generator, 1, dialect))))
            for dialect in Dialect
        },
        missed=[missed for each in wrong if (missed := _reason_missed(each))],
        wrong=len(wrong),
        findings=frozenset((each.expected.code, each.expected.rule or each.expected.path) for each in wrong),
        rules_without=frozenset(own - {each.expected.rule for each in wrong}),
        companions=sum(bool(each.companions) for each in wrong),
        unreached=kit.unreached,
    )


def _findings(definition: SedDefinition, data: bytes) -> Iterator[str]:
    """Yield what anybody finds: our validator, and the library that judges independently of libxml2."""
    sed = Sed.read(data)
    for issue in Validator(Catalogue.default()).validate(sed).issues:
        yield f"{issue.path}: {issue.message}"
    for error in component_model(definition).iter_errors(sed.root):
        yield str(error.reason)


def _reason_missed(wrong: WrongDocument) -> str | None:
    """Return why the findings about a wrong document are not exactly the one that it must cause."""
    expected = wrong.expected
    issues = Validator(Catalogue.default()).validate(Sed.of(wrong.root)).issues
    rules = {issue.rule for issue in issues if issue.code == BUSINESS_RULE}
    schema = [issue for issue in issues if issue.code != BUSINESS_RULE]
    if rules != {*wrong.companions, *([expected.rule] if expected.rule else [])}:
        return f"{wrong.name}: expected the rules {expected.rule} {wrong.companions}, found {rules}"
    wanted = [] if expected.rule else [(expected.code, expected.path)]
    found = [(issue.code, issue.path) for issue in schema]
    return None if found == wanted else f"{wrong.name}: expected {wanted}, found {_said(schema)}"


def _said(issues: list[Issue]) -> list[str]:
    return [f"{issue.code} at {issue.path}: {issue.message}" for issue in issues]
