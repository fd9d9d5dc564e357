"""The case file as a value."""

import msgspec
import pytest
from tests.helpers.processes import FIRST, NOW, OWNER, SECOND, STRANGER, case_of, document_id, latest

from eessi_sim.buc.case import CaseRole, CaseStatus, Delivery, DeliveryStatus, decode, encode
from eessi_sim.errors import DocumentNotFound
from eessi_sim.identifiers import CaseId, DocumentId, SedType


def test_case_survives_json() -> None:
    """A case with documents, deliveries and history is the same after a round trip through JSON."""
    case = case_of("LA_BUC_02", "CO", "CO send A003", "CP1 reply A004", "CO update A003")
    assert decode(encode(case)) == case


def test_identifiers_keep_their_type_through_json() -> None:
    """Identifiers read back from JSON are identifiers, not plain texts."""
    case = decode(encode(case_of("LA_BUC_04", "CO", "CO send A009")))
    kinds = (type(case.id), type(case.documents[0].id), type(case.documents[0].type))
    assert kinds == (CaseId, DocumentId, SedType)


def test_json_that_is_no_case_is_refused() -> None:
    """Foreign JSON is refused by the decoder."""
    with pytest.raises(msgspec.ValidationError):
        decode(b'{"id": 5}')


def test_roles_have_their_short_names() -> None:
    """Tables write CO and CP for the roles of the envelope."""
    assert [role.short for role in CaseRole] == ["CO", "CP"]


def test_unknown_document_is_named_in_the_error() -> None:
    """Asking for a document that the case does not have names case and document."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    with pytest.raises(DocumentNotFound, match=document_id(77)) as caught:
        case.get(document_id(77))
    assert caught.value.context["case"] == case.id


def test_owner_sees_the_counterparties() -> None:
    """The other participants of the owner's copy are its counterparties."""
    case = case_of("P_BUC_01", "CO", "CO send P2000")
    assert (case.counterparties, tuple(p.institution for p in case.others)) == (
        (FIRST, SECOND),
        (FIRST, SECOND),
    )


def test_institution_outside_the_case_has_no_role() -> None:
    """Somebody who takes no part has no role."""
    case = case_of("LA_BUC_04", "CO", "CO send A009")
    assert (case.role_of(STRANGER), case.role_of(OWNER)) == (None, CaseRole.CASE_OWNER)


def test_draft_is_not_exchanged() -> None:
    """A draft has no place among the exchanged documents and was exchanged in no version."""
    draft = case_of("LA_BUC_04", "CO", "CO draft A009").documents[0]
    assert (draft.is_draft, draft.is_exchanged, draft.exchanged_version, draft.exchanged_at) == (
        True,
        False,
        0,
        None,
    )


def test_updated_document_keeps_the_time_of_its_first_exchange() -> None:
    """A document is as old as its first exchange, however often it is updated."""
    document = case_of("LA_BUC_04", "CP", "CO send A009", "wait P3D", "CO update A009").documents[0]
    assert (document.version, document.exchanged_version, document.exchanged_at) == (2, 2, NOW)


def test_exchanged_documents_come_in_the_order_of_their_exchange() -> None:
    """A draft begun first and sent last comes last."""
    case = case_of("P_BUC_01", "CO", "CO send P2000", "CO draft P4000", "CP1 send P5000", "CO post P4000")
    assert [document.type for document in case.exchanged()] == ["P2000", "P5000", "P4000"]


def test_case_closed_by_x001_is_not_closed_locally() -> None:
    """A copy closed for everybody, even after a local close, is not only closed locally."""
    steps = ("CO send U001", "CP close-locally")
    assert case_of("UB_BUC_01", "CP", *steps).is_closed_locally
    closed = case_of("UB_BUC_01", "CP", *steps, "CO close")
    assert (closed.status, closed.is_closed_locally) == (CaseStatus.CLOSED, False)


def test_every_version_names_its_actor() -> None:
    """Each version and each event of the history says who decided it."""
    case = case_of("LA_BUC_02", "CP1", "CO send A003", "CP1 reply A012")
    actors = [version.actor.name for document in case.documents for version in document.versions]
    assert actors == ["node", "walk"]
    assert all(event.actor.reason for event in case.history)


def test_delivery_starts_without_a_message() -> None:
    """A delivery knows its message only when the message was made."""
    delivery = latest(case_of("LA_BUC_04", "CO", "CO send A009"), "A009").versions[0].deliveries[0]
    assert delivery == Delivery(receiver=FIRST, status=DeliveryStatus.SENT, at=NOW)
