"""Which modules share a class, and what of their numbers becomes an argument of its constructor.

Modules of equal structure share a class. Their channel numbers are laid side by side: a number that is the same in
all of them stays in the class, numbers that always agree with each other are one argument (anti-unification).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.backends.torch_source.scopes import Leaf, Names, Scope
from archdsl.ir import ClosedGraph
from archdsl.ops import Channels, Value
from archdsl.ops.primitives import PRIMITIVES

Symbols: TypeAlias = "tuple[int, ...]"
"""A channel count as the sum of symbols; a symbol is a position in a module's flat list of numbers."""

_NUMBERS = ("c", "groups")
"""Parameters that are channel counts of a layer with tensors."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a member's map comes from: an input of the module (`member` is -1), or an output of a member."""

    member: int
    output: int


@dataclass(frozen=True, slots=True)
class LeafPlan:
    home: Names
    line: str
    primitive: str
    fixed: tuple[tuple[str, Value], ...]
    """Attributes without channel counts."""
    sources: tuple[Source, ...]
    grouped: bool


@dataclass(frozen=True, slots=True)
class ScopePlan:
    attribute: str
    home: Names
    line: str
    structure: Structure
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """A module without its channel counts; modules of equal structure share a class."""

    definition: str
    kind: str
    inputs: int
    members: tuple[LeafPlan | ScopePlan, ...]
    outputs: tuple[Source, ...]


@dataclass(eq=False)
class ModuleClass:
    """One class of the file. `numbers[i]` are the symbols' values in instance i."""

    structure: Structure
    stride: str = ""
    """`S2` where the first instance halves its map, so that names can tell strides apart."""
    name: str = ""
    scopes: list[Scope] = field(default_factory=list[Scope])
    numbers: list[tuple[int, ...]] = field(default_factory=list[tuple[int, ...]])
    member_channels: tuple[tuple[Symbols, ...], ...] = ()
    """Symbols of each member's outputs."""
    first_symbols: tuple[int, ...] = ()
    """Each member's first own symbol."""
    output_channels: tuple[Symbols, ...] = ()
    parameters: dict[int, str] = field(default_factory=dict[int, str])
    """Symbols that are arguments, by the representative of those that always agree; in the constructor's order."""

    def column(self, symbol: int) -> tuple[int, ...]:
        return tuple(numbers[symbol] for numbers in self.numbers)

    def representative(self, symbol: int) -> int:
        column = self.column(symbol)
        return next(other for other in range(symbol + 1) if self.column(other) == column)

    def groups_symbol(self, index: int) -> int:
        """The symbol of the groups of a member that has some: behind the one of channels of its own."""
        plan = self.structure.members[index]
        assert isinstance(plan, LeafPlan)
        own = PRIMITIVES[plan.primitive].traits.channels is Channels.OWN
        return self.first_symbols[index] + own

    def is_constant(self, symbol: int) -> bool:
        return len(set(self.column(symbol))) == 1

    def source_channels(self, source: Source) -> Symbols:
        return (source.output,) if source.member < 0 else self.member_channels[source.member][source.output]


def classes_of(graph: ClosedGraph, network: Scope) -> dict[Structure, ModuleClass]:
    """Every class of the network, each after the classes that it uses, the network's own last."""
    found: dict[Structure, ModuleClass] = {}
    _collect(graph, network, found)
    for module_class in found.values():
        _lay_out(module_class, found)
    for module_class in found.values():
        _choose_parameters(module_class, found)
    return found


# Structures and numbers -------------------------------------------------------------------------


def _collect(
    graph: ClosedGraph, scope: Scope, found: dict[Structure, ModuleClass]
) -> tuple[Structure, tuple[int, ...]]:
    """The scope's structure and the numbers of its symbols: its inputs' channels, then each member's own."""
    places = {path: Source(-1, index) for index, path in enumerate(scope.reads)}
    plans: list[LeafPlan | ScopePlan] = []
    numbers = [_channels(graph, path) for path in scope.reads]
    for index, member in enumerate(scope.members):
        sources = tuple(places[path] for path in member.reads)
        match member:
            case Leaf():
                plan, own = _leaf_plan(member, sources)
            case Scope():
                structure, inner = _collect(graph, member, found)
                plan = ScopePlan(member.attribute, member.home, member.line, structure, sources)
                own = inner[len(member.reads) :]
        plans.append(plan)
        numbers.extend(own)
        places.update({path: Source(index, output) for output, path in enumerate(member.writes)})
    structure = Structure(
        scope.definition,
        scope.kind or "",
        len(scope.reads),
        tuple(plans),
        tuple(places[path] for path in scope.writes),
    )
    module_class = found.setdefault(structure, ModuleClass(structure, _stride(graph, scope)))
    module_class.scopes.append(scope)
    module_class.numbers.append(tuple(numbers))
    return structure, tuple(numbers)


def _leaf_plan(leaf: Leaf, sources: tuple[Source, ...]) -> tuple[LeafPlan, tuple[int, ...]]:
    payload = leaf.payload
    attributes = payload.attribute
    primitive = PRIMITIVES[payload.primitive]
    numeric = [name for name in _NUMBERS if name in attributes and primitive.owns_tensors]
    groups = attributes["groups"] if "groups" in numeric else 1
    grouped = groups != 1
    fixed = tuple((name, value) for name, value in payload.attributes if name not in numeric)
    numbers: list[int] = []
    if primitive.channels(attributes) in (Channels.OWN, Channels.DERIVED):
        numbers.append(_whole(leaf.node.shape.channels))
    if grouped:
        numbers.append(_whole(groups))
    return LeafPlan(leaf.home, leaf.line, payload.primitive, fixed, sources, grouped), tuple(numbers)


