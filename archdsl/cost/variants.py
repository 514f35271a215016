"""What one op of a space can turn out to be: its work under all that can be supposed of the answers."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, final

from archdsl.cost.kernel import Kernel, kernel_of
from archdsl.cost.rows import alone
from archdsl.ops import Dim, Shape, ShapeError
from archdsl.ops.dims import Leaf, values
from archdsl.ops.joining import ADD
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Chosen, Keep, MapChannels, Node, Question, QuestionPath
from archdsl.space.concrete import Answer, Computed, Concrete
from archdsl.space.dependencies import answers_of
from archdsl.space.reach import Reach
from archdsl.space.walk import Key, Walk

VARIANT_LIMIT: Final = 20_000
"""An op that can turn out to be more than this is not listed: nobody measures so many rows."""

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


@dataclass(frozen=True, slots=True)
class TooManyRows(Exception):
    """An op can turn out to be more than can be listed."""

    path: str

    def __str__(self) -> str:
        return f"`{self.path}` can turn out in more than {VARIANT_LIMIT:,} ways, too many for a row each"


def variants(piece: Piece, reach: Reach) -> Iterator[Kernel]:
    """The work of a piece, the same more than once where what is supposed makes no difference.

    Raises TooManyRows.
    """
    try:
        yield from _sums(piece, reach) if _is_sum(piece, reach) else _tried(piece, reach)
    except _Unlisted:
        raise TooManyRows(piece.path) from None


def _tried(piece: Piece, reach: Reach) -> Iterator[Kernel]:
    """Something more is supposed wherever the work is still open."""
    waiting: list[Mapping[Hashable, Hashable]] = [{}]
    supposed = 0
    while waiting:
        facts = waiting.pop()
        try:
            work = _Vary(piece, reach, facts).work()
        except _Misfit:
            continue
        except _Open as still:
            supposed += len(still.options)
            if supposed > VARIANT_LIMIT:
                raise _Unlisted from None
            waiting.extend({**facts, still.fact: option} for option in reversed(still.options))
            continue
        if work is not None:
            yield work


def _is_sum(piece: Piece, reach: Reach) -> bool:
    """Whether this is a sum of maps of one size that stands outside of ops."""
    nodes = reach.program.nodes
    node = nodes[piece.nodes[0]]
    if (
        piece.whole
        or len({(nodes[source].shape.size, nodes[source].shape.channels == 1) for source in node.inputs}) > 1
    ):
        return False
    return node.payload == Apply(ADD.name) or isinstance(node.payload, Keep)


def _sums(piece: Piece, reach: Reach) -> Iterator[Kernel]:
    """Which of its maps a sum has makes no difference, for they are alike: only how many (of 14, and not 2^14).

    A sum that keeps some of its maps adds all of them while it is searched.
    """
    node = reach.program.nodes[piece.nodes[0]]
    reads = node.inputs
    there = [source for source in reads if reach.presence(source).there]
    absent = sum(reach.presence(source).absent for source in reads)
    kept = reach.program.questions[node.payload.question].keep if isinstance(node.payload, Keep) else len(reads)
    counts = {
        count for asked in (kept, len(reads)) for count in range(max(2, asked - absent), min(asked, len(there)) + 1)
    }
    for count in sorted(counts):
        for channels in _channels([reach.program.nodes[source].shape for source in there]):
            shape = node.shape._replace(channels=channels)
            if (work := alone(Apply(ADD.name), [shape] * count, shape)) is not None:
                yield work


def _channels(shapes: Sequence[Shape]) -> Sequence[int]:
    """What the channels of maps can be that have the same: all that the most certain of them can have."""
    known = [found for shape in shapes if (found := values(shape.channels)) is not None]
    if not known:
        raise _Unlisted
    return sorted(number for number in min(known, key=len) if isinstance(number, int))


# One op under suppositions ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _There:
    """A map from outside is there."""

    node: int


@dataclass(frozen=True, slots=True)
class _Same:
    """Two maps from outside are one."""

    one: Key
    other: Key


@dataclass(frozen=True, slots=True)
class _Read:
    """Somebody reads this one of several outputs."""

    node: int


class _Open(Exception):
    """Something has to be supposed before the work is known."""

    def __init__(self, fact: Hashable, options: Sequence[Hashable]) -> None:
        super().__init__(fact)
        self.fact = fact
        self.options = options


class _Misfit(Exception):
    """Maps that do not fit together under what is supposed: no answers give that."""


class _Unlisted(Exception):
    """What a number can be is not listed."""


@final
class _Vary(Concrete):
    """A piece where answers, and what is outside of it, are supposed. Raises _Open, _Misfit and _Unlisted."""

    def __init__(self, piece: Piece, reach: Reach, facts: Mapping[Hashable, Hashable]) -> None:
        super().__init__()
        self.piece = piece
        self.reach = reach
        self.facts = facts

    @property
    def inside(self) -> Container[int]:
        return self.piece.nodes

    def work(self) -> Kernel | None:
        """None where nothing is to be done."""
        walk = Walk(self.reach.program, self, region=self)
        settled = (walk.of(root) for root in self.piece.roots if self._is_read(root))
        roots = [root for root in settled if root is not None and root in self._steps]
        if not roots:
            return None
        if not self.piece.whole:
            payload, reads = self._steps[roots[0]]
            return alone(payload, [self.computed[source].shape for source in reads], self.computed[roots[0]].shape)
        return kernel_of(roots, self._merged(roots), lambda key: self.computed[key].shape)

    @property
    def _steps(self) -> Mapping[Key, tuple[Apply, tuple[Key, ...]]]:
        return {
            key: (each.payload, each.inputs)
            for key, each in self.computed.items()
            if isinstance(each.payload, Apply) and key.node in self.piece.nodes
        }

    def _is_read(self, root: int) -> bool:
        return len(self.piece.roots) == 1 or self._suppose(_Read(root), (True, False))

    def _suppose(self, fact: Hashable, options: Sequence[T]) -> T:
        if len(options) == 1:
            return options[0]
        if fact not in self.facts:
            raise _Open(fact, options)
        found = self.facts[fact]
        return next(option for option in options if option == found)

    def _merged(self, roots: Sequence[Key]) -> Mapping[Key, tuple[Apply, tuple[Key, ...]]]:
        """The steps where maps from outside that can be one are one, or are not."""
        steps = self._steps
        name: dict[Key, Key] = {}
        for other in _reads(roots, steps):
            name[other] = next((one for one in dict.fromkeys(name.values()) if self._are_one(one, other)), other)
        return {key: (payload, tuple(name.get(s, s) for s in reads)) for key, (payload, reads) in steps.items()}

    def _are_one(self, one: Key, other: Key) -> bool:
        can = self.computed[one].shape == self.computed[other].shape and self.reach.can_be_one(one.node, other.node)
        return can and self._suppose(_Same(one, other), (False, True))

    # Answers ----------------------------------------------------------------------------------------

    def answer(self, path: QuestionPath, question: Question) -> Answer:
        return self._suppose(path, answers_of(question))

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> int:
        (answer,) = self.answer(path, question)
        return next(number for number in leaf.numbers if str(number) == answer)

    def fit(self, key: Key, payload: Apply, inputs: Sequence[Shape]) -> Shape:
        try:
            return PRIMITIVES[payload.primitive].shape(inputs, payload.attribute)
        except ShapeError:
            raise _Misfit from None

    def total(self, count: Dim, leaves: Mapping[Leaf, int]) -> int:
        try:
            return count.evaluate(leaves.__getitem__)
        except ArithmeticError:
            raise _Misfit from None

    # What lies outside ------------------------------------------------------------------------------

    def is_there(self, key: Key, node: Node) -> bool:
        presence = self.reach.presence(key.node)
        options = [there for there, can in ((True, presence.there), (False, presence.absent)) if can]
        return self._suppose(_There(key.node), options)

    def enter(self, key: Key, node: Node, channels: int) -> Key:
        self.computed[key] = Computed(key, node.payload, (), node.shape._replace(channels=channels))
        return key

    def channels_of(self, leaf: MapChannels) -> int:
        domain = leaf.domain()
        if domain is None:
            raise _Unlisted
        return self._suppose(leaf, sorted(domain))


def _reads(roots: Sequence[Key], steps: Mapping[Key, tuple[Apply, tuple[Key, ...]]]) -> Sequence[Key]:
    """The maps from outside that `roots` need."""
    found: dict[Key, None] = {}
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = None
            waiting.extend(steps[key][1] if key in steps else ())
    return [key for key in found if key not in steps]
