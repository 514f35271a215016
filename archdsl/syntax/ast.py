"""The syntax tree: what was written, with spans, able to hold wrong programs.

Two trees are equal when the texts say the same thing: spans, layout, comments and redundant parentheses
do not take part in equality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from archdsl.text import Span


@dataclass(frozen=True, slots=True)
class Node:
    span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name(Node):
    text: str


# Expressions -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Node):
    """`3`, `15_000` as int; `0.5`, `3e-4` as an exact fraction."""

    value: int | Fraction


@dataclass(frozen=True, slots=True)
class Shape(Node):
    """`3x1024x2048`, `15x1`."""

    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class String(Node):
    value: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`[layer - 1]` in a path."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """`.stay` in a path."""

    name: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """`x`, `trunk[layer - 1][scale].stay`."""

    head: Name
    parts: tuple[Index | Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument(Node):
    """`value`, `name = value`, `value in within`, `value for bound in over`."""

    value: Expr
    name: Name | None = None
    within: Expr | None = None
    bound: Name | None = None
    over: Expr | None = None


@dataclass(frozen=True, slots=True)
class Call(Node):
    target: Path
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Set(Node):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Range(Node):
    """`low..high`, both ends included."""

    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True)
class Pipe(Node):
    """`head -> step -> step`; a step is a path, a call or a set."""

    head: Expr
    steps: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Add(Node):
    """`a + b - c` as terms with their signs."""

    terms: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Multiply(Node):
    """`a * b / c` as factors with their operators; the first has `*`."""

    factors: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Negate(Node):
    value: Expr


@dataclass(frozen=True, slots=True)
class Power(Node):
    base: Expr
    exponent: Expr


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`macs < 20`, in constraints only."""

    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Tuple(Node):
    """`a, b`: several values where one line may give several (`answer_for = normal, reduction`)."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class When(Node):
    """An arm of a case; `pattern` is None for `else`."""

    pattern: Expr | None
    value: Expr


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Port(Node):
    """`prev2 -> align(c, like = prev)` or `image: 3x1024x2048` after `in`."""

    name: Name
    steps: tuple[Expr, ...] = ()
    shape: Shape | None = None


@dataclass(frozen=True, slots=True)
class Input(Node):
    ports: tuple[Port, ...]


@dataclass(frozen=True, slots=True)
class Output(Node):
    value: Expr
    name: Name | None = None
    auxiliary: bool = False


@dataclass(frozen=True, slots=True)
class Choose(Node):
    name: Name
    domain: Expr
    per: Name | None = None


@dataclass(frozen=True, slots=True)
class Branches(Node):
    names: tuple[Name, ...]
    domain: Expr


@dataclass(frozen=True, slots=True)
class Start(Node):
    indices: tuple[Expr, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class Target(Node):
    """What stands left of `=`: `x`, `x1..x3`, `trunk[5..9][8].operator`, `reduction@h1`."""

    path: Path
    tag: Name | None = None
    upto: Name | None = None


@dataclass(frozen=True, slots=True)
class Assign(Node):
    target: Target
    value: Expr


@dataclass(frozen=True, slots=True)
class Structure(Node):
    """`trunk = grid(…) { … }`; `kind` is chain, hyper or grid."""

    target: Target
    kind: Name
    arguments: tuple[Argument, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Place(Node):
    """A cell standing in a chain or grid: `each normal@h1(c = 4 * f) * 3`."""

    cell: Path
    arguments: tuple[Argument, ...]
    each: bool = False
    tag: Name | None = None
    repeat: Expr | None = None


@dataclass(frozen=True, slots=True)
class Phase(Node):
    name: Name
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Answer(Node):
    target: Target
    body: tuple[Statement, ...]


Statement = Input | Output | Choose | Branches | Start | Assign | Structure | Place | Phase | Answer


# Items -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use(Node):
    """`use std`, `use "cas.arch" as cas`."""

    source: Name | String
    alias: Name | None = None


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    name: Name
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class Op(Node):
    """An op is a pipe (`op a(c) = conv(c) -> bn`) or a small graph (`op a(c) { in x … }`)."""

    name: Name
    parameters: tuple[Parameter, ...]
    pipe: tuple[Expr, ...] = ()
    body: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Ops(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    value: Expr


@dataclass(frozen=True, slots=True)
class Cell(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    stride: Number | None = None


@dataclass(frozen=True, slots=True)
class Space(Node):
    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Cost(Node):
    name: Name
    value: Expr


@dataclass(frozen=True, slots=True)
class Search(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Train(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Genotype(Node):
    name: Name
    of: Expr
    body: tuple[Statement, ...]


Item = Use | Op | Ops | Cell | Space | Cost | Search | Train | Genotype


@dataclass(frozen=True, slots=True)
class File(Node):
    """A whole text. `version` is None where the header is missing."""

    version: Number | None
    items: tuple[Item, ...]
