"""``report.html``: the run for people, one file that needs nothing else.

The template decides what stands where; here are only the values it asks for.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from eessi_sim import xmlsafe
from eessi_sim.clock import iso, span
from eessi_sim.identifiers import MessageId
from eessi_sim.report.diagram import anchor, draw
from eessi_sim.report.evidence import CA_FILE, SED_FILE
from eessi_sim.report.model import CaseFile, Message, RunReport, StoryRun, sector_of

_TEMPLATE: Final = "report.html.j2"


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One case with its story and its drawing."""

    case: CaseFile
    story: StoryRun | None
    drawing: Markup
    messages: tuple[Message, ...]

    @property
    def anchor(self) -> str:
        """Id of the chapter on the page."""
        return f"case-{self.case.id}"


def write(report: RunReport) -> bytes:
    """Return the report as one HTML page."""
    chapters = tuple(_chapter(report, case) for case in report.cases)
    told = {chapter.story.id for chapter in chapters if chapter.story}
    page = (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            report=report,
            summary=report.summary,
            chapters=chapters,
            untold=[story for story in report.stories if story.id not in told],
            commands=_commands(report),
            several_points=sum(party.is_access_point for party in report.parties) > 1,
        )
    )
    return page.encode()


def _chapter(report: RunReport, case: CaseFile) -> _Chapter:
    drawing = xmlsafe.serialize(draw(report, case), declaration=False).decode()
    # Our own drawing: every text in it was escaped when the tree was written.
    return _Chapter(case, report.story_of(case), Markup(drawing), report.messages_of(case.id))  # noqa: S704


def _commands(report: RunReport) -> list[str]:
    """Return how to check the first document with other people's programs."""
    if not report.messages:
        return []
    first = report.messages[0]
    sed = f"messages/{MessageId(first.message_id).file_name}/{SED_FILE}"
    # The certificates of simulated time are those of simulated time.
    when = "" if report.mode == "processes" else f"--verification-time '{first.sent_at:%Y-%m-%d %H:%M:%S}' "
    return [
        f"xmlsec1 --verify --id-attr:Id SignedProperties {when}--trusted-pem {CA_FILE} {sed}",
        f"xmllint --noout --schema schemas/{first.schema} {sed}",
    ]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("eessi_sim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        anchor=anchor,
        counted=lambda number, *words: f"{number} {_plural(number, *words)}",
        folder=lambda text: MessageId(text).file_name,
        iso=iso,
        plural=_plural,
        sector=sector_of,
        span=span,
    )
    return environment


def _plural(number: int, one: str, many: str | None = None) -> str:
    """Return the word for one, or for several; an s makes the plural when it is not given."""
    return one if number == 1 else many or f"{one}s"
