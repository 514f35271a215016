"""A relaxed graph run by torch.

Legend of shape suffixes: B images, C channels, H height, W width, N maps or answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeAlias, assert_never

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.fx import wrap  # pyright: ignore[reportUnknownVariableType]
from torch.nn import functional

from archdsl.ir import vector_outputs_of_space
from archdsl.nets.inputs import input_parts_of_space, unstacked
from archdsl.nets.layers import Resize, layer
from archdsl.nets.padding import PaddedConv
from archdsl.nets.strided_pixels import is_unsafe, pixels_read
from archdsl.nets.supernet.checkpoint import recomputed
from archdsl.nets.supernet.convolutions import Window
from archdsl.nets.supernet.kept_rows import kept_sum_of_rows
from archdsl.nets.supernet.resizing import resize_bilinear
from archdsl.nets.supernet.rows import Convolution, Norm, Piece, Rectifier, RowOfLayers, sum_of_rows
from archdsl.nets.supernet.superkernels import Superkernel, SwitchableNorm
from archdsl.nets.supernet.weighted_sum import weighted_sum
from archdsl.ops import Shape
from archdsl.ops.attributes import fraction
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.layout import Layout
from archdsl.relax.numbers import Mixed
from archdsl.relax.plan import CONVOLUTIONS, RELU, Alike, Plan, Single, Step, Sum, nodes_of, scalars_of, sources_of
from archdsl.relax.relaxed import Mask, Mix, Narrow, Relaxed, Spread, Weigh
from archdsl.relax.scalars import Answered, Any, Product, Scalar, Total
from archdsl.space import Apply, Image, QuestionPath, Result

# A trace (`archdsl.nets.supernet.traced`) has calls of these as they are, and not what they do.
wrap("called")
wrap("neighbours")
wrap("resized")
wrap("weighted_sum")


def called(module: nn.Module, tensors: Mapping[str, Tensor], maps_BCHW: Sequence[Tensor]) -> Tensor:
    """What a layer gives with these tensors in place of its own."""
    return functional_call(module, dict(tensors), tuple(maps_BCHW))


def resized(module: Resize, maps_BCHW: Sequence[Tensor]) -> Tensor:
    """What a bilinear layer gives."""
    size = module.size_for(*maps_BCHW)
    return resize_bilinear(maps_BCHW[0], size, align_corners=bool(module.align_corners))


def neighbours(weights_N: Tensor, start: int, stop: int) -> Tensor:
    """Some of the weights, as they are where that is all of them: a slice has a gradient of its own."""
    return weights_N if stop - start == len(weights_N) else weights_N[start:stop]


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
        if not all(isinstance(each, Answered) for each in scalars):
            return torch.stack([self.of(each) for each in scalars])
        runs: list[tuple[QuestionPath, int, int]] = []
        for each in scalars:
            assert isinstance(each, Answered)
            place = self.positions[each.question][each.answer]
            if runs and runs[-1][0] == each.question and runs[-1][2] == place:
                runs[-1] = (each.question, runs[-1][1], place + 1)
            else:
                runs.append((each.question, place, place + 1))
        parts = [neighbours(self.given[path], start, stop) for path, start, stop in runs]
        return parts[0] if len(parts) == 1 else torch.cat(parts)


Compute: TypeAlias = "Callable[[Weights, Mapping[int, Tensor]], Mapping[int, Tensor]]"
"""Of the maps that there are, by node, those that a step adds."""
ComputeOne: TypeAlias = "Callable[[Weights, Sequence[Tensor]], Tensor]"
"""The map of one node of the maps that it reads."""
Slicer: TypeAlias = "Callable[[], Mapping[str, Tensor]]"
"""The tensors of a layer, by torch's names."""
MakePiece: TypeAlias = "Callable[[], Piece]"


class BatchNorm(Protocol):
    """What `torch.nn.functional.batch_norm` does, which writes running statistics in training."""

    def __call__(
        self,
        input: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None,
        bias: Tensor | None,
        training: bool,
        momentum: float,
        eps: float,
        /,
    ) -> Tensor: ...


@dataclass(frozen=True, slots=True)
class Computed:
    """A step, and the maps that nobody reads after it."""

    compute: Compute
    free: tuple[int, ...]


