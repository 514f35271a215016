"""The functions of the language: facts about maps, numbers rounded, the sum of a set, the parts of a map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TypeAlias

from archdsl.sema import codes
from archdsl.sema.elaborate import edge_choice
from archdsl.sema.elaborate.arithmetic import whole
from archdsl.sema.elaborate.comparing import greatest, least
from archdsl.sema.elaborate.loose_ends import loose
from archdsl.sema.elaborate.rounding import divisible, rounded_down, rounded_up
from archdsl.sema.elaborate.split import split
from archdsl.sema.elaborate.values import Choice, Environment, Evaluator, Map, Nothing, Poison, Size, Value, describe
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


def _channels(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`channels(x)`: how many channels a map has."""
    return _fact(ev, expr, env, 1, lambda maps: ev.builder.shape(maps[0].node).channels)


def _downsampling(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """`downsampling(x, like)`: the stride that brings `x` to the resolution of `like`; 1 where they agree.

    A size (`2x1`) where rows and columns need different ones.
    """

    def ratio(maps: list[Map]) -> Value:
        fine, like = (ev.builder.shape(each.node) for each in maps)
        rows, columns = (_stride(read, made) for read, made in zip(fine.size, like.size, strict=True))
        # Of maps of few columns several strides give the same: where one gives both sides it is that.
        for near in (rows, columns):
            if isinstance(near, int) and (-(-fine.height // near), -(-fine.width // near)) == like.size:
                return near
        return Size((rows, columns)) if isinstance(rows, int) and isinstance(columns, int) else rows

    return _fact(ev, expr, env, 2, ratio)


def _stride(read: int, made: int) -> int | Fraction:
    """Also between sizes such as 97 and 49: a stride of 2 gives the half, rounded up."""
    down = Fraction(read, made)
    near = round(down)
    return near if near >= 1 and -(-read // near) == made else whole(down)


def _fact(ev: Evaluator, expr: ast.Call, env: Environment, count: int, fact: Callable[[list[Map]], Value]) -> Value:
    name = expr.target.head.text
    named = {"like": 1, "x": 0}
    given: list[Value] = []
    for argument in expr.arguments:
        if argument.name is not None and argument.name.text not in named:
            return ev.poison(
                codes.UNKNOWN_PARAMETER,
                f"`{name}` has no parameter `{argument.name.text}`",
                argument.name.span,
                "not a parameter",
            )
        given.append(ev.value(argument.value, env))
    if len(given) != count:
        what = "one map" if count == 1 else f"{count} maps"
        return ev.poison(codes.WRONG_ARITY, f"`{name}` looks at {what}, and gets {len(given)}", expr.span, "here")
    return _over(ev, expr, given, fact)


def _over(ev: Evaluator, expr: ast.Call, given: list[Value], fact: Callable[[list[Map]], Value]) -> Value:
    maps: list[Map] = []
    for value, argument in zip(given, expr.arguments, strict=True):
        match ev.settle(value):
            case Poison() | Nothing() as same:
                return same
            case Choice(question, options):
                results = [(label, ev.assuming(question, label, _over, ev, expr, given, fact)) for label, _ in options]
                if len({result for _, result in results}) == 1:
                    return results[0][1]
                return Choice(question, tuple(results))
            case Map() as found:
                maps.append(found)
            case other:
                return ev.poison(
                    codes.WRONG_KIND,
                    f"`{expr.target.head.text}` looks at maps, and `{unparse(argument.value)}` is {describe(other)}",
                    argument.span,
                    "no map",
                )
    return fact(maps)


Function: TypeAlias = "Callable[[Evaluator, ast.Call, Environment], Value]"

NUMBERS: Mapping[str, Function] = {
    "ceil": rounded_up,
    "channels": _channels,
    "divisible": divisible,
    "downsampling": _downsampling,
    "floor": rounded_down,
    "max": greatest,
    "min": least,
}
"""Those that give numbers: what they read is no input of anything."""
FUNCTIONS: Mapping[str, Function] = {**NUMBERS, "loose": loose, "split": split, "sum": edge_choice.add_set}
