"""What messages add up to, and why one lacks something."""

from datetime import timedelta
from typing import Any

import pytest
from tests.helpers.reports import (
    CASE,
    NORWAY,
    POLAND,
    a_case,
    a_message,
    a_refused_message,
    a_report,
    a_story,
    a_whole_run,
    after,
)

from eessi_sim.report.model import sector_of


def test_message_with_all_four_facts_is_complete() -> None:
    """A message that was accepted, receipted, found valid and filed lacks nothing."""
    assert a_message().shortcoming is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"accepted_at": None}, "not accepted by the access point"),
        ({"receipted_at": None}, "no receipt"),
        ({"as4_signature": "invalid"}, "ebMS signature invalid"),
        ({"sed_signature": "invalid"}, "seal of the SED invalid"),
        ({"xsd_valid": False}, "does not fit its schema"),
        ({"rules_valid": False}, "breaks a business rule"),
        ({"is_filed": False}, "not in the receiver's case file"),
    ],
)
def test_shortcoming_names_what_is_missing(fields: dict[str, Any], sentence: str) -> None:
    """Each missing fact has its own words."""
    assert a_message(**fields).shortcoming == sentence


def test_shortcoming_gives_the_reason_of_the_node_that_refused() -> None:
    """The reason stands behind what is missing."""
    assert str(a_refused_message().shortcoming).endswith(
        "not in the receiver's case file: EBMS:0004 Other: Expected a valid A003, found 2 findings <&>"
    )


def test_unchecked_message_is_not_valid() -> None:
    """What nobody has checked does not count as valid."""
    assert not a_message(sed_signature=None).is_valid


def test_receipt_is_missing_until_it_is_verified() -> None:
    """Without the time of a verified receipt there is none."""
    assert (a_message().receipt, a_message(receipted_at=None).receipt) == ("valid", "missing")


def test_summary_counts_a_document_for_two_receivers_once() -> None:
    """One SED to two receivers is two messages and one document."""
    both = a_report(a_message(1), a_message(2, document=f"{1:032x}", receiver=POLAND.id)).summary
    assert (both.messages, both.documents) == (2, 1)


def test_summary_counts_every_state() -> None:
    """Accepted, receipted, valid, duplicates and failed messages are counted apart."""
    summary = a_whole_run().summary
    assert (summary.accepted, summary.receipted, summary.valid, summary.duplicates, summary.failed) == (
        4,
        4,
        4,
        1,
        1,
    )


def test_summary_counts_those_that_took_part() -> None:
    """Institutions, countries and sectors are those of the messages, not those of the network."""
    summary = a_report().summary
    assert (summary.institutions, summary.countries, summary.sectors) == (2, 2, 1)


def test_summary_spans_first_message_and_last_receipt() -> None:
    """A run ends with its last receipt."""
    assert a_report(a_message(1), a_message(2, at=1000)).summary.duration == timedelta(milliseconds=1160)


def test_empty_run_has_no_duration() -> None:
    """A run without messages takes no time."""
    assert a_report(messages=(), cases=()).summary.duration == timedelta(0)


def test_run_without_messages_is_no_success() -> None:
    """Nothing exchanged is nothing shown."""
    assert not a_report(messages=(), cases=()).summary.is_success


def test_run_with_stuck_story_is_no_success() -> None:
    """A story that stopped half-way spoils a run whose messages are all good."""
    assert not a_report(stories=(a_story(reason="stuck"),)).summary.is_success


def test_run_with_good_messages_and_stories_is_a_success() -> None:
    """Everything complete and every story at its end is a success."""
    assert a_report().summary.is_success


def test_unlisted_party_stands_for_itself() -> None:
    """A party that the network does not list is shown by its id and country."""
    stranger = a_report().party("FR:CNAV01")
    assert (stranger.name, stranger.country) == ("FR:CNAV01", "FR")


def test_listed_party_has_its_name() -> None:
    """A party of the network is shown as the network lists it."""
    assert a_report().party(NORWAY.id) is NORWAY


def test_messages_of_a_case_are_only_its_own() -> None:
    """Another case's messages are left out."""
    other = a_message(2, case=f"{8:032x}")
    assert a_report(a_message(1), other).messages_of(CASE) == (a_message(1),)


def test_case_without_story_has_none() -> None:
    """A case that tells no story has none."""
    assert a_report().story_of(a_case(story=None)) is None


def test_last_message_without_receipt_ends_a_run() -> None:
    """Without a receipt the time of sending counts."""
    assert a_report(a_message(1, receipted_at=None)).summary.ended_at == after(0)


def test_sector_stands_in_front_of_the_process() -> None:
    """UB_BUC_01 is of sector UB."""
    assert sector_of("UB_BUC_01") == "UB"
