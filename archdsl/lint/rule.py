"""A rule: a warning with a code, a name and a level, and what finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.records import record
from archdsl.sema.modules.load import Unit
from archdsl.sema.resolve.index import Definition, Kind, Resolution
from archdsl.syntax import ast


@record
class File:
    """A file in which nothing is wrong, with what its names are."""

    unit: Unit
    resolution: Resolution

    def defined(self, *kinds: Kind) -> Iterator[Definition]:
        """What this file defines itself."""
        return (each for each in self.resolution.definitions if each.unit is self.unit and each.kind in kinds)

    @property
    def is_library(self) -> bool:
        """Whether it holds parts for other files alone: ops, cells and costs, and nothing that uses them."""
        whole = (ast.Space, ast.Genotype, ast.Search, ast.Train)
        return not any(isinstance(item, whole) for item in self.unit.items.values())

    def is_used(self, definition: Definition) -> bool:
        return bool(self.resolution.uses_of(definition))

    def is_used_inside(self, definition: Definition) -> bool:
        """Whether the item that it belongs to uses it; answers and the arguments of calls stand elsewhere."""
        owner = definition.owner
        if owner is None:
            return self.is_used(definition)
        around = owner.node.span
        return any(
            use.span.source.name == around.source.name and around.start <= use.span.start < around.stop
            for use in self.resolution.uses_of(definition)
        )


class Level(StrEnum):
    """What becomes of what a rule finds."""

    ALLOW = "allow"
    WARN = "warn"
    DENY = "deny"
    """It is an error."""


@record
class Rule:
    """A warning, and how it is found."""

    code: str
    name: str
    """As settings and comments may also call it: `unused-op`."""
    find: Callable[[File], Iterator[Diagnostic]] | None = None
    """None for what is found elsewhere: where a genotype is held against its space, where a comment has no effect."""
    level: Level = Level.WARN
    """Where a project does not say otherwise."""


def warning(
    code: str, message: str, definition: Definition, here: str, help: str, also: tuple[Label, ...] = ()
) -> Diagnostic:
    """A warning at the name of a definition."""
    return Diagnostic(code, message, Label(definition.span, here), also, help=help, severity=Severity.WARNING)
