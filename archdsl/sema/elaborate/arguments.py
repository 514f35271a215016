"""The arguments of a call: its maps, and its parameters by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.ops import Primitive
from archdsl.sema import codes
from archdsl.sema.elaborate import sharing
from archdsl.sema.elaborate.values import (
    POISON,
    Callee,
    Environment,
    Evaluator,
    Many,
    Poison,
    Value,
    describe,
)
from archdsl.sema.reporter import listed, replacement, suggestion
from archdsl.space import FrameKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


def port_values(ev: Evaluator, argument: ast.Argument, env: Environment) -> Sequence[Value]:
    """What one positional argument stands for: a value, the items of a set, or one value for each of `for … in …`."""
    if argument.bound is not None and argument.over is not None:
        over = ev.value(argument.over, env)
        if not isinstance(over, Many):
            return [_no_set(ev, over, argument.over)]
        found: list[Value] = []
        for item in over.items:
            ev.builder.work.spend(argument.span, 1 + len(env.names) // 100)  # they are copied
            inner = env.under(env.scope.child(FrameKind.LINE, f"{argument.bound.text}_{item.spelled}"))
            names = {**env.names, argument.bound.text: item.value}
            found.append(ev.value(argument.value, replace(inner, names=names)))
        return found
    value = ev.value(argument.value, env)
    return [item.value for item in value.items] if isinstance(value, Many) else [value]


def _no_set(ev: Evaluator, value: Value, expr: ast.Expr) -> Value:
    if isinstance(value, Poison):
        return value
    return ev.poison(
        codes.WRONG_KIND, f"`for` goes over a set, and `{unparse(expr)}` is {describe(value)}", expr.span, "no set"
    )


def partial(ev: Evaluator, callee: Callee, expr: ast.Call, env: Environment) -> Value:
    """A candidate with some of its parameters fixed: `dil_conv3x3(d = 4)`."""
    arguments, shared = sharing.split(callee, expr.arguments)
    fixed = bind_arguments(ev, callee, arguments, env)
    if fixed is None:
        return POISON
    return Callee(callee.definition, callee.unit, unparse(expr), (*callee.bound, *fixed.items()), shared)


def refuse_unnamed(ev: Evaluator, callee: Callee, expr: ast.Call, argument: ast.Argument) -> Value:
    """`{conv3x3(8)}`: at the head of an expression, so in a set, what has no name is a map."""
    known = parameter_names(callee)
    written = unparse(argument.value)
    return ev.poison(
        codes.WRONG_KIND,
        f"a candidate's parameters are named, and `{written}` is not",
        argument.span,
        "without a name",
        help=f"write `{callee.name}({known[0]} = {written})`" if known else None,
    )


def parameter_names(callee: Callee) -> tuple[str, ...]:
    if isinstance(callee.definition, Primitive):
        return tuple([parameter.name for parameter in callee.definition.parameters])
    return tuple([parameter.name.text for parameter in callee.definition.parameters])


def bind_arguments(
    ev: Evaluator, callee: Callee, arguments: Sequence[ast.Argument], env: Environment
) -> dict[str, Value] | None:
    """The values of a call's parameters by name; None where one of them is wrong and reported."""
    if not arguments:
        return {}
    known = parameter_names(callee)
    fixed = dict(callee.bound)
    also_maps = callee.definition.maps if isinstance(callee.definition, Primitive) else ()
    free = iter([name for name in known if name not in fixed])
    values: dict[str, Value] = {}
    for argument in arguments:
        if argument.name is None:
            name = next(free, None)
            if name is None:
                ev.poison(
                    codes.WRONG_ARITY,
                    f"`{callee.spelled}` has {_count(len(known), 'parameter')}, and this is one more",
                    argument.span,
                    "one too many",
                    help=_taken(callee, known, also_maps, argument),
                )
                return None
        else:
            name = argument.name.text
            if name not in known and name not in also_maps:
                ev.poison(
                    codes.UNKNOWN_PARAMETER,
                    f"`{callee.spelled}` has no parameter `{name}`",
                    argument.name.span,
                    "not a parameter",
                    help=suggestion(name, list(known)) or "it has no parameters",
                    fix=replacement(name, list(known), argument.name.span),
                )
                return None
        values[name] = ev.value(argument.value, env)
    return values


def _taken(callee: Callee, known: Sequence[str], maps: Sequence[str], argument: ast.Argument) -> str:
    """What a call takes; a second map of a primitive has its name behind `->`."""
    if len(maps) > 1:
        return f"a second map has its name: `{callee.name}({maps[1]} = {unparse(argument.value)})`"
    return f"it takes {listed(list(known))}" if known else "it takes none"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"
