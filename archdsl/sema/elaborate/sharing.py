"""Weights shared between places: `weights@name` in the call of an op or a cell (`rule-weights`)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from archdsl.diagnostics import Label as Mark
from archdsl.ops import Weight
from archdsl.ops.bind import show
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema import codes
from archdsl.sema.elaborate.builder import Builder, Sharing, apart
from archdsl.sema.elaborate.values import Callee, Choice, Environment, Evaluator, Value
from archdsl.sema.reporter import Reporter
from archdsl.space import Apply
from archdsl.syntax import ast
from archdsl.text import Span


def split(callee: Value, arguments: Sequence[ast.Argument]) -> tuple[Sequence[ast.Argument], ast.Tag | None]:
    """The arguments of a call without `weights@name`, and what that says; else what its candidate says."""
    if not any(isinstance(argument.value, ast.Tag) for argument in arguments):
        return arguments, callee.weights if isinstance(callee, Callee) else None
    tags = [argument.value for argument in arguments if isinstance(argument.value, ast.Tag)]
    return [argument for argument in arguments if not isinstance(argument.value, ast.Tag)], tags[-1]


def without(callee: Value) -> Value:
    """A candidate whose weights have been seen to."""
    return replace(callee, weights=None) if isinstance(callee, Callee) else callee


@contextmanager
def calling(
    ev: Evaluator, tag: ast.Tag, callee: Value, env: Environment, span: Span
) -> Generator[Environment, None, None]:
    """The environment of a call that shares weights, or has its own (`weights@each`)."""
    if tag.name is None:
        yield env.under(env.scope.apart())
        return
    scope = env.scope.sharing(env.home, tag.name.text, several=isinstance(callee, Choice))
    with ev.builder.sharing(env.home, tag.name.text, span):
        yield env.under(scope)


@contextmanager
def standing(ev: Evaluator, tag: ast.Tag, env: Environment, span: Span) -> Generator[Environment, None, None]:
    """The same for a cell in a chain or a grid, whose scope is made for it."""
    if tag.name is None:
        yield env.under(env.scope.apart())
        return
    with ev.builder.sharing(env.home, tag.name.text, span):
        yield env.under(env.scope.standing(env.home, tag.name.text))


def agree(builder: Builder, reporter: Reporter) -> bool:
    """Whether all that share weights have the same; reported where two do not."""
    for first, *others in builder.shared.values():
        for other in others:
            if (reason := _difference(builder, first, other)) is not None:
                _report(first, other, reason, reporter)
                return False
    return True


def _difference(builder: Builder, first: Sharing, other: Sharing) -> tuple[str, str] | None:
    """What the first and the other have that shall be one."""
    if alone := [path for path in (*first.nodes, *other.nodes) if (path in first.nodes) != (path in other.nodes)]:
        found, missing = f"has weights `{alone[0]}`", f"has no weights `{alone[0]}`"
        return (found, missing) if alone[0] in first.nodes else (missing, found)
    for path, node in first.nodes.items():
        if (found := _layers_differ(builder, node, other.nodes[path])) is not None:
            return found
    return None


def _layers_differ(builder: Builder, one: int, two: int) -> tuple[str, str] | None:
    first, second = builder.nodes[one].payload, builder.nodes[two].payload
    assert isinstance(first, Apply)
    assert isinstance(second, Apply)
    if first.primitive != second.primitive:
        return f"is a `{first.primitive}`", f"is a `{second.primitive}`"
    for (name, value), (_, other) in zip(first.attributes, second.attributes, strict=True):
        if value != other:
            return f"`{first.primitive}` has `{name} = {show(value)}`", f"has `{name} = {show(other)}`"
    for weight, another in zip(_weights(builder, one), _weights(builder, two), strict=True):
        if weight.shape != another.shape:
            return (
                f"`{first.primitive}` has a `{weight.name}` of {_size(weight)}",
                f"a `{weight.name}` of {_size(another)}",
            )
    return None


def _weights(builder: Builder, node: int) -> tuple[Weight, ...]:
    made = builder.nodes[node]
    assert isinstance(made.payload, Apply)
    shapes = [builder.shape(source) for source in made.inputs]
    return PRIMITIVES[made.payload.primitive].weights(shapes, made.payload.attribute)


def _size(weight: Weight) -> str:
    return "x".join(map(str, weight.shape))


def _report(first: Sharing, other: Sharing, reason: tuple[str, str], reporter: Reporter) -> None:
    places = apart(first.calls, other.calls)
    before, here = places if places is not None else (None, other.calls[-1])
    reporter.report(
        codes.WEIGHTS_DIFFER,
        f"the places that share the weights `{first.name}` differ: the first {reason[0]}, another one {reason[1]}"
        if before is None
        else f"two places that share the weights `{first.name}` differ",
        here,
        reason[1],
        also=() if before is None else (Mark(before, reason[0]),),
        help="give them names of their own, or write `weights@each` in the call of what each place has for itself",
    )
