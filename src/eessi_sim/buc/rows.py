"""Reads the single rows of a process table: steps, effects, the close rule, walks, X-SEDs.

Nothing here knows a file as a whole; that is ``loader``.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from eessi_sim.buc.administration import AdministrativeRule, CaseEffect, Offered
from eessi_sim.buc.case import CaseRole
from eessi_sim.buc.conditions import Answered, AnyOf, AtLeast, Condition, Fewer, Parties, Says, Test
from eessi_sim.buc.definition import Alternative, CloseRule, EffectRule, Step
from eessi_sim.buc.terms import (
    Addressing,
    Affected,
    CloseMode,
    Confidence,
    Deadline,
    EffectKind,
    Fact,
    FactPlace,
    Origin,
    Permission,
    Scope,
    Sector,
    StepKind,
    Trigger,
    Walk,
)
from eessi_sim.definition_files import Fields, Node, suggestion
from eessi_sim.identifiers import COUNTRIES, BucType, SedType

_T = TypeVar("_T")
_ORIGIN: Final = frozenset({"source", "confidence"})
_ROLES: Final = {role.short: role for role in CaseRole}
_EVERY: Final = "every-counterparty"
_ONE_OR_SEVERAL: Final = {"one": False, "several": True}
_SENDER_MAY: Final = (Permission.UPDATE, Permission.INVALIDATE, Permission.ATTACH)
_RECEIVER_MAY: Final = (Permission.REJECT, Permission.CLARIFY)
_STEP_KEYS: Final = frozenset(
    {
        "to",
        "starter",
        "again",
        "per_country",
        "after",
        "replies_to",
        "optional",
        "repeatable",
        "unanswered",
        "bulk",
        "addressing",
        "sender_may",
        "receiver_may",
        "recreate_after_invalidate",
        "if",
        "sub_process",
        "deadline",
        "note",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """What the rows of one group have in common."""

    kind: StepKind
    starters: tuple[SedType, ...]
    is_bilateral: bool
    conditions: Collection[str] = ()
    """Names that the file declares."""


def read_rows(node: Node, read: Callable[[Node], _T]) -> tuple[_T, ...]:
    """Read a group: its origin and its ``rows``."""
    fields = node.mapping(required={*_ORIGIN, "rows"}, allowed={"note"})
    return fields.each("rows", read)


def read_sed(node: Node) -> SedType:
    """Read a SED type."""
    return node.parsed(SedType)


def read_fact(node: Node) -> Fact:
    """Read a text with its origin."""
    fields = node.mapping(required={*_ORIGIN, "text"})
    origin = read_origin(node)
    return Fact(fields["text"].text(), origin.source, origin.confidence)


def read_origin(node: Node) -> Origin:
    """Read source and confidence of a group."""
    fields = node.entries()
    return Origin(fields["source"].text(), fields["confidence"].member(Confidence))


def read_steps(node: Node, row: Row) -> tuple[Step, ...]:
    """Read one row of ``steps`` or ``horizontal``: one step for each sending role and country.

    Args:
        node: the row.
        row: what it shares with its neighbours.
    """
    fields = node.mapping(required={"sed", "from"}, allowed=_STEP_KEYS)
    senders = _one_or_more(fields["from"], _role)
    return tuple(
        replace(_step(fields, sender, row), sed=sed, country=country)
        for sed, country in _types(fields)
        for sender in senders
    )


def _types(fields: Fields) -> tuple[tuple[SedType, str | None], ...]:
    """P3000 stands for one SED per country (documented): P3000_AT, P3000_BE and so on."""
    sed = fields.read("sed", read_sed)
    if not _flag(fields, "per_country"):
        return ((sed, None),)
    return tuple((SedType(f"{sed}_{country}"), country) for country in sorted(COUNTRIES))


def _step(fields: Fields, sender: CaseRole, row: Row) -> Step:
    is_starter = _flag(fields, "starter")
    replies_to = fields.read("replies_to", lambda n: _one_or_more(n, read_sed), ())
    return Step(
        sed=fields.read("sed", read_sed),
        sender=sender,
        to=fields.read("to", lambda n: frozenset(_one_or_more(n, _role)), _other_side(sender, row)),
        after=_after(fields, row, is_free=not (is_starter or replies_to)),
        replies_to=replies_to,
        starter=is_starter,
        again=_flag(fields, "again"),
        optional=fields.read("optional", Node.boolean, not (is_starter or replies_to)),
        repeatable=_flag(fields, "repeatable"),
        addressing=fields.read("addressing", lambda n: n.member(Addressing), Addressing.ALL),
        permissions=frozenset((*_may(fields, "sender_may"), *_may(fields, "receiver_may"))),
        recreate_after_invalidate=_flag(fields, "recreate_after_invalidate"),
        conditions=fields.read("if", lambda n: _one_or_more(n, _name_among(row.conditions)), ()),
        unanswered=_flag(fields, "unanswered"),
        bulk=_flag(fields, "bulk"),
        kind=row.kind,
        sub_process=fields.read("sub_process", Node.text, None),
        deadline=fields.read("deadline", read_deadline, None),
        note=fields.read("note", Node.text, None),
        line=fields["sed"].line,
    )


def _other_side(sender: CaseRole, row: Row) -> frozenset[CaseRole]:
    """The owner sends to counterparties; a counterparty to the owner and, where there are, to the others."""
    if sender is CaseRole.CASE_OWNER:
        return frozenset({CaseRole.COUNTERPARTY})
    return frozenset({CaseRole.CASE_OWNER} if row.is_bilateral else CaseRole)


def _after(fields: Fields, row: Row, *, is_free: bool) -> tuple[SedType, ...]:
    """A horizontal SED can be used once the case is started, unless its row says more."""
    default = row.starters if row.kind is StepKind.HORIZONTAL and is_free else ()
    return fields.each("after", read_sed) or default


def _may(fields: Fields, key: str) -> tuple[Permission, ...]:
    words = _SENDER_MAY if key == "sender_may" else _RECEIVER_MAY
    return fields.each(key, lambda n: Permission(n.one_of([word.value for word in words])))


def _role(node: Node) -> CaseRole:
    return _ROLES[node.one_of(_ROLES)]


def _name_among(names: Collection[str]) -> Callable[[Node], str]:
    """Return the reader of a name that ``conditions`` of the same file declares."""

    def read(node: Node) -> str:
        name = node.text()
        if name in names:
            return name
        known = f"one of {', '.join(names)}" if names else "a name that conditions declares"
        raise node.error(
            f'Expected {known}, found "{name}"',
            hint=suggestion(name, names) if names else "Declare it under conditions of this file.",
        )

    return read


def read_condition(node: Node) -> Condition:
    """Read one row of ``conditions``: its name, what it means, and what it asks of the case."""
    fields = node.mapping(required={"name", "text", "holds"})
    return Condition(
        name=fields["name"].text(),
        text=fields["text"].text(),
        test=fields.read("holds", _test),
        line=fields["name"].line,
    )


def _test(node: Node) -> Test:
    kind = next((key for key in _TESTS if key in node.entries()), None)
    if kind is None:
        raise node.error(
            f"Expected one of {', '.join(_TESTS)}, found {', '.join(node.entries()) or 'nothing'}",
            hint="Write it like holds: {answer: A012, to_latest: A003, from: every-counterparty}.",
        )
    return _TESTS[kind](node)


def _answered(node: Node) -> Test:
    fields = node.mapping(required={"answer", "to_latest"}, allowed={"from"})
    by_all = "from" in fields and fields["from"].one_of([_EVERY]) == _EVERY
    return Answered(read_sed(fields["answer"]), read_sed(fields["to_latest"]), by_all)


def _fewer(node: Node) -> Test:
    fields = node.mapping(required={"fewer", "than"})
    return Fewer(read_sed(fields["fewer"]), _sed_or_number(fields["than"]))


def _at_least(node: Node) -> Test:
    fields = node.mapping(required={"at_least", "as_many_as"})
    return AtLeast(read_sed(fields["at_least"]), _sed_or_number(fields["as_many_as"]))


def _sed_or_number(node: Node) -> SedType | int:
    return node.integer() if node.text().isdigit() else read_sed(node)


def _parties(node: Node) -> Test:
    fields = node.mapping(required={"counterparties"})
    return Parties(_ONE_OR_SEVERAL[fields["counterparties"].one_of(_ONE_OR_SEVERAL)])


def _says(node: Node) -> Test:
    fields = node.mapping(required={"fact", "of"})
    return Says(read_sed(fields["of"]), fields["fact"].text())


def _any_of(node: Node) -> Test:
    return AnyOf(node.mapping(required={"any_of"}).each("any_of", _test))


_TESTS: Final[Mapping[str, Callable[[Node], Test]]] = {
    "answer": _answered,
    "fewer": _fewer,
    "at_least": _at_least,
    "counterparties": _parties,
    "fact": _says,
    "any_of": _any_of,
}
"""What a condition may ask, by the key that tells the kinds apart."""


def read_fact_place(node: Node) -> FactPlace:
    """Read one row of ``facts``: which SED states it, where, and by which text."""
    fields = node.mapping(required={"fact", "of", "where", "is"})
    return FactPlace(
        fields["fact"].text(), read_sed(fields["of"]), fields["where"].text(), fields["is"].text()
    )


def _fact_of(sed: SedType) -> Callable[[Node], FactPlace]:
    """Return the reader of a fact of one administrative SED."""

    def read(node: Node) -> FactPlace:
        fields = node.mapping(required={"fact", "where", "is"})
        return FactPlace(fields["fact"].text(), sed, fields["where"].text(), fields["is"].text())

    return read


def read_deadline(node: Node) -> Deadline:
    """Read a time limit: its words, its article, its length."""
    fields = node.mapping(
        required={*_ORIGIN, "text"}, allowed={"article", "months", "days", "from_month_end", "since", "until"}
    )
    origin = read_origin(node)
    return Deadline(
        text=fields["text"].text(),
        article=fields.read("article", Node.text, None),
        months=fields.read("months", Node.integer, 0),
        days=fields.read("days", Node.integer, 0),
        from_month_end=_flag(fields, "from_month_end"),
        since=fields.read("since", read_sed, None),
        until=fields.each("until", read_sed),
        source=origin.source,
        confidence=origin.confidence,
    )


def _flag(fields: Fields, key: str) -> bool:
    return key in fields and fields[key].boolean()


def _one_or_more(node: Node, read: Callable[[Node], _T]) -> tuple[_T, ...]:
    return node.each(read) if node.is_sequence else (read(node),)


def read_close(node: Node, conditions: Collection[str]) -> CloseRule:
    """Read the ``close`` group.

    Args:
        node: the group.
        conditions: names that the file declares.
    """
    fields = node.mapping(required={*_ORIGIN, "mode"}, allowed={"for_all", "local", "reopen", "note"})
    rule = CloseRule(
        mode=fields.read("mode", lambda n: n.member(CloseMode)),
        local=frozenset(fields.each("local", _role)),
        reopen=frozenset(fields.each("reopen", _role)),
        line=fields["mode"].line,
    )
    return fields.read("for_all", lambda n: _with_close_sed(rule, n, conditions), rule)


def _with_close_sed(rule: CloseRule, node: Node, conditions: Collection[str]) -> CloseRule:
    fields = node.mapping(required={"by"}, allowed={"after", "since", "at_once_if", "note"})
    if ("after" in fields) != ("since" in fields):
        raise node.error(
            'Expected "after" and "since" together, found one of them',
            hint="Say how long after which SED the closing SED is offered.",
        )
    return replace(
        rule,
        by=frozenset(fields.each("by", _role)),
        after=fields.read("after", Node.duration, None),
        since=fields.read("since", read_sed, None),
        at_once_if=fields.read("at_once_if", _name_among(conditions), None),
    )


def read_roles_by_sed(node: Node) -> tuple[bool, Mapping[SedType, frozenset[CaseRole]]]:
    """Read the ``admin`` group: whether a counterparty removes only itself, and who may send which X-SED."""
    fields = node.mapping(required={*_ORIGIN, "roles"}, allowed={"cp_removes_only_itself", "note"})
    roles = {
        replace(value, value=key).parsed(SedType): frozenset(value.each(_role))
        for key, value in fields["roles"].entries().items()
    }
    return _flag(fields, "cp_removes_only_itself"), roles


def read_alternative(node: Node) -> Alternative:
    """Read one group of SEDs of which a sender sends only one."""
    fields = node.mapping(required={"seds", "per"})
    return Alternative(fields.each("seds", read_sed), fields["per"].member(Scope), fields["seds"].line)


def read_effect(node: Node) -> EffectRule:
    """Read one row of ``effects``."""
    fields = node.mapping(
        required={"by", "on", "of", "effect", "seds"}, allowed={"action", "parent", "only_as_starter", "note"}
    )
    return EffectRule(
        by=fields.read("by", _role),
        on=fields.read("on", lambda n: n.member(Trigger)),
        of=fields.each("of", read_sed),
        effect=fields.read("effect", lambda n: n.member(EffectKind)),
        seds=fields.each("seds", read_sed),
        action=fields.read("action", lambda n: n.member(Affected), Affected.CREATE),
        parent=fields.read("parent", read_sed, None),
        only_as_starter=_flag(fields, "only_as_starter"),
        line=fields["by"].line,
    )


def read_walks(node: Node) -> tuple[Walk, ...]:
    """Read the example runs: those that must work, then those that must be refused."""
    fields = node.mapping(required={"ok", "refused"})
    return (*fields.each("ok", _walk), *fields.each("refused", _refused_walk))


def _walk(node: Node) -> Walk:
    return _run(node.mapping(required={"name", "parties", "steps"}, allowed={"in"}))


def _refused_walk(node: Node) -> Walk:
    fields = node.mapping(required={"name", "parties", "steps", "because"}, allowed={"in"})
    run = _run(fields)
    return replace(run, refused_at=len(run.steps), because=fields["because"].text())


def _run(fields: Fields) -> Walk:
    return Walk(
        name=fields["name"].text(),
        parties=fields.each("parties", Node.text),
        steps=fields.each("steps", Node.text),
        within=fields.read("in", lambda n: n.parsed(BucType), None),
        line=fields["name"].line,
    )


def read_administrative(node: Node, sub_process: str) -> AdministrativeRule:
    """Read one row of ``seds`` of a sub-process."""
    fields = node.mapping(
        required={*_ORIGIN, "sed", "title", "offered"},
        allowed={
            "effect",
            "permission",
            "replies_to",
            "addressing",
            "repeatable",
            "until_answered",
            "receivable_when_closed",
            "facts",
            "joins_at",
            "leaves_at",
            "text_at",
            "participants",
            "note",
        },
    )
    places = fields.each("facts", _fact_of(fields.read("sed", read_sed)))
    return AdministrativeRule(
        sed=fields.read("sed", read_sed),
        title=fields.read("title", read_fact),
        sub_process=sub_process,
        offered=fields.read("offered", lambda n: n.member(Offered)),
        effect=fields.read("effect", lambda n: n.member(CaseEffect), CaseEffect.NONE),
        permission=fields.read("permission", lambda n: n.member(Permission), None),
        replies_to=fields.read("replies_to", read_sed, None),
        addressing=fields.read("addressing", lambda n: n.member(Addressing), Addressing.ALL),
        repeatable=_flag(fields, "repeatable"),
        until_answered=_flag(fields, "until_answered"),
        receivable_when_closed=_flag(fields, "receivable_when_closed"),
        facts=tuple(place.fact for place in places),
        places=places,
        joins_at=fields.read("joins_at", Node.text, None),
        leaves_at=fields.read("leaves_at", Node.text, None),
        text_at=fields.read("text_at", Node.text, None),
        participants=fields.read("participants", Node.integer, 0),
        origin=Origin(fields["source"].text(), fields["confidence"].member(Confidence)),
        note=fields.read("note", Node.text, None),
        line=fields["sed"].line,
    )


def read_sector(node: Node) -> Sector:
    """Read one row of the file of sectors."""
    fields = node.mapping(required={*_ORIGIN, "id", "name", "code"}, allowed={"in_scope"})
    return Sector(
        id=fields["id"].text(),
        name=fields["name"].text(),
        code=fields["code"].text(),
        in_scope=_flag(fields, "in_scope"),
    )
