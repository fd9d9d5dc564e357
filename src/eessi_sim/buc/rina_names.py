"""How RINA's JSON names an action: name, displayName, type, template, tags; the names are data.

Nothing here decides what is offered. Meant for a face that speaks as RINA does, and for comparing with its samples.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from eessi_sim import resources
from eessi_sim.buc.actions import Action, Category, Operation
from eessi_sim.buc.case import Case, DocumentStatus
from eessi_sim.buc.definition import BucDefinition
from eessi_sim.definition_files import Fields, Node, load_yaml
from eessi_sim.identifiers import SedType

_ORIGIN: Final = {"source", "confidence"}
_FLAGS: Final = {"can_close", "requires_valid", "validated"}
_SECTORIAL: Final = "sectorial"
_ADMIN: Final = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class RinaAction:
    """An action in RINA's words (rina-api.md 4.3)."""

    name: str
    display_name: str
    type: str
    """``new.regular``, ``existing.regular`` or ``popup``."""
    operation: Operation
    template: str
    type_version: str
    category: Category
    tag_type: str
    """``sectorial`` or ``admin``."""
    can_close: bool
    requires_valid_document: bool
    has_business_validation: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pattern:
    """The names of one operation, with places for SED and version."""

    name: str
    display: str
    reply: str | None
    draft: str | None
    type: str
    template: str
    version: str
    tag: str
    can_close: bool
    requires_valid: bool
    validated: bool


@dataclass(frozen=True, slots=True)
class _Create:
    """How the Create of one SED is called."""

    display: str
    validated: bool


@dataclass(frozen=True, slots=True)
class RinaNames:
    """The names of all operations."""

    operations: dict[Operation, _Pattern]
    creates: dict[SedType, _Create]

    @classmethod
    def default(cls) -> "RinaNames":
        """Return those that come with the program; read once per process."""
        return _default()

    @classmethod
    def load(cls, path: Path) -> "RinaNames":
        """Read the file.

        Raises:
            DefinitionError: it is wrong, or an operation is missing; names file, line and key.
        """
        fields = load_yaml(path).mapping(required={"operations", "creates"})
        operations = fields["operations"].mapping(required={each.value for each in Operation})
        creates = fields["creates"].entries()
        return cls(
            {Operation(name): _pattern(node) for name, node in operations.items()},
            {SedType(name): _create(node) for name, node in creates.items()},
        )

    def name_of_create(self, sed: SedType) -> str:
        """Return what RINA shows for the action that makes a document of its own: ``Close Case``, ``Create A003``."""
        special = self.creates.get(sed)
        return special.display if special else self.operations[Operation.CREATE].display.format(sed=sed)

    def describe(self, action: Action, case: Case, definition: BucDefinition) -> RinaAction:
        """Return an action as RINA writes it.

        Args:
            action: one that the case offers.
            case: the copy of a case.
            definition: its table.
        """
        pattern = self.operations[action.operation]
        special = (
            self.creates.get(action.sed) if action.operation is Operation.CREATE and action.sed else None
        )
        words = {"sed": action.sed or "", "version": case.cdm}
        return RinaAction(
            name=pattern.name,
            display_name=special.display if special else _display(pattern, action, case).format(**words),
            type=pattern.type,
            operation=action.operation,
            template=pattern.template.format(**words),
            type_version=pattern.version.format(**words),
            category=_category(action, definition),
            tag_type=_tag(pattern, action, definition),
            can_close=pattern.can_close,
            requires_valid_document=pattern.requires_valid,
            has_business_validation=special.validated if special else pattern.validated,
        )


_HANDLING: Final = (Operation.READ, Operation.UPDATE, Operation.DELETE)
"""What of an administrative SED stands among the case actions too (observed for X005)."""


def _display(pattern: _Pattern, action: Action, case: Case) -> str:
    if pattern.reply and action.parent_id is not None:
        return pattern.reply
    document = case.find(action.document_id)
    is_draft = document is not None and document.status in (DocumentStatus.NEW, DocumentStatus.ACTIVE)
    return pattern.draft if pattern.draft and is_draft else pattern.display


def _category(action: Action, definition: BucDefinition) -> Category:
    handles = action.operation in _HANDLING and action.sed in definition.administrative
    return Category.CASE_ACTIONS if handles else action.category


def _tag(pattern: _Pattern, action: Action, definition: BucDefinition) -> str:
    """Horizontal and administrative SEDs are tagged admin, but for sending them (observed)."""
    if action.operation is Operation.CREATE:
        is_admin = action.category is not Category.DOCUMENTS or action.sed in definition.administrative
        return _ADMIN if is_admin else pattern.tag
    return _ADMIN if _category(action, definition) is Category.CASE_ACTIONS else pattern.tag


@lru_cache(maxsize=1)
def _default() -> RinaNames:
    return RinaNames.load(resources.schemas() / "rina" / "actions.yaml")


def _pattern(node: Node) -> _Pattern:
    fields = node.mapping(
        required={"name", "display", "type", "template", "version", *_ORIGIN},
        allowed={"reply", "draft", "tag", *_FLAGS},
    )
    return _Pattern(
        name=fields["name"].text(),
        display=fields["display"].text(),
        reply=fields.read("reply", Node.text, None),
        draft=fields.read("draft", Node.text, None),
        type=fields["type"].text(),
        template=fields["template"].text(),
        version=fields["version"].text(),
        tag=fields.read("tag", lambda place: place.one_of([_ADMIN]), _SECTORIAL),
        can_close=_flag(fields, "can_close"),
        requires_valid=_flag(fields, "requires_valid"),
        validated=_flag(fields, "validated"),
    )


def _create(node: Node) -> _Create:
    fields = node.mapping(required={"display", *_ORIGIN}, allowed={"validated"})
    return _Create(fields["display"].text(), _flag(fields, "validated"))


def _flag(fields: Fields, key: str) -> bool:
    return fields.read(key, Node.boolean, default=False)
