"""One op of a space under suppositions: the walk of `space.trace`, from its outputs back to what it reads."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TypeVar

from archdsl.cost.possible import Possible
from archdsl.cost.rows import alone
from archdsl.cost.work import Work, work_of
from archdsl.ops import Count, Dim, Shape, ShapeError
from archdsl.ops.dims import Leaf
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Chosen,
    Keep,
    Label,
    MapChannels,
    Measured,
    Node,
    OfBranch,
    Piecewise,
    Searching,
    Select,
    Subject,
    holds,
)

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Piece:
    """An op, or a primitive outside of ops, in a program."""

    path: str
    op: str
    nodes: tuple[int, ...]
    """In topological order."""
    roots: tuple[int, ...]
    """Those that others read."""
    whole: bool
    """Whether this is an op."""


# What is supposed ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _There:
    """A map from outside is there."""

    node: int


@dataclass(frozen=True, slots=True)
class _Same:
    """Two maps from outside are one."""

    one: int
    other: int


@dataclass(frozen=True, slots=True)
class _Read:
    """Somebody reads this one of several outputs."""

    node: int


@dataclass(frozen=True, slots=True)
class _Number:
    """What a number is that answers decide; by branch, where each branch has an answer of its own."""

    branch: str
    leaf: Leaf


class Open(Exception):
    """Something has to be supposed before the work is known."""

    def __init__(self, fact: Hashable, options: Sequence[Hashable]) -> None:
        super().__init__(fact)
        self.fact = fact
        self.options = options


class Misfit(Exception):
    """Maps that do not fit together under what is supposed: no answers give that."""


class Unlisted(Exception):
    """What a number can be is not listed."""


class _Needs(Exception):
    """A node of the piece has to be known first."""

    def __init__(self, node: int) -> None:
        super().__init__(node)
        self.node = node


@dataclass(slots=True)
class Trial:
    """`work` raises Open, Misfit and Unlisted."""

    piece: Piece
    possible: Possible
    facts: Mapping[Hashable, Hashable]
    known: dict[int, int | None] = field(default_factory=dict[int, "int | None"])
    """What each node comes down to; None where its map is absent."""
    steps: dict[int, tuple[Apply, tuple[int, ...]]] = field(default_factory=dict[int, "tuple[Apply, tuple[int, ...]]"])
    shapes: dict[int, Shape] = field(default_factory=dict[int, Shape])

    def work(self) -> Work | None:
        """None where nothing is to be done."""
        settled = (self._settle(root) for root in self.piece.roots if self._is_read(root))
        roots = [root for root in settled if root is not None and root in self.steps]
        if not roots:
            return None
        if not self.piece.whole:
            payload, reads = self.steps[roots[0]]
            return alone(payload, [self.shapes[source] for source in reads], self.shapes[roots[0]])
        return work_of(roots, self._merged(roots), self.shapes.__getitem__)

    def _is_read(self, root: int) -> bool:
        return len(self.piece.roots) == 1 or self._suppose(_Read(root), (True, False))

    def _suppose(self, fact: Hashable, options: Sequence[T]) -> T:
        if len(options) == 1:
            return options[0]
        if fact not in self.facts:
            raise Open(fact, options)
        found = self.facts[fact]
        return next(option for option in options if option == found)

    def _merged(self, roots: Sequence[int]) -> Mapping[int, tuple[Apply, tuple[int, ...]]]:
        """The steps where maps from outside that can be one are one, or are not."""
        name: dict[int, int] = {}
        for other in self._reads(roots):
            name[other] = next((one for one in dict.fromkeys(name.values()) if self._are_one(one, other)), other)
        if all(one == other for other, one in name.items()):
            return self.steps
        return {key: (payload, tuple(name.get(s, s) for s in reads)) for key, (payload, reads) in self.steps.items()}

    def _reads(self, roots: Sequence[int]) -> Sequence[int]:
        """The maps from outside that `roots` need."""
        found: dict[int, None] = {}
        waiting = list(roots)
        while waiting:
            key = waiting.pop()
            if key not in found:
                found[key] = None
                waiting.extend(self.steps[key][1] if key in self.steps else ())
        return [key for key in found if key not in self.steps]

    def _are_one(self, one: int, other: int) -> bool:
        origins = self.possible.origins
        can = self.shapes[one] == self.shapes[other] and not origins[one].isdisjoint(origins[other])
        return can and self._suppose(_Same(one, other), (False, True))

    # The walk ----------------------------------------------------------------------------------------

    def _settle(self, start: int) -> int | None:
        waiting = [start]
        while waiting:
            try:
                self.known[waiting[-1]] = self._resolve(waiting[-1])
                waiting.pop()
            except _Needs as needs:
                waiting.append(needs.node)
        return self.known[start]

    def _of(self, node: int) -> int | None:
        if node not in self.known:
            raise _Needs(node)
        return self.known[node]

    def _resolve(self, index: int) -> int | None:
        node = self.possible.program.nodes[index]
        if index not in self.piece.nodes:
            return self._outside(index, node)
        match node.payload:
            case Select(subject, labels):
                return self._selected(subject, list(zip(labels, node.inputs, strict=True)))
            case Keep(path, labels):
                question = self.possible.program.questions[path]
                kept = self._suppose(path, tuple(combinations(question.answers, question.keep)))
                named = dict(zip(labels, node.inputs, strict=True))
                return self._applied(index, Apply(ADD.name), [named[label] for label in kept])
            case Apply():
                return self._applied(index, node.payload, node.inputs)
            case OfBranch():
                return self._of(node.inputs[0])
            case Absent():
                return None
            case _:
                raise TypeError(f"`{node.path}` is no part of an op")

    def _outside(self, index: int, node: Node) -> int | None:
        presence = self.possible.presence[index]
        options = [there for there, can in ((True, presence.there), (False, presence.absent)) if can]
        if not self._suppose(_There(index), options):
            return None
        branch = node.payload.branch if isinstance(node.payload, OfBranch) else ""
        self.shapes[index] = node.shape._replace(channels=self._number(node.shape.channels, branch))
        return index

    def _selected(self, subject: Subject, options: Sequence[tuple[Label, int]]) -> int | None:
        match subject:
            case Searching():
                source = next((source for label, source in options if label == "no"), None)
            case Asked(path):
                answer = self._suppose(path, self.possible.program.questions[path].answers)
                source = next((source for label, source in options if label == answer), None)
            case Measured(count):
                number = self._number(count)
                source = next(source for label, source in options if holds(label, number))
        return None if source is None else self._of(source)

    def _applied(self, index: int, payload: Apply, inputs: Sequence[int]) -> int | None:
        primitive = PRIMITIVES[payload.primitive]
        reads = [source for source in map(self._of, inputs) if source is not None]
        if len(reads) < (1 if primitive.variadic else len(inputs)):
            return None
        if len(reads) == 1 and primitive.traits.identity_of_one:
            return reads[0]  # as `ir.passes.without_single_sums` has it
        fixed = tuple(
            (name, self._number(value) if isinstance(value, Dim) else value) for name, value in payload.attributes
        )
        try:
            self.shapes[index] = primitive.shape([self.shapes[source] for source in reads], dict(fixed))
        except ShapeError:
            raise Misfit from None
        self.steps[index] = (Apply(payload.primitive, fixed), tuple(reads))
        return index

    # Numbers -----------------------------------------------------------------------------------------

    def _number(self, count: Count, branch: str = "") -> int:
        if isinstance(count, int):
            return count
        try:
            return count.evaluate(lambda leaf: self._leaf(leaf, branch))
        except ArithmeticError:
            raise Misfit from None

    def _leaf(self, leaf: Leaf, branch: str) -> int:
        match leaf:
            case Chosen(path, numbers):
                own = self.possible.program.questions[path].per_branch
                return self._suppose(_Number(branch if own else "", leaf), numbers)
            case Piecewise(subject, arms):
                number = self._number(subject, branch)
                return self._number(next(count for label, count in arms if holds(label, number)), branch)
            case MapChannels(node) if node in self.piece.nodes:
                source = self._of(node)
                return 0 if source is None else self._number(self.shapes[source].channels)
            case _:
                domain = leaf.domain()
                if domain is None:
                    raise Unlisted
                return self._suppose(_Number("", leaf), sorted(domain))
