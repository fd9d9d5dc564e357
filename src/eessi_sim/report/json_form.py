"""``report.json``: the run for programs; the same run gives the same bytes."""

import json
from datetime import datetime
from typing import Final

from eessi_sim.clock import iso
from eessi_sim.report.model import CaseFile, Message, Party, RunReport, StoryRun, Summary

FORMAT: Final = "eessi-sim-report-1"
"""Changes when a reader of an older form would misunderstand a newer one."""


def write(report: RunReport) -> bytes:
    """Return the report as JSON, UTF-8, two spaces, a line end at the end."""
    return (json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n").encode()


def as_dict(report: RunReport) -> dict[str, object]:
    """Return the report as plain values, in the order in which they are written."""
    return {
        "format": FORMAT,
        "network": report.network,
        "mode": report.mode,
        "seed": report.seed,
        "summary": _summary(report.summary),
        "stories": [_story(story) for story in report.stories],
        "cases": [_case(case) for case in report.cases],
        "messages": [_message(message) for message in report.messages],
        "parties": [_party(party) for party in report.parties],
    }


def _time(time: datetime | None) -> str | None:
    return iso(time) if time else None


def _summary(summary: Summary) -> dict[str, object]:
    return {
        "success": summary.is_success,
        "messages": summary.messages,
        "accepted": summary.accepted,
        "receipted": summary.receipted,
        "valid": summary.valid,
        "failed": summary.failed,
        "duplicates": summary.duplicates,
        "documents": summary.documents,
        "seds": summary.seds,
        "institutions": summary.institutions,
        "countries": summary.countries,
        "sectors": summary.sectors,
        "cases": summary.cases,
        "stories": summary.stories,
        "stories_failed": summary.stories_failed,
        "started_at": _time(summary.started_at),
        "ended_at": _time(summary.ended_at),
        "seconds": round(summary.duration.total_seconds(), 3),
    }


def _story(story: StoryRun) -> dict[str, object]:
    return {
        "id": story.id,
        "title": story.title,
        "text": story.text,
        "buc": story.buc,
        "case": story.case,
        "played": story.is_played,
        "reason": story.reason,
        "events": [{"at": _time(event.at), "text": event.text} for event in story.events],
    }


def _case(case: CaseFile) -> dict[str, object]:
    return {
        "case": case.id,
        "buc": case.buc,
        "title": case.title,
        "owner": case.owner,
        "participants": list(case.participants),
        "status": case.status,
        "story": case.story,
    }


def _message(message: Message) -> dict[str, object]:
    return {
        "message_id": message.message_id,
        "sed": message.sed,
        "cdm": message.cdm,
        "buc": message.buc,
        "case": message.case,
        "from": message.sender,
        "to": message.receiver,
        "sent_at": _time(message.sent_at),
        "accepted_at": _time(message.accepted_at),
        "receipted_at": _time(message.receipted_at),
        "xsd_valid": message.xsd_valid,
        "rules_valid": message.rules_valid,
        "sed_signature": message.sed_signature,
        "as4_signature": message.as4_signature,
        "receipt": message.receipt,
        "duplicate": message.is_duplicate,
        "filed": message.is_filed,
        "answered_at": _time(message.answered_at),
        "answered_by": message.answered_by,
        "document": message.document,
        "version": message.version,
        "attachments": message.attachments,
        "access_points": list(message.access_points),
        "reason": message.shortcoming,
    }


def _party(party: Party) -> dict[str, object]:
    return {
        "id": party.id,
        "name": party.name,
        "country": party.country,
        "access_point": party.is_access_point,
        "served_by": party.access_point,
    }
