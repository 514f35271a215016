"""A program: a space with all its structure laid out, as plain data.

Nodes stand in topological order and name their inputs by index. What is still open stays in it: a `Select` picks one
of its inputs by the answer to a question or by a fact, and a channel count may be a `Dim` over answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final, TypeAlias

from archdsl.ops import Count, Shape, Value
from archdsl.records import record
from archdsl.space.node_path import Frame, NodePath
from archdsl.space.path import Branch, QuestionPath, QuestionScope, spell_scope
from archdsl.text import Span


class QuestionKind(StrEnum):
    OPERATOR = "operator"
    SOURCE = "source"
    KEEP = "keep"
    EXIT = "exit"
    WIDTH = "width"
    BRANCH = "branch"


@record
class Question:
    """Something that a genotype answers."""

    path: QuestionPath
    """How texts, checkpoints and messages name it; without a branch."""
    kind: QuestionKind
    answers: tuple[str, ...]
    """The candidates, as spelled in the space and in its order (the order of the logits)."""
    per_branch: bool = False
    keep: int = 1
    """How many candidates an answer names (more than one for KEEP only)."""
    edges: tuple[str, ...] = ()
    """For KEEP: the name under which each candidate's own edge asks, which is where its pipe begins."""
    span: Span | None = field(default=None, compare=False, repr=False)

    @property
    def on_line(self) -> bool:
        """Whether the edges of a line ask it; texts answer such questions as the line is written."""
        return bool(self.path.node) and self.kind is not QuestionKind.EXIT

    def asked_by(self, branch: Branch | None) -> QuestionPath:
        """The path of the answer that counts for a branch."""
        return self.path.of(branch) if self.per_branch and branch is not None else self.path


# What a select looks at -------------------------------------------------------------------------


@record
class Asked:
    """The answer to a question; labels are answers."""

    question: QuestionPath


@record
class Searching:
    """Whether this is a supernet; labels are `yes` and `no`."""


@record
class Measured:
    """A channel count that answers decide; labels are ranges, the first that holds is taken."""

    count: Count


@record
class Unread:
    """Whether no other map of a set reads the input: none of these answers names it. The label is `yes`.

    While questions are open, and so in a supernet, it counts as unread.
    """

    readings: tuple[tuple[QuestionPath, str], ...]
    """The questions whose answers can have another map read it, each with its name there."""


Subject: TypeAlias = "Asked | Searching | Measured | Unread"


@record
class Within:
    """`low..high`, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}..{self.high}"


@record
class Otherwise:
    def __str__(self) -> str:
        return "else"


Label: TypeAlias = "str | Within | Otherwise"


# Payloads ---------------------------------------------------------------------------------------


@record
class Image:
    """An input of the network."""

    name: str


@record
class Apply:
    """A primitive with its parameters, defaults filled in, in the primitive's order."""

    primitive: str
    attributes: tuple[tuple[str, Value], ...] = ()

    @property
    def attribute(self) -> Mapping[str, Value]:
        return dict(self.attributes)


@record
class Select:
    """One of its inputs: the one whose label holds. Where none holds the map is absent."""

    subject: Subject
    labels: tuple[Label, ...]


@record
class Keep:
    """The sum of those inputs that the answer to a KEEP question names; labels are sources."""

    question: QuestionPath
    labels: tuple[str, ...]


@record
class OfBranch:
    """Its input as one branch sees it: `per branch` questions above it have that branch's answers."""

    branch: Branch


@record
class Absent:
    """A map that is not there. A concat or a sum leaves it out; whatever else reads it is absent too."""


@record
class Result:
    """An output of the network; `auxiliary` ones are trained with and never exported."""

    name: str
    auxiliary: bool = False


Payload: TypeAlias = "Image | Apply | Select | Keep | OfBranch | Absent | Result"


@record
class Node:
    location: NodePath
    payload: Payload
    inputs: tuple[int, ...]
    shape: Shape
    span: Span | None = field(default=None, compare=False, repr=False)
    weights: NodePath | None = None
    """Where its weights lie, if other nodes may have them too (`weights@name`); None where they are its own."""

    @property
    def path(self) -> str:
        return self.location.spelled

    @property
    def frames(self) -> tuple[Frame, ...]:
        return self.location.frames

    @property
    def local(self) -> str:
        return self.location.local


@record
class Ordered:
    """Branches end at different places, finer ones first (FasterSeg, appendix B)."""

    branches: tuple[Branch, ...]
    """In the order of `branches a, b`."""


Place: TypeAlias = "tuple[int, ...]"


START: Final = "begin"
"""The answer for what starts at a place, beside the places that it can read: a word that texts can write, which `start`
is not.
"""


