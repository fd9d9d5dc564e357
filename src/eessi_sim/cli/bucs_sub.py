"""``eessi-sim bucs show`` for an administrative sub-process: its SEDs, when they are offered, what they do."""

from typing import Final

from rich.text import Text

from eessi_sim.buc.administration import AdministrativeRule, CaseEffect, Offered, SubProcess
from eessi_sim.cli import output

_WHEN: Final = {
    Offered.START: "once the case is started",
    Offered.SENT: "about a SED sent before, if its step allows it",
    Offered.RECEIVED: "about a SED received before, if its step allows it",
    Offered.REPLY: "as answer to",
    Offered.CLOSED: "about the SED that closed the case for all",
    Offered.ANSWERED: "to who asked, when all have answered by",
    Offered.NEVER: "never to a user",
}


def show_sub_process(process: SubProcess, *, as_json: bool) -> None:
    """Show an administrative sub-process."""
    if as_json:
        output.show_json(_as_json(process))
        return
    law = process.legal_basis
    output.show(Text(f"{process.buc}  {process.title.text}", style="bold"))
    output.show_fields(
        {
            "law": f"{law.text} ({law.confidence})" if law else "",
            "purpose": process.purpose.text,
            "started by": process.started_by.text if process.started_by else "",
        }
    )
    output.show(Text())
    if process.rules:
        rows = [
            (rule.sed, rule.title.text, _when(rule), _does(rule), rule.note or "") for rule in process.rules
        ]
        output.show_table(["!SED", "Title", "Offered", "Does", "Remarks"], rows)
    else:
        output.show(Text("It has no SED of its own."))


def _when(rule: AdministrativeRule) -> str:
    return " ".join(filter(None, (_WHEN[rule.offered], rule.replies_to)))


def _does(rule: AdministrativeRule) -> str:
    return "" if rule.effect is CaseEffect.NONE else rule.effect.replace("-", " ")


def _as_json(process: SubProcess) -> dict[str, object]:
    return {
        "buc": process.buc,
        "title": process.title.text,
        "sector": process.sector,
        "purpose": process.purpose.text,
        "seds": [
            {
                "sed": rule.sed,
                "title": rule.title.text,
                "offered": rule.offered,
                "replies_to": rule.replies_to,
                "effect": rule.effect,
                "addressing": rule.addressing,
                "facts": rule.facts,
                "note": rule.note,
            }
            for rule in process.rules
        ],
    }
