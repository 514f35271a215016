"""What each op that an operator question offers computes where it stands: nothing, its input, or with what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from functools import lru_cache
from heapq import heappop, heappush
from typing import TypeAlias

from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Absent, Apply, Program, QuestionKind, QuestionPath
from archdsl.space.program import Asked, Searching, Select
from archdsl.space.relax import reached_nodes


class Work(Enum):
    """What an op computes in a derived network."""

    NOTHING = auto()
    """No connection."""
    IDENTITY = auto()
    """The map that it reads: a skip connection."""
    PARAMETER_FREE = auto()
    """Without weights, but for those of batch norms: pooling."""
    WEIGHTS = auto()

    @property
    def parameter_free(self) -> bool:
        return self is not Work.WEIGHTS


Works: TypeAlias = "Mapping[str, Work]"
"""By answer."""


@lru_cache(maxsize=16)  # asked after every epoch
def works_of(program: Program) -> Mapping[QuestionPath, tuple[Works, ...]]:
    """For each operator question what its answers compute, at each place where it is asked.

    An op can be different things in different places: an identity of stride 2 has weights. `case searching` is `no`,
    so FasterSeg's skip is the identity that it becomes, and not the conv that stands for it while it is searched.
    """
    reached = reached_nodes(program)
    found: dict[QuestionPath, list[Works]] = {}
    for index, node in enumerate(program.nodes):
        match node.payload:
            case Select(Asked(path), _) if index in reached and program.questions[path].kind is QuestionKind.OPERATOR:
                found.setdefault(path, []).append(_works_at(program, index, path))
            case _:
                pass
    return {path: tuple(found[path]) for path in program.questions if path in found}


def _works_at(program: Program, index: int, path: QuestionPath) -> Works:
    starts = dict(_options(program, index))
    options = {
        answer: starts[answer]
        for answer in program.questions[path].answers
        if answer in starts and not isinstance(program.nodes[starts[answer]].payload, Absent)
    }
    own = _own_nodes(program, index, options)
    return {
        answer: _work(program, options[answer], own[answer]) if answer in options else Work.NOTHING
        for answer in program.questions[path].answers
    }


def _work(program: Program, start: int, own: list[int]) -> Work:
    """`start` is the node whose map the op gives."""
    primitives = [
        PRIMITIVES[payload.primitive] for node in own if isinstance(payload := program.nodes[node].payload, Apply)
    ]
    payload = program.nodes[start].payload
    if isinstance(payload, Apply) and PRIMITIVES[payload.primitive].traits.zeros:
        return Work.NOTHING
    if any(each.owns_tensors and not each.traits.batch_norm for each in primitives):
        return Work.WEIGHTS
    return Work.PARAMETER_FREE if primitives else Work.IDENTITY


def _own_nodes(program: Program, index: int, options: Mapping[str, int]) -> Mapping[str, list[int]]:
    """The nodes that an answer computes and some other one does not, as far as they stand where the question does.

    What all answers compute comes before the op: the map that it reads. Nodes are met from the last to the first, so
    each has been reached from all that read it.
    """
    around = program.nodes[index].frames
    everyone = (1 << len(options)) - 1
    reaching: dict[int, int] = {}
    waiting: list[int] = []

    def reach(node: int, answers: int) -> None:
        if node not in reaching:
            heappush(waiting, -node)
        reaching[node] = reaching.get(node, 0) | answers

    for position, start in enumerate(options.values()):
        reach(start, 1 << position)
    own: dict[str, list[int]] = {answer: [] for answer in options}
    while waiting:
        node = -heappop(waiting)
        answers = reaching[node]
        if (answers == everyone and len(options) > 1) or program.nodes[node].frames[: len(around)] != around:
            continue
        for position, nodes in enumerate(own.values()):
            if answers >> position & 1:
                nodes.append(node)
        for _, source in _options(program, node):
            reach(source, answers)
    return own


def _options(program: Program, index: int) -> Iterator[tuple[object, int]]:
    """What a node can read in a derived network; of a select by its labels."""
    node = program.nodes[index]
    match node.payload:
        case Select(Searching(), labels):
            yield from (each for each in zip(labels, node.inputs, strict=True) if each[0] == "no")
        case Select(_, labels):
            yield from zip(labels, node.inputs, strict=True)
        case _:
            yield from enumerate(node.inputs)
