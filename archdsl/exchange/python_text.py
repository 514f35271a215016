"""Python expressions read as data: literals, `range`, and calls whose arguments are such. Nothing is evaluated."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from archdsl.exchange.source import Source

Value: TypeAlias = "str | int | tuple[Value, ...]"

_LONGEST_RANGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Call:
    """`Genotype(normal=[…], …)` as it is written."""

    line: int
    positional: tuple[ast.expr, ...]
    named: dict[str, ast.expr]


@dataclass(frozen=True, slots=True)
class PythonText:
    """The calls of one function in a source text, by the names that they are assigned to."""

    source: Source
    calls: dict[str, Call]

    @classmethod
    def read(cls, source: Source, function: str) -> PythonText:
        """All else in the text is passed over. Raises NotImported where it is no Python."""
        calls: dict[str, Call] = {}
        for statement in _parsed(source).body:
            match statement:
                case ast.Expr(value=ast.Call() as call) if _called(call) == function:
                    calls[""] = _call(source, call)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if _called(call) == function:
                    calls[name] = _call(source, call)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)) if other in calls:
                    calls[name] = calls[other]
                case _:
                    pass
        return cls(source, calls)

    def value(self, node: ast.expr, field: str) -> Value:
        """A literal. Raises NotImported for anything else."""
        match node:
            case ast.Constant(value=str() | int() as found) if not isinstance(found, bool):
                return found
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return tuple(self.value(each, field) for each in elements)
            case ast.Call(func=ast.Name(id="range"), args=[_, *_] as given, keywords=[]) if len(given) <= 2:
                ends = [self.value(each, field) for each in given]
                if all(isinstance(each, int) for each in ends):
                    return self._range([each for each in ends if isinstance(each, int)], node, field)
            case _:
                pass
        raise self.source.unfit(
            "only lists, tuples, texts, whole numbers and `range` are read", line=node.lineno, field=field
        )

    def _range(self, ends: Sequence[int], node: ast.expr, field: str) -> tuple[int, ...]:
        found = range(*ends)
        if len(found) > _LONGEST_RANGE:
            raise self.source.unfit(f"a range of {len(found):,} numbers", line=node.lineno, field=field)
        return tuple(found)


def _parsed(source: Source) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in strings that nobody reads
            return ast.parse(source.text.strip())
    except SyntaxError as error:
        raise source.unfit(f"it is no Python: {error.msg}", line=error.lineno) from None
    except (ValueError, RecursionError, MemoryError):
        raise source.unfit("it is no Python that can be read: it nests too deep, or holds a NUL") from None


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _call(source: Source, call: ast.Call) -> Call:
    named: dict[str, ast.expr] = {}
    for keyword in call.keywords:
        if keyword.arg is None:
            raise source.unfit("`**` names nothing that could be read", line=call.lineno)
        named[keyword.arg] = keyword.value
    return Call(call.lineno, tuple(call.args), named)
