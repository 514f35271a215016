"""What an expression in a text can mean while a space is being laid out, and where and by what that is found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from typing import Protocol, TypeAlias

from archdsl.diagnostics import Fix
from archdsl.diagnostics import Label as Mark
from archdsl.ops import Dim, Primitive, Shape
from archdsl.records import record
from archdsl.sema.elaborate.builder import Builder, Scope
from archdsl.sema.modules.load import Found, Unit
from archdsl.space import Apply, Frame, FrameKind, QuestionPath, QuestionScope, Step
from archdsl.syntax import ast
from archdsl.text import Span


@record
class Poison:
    """The value of something wrong that has been reported; it fits everywhere, so one mistake gives one message."""


@record
class Nothing:
    """Something that does not exist here, such as the cell beyond the end of a grid (`rule-grid-edges`)."""


@record
class WhileSearching:
    """The fact `searching`: yes in a supernet, no in a network."""


POISON = Poison()
NOTHING = Nothing()
SEARCHING = WhileSearching()


@record
class Map:
    """A feature map: a node of the program."""

    node: int


@record
class Choice:
    """A value for each answer to a question; what is done with it is done with each of them."""

    question: QuestionPath
    options: tuple[tuple[str, Value], ...]


@record
class Holds:
    """Whether a comparison holds, where answers decide it: 1 for those with which it does, else 0."""

    count: Dim


@record
class Callee:
    """An op, a cell or a primitive, with the parameters that a candidate fixes: `dil_conv3x3(d = 4)`."""

    definition: ast.Op | ast.Cell | Primitive
    unit: Unit
    spelled: str
    bound: tuple[tuple[str, Value], ...] = ()
    weights: ast.Tag | None = None
    """The weights that a candidate shares: `conv3x3(weights@a)`."""

    @property
    def name(self) -> str:
        name = self.definition.name
        return name if isinstance(name, str) else name.text


@record
class Candidate:
    """An item of a set, as spelled in the text."""

    spelled: str
    value: Value
    head: str = ""
    """The map that a pipe in a set begins with: an edge is named after it, whatever prepares it on the way."""

    @property
    def source(self) -> str:
        return self.head or self.spelled


@record
class Many:
    """A set."""

    items: tuple[Candidate, ...]


@record
class Size:
    """`15x1` or `512x1024`."""

    dims: tuple[int, ...]


@record
class Outputs:
    """What a cell with several outputs gives."""

    cell: str
    maps: Mapping[str, Value] = field(hash=False)


class Structure(ABC):
    """Something that a chain, a grid or branches define: it answers to `[…]` and `.name` itself."""

    @abstractmethod
    def describe(self) -> str:
        """What it is, for messages."""

    @abstractmethod
    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        """`self[index]` or `self.name`."""


class BranchEnd(Structure):
    """One of the ends that `branches a, b in …` picks, with the path that leads there."""

    name: str


class Mapped(Structure):
    """A structure that stands for a map where one is read: a chain for the one at its end, a place for its cell's."""

    @property
    def whole(self) -> bool:
        """Whether it stands for one map; a grid with some of its indices does not."""
        return True

    @abstractmethod
    def map(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        """The map at its end."""


class Method(ABC):
    """Something of a structure that is called: `branch.at`."""

    @abstractmethod
    def call(self, ev: Evaluator, given: list[Value], env: Environment, span: Span) -> Value:
        """The value of the call."""


Built: TypeAlias = "Map | Choice | Holds | Callee | Many | Outputs | Structure | Method"
Value: TypeAlias = "int | Fraction | bool | str | Dim | Size | Built | Poison | Nothing | WhileSearching"


@record
class Environment:
    """The environment of a line: the names in scope, and the scope of the nodes that it makes."""

    unit: Unit
    """The file in which definitions are looked up."""
    scope: Scope
    names: dict[str, Value] = field(default_factory=dict[str, Value])
    fallback: Mapping[str, Value] = field(default_factory=dict[str, Value])
    """Parameters of what this body belongs to; an op called in it takes its required parameters from here."""
    asking: QuestionScope = ()
    """Who asks: `normal@h1`, `trunk[5][8]`, or nothing in a space itself."""
    line: str = ""
    """The name of the line, which questions on its edges are asked under."""
    stride: int = 1
    """What edges that leave a port are called with (`rule-ports`)."""
    ports: frozenset[str] = frozenset()
    run: tuple[str, ...] = ()
    """The nodes of this run that stand before the line: `earlier` (`rule-earlier`)."""

    alias: bool = False
    """Whether the next op called stands for the one it is called in, and adds no step to the path."""
    asked: set[QuestionPath] = field(default_factory=set[QuestionPath])
    """The questions asked on edges of this body, to find an edge that asks twice."""
    home: tuple[Frame, ...] = ()
    """The frames of this body among those of weights: what `weights@name` in it is a name of."""

    def on_line(self, name: str, run: tuple[str, ...] = ()) -> Environment:
        return self._with(self.scope.child(FrameKind.LINE, name), name, run)

    def on_edge(self, source: str) -> Environment:
        return self._with(self.scope.child(FrameKind.LINE, source), self.line, self.run)

    def on_unnamed(self, line: str) -> Environment:
        """On an output without a name: its questions are asked under `line`, its nodes stand in the body itself."""
        return self._with(self.scope, line, self.run)

    def under(self, scope: Scope) -> Environment:
        return self._with(scope, self.line, self.run)

    def _with(self, scope: Scope, line: str, run: tuple[str, ...]) -> Environment:
        """`dataclasses.replace` takes five times as long, and this runs for every line of every op."""
        return Environment(
            self.unit,
            scope,
            self.names,
            self.fallback,
            self.asking,
            line,
            self.stride,
            self.ports,
            run,
            self.alias,
            self.asked,
            self.home,
        )

    def question(self, name: str, node: str = "") -> QuestionPath:
        """The path of a question that is asked here."""
        return QuestionPath(self.asking, name, node)

    def step(self, name: str, *indices: int) -> QuestionScope:
        """The scope of a structure that stands here, or of one of its places."""
        return (*self.asking, Step(name, indices=indices))


class Evaluator(Protocol):
    """What lays a space out, as its parts call it: expressions hold calls, calls hold bodies, bodies expressions."""

    builder: Builder
    assumed: dict[QuestionPath, str]
    """Answers taken for granted while one option of a choice is laid out."""
    applied: dict[object, tuple[Apply, Shape]]
    """Primitives that were applied to maps of these shapes with these parameters: networks repeat themselves."""

    def value(self, expr: ast.Expr, env: Environment) -> Value:
        """What the expression means here; POISON where that has been reported to be wrong."""
        ...

    def path(self, path: ast.Path, env: Environment) -> Value:
        """What a path names: a structure itself, not yet the map at its end."""
        ...

    def definition(self, found: Found, env: Environment) -> Value:
        """What the name of an item or a primitive stands for."""
        ...

    def candidates(self, expr: ast.Expr, env: Environment) -> Iterable[Candidate]:
        """The items of a set, flat, each as spelled."""
        ...

    def spelled(self, expr: ast.Expr, env: Environment) -> str:
        """The text of a candidate, with places as numbers."""
        ...

    def instantiate(
        self, callee: Callee, ports: list[Value], given: Mapping[str, Value], env: Environment, span: Span
    ) -> Value:
        """An op or a cell put on maps where its call stands."""
        ...

    def body(self, body: Sequence[ast.Statement], env: Environment) -> dict[str, Value]:
        """The outputs of a body by name, an output without one under the empty name."""
        ...

    def settle(self, value: Value) -> Value:
        """A choice whose answer is taken for granted is that option."""
        ...

    def assuming(self, question: QuestionPath, answer: str, make: Callable[..., Value], *arguments: object) -> Value:
        """What is made while an answer is taken for granted."""
        ...

    def join(
        self, question: QuestionPath, options: Sequence[tuple[str, Value]], env: Environment, local: str, span: Span
    ) -> Value:
        """One value of a value for each answer."""
        ...

    def poison(
        self,
        code: str,
        message: str,
        span: Span,
        here: str,
        *,
        also: tuple[Mark, ...] = (),
        help: str | None = None,
        fix: Fix | None = None,
    ) -> Value:
        """Report a mistake."""
        ...


def describe(value: Value) -> str:
    """What kind of thing a value is, for messages."""
    match value:
        case bool():
            return "a flag"
        case Holds():
            return "a flag that answers decide"
        case int() | Dim() | Fraction():
            return "a number"
        case str():
            return "a string"
        case Size():
            return "a size"
        case Map():
            return "a map"
        case Callee(definition):
            return "a cell" if isinstance(definition, ast.Cell) else "an op"
        case Many():
            return "a set"
        case Outputs(cell):
            return f"the outputs of `{cell}`"
        case Choice():
            return describe(value.options[0][1])
        case Poison():
            return "something wrong"
        case Nothing():
            return "nothing"
        case WhileSearching():
            return "a fact"
        case Method():
            return "a call without its `( )`"
        case Structure():
            return value.describe()
