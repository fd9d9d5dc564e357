"""What an institution does by itself when a document arrives, as its file says: replies and further documents.

A rule names the SED it reacts to and what it sends, after which delay; the content comes from ``content``. The rule is
named as the actor in the case file, so that everybody can see who decided.
"""

from datetime import timedelta

from eessi_sim.buc.case import Actor, ActorKind, Document
from eessi_sim.identifiers import SedType
from eessi_sim.ir.model import BehaviourRule


def rule_for(behaviours: tuple[BehaviourRule, ...], sed: SedType) -> BehaviourRule | None:
    """Return the first rule that reacts to ``sed``, None when nothing is done automatically."""
    return next((rule for rule in behaviours if rule.when == sed), None)


def actor_of(rule: BehaviourRule, document: Document) -> Actor:
    """Return the rule as the one who decided."""
    return Actor(ActorKind.RULE, "auto_reply", f"{document.type} received: {rule.when} is answered by a rule")


def delay_of(rule: BehaviourRule, pace: float) -> timedelta:
    """Return how long the institution takes to answer, at this pace."""
    return rule.after * pace


def steps_of(rule: BehaviourRule) -> tuple[tuple[SedType, bool], ...]:
    """Return what to send, in order: the type, and whether it is a direct reply to the document."""
    replies = ((rule.reply, True),) if rule.reply else ()
    return (*replies, *((sed, False) for sed in rule.send))