def _channels(graph: ClosedGraph, path: str) -> int:
    return _whole(graph.node(path).shape.channels)


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is not a number, so the graph is not closed")
    return value


def _stride(graph: ClosedGraph, scope: Scope) -> str:
    if not scope.reads or not scope.writes:
        return ""
    before, after = graph.node(scope.reads[0]).shape.height, graph.node(scope.writes[-1]).shape.height
    return f"S{round(before / after)}" if before > after else ""


def _lay_out(module_class: ModuleClass, classes: Mapping[Structure, ModuleClass]) -> None:
    """Says of each map in the class how many channels it has, in symbols."""
    structure = module_class.structure
    symbol = structure.inputs
    known: list[tuple[Symbols, ...]] = []
    firsts: list[int] = []

    def channels(source: Source) -> Symbols:
        return (source.output,) if source.member < 0 else known[source.member][source.output]

    for plan in structure.members:
        firsts.append(symbol)
        read = [channels(source) for source in plan.sources]
        match plan:
            case LeafPlan():
                rule = PRIMITIVES[plan.primitive].channels(dict(plan.fixed))
                chosen = rule in (Channels.OWN, Channels.DERIVED)
                match rule:
                    case Channels.OWN | Channels.DERIVED:
                        written: Symbols = (symbol,)
                    case Channels.SUM:
                        written = tuple(part for parts in read for part in parts)
                    case Channels.FIRST:
                        written = _widest(module_class, read)
                known.append((written,))
                symbol += chosen + plan.grouped
            case ScopePlan():
                inner = classes[plan.structure]
                translated = _translation(inner, read, symbol)
                known.append(tuple(translated(output) for output in inner.output_channels))
                symbol += len(inner.numbers[0]) - plan.structure.inputs
    module_class.member_channels = tuple(known)
    module_class.first_symbols = tuple(firsts)
    module_class.output_channels = tuple(channels(source) for source in structure.outputs)


def _widest(module_class: ModuleClass, read: Sequence[Symbols]) -> Symbols:
    """The channels of the first map, or of the first of several channels where it is spread over others."""

    def several(symbols: Symbols) -> bool:
        return len(symbols) > 1 or any(count > 1 for symbol in symbols for count in module_class.column(symbol))

    return next(filter(several, read), read[0])


def _translation(inner: ModuleClass, read: Sequence[Symbols], first: int) -> Callable[[Symbols], Symbols]:
    """From a member's symbols to those of the module around it."""
    inputs = inner.structure.inputs

    def translate(channels: Symbols) -> Symbols:
        parts = (read[symbol] if symbol < inputs else (first + symbol - inputs,) for symbol in channels)
        return tuple(part for group in parts for part in group)

    return translate


def argument_channels(module_class: ModuleClass, index: int, inner: ModuleClass) -> tuple[tuple[str, Symbols], ...]:
    """What the member at `index`, an `inner`, gets for each of its parameters."""
    plan = module_class.structure.members[index]
    read = [module_class.source_channels(source) for source in plan.sources]
    translated = _translation(inner, read, module_class.first_symbols[index])
    return tuple((name, translated((symbol,))) for symbol, name in inner.parameters.items())


# Parameters -------------------------------------------------------------------------------------


def _choose_parameters(module_class: ModuleClass, classes: Mapping[Structure, ModuleClass]) -> None:
    used = {
        module_class.representative(symbol)
        for channels in _used(module_class, classes)
        for symbol in channels
        if not module_class.is_constant(symbol)
    }
    module_class.parameters = _named(module_class, used)


def _used(module_class: ModuleClass, classes: Mapping[Structure, ModuleClass]) -> Iterable[Symbols]:
    for index, plan in enumerate(module_class.structure.members):
        match plan:
            case LeafPlan() if PRIMITIVES[plan.primitive].owns_tensors:
                yield module_class.source_channels(plan.sources[0])
                yield module_class.member_channels[index][0]
                if plan.grouped:
                    yield (module_class.groups_symbol(index),)
            case LeafPlan():
                pass
            case ScopePlan():
                for _, channels in argument_channels(module_class, index, classes[plan.structure]):
                    yield channels


def _named(module_class: ModuleClass, used: set[int]) -> dict[int, str]:
    """`c_in` for the channels read, `c` for those written, `c_mid` or `c_` and the maker's name for others."""
    outputs = [channels[0] for channels in module_class.output_channels if len(channels) == 1]
    written = {module_class.representative(symbol) for symbol in outputs[:1]}
    inputs = [symbol for symbol in sorted(used - written) if symbol < module_class.structure.inputs]
    result = sorted(used & written)
    others = sorted(used - written - set(inputs))
    names = ["c_in"] if len(inputs) == 1 else [f"c_in_{number}" for number, _ in enumerate(inputs, 1)]
    middle = ["c_mid"] if len(others) == 1 else [f"c_mid_{number}" for number, _ in enumerate(others, 1)]
    return dict(zip([*inputs, *result, *others], [*names, *("c" for _ in result), *middle], strict=True))
