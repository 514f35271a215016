"""A syntax tree as a text: the inverse of the parser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from fractions import Fraction
from typing import assert_never

from archdsl.fmt.formatter import format
from archdsl.syntax import VERSION, ast, parse
from archdsl.text import SourceFile


def print_file(file: ast.File) -> str:
    """The canonical text of a tree; parsing it gives an equal tree.

    Raises ValueError where the tree is none that a text can have (a name with other characters than names have, a
    negative number, a tuple of one).
    """
    version = VERSION if file.version is None else file.version.value
    texts = [f"archdsl {version}", *(_item(item) for item in file.items)]
    flat = "\n\n".join(_joined_uses(texts, file.items)) + "\n"
    parsed = parse(SourceFile("printed", flat))
    expected = file if file.version is not None else None
    if parsed.diagnostics or (expected is not None and parsed.file != expected):
        raise ValueError("the tree says what no text can say")
    return format(parsed)


def print_expression(expression: ast.Expr) -> str:
    """An expression as it is written in a text, on one line but for cases."""
    return _expression(expression, _Level.TUPLE)


class _Level(IntEnum):
    """How tightly an operator binds, from the loosest."""

    TUPLE = 0
    COMPARE = 1
    ADD = 2
    PIPE = 3
    MULTIPLY = 4
    UNARY = 5
    POWER = 6
    ATOM = 7


def _joined_uses(texts: Sequence[str], items: Sequence[ast.Item]) -> Iterable[str]:
    """Consecutive `use` lines stand together."""
    yield texts[0]
    pending: list[str] = []
    for item, text in zip(items, texts[1:], strict=True):
        if isinstance(item, ast.Use):
            pending.append(text)
            continue
        if pending:
            yield "\n".join(pending)
            pending = []
        yield text
    if pending:
        yield "\n".join(pending)


# Expressions -----------------------------------------------------------------------------------


def _expression(node: ast.Expr, level: _Level) -> str:
    own, text = _written(node)
    return f"({text})" if own < level else text


def _written(node: ast.Expr) -> tuple[_Level, str]:
    match node:
        case ast.Number():
            return _Level.ATOM, _number(node.value)
        case ast.Shape():
            return _Level.ATOM, "x".join(map(str, node.dims))
        case ast.String():
            return _Level.ATOM, f'"{node.value}"'
        case ast.Path():
            return _Level.ATOM, _path(node)
        case ast.Call():
            return _Level.ATOM, _path(node.target) + _arguments(node.arguments)
        case ast.Set():
            return _Level.ATOM, f"{{{', '.join(_expression(item, _Level.ADD) for item in node.items)}}}"
        case ast.Range():
            return _Level.ATOM, f"{_bound(node.low)}..{_bound(node.high)}"
        case ast.Case():
            return _Level.ATOM, _case(node)
        case ast.Power():
            base = _expression(node.base, _Level.ATOM)
            return _Level.POWER, f"{base} ^ {_expression(node.exponent, _Level.UNARY)}"
        case ast.Negate():
            return _Level.UNARY, f"-{_expression(node.value, _Level.UNARY)}"
        case ast.Multiply():
            return _Level.MULTIPLY, _chain(node.factors, _Level.UNARY)
        case ast.Pipe():
            parts = [_expression(node.head, _Level.MULTIPLY), *(_expression(step, _Level.ATOM) for step in node.steps)]
            return _Level.PIPE, " -> ".join(parts)
        case ast.Add():
            return _Level.ADD, _chain(node.terms, _Level.PIPE)
        case ast.Compare():
            sides = (_expression(node.left, _Level.ADD), _expression(node.right, _Level.ADD))
            return _Level.COMPARE, f" {node.operator} ".join(sides)
        case ast.Tuple():
            return _Level.TUPLE, ", ".join(_expression(item, _Level.COMPARE) for item in node.items)
        case _:
            assert_never(node)


def _chain(parts: Sequence[tuple[str, ast.Expr]], level: _Level) -> str:
    first, *rest = parts
    return _expression(first[1], level) + "".join(f" {sign} {_expression(part, level)}" for sign, part in rest)


def _number(value: int | Fraction) -> str:
    if isinstance(value, int):
        return str(value)
    digits, places = value.numerator, 0
    denominator = value.denominator
    while denominator % 10 == 0:
        denominator //= 10
        places += 1
    while denominator != 1:
        factor = 5 if denominator % 2 == 0 else 2
        if denominator % (10 // factor):
            raise ValueError(f"{value} has no end as a decimal")
        digits *= factor
        denominator //= 10 // factor
        places += 1
    text = str(digits).rjust(places + 1, "0")
    return f"{text[:-places]}.{text[-places:]}" if places else f"{text}.0"


def _bound(node: ast.Expr) -> str:
    text = _expression(node, _Level.COMPARE)
    return text if isinstance(node, ast.Number | ast.Path) else f"({text})"


def _case(node: ast.Case) -> str:
    subject = _expression(node.subject, _Level.TUPLE)
    if subject.endswith("}"):
        subject = f"({subject})"  # a `{` after a `}` would open a set
    arms = "\n".join(_arm(arm) for arm in node.arms)
    return f"case {subject} {{\n{arms}\n}}"


def _arm(arm: ast.When) -> str:
    value = _expression(arm.value, _Level.TUPLE)
    return f"else: {value}" if arm.pattern is None else f"when {_expression(arm.pattern, _Level.TUPLE)}: {value}"


def _path(path: ast.Path) -> str:
    return path.head.text + "".join(_path_part(part) for part in path.parts)


def _path_part(part: ast.Index | ast.Attribute) -> str:
    match part:
        case ast.Index():
            return f"[{_expression(part.value, _Level.ADD)}]"
        case ast.Attribute():
            return f".{part.name}"


def _arguments(arguments: Sequence[ast.Argument]) -> str:
    return f"({', '.join(_argument(argument) for argument in arguments)})"


def _argument(argument: ast.Argument) -> str:
    value = _expression(argument.value, _Level.COMPARE)
    if argument.name is not None:
        return f"{argument.name.text} = {value}"
    if argument.within is not None:
        return f"{value} in {_expression(argument.within, _Level.ADD)}"
    if argument.bound is not None and argument.over is not None:
        return f"{value} for {argument.bound.text} in {_expression(argument.over, _Level.ADD)}"
    return value


# Statements ------------------------------------------------------------------------------------


def _block(statements: Sequence[ast.Statement]) -> str:
    return "{\n" + "".join(f"{_statement(statement)}\n" for statement in statements) + "}"


def _statement(node: ast.Statement) -> str:
    match node:
        case ast.Input():
            return f"in {', '.join(_port(port) for port in node.ports)}"
        case ast.Output():
            words = ["out", "aux"] if node.auxiliary else ["out"]
            name = [] if node.name is None else [node.name.text, "="]
            return " ".join((*words, *name, _expression(node.value, _Level.TUPLE)))
        case ast.Choose():
            per = "" if node.per is None else f" per {node.per.text}"
            return f"choose {node.name.text} in {_expression(node.domain, _Level.TUPLE)}{per}"
        case ast.Branches():
            names = ", ".join(name.text for name in node.names)
            return f"branches {names} in {_expression(node.domain, _Level.TUPLE)}"
        case ast.Start():
            indices = "".join(f"[{_expression(index, _Level.ADD)}]" for index in node.indices)
            return f"start {indices} = {_expression(node.value, _Level.TUPLE)}"
        case ast.Assign():
            return f"{_target(node.target)} = {_expression(node.value, _Level.TUPLE)}"
        case ast.Structure():
            made = f"{node.kind.text}{_arguments(node.arguments)}"
            return f"{_target(node.target)} = {made} {_block(node.body)}"
        case ast.Place():
            each = "each " if node.each else ""
            repeat = "" if node.repeat is None else f" * {_expression(node.repeat, _Level.UNARY)}"
            return f"{each}{_path(node.cell)}{_tag(node.tag)}{_arguments(node.arguments)}{repeat}"
        case ast.Phase():
            return f"phase {node.name.text} {_block(node.body)}"
        case ast.Answer():
            return f"answer {_target(node.target)} {_block(node.body)}"
        case _:
            assert_never(node)


def _port(port: ast.Port) -> str:
    steps = "".join(f" -> {_expression(step, _Level.ATOM)}" for step in port.steps)
    shape = "" if port.shape is None else f": {_expression(port.shape, _Level.ATOM)}"
    return f"{port.name.text}{steps}{shape}"


def _target(target: ast.Target) -> str:
    upto = "" if target.upto is None else f"..{target.upto.text}"
    return f"{_path(target.path)}{_tag(target.tag)}{upto}"


def _tag(tag: ast.Name | None) -> str:
    return "" if tag is None else f"@{tag.text}"


# Items -----------------------------------------------------------------------------------------


def _item(node: ast.Item) -> str:
    match node:
        case ast.Use():
            source = node.source.text if isinstance(node.source, ast.Name) else f'"{node.source.value}"'
            return f"use {source}" + ("" if node.alias is None else f" as {node.alias.text}")
        case ast.Op():
            head = f"op {node.name.text}{_parameters(node.parameters)}"
            if node.pipe:
                return f"{head} = {' -> '.join(_expression(step, _Level.ATOM) for step in node.pipe)}"
            return f"{head} {_block(node.body)}"
        case ast.Ops():
            parameters = _parameters(node.parameters) if node.parameters else ""
            return f"ops {node.name.text}{parameters} = {_expression(node.value, _Level.ADD)}"
        case ast.Cell():
            stride = "" if node.stride is None else f" stride {_number(node.stride.value)}"
            return f"cell {node.name.text}{_parameters(node.parameters)}{stride} {_block(node.body)}"
        case ast.Space():
            return f"space {node.name.text}{_parameters(node.parameters)} {_block(node.body)}"
        case ast.Cost():
            return f"cost {node.name.text} = {_expression(node.value, _Level.TUPLE)}"
        case ast.Search():
            return f"search {node.name.text} of {_expression(node.of, _Level.ATOM)} {_block(node.body)}"
        case ast.Train():
            return f"train {node.name.text} of {_expression(node.of, _Level.ATOM)} {_block(node.body)}"
        case ast.Genotype():
            return f"genotype {node.name.text} of {_expression(node.of, _Level.ATOM)} {_block(node.body)}"
        case _:
            assert_never(node)


def _parameters(parameters: Sequence[ast.Parameter]) -> str:
    return f"({', '.join(_parameter(parameter) for parameter in parameters)})"


def _parameter(parameter: ast.Parameter) -> str:
    if parameter.default is None:
        return parameter.name.text
    return f"{parameter.name.text} = {_expression(parameter.default, _Level.ADD)}"
