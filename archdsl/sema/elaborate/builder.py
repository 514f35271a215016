"""Builds a program node by node, and keeps names unique and the size bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from archdsl.ops import Channels, Count, Shape
from archdsl.ops import Value as Attribute
from archdsl.ops.dims import DOMAIN_LIMIT, values, variable
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema.elaborate.limits import Nesting, TooLarge, Work
from archdsl.sema.modules.library import is_packaged
from archdsl.space import (
    Apply,
    Asked,
    Branch,
    Ends,
    Frame,
    FrameKind,
    Label,
    MapChannels,
    Node,
    NodePath,
    Ordered,
    Payload,
    Question,
    QuestionKind,
    QuestionPath,
    QuestionScope,
    Select,
    Subject,
    Trellis,
    Unread,
    in_supernet,
)
from archdsl.space.node_path import AT
from archdsl.syntax import ast
from archdsl.text import Span

NODE_LIMIT = 25_000
"""A text that lays out more nodes than this is refused (`property-no-escape`): a mistake in their
sizes has them laid out twice, which takes two seconds. The largest published space that was written down,
Auto-DeepLab's, has 22,265.
"""


@dataclass(slots=True)
class Scope:
    """Where nodes are made: the frames so far, and which names are taken under them."""

    frames: tuple[Frame, ...] = ()
    taken: dict[str, int] = field(default_factory=dict[str, int])
    below: dict[str, dict[str, int]] = field(default_factory=dict[str, "dict[str, int]"])
    """What is taken under each step from here, so that a cell `head` of a branch `a` and a `head` in a cell `a`
    have paths of their own.
    """
    weights: Scope | None = None
    """Where the weights of what is made here lie, within what shares them; None where each node has its own."""
    stands_for: str = ""
    """Of a scope of weights: the name under which they are shared, until it is known what has that name."""

    @property
    def home(self) -> tuple[Frame, ...]:
        """The frames under which the weights of what is made here lie."""
        return self.frames if self.weights is None else self.weights.frames

    def sharing(self, body: tuple[Frame, ...], name: str, *, several: bool) -> Scope:
        """This scope for one call, which has the weights `name` of the body with these frames.

        `several` says that it calls one of several ops, each of which keeps its own name within that of the weights.
        """
        weights = Scope(body, stands_for=at(name))
        return Scope(self.frames, self.taken, self.below, weights.held() if several else weights)

    def standing(self, body: tuple[Frame, ...], name: str) -> Scope:
        """The same for a cell that stands in a structure: this is its own scope already."""
        mine = replace(self.frames[-1], name=at(name), branch="")
        return Scope(self.frames, self.taken, self.below, Scope((*body, mine)))

    def apart(self) -> Scope:
        """This scope for what has weights of its own, whatever is shared around it."""
        return Scope(self.frames, self.taken, self.below)

    def unique(self, name: str) -> str:
        """`name` where it is free, else `name_2`, `name_3`."""
        return _unique(self.taken, name)

    def child(self, kind: FrameKind, name: str, definition: str = "", *, branch: str = "") -> Scope:
        """A cell, line or op in here; `branch` is that whose map a cell is put on."""
        weights = None if self.weights is None else self.weights.shared(kind, name, definition, branch)
        if branch:
            name = _unique(self.below.setdefault(branch, {}), name)
            return Scope((*self.frames, Frame(kind, name, definition, branch)), weights=weights)
        name = self.unique(name)
        return Scope((*self.frames, Frame(kind, name, definition)), self.below.setdefault(name, {}), weights=weights)

    def shared(self, kind: FrameKind, name: str, definition: str, branch: str) -> Scope:
        """As `child`, of a scope of weights: an op or a cell that shares them is what has their name."""
        if not self.stands_for:
            return self.child(kind, name, definition, branch=branch)
        if kind is not FrameKind.LINE:
            return Scope((*self.frames, Frame(kind, self.stands_for, definition)))
        return self.held().child(kind, name, definition)

    def held(self) -> Scope:
        """Of a scope of weights: one with what several ops share, each under its own name."""
        return Scope((*self.frames, Frame(FrameKind.OP, self.stands_for))) if self.stands_for else self

    def owner(self, local: str) -> NodePath:
        """Of a scope of weights: where those of a primitive lie."""
        return NodePath(self.frames, self.unique(self.stands_for or local))


def _unique(taken: dict[str, int], name: str) -> str:
    count = taken.get(name, 0) + 1
    taken[name] = count
    return name if count == 1 else _unique(taken, f"{name}_{count}")


@dataclass(frozen=True, slots=True)
class Differing:
    """A question that two instances ask with other candidates."""

    first: Question
    other: Question
    calls: tuple[Span, Span] | None
    """Where the text makes the instances; None where one place of the text makes both."""


def at(name: str) -> str:
    """A name of weights as the step of a path."""
    return f"{AT}{name}"


@dataclass(frozen=True, slots=True)
class Sharing:
    """A call that has weights of a name."""

    name: str
    calls: tuple[Span, ...]
    """The calls around it, from the outermost, and itself."""
    nodes: dict[str, int] = field(default_factory=dict[str, int])
    """The nodes of its weights, by the path at which they lie."""


def apart(one: tuple[Span, ...], other: tuple[Span, ...]) -> tuple[Span, Span] | None:
    """The outermost calls that differ."""
    return next(((left, right) for left, right in zip(one, other, strict=False) if left != right), None)


@dataclass(slots=True)
class Builder:
    """The program so far."""

    work: Work = field(default_factory=Work)
    nodes: list[Node] = field(default_factory=list[Node])
    questions: dict[QuestionPath, Question] = field(default_factory=dict[QuestionPath, Question])
    constraints: list[Ordered] = field(default_factory=list[Ordered])
    trellises: dict[QuestionScope, Trellis] = field(default_factory=dict[QuestionScope, Trellis])
    branches: dict[Branch, Ends] = field(default_factory=dict[Branch, Ends])
    absent: set[int] = field(default_factory=set[int])
    """Nodes whose map is not there under some answers."""
    differing: dict[QuestionPath, Differing] = field(default_factory=dict[QuestionPath, "Differing"])
    """Questions that instances ask with other candidates than the first of them."""
    nesting: Nesting = field(default_factory=Nesting)
    calls: tuple[Span, ...] = ()
    """The calls of ops and cells that are being laid out, from the outermost."""
    asked: dict[QuestionPath, tuple[Span, ...]] = field(default_factory=dict[QuestionPath, tuple[Span, ...]])
    """For each question the calls in which it was asked first."""
    made: list[tuple[Span, ...]] = field(default_factory=list[tuple[Span, ...]])
    """For each node the calls in which it was made."""
    shared: dict[str, list[Sharing]] = field(default_factory=dict[str, "list[Sharing]"])
    """The calls that have the same weights, by the path of these."""
    places: list[tuple[str, Sharing]] = field(default_factory=list[tuple[str, "Sharing"]])
    """Those that are being laid out, with the path of their weights."""

    @contextmanager
    def calling(self, definition: ast.Op | ast.Cell, span: Span) -> Generator[None, None, None]:
        """While an op or a cell is laid out where the text calls it. Raises Refused, as `Nesting.enter`."""
        self.nesting.enter(definition, span)
        outside = self.calls
        self.calls = (*outside, span)
        try:
            yield
        finally:
            self.nesting.leave()
            self.calls = outside

    def origins(self, *nodes: int) -> list[Span | None]:
        """Where the text that is being laid out makes these nodes: places that differ, if there are such."""
        ways = [(*self.made[node], self.nodes[node].span) for node in nodes]
        shared = 0
        while all(shared < len(way) - 1 and way[: shared + 1] == self.calls[: shared + 1] for way in ways):
            shared += 1
        deepest = min(len(way) for way in ways)
        differ = (at for at in range(shared, deepest) if len({way[at] for way in ways}) > 1)
        level = next(differ, min(shared, deepest - 1))
        found = [way[level] for way in ways]
        packaged = any(place is not None and is_packaged(place.source) for place in found)
        return [way[min(shared, len(way) - 1)] for way in ways] if packaged else found

    def shape(self, node: int) -> Shape:
        return self.nodes[node].shape

    def add(
        self, scope: Scope, local: str, payload: Payload, inputs: tuple[int, ...], shape: Shape, span: Span | None
    ) -> int:
        if len(self.nodes) >= NODE_LIMIT:
            largest, count = self._largest(span)
            raise TooLarge(largest, f"the text lays out more than {NODE_LIMIT:,} nodes, {count:,} of them here")
        node = len(self.nodes)
        weights = self._shared(scope, local, payload, node) if scope.weights is not None else None
        self.nodes.append(Node(NodePath(scope.frames, scope.unique(local)), payload, inputs, shape, span, weights))
        self.made.append(self.calls)
        missing = [source for source in inputs if source in self.absent]
        if missing and isinstance(payload, Apply) and PRIMITIVES[payload.primitive].variadic:
            self._join_some(node, payload.primitive, inputs, missing)
        elif missing:
            self.absent.add(node)
        return node

    def _largest(self, span: Span | None) -> tuple[Span | None, int]:
        """What in the space's own lines, or in those of its structures, has made the most nodes, and how many."""
        ways = (made[0] if made else node.span for made, node in zip(self.made, self.nodes, strict=True))
        return max(Counter(ways).items(), key=lambda each: each[1], default=(span, 0))

    @contextmanager
    def sharing(self, body: tuple[Frame, ...], name: str, span: Span) -> Generator[None, None, None]:
        """While a call is laid out that has the weights `name` of a body."""
        place, root = Sharing(name, (*self.calls, span)), NodePath(body, at(name)).spelled
        self.shared.setdefault(root, []).append(place)
        self.places.append((root, place))
        try:
            yield
        finally:
            self.places.pop()

    def _shared(self, scope: Scope, local: str, payload: Payload, node: int) -> NodePath | None:
        """The owner of the weights of a node in a scope that shares them; None for one that has none."""
        if scope.weights is None or not isinstance(payload, Apply) or not PRIMITIVES[payload.primitive].owns_tensors:
            return None
        owner = scope.weights.owner(local)
        for root, place in self.places:
            if owner.spelled == root or owner.spelled.startswith(f"{root}."):
                place.nodes[owner.spelled] = node
        return owner

    def apply(
        self, scope: Scope, name: str, attributes: Mapping[str, Attribute], inputs: tuple[int, ...], span: Span
    ) -> int:
        """A primitive on maps. Raises ShapeError."""
        shape = PRIMITIVES[name].shape([self.shape(index) for index in inputs], attributes)
        return self.add(scope, name, Apply(name, tuple(attributes.items())), inputs, shape, span)

    def select(
        self,
        scope: Scope,
        local: str,
        subject: Subject,
        labels: tuple[Label, ...],
        inputs: tuple[int, ...],
        span: Span | None,
    ) -> int:
        """One of maps of equal resolution; absent where no label holds."""
        shapes = [self.shape(index) for index in inputs]
        channels = tuple(dict.fromkeys(shape.channels for shape in shapes))
        node = self.add(scope, local, Select(subject, labels), inputs, shapes[0], span)
        self.absent.discard(node)
        if any(source in self.absent for source in inputs) or self._leaves_out(subject, labels):
            self.absent.add(node)
        if len(channels) > 1 or any(map(_depends_on_maps, channels)):
            # A count that depends on another map would have that map computed whichever option is taken.
            self._give_channels(node, channels)
        return node

    def _leaves_out(self, subject: Subject, labels: tuple[Label, ...]) -> bool:
        if isinstance(subject, Unread):
            return True
        if not isinstance(subject, Asked) or subject.question not in self.questions:
            return False  # a question whose set is wrong is never asked
        return len(labels) < len(self.questions[subject.question].answers)

    def pass_on(self, scope: Scope, local: str, payload: Payload, source: int, span: Span | None) -> int:
        """A node whose map has its input's shape, under a channel count of its own where answers decide that."""
        node = self.add(scope, local, payload, (source,), self.shape(source), span)
        channels = self.shape(source).channels
        if _depends_on_maps(channels):
            self._give_channels(node, (channels,))
        return node

    def ask(self, question: Question) -> Question:
        """The question under its path; the first one to be asked there stays."""
        known = self.questions.setdefault(question.path, question)
        calls = self.asked.setdefault(question.path, self.calls)
        if (known.answers, known.keep) != (question.answers, question.keep):
            self.differing.setdefault(question.path, Differing(known, question, apart(calls, self.calls)))
        return known

    def chooses_op(self, path: QuestionPath) -> None:
        """The use of a number decides its question's kind: here it selects between ops."""
        self.questions[path] = replace(self.questions[path], kind=QuestionKind.OPERATOR)

    def chooses_source(self, path: QuestionPath) -> None:
        """As `chooses_op`: here a number selects between places."""
        self.questions[path] = replace(self.questions[path], kind=QuestionKind.SOURCE)

    def _join_some(self, node: int, primitive: str, inputs: tuple[int, ...], missing: list[int]) -> None:
        """A sum or concat that leaves out what is not there: its channels are those of what is."""
        if len(missing) == len(inputs):
            self.absent.add(node)
        made = self.nodes[node]
        numbers = self._sums(primitive, inputs, missing)
        leaf = MapChannels(node, made.path, numbers, in_supernet(made.shape.channels))
        self.nodes[node] = replace(made, shape=made.shape._replace(channels=variable(leaf)))

    def _sums(self, primitive: str, inputs: tuple[int, ...], missing: list[int]) -> frozenset[int] | None:
        """The possible channel counts of a join; None where they are too many to list."""
        found: set[int] = {0}
        for source in inputs:
            numbers = values(self.shape(source).channels)
            if numbers is None:
                return None
            wholes = {number for number in numbers if isinstance(number, int)}
            if PRIMITIVES[primitive].traits.channels is not Channels.SUM:
                found |= wholes
            elif source in missing:
                found |= {before + number for before in found for number in wholes}
            else:
                found = {before + number for before in found for number in wholes}
            if len(found) > DOMAIN_LIMIT:
                return None
        return frozenset(found - {0})

    def _give_channels(self, node: int, options: tuple[Count, ...]) -> None:
        made = self.nodes[node]
        leaf = MapChannels.of(node, made.path, options)
        self.nodes[node] = replace(made, shape=made.shape._replace(channels=variable(leaf)))


def _depends_on_maps(channels: Count) -> bool:
    return not isinstance(channels, int) and any(isinstance(leaf, MapChannels) for leaf in channels.leaves())
