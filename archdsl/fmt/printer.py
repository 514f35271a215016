"""The printer: from an AST to its canonical text, the inverse of the parser."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from archdsl.fmt.formatter import format
from archdsl.syntax import VERSION, ast, parse
from archdsl.syntax.unparse import Level, unparse_arguments, unparse_number, unparse_path, unparse_within
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


def print_item(item: ast.Item) -> str:
    """The canonical text of one item, as it stands in a text. Raises ValueError as `print_file` does."""
    return print_file(ast.File(item.span, None, (item,))).partition("\n\n")[2]


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
            return " ".join((*words, *name, unparse_within(node.value, Level.TUPLE)))
        case ast.Choose():
            per = "" if node.per is None else f" per {node.per.text}"
            return f"choose {node.name.text} in {unparse_within(node.domain, Level.TUPLE)}{per}"
        case ast.Branches():
            names = ", ".join(name.text for name in node.names)
            return f"branches {names} in {unparse_within(node.domain, Level.TUPLE)}"
        case ast.Start():
            indices = "".join(f"[{unparse_within(index, Level.ADD)}]" for index in node.indices)
            return f"start {indices} = {unparse_within(node.value, Level.TUPLE)}"
        case ast.Assign():
            return f"{_target(node.target)} = {unparse_within(node.value, Level.TUPLE)}"
        case ast.Structure():
            made = f"{node.kind.text}{unparse_arguments(node.arguments)}"
            return f"{_target(node.target)} = {made} {_block(node.body)}"
        case ast.Place():
            each = "each " if node.each else ""
            repeat = "" if node.repeat is None else f" * {unparse_within(node.repeat, Level.UNARY)}"
            return f"{each}{unparse_path(node.cell)}{_tag(node.tag)}{unparse_arguments(node.arguments)}{repeat}"
        case ast.Phase():
            return f"phase {node.name.text} {_block(node.body)}"
        case ast.Answer():
            return f"answer {_target(node.target)} {_block(node.body)}"
        case ast.Scales():
            return "scales {\n" + "".join(f"{_scale(scale)}\n" for scale in node.scales) + "}"
        case _:
            assert_never(node)


def _scale(scale: ast.Scale) -> str:
    return f"{scale.name.text}: {unparse_arguments(scale.values)[1:-1]}"


def _port(port: ast.Port) -> str:
    steps = "".join(f" -> {unparse_within(step, Level.ATOM)}" for step in port.steps)
    shape = "" if port.shape is None else f": {unparse_within(port.shape, Level.ATOM)}"
    return f"{port.name.text}{steps}{shape}"


def _target(target: ast.Target) -> str:
    upto = "" if target.upto is None else f"..{target.upto.text}"
    return f"{unparse_path(target.path)}{_tag(target.tag)}{upto}"


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
                return f"{head} = {' -> '.join(unparse_within(step, Level.ATOM) for step in node.pipe)}"
            return f"{head} {_block(node.body)}"
        case ast.Ops():
            parameters = _parameters(node.parameters) if node.parameters else ""
            return f"ops {node.name.text}{parameters} = {unparse_within(node.value, Level.ADD)}"
        case ast.Cell():
            stride = "" if node.stride is None else f" stride {unparse_number(node.stride.value)}"
            return f"cell {node.name.text}{_parameters(node.parameters)}{stride} {_block(node.body)}"
        case ast.Space():
            return f"space {node.name.text}{_parameters(node.parameters)} {_block(node.body)}"
        case ast.Cost():
            return f"cost {node.name.text} = {unparse_within(node.value, Level.TUPLE)}"
        case ast.Search():
            parameters = _parameters(node.parameters) if node.parameters else ""
            return f"search {node.name.text}{parameters} of {unparse_within(node.of, Level.ATOM)} {_block(node.body)}"
        case ast.Train():
            return f"train {node.name.text} of {unparse_within(node.of, Level.ATOM)} {_block(node.body)}"
        case ast.Genotype():
            return f"genotype {node.name.text} of {unparse_within(node.of, Level.ATOM)} {_block(node.body)}"
        case _:
            assert_never(node)


def _parameters(parameters: Sequence[ast.Parameter]) -> str:
    return f"({', '.join(_parameter(parameter) for parameter in parameters)})"


def _parameter(parameter: ast.Parameter) -> str:
    if parameter.default is None:
        return parameter.name.text
    return f"{parameter.name.text} = {unparse_within(parameter.default, Level.ADD)}"
