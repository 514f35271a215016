"""One walk over a program with the domain handed in: what each node comes down to there.

The walk knows what the payloads mean: which inputs a node reads, under which branch, and which numbers it needs. A
domain says what a map and a number are: a computed node and an int under answers (`derive`), what has to be asked
next (`dependencies`), what can be there at all (`reach`), the open questions of a supernet (`relax`). It also says
which answers are followed, so nothing is walked that no followed answer reads (`rule-asked-where-read`).
"""

from __future__ import annotations

from collections.abc import Container, Generator, Mapping, Sequence
from functools import lru_cache
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar, assert_never

from archdsl.ops import Count, Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.space.path import Branch, QuestionPath
from archdsl.space.program import (
    Absent,
    Apply,
    Asked,
    Image,
    Keep,
    Label,
    Measured,
    Node,
    OfBranch,
    Payload,
    Program,
    Question,
    QuestionKind,
    Result,
    Searching,
    Select,
    Unread,
)
from archdsl.space.symbolic_channels import Chosen, MapChannels, Piecewise

M = TypeVar("M")
"""What a map is in a domain."""
N = TypeVar("N")
"""What a number is in a domain."""


M_co = TypeVar("M_co", covariant=True)


class Key(NamedTuple):
    """A node, and the branch that computes it: None where that makes no difference."""

    node: int
    branch: Branch | None = None


class Unanswered(Exception):
    """A domain follows no answer: what hangs on the question is `unanswered`."""


class Domain(Protocol[M, N]):
    """What maps and numbers are. Methods on maps get the key of their node, under which the walk keeps the result."""

    @property
    def searching(self) -> bool:
        """Whether the program is read as a supernet: what `case searching` asks."""
        ...

    # Questions ----------------------------------------------------------------------------------

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        """The answers that are followed at a select. Raises Unanswered."""
        ...

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        """The candidates of a KEEP question that are followed. Raises Unanswered."""
        ...

    def arms(self, subject: N, labels: Sequence[Label]) -> Sequence[int]:
        """The arms of a case on a number that are followed, by position."""
        ...

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> M: ...

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | N], inputs: Sequence[M]
    ) -> M:
        """A primitive on maps; `attributes` are those of `payload`, each `Dim` as a number of the domain."""
        ...

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, M]) -> M:
        """The map that the answer to a question picks, of those that were followed."""
        ...

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, M]) -> M:
        """The sum of the maps that the answer to a KEEP question names, of those that were followed."""
        ...

    def measured(self, key: Key, subject: N, options: Sequence[tuple[Label, M]]) -> M:
        """The map that a channel count picks."""
        ...

    def unread(self, key: Key, readings: Sequence[Reading], source: M) -> M:
        """The map where none of these answers is given, else absent. Raises Unanswered."""
        ...

    def absent(self, key: Key) -> M:
        """A map that is not there."""
        ...

    def result(self, key: Key, node: Node, source: M) -> M:
        """An output of the network."""
        ...

    def unanswered(self, key: Key) -> M:
        """What a node comes down to where a question on the way has no answer."""
        ...

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> N: ...

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> N:
        """The answer to a question whose candidates are numbers. Raises Unanswered."""
        ...

    def channels(self, source: M) -> N:
        """The channels of a map."""
        ...

    def piecewise(self, subject: N, arms: Sequence[tuple[Label, N]]) -> N:
        """A case on a number."""
        ...

    def total(self, count: Dim, leaves: Mapping[Leaf, N]) -> N:
        """A polynomial, given what its leaves are."""
        ...


class Region(Protocol[M_co, N]):
    """A part of a program that is walked alone: what lies outside is said and not walked."""

    @property
    def inside(self) -> Container[int]: ...

    def is_there(self, key: Key, node: Node) -> bool:
        """Whether a map from outside is there."""
        ...

    def enter(self, key: Key, node: Node, channels: N) -> M_co:
        """A map from outside."""
        ...

    def channels_of(self, leaf: MapChannels) -> N:
        """The channels of a map that lies outside."""
        ...


Reading: TypeAlias = "tuple[QuestionPath, Question, str]"
"""The path of an answer, its question, and the candidate for which a map is read."""


Rule: TypeAlias = "Generator[Key, None, M]"
"""A node's rule: it yields the keys that have to be walked first, and returns what the node comes down to."""


