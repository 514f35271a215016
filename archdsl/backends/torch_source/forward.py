"""The body of `forward`: a module's members as statements, short pipes nested, names taken from the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from archdsl.backends.torch_source.classes import LeafPlan, ModuleClass, ScopePlan, Source
from archdsl.backends.torch_source.names import attribute, variable
from archdsl.backends.torch_source.primitives import called, form
from archdsl.backends.torch_source.python_layout import Call, Expr, Name, commented, flat, statement
from archdsl.space import Apply, FrameKind

_DEEPEST = 4


@dataclass(slots=True)
class Body:
    """Statements under way. A name is free again once the last reader of its map is written."""

    module_class: ModuleClass
    arguments: tuple[str, ...]
    kept: frozenset[Source]
    """Maps that are returned."""
    comments: Mapping[int, str]
    """By member; also where a member may not be nested, because it is worth a line of its own."""
    outermost: bool = False
    """Whether it is the network's own: its maps are named after the modules that write them."""
    indent: int = 2
    """Of the statements that come next."""
    lines: list[str] = field(default_factory=list[str])
    _names: dict[Source, str] = field(default_factory=dict[Source, str])
    _pending: dict[Source, tuple[Expr, int]] = field(default_factory=dict[Source, "tuple[Expr, int]"])
    """Expressions that wait to be nested in their reader, with their depth."""
    _left: Counter[Source] = field(default_factory=Counter[Source])
    _readers: dict[Source, list[int]] = field(default_factory=dict[Source, "list[int]"])

    def __post_init__(self) -> None:
        for position, name in enumerate(self.arguments):
            self._names[Source(-1, position)] = name
        for index, plan in enumerate(self.module_class.structure.members):
            for source in plan.sources:
                self._left[source] += 1
                self._readers.setdefault(source, []).append(index)
        self._left.update(self.kept)

    def write(self, members: Iterator[int] | range) -> None:
        for index in members:
            self._write_member(index)

    def returned(self, source: Source) -> Expr:
        if source in self._pending:
            return self._pending.pop(source)[0]
        return Name(self._names[source])

    def _write_member(self, index: int) -> None:
        plan = self.module_class.structure.members[index]
        maps = [self._read(source) for source in plan.sources]
        depth = 1 + max((self._pending[source][1] for source in plan.sources if source in self._pending), default=0)
        expression = _expression(plan, maps)
        outputs = [Source(index, position) for position, _ in enumerate(self.module_class.member_channels[index])]
        if len(outputs) == 1 and self._is_nested(index, outputs[0], depth):
            self._pending[outputs[0]] = (expression, depth)
            return
        self._settle(plan.sources)
        names = self._targets(plan, outputs)
        self._names.update(zip(outputs, names, strict=True))
        head = f"{', '.join(names)} = "
        if isinstance(expression, Name) and expression.text == ", ".join(names):
            return
        if index in self.comments:
            self.lines.extend(commented(head, expression, self.comments[index], self.indent))
        else:
            self.lines.extend(statement(head, expression, self.indent))

    def _read(self, source: Source) -> Expr:
        return self._pending[source][0] if source in self._pending else Name(self._names[source])

    def _settle(self, sources: Sequence[Source]) -> None:
        """Counts these maps as read, with those that are nested in them."""
        for source in sources:
            if source in self._pending:
                del self._pending[source]
                self._settle(self.module_class.structure.members[source.member].sources)
            self._left[source] -= 1

    def _is_nested(self, index: int, output: Source, depth: int) -> bool:
        if index in self.comments:
            return False
        members = self.module_class.structure.members
        if output in self.kept:
            return len(self.kept) == 1 and index == len(members) - 1 and self._left[output] == 1
        readers = self._readers.get(output, [])
        if len(readers) != 1 or depth >= _DEEPEST:
            return False
        plan, reader = members[index], members[readers[0]]
        return plan.line == reader.line and _is_pipe(plan, reader)

    def _targets(self, plan: LeafPlan | ScopePlan, outputs: Sequence[Source]) -> list[str]:
        live = {name for source, name in self._names.items() if self._left[source] > 0}
        chosen: list[str] = []
        for position, _ in enumerate(outputs):
            wish = self._wish(plan)
            if len(outputs) > 1:
                wish = f"{wish}_{position + 1}"
            name = _free(variable(wish), {*live, *chosen})
            chosen.append(name)
        return chosen

    def _wish(self, plan: LeafPlan | ScopePlan) -> str:
        if isinstance(plan, ScopePlan) and plan.structure.kind == FrameKind.CELL:
            return plan.attribute
        if plan.line:
            return plan.line
        if isinstance(plan, ScopePlan) and self.outermost:
            return plan.attribute
        first = self._names.get(plan.sources[0])
        if first is not None and self._left[plan.sources[0]] <= 0:
            return first
        return "x" if plan.sources[0].member < 0 else "y"


def _is_pipe(plan: LeafPlan | ScopePlan, reader: LeafPlan | ScopePlan) -> bool:
    match plan, reader:
        case LeafPlan(), LeafPlan():
            return form(plan.primitive).piped and form(reader.primitive).piped
        case ScopePlan(), ScopePlan():
            return len(reader.sources) == 1
        case _:
            return False


def _expression(plan: LeafPlan | ScopePlan, maps: Sequence[Expr]) -> Expr:
    own = attribute(plan.home)
    match plan:
        case LeafPlan():
            return called(Apply(plan.primitive, plan.fixed), own, maps)
        case ScopePlan():
            return Call(own, tuple(maps))


def _free(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(other for number in range(2, len(taken) + 3) if (other := f"{name}_{number}") not in taken)


def arguments(count: int) -> tuple[str, ...]:
    """`x`, or `x, y`, or `x1, x2, x3`."""
    return ("x", "y")[:count] if count <= 2 else tuple(f"x{number}" for number in range(1, count + 1))


def joined(parts: Sequence[Expr]) -> Expr:
    return parts[0] if len(parts) == 1 else Name(", ".join(map(flat, parts)))
