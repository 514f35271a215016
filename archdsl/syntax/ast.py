"""The syntax tree: what was written, with spans, able to hold wrong programs.

Two trees are equal when the texts say the same thing: spans, layout, comments and redundant parentheses
do not take part in equality.
"""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction

from archdsl.records import compared, record
from archdsl.text import Span


@record
class Node:
    span: Span = field(compare=False, repr=False)


def parts(kind: type[Node]) -> tuple[str, ...]:
    """The names of all fields but the span."""
    return compared(kind)


@record
class Name(Node):
    """A name as it is written."""

    text: str


# Expressions -----------------------------------------------------------------------------------


@record
class Number(Node):
    """`3`, `15_000` as int; `0.5`, `3e-4` as an exact fraction."""

    value: int | Fraction


@record
class Shape(Node):
    """`3x1024x2048`, `15x1`."""

    dims: tuple[int, ...]


@record
class String(Node):
    """`"tables/gtx1080ti.json"`."""

    value: str


@record
class Index(Node):
    """`[layer - 1]` in a path."""

    value: Expr


@record
class Attribute(Node):
    """`.stay` in a path."""

    name: str


@record
class Path(Node):
    """`x`, `trunk[layer - 1][scale].stay`."""

    head: Name
    parts: tuple[Index | Attribute, ...] = ()


@record
class Tag(Node):
    """What stands behind `weights` in `weights@head`; no name in `weights@each`."""

    name: Name | None


@record
class Argument(Node):
    """`value`, `name = value`, `name@tag`, `value in within`, `value for bound in over`."""

    value: Expr
    name: Name | None = None
    within: Expr | None = None
    bound: Name | None = None
    over: Expr | None = None


@record
class Call(Node):
    """`conv3x3(c, s = 2)`."""

    target: Path
    arguments: tuple[Argument, ...]


@record
class Set(Node):
    """`{skip, conv3x3}`."""

    items: tuple[Expr, ...]


@record
class Range(Node):
    """`low..high`, both ends included."""

    low: Expr
    high: Expr


@record
class Pipe(Node):
    """`head -> step -> step`; a step is a path, a call or a set."""

    head: Expr
    steps: tuple[Expr, ...]


@record
class Add(Node):
    """`a + b - c` as terms with their signs."""

    terms: tuple[tuple[str, Expr], ...]


@record
class Multiply(Node):
    """`a * b / c` as factors with their operators; the first has `*`."""

    factors: tuple[tuple[str, Expr], ...]


@record
class Negate(Node):
    """`-x`."""

    value: Expr


@record
class Power(Node):
    """`2 ^ n`."""

    base: Expr
    exponent: Expr


@record
class Compare(Node):
    """`macs < 20`, in constraints only."""

    operator: str
    left: Expr
    right: Expr


@record
class Tuple(Node):
    """`a, b`: several values where one line may give several (`answer_for = normal, reduction`)."""

    items: tuple[Expr, ...]


@record
class When(Node):
    """An arm of a case; `pattern` is None for `else`."""

    pattern: Expr | None
    value: Expr


@record
class Case(Node):
    """`case searching { when yes: a; else: b }`, an arm a line."""

    subject: Expr
    arms: tuple[When, ...]


Expr = (
    Number
    | Shape
    | String
    | Path
    | Tag
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


@record
class Port(Node):
    """`prev2 -> align(c, like = prev)` or `image: 3x1024x2048` after `in`."""

    name: Name
    steps: tuple[Expr, ...] = ()
    shape: Shape | None = None


@record
class Input(Node):
    """`in prev, image: 3x1024x2048`."""

    ports: tuple[Port, ...]


@record
class Output(Node):
    """`out y`, `out aux y = x -> head`."""

    value: Expr
    name: Name | None = None
    auxiliary: bool = False


@record
class Choose(Node):
    """`choose width in {4, 6, 8} per branch`."""

    name: Name
    domain: Expr
    per: Name | None = None


@record
class Branches(Node):
    """`branches a, b in trunk`."""

    names: tuple[Name, ...]
    domain: Expr


@record
class Start(Node):
    """`start [1][8] = x`, in a grid."""

    indices: tuple[Expr, ...]
    value: Expr


@record
class Target(Node):
    """The target of an assignment or answer: `x`, `x1..x3`, `trunk[5..9][8].operator`, `reduction@h1`."""

    path: Path
    tag: Name | None = None
    upto: Name | None = None


@record
class Assign(Node):
    """`x = y -> conv3x3(c)`."""

    target: Target
    value: Expr


@record
class Structure(Node):
    """`trunk = grid(…) { … }`; `kind` is chain, hyper or grid."""

    target: Target
    kind: Name
    arguments: tuple[Argument, ...]
    body: tuple[Statement, ...]


@record
class Place(Node):
    """A cell instance in a chain or grid: `each normal@h1(c = 4 * f) * 3`."""

    cell: Path
    arguments: tuple[Argument, ...]
    each: bool = False
    tag: Name | None = None
    repeat: Expr | None = None


@record
class Phase(Node):
    """`phase pretrain { … }`, in a search."""

    name: Name
    body: tuple[Statement, ...]


@record
class Answer(Node):
    """`answer normal { … }`, in a genotype."""

    target: Target
    body: tuple[Statement, ...]


@record
class Scale(Node):
    """`n: depth = 0.5, width = 0.25`: values of a space's parameters under a name."""

    name: Name
    values: tuple[Argument, ...]


@record
class Scales(Node):
    """`scales { … }`, in a space."""

    scales: tuple[Scale, ...]


Statement = Input | Output | Choose | Branches | Start | Assign | Structure | Place | Phase | Answer | Scales


# Items -----------------------------------------------------------------------------------------


@record
class Use(Node):
    """`use std`, `use "cas.arch" as cas`."""

    source: Name | String
    alias: Name | None = None


@record
class Parameter(Node):
    """`c`, `s = 1`."""

    name: Name
    default: Expr | None = None


@record
class Op(Node):
    """An op is a pipe (`op a(c) = conv(c) -> bn`) or a small graph (`op a(c) { in x … }`)."""

    name: Name
    parameters: tuple[Parameter, ...]
    pipe: tuple[Expr, ...] = ()
    body: tuple[Statement, ...] = ()


@record
class Ops(Node):
    """`ops searched = {skip, conv3x3}`."""

    name: Name
    parameters: tuple[Parameter, ...]
    value: Expr


@record
class Cell(Node):
    """`cell normal(c) stride 2 { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    stride: Number | None = None


@record
class Space(Node):
    """`space cas(classes = 19) { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]


@record
class Cost(Node):
    """`cost latency = table("gtx1080ti.json")`."""

    name: Name
    value: Expr


@record
class Search(Node):
    """`search gas_s(lambda = 0.005) of gas { … }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    of: Expr
    body: tuple[Statement, ...]


@record
class Train(Node):
    """`train NAME of NETWORK { … }`."""

    name: Name
    of: Expr
    body: tuple[Statement, ...]


@record
class Genotype(Node):
    """`genotype NAME of SPACE { … }`."""

    name: Name
    of: Expr
    body: tuple[Statement, ...]


Item = Use | Op | Ops | Cell | Space | Cost | Search | Train | Genotype


@record
class File(Node):
    """The root of the AST: a file. `version` is None where the header is missing."""

    version: Number | None
    items: tuple[Item, ...]