class Walk(Generic[M, N]):
    """Each node is walked once for each branch that can make a difference to it."""

    def __init__(
        self,
        program: Program,
        domain: Domain[M, N],
        *,
        region: Region[M, N] | None = None,
        by_branch: bool = True,
    ) -> None:
        """Without `by_branch` all branches are taken for one."""
        self.program = program
        self.domain = domain
        self.values: dict[Key, M] = {}
        self._region = region
        self._varying = varying(program) if by_branch else frozenset[int]()

    def of(self, node: int, branch: Branch | None = None) -> M:
        """What a node comes down to."""
        start = self.key(node, branch)
        if start in self.values:
            return self.values[start]
        # A stack of rules and no recursion: networks are thousands of nodes deep.
        waiting = [(start, self._rule(start))]
        while waiting:
            key, rule = waiting[-1]
            try:
                wanted = next(rule)
            except StopIteration as done:
                self.values[key] = done.value
                waiting.pop()
            except Unanswered:
                self.values[key] = self.domain.unanswered(key)
                waiting.pop()
            else:
                waiting.append((wanted, self._rule(wanted)))
        return self.values[start]

    def key(self, node: int, branch: Branch | None) -> Key:
        return Key(node, branch if node in self._varying else None)

    # The meaning of payloads --------------------------------------------------------------------

    def _rule(self, key: Key) -> Rule[M]:
        node = self.program.nodes[key.node]
        if self._region is not None and key.node not in self._region.inside:
            return (yield from self._outside(self._region, key, node))
        match node.payload:
            case Apply():
                return (yield from self._apply(key, node, node.payload))
            case Select(subject, labels):
                match subject:
                    case Asked(question):
                        return (yield from self._asked(key, node, question, labels))
                    case Searching():
                        return (yield from self._labelled(key, node, labels, "yes" if self.domain.searching else "no"))
                    case Measured(count):
                        return (yield from self._measured(key, node, count, labels))
                    case Unread(readings):
                        return (yield from self._unread(key, node, readings))
                    case _:
                        assert_never(subject)
            case Keep(question, labels):
                return (yield from self._keep(key, node, question, labels))
            case OfBranch(branch):
                return (yield from self._map(node.inputs[0], branch))
            case Image():
                return self.domain.image(key, node)
            case Absent():
                return self.domain.absent(key)
            case Result():
                return self.domain.result(key, node, (yield from self._map(node.inputs[0], key.branch)))
            case _:
                assert_never(node.payload)

    def _outside(self, region: Region[M, N], key: Key, node: Node) -> Rule[M]:
        if not region.is_there(key, node):
            return self.domain.absent(key)
        branch = node.payload.branch if isinstance(node.payload, OfBranch) else key.branch
        return region.enter(key, node, (yield from self._number(node.shape.channels, branch)))

    def _apply(self, key: Key, node: Node, payload: Apply) -> Rule[M]:
        inputs: list[M] = []
        for source in node.inputs:
            wanted = self.key(source, key.branch)
            if wanted not in self.values:
                yield wanted
            inputs.append(self.values[wanted])
        attributes: dict[str, Value | N] = {}
        for name, value in payload.attributes:
            attributes[name] = (yield from self._number(value, key.branch)) if isinstance(value, Dim) else value
        return self.domain.apply(key, node, payload, attributes, inputs)

    def _asked(self, key: Key, node: Node, path: QuestionPath, labels: Sequence[Label]) -> Rule[M]:
        question = self.program.questions[path]
        asked = question.asked_by(key.branch)
        options: dict[str, M] = {}
        for answer in self.domain.answers(asked, question):
            options[answer] = yield from self._labelled(key, node, labels, answer)
        return self.domain.select(key, asked, question, options)

    def _labelled(self, key: Key, node: Node, labels: Sequence[Label], answer: str) -> Rule[M]:
        """The input under a label; where none has it the map is absent."""
        if answer not in labels:
            return self.domain.absent(key)
        return (yield from self._map(node.inputs[labels.index(answer)], key.branch))

    def _measured(self, key: Key, node: Node, count: Count, labels: Sequence[Label]) -> Rule[M]:
        subject = yield from self._number(count, key.branch)
        options: dict[Label, M] = {}
        for position in self.domain.arms(subject, labels):
            options[labels[position]] = yield from self._map(node.inputs[position], key.branch)
        return self.domain.measured(key, subject, list(options.items()))

    def _unread(self, key: Key, node: Node, readings: Sequence[tuple[QuestionPath, str]]) -> Rule[M]:
        source = yield from self._map(node.inputs[0], key.branch)
        asked = [(self.program.questions[path], label) for path, label in readings]
        found = [(question.asked_by(key.branch), question, label) for question, label in asked]
        return self.domain.unread(key, found, source)

    def _keep(self, key: Key, node: Node, path: QuestionPath, labels: Sequence[str]) -> Rule[M]:
        question = self.program.questions[path]
        asked = question.asked_by(key.branch)
        kept = self.domain.kept(asked, question)
        options: dict[str, M] = {}
        for label, source in zip(labels, node.inputs, strict=True):
            if label in kept:
                options[label] = yield from self._map(source, key.branch)
        return self.domain.keep(key, node, asked, question, options)

    def _map(self, node: int, branch: Branch | None) -> Rule[M]:
        wanted = self.key(node, branch)
        if wanted not in self.values:
            yield wanted
        return self.values[wanted]

    # The meaning of numbers ---------------------------------------------------------------------

    def _number(self, count: Count, branch: Branch | None) -> Generator[Key, None, N]:
        if isinstance(count, int):
            return self.domain.constant(count)
        leaves: dict[Leaf, N] = {}
        for leaf in count.leaves():
            leaves[leaf] = yield from self._leaf(leaf, branch)
        return self.domain.total(count, leaves)

    def _leaf(self, leaf: Leaf, branch: Branch | None) -> Generator[Key, None, N]:
        match leaf:
            case Chosen(path):
                question = self.program.questions[path]
                return self.domain.chosen(question.asked_by(branch), question, leaf)
            case MapChannels(node) if self._region is not None and node not in self._region.inside:
                return self._region.channels_of(leaf)
            case MapChannels(node):
                return self.domain.channels((yield from self._map(node, branch)))
            case Piecewise(subject, arms):
                number = yield from self._number(subject, branch)
                options: list[tuple[Label, N]] = []
                for position in self.domain.arms(number, [label for label, _ in arms]):
                    label, part = arms[position]
                    options.append((label, (yield from self._number(part, branch))))
                return self.domain.piecewise(number, options)
            case _:
                raise TypeError(f"{type(leaf).__name__} is no number that answers decide")


