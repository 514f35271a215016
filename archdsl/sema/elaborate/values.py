"""What an expression in a text can mean while a space is being laid out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from archdsl.ops import Dim, Primitive
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.sema.elaborate.environment import Environment
    from archdsl.sema.elaborate.evaluator import Evaluator
    from archdsl.sema.modules.load import Unit
    from archdsl.text import Span


@dataclass(frozen=True, slots=True)
class Poison:
    """The value of something wrong that has been reported; it fits everywhere, so one mistake gives one message."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Something that does not exist here, such as the cell beyond the end of a grid (rule 9)."""


@dataclass(frozen=True, slots=True)
class WhileSearching:
    """The fact `searching`: yes in a supernet, no in a network."""


POISON = Poison()
NOTHING = Nothing()
SEARCHING = WhileSearching()


@dataclass(frozen=True, slots=True)
class Map:
    """A feature map: a node of the program."""

    node: int


@dataclass(frozen=True, slots=True)
class Choice:
    """A value for each answer to a question; what is done with it is done with each of them."""

    question: str
    options: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Callee:
    """An op, a cell or a primitive, with the parameters that a candidate fixes: `dil_conv3x3(d = 4)`."""

    definition: ast.Op | ast.Cell | Primitive
    unit: Unit
    spelled: str
    bound: tuple[tuple[str, Value], ...] = ()

    @property
    def name(self) -> str:
        name = self.definition.name
        return name if isinstance(name, str) else name.text


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item of a set, as spelled in the text."""

    spelled: str
    value: Value
    head: str = ""
    """The map that a pipe in a set begins with: an edge is named after it, whatever prepares it on the way."""

    @property
    def source(self) -> str:
        return self.head or self.spelled


@dataclass(frozen=True, slots=True)
class Many:
    """A set."""

    items: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """`15x1` or `512x1024`."""

    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
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


class Branch(Structure):
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


Built: TypeAlias = "Map | Choice | Callee | Many | Outputs | Structure | Method"
Value: TypeAlias = "int | Fraction | bool | str | Dim | Size | Built | Poison | Nothing | WhileSearching"


def describe(value: Value) -> str:
    """What kind of thing a value is, for messages."""
    match value:
        case bool():
            return "a flag"
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
