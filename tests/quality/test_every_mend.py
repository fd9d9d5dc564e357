"""Mechanical damage to the sample of any SED is mended: the copy says what the sample says."""

import random
from collections.abc import Callable, Iterator
from datetime import date

import pytest
from tests.helpers.definitions import content_of

from eessi_sim import xmlsafe
from eessi_sim.cdm.catalogue import Catalogue, SedDefinition
from eessi_sim.cdm.mender import mend
from eessi_sim.cdm.shape import Field, Shapes, Simple
from eessi_sim.cdm.validation import Validator
from eessi_sim.xmlsafe import Element

CATALOGUE = Catalogue.default()
VALIDATOR = Validator(CATALOGUE)
ROUNDS = 2
"""How many damaged documents are made of each sample."""

Damage = Callable[[random.Random, Element, SedDefinition], None]


def chain_of(shapes: Shapes, element: Element) -> list[Field]:
    """The fields from the root down to an element."""
    return shapes.chain([element.tag, *(above.tag for above in element.iterancestors())][-2::-1])


def leaves(root: Element, definition: SedDefinition) -> Iterator[tuple[Element, Simple]]:
    """Every leaf with what its schema wants."""
    shapes = Shapes.of(definition)
    for leaf in root.iter():
        simple = shapes.of_field(chain_of(shapes, leaf)[-1]).simple
        if leaf is not root and simple is not None and not len(leaf):
            yield leaf, simple


def swap(chance: random.Random, root: Element, _definition: SedDefinition) -> None:
    """Let two neighbours of different name change places."""
    pairs = [(one, two) for one in root.iter() if (two := one.getnext()) is not None and one.tag != two.tag]
    one, two = chance.choice(pairs)
    two.addnext(one)


def prefix(chance: random.Random, root: Element, _definition: SedDefinition) -> None:
    """Give a group and everything in it the namespace of the root."""
    for element in chance.choice(list(root)).iter():
        element.tag = f"{{{xmlsafe.namespace(root)}}}{element.tag}"


def label(chance: random.Random, root: Element, definition: SedDefinition) -> None:
    """Write the label in place of a code, where the label says which code it is."""
    found = [
        (leaf, code.label)
        for leaf, simple in leaves(root, definition)
        if simple.code_list is not None
        and (code := simple.code_list.find(leaf.text or "")) is not None
        and simple.code_list.meant(code.label) is code
    ]
    for leaf, text in found[:1] and [chance.choice(found)]:
        leaf.text = text


def unwrap(chance: random.Random, root: Element, definition: SedDefinition) -> None:
    """Take the element away that stands around a code."""
    shapes = Shapes.of(definition)
    groups = [leaf.getparent() for leaf, simple in leaves(root, definition) if simple.code_list is not None]
    alone = [
        group
        for group in groups
        if group is not None and len(group) == 1 and shapes.of_field(chain_of(shapes, group)[-1]).coded
    ]
    for group in alone[:1] and [chance.choice(alone)]:
        group.text = group[0].text
        del group[0]


def reformat(chance: random.Random, root: Element, definition: SedDefinition) -> None:
    """Write a date in another form that can be read in one way only."""
    found = [leaf for leaf, simple in leaves(root, definition) if simple.base == "date"]
    for leaf in found[:1] and [chance.choice(found)]:
        day = date.fromisoformat(leaf.text or "")
        leaf.text = chance.choice(
            [f"{day:%d.%m.%Y}", f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day}T00:00:00Z", f" {day} "]
        )


DAMAGES: list[Damage] = [swap, prefix, label, unwrap, reformat]
WITH_SAMPLE = [each for each in CATALOGUE.definitions() if each.sample is not None]


@pytest.mark.parametrize("definition", WITH_SAMPLE, ids=lambda one: f"{one.type}-{one.version}")
def test_damaged_sample_is_mended(definition: SedDefinition) -> None:
    """Several faults in one document are mended together, whatever the SED."""
    assert definition.sample is not None
    data = definition.sample.read_bytes()
    chance = random.Random(definition.type)
    for _ in range(ROUNDS):
        root = xmlsafe.parse(data)
        for damage in chance.sample(DAMAGES, 3):
            damage(chance, root, definition)
        assert content_of(mend(xmlsafe.serialize(root), VALIDATOR).data) == content_of(data)
