"""What an institution does by itself when a document arrives, as its file says: replies and further documents.

A rule names the SED it reacts to and what it sends, after which delay; the content comes from ``content``. The rule is
named as the actor in the case file, together with what it saw, so that everybody can see who decided, and why.
"""

from datetime import timedelta

from eessi_sim.buc.case import Actor, ActorKind, Document
from eessi_sim.buc.suggestion import Suggestion
from eessi_sim.clock import iso
from eessi_sim.identifiers import SedType
from eessi_sim.ir.model import BehaviourRule, Occasion


def rule_for(behaviours: tuple[BehaviourRule, ...], sed: SedType) -> BehaviourRule | None:
    """Return the first rule that reacts to the arrival of ``sed``, None when no rule knows it."""
    return next(
        (rule for rule in behaviours if rule.when == sed and rule.occasion is Occasion.RECEIVED), None
    )


def inputs_of(document: Document) -> tuple[str, ...]:
    """Return what a rule saw when a document arrived; never persons, because it stands in journals."""
    assert document.exchanged_at is not None  # it has arrived
    came = (
        f"{document.type} version {document.version} from {document.sender} of {iso(document.exchanged_at)}"
    )
    return (f"{came}, document {document.id}",)


def actor_of(rule: BehaviourRule, inputs: tuple[str, ...]) -> Actor:
    """Return the rule as the one who decided, with its inputs."""
    return Actor(ActorKind.RULE, rule.id, f"{rule.occasion}: {'; '.join(inputs)}")


def accepted(clerk: Actor, suggestion: Suggestion) -> Actor:
    """Return the clerk as the one who accepted what a rule had suggested."""
    reason = f"accepted the suggestion of {suggestion.source}"
    return Actor(ActorKind.ACCEPTED, clerk.name, f"{reason}; {clerk.reason}" if clerk.reason else reason)


def delay_of(rule: BehaviourRule, pace: float) -> timedelta:
    """Return how long the institution takes to answer, at this pace."""
    return rule.after * pace


def steps_of(rule: BehaviourRule) -> tuple[tuple[SedType, bool], ...]:
    """Return what to send, in order: the type, and whether it is a direct reply to the document."""
    replies = ((rule.reply, True),) if rule.reply else ()
    return (*replies, *((sed, False) for sed in rule.send))