class Evaluation:
    """The steps of a plan over the tensors of a supernet."""

    def __init__(
        self,
        plan: Plan,
        kernels: Mapping[int, Superkernel],
        owner: nn.Module,
        batch_norm: BatchNorm = functional.batch_norm,
    ) -> None:
        self.plan = plan
        self._batch_norm = batch_norm
        self.graph = plan.graph
        self._kernels = kernels
        self._owner = owner
        last: dict[int, int] = {}
        for position, step in enumerate(plan.steps):
            last |= dict.fromkeys(sources_of(step, self.graph), position)
        kept = {output.node for output in self.graph.outputs}
        free: dict[int, list[int]] = {}
        for node, position in last.items():
            if node not in kept:
                free.setdefault(position, []).append(node)
        steps = [Computed(self._step(step), tuple(free.get(position, ()))) for position, step in enumerate(plan.steps)]
        for run in reversed(plan.recomputed):
            steps[run.start : run.stop] = [self._recomputed(run, steps[run.start : run.stop])]
        self.steps = tuple(steps)
        self._inputs = input_parts_of_space(self.graph.program)
        self._images = {
            number: node.payload.name for number, node in enumerate(self.graph.nodes) if isinstance(node.payload, Image)
        }
        self._vectors = vector_outputs_of_space(self.graph.program)

    def kernels(self) -> tuple[Superkernel, ...]:
        """Those whose tensors are read, each once."""
        owners = (node.owner for node in self.graph.nodes if node.owner in self._kernels)
        return tuple(dict.fromkeys(self._kernels[owner] for owner in owners if owner is not None))

    def outputs(self, x_BCHW: Tensor, weights: Weights) -> dict[str, Tensor]:
        """The outputs by name, BxCxHxW, or BxC those that are vectors; with several views each as `view.name`."""
        maps = self.run(x_BCHW, weights)
        found: dict[str, Tensor] = {}
        for output in self.graph.outputs:
            y_BCHW = maps[output.node]
            name = f"{output.view}.{output.name}" if output.view else output.name
            found[name] = y_BCHW.flatten(1) if output.name in self._vectors else y_BCHW
        return found

    def run(self, x_BCHW: Tensor, weights: Weights) -> dict[int, Tensor]:
        """The maps of the outputs."""
        images = self._unstacked(x_BCHW)
        maps = {number: images[name] for number, name in self._images.items()}
        for step in self.steps:
            maps.update(step.compute(weights, maps))
            for source in step.free:
                del maps[source]
        return maps

    def _unstacked(self, x_BCHW: Tensor) -> dict[str, Tensor]:
        """The inputs by name."""
        found = (x_BCHW,) if len(self._inputs) == 1 else unstacked(x_BCHW, self._inputs)
        if self.plan.channels_last:
            found = tuple(each.contiguous(memory_format=torch.channels_last) for each in found)
        return {part.name: each for part, each in zip(self._inputs, found, strict=True)}

    def _step(self, step: Step) -> Compute:
        match step:
            case Single(node):
                found = self.graph.nodes[node]
                compute, inputs = self._compute(found), found.inputs
                return lambda given, maps: {node: compute(given, [maps[source] for source in inputs])}
            case Sum():
                return self._sum(step)
            case Alike(nodes):
                return self._alike(nodes)
            case _:
                assert_never(step)

    def _recomputed(self, run: range, parts: Sequence[Computed]) -> Computed:
        """Steps as one, which gives what is read after it alone."""
        steps = self.plan.steps[run.start : run.stop]
        written = {node for step in steps for node in nodes_of(step)}
        read = {source: None for step in steps for source in sources_of(step, self.graph) if source not in written}
        scalars = tuple(dict.fromkeys(scalar for step in steps for scalar in scalars_of(step, self.graph)))

        def compute_all(given: Weights, maps: Mapping[int, Tensor]) -> dict[int, Tensor]:
            found = dict(maps)
            for part in parts:
                found.update(part.compute(given, found))
                for source in part.free:
                    del found[source]
            return {node: x_BCHW for node, x_BCHW in found.items() if node in written}

        def compute(given: Weights, maps: Mapping[int, Tensor]) -> Mapping[int, Tensor]:
            # Made here, so that they are not made again, or only the first time.
            for scalar in scalars:
                given.of(scalar)
            return recomputed(lambda these: compute_all(given, these), {source: maps[source] for source in read})

        return Computed(compute, tuple(source for part in parts for source in part.free if source in read))

    def _sum(self, step: Sum) -> Compute:
        sources = sources_of(step, self.graph)
        place = {source: position for position, source in enumerate(sources)}
        scalars = tuple(term.weight for term in step.terms if term.weight is not None)
        rows = [
            (
                place[term.source],
                [self._piece(self.graph.nodes[layer]) for layer in term.layers],
                frozenset(position for position, layer in enumerate(term.layers) if layer in term.kept),
                term.weight is not None,
            )
            for term in step.terms
        ]

        add = kept_sum_of_rows if self.plan.keeps_maps else sum_of_rows

        def compute(given: Weights, maps: Mapping[int, Tensor]) -> Mapping[int, Tensor]:
            made = [
                RowOfLayers(source, tuple(piece() for piece, _ in pieces), kept, weighed)
                for source, pieces, kept, weighed in rows
            ]
            weights_N = given.vector(scalars) if scalars else None
            found = add(weights_N, [maps[source] for source in sources], made)
            if self._owner.training:
                for row, (_, pieces, *_) in zip(made, rows, strict=True):
                    for piece, (_, done) in zip(row.pieces, pieces, strict=True):
                        if done is not None:
                            done(piece)
            return {step.node: found}

        return compute

    def _piece(self, node: Relaxed) -> tuple[MakePiece, Callable[[Piece], None] | None]:
        """What makes a piece of a row for one pass, and what is done with it after it in training."""
        payload = node.payload
        assert isinstance(payload, Apply)
        if payload.primitive == RELU:
            return Rectifier, None
        assert node.owner is not None
        assert node.reads is not None
        kernel, reads, shapes = self._kernels[node.owner], node.reads, self._shapes(node)
        slicer = kernel.slicer(payload, shapes, reads)
        if payload.primitive in CONVOLUTIONS:
            window = _window(payload, tuple(shapes))

            def convolution() -> Piece:
                tensors = slicer()
                return Convolution(window, tensors["weight"], tensors.get("bias"))

            return convolution, None
        attributes = payload.attribute
        eps, momentum = float(fraction(attributes, "eps")), float(fraction(attributes, "momentum"))

        def norm() -> Piece:
            tensors = slicer()
            mean, variance = tensors["running_mean"], tensors["running_var"]
            weight, bias = tensors.get("weight"), tensors.get("bias")
            return Norm(weight, bias, mean, variance, self._owner.training, momentum, eps)

        if not isinstance(kernel, SwitchableNorm) or len(reads.segments) < 2:
            return norm, None

        def update(piece: Piece) -> None:
            assert isinstance(piece, Norm)
            kernel.update(reads, {"running_mean": piece.running_mean, "running_var": piece.running_var})

        return norm, update

    def _alike(self, nodes: tuple[int, ...]) -> Compute:
        """One batch norm for several without weights of one map: in training their maps are equal."""
        computes = [self._compute(self.graph.nodes[node]) for node in nodes]
        (source,) = self.graph.nodes[nodes[0]].inputs
        pieces = [self._piece(self.graph.nodes[node]) for node in nodes]

        def compute(given: Weights, maps: Mapping[int, Tensor]) -> Mapping[int, Tensor]:
            x_BCHW = maps[source]
            if not self._owner.training:
                return {node: each(given, [x_BCHW]) for node, each in zip(nodes, computes, strict=True)}
            made = [make() for make, _ in pieces]
            first, *others = [piece for piece in made if isinstance(piece, Norm)]
            y_BCHW, mean_C, deviation_C = torch.native_batch_norm(
                x_BCHW, None, None, first.running_mean, first.running_var, True, first.momentum, first.eps
            )
            # Every batch norm of a group has seen this map; running variances are those of samples.
            places = x_BCHW.numel() // x_BCHW.shape[1]
            variance_C = deviation_C.detach().pow(-2).sub(first.eps).mul(places).div(places - 1)
            for piece in others:
                piece.running_mean.lerp_(mean_C.detach(), piece.momentum)
                piece.running_var.lerp_(variance_C, piece.momentum)
            for piece, (_, done) in zip(made, pieces, strict=True):
                if done is not None:
                    done(piece)
            return dict.fromkeys(nodes, y_BCHW)

        return compute

    def _compute(self, node: Relaxed) -> ComputeOne:
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
            case Narrow(start, stop):
                return lambda _, maps: maps[0][:, start:stop]
            case Result():
                return lambda _, maps: maps[0]
            case Image():
                raise AssertionError("an image is given")

    def _shapes(self, node: Relaxed) -> list[Shape]:
        return [
            Shape(each.layout.size, each.shape.height, each.shape.width)
            for each in (self.graph.nodes[source] for source in node.inputs)
        ]

    def _module(self, node: Relaxed, payload: Apply, shapes: Sequence[Shape]) -> nn.Module:
        path = payload.primitive if node.key is None else self.graph.program.nodes[node.key.node].path
        return layer(payload.primitive, payload.attribute, shapes, path)

    def _layer(self, node: Relaxed, payload: Apply) -> ComputeOne:
        shapes = self._shapes(node)
        if not PRIMITIVES[payload.primitive].owns_tensors:
            module = self._module(node, payload, shapes)
            if isinstance(module, Resize) and module.mode == "bilinear":
                return lambda _, maps: resized(module, maps)
            return lambda _, maps: module.train(self._owner.training)(*maps)
        assert node.owner is not None
        assert node.reads is not None
        kernel, reads = self._kernels[node.owner], node.reads
        slicer = kernel.slicer(payload, shapes, reads)
        with torch.device("meta"):
            module = self._module(node, payload, shapes)
        if isinstance(module, nn.Conv2d):
            return _conv(module, slicer)
        if isinstance(kernel, SwitchableNorm):
            return self._norm(kernel, payload, slicer, reads)

        def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
            tensors = slicer()
            return called(module.train(self._owner.training), tensors, maps)

        return compute

    def _norm(self, kernel: SwitchableNorm, payload: Apply, slicer: Slicer, reads: Layout) -> ComputeOne:
        attributes = payload.attribute
        eps, momentum = float(fraction(attributes, "eps")), float(fraction(attributes, "momentum"))

        def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
            tensors = slicer()
            made = self._batch_norm(
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


@lru_cache(maxsize=4096)
def _window(payload: Apply, shapes: tuple[Shape, ...]) -> Window:
    """How a convolution moves, of which a search makes thousands anew in each step."""
    with torch.device("meta"):
        module = layer(payload.primitive, payload.attribute, shapes, payload.primitive)
    assert isinstance(module, nn.Conv2d)
    return _window_of(module)


def _window_of(module: nn.Conv2d) -> Window:
    return Window(_two(module.stride), _two(module.padding), _two(module.dilation), module.groups)


def _two(numbers: Sequence[int] | int | str) -> tuple[int, int]:
    assert isinstance(numbers, tuple)
    first, second = numbers
    return first, second


def _conv(module: nn.Conv2d, slicer: Slicer) -> ComputeOne:
    window = _window_of(module)
    stride, padding, dilation, groups = window.stride, window.padding, window.dilation, window.groups
    around = module.around if isinstance(module, PaddedConv) else None
    # Known before a compiler traces it, which cannot look into maps.
    unsafe = around is None and is_unsafe(module.in_channels, _two(module.kernel_size), stride, padding)

    def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
        tensors = slicer()
        kernel, bias = tensors["weight"], tensors.get("bias")
        if around is not None:
            return functional.conv2d(around(maps[0]), kernel, bias, stride, padding, dilation, groups)
        if unsafe:
            return functional.conv2d(pixels_read(maps[0], stride), kernel, bias, groups=groups)
        return functional.conv2d(maps[0], kernel, bias, stride, padding, dilation, groups)

    return compute


def _mix(scalars: tuple[Scalar, ...]) -> ComputeOne:
    return lambda given, maps: weighted_sum(given.vector(scalars), maps)


def _zeros(node: Relaxed) -> ComputeOne:
    def compute(_: Weights, maps: Sequence[Tensor]) -> Tensor:
        batch, _channels, height, width = maps[0].shape
        return maps[0].new_zeros((batch, node.layout.size, height, width))

    return compute


def _spread(layout: Layout, places: int) -> ComputeOne:
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


def _mask(layout: Layout) -> ComputeOne:
    """Each channel by the chance that the map has it; a width that is sampled weighs all of them (straight through)."""
    tables: list[tuple[tuple[QuestionPath, ...], Tensor] | int] = []
    for segment in layout.segments:
        if isinstance(segment.count, Mixed):
            values = torch.tensor(segment.count.values)
            wide = (values[None, :] > torch.arange(segment.size)[:, None]).float()
            possible = {case for case, _ in segment.count.possible()}
            # Of a width that is not the sampled one nothing is known, also of the channels that both have.
            wide *= torch.tensor([float(case in possible) for case, _ in segment.count.cases()])
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