@record
class Trellis:
    """The places of a grid and which place each can read: what paths are counted and spelled by."""

    scope: QuestionScope
    """The scope of its places, without their indices: `trunk`, `outer.trunk`."""
    sources: Mapping[Place, Mapping[str, Place]]
    """For each place that exists the answers to its source question, and the place that each reads."""
    question: str
    """The last step of the source question's path: `source`."""
    starts: frozenset[Place] = frozenset()
    """Places that can begin with a map of their own instead of reading another place: their question has `START`."""

    def asks_at(self, place: Place) -> bool:
        """Whether the source of a place is asked for: there is more than one."""
        return len(self.sources[place]) + (place in self.starts) > 1

    def begins_at(self, place: Place) -> bool:
        """Whether a path can begin at a place."""
        return place in self.starts or not self.sources[place]

    @property
    def name(self) -> str:
        return spell_scope(self.scope)

    def at(self, place: Place) -> QuestionScope:
        """The scope of a place."""
        *outside, last = self.scope
        return (*outside, last.at(place))

    def spell(self, place: Place) -> str:
        return spell_scope(self.at(place))

    def source(self, place: Place) -> QuestionPath:
        """The question which place this one reads."""
        return QuestionPath(self.at(place), self.question)

    def asks(self, path: QuestionPath) -> bool:
        """Whether a path is the source question of one of its places."""
        return (
            path.name == self.question
            and not path.node
            and len(path.scope) == len(self.scope)
            and path.scope[:-1] == self.scope[:-1]
            and path.scope[-1].structure == self.scope[-1]
            and path.scope[-1].indices in self.sources
        )


@record
class Ends:
    """A branch, and the places at which it can end by the answer to its question."""

    trellis: QuestionScope
    places: Mapping[str, Place]


@dataclass(frozen=True, eq=False, repr=False)
class Program:
    """A space laid out. `hash` covers its structure (`rule-files`); programs are told apart by identity."""

    name: str
    parameters: tuple[tuple[str, Value], ...]
    nodes: tuple[Node, ...]
    questions: Mapping[QuestionPath, Question]
    constraints: tuple[Ordered, ...] = ()
    trellises: Mapping[QuestionScope, Trellis] = field(default_factory=dict[QuestionScope, Trellis])
    branches: Mapping[Branch, Ends] = field(default_factory=dict[Branch, Ends])
    hash: str = ""

    def __repr__(self) -> str:
        return f"<program `{self.name}`: {len(self.nodes):,} nodes, {len(self.questions):,} questions>"

    @cached_property
    def images(self) -> tuple[Node, ...]:
        """The inputs, in the order of the text."""
        return tuple(node for node in self.nodes if isinstance(node.payload, Image))

    @property
    def image(self) -> Node:
        """The first input, whose size is that of the whole network."""
        return self.images[0]

    @cached_property
    def results(self) -> tuple[int, ...]:
        return tuple(index for index, node in enumerate(self.nodes) if isinstance(node.payload, Result))

    @cached_property
    def _spelled(self) -> Mapping[str, tuple[QuestionPath, ...]]:
        """Every path that an answer can have by its spelling, those of branches first."""
        found: dict[str, list[QuestionPath]] = {}
        for path, question in self.questions.items():
            found.setdefault(str(path), []).append(path)
            if question.per_branch:
                for branch in self.branches:
                    found.setdefault(str(path.of(branch)), []).append(path.of(branch))
        return {text: tuple(sorted(paths, key=_precedence)) for text, paths in found.items()}

    def find(self, text: str) -> tuple[QuestionPath, ...]:
        """The paths that are spelled so, the one that a text means first.

        More than one where a branch has the name of a cell, or a cell that of a line.
        """
        return self._spelled.get(text, ())

    def spell(self, path: QuestionPath) -> str:
        """A path as text that is its own: `answer a { operator }` where `a.operator` means the branch `a`."""
        if self.find(str(path))[0] == path:
            return str(path)
        return f"answer {spell_scope(path.scope)} {{ {spell_scope(path.steps[len(path.scope) :])} }}"

    def order(self, branch: Branch | None) -> int:
        """The position of a branch, 0 for none: a key to sort by."""
        return 0 if branch is None else self._positions[branch]

    @cached_property
    def _positions(self) -> Mapping[Branch, int]:
        return {branch: position for position, branch in enumerate(self.branches, start=1)}


def _precedence(path: QuestionPath) -> tuple[bool, bool]:
    """A branch comes before a cell of its name, a question with a name before one on an edge."""
    return path.branch is None, bool(path.node)
