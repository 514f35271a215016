"""Traversals of the AST."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import cast

from archdsl.syntax import ast


def children(node: ast.Node) -> Iterator[ast.Node]:
    """The child nodes, in the order of the text."""
    for name in ast.parts(type(node)):
        yield from _nodes(getattr(node, name))


def walk(node: ast.Node) -> Iterator[ast.Node]:
    """The node and its descendants, in preorder."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(list(children(current))))


def names(node: ast.Node) -> Iterator[ast.Path]:
    """All paths in a node."""
    return (each for each in walk(node) if isinstance(each, ast.Path))


def rewritten(node: ast.Expr, change: Callable[[ast.Node], ast.Node]) -> ast.Expr:
    """The expression with each of its nodes changed, those inside of another one first."""
    return cast("ast.Expr", _rewritten(node, change))


def _rewritten(value: object, change: Callable[[ast.Node], ast.Node]) -> object:
    if isinstance(value, tuple):
        return tuple([_rewritten(item, change) for item in cast("tuple[object, ...]", value)])
    if not isinstance(value, ast.Node):
        return value
    before = {name: getattr(value, name) for name in ast.parts(type(value))}
    after = {name: _rewritten(part, change) for name, part in before.items()}
    return change(value if after == before else replace(value, **after))


def show(node: object) -> str:
    """A canonical key of the tree, without spans: equal exactly for equal trees."""
    match node:
        case ast.Node():
            parts = (show(getattr(node, name)) for name in ast.parts(type(node)))
            return f"({type(node).__name__} {' '.join(parts)})"
        case tuple():
            return f"[{' '.join(map(show, cast('tuple[object, ...]', node)))}]"
        case bool() | int() | str() | Fraction() | None:
            return repr(node)
        case _:
            raise TypeError(f"{type(node).__name__} in a syntax tree")


def _nodes(value: object) -> Iterator[ast.Node]:
    if isinstance(value, ast.Node):
        yield value
    elif isinstance(value, tuple):
        for item in cast("tuple[object, ...]", value):
            yield from _nodes(item)
