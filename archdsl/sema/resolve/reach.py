"""What is known once every body has been read: what attributes reach, and what the arguments of calls name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from archdsl.ops import Primitive
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.resolve.index import Call, Definition, Index, Kind, name_of
from archdsl.syntax import ast

_Of = TypeVar("_Of")
_Found = TypeVar("_Found")
_NOTHING: Mapping[str, tuple[Definition, ...]] = {}


LEVEL_LIMIT = 80
"""No name is followed through more names, sets and calls in one another; texts that lie so deep are refused."""
STEP_LIMIT = 500_000
"""All names together are followed through no more of them."""


@dataclass(frozen=True, slots=True)
class Callee:
    """An op, a cell or a primitive that a call can mean, with the parameters that are fixed already."""

    what: Definition | Primitive
    fixed: frozenset[str] = frozenset()


@dataclass(slots=True)
class Reach:
    """Follows names through lines, sets, calls and structures; what only an evaluation could tell is left out."""

    index: Index
    given: dict[Definition, list[ast.Expr]] = field(default_factory=dict[Definition, list[ast.Expr]])
    """What calls give to ports and parameters."""
    _callables: dict[int, tuple[Callee, ...]] = field(default_factory=dict[int, tuple[Callee, ...]])
    _members: dict[Definition, Mapping[str, tuple[Definition, ...]]] = field(
        default_factory=dict[Definition, "Mapping[str, tuple[Definition, ...]]"]
    )
    _level: int = 0
    _steps: int = 0

    def finish(self) -> None:
        """Add the uses that calls and attributes make."""
        called = [(call, self.callables(call.target)) for call in self.index.calls]
        for call, targets in called:
            for target in targets:
                self._give(call, target)
        for path in self.index.reached:
            self.attributes(self.index.meanings.get(id(path)), path)

    # Calls --------------------------------------------------------------------------------------

    def callables(self, expr: ast.Expr) -> tuple[Callee, ...]:
        """The ops, cells and primitives that an expression can stand for, those of a set among them."""
        known = self._callables.get(id(expr))
        if known is None:
            self._callables[id(expr)] = ()  # while it is looked for: a set that holds itself ends here
            known = self._callables[id(expr)] = tuple(dict.fromkeys(self._followed(self._find_callables, expr)))
        return known

    def _followed(self, find: Callable[[_Of], Iterator[_Found]], of: _Of) -> Iterator[_Found]:
        """What `find` finds, up to the limits."""
        if self._level >= LEVEL_LIMIT:
            return
        self._level += 1
        for each in find(of):
            self._steps += 1
            if self._steps > STEP_LIMIT:
                break
            yield each
        self._level -= 1

    def _find_callables(self, expr: ast.Expr) -> Iterator[Callee]:
        match expr:
            case ast.Path():
                meaning = self.index.meanings.get(id(expr))
                if meaning is not None:
                    yield from self._of_definition(meaning)
                elif not expr.parts and expr.head.text in PRIMITIVES:
                    yield Callee(PRIMITIVES[expr.head.text])
            case ast.Call(target=target, arguments=arguments):
                named = frozenset(each.name.text for each in arguments if each.name is not None)
                for each in self.callables(target):
                    yield Callee(each.what, each.fixed | named)
            case ast.Set(items=items):
                for item in items:
                    yield from self.callables(item)
            case ast.Add(terms=terms):
                for _, term in terms:
                    yield from self.callables(term)
            case ast.Case(arms=arms):
                for arm in arms:
                    yield from self.callables(arm.value)
            case _:
                return

    def _of_definition(self, definition: Definition) -> Iterator[Callee]:
        match definition.kind, definition.node:
            case ((Kind.OP | Kind.CELL), _):
                yield Callee(definition)
            case _, node:
                for expr in self._values(definition, node):
                    if not isinstance(expr, ast.Pipe):
                        yield from self.callables(expr)

    def _values(self, definition: Definition, node: ast.Node) -> Sequence[ast.Expr]:
        """The expressions that a name stands for one of."""
        match node:
            case ast.Ops(value=value) | ast.Assign(value=value) | ast.Output(value=value):
                return (value,)
            case ast.Choose(domain=domain) | ast.Branches(domain=domain):
                return (domain,)
            case ast.Parameter(default=default):
                given = self.given.get(definition, [])
                return (*given, default) if default is not None else given
            case ast.Port():
                return self.given.get(definition, [])
            case ast.Argument(over=over) if over is not None and definition.kind is Kind.BOUND:
                return (over,)
            case _:
                return ()

    def _give(self, call: Call, target: Callee) -> None:
        """What a call names and gives: parameters by name or place, maps, and required parameters by their names."""
        if isinstance(target.what, Primitive):
            required = [each.name for each in target.what.parameters if each.required]
            free = [each.name for each in target.what.parameters if each.name not in target.fixed]
            self._take_around(call, target, required, free)
            return
        item = target.what.node
        if not isinstance(item, ast.Op | ast.Cell):
            return
        unit = target.what.unit
        for argument in call.arguments:
            if argument.name is not None and not isinstance(argument.value, ast.Tag):
                parameter = self.index.parameter(item, unit, argument.name.text)
                if parameter is not None:
                    self.index.use(parameter, argument.name.span)
                    self.given.setdefault(parameter, []).append(argument.value)
        free = [each.name.text for each in item.parameters if each.name.text not in target.fixed]
        positional = [argument.value for argument in call.arguments if argument.name is None]
        if call.step:
            for name, value in zip(free, positional, strict=False):
                parameter = self.index.parameter(item, unit, name)
                if parameter is not None:
                    self.given.setdefault(parameter, []).append(value)
            maps = [call.piped] if call.piped is not None else []
        else:
            maps = positional
        ports = [port for line in item.body if isinstance(line, ast.Input) for port in line.ports]
        for port, value in zip(ports, maps, strict=False):
            found = self.index.define(port.name, Kind.INPUT, port, unit, target.what)
            self.given.setdefault(found, []).append(value)
        if call.strided and (stride := self.index.parameter(item, unit, "s")) is not None:
            self.index.use(stride, call.span, written=False)
        required = [each.name.text for each in item.parameters if each.default is None]
        self._take_around(call, target, required, free)

    def _take_around(self, call: Call, target: Callee, required: Sequence[str], free: Sequence[str]) -> None:
        """A required parameter that a call leaves out takes the value of its name around it (`rule-parameters`)."""
        taken = {argument.name.text for argument in call.arguments if argument.name is not None} | target.fixed
        if call.step:
            taken.update(free[: sum(argument.name is None for argument in call.arguments)])
        for name in required:
            if name in taken or name not in call.around:
                continue
            self.index.use(call.around[name], call.span, written=False)
            if isinstance(target.what, Definition) and isinstance(target.what.node, ast.Op | ast.Cell):
                parameter = self.index.parameter(target.what.node, target.what.unit, name)
                if parameter is not None:
                    self.index.use(parameter, call.span, written=False)

    # Attributes ---------------------------------------------------------------------------------

    def attributes(self, start: Definition | None, path: ast.Path) -> None:
        """Uses of what the attributes of a path name."""
        found = () if start is None else (start,)
        for part in path.parts:
            if isinstance(part, ast.Attribute):
                found = self.member(found, part.name)
                for each in found:
                    self.index.use(each, name_of(part))

    def member(self, definitions: Iterable[Definition], name: str) -> tuple[Definition, ...]:
        """What `.name` of one of several definitions can be."""
        return tuple(dict.fromkeys(each for one in definitions for each in self.members(one).get(name, ())))

    def members(self, definition: Definition) -> Mapping[str, tuple[Definition, ...]]:
        """The names behind a dot: outputs of a cell, lines of a structure, the direction in which a branch ends."""
        known = self._members.get(definition)
        if known is None:
            self._members[definition] = _NOTHING  # while they are looked for: what reads itself ends here
            found: dict[str, dict[Definition, None]] = {}
            for name, each in self._followed(self._find_members, definition):
                found.setdefault(name, {})[each] = None
            known = self._members[definition] = {name: tuple(each) for name, each in found.items()}
        return known

    def _find_members(self, definition: Definition) -> Iterator[tuple[str, Definition]]:
        match definition.node:
            case ast.Cell() | ast.Op() as item:
                for name, each in self.index.bodies.get(id(item), {}).items():
                    if each.kind is Kind.OUTPUT:
                        yield name, each
            case ast.Structure(body=body) as structure:
                for name, each in self.index.bodies.get(id(structure), {}).items():
                    if each.kind is not Kind.AXIS:
                        yield name, each
                for place in body:
                    if isinstance(place, ast.Place):
                        yield from self._of_callables(place.cell)
            case ast.Branches(domain=domain):
                for structure in self.carriers(domain):
                    for name, each in self.index.bodies.get(id(structure.node), {}).items():
                        if each.kind is Kind.AXIS:
                            yield name, each
            case node:
                for expr in self._values(definition, node):
                    for each in self.carriers(expr):
                        yield from self._pairs(each)

    def _pairs(self, definition: Definition) -> Iterator[tuple[str, Definition]]:
        for name, found in self.members(definition).items():
            for each in found:
                yield name, each

    def _of_callables(self, expr: ast.Expr) -> Iterator[tuple[str, Definition]]:
        for each in self.callables(expr):
            if isinstance(each.what, Definition):
                yield from self._pairs(each.what)

    def carriers(self, expr: ast.Expr) -> tuple[Definition, ...]:
        """The definitions whose members the value of an expression has."""
        match expr:
            case ast.Path():
                meaning = self.index.meanings.get(id(expr))
                found = () if meaning is None else (meaning,)
                for part in expr.parts:
                    if isinstance(part, ast.Attribute) and meaning is not None and meaning.owner is not None:
                        found = self.member(found, part.name)
                return found
            case ast.Call(target=target):
                return self._called(target)
            case ast.Pipe(steps=(*_, last)):
                return self._called(last)
            case ast.Case(arms=arms):
                return tuple(each for arm in arms for each in self.carriers(arm.value))
            case ast.Set(items=items) | ast.Tuple(items=items):
                return tuple(each for item in items for each in self.carriers(item))
            case _:
                return ()

    def _called(self, target: ast.Expr) -> tuple[Definition, ...]:
        return tuple(each.what for each in self.callables(target) if isinstance(each.what, Definition))
