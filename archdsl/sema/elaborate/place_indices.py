"""The indices of places in a text: as numbers (`trunk[4][8]`), several at once (`trunk[1..3]`), and chosen ones."""

from __future__ import annotations

from functools import partial

from archdsl.ops import Dim
from archdsl.sema import codes
from archdsl.sema.elaborate.values import Environment, Evaluator, Poison
from archdsl.syntax import ast
from archdsl.syntax.tree import names, rewritten, walk


def names_several(path: ast.Path) -> bool:
    """Whether a path names several places: `trunk[1..3][8]`."""
    return any(map(_is_range, path.parts))


def each_place(ev: Evaluator, path: ast.Path, env: Environment) -> list[ast.Path] | None:
    """The paths that one with ranges stands for, a number in place of its first range; None where that is wrong."""
    position, several = next((at, part) for at, part in enumerate(path.parts) if _is_range(part))
    assert isinstance(several, ast.Index)
    found: list[ast.Path] = []
    for candidate in ev.candidates(several.value, env):
        number = candidate.value
        if isinstance(number, bool) or not isinstance(number, int):
            if not isinstance(number, Poison):
                message = f"places are counted in whole numbers, not with `{candidate.spelled}`"
                ev.poison(codes.BAD_INDEX, message, several.span, "no index")
            return None
        found.append(with_index(path, position, number))
    return found


def _is_range(part: ast.Index | ast.Attribute) -> bool:
    return isinstance(part, ast.Index) and isinstance(part.value, ast.Range | ast.Set)


def chosen_index(ev: Evaluator, path: ast.Path, env: Environment) -> tuple[int, Dim] | None:
    """The position of the first index that an answer decides, and its number: `trunk[3][level]`."""
    for position, part in enumerate(path.parts):
        if isinstance(part, ast.Index) and any(isinstance(env.names.get(n.head.text), Dim) for n in names(part.value)):
            number = ev.settle(ev.value(part.value, env))
            if isinstance(number, Dim):
                return position, number
    return None


def with_index(path: ast.Path, position: int, number: int) -> ast.Path:
    """The path with a number for one of its indices."""
    span = path.parts[position].span
    index = ast.Index(span, ast.Number(span, number))
    return ast.Path(path.span, path.head, (*path.parts[:position], index, *path.parts[position + 1 :]))


def numbered(ev: Evaluator, expr: ast.Expr, env: Environment) -> ast.Expr:
    """The expression with numbers for those indices of places that are known here."""
    if not any(isinstance(node, ast.Index) for node in walk(expr)):
        return expr
    return rewritten(expr, partial(_number, ev, env))


def _number(ev: Evaluator, env: Environment, node: ast.Node) -> ast.Node:
    if not isinstance(node, ast.Index) or not all(path.head.text in env.names for path in names(node.value)):
        return node
    number = ev.value(node.value, env)
    return ast.Index(node.span, ast.Number(node.span, number)) if type(number) is int else node
