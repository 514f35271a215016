"""What a supernet computes by plain recursion over its program: no code that lowers or runs supernets is shared.

Channel counts have to be decided. A map is its values and the condition under which it is there, whose chance weighs it
where it is joined with others. Each select is a weighted sum, each layer one of torch with slices of the supernet's
tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeAlias

import torch
from torch import Tensor

from archdsl.ir import module_path, shared_weights, vector_outputs_of_space
from archdsl.ir.graph import OpenNode
from archdsl.nets.layers import layer
from archdsl.ops import Count, Shape, Value
from archdsl.ops.dims import Dim, Leaf
from archdsl.ops.joining import ADD, CONCAT, MULTIPLY
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import (
    Absent,
    Apply,
    Asked,
    Branch,
    Chosen,
    Image,
    Keep,
    MapChannels,
    Node,
    OfBranch,
    Program,
    QuestionKind,
    QuestionPath,
    Result,
    Searching,
    Select,
    Unread,
)


def module_of(program: Program, node: Node) -> tuple[str, ...]:
    """Where a supernet has the kernel of a node: under the name of weights that places share, else its own."""
    shared = {program.nodes[index].location: weights for index, weights in shared_weights(program).items()}
    return module_path(OpenNode(node.location, node.payload, node.shape, shared.get(node.location)))


@dataclass(frozen=True)
class Given:
    path: QuestionPath
    answer: str


@dataclass(frozen=True)
class OneOf:
    """Of conditions that exclude each other."""

    ways: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    ways: frozenset[Condition]


Condition: TypeAlias = "frozenset[Given | OneOf | AnyOf]"
"""All of these hold."""
CERTAIN: Condition = frozenset()


@dataclass(frozen=True)
class Map:
    values: Tensor
    there: Condition = CERTAIN
    weighed: bool = True
    """Whether the chance that it is there weighs its values already."""


@dataclass
class Interpreter:
    program: Program
    tensors: Mapping[str, Tensor]
    weights: Mapping[QuestionPath, Mapping[str, float]]
    """By question the weight of each answer; a question with an answer has one, which weighs 1."""
    x_BCHW: Tensor
    known: dict[tuple[int, Branch | None], Map | None] = field(
        default_factory=dict[tuple[int, Branch | None], Map | None]
    )

    def outputs(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        vectors = vector_outputs_of_space(self.program)
        for index, node in enumerate(self.program.nodes):
            if isinstance(node.payload, Result) and (made := self.map(index, None)) is not None:
                name = node.payload.name
                found[name] = made.values.flatten(1) if name in vectors else made.values
        return found

    def map(self, index: int, branch: Branch | None) -> Map | None:
        if (index, branch) not in self.known:
            self.known[index, branch] = self.compute(self.program.nodes[index], branch)
        return self.known[index, branch]

    def compute(self, node: Node, branch: Branch | None) -> Map | None:
        payload, inputs = node.payload, node.inputs
        if isinstance(payload, Absent):
            return None
        if isinstance(payload, Image):
            return Map(self.x_BCHW)
        if isinstance(payload, Result):
            return self.map(inputs[0], branch)
        if isinstance(payload, OfBranch):
            return self.map(inputs[0], payload.branch)
        if isinstance(payload, Keep):
            return self.joined(ADD.name, [self.map(source, branch) for source in inputs])
        if isinstance(payload, Apply):
            maps = [self.map(source, branch) for source in inputs]
            if PRIMITIVES[payload.primitive].variadic:
                return self.joined(payload.primitive, maps)
            return self.layer(node, payload, maps, branch)
        if isinstance(payload.subject, Searching):
            return self.map(inputs[payload.labels.index("yes")], branch) if "yes" in payload.labels else None
        if isinstance(payload.subject, Unread):
            return self.unread(payload.subject, self.map(inputs[0], branch))
        assert isinstance(payload.subject, Asked)
        return self.mix(payload, payload.subject.question, inputs, branch)

    def unread(self, subject: Unread, source: Map | None) -> Map | None:
        """Sums that keep some of their inputs add all of them: whatever they read is taken for unread."""
        for path, label in subject.readings:
            if self.program.questions[path].kind is not QuestionKind.KEEP:
                source = self.mixed(path, {each: None if each == label else source for each in self.weights[path]})
        return source

    def mix(self, payload: Select, path: QuestionPath, inputs: Sequence[int], branch: Branch | None) -> Map | None:
        options = {
            answer: self.map(inputs[payload.labels.index(answer)], branch) if answer in payload.labels else None
            for answer in self.weights[path]
        }
        return self.mixed(path, options)

    def mixed(self, path: QuestionPath, options: Mapping[str, Map | None]) -> Map | None:
        weights = self.weights[path]
        if len(options) == 1:
            (only,) = options.values()
            return only
        maps = {answer: option for answer, option in options.items() if option is not None}
        if not maps:
            return None
        total = sum(weights[answer] * self.weighed(option) for answer, option in maps.items())
        assert isinstance(total, Tensor)
        always = len(maps) == len(options) and all(each.there == CERTAIN for each in maps.values())
        if always and self.program.questions[path].kind is not QuestionKind.BRANCH:
            return Map(total)
        ways = tuple(frozenset({Given(path, answer)}) | option.there for answer, option in maps.items())
        return Map(total, ways[0] if len(ways) == 1 else frozenset({OneOf(ways)}))

    def joined(self, primitive: str, maps: Sequence[Map | None]) -> Map | None:
        found = [each for each in maps if each is not None]
        if len(found) < 2:
            return found[0] if found else None
        values = [self.weighed(each) for each in found]
        if primitive == MULTIPLY.name:
            return Map(prod(values[1:], start=values[0]), CERTAIN.union(*(each.there for each in found)))
        ways = frozenset(each.there for each in found)
        there = CERTAIN if CERTAIN in ways else next(iter(ways)) if len(ways) == 1 else frozenset({AnyOf(ways)})
        assert primitive in (ADD.name, CONCAT.name)
        return Map(torch.cat(values, 1) if primitive == CONCAT.name else sum(values[1:], values[0]), there)

    def layer(self, node: Node, payload: Apply, maps: Sequence[Map | None], branch: Branch | None) -> Map | None:
        sources = [each for each in maps if each is not None]
        if len(sources) < len(maps):
            return None
        attributes = {name: self.value(value, branch) for name, value in payload.attributes}
        shapes = [Shape(*each.values.shape[1:]) for each in sources]
        module = layer(payload.primitive, attributes, shapes, node.path).eval()
        name = ".".join(module_of(self.program, node))
        state = {
            each: self.slice(f"{name}.{each}", tensor, shapes[0])
            for each, tensor in module.state_dict().items()
            if each != "num_batches_tracked"
        }
        module.load_state_dict(state, strict=False)
        module.to(self.x_BCHW.dtype)
        there = CERTAIN.union(*(each.there for each in sources))
        return Map(module(*(each.values for each in sources)), there, weighed=there == CERTAIN)

    def slice(self, name: str, like: Tensor, shape: Shape) -> Tensor:
        found = self.tensors[name] if name in self.tensors else self.tensors[f"{name}_0_{shape.channels}"]
        return found[tuple(slice(0, size) for size in like.shape)]

    def value(self, value: Value, branch: Branch | None) -> Value:
        return self.number(value, branch) if isinstance(value, Dim) else value

    def number(self, count: Count, branch: Branch | None) -> int:
        return count if isinstance(count, int) else count.evaluate(lambda leaf: self.leaf(leaf, branch))

    def leaf(self, leaf: Leaf, branch: Branch | None) -> int:
        if isinstance(leaf, Chosen):
            (answer,) = self.weights[leaf.question]
            return int(answer)
        assert isinstance(leaf, MapChannels)
        found = self.map(leaf.node, branch)
        return 0 if found is None else found.values.shape[1]

    # Chances ------------------------------------------------------------------------------------

    def weighed(self, source: Map) -> Tensor:
        return source.values if source.weighed else source.values * self.chance(source.there)

    def chance(self, condition: Condition) -> float:
        """Each part of it by itself, and what stands in it twice is one condition."""
        return prod(self.part(each) for each in condition)

    def part(self, part: Given | OneOf | AnyOf) -> float:
        match part:
            case Given(path, answer):
                return self.weights[path][answer]
            case OneOf(ways):
                return sum(self.chance(each) for each in ways)
            case AnyOf(ways):
                return 1 - prod(1 - self.chance(each) for each in ways)
