"""An expression as canonical text, on one line: how candidates, answers and paths are spelled."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from archdsl.syntax import ast

_ATOM, _POWER, _UNARY, _PRODUCT, _PIPE, _SUM, _COMPARISON, _TUPLE = range(8)


def spell(expr: ast.Expr) -> str:
    """`dil_conv3x3(d = 4)`, `trunk[10][8].down`, `8 * w`."""
    return _spell(expr, _TUPLE)


def spell_number(value: int | Fraction) -> str:
    """A number as the language writes it; every fraction that a text can hold is a finite decimal."""
    if isinstance(value, int) or value.denominator == 1:
        return str(int(value))
    digits = 0
    scaled = value
    while scaled.denominator != 1:
        scaled *= 10
        digits += 1
    text = f"{abs(scaled.numerator):0{digits + 1}d}"
    sign = "-" if value < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}"


def spell_argument(argument: ast.Argument) -> str:
    value = _spell(argument.value, _COMPARISON)
    if argument.name is not None:
        return f"{argument.name.text} = {value}"
    if argument.within is not None:
        return f"{value} in {_spell(argument.within, _COMPARISON)}"
    if argument.bound is not None and argument.over is not None:
        return f"{value} for {argument.bound.text} in {_spell(argument.over, _COMPARISON)}"
    return value


def _spell(expr: ast.Expr, loosest: int) -> str:
    text, level = _text(expr)
    return f"({text})" if level > loosest else text


def _text(expr: ast.Expr) -> tuple[str, int]:
    """The text and how loosely its outermost operator binds."""
    match expr:
        case ast.Number(value=value):
            return spell_number(value), _ATOM
        case ast.Shape(dims=dims):
            return "x".join(map(str, dims)), _ATOM
        case ast.String(value=value):
            return f'"{value}"', _ATOM
        case ast.Path():
            return spell_path(expr), _ATOM
        case ast.Call(target=target, arguments=arguments):
            return f"{spell_path(target)}({', '.join(map(spell_argument, arguments))})", _ATOM
        case ast.Set(items=items):
            return f"{{{', '.join(_spell(item, _COMPARISON) for item in items)}}}", _ATOM
        case ast.Range(low=low, high=high):
            return f"{_spell(low, _ATOM)}..{_spell(high, _ATOM)}", _ATOM
        case ast.Power(base=base, exponent=exponent):
            return f"{_spell(base, _ATOM)} ^ {_spell(exponent, _UNARY)}", _POWER
        case ast.Negate(value=value):
            return f"-{_spell(value, _UNARY)}", _UNARY
        case ast.Multiply(factors=factors):
            return _chained(factors, _UNARY, skip="*"), _PRODUCT
        case ast.Pipe(head=head, steps=steps):
            return " -> ".join([_spell(head, _PRODUCT), *(_spell(step, _ATOM) for step in steps)]), _PIPE
        case ast.Add(terms=terms):
            return _chained(terms, _PIPE, skip="+"), _SUM
        case ast.Compare(operator=operator, left=left, right=right):
            return f"{_spell(left, _SUM)} {operator} {_spell(right, _SUM)}", _COMPARISON
        case ast.Tuple(items=items):
            return ", ".join(_spell(item, _COMPARISON) for item in items), _TUPLE
        case ast.Case(subject=subject, arms=arms):
            inner = "; ".join(
                f"{'else' if arm.pattern is None else f'when {spell(arm.pattern)}'}: {spell(arm.value)}" for arm in arms
            )
            return f"case {spell(subject)} {{ {inner} }}", _ATOM
        case _:
            assert_never(expr)


def spell_path(path: ast.Path) -> str:
    parts = (f".{part.name}" if isinstance(part, ast.Attribute) else f"[{spell(part.value)}]" for part in path.parts)
    return path.head.text + "".join(parts)


def _chained(parts: tuple[tuple[str, ast.Expr], ...], loosest: int, skip: str) -> str:
    words: list[str] = []
    for operator, expr in parts:
        if words or operator != skip:
            words.append(operator)
        words.append(_spell(expr, loosest))
    return " ".join(words)
