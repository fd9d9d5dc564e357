"""The written forms of a report: JSON, JUnit, page, diagram."""

import dataclasses
import json
import re
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from tests.helpers.golden import assert_golden
from tests.helpers.reports import (
    EIGHT,
    NORWAY,
    SWEDEN,
    a_case,
    a_message,
    a_refused_message,
    a_report,
    a_story,
    a_whole_run,
)

from eessi_sim import xmlsafe
from eessi_sim.clock import span
from eessi_sim.report import json_form, junit, page
from eessi_sim.report.diagram import draw


class _Outline(HTMLParser):
    """Collects ids, links and what a page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if identifier := values.get("id"):
            self.ids.append(identifier)
        if tag == "a":
            self.links.append(values.get("href") or "")
        if tag == "link" or "src" in values:
            self.loaded.append(tag)


def outline(html: bytes) -> _Outline:
    found = _Outline()
    found.feed(html.decode())
    return found


def test_json_form_is_as_accepted() -> None:
    """report.json has the form that was looked at and found good."""
    assert_golden("report/report.json", json_form.write(a_whole_run()).decode())


def test_json_of_equal_runs_is_equal() -> None:
    """Two runs with the same values give the same bytes."""
    assert json_form.write(a_whole_run()) == json_form.write(a_whole_run())


def test_json_message_has_every_promised_field() -> None:
    """A message of report.json tells who, what, when and what it is worth."""
    message = json.loads(json_form.write(a_report()))["messages"][0]
    promised = (
        "message_id sed cdm buc case from to sent_at accepted_at receipted_at xsd_valid rules_valid "
        "sed_signature as4_signature receipt duplicate"
    )
    assert set(promised.split()) <= set(message)


def test_json_times_have_milliseconds_and_zone() -> None:
    """Times are UTC with milliseconds and Z."""
    message = json.loads(json_form.write(a_report()))["messages"][0]
    assert message["accepted_at"] == "2026-03-02T08:00:00.050Z"


def test_junit_is_as_accepted() -> None:
    """junit.xml has the form that was looked at and found good."""
    assert_golden("report/junit.xml", junit.write(a_whole_run()).decode())


def test_junit_has_a_case_per_story_and_message() -> None:
    """Every story and every message is a test case."""
    root = xmlsafe.parse(junit.write(a_whole_run()))
    assert (root.get("tests"), len(root.findall(".//testcase"))) == ("6", 6)


def test_junit_failure_carries_the_reason() -> None:
    """A message that was refused fails with the words of who refused it."""
    failure = xmlsafe.parse(junit.write(a_report(a_refused_message()))).find(".//failure")
    assert failure is not None
    assert "EBMS:0004 Other" in str(failure.text)


def test_junit_names_a_stuck_story() -> None:
    """A story that stopped half-way fails with its reason."""
    report = a_report(stories=(a_story(reason="not at its end\x00"),))
    failure = xmlsafe.parse(junit.write(report)).find(".//failure")
    assert failure is not None
    assert failure.text == "not at its end "


def test_junit_of_an_empty_run_has_no_time() -> None:
    """Without messages there is no moment at which the run began."""
    assert b"timestamp" not in junit.write(a_report(messages=(), cases=()))


def test_diagram_is_as_accepted() -> None:
    """The diagram of a case has the form that was looked at and found good."""
    drawing = draw(a_whole_run(), a_case())
    assert_golden("report/sequence.svg", xmlsafe.serialize(drawing, declaration=False).decode())


def test_diagram_has_an_arrow_per_message() -> None:
    """Every message is drawn once, and leads to its row on the page."""
    drawing = draw(a_whole_run(), a_case())
    assert len(drawing.findall("a")) == 5


def test_diagram_draws_refused_message_as_far_as_it_came() -> None:
    """A message that the access point took in and then refused ends with a cross there."""
    refused = dataclasses.replace(a_refused_message(), accepted_at=EIGHT)
    drawing = draw(a_report(refused), a_case())
    assert drawing.find(".//path[@class='cross']") is not None


def test_diagram_writes_the_reason_on_the_free_side() -> None:
    """Behind the cross there is room: right of the access point for the owner, left of it for the others."""
    refused = dataclasses.replace(a_refused_message(), sender=SWEDEN.id, receiver=NORWAY.id, reason=None)
    drawing = draw(a_report(refused, a_refused_message()), a_case())
    reasons = drawing.findall(".//text[@class='reason']")
    assert [reason.get("text-anchor") for reason in reasons] == ["end", "start"]


def test_diagram_draws_accepted_message_without_receipt() -> None:
    """What is accepted but not receipted reaches the receiver, and says what is missing."""
    drawing = draw(a_report(a_message(receipted_at=None)), a_case())
    reason = drawing.find(".//text[@class='reason']")
    assert reason is not None
    assert reason.text == "no receipt"


def test_page_is_as_accepted() -> None:
    """report.html has the form that was looked at and found good."""
    assert_golden("report/report.html", page.write(a_whole_run()).decode())


def test_page_says_how_many_files_travelled() -> None:
    """A message with attachments has a note."""
    assert b"with 2 attachments" in page.write(a_report(a_message(attachments=2)))
    assert b"attachment" not in page.write(a_report(a_message())).partition(b"<body")[2]


def test_page_needs_nothing_else() -> None:
    """The page loads nothing: no script, style, font or picture from elsewhere."""
    html = page.write(a_whole_run())
    assert outline(html).loaded == []
    assert not re.search(rb"@import|url\(", html)


def test_links_inside_the_page_have_their_ends() -> None:
    """Every link to a place on the page finds it."""
    found = outline(page.write(a_whole_run()))
    inside = {link[1:] for link in found.links if link.startswith("#")}
    assert inside - set(found.ids) == set()


def test_page_escapes_what_comes_from_messages() -> None:
    """A reason with markup in it stays text."""
    html = page.write(a_report(a_refused_message()))
    assert b"<&>" not in html
    assert b"&lt;&amp;&gt;" in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "1 message accepted, receipted and valid"),
        ({"messages": (a_message(1), a_message(2))}, "All 2 messages accepted, receipted and valid"),
        ({"messages": (), "cases": ()}, "Nothing was exchanged"),
        ({"messages": (a_refused_message(),)}, "1 of 1 message lacks something"),
        ({"stories": (a_story(reason="stuck"),)}, "1 of 1 story did not come to their end"),
    ],
)
def test_page_begins_with_the_verdict(fields: dict[str, object], words: str) -> None:
    """The first thing on the page is how it went."""
    html = page.write(a_report(**fields)).decode()
    assert words in html


def test_page_shows_a_story_without_case() -> None:
    """A story that could not even begin is on the page with its reason."""
    html = page.write(a_report(messages=(), cases=(), stories=(a_story(case=None, reason="not competent"),)))
    assert b"Not played: not competent" in html


def test_page_of_processes_checks_at_the_time_of_today() -> None:
    """Certificates of simulated time need that time to be checked, real ones do not."""
    simulated, real = page.write(a_report()), page.write(a_report(mode="processes", seed=None))
    assert (b"--verification-time" in simulated, b"--verification-time" in real) == (True, False)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(milliseconds=42), "42 ms"),
        (timedelta(seconds=4.12), "4.1 s"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=25), "25 h"),
        (timedelta(days=60), "60.0 days"),
    ],
)
def test_durations_are_told_as_people_do(time: timedelta, words: str) -> None:
    """Receipts take milliseconds, answers may take months."""
    assert span(time) == words
