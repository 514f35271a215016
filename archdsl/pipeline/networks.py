"""How many different networks the genotypes of a space are: those that `diff` calls the same are counted once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, NoReturn, final

from archdsl.extras import PACKAGES, Extra, install_line, is_installed
from archdsl.ir import Terms, closed, fingerprint
from archdsl.ops import Dim, Value
from archdsl.ops.dims import Leaf
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Image, Program, Question, QuestionPath, Result
from archdsl.space.count import Census, Sample
from archdsl.space.program import Label, Node
from archdsl.space.symbolic_channels import Chosen, holds
from archdsl.space.trace import trace
from archdsl.space.walk import Key, Reading, Walk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST: Final = 30_000_000
"""Genotypes times nodes that are compared; they take about two seconds."""
ONE_BY_ONE: Final = 100_000
"""The same where each network is made for itself."""
_MANY: Final = "too many genotypes"
_AT_ONCE: Final = 2_048


class NotCompared(Exception):
    """The genotypes of a space are not all compared; the text says why."""


def count_networks(program: Program, census: Census) -> int:
    """Raises NotCompared."""
    work = census.count * len(program.nodes)
    if work <= ONE_BY_ONE:
        return len({fingerprint(closed(program, trace(program, each), program.name)) for each in census.genotypes()})
    if work > MOST:
        raise NotCompared(_MANY)
    if not all(map(is_installed, PACKAGES[Extra.COST])):
        raise NotCompared(f"`{install_line(Extra.COST)}` brings what compares so many")
    return len(set(Together(program).fingerprints(census.genotypes())))


@final
class Together:
    """The networks of a program at once: every option of a question is a part of a sum.

    They have to differ in which maps are added alone.
    """

    searching = False

    def __init__(self, program: Program) -> None:
        """Raises NotCompared."""
        if program.branches:
            raise NotCompared(f"{_MANY} whose branches share what they have in common")
        if any(node.weights is not None for node in program.nodes):
            raise NotCompared(f"{_MANY} whose places share weights")
        self._program = program
        self._terms = Terms()
        self._added: set[tuple[QuestionPath, str]] = set()
        walk: Walk[int, int] = Walk(program, self)
        for index in program.results:
            walk.of(index)

    def fingerprints(self, genotypes: Iterable[Sample]) -> Iterator[int]:
        """Of each network what `archdsl.ir.fingerprint` gives."""
        import numpy as np

        waiting = iter(genotypes)
        while some := list(islice(waiting, _AT_ONCE)):
            columns: dict[Hashable, NDArray[np.uint64]] = {
                (path, label): np.array([label in each.get(path, ()) for each in some], np.uint64)
                for path, label in self._added
            }
            yield from np.broadcast_to(self._terms.fingerprint(columns), len(some)).tolist()

    # Questions: every answer is followed --------------------------------------------------------

    def answers(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def kept(self, path: QuestionPath, question: Question) -> Sequence[str]:
        return question.answers

    def arms(self, subject: int, labels: Sequence[Label]) -> Sequence[int]:
        return [next(position for position, label in enumerate(labels) if holds(label, subject))]

    # Maps ---------------------------------------------------------------------------------------

    def image(self, key: Key, node: Node) -> int:
        assert isinstance(node.payload, Image)
        return self._terms.apply(node.payload, (), (), node.shape)

    def apply(
        self, key: Key, node: Node, payload: Apply, attributes: Mapping[str, Value | int], inputs: Sequence[int]
    ) -> int:
        if len(inputs) == 1 and PRIMITIVES[payload.primitive].traits.identity_of_one:
            return inputs[0]
        read = [self._program.nodes[source].shape for source in node.inputs]
        if any(isinstance(each.channels, Dim) for each in (node.shape, *read)):
            self._numbers()
        return self._terms.apply(payload, inputs, read, node.shape, node.weights)

    def select(self, key: Key, path: QuestionPath, question: Question, options: Mapping[str, int]) -> int:
        self._added |= {(path, answer) for answer in options}
        return self._terms.sum((part, (path, answer)) for answer, part in options.items())

    def keep(self, key: Key, node: Node, path: QuestionPath, question: Question, options: Mapping[str, int]) -> int:
        return self.select(key, path, question, options)

    def measured(self, key: Key, subject: int, options: Sequence[tuple[Label, int]]) -> int:
        ((_, picked),) = options
        return picked

    def unread(self, key: Key, readings: Sequence[Reading], source: int) -> NoReturn:
        self.absent(key)

    def absent(self, key: Key) -> NoReturn:
        raise NotCompared(f"{_MANY} that leave maps out")

    def result(self, key: Key, node: Node, source: int) -> int:
        assert isinstance(node.payload, Result)
        return self._terms.apply(node.payload, (source,), (), node.shape)

    def unanswered(self, key: Key) -> NoReturn:
        raise AssertionError("every question is followed here")

    # Numbers ------------------------------------------------------------------------------------

    def constant(self, number: int) -> int:
        return number

    def chosen(self, path: QuestionPath, question: Question, leaf: Chosen) -> NoReturn:
        self._numbers()

    def channels(self, source: int) -> NoReturn:
        self._numbers()

    def piecewise(self, subject: int, arms: Sequence[tuple[Label, int]]) -> int:
        ((_, number),) = arms
        return number

    def total(self, count: Dim, leaves: Mapping[Leaf, int]) -> NoReturn:
        self._numbers()

    def _numbers(self) -> NoReturn:
        raise NotCompared(f"{_MANY} that differ in channels")
