"""``junit.xml``: the run for build servers, one test case per story and per message.

Shape: the JUnit XML that Jenkins, GitLab and others read (testsuites, testsuite, testcase, failure; documented by
the Jenkins xUnit plug-in). What failed and why stands in ``failure``.
"""

from lxml import etree

from eessi_sim import xmlsafe
from eessi_sim.clock import iso
from eessi_sim.report.model import Message, RunReport, StoryRun
from eessi_sim.xmlsafe import Element


def write(report: RunReport) -> bytes:
    """Return the report as JUnit XML."""
    root = etree.Element("testsuites", name="eessi-sim")
    _suite(root, report, "stories", [_story_case(story) for story in report.stories])
    _suite(root, report, "messages", [_message_case(message) for message in report.messages])
    failures = sum(int(suite.get("failures", "0")) for suite in root)
    root.set("tests", str(sum(len(suite) for suite in root)))
    root.set("failures", str(failures))
    etree.indent(root, space="  ")
    return xmlsafe.serialize(root) + b"\n"


def _suite(root: Element, report: RunReport, name: str, cases: list[Element]) -> None:
    started_at = report.summary.started_at
    suite = etree.SubElement(
        root,
        "testsuite",
        name=f"eessi-sim.{name}",
        tests=str(len(cases)),
        failures=str(sum(len(case) for case in cases)),
        errors="0",
        skipped="0",
    )
    if started_at:
        suite.set("timestamp", iso(started_at)[:-1])
    suite.extend(cases)


def _story_case(story: StoryRun) -> Element:
    case = etree.Element("testcase", classname=f"stories.{story.buc}", name=f"{story.id}: {story.title}")
    if story.reason:
        _fail(case, "story not played to its end", story.reason)
    return case


def _message_case(message: Message) -> Element:
    way = f"{message.sed} {message.sender} to {message.receiver}"
    case = etree.Element(
        "testcase", classname=f"messages.{message.buc}.{message.case}", name=f"{way} ({message.message_id})"
    )
    if message.receipted_at:
        case.set("time", f"{(message.receipted_at - message.sent_at).total_seconds():.3f}")
    if message.shortcoming:
        _fail(case, "not accepted, receipted and valid", message.shortcoming)
    return case


def _fail(case: Element, kind: str, reason: str) -> None:
    failure = etree.SubElement(case, "failure", type=kind, message=_printable(reason))
    failure.text = _printable(reason)


def _printable(text: str) -> str:
    """Drop control characters that XML cannot carry (XML 1.0 section 2.2)."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
