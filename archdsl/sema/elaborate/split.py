"""`split(x, n)`: the channels of a map in equal parts, which `parts[1]` to `parts[n]` name."""

from __future__ import annotations

from archdsl.ops import Count, ShapeError
from archdsl.ops.channels import share
from archdsl.ops.dims import multiply
from archdsl.ops.rearranging import SLICE
from archdsl.records import record
from archdsl.sema import codes
from archdsl.sema.elaborate import calls
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.values import (
    Choice,
    Environment,
    Evaluator,
    Map,
    Nothing,
    Poison,
    Structure,
    Value,
    describe,
)
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

PART_LIMIT = 1_000
"""No map is split into more parts."""


@record
class Parts(Structure):
    """The parts of a map, from its first channels on."""

    maps: tuple[Value, ...]

    def describe(self) -> str:
        return f"the {len(self.maps)} parts of a map"

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        number = ev.settle(ev.value(part.value, env)) if isinstance(part, ast.Index) else None
        if isinstance(number, Poison | Nothing):
            return number
        if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= len(self.maps):
            return self.maps[number - 1]
        return ev.poison(
            codes.BAD_INDEX,
            f"`{path.head.text}` has the parts 1 to {len(self.maps)}",
            part.span,
            "no part of it",
            help=f"write `{path.head.text}[1]` for its first channels",
        )


def split(ev: Evaluator, expr: ast.Call, env: Environment) -> Value:
    """The parts of a map; of a map that an answer picks those of each option."""
    if [argument.name for argument in expr.arguments] != [None, None]:
        return ev.poison(
            codes.WRONG_ARITY,
            "`split` takes a map and a number of parts",
            expr.span,
            "here",
            help="write `split(x, 2)`",
        )
    given, count = (ev.settle(ev.value(argument.value, env)) for argument in expr.arguments)
    if isinstance(count, Poison | Nothing):
        return count
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        written = expr.arguments[1].value
        return ev.poison(
            codes.WRONG_KIND,
            f"`split` takes a whole number of parts, and `{unparse(written)}` is none",
            written.span,
            "not a number of at least 1",
        )
    if count > PART_LIMIT:
        raise TooLarge(expr.span, f"the map is split into {count:,} parts; {PART_LIMIT:,} are allowed")
    return _parts(ev, expr, given, count, env)


def _parts(ev: Evaluator, expr: ast.Call, given: Value, count: int, env: Environment) -> Value:
    match ev.settle(given):
        case Poison() | Nothing() as same:
            return same
        case Choice(question, options):
            found = tuple(
                (label, ev.assuming(question, label, _parts, ev, expr, option, count, env)) for label, option in options
            )
            return Choice(question, found)
        case Map() as whole:
            return _of_map(ev, expr, whole, count, env)
        case other:
            written = expr.arguments[0].value
            return ev.poison(
                codes.WRONG_KIND,
                f"`split` takes a map, and `{unparse(written)}` is {describe(other)}",
                written.span,
                "no map",
            )


def _of_map(ev: Evaluator, expr: ast.Call, whole: Map, count: int, env: Environment) -> Value:
    try:
        each: Count = share(ev.builder.shape(whole.node).channels, count, "input", "parts")
    except ShapeError as error:
        return ev.poison(error.code, f"`split` {error.reason}", expr.span, "here", help=error.help)
    return Parts(
        tuple(
            calls.primitive(
                ev,
                SLICE.name,
                [whole],
                {"from": multiply(each, number), "to": multiply(each, number + 1)},
                env,
                expr.span,
            )
            for number in range(count)
        )
    )
