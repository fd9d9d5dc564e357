"""Whether the copy of a case on a node is the one that the pure engine has: what differs, as sentences."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from eessi_sim.buc.case import Case
from eessi_sim.simulation.views import CaseView, DocumentView, case_view


def unlike(wanted: Case | None, copy: CaseView | None) -> Iterator[str]:
    """Yield how a copy differs from the one that the engine has; nothing when they are alike.

    Local ids, times and ids of documents are each side's own; everything else must be the same, and what was sent
    must have been receipted.

    Args:
        wanted: the copy of the engine; None when there must be none.
        copy: the copy of the node; None when it has none.
    """
    if wanted is None or copy is None:
        if (wanted is None) is not (copy is None):
            yield f"expected {_existence(wanted)}, found {_existence(copy)}"
        return
    view = case_view(wanted)
    for what, expected, found in (
        ("role", view.role, copy.role),
        ("status", view.status, copy.status),
        ("participants", sorted(view.participants), sorted(copy.participants)),
    ):
        if expected != found:
            yield f"expected {what} {expected}, found {found}"
    yield from apart("document", map(_telling(view), view.documents), map(_telling(copy), copy.documents))
    yield from _undelivered(copy)


def apart(what: str, wanted: Iterable[str], found: Iterable[str]) -> Iterator[str]:
    """Yield what one of two collections has more than the other, in no order.

    Args:
        what: word for one of them.
        wanted: what must be there.
        found: what is there.
    """
    ours, theirs = Counter(wanted), Counter(found)
    for text in (ours - theirs).elements():
        yield f"lacks {what} {text}"
    for text in (theirs - ours).elements():
        yield f"has {what} {text}, which was not expected"


def twins(wanted: Case, copy: CaseView, known: dict[str, str]) -> None:
    """Note in ``known`` which document of a node is the same as which of the engine.

    Documents come in the same order on both sides, as far as one sender and one type are concerned.
    """
    taken = set(known.values())
    free = [document for document in copy.documents if document.id not in taken]
    for document in wanted.documents:
        if document.id in known:
            continue
        alike = (each for each in free if (each.type, each.sender) == (document.type, document.sender))
        twin = next(alike, None)
        if twin is not None:
            free.remove(twin)
            known[document.id] = twin.id


def latest(documents: Sequence[DocumentView], sed: str) -> str | None:
    """Return the id of the latest document of a type, None when there is none."""
    return next((document.id for document in reversed(documents) if document.type == sed), None)


def _existence(copy: object) -> str:
    return "no copy" if copy is None else "a copy"


def _telling(case: CaseView) -> Callable[[DocumentView], str]:
    """Return a function that puts a document of a case in words, without ids."""
    types = {document.id: document.type for document in case.documents}

    def tell(document: DocumentView) -> str:
        about = f" about {types.get(document.parent_id, 'another')}" if document.parent_id else ""
        return f"{document.type} {document.status} version {document.version} from {document.sender}{about}"

    return tell


def _undelivered(copy: CaseView) -> Iterator[str]:
    for document in copy.documents:
        for delivery in document.deliveries:
            if delivery.status != "delivered":
                yield f"{document.type} to {delivery.receiver} is {delivery.status} {delivery.detail}".strip()
