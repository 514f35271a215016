"""Parameters of a search: numbers that stand in its lines by their names, `search gas_s(lambda = 0.005) of gas`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, cast

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.numbers import exact_number
from archdsl.syntax import ast
from archdsl.text import Span


def with_values(item: ast.Search, given: Mapping[str, object], reporter: Reporter) -> ast.Search | None:
    """The search with the value of each parameter in its place: the given one, else that of the text.

    None where one has no value, or one that is no number; that has been reported.
    """
    values: dict[str, Fraction] = {}
    for parameter in item.parameters:
        value = _value(item, parameter, given, values, reporter)
        if value is None:
            return None
        values[parameter.name.text] = value
    return replace(item, body=_substituted(item.body, values)) if values else item


def _value(
    item: ast.Search,
    parameter: ast.Parameter,
    given: Mapping[str, object],
    before: Mapping[str, Fraction],
    reporter: Reporter,
) -> Fraction | None:
    name = parameter.name.text
    if name in given:
        value = given[name]
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return Fraction(value)
        reporter.report(
            codes.NOT_A_VALUE,
            f"`{name}` of `{item.name.text}` is a number, and was given `{value}`",
            parameter.name.span,
            "a number is needed",
            help=f"write `--set {name}=0.01`",
        )
        return None
    if parameter.default is not None:
        return exact_number(reporter, _substituted(parameter.default, before))
    reporter.report(
        codes.PARAMETER_MISSING,
        f"`{item.name.text}` needs `{name}`",
        parameter.span,
        "has no default",
        help=f"write `{name} = …` here, or `--set {name}=…`",
    )
    return None


def _substituted(part: Any, values: Mapping[str, Fraction]) -> Any:
    """A part of a tree with values for names. What lines and calls are called stays."""
    match part:
        case ast.Path(head=head, parts=()) if head.text in values:
            return _number(values[head.text], part.span)
        case ast.Name() | ast.Target():
            return part
        case ast.Call(arguments=arguments):
            return replace(part, arguments=_substituted(arguments, values))
        case ast.Node():
            inner = {name: _substituted(getattr(part, name), values) for name in ast.parts(type(part))}
            return replace(part, **inner)
        case tuple():
            return tuple(_substituted(each, values) for each in cast("tuple[object, ...]", part))
        case _:
            return part


def _number(value: Fraction, span: Span) -> ast.Expr:
    """A number as a text can have it: a fraction that no decimal is equal to as a division."""
    size = abs(value)
    found: ast.Expr = ast.Number(span, size.numerator if size.denominator == 1 else size)
    if (10**_PLACES) % size.denominator:
        over, under = ast.Number(span, size.numerator), ast.Number(span, size.denominator)
        found = ast.Multiply(span, (("*", over), ("/", under)))
    return ast.Negate(span, found) if value < 0 else found


_PLACES = 400
"""More than any decimal that a text or a command line gives."""
