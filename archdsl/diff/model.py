"""What a difference is: small frozen edits on paths, each with what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol, TypeAlias

from archdsl.ir import ClosedGraph, Graph, same_network
from archdsl.space import Branch, Program, QuestionKind, QuestionPath

Answer: TypeAlias = "tuple[str, ...]"
Answers: TypeAlias = "Mapping[QuestionPath, Answer]"


class NodeFigures(Protocol):
    """What one node costs."""

    @property
    def path(self) -> str: ...
    @property
    def params(self) -> int: ...
    @property
    def macs(self) -> int: ...
    @property
    def activations(self) -> int: ...


class Figures(Protocol):
    """What a closed graph costs at inference: `archdsl.cost.figures` gives it."""

    @property
    def nodes(self) -> Sequence[NodeFigures]: ...
    @property
    def params(self) -> int: ...
    @property
    def macs(self) -> int: ...
    @property
    def activations(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs for one image; a change of that where both sides are known."""

    params: int = 0
    macs: int = 0
    activations: int = 0
    """The numbers that all primitives write."""
    seconds: float = 0.0
    """By a cost table; stays 0 where none was given."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.params + other.params,
            self.macs + other.macs,
            self.activations + other.activations,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Cost) -> Cost:
        return Cost(
            self.params - other.params,
            self.macs - other.macs,
            self.activations - other.activations,
            self.seconds - other.seconds,
        )

    def __bool__(self) -> bool:
        counts = self.params or self.macs or self.activations
        return bool(counts or round(self.seconds, 9))  # sums of equal times may differ in a last digit


@dataclass(frozen=True)
class Side:
    """One of the two things that are compared. `Side.of` makes one."""

    name: str
    program: Program
    answers: Answers
    """In normal form: of those questions only that the network asks (`rule-asked-where-read`)."""
    graph: Graph
    """Closed, or open where questions are."""
    figures: Figures | None
    latency: Mapping[str, float] | None = None
    """Seconds by node, by a cost table: an op's at the node that gives its map. None where no table was given."""


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter of the space that has another value; None where the space has no such parameter."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class QuestionChange:
    """A question of the space that has other candidates; None where the space does not ask it."""

    path: QuestionPath
    kind: QuestionKind
    before: Answer | None
    after: Answer | None


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """An answer given otherwise, under its path; None where the question is not asked."""

    path: QuestionPath
    kind: QuestionKind
    before: Answer | None
    after: Answer | None
    channels: tuple[str | None, str | None] = (None, None)
    """Of a width: the channels of its map on both sides, where one of the networks has that map."""


@dataclass(frozen=True, slots=True)
class RouteChange:
    """Another path of a branch through its grid: the places that it passes, first to last."""

    branch: Branch
    before: tuple[str, ...]
    after: tuple[str, ...]


class Change(StrEnum):
    """What became of a cell."""

    SAME = "unchanged"
    REWIRED = "rewired"
    """It computes the same on maps from elsewhere."""
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class CellChange:
    """A cell on both sides: what became of it, and what that costs.

    A line that stands in no cell (`stem`, `logits`) counts as one.
    """

    change: Change
    before: str | None
    after: str | None
    """Its path on each side; None where it is not there."""
    scope: str
    """Its path without the branches that compute it: what its questions begin with."""
    aspect: str
    """What of it changed: `map`, `inputs`, `ops`, `weights`, `parameters`; empty where nothing did."""
    detail: str
    """That before and after, `128x64x128 -> 64x64x128`; the ops of a cell that is on one side only."""
    cost: Cost
    picked: Mapping[QuestionPath, Cost] = field(default_factory=dict[QuestionPath, Cost])
    """What of that is due to ops which were answered otherwise, by the question of the edge that they stand on."""

    @property
    def rest(self) -> Cost:
        """What no answer about an edge accounts for."""
        return self.cost - sum(self.picked.values(), Cost())

    @property
    def path(self) -> str:
        path = self.before if self.after is None else self.after
        assert path is not None
        return path

    @property
    def renamed(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after


@dataclass(frozen=True, slots=True)
class Weights:
    """Whether one side's weights fit the other's tensors, by the names of a state dict."""

    kept: tuple[str, ...]
    reshaped: tuple[str, ...]
    new: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many tensors the later network has."""
        return len(self.kept) + len(self.reshaped) + len(self.new)


@dataclass(frozen=True, slots=True)
class Totals:
    before: Cost
    after: Cost
    timed: bool = False
    """Whether a cost table was given."""


@dataclass(frozen=True, repr=False)
class Difference:
    """All that differs between two sides. Empty where they mean the same."""

    before: Side
    after: Side
    parameters: tuple[ParameterChange, ...]
    questions: tuple[QuestionChange, ...]
    answers: tuple[AnswerChange, ...]
    routes: tuple[RouteChange, ...]
    cells: tuple[CellChange, ...]
    """Every cell of either side, the unchanged ones among them."""
    totals: Totals | None
    """None where a side still has questions."""
    weights: Weights | None

    @property
    def same_space(self) -> bool:
        return self.before.program.name == self.after.program.name

    def cost_of(self, question: QuestionPath) -> Cost | None:
        """What another answer about an edge costs in all cells that share it; None where only cells as a whole tell."""
        found = [cell.picked[question] for cell in self.cells if question in cell.picked]
        return sum(found, Cost()) if found else None

    @cached_property
    def written_otherwise(self) -> bool:
        """Whether two networks are one function of their images and weights, though their texts differ."""
        before, after = self.before.graph, self.after.graph
        if not isinstance(before, ClosedGraph) or not isinstance(after, ClosedGraph):
            return False
        return bool(self) and same_network(before, after)

    @property
    def comparable(self) -> bool:
        """Whether cells tell anything: those of a space and of one of its genotypes are not meant to be equal."""
        return not self.same_space or self.before.graph.closed == self.after.graph.closed

    def __bool__(self) -> bool:
        edits = self.parameters or self.questions or self.answers
        return bool(edits) or any(cell.change is not Change.SAME for cell in self.cells)

    def __repr__(self) -> str:
        changed = sum(cell.change is not Change.SAME for cell in self.cells)
        return f"<difference `{self.before.name}` -> `{self.after.name}`: {changed} changed cells>"
