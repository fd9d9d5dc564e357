"""The participants of a case as one line of text, for a newcomer that has no copy of the case yet (our choice, inferred).

``NO:NAVPE01 CaseOwner; SE:PMSE01 Counterparty left; PL:ZUS01 Counterparty for SE:PMSE01; ES:INSS01 Counterparty joined``
"""

from eessi_sim.buc.case import Case, CaseRole, Participant
from eessi_sim.identifiers import InstitutionId

_BETWEEN = "; "
_LEFT, _JOINED, _FOR = "left", "joined", "for"


def written(case: Case) -> str:
    """Return everybody who takes or took part, in the order of the case."""
    return _BETWEEN.join(_one(each) for each in case.participants)


def _one(participant: Participant) -> str:
    words = [participant.institution, participant.role]
    if not participant.active:
        words.append(_LEFT)
    if participant.joined:
        words.append(_JOINED)
    if participant.follows:
        words += [_FOR, participant.follows]
    return " ".join(words)


def read(text: str) -> tuple[Participant, ...]:
    """Return the participants that ``written`` wrote.

    Raises:
        ValueError: the text does not say so.
        IdentifierError: what stands for an institution is none.
    """
    return tuple(_read_one(part.split(" ")) for part in text.split(_BETWEEN))


def _read_one(words: list[str]) -> Participant:
    if len(words) < 2:
        raise ValueError(f"Expected an institution and its role, found {' '.join(words)!r}")
    institution, role, *more = words
    follows = "".join(more[more.index(_FOR) + 1 :]) if _FOR in more else None
    return Participant(
        InstitutionId(institution),
        CaseRole(role),
        active=_LEFT not in more,
        follows=InstitutionId(follows) if follows is not None else None,
        joined=_JOINED in more,
    )
