"""A relaxed graph run by torch.

Legend of shape suffixes: B images, C channels, H height, W width, N maps or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from archdsl.nets.layers import layer
from archdsl.nets.supernet.superkernels import Superkernel, SwitchableNorm
from archdsl.nets.supernet.weighted_sum import weighted_sum
from archdsl.ops import Shape
from archdsl.ops.attributes import fraction
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Image, QuestionPath, Result
from archdsl.supernet.layout import Layout
from archdsl.supernet.numbers import Mixed
from archdsl.supernet.relaxed import Mask, Mix, Narrow, Relaxed, RelaxedGraph, Spread, Weigh
from archdsl.supernet.scalars import Answered, Any, Product, Scalar, Total


class Weights:
    """The weights of answers in one forward pass; what is made of them is made once."""

    def __init__(
        self, given: Mapping[QuestionPath, Tensor], positions: Mapping[QuestionPath, Mapping[str, int]]
    ) -> None:
        self.given = given
        self.positions = positions
        self._known: dict[Scalar, Tensor] = {}
        self._parts: dict[QuestionPath, tuple[Tensor, ...]] = {}

    def parts(self, path: QuestionPath) -> tuple[Tensor, ...]:
        """Those of a question, one by one."""
        if path not in self._parts:
            self._parts[path] = torch.unbind(self.given[path])
        return self._parts[path]

    def of(self, scalar: Scalar) -> Tensor:
        if scalar not in self._known:
            self._known[scalar] = self._made(scalar)
        return self._known[scalar]

    def _made(self, scalar: Scalar) -> Tensor:
        match scalar:
            case Answered(path, answer):
                return self.parts(path)[self.positions[path][answer]]
            case Product(factors):
                return torch.stack([self.of(each) for each in factors]).prod()
            case Total(terms):
                return torch.stack([self.of(each) for each in terms]).sum()
            case Any(terms):
                return 1 - (1 - torch.stack([self.of(each) for each in terms])).prod()

    def vector(self, scalars: Sequence[Scalar]) -> Tensor:
        """Several at once."""
        first = scalars[0]
        if isinstance(first, Answered):
            given = self.given[first.question]
            positions = self.positions[first.question]
            mine = [
                positions[each.answer]
                for each in scalars
                if isinstance(each, Answered) and each.question == first.question
            ]
            if len(mine) == len(scalars) and all(right == left + 1 for left, right in pairwise(mine)):
                return given if len(mine) == len(given) else given[mine[0] : mine[-1] + 1]
        return torch.stack([self.of(each) for each in scalars])


Compute: TypeAlias = "Callable[[Weights, Sequence[Tensor]], Tensor]"


@dataclass(frozen=True, slots=True)
class Step:
    """A node, what computes it, and the maps that nobody reads after it."""

    node: int
    inputs: tuple[int, ...]
    compute: Compute
    free: tuple[int, ...]


class Evaluation:
    """The steps of one relaxed graph over the tensors of a supernet."""

    def __init__(self, graph: RelaxedGraph, kernels: Mapping[int, Superkernel], owner: nn.Module) -> None:
        self.graph = graph
        self._kernels = kernels
        self._owner = owner
        last: dict[int, int] = {}
        for number, node in enumerate(graph.nodes):
            for source in node.inputs:
                last[source] = number
        kept = {output.node for output in graph.outputs}
        self.steps = tuple(
            Step(
                number,
                node.inputs,
                self._compute(node),
                tuple(source for source in dict.fromkeys(node.inputs) if last[source] == number and source not in kept),
            )
            for number, node in enumerate(graph.nodes)
            if not isinstance(node.payload, Image)
        )
        self._images = [number for number, node in enumerate(graph.nodes) if isinstance(node.payload, Image)]

    def run(self, x_BCHW: Tensor, weights: Weights) -> dict[int, Tensor]:
        """The maps of the outputs."""
        maps = dict.fromkeys(self._images, x_BCHW)
        for step in self.steps:
            maps[step.node] = step.compute(weights, [maps[source] for source in step.inputs])
            for source in step.free:
                del maps[source]
        return maps

    def _compute(self, node: Relaxed) -> Compute:
        match node.payload:
            case Apply():
                return self._layer(node, node.payload)
            case Mix(weights):
                return _mix(weights) if weights else _zeros(node)
            case Weigh(weight):
                return lambda given, maps: maps[0] * given.of(weight)
            case Mask(layout):
                return _mask(layout)
            case Spread(layout, places):
                return _spread(layout, places)
            case Narrow(channels):
                return lambda _, maps: maps[0][:, :channels]
            case Result():
                return lambda _, maps: maps[0]
            case Image():
                raise AssertionError("an image is given")

    def _layer(self, node: Relaxed, payload: Apply) -> Compute:
        shapes = [
            Shape(each.layout.size, each.shape.height, each.shape.width)
            for each in (self.graph.nodes[source] for source in node.inputs)
        ]
        primitive = PRIMITIVES[payload.primitive]
        path = payload.primitive if node.key is None else self.graph.program.nodes[node.key.node].path
        if not primitive.owns_tensors:
            module = layer(payload.primitive, payload.attribute, shapes, path)
            return lambda _, maps: module.train(self._owner.training)(*maps)
        assert node.owner is not None
        assert node.reads is not None
        kernel, reads = self._kernels[node.owner], node.reads
        with torch.device("meta"):
            module = layer(payload.primitive, payload.attribute, shapes, path)
        if isinstance(module, nn.Conv2d):
            return _conv(module, kernel, payload, shapes, reads)
        if isinstance(kernel, SwitchableNorm):
            return self._norm(kernel, payload, shapes, reads)

        def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
            tensors = kernel.sliced(payload, shapes, reads)
            return functional_call(module.train(self._owner.training), tensors, tuple(maps))

        return compute

    def _norm(self, kernel: SwitchableNorm, payload: Apply, shapes: Sequence[Shape], reads: Layout) -> Compute:
        attributes = payload.attribute
        eps, momentum = float(fraction(attributes, "eps")), float(fraction(attributes, "momentum"))

        def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
            tensors = kernel.sliced(payload, shapes, reads)
            made = functional.batch_norm(
                maps[0],
                tensors["running_mean"],
                tensors["running_var"],
                tensors.get("weight"),
                tensors.get("bias"),
                self._owner.training,
                momentum,
                eps,
            )
            if self._owner.training:
                kernel.update(reads, tensors)
            return made

        return compute


def _conv(module: nn.Conv2d, kernel: Superkernel, payload: Apply, shapes: Sequence[Shape], reads: Layout) -> Compute:
    stride, padding, dilation, groups = module.stride, module.padding, module.dilation, module.groups

    def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
        tensors = kernel.sliced(payload, shapes, reads)
        return functional.conv2d(maps[0], tensors["weight"], tensors.get("bias"), stride, padding, dilation, groups)

    return compute


def _mix(scalars: tuple[Scalar, ...]) -> Compute:
    return lambda given, maps: weighted_sum(given.vector(scalars), maps)


def _zeros(node: Relaxed) -> Compute:
    def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
        batch, _channels, height, width = maps[0].shape
        return maps[0].new_zeros((batch, node.layout.size, height, width))

    return compute


def _spread(layout: Layout, places: int) -> Compute:
    def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
        x_BCHW = maps[0]
        if len(layout.ranges) == 1 and layout.ranges[0][0] == 0:
            return functional.pad(x_BCHW, (0, 0, 0, 0, 0, places - layout.size))
        batch, _channels, height, width = x_BCHW.shape
        parts: list[Tensor] = []
        read = written = 0
        for start, stop in (*layout.ranges, (places, places)):
            parts += [x_BCHW.new_zeros((batch, start - written, height, width)), x_BCHW[:, read : read + stop - start]]
            read, written = read + stop - start, stop
        return torch.cat(parts, 1)

    return compute


def _mask(layout: Layout) -> Compute:
    """Each channel by the chance that the map has it."""
    tables: list[tuple[tuple[QuestionPath, ...], Tensor] | int] = []
    for segment in layout.segments:
        if isinstance(segment.count, Mixed):
            values = torch.tensor(segment.count.values)
            wide = (values[None, :] > torch.arange(segment.size)[:, None]).float()
            tables.append((tuple(each.path for each in segment.count.questions), wide))
        else:
            tables.append(segment.size)

    def compute(given: Weights, maps: Sequence[Tensor]) -> Tensor:
        x_BCHW = maps[0]
        parts: list[Tensor] = []
        for table in tables:
            if isinstance(table, int):
                parts.append(x_BCHW.new_ones(table))
                continue
            paths, wide_CN = table
            chances_N = given.given[paths[0]][: len(given.positions[paths[0]])]
            for path in paths[1:]:
                chances_N = torch.outer(chances_N, given.given[path][: len(given.positions[path])]).flatten()
            parts.append(wide_CN.to(x_BCHW) @ chances_N.to(x_BCHW))
        mask_C = parts[0] if len(parts) == 1 else torch.cat(parts)
        return x_BCHW * mask_C[:, None, None]

    return compute
