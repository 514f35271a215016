"""Which places of a grid the expressions of its body read: what there is to read decides which places exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from archdsl.sema.elaborate import built_in, case_expr
from archdsl.sema.elaborate.place_indices import each_place, names_several
from archdsl.sema.elaborate.values import Environment, Evaluator, Many, Value
from archdsl.syntax import ast
from archdsl.syntax.tree import walk

Read: TypeAlias = "tuple[ast.Path, Environment]"
"""A path that begins with the grid's name, and the environment that knows the names in it."""


def reads(ev: Evaluator, expr: ast.Expr, name: str, env: Environment) -> Iterator[Read]:
    """The paths to maps of the grid `name` in an expression at a place; arms that a number rules out are not read."""
    match expr:
        case ast.Path(head=ast.Name(text=text)):
            if text == name:
                yield from _each(ev, expr, env)
        case ast.Set(items=items) | ast.Tuple(items=items):
            for item in items:
                yield from reads(ev, item, name, env)
        case ast.Add(terms=terms) | ast.Multiply(factors=terms):
            for _, term in terms:
                yield from reads(ev, term, name, env)
        case ast.Negate(value=value):
            yield from reads(ev, value, name, env)
        case ast.Pipe(head=head):
            yield from reads(ev, head, name, env)
        case ast.Call(target=target, arguments=arguments) if target.head.text not in built_in.NUMBERS:
            for argument in arguments:
                if argument.name is None:
                    yield from _in_argument(ev, argument, name, env)
        case ast.Case(subject=subject, arms=arms):
            for arm in case_expr.open_arms(ev, expr, env) if is_known(subject, env) else arms:
                yield from reads(ev, arm.value, name, env)
        case _:
            return


def names_grid(expr: ast.Expr, name: str) -> bool:
    """Whether an expression, such as the set of a `choose`, names maps of the grid at all."""
    match expr:
        case ast.Path(head=ast.Name(text=text)):
            return text == name
        case ast.Set(items=items):
            return any(names_grid(item, name) for item in items)
        case ast.Add(terms=terms):
            return any(names_grid(term, name) for _, term in terms)
        case ast.Pipe(head=head):
            return names_grid(head, name)
        case ast.Call(target=target, arguments=arguments) if target.head.text not in built_in.NUMBERS:
            return any(names_grid(argument.value, name) for argument in arguments if argument.name is None)
        case ast.Case(arms=arms):
            return any(names_grid(arm.value, name) for arm in arms)
        case _:
            return False


def is_known(expr: ast.Expr, env: Environment) -> bool:
    """Whether an expression is about numbers that are known before anything stands at the place."""
    inside = list(walk(expr))
    known = all(_is_plain(env.names.get(each.head.text)) for each in inside if isinstance(each, ast.Path))
    return known and not any(isinstance(each, ast.Call | ast.Pipe) for each in inside)


def _is_plain(value: Value | None) -> bool:
    if isinstance(value, Many):
        return all(_is_plain(item.value) for item in value.items)
    return isinstance(value, int | Fraction | str)


def _in_argument(ev: Evaluator, argument: ast.Argument, name: str, env: Environment) -> Iterator[Read]:
    if argument.bound is None or argument.over is None:
        yield from reads(ev, argument.value, name, env)
        return
    over = ev.value(argument.over, env) if is_known(argument.over, env) else None
    for item in over.items if isinstance(over, Many) else ():
        names = {**env.names, argument.bound.text: item.value}
        yield from reads(ev, argument.value, name, replace(env, names=names))


def _each(ev: Evaluator, path: ast.Path, env: Environment) -> Iterator[Read]:
    if not all(is_known(part.value, env) for part in path.parts if isinstance(part, ast.Index)):
        return
    if not names_several(path):
        yield path, env
        return
    for each in each_place(ev, path, env) or ():
        yield from _each(ev, each, env)
