"""Identifiers: what is well-formed, what its parts are, how new ones are made."""

import copy
import pickle
import random
import string
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eessi_sim.errors import IdentifierError
from eessi_sim.identifiers import (
    COUNTRIES,
    BucType,
    CaseId,
    CdmVersion,
    DocumentId,
    InstitutionId,
    InternationalId,
    MessageId,
    RandomIdFactory,
    SedType,
)

KINDS = [SedType, BucType, CdmVersion, InstitutionId, CaseId, InternationalId, DocumentId, MessageId]
HEX = "8a1f0f0c5b0e4e7a9a536f0c9a110003"

GOOD = [
    *[(SedType, text) for text in ("A003", "U001CB", "P3000_NO", "SYN001", "X001", "DA001")],
    *[(BucType, text) for text in ("LA_BUC_02", "UB_BUC_01", "H_BUC_02a", "SYNC_SUC_01", "AD_BUC_12")],
    *[(CdmVersion, text) for text in ("4.4", "4.10", "3.1")],
    *[(InstitutionId, text) for text in ("NO:NAVAT07", "EL:1234", "UK:UK001", "EU:CSN01", "BE:877901666")],
    *[(CaseId, text) for text in ("1", "1443996")],
    (InternationalId, HEX),
    (DocumentId, HEX),
    *[
        (MessageId, text)
        for text in ("a@b", "3f0f7a52-6f3e@navat07.no.eessi-sim.example", "a.b+c@[127.0.0.1]")
    ],
]
BAD = [
    *[(SedType, text) for text in ("", "a003", "A3", "A003 ", "A003\n", "A003_NOR", "../A003", "٣A003")],
    *[(BucType, text) for text in ("LA_BUC_2", "LA-BUC-02", "LA_BUC_02A", "BUC_02")],
    *[(CdmVersion, text) for text in ("4", "4.4.1", "v4.4", "4,4", "4.")],
    *[
        (InstitutionId, text)
        for text in ("NO", "NO:", "GR:1234", "GB:1234", "no:NAVAT07", "NO:N/AT07", "NO:NAV", "XX:1234")
    ],
    *[(CaseId, text) for text in ("", "-1", "12a", "1" * 19, "١")],
    *[(InternationalId, text) for text in (HEX.upper(), HEX[:-1], f"{HEX}0", str(UUID(HEX)))],
    (DocumentId, "g" * 32),
    *[(MessageId, text) for text in ("a", "@b", "a@", "<a@b>", "a b@c", "a@b\n", "a@b@c", "x" * 129 + "@b")],
]


@pytest.mark.parametrize(("kind", "text"), GOOD)
def test_well_formed_text_is_an_identifier(kind: type[str], text: str) -> None:
    """A well-formed identifier is the text itself."""
    assert kind(text) == text


@pytest.mark.parametrize(("kind", "text"), BAD)
def test_malformed_text_is_refused(kind: type[str], text: str) -> None:
    """Nothing that only resembles an identifier becomes one."""
    with pytest.raises(IdentifierError):
        kind(text)


def test_refusal_shows_an_example() -> None:
    """Who writes an identifier wrongly sees how it is written."""
    with pytest.raises(IdentifierError) as caught:
        SedType("a3")
    assert (caught.value.message, caught.value.hint) == (
        'Expected a SED type such as "A003", found "a3"',
        "Write it like A003.",
    )


def test_refusal_shows_only_the_start_of_a_long_text() -> None:
    """A megabyte of rubbish does not fill the log."""
    with pytest.raises(IdentifierError) as caught:
        CaseId("x" * 1_000_000)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("kind", KINDS)
def test_example_of_every_kind_is_well_formed(kind: type[SedType]) -> None:
    """The example in the hint can be copied."""
    assert kind(kind.example) == kind.example


def test_identifier_names_its_kind_when_inspected() -> None:
    """A debugger shows what kind of text it is."""
    assert repr(SedType("A003")) == "SedType('A003')"


