"""Small reports of runs, written by hand; every field can be named."""

from datetime import UTC, datetime, timedelta
from typing import Any

from eessi_sim.report.model import CaseFile, Message, Party, RunReport, StoryRun

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CASE = f"{7:032x}"
POINT = Party("EU:APSIM01", "Central access point (simulated)", "EU", is_access_point=True)
NORWAY = Party("NO:NAVAT07", "Labour and Welfare Administration (simulated)", "NO")
SWEDEN = Party("SE:FKSE01", "Social Insurance Agency (simulated)", "SE")
POLAND = Party(
    "PL:ZUS01", "Social Insurance Institution of a country with a very long name (simulated)", "PL"
)


def after(milliseconds: int) -> datetime:
    """A moment so long after the beginning of the run."""
    return EIGHT + timedelta(milliseconds=milliseconds)


def a_message(number: int = 1, *, at: int = 0, **fields: Any) -> Message:
    """An A003 from Norway to Sweden with which everything went well.

    Args:
        number: makes its id.
        at: milliseconds after the beginning of the run.
        fields: those that are different.
    """
    return Message(
        **{
            "message_id": f"m{number}@navat07.no.eessi-sim.example",
            "sed": "A003",
            "title": "Determination of applicable legislation",
            "schema": "cdm/4.4/LA/A003.xsd",
            "cdm": "4.4",
            "buc": "LA_BUC_02",
            "case": CASE,
            "document": f"{number:032x}",
            "version": "1",
            "sender": NORWAY.id,
            "receiver": SWEDEN.id,
            "sent_at": after(at),
            "accepted_at": after(at + 50),
            "receipted_at": after(at + 160),
            "xsd_valid": True,
            "rules_valid": True,
            "sed_signature": "valid",
            "as4_signature": "valid",
            "is_filed": True,
            **fields,
        }
    )


def a_refused_message(number: int = 9, *, at: int = 0) -> Message:
    """An A003 that the access point did not let pass."""
    return a_message(
        number,
        at=at,
        accepted_at=None,
        receipted_at=None,
        xsd_valid=None,
        rules_valid=None,
        sed_signature=None,
        as4_signature=None,
        is_filed=False,
        reason="EBMS:0004 Other: Expected a valid A003, found 2 findings <&>",
    )


def a_case(**fields: Any) -> CaseFile:
    """The case of Norway with Sweden and Poland."""
    return CaseFile(
        **{
            "id": CASE,
            "buc": "LA_BUC_02",
            "title": "Determination of applicable legislation",
            "owner": NORWAY.id,
            "participants": (NORWAY.id, SWEDEN.id, POLAND.id),
            "status": "closed",
            "story": "posted-worker",
            **fields,
        }
    )


def a_story(**fields: Any) -> StoryRun:
    """The story of the case, played to its end."""
    return StoryRun(
        **{
            "id": "posted-worker",
            "title": "Posted abroad",
            "text": "Halina works in three countries & pays in one.",
            "buc": "LA_BUC_02",
            "case": CASE,
            **fields,
        }
    )


def a_report(*messages: Message, **fields: Any) -> RunReport:
    """A run on simulated time with these messages, one good one when none is given."""
    return RunReport(
        **{
            "network": "Three countries",
            "mode": "in-process",
            "seed": 7,
            "parties": (POINT, NORWAY, POLAND, SWEDEN),
            "messages": messages or (a_message(),),
            "cases": (a_case(),),
            "stories": (a_story(),),
            **fields,
        }
    )


def a_whole_run() -> RunReport:
    """A run with every kind of message: straight, round the corner, a reply, twice received, refused."""
    return a_report(
        a_message(1, answered_at=after(2000), answered_by="A012"),
        a_message(2, receiver=POLAND.id, is_duplicate=True),
        a_message(3, at=2000, sed="A012", title="Approval", sender=SWEDEN.id, receiver=NORWAY.id),
        a_message(4, at=3000, sed="H001", title="", sender=SWEDEN.id, receiver=POLAND.id),
        a_refused_message(5, at=90_000_000),
    )
