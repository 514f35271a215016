"""Channel counts and shapes as a standalone file writes them: numbers where they are known, else letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

from archdsl.backends.torch_source.classes import ModuleClass, ScopePlan, Symbols
from archdsl.backends.torch_source.python_layout import Expr, Infix, Name, flat, prose
from archdsl.backends.torch_source.scopes import Scope
from archdsl.ir import ClosedGraph
from archdsl.ops import Channels, Shape, Traits
from archdsl.ops.primitives import PRIMITIVES


def channel_count(module_class: ModuleClass, channels: Symbols) -> Expr:
    """As the constructor knows it: `64`, `c`, `2 * c`, `c + 64`. Raises KeyError where no parameter says it."""
    constant = sum(module_class.column(symbol)[0] for symbol in channels if module_class.is_constant(symbol))
    names = Counter(
        module_class.parameters[module_class.representative(symbol)]
        for symbol in channels
        if not module_class.is_constant(symbol)
    )
    terms: list[Expr] = [Name(name) if times == 1 else Name(f"{times} * {name}") for name, times in names.items()]
    if constant:
        terms.append(Name(str(constant)))
    return terms[0] if len(terms) == 1 else Infix("+", tuple(terms))


def numbers(shape: Shape) -> str:
    """`64x128x256`: channels, height, width."""
    return f"{shape.channels}x{shape.height}x{shape.width}"


def summary(graph: ClosedGraph, module_class: ModuleClass) -> str:
    """What a class is, how often it is used, and what it reads and writes, in one line."""
    structure, count = module_class.structure, len(module_class.scopes)
    title = f"The {prose(structure.kind)} `{prose(structure.definition)}`"
    places = f", in {count} places" if count > 1 else ""
    inputs = [_shape(graph, module_class, (index,), _read(index)) for index in range(structure.inputs)]
    outputs = [
        _shape(graph, module_class, channels, _written(index))
        for index, channels in enumerate(module_class.output_channels)
    ]
    known = f": {', '.join(inputs)} to {', '.join(outputs)}" if all(inputs) and all(outputs) else ""
    line = f"{title}{places}{known}."
    return line if len(line) <= _LONGEST else f"{title}{places}."


def member_comments(graph: ClosedGraph, module_class: ModuleClass) -> dict[int, str]:
    """The shape that a resize or a concat inside a class writes, by member."""
    comments: dict[int, str] = {}
    for index, plan in enumerate(module_class.structure.members):
        if isinstance(plan, ScopePlan) or not _is_commented(PRIMITIVES[plan.primitive].traits):
            continue
        (channels,) = module_class.member_channels[index]
        if text := _shape(graph, module_class, channels, _member(index)):
            comments[index] = text
    return comments


def _is_commented(traits: Traits) -> bool:
    return traits.resamples or traits.channels is Channels.SUM


_LONGEST = 110
"""A docstring has to fit on its line."""

_Map = Callable[[Scope], str]
"""Which map of a scope is meant, as its path."""


def _read(index: int) -> _Map:
    return lambda scope: scope.reads[index]


def _written(index: int) -> _Map:
    return lambda scope: scope.writes[index]


def _member(index: int) -> _Map:
    return lambda scope: scope.members[index].writes[0]


def _shape(graph: ClosedGraph, module_class: ModuleClass, channels: Symbols, which: _Map) -> str:
    """Numbers in a class that is used once, else relative to its first input; empty where letters cannot say it."""
    shapes = [graph.node(which(scope)).shape for scope in module_class.scopes]
    if len(shapes) == 1:
        return numbers(shapes[0])
    named = all(
        module_class.is_constant(symbol) or module_class.representative(symbol) in module_class.parameters
        for symbol in channels
    )
    if not module_class.structure.inputs or not named:
        return ""
    first = [graph.node(scope.reads[0]).shape for scope in module_class.scopes]
    height = _side("H", {(own.height, whole.height) for own, whole in zip(shapes, first, strict=True)})
    width = _side("W", {(own.width, whole.width) for own, whole in zip(shapes, first, strict=True)})
    count = flat(channel_count(module_class, channels))
    return f"{f'({count})' if ' ' in count else count} x {height} x {width}" if height and width else ""


def _side(letter: str, lengths: set[tuple[int, int]]) -> str:
    """`H`, `H/2`, `2H` or `1`; empty where instances of a class differ, or where the ratio is none of these."""
    ratios = {Fraction(own, whole) for own, whole in lengths}
    if len(ratios) == 1:
        (ratio,) = ratios
        if ratio == 1:
            return letter
        if ratio.denominator == 1:
            return f"{ratio.numerator}{letter}"
        if ratio.numerator == 1:
            return f"{letter}/{ratio.denominator}"
    return "1" if {own for own, _ in lengths} == {1} else ""
