"""The header as values: what it refuses, what it derives."""

from dataclasses import replace
from datetime import datetime

import pytest
from tests.helpers.envelopes import COUNTERPARTY, HEADER

from eessi_sim.errors import EnvelopeError
from eessi_sim.identifiers import InstitutionId
from eessi_sim.sbdh import ContactTypeIdentifier, Partner

GERMANY = Partner(InstitutionId("DE:DRV0001"), ContactTypeIdentifier.COUNTERPARTY)


def test_transaction_schema_names_process_roles_action_and_sed() -> None:
    """The schema file of a transaction is named after everything that decides which transaction it is."""
    assert HEADER.transaction_schema == "LA_BUC_02-4.4-CaseOwner-Counterparty-Start-A003-4.4.xsd"


def test_addressed_receiver_comes_first() -> None:
    """The message to one of several receivers names that one first and keeps the others."""
    header = replace(HEADER, receivers=(*HEADER.receivers, GERMANY))
    assert header.addressed_to(GERMANY.id).receivers == (GERMANY, *HEADER.receivers)


def test_addressing_somebody_else_is_refused() -> None:
    """A header cannot be addressed to an institution that is none of its receivers."""
    with pytest.raises(
        EnvelopeError, match=f"Expected DE:DRV0001 among the receivers .* found {COUNTERPARTY}"
    ):
        HEADER.addressed_to(GERMANY.id)


def test_header_without_receiver_is_refused() -> None:
    """A SED goes to somebody."""
    with pytest.raises(EnvelopeError, match="at least one receiver"):
        replace(HEADER, receivers=())


def test_creation_time_without_zone_is_refused() -> None:
    """A time without zone would mean something else to every reader."""
    with pytest.raises(EnvelopeError, match="with time zone, found 2026-03-02T08:15:00"):
        replace(HEADER.document, created_at=datetime(2026, 3, 2, 8, 15))  # noqa: DTZ001 - the fault under test


def test_document_version_zero_is_refused() -> None:
    """Versions of a document count from one."""
    with pytest.raises(EnvelopeError, match="1 or more, found 0"):
        replace(HEADER.scope, document_version=0)
