"""A program: a space with all its structure laid out, as plain data.

Nodes stand in topological order and name their inputs by index. What is still open stays in it: a `Select` picks one
of its inputs by the answer to a question or by a fact, and a channel count may be a `Dim` over answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from archdsl.ops import Count, Shape, Value
from archdsl.space.node_path import Frame, NodePath
from archdsl.text import Span


class QuestionKind(StrEnum):
    OPERATOR = "operator"
    SOURCE = "source"
    KEEP = "keep"
    EXIT = "exit"
    WIDTH = "width"
    BRANCH = "branch"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a genotype answers. `path` is how texts, checkpoints and messages name it."""

    path: str
    kind: QuestionKind
    answers: tuple[str, ...]
    """The candidates, as spelled in the space and in its order (the order of the logits)."""
    per_branch: bool = False
    keep: int = 1
    """How many candidates an answer names (more than one for KEEP only)."""
    scope: str = ""
    """The cell, tagged cell or place that asks: the path without its last steps."""
    node: str = ""
    """The node whose edge asks; empty for a question with a name of its own."""
    source: str = ""
    """The map that the edge comes from; empty for KEEP and for a question with a name of its own."""
    span: Span | None = field(default=None, compare=False, repr=False)


# What a select looks at -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """The answer to a question; labels are answers."""

    question: str


@dataclass(frozen=True, slots=True)
class Searching:
    """Whether this is a supernet; labels are `yes` and `no`."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A channel count that answers decide; labels are ranges, the first that holds is taken."""

    count: Count


Subject: TypeAlias = "Asked | Searching | Measured"


@dataclass(frozen=True, slots=True)
class Within:
    """`low..high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}..{self.high}"


@dataclass(frozen=True, slots=True)
class Otherwise:
    def __str__(self) -> str:
        return "else"


Label: TypeAlias = "str | Within | Otherwise"


# Payloads ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Image:
    """An input of the network."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """A primitive with its parameters, defaults filled in, in the primitive's order."""

    primitive: str
    attributes: tuple[tuple[str, Value], ...] = ()

    @property
    def attribute(self) -> Mapping[str, Value]:
        return dict(self.attributes)


@dataclass(frozen=True, slots=True)
class Select:
    """One of its inputs: the one whose label holds. Where none holds the map is absent."""

    subject: Subject
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """The sum of those inputs that the answer to a KEEP question names; labels are sources."""

    question: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfBranch:
    """Its input as one branch sees it: `per branch` questions above it have that branch's answers."""

    branch: str


@dataclass(frozen=True, slots=True)
class Absent:
    """A map that is not there. A concat or a sum leaves it out; whatever else reads it is absent too."""


@dataclass(frozen=True, slots=True)
class Result:
    """An output of the network; `auxiliary` ones are trained with and never exported."""

    name: str
    auxiliary: bool = False


Payload: TypeAlias = "Image | Apply | Select | Keep | OfBranch | Absent | Result"


@dataclass(frozen=True, slots=True)
class Node:
    location: NodePath
    payload: Payload
    inputs: tuple[int, ...]
    shape: Shape
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def path(self) -> str:
        return self.location.spelled

    @property
    def frames(self) -> tuple[Frame, ...]:
        return self.location.frames

    @property
    def local(self) -> str:
        return self.location.local


@dataclass(frozen=True, slots=True)
class Ordered:
    """Branches end at different places, finer ones first (FasterSeg, appendix B)."""

    questions: tuple[str, ...]
    """In the order of `branches a, b`."""


Place: TypeAlias = "tuple[int, ...]"


@dataclass(frozen=True, slots=True)
class Trellis:
    """The places of a grid and which place each can read: what paths are counted and spelled by."""

    name: str
    sources: Mapping[Place, Mapping[str, Place]]
    """For each place that exists the answers to its source question, and the place that each reads."""
    question: str
    """The last step of the source question's path: `source`."""

    def spell(self, place: Place) -> str:
        return self.name + "".join(f"[{index}]" for index in place)


@dataclass(frozen=True, slots=True)
class Ends:
    """A branch, and the places at which it can end by the answer to its question."""

    trellis: str
    places: Mapping[str, Place]


@dataclass(frozen=True)
class Program:
    """A space laid out. `hash` covers its structure (rule 13)."""

    name: str
    parameters: tuple[tuple[str, Value], ...]
    nodes: tuple[Node, ...]
    questions: Mapping[str, Question]
    constraints: tuple[Ordered, ...] = ()
    trellises: Mapping[str, Trellis] = field(default_factory=dict[str, Trellis])
    branches: Mapping[str, Ends] = field(default_factory=dict[str, Ends])
    hash: str = ""

    @cached_property
    def results(self) -> tuple[int, ...]:
        return tuple(index for index, node in enumerate(self.nodes) if isinstance(node.payload, Result))
