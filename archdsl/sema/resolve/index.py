"""The semantic index: every definition of a text and of what it uses, and every place where one is named."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from archdsl.ops import Primitive
from archdsl.records import record
from archdsl.sema.modules.load import Found, Unit
from archdsl.syntax import ast
from archdsl.text import SourceFile, Span


class Kind(StrEnum):
    """What a name is defined as."""

    OP = "op"
    OPS = "op set"
    CELL = "cell"
    SPACE = "space"
    COST = "cost"
    SEARCH = "search"
    TRAINING = "training"
    GENOTYPE = "genotype"
    IMPORT = "import"
    PARAMETER = "parameter"
    INPUT = "input"
    OUTPUT = "output"
    LINE = "name"
    QUESTION = "question"
    EXIT = "exit"
    """What a chain asks for: the chain itself reads it."""
    BRANCH = "branch"
    STRUCTURE = "structure"
    AXIS = "direction"
    BOUND = "bound name"
    TAG = "tag"
    PHASE = "phase"


ITEMS: dict[type[ast.Node], Kind] = {
    ast.Op: Kind.OP,
    ast.Ops: Kind.OPS,
    ast.Cell: Kind.CELL,
    ast.Space: Kind.SPACE,
    ast.Cost: Kind.COST,
    ast.Search: Kind.SEARCH,
    ast.Train: Kind.TRAINING,
    ast.Genotype: Kind.GENOTYPE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One name that a text defines; each is equal to itself alone."""

    name: str
    kind: Kind
    span: Span
    """The name itself; for an import without an alias what stands behind `use`."""
    node: ast.Node
    """What defines it: an item, a parameter, a port, a statement or an argument."""
    unit: Unit
    """The file that it stands in."""
    owner: Definition | None = None
    """The item in whose body the name is known; None for items and imports, which a file knows."""
    run: bool = False
    """Whether it is one of `x1..x3`: its name cannot be changed alone, nor is each of them written."""


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A place where a definition is used."""

    definition: Definition
    span: Span
    written: bool = True
    """Whether the span is the name. A run `x1..x3` reads `x2`, and a call may take a parameter from where it stands."""


@dataclass(frozen=True)
class Resolution:
    """What the names of a file, and of the files that it uses, are."""

    definitions: tuple[Definition, ...]
    uses: tuple[Use, ...]

    @cached_property
    def _uses(self) -> dict[Definition, list[Use]]:
        found: dict[Definition, list[Use]] = {each: [] for each in self.definitions}
        for use in self.uses:
            found.setdefault(use.definition, []).append(use)
        return found

    @cached_property
    def _places(self) -> dict[str, list[tuple[int, int, Definition]]]:
        """By file the names that are written, in the order of the text."""
        found: dict[str, list[tuple[int, int, Definition]]] = {}
        written = (each for each in self.definitions if not each.run or each.span.text == each.name)
        for definition in written:
            found.setdefault(definition.span.source.name, []).append(
                (definition.span.start, definition.span.stop, definition)
            )
        for use in self.uses:
            if use.written:
                found.setdefault(use.span.source.name, []).append((use.span.start, use.span.stop, use.definition))
        for places in found.values():
            places.sort(key=lambda place: place[:2])
        return found

    def uses_of(self, definition: Definition) -> Sequence[Use]:
        """Where a definition is used, in the order in which the text was read."""
        return self._uses.get(definition, ())

    def definitions_at(self, source: SourceFile, offset: int) -> tuple[Definition, ...]:
        """What the name at a place is: several where a name stands for one of each of several cells."""
        places = self._places.get(source.name, [])
        last = bisect_right(places, offset, key=lambda place: place[0])
        found: list[Definition] = []
        for start, stop, definition in reversed(places[:last]):
            if offset >= stop:
                break
            found.append(definition)
            if start < places[last - 1][0]:
                break
        return tuple(dict.fromkeys(reversed(found)))

    def definition_at(self, source: SourceFile, offset: int) -> Definition | None:
        """What the name at a place is, the first where it is several."""
        return next(iter(self.definitions_at(source, offset)), None)


@record
class Call:
    """A call as it stands in a body: what its arguments name is known once every body has been read."""

    target: ast.Expr
    """What is called: a path, or a set behind `->`."""
    arguments: tuple[ast.Argument, ...]
    piped: ast.Expr | None
    """What is carried into a step, where that is written before it."""
    around: Mapping[str, Definition]
    """The parameters of the op or cell in which the call stands: required ones that it leaves out come from there."""
    span: Span
    step: bool
    """Whether it stands behind `->`, where arguments without a name are parameters; elsewhere they are maps."""
    strided: bool
    """Whether it stands in a cell with a stride, which ops on its edges are given as `s` (`rule-ports`)."""


Key: TypeAlias = tuple[str, int, str]


@dataclass(slots=True)
class Index:
    """Collects definitions and uses while names are resolved."""

    units: list[Unit] = field(default_factory=list[Unit])
    """The files, the first the one that is checked."""
    definitions: dict[Key, Definition] = field(default_factory=dict[Key, Definition])
    """By the file, the place and the name: the names of a run `x1..x3` share a place."""
    uses: list[Use] = field(default_factory=list[Use])
    meanings: dict[int, Definition] = field(default_factory=dict[int, Definition])
    """What the head of a path is, by the identity of the path in the tree."""
    bodies: dict[int, Mapping[str, Definition]] = field(default_factory=dict[int, "Mapping[str, Definition]"])
    """The names in the body of an item or a structure, by the identity of its node in the tree."""
    tags: dict[tuple[str, str], Definition] = field(default_factory=dict[tuple[str, str], Definition])
    """Tags by the cell and their name: where each stands first."""
    calls: list[Call] = field(default_factory=list[Call])
    reached: list[ast.Path] = field(default_factory=list[ast.Path])
    """Paths with attributes: what they reach is known once every body has been read."""

    def define(
        self,
        name: ast.Name,
        kind: Kind,
        node: ast.Node,
        unit: Unit,
        owner: Definition | None = None,
        *,
        run: bool = False,
    ) -> Definition:
        """The definition whose name stands there, made once."""
        key = (name.span.source.name, name.span.start, name.text)
        found = self.definitions.get(key)
        if found is None:
            found = self.definitions[key] = Definition(name.text, kind, name.span, node, unit, owner, run)
        return found

    def item(self, item: ast.Item, unit: Unit) -> Definition:
        """The definition of an item of a file."""
        if not isinstance(item, ast.Use):
            return self.define(item.name, ITEMS[type(item)], item, unit)
        source = item.source
        name = item.alias or (source if isinstance(source, ast.Name) else ast.Name(source.span, source.value))
        return self.define(name, Kind.IMPORT, item, unit)

    def parameter(self, item: ast.Op | ast.Ops | ast.Cell | ast.Space, unit: Unit, name: str) -> Definition | None:
        """A parameter of an item by its name."""
        found = next((each for each in item.parameters if each.name.text == name), None)
        return found and self.define(found.name, Kind.PARAMETER, found, unit, self.item(item, unit))

    def use(self, definition: Definition, span: Span, *, written: bool = True) -> None:
        self.uses.append(Use(definition, span, written))

    def use_item(self, found: Found, path: ast.Path, unit: Unit) -> None:
        """A path that names an item of this file or of a used one; a primitive is defined nowhere."""
        if isinstance(found.item, Primitive):
            return
        definition = self.item(found.item, found.unit)
        if found.unit is not unit and (imported := self.imported(found.unit, path, unit)) is not None:
            self.use(imported, path.head.span, written=bool(path.parts))
        self.meanings[id(path)] = definition
        self.use(definition, last_name(path))

    def imported(self, used: Unit, path: ast.Path, unit: Unit) -> Definition | None:
        """The `use` that a path goes through."""
        alias = path.head.text if path.parts else None
        for use, of in unit.imports:
            if of is used and alias == (use.alias.text if use.alias else None):
                return self.item(use, unit)
        return None

    def resolution(self) -> Resolution:
        return Resolution(tuple(self.definitions.values()), tuple(self.uses))


def last_name(path: ast.Path) -> Span:
    """The last name of a path: `normal` of `cas.normal`."""
    return name_of(path.parts[-1]) if path.parts and isinstance(path.parts[-1], ast.Attribute) else path.head.span


def name_of(attribute: ast.Attribute) -> Span:
    """The name behind the dot."""
    span = attribute.span
    return Span(span.source, span.stop - len(attribute.name), span.stop)
