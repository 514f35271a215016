"""The syntax tree: what was written, with spans, able to hold wrong programs.

Two trees are equal when the texts say the same thing: spans, layout, comments and redundant parentheses
do not take part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from typing import TypeVar, dataclass_transform

from archdsl.text import Span

N = TypeVar("N")


@dataclass_transform(frozen_default=True, eq_default=False)
def _node(cls: type[N]) -> type[N]:
    """A frozen dataclass. Equality and repr are `Node`'s.

    Making them anew for forty classes would be half of what importing this module takes.
    """
    return dataclass(frozen=True, slots=True, eq=False, repr=False)(cls)


@cache
def parts(kind: type[Node]) -> tuple[str, ...]:
    """The names of all fields but the span."""
    return tuple(field.name for field in fields(kind) if field.name != "span")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    span: Span

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in parts(type(self)))

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in parts(type(self)))))

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in parts(type(self)))
        return f"{type(self).__name__}({inner})"


@_node
class Name(Node):
    text: str


# Expressions -----------------------------------------------------------------------------------


@_node
class Number(Node):
    """`3`, `15_000` as int; `0.5`, `3e-4` as an exact fraction."""

    value: int | Fraction


@_node
class Shape(Node):
    """`3x1024x2048`, `15x1`."""

    dims: tuple[int, ...]


@_node
class String(Node):
    value: str


@_node
class Index(Node):
    """`[layer - 1]` in a path."""

    value: Expr


@_node
class Attribute(Node):
    """`.stay` in a path."""

    name: str


@_node
class Path(Node):
    """`x`, `trunk[layer - 1][scale].stay`."""

    head: Name
    parts: tuple[Index | Attribute, ...] = ()


@_node
class Argument(Node):
    """`value`, `name = value`, `value in within`, `value for bound in over`."""

    value: Expr
    name: Name | None = None
    within: Expr | None = None
    bound: Name | None = None
    over: Expr | None = None


@_node
class Call(Node):
    target: Path
    arguments: tuple[Argument, ...]


@_node
class Set(Node):
    items: tuple[Expr, ...]


@_node
class Range(Node):
    """`low..high`, both ends included."""

    low: Expr
    high: Expr


@_node
class Pipe(Node):
    """`head -> step -> step`; a step is a path, a call or a set."""

    head: Expr
    steps: tuple[Expr, ...]


@_node
class Add(Node):
    """`a + b - c` as terms with their signs."""

    terms: tuple[tuple[str, Expr], ...]


@_node
class Multiply(Node):
    """`a * b / c` as factors with their operators; the first has `*`."""

    factors: tuple[tuple[str, Expr], ...]


@_node
class Negate(Node):
    value: Expr


@_node
class Power(Node):
    base: Expr
    exponent: Expr


@_node
class Compare(Node):
    """`macs < 20`, in constraints only."""

    operator: str
    left: Expr
    right: Expr


@_node
class Tuple(Node):
    """`a, b`: several values where one line may give several (`answer_for = normal, reduction`)."""

    items: tuple[Expr, ...]


@_node
class When(Node):
    """An arm of a case; `pattern` is None for `else`."""

    pattern: Expr | None
    value: Expr


@_node
class Case(Node):
    subject: Expr
    arms: tuple[When, ...]


Expr = (
    Number
    | Shape
    | String
    | Path
    | Call
    | Set
    | Range
    | Pipe
    | Add
    | Multiply
    | Negate
    | Power
    | Compare
    | Tuple
    | Case
)


# Statements ------------------------------------------------------------------------------------


@_node
class Port(Node):
    """`prev2 -> align(c, like = prev)` or `image: 3x1024x2048` after `in`."""

    name: Name
    steps: tuple[Expr, ...] = ()
    shape: Shape | None = None


@_node
class Input(Node):
    ports: tuple[Port, ...]


@_node
class Output(Node):
    value: Expr
    name: Name | None = None
    auxiliary: bool = False


@_node
class Choose(Node):
    name: Name
    domain: Expr
    per: Name | None = None


@_node
class Branches(Node):
    names: tuple[Name, ...]
    domain: Expr


@_node
class Start(Node):
    indices: tuple[Expr, ...]
    value: Expr


@_node
class Target(Node):
    """The target of an assignment or answer: `x`, `x1..x3`, `trunk[5..9][8].operator`, `reduction@h1`."""

    path: Path
    tag: Name | None = None
    upto: Name | None = None


@_node
class Assign(Node):
    target: Target
    value: Expr


@_node
class Structure(Node):
    """`trunk = grid(…) { … }`; `kind` is chain, hyper or grid."""

    target: Target
    kind: Name
    arguments: tuple[Argument, ...]
    body: tuple[Statement, ...]


@_node
class Place(Node):
    """A cell instance in a chain or grid: `each normal@h1(c = 4 * f) * 3`."""

    cell: Path
    arguments: tuple[Argument, ...]
    each: bool = False
    tag: Name | None = None
    repeat: Expr | None = None


@_node
class Phase(Node):
    name: Name
    body: tuple[Statement, ...]


@_node
class Answer(Node):
    target: Target
    body: tuple[Statement, ...]


Statement = Input | Output | Choose | Branches | Start | Assign | Structure | Place | Phase | Answer


# Items -----------------------------------------------------------------------------------------


@_node
class Use(Node):
    """`use std`, `use "cas.arch" as cas`."""

    source: Name | String
    alias: Name | None = None


@_node
class Parameter(Node):
    name: Name
    default: Expr | None = None


@_node
class Op(Node):
    """An op is a pipe (`op a(c) = conv(c) -> bn`) or a small graph (`op a(c) { in x … }`)."""

    name: Name
    parameters: tuple[Parameter, ...]
    pipe: tuple[Expr, ...] = ()
    body: tuple[Statement, ...] = ()


@_node
class Ops(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    value: Expr


@_node
class Cell(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    stride: Number | None = None


@_node
class Space(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]


@_node
class Cost(Node):
    name: Name
    value: Expr


@_node
class Search(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


@_node
class Train(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


@_node
class Genotype(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


Item = Use | Op | Ops | Cell | Space | Cost | Search | Train | Genotype


@_node
class File(Node):
    """The root of the AST: a file. `version` is None where the header is missing."""

    version: Number | None
    items: tuple[Item, ...]
