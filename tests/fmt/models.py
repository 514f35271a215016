"""Syntax trees made by hypothesis: everything that a text can say."""

from fractions import Fraction
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from archdsl.syntax import ast
from archdsl.text import SourceFile, Span

HERE = Span(SourceFile("made", ""), 0, 0)


def _decimal(digits: int, places: int) -> Fraction:
    return Fraction(digits, 10**places)


def _file(items: tuple[ast.Item, ...]) -> ast.File:
    return ast.File(HERE, ast.Number(HERE, 1), items)


names = st.sampled_from(["x", "prev2", "a_b", "Conv3x3", "x1", "likely", "operators", "_", "e5", "ins"]).map(
    lambda text: ast.Name(HERE, text)
)
decimals = st.builds(_decimal, st.integers(0, 10**6), st.integers(0, 9))
numbers = st.builds(ast.Number, st.just(HERE), st.integers(0, 10**12) | decimals)
whole = st.builds(ast.Number, st.just(HERE), st.integers(0, 99))
shapes = st.builds(ast.Shape, st.just(HERE), st.lists(st.integers(0, 4096), min_size=2, max_size=3).map(tuple))
strings = st.builds(
    ast.String, st.just(HERE), st.text(st.characters(codec="utf-8", exclude_characters='"\n'), max_size=9)
)


_T = TypeVar("_T")


def many(made: SearchStrategy[_T], least: int = 0, most: int = 3) -> SearchStrategy[tuple[_T, ...]]:
    return st.lists(made, min_size=least, max_size=most).map(tuple)


def _paths(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[ast.Path]:
    index = st.builds(ast.Index, st.just(HERE), inner)
    attribute = st.builds(ast.Attribute, st.just(HERE), names.map(lambda name: name.text))
    return st.builds(ast.Path, st.just(HERE), names, many(index | attribute, most=2))


def _arguments(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[tuple[ast.Argument, ...]]:
    plain = st.builds(ast.Argument, st.just(HERE), inner)
    named = st.builds(ast.Argument, st.just(HERE), inner, name=names)
    within = st.builds(ast.Argument, st.just(HERE), inner, within=inner)
    every = st.builds(ast.Argument, st.just(HERE), inner, bound=names, over=inner)
    return many(plain | named | within | every)


def _calls(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[ast.Call]:
    return st.builds(ast.Call, st.just(HERE), _paths(inner), _arguments(inner))


def _sets(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[ast.Set]:
    return st.builds(ast.Set, st.just(HERE), many(inner))


def _steps(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[ast.Expr]:
    return _paths(inner) | _calls(inner) | _sets(inner)


def _chain(inner: SearchStrategy[ast.Expr], first: str, signs: str) -> SearchStrategy[tuple[tuple[str, ast.Expr], ...]]:
    head = inner.map(lambda part: ((first, part),))
    rest = many(st.tuples(st.sampled_from(signs), inner), least=1)
    return st.tuples(head, rest).map(lambda parts: parts[0] + parts[1])


def _arms(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[tuple[ast.When, ...]]:
    return many(st.builds(ast.When, st.just(HERE), st.none() | inner, inner))


def _grown(inner: SearchStrategy[ast.Expr]) -> SearchStrategy[ast.Expr]:
    here = st.just(HERE)
    return st.one_of(
        _paths(inner),
        _calls(inner),
        _sets(inner),
        st.builds(ast.Range, here, inner, inner),
        st.builds(ast.Pipe, here, inner, many(_steps(inner), least=1)),
        st.builds(ast.Add, here, _chain(inner, "+", "+-")),
        st.builds(ast.Multiply, here, _chain(inner, "*", "*/")),
        st.builds(ast.Negate, here, inner),
        st.builds(ast.Power, here, inner, inner),
        st.builds(ast.Compare, here, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner),
        st.builds(ast.Tuple, here, many(inner, least=2)),
        st.builds(ast.Case, here, inner, _arms(inner)),
    )


leaves: SearchStrategy[ast.Expr] = numbers | shapes | strings | names.map(lambda name: ast.Path(HERE, name))
expressions: SearchStrategy[ast.Expr] = st.recursive(leaves, _grown, max_leaves=6)
paths = _paths(leaves)
steps = _steps(leaves)
arguments = _arguments(leaves)
given = st.builds(ast.Argument, st.just(HERE), expressions, name=names)
targets = st.builds(ast.Target, st.just(HERE), paths, st.none() | names, st.none() | names)


def _simple() -> SearchStrategy[ast.Statement]:
    here = st.just(HERE)
    ports = st.builds(ast.Port, here, names, many(steps, most=2), st.none() | shapes)
    return st.one_of(
        st.builds(ast.Input, here, many(ports, least=1)),
        st.builds(ast.Output, here, expressions, st.none() | names, st.booleans()),
        st.builds(ast.Choose, here, names, expressions, st.none() | names),
        st.builds(ast.Branches, here, many(names, least=1), expressions),
        st.builds(ast.Start, here, many(leaves, least=1, most=2), expressions),
        st.builds(ast.Assign, here, targets, expressions),
        st.builds(ast.Place, here, paths, arguments, st.booleans(), st.none() | names, st.none() | leaves),
        st.builds(ast.Scales, here, many(st.builds(ast.Scale, here, names, many(given, least=1)))),
    )


def _with_blocks(inner: SearchStrategy[ast.Statement]) -> SearchStrategy[ast.Statement]:
    here = st.just(HERE)
    kinds = st.sampled_from(["chain", "hyper", "grid"]).map(lambda text: ast.Name(HERE, text))
    return st.one_of(
        st.builds(ast.Structure, here, targets, kinds, arguments, many(inner)),
        st.builds(ast.Phase, here, names, many(inner)),
        st.builds(ast.Answer, here, targets, many(inner)),
    )


statements: SearchStrategy[ast.Statement] = st.recursive(_simple(), _with_blocks, max_leaves=3)


def _items() -> SearchStrategy[ast.Item]:
    here = st.just(HERE)
    parameters = many(st.builds(ast.Parameter, here, names, st.none() | expressions), most=2)
    body = many(statements, most=2)
    of = paths | _calls(leaves)
    return st.one_of(
        st.builds(ast.Use, here, names | strings, st.none() | names),
        st.builds(ast.Op, here, names, parameters, pipe=many(steps, least=1)),
        st.builds(ast.Op, here, names, parameters, body=body),
        st.builds(ast.Ops, here, names, parameters, expressions),
        st.builds(ast.Cell, here, names, parameters, body, st.none() | whole),
        st.builds(ast.Space, here, names, parameters, body),
        st.builds(ast.Cost, here, names, expressions),
        st.builds(ast.Search, here, names, parameters, of, body),
        st.builds(ast.Train, here, names, of, body),
        st.builds(ast.Genotype, here, names, of, body),
    )


files = st.builds(_file, many(_items()))