@lru_cache(maxsize=16)  # one program is walked many times: for each sample, for each op of a cost table
def varying(program: Program) -> frozenset[int]:
    """The nodes whose map can differ from branch to branch."""
    asked = frozenset(path for path, question in program.questions.items() if question.per_branch)
    return _following(program, asked, across=False)


@lru_cache(maxsize=16)
def after_ends(program: Program) -> frozenset[int]:
    """The nodes whose map can differ by where branches end."""
    ends = frozenset(path for path, question in program.questions.items() if question.kind is QuestionKind.BRANCH)
    return _following(program, ends, across=True)


def _following(program: Program, questions: frozenset[QuestionPath], *, across: bool) -> frozenset[int]:
    """The nodes that answers to some questions make a difference to, `across` what is one branch's to others."""
    if not questions:
        return frozenset()
    found: set[int] = set()
    for index, node in enumerate(program.nodes):
        if isinstance(node.payload, OfBranch) and not across:
            continue
        if not found.isdisjoint(node.inputs) or _varies(questions, found, node.payload):
            found.add(index)
    return frozenset(found)


def _varies(questions: frozenset[QuestionPath], found: set[int], payload: Payload) -> bool:
    """Whether a node differs by what it does itself."""
    match payload:
        case Apply(_, attributes):
            return any(isinstance(value, Dim) and _count_varies(questions, found, value) for _, value in attributes)
        case Select(Asked(question), _) | Keep(question, _):
            return question in questions
        case Select(Unread(readings), _):
            return any(path in questions for path, _ in readings)
        case Select(Measured(count), _):
            return _count_varies(questions, found, count)
        case _:
            return False


def _count_varies(questions: frozenset[QuestionPath], found: set[int], count: Count) -> bool:
    return not isinstance(count, int) and any(_leaf_varies(questions, found, leaf) for leaf in count.leaves())


def _leaf_varies(questions: frozenset[QuestionPath], found: set[int], leaf: Leaf) -> bool:
    match leaf:
        case Chosen(question):
            return question in questions
        case MapChannels(node):
            return node in found
        case Piecewise(subject, arms):
            return any(_count_varies(questions, found, count) for count in (subject, *(part for _, part in arms)))
        case _:
            return False