def test_identifier_made_of_an_identifier_is_the_same_object() -> None:
    """What was checked once is not checked again."""
    sed = SedType("A003")
    assert SedType(sed) is sed


def test_identifier_of_another_kind_is_checked() -> None:
    """Being an identifier of one kind does not make a text one of another kind."""
    with pytest.raises(IdentifierError):
        BucType(SedType("A003"))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_identifier_survives_copying(again: Callable[[SedType], SedType]) -> None:
    """Copies between processes keep kind and text."""
    assert type(again(SedType("A003"))) is SedType


def test_sed_type_has_the_letters_of_its_sector() -> None:
    """The folder of a definition follows from the name of the SED."""
    assert [SedType(text).prefix for text in ("A003", "U001CB", "SYN001")] == ["A", "U", "SYN"]


def test_buc_type_has_a_sector() -> None:
    """The sector of a process stands in front of its name."""
    assert [BucType(text).sector for text in ("LA_BUC_02", "UB_BUC_01", "H_BUC_02a")] == ["LA", "UB", "H"]


def test_cdm_version_has_the_numbers_of_the_sed_attributes() -> None:
    """Major and minor travel apart as sedGVer and sedVer."""
    assert (CdmVersion("4.10").major, CdmVersion("4.10").minor) == ("4", "10")


def test_institution_id_has_country_file_name_and_domain() -> None:
    """Everything that is named after an institution follows from its id."""
    institution = InstitutionId("NO:NAVAT07")
    assert (institution.country, institution.file_name, institution.domain) == (
        "NO",
        "NO_NAVAT07",
        "navat07.no.eessi-sim.example",
    )


def test_thirty_two_countries_take_part() -> None:
    """Greece is EL and the United Kingdom is UK, as EESSI writes them."""
    assert len(set(COUNTRIES)) == len(COUNTRIES) == 32
    assert {"EL", "UK"} < set(COUNTRIES)
    assert not {"GR", "GB"} & set(COUNTRIES)


@given(st.uuids())
def test_id_with_dashes_and_without_name_the_same(uuid: UUID) -> None:
    """The envelope writes dashes, the case file does not."""
    assert DocumentId.from_uuid(str(uuid)).uuid == str(uuid)


def test_text_that_is_no_uuid_is_refused() -> None:
    """Only UUIDs become case and document ids."""
    with pytest.raises(IdentifierError, match='Expected a UUID, found "nonsense"'):
        InternationalId.from_uuid("nonsense")


@given(st.from_regex(MessageId.pattern, fullmatch=True, alphabet=string.printable))
def test_message_id_gives_a_safe_file_name(text: str) -> None:
    """No message id leaves its folder or surprises a shell."""
    name = MessageId(text).file_name
    assert set(name) <= set(string.ascii_letters + string.digits + "@._-")
    assert name not in {".", ".."}


@given(st.text(max_size=40))
def test_any_text_is_an_identifier_or_refused(text: str) -> None:
    """No text makes an identifier class fail in another way."""
    for kind in KINDS:
        try:
            assert kind(text) == text
        except IdentifierError:
            continue


@given(st.integers(min_value=0))
def test_made_identifiers_are_well_formed(seed: int) -> None:
    """Whatever the random bits are, new identifiers are well-formed."""
    ids = RandomIdFactory(random.Random(seed).getrandbits)
    assert UUID(ids.uuid()).version == 4
    assert DocumentId(ids.hex32())
    assert 7 <= len(CaseId(ids.number())) <= 10
    assert ids.message_id(InstitutionId("NO:NAVAT07")).endswith("@navat07.no.eessi-sim.example")


def test_same_seed_makes_the_same_identifiers() -> None:
    """A seeded run repeats itself."""
    first, second = (RandomIdFactory(random.Random(7).getrandbits) for _ in range(2))
    assert [first.uuid(), first.number()] == [second.uuid(), second.number()]


def test_identifiers_without_seed_differ() -> None:
    """Without a seed, two nodes never make the same id."""
    assert RandomIdFactory().hex32() != RandomIdFactory().hex32()
