"""A weighted sum of rows of layers as one function, with a gradient that computes again what is cheap.

Of each row only the outputs that the plan names are kept; batch norms are normalised and ReLUs taken again from them.
The weight of a row that ends in a batch norm goes into the batch norm's, so that its map is never made by itself, and
its gradient is a sum over channels (DARTS, eq. 2). Legend of shape suffixes: B images, C channels, H height, W width,
N rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from archdsl.nets.supernet.convolutions import Window, gradients
from archdsl.nets.supernet.weighted_sum import flat


@dataclass(frozen=True, slots=True)
class Convolution:
    window: Window
    kernel: Tensor
    bias: Tensor | None


@dataclass(frozen=True, slots=True)
class Norm:
    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor
    training: bool
    momentum: float
    eps: float


@dataclass(frozen=True, slots=True)
class Rectifier:
    pass


Piece: TypeAlias = "Convolution | Norm | Rectifier"


@dataclass(frozen=True, slots=True)
class RowOfLayers:
    source: int
    """Which of the maps it starts with."""
    pieces: tuple[Piece, ...]
    kept: frozenset[int]
    """Pieces whose outputs are kept."""
    weighed: bool
    """Whether it has a weight; else it counts once."""


def sum_of_rows(weights_N: Tensor | None, maps_BCHW: Sequence[Tensor], rows: Sequence[RowOfLayers]) -> Tensor:
    """The sum of rows, of those that have a weight each times the next of the weights.

    Differentiable once. Running statistics are updated where batch norms train.
    """
    if torch.is_autocast_enabled(maps_BCHW[0].device.type):
        lower = torch.get_autocast_dtype(maps_BCHW[0].device.type)
        with torch.autocast(maps_BCHW[0].device.type, enabled=False):
            return sum_of_rows(weights_N, [x_BCHW.to(lower) for x_BCHW in maps_BCHW], rows)
    trained = [tensor for row in rows for piece in row.pieces for tensor in _trained(piece) if tensor is not None]
    return _SumOfRows.apply(rows, len(maps_BCHW), weights_N, *maps_BCHW, *trained)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _trained(piece: Piece) -> tuple[Tensor | None, Tensor | None]:
    match piece:
        case Convolution(_, kernel, bias):
            return kernel, bias
        case Norm(weight, bias):
            return weight, bias
        case Rectifier():
            return None, None


@dataclass(slots=True)
class _Run:
    """A row as it was run: its parameters, and what its gradient is computed from."""

    row: RowOfLayers
    trained: list[tuple[Tensor | None, Tensor | None]]
    """The two tensors of each piece."""
    outputs: dict[int, Tensor] = field(default_factory=dict[int, Tensor])
    """Kept, by piece."""
    statistics: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict[int, "tuple[Tensor, Tensor]"])
    """Mean and reciprocal deviation of each batch norm that trains, by piece."""

    def forward(self, x_BCHW: Tensor, weight: Tensor | None) -> tuple[Tensor, bool]:
        """Its map, and whether the weight is in it."""
        source = x_BCHW
        last = len(self.row.pieces) - 1
        inside = False
        for position, piece in enumerate(self.row.pieces):
            match piece:
                case Convolution(window):
                    kernel, bias = self.trained[position]
                    assert kernel is not None
                    x_BCHW = window.conv(x_BCHW, kernel.to(x_BCHW.dtype), None if bias is None else bias.to(x_BCHW))
                case Norm():
                    scale, shift = self._affine(position, x_BCHW, weight if position == last else None)
                    inside = position == last and weight is not None
                    x_BCHW = self._normalised(position, piece, x_BCHW, scale, shift)
                case Rectifier():
                    own = x_BCHW is not source and position - 1 not in self.row.kept
                    x_BCHW = torch.relu_(x_BCHW) if own else torch.relu(x_BCHW)
            if position in self.row.kept:
                self.outputs[position] = x_BCHW
        return x_BCHW, inside

    def _affine(self, position: int, x_BCHW: Tensor, weight: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        """The weight and bias of a batch norm, times a number."""
        scale, shift = self.trained[position]
        if weight is None:
            return scale, shift
        if scale is None:
            scale = torch.ones(x_BCHW.shape[1], dtype=_precise(x_BCHW.dtype), device=x_BCHW.device)
        return scale * weight, None if shift is None else shift * weight

    def _normalised(
        self, position: int, piece: Norm, x_BCHW: Tensor, scale: Tensor | None, shift: Tensor | None
    ) -> Tensor:
        y_BCHW, mean, deviation = torch.native_batch_norm(
            x_BCHW, scale, shift, piece.running_mean, piece.running_var, piece.training, piece.momentum, piece.eps
        )
        if piece.training:
            self.statistics[position] = (mean, deviation)
        return y_BCHW

    def _again(self, position: int, x_BCHW: Tensor) -> Tensor:
        """What a piece gives, with the statistics of the forward pass."""
        match self.row.pieces[position]:
            case Convolution(window):
                kernel, bias = self.trained[position]
                assert kernel is not None
                return window.conv(x_BCHW, kernel.to(x_BCHW.dtype), None if bias is None else bias.to(x_BCHW))
            case Norm() as piece:
                scale, shift = self.trained[position]
                mean, variance = piece.running_mean, piece.running_var
                if piece.training:
                    mean, deviation = self.statistics[position]
                    variance = deviation.pow(-2) - piece.eps
                made, _, _ = torch.native_batch_norm(
                    x_BCHW, scale, shift, mean, variance, False, piece.momentum, piece.eps
                )
                return made
            case Rectifier():
                return torch.relu(x_BCHW)

    def backward(
        self, source_BCHW: Tensor, grad_BCHW: Tensor, weight: Tensor | None, wanted: _Wanted
    ) -> tuple[Tensor | None, Tensor | None, list[tuple[Tensor | None, Tensor | None]]]:
        """The gradients for the source, for the weight, and for the two tensors of each piece."""
        pieces = self.row.pieces
        last = len(pieces) - 1
        to_trained: list[tuple[Tensor | None, Tensor | None]] = [(None, None)] * len(pieces)
        inside = bool(pieces) and isinstance(pieces[last], Norm) and weight is not None
        to_weight: Tensor | None = None
        lowest = wanted.lowest
        gradient: Tensor | None = grad_BCHW
        for start, stop in self._stretches():
            kept_BCHW = source_BCHW if start == 0 else self.outputs[start - 1]
            dot = stop == last + 1 and weight is not None and not inside
            maps_BCHW = self._stretch(start, stop, kept_BCHW, whole=dot and wanted.weight)
            if dot and weight is not None:
                if wanted.weight:
                    to_weight = _dot(grad_BCHW, maps_BCHW[-1])
                gradient = grad_BCHW * weight.to(grad_BCHW.dtype)
            for position in reversed(range(start, stop)):
                factor = weight if position == last and inside else None
                if position < lowest and not wanted.source and not (factor is not None and wanted.weight):
                    return None, to_weight, to_trained
                assert gradient is not None
                x_BCHW = maps_BCHW[position - start]
                needs_map = wanted.source or position > lowest
                match pieces[position]:
                    case Convolution(window):
                        kernel = self.trained[position][0]
                        assert kernel is not None
                        gradient, *rest = gradients(
                            gradient, x_BCHW, kernel.to(x_BCHW.dtype), window, (needs_map, *wanted.trained[position])
                        )
                        to_trained[position] = (rest[0], rest[1])
                    case Norm() as piece:
                        gradient, scaled, shifted = self._norm_backward(
                            position, piece, gradient, x_BCHW, factor, needs_map=needs_map
                        )
                        if factor is not None:
                            to_weight = self._to_weight(position, scaled, shifted)
                            scaled, shifted = scaled * factor, shifted * factor
                        wants = wanted.trained[position]
                        to_trained[position] = (scaled if wants[0] else None, shifted if wants[1] else None)
                    case Rectifier():
                        after_BCHW = maps_BCHW[position + 1 - start]
                        gradient = torch.ops.aten.threshold_backward.default(gradient, after_BCHW, 0)
                del maps_BCHW[position + 1 - start :]
        if not pieces and weight is not None:
            if wanted.weight:
                to_weight = _dot(grad_BCHW, source_BCHW)
            gradient = grad_BCHW * weight.to(grad_BCHW.dtype) if wanted.source else None
        return gradient, to_weight, to_trained

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """From one kept map to the next, the last first."""
        bounds = sorted({0, *(position + 1 for position in self.row.kept), len(self.row.pieces)})
        if not self.row.pieces:
            return
        if len(self.row.pieces) - 1 in self.row.kept:
            yield len(self.row.pieces), len(self.row.pieces)
        yield from reversed(list(pairwise(bounds)))

    def _stretch(self, start: int, stop: int, kept_BCHW: Tensor, *, whole: bool) -> list[Tensor]:
        """What each piece of a stretch reads, and what its last one gives where that is needed."""
        maps = [kept_BCHW]
        for position in range(start, stop):
            needed = position + 1 < stop or whole or isinstance(self.row.pieces[position], Rectifier)
            if needed:
                maps.append(self._again(position, maps[-1]))
        return maps

    def _norm_backward(
        self,
        position: int,
        piece: Norm,
        grad_BCHW: Tensor,
        x_BCHW: Tensor,
        factor: Tensor | None,
        *,
        needs_map: bool,
    ) -> tuple[Tensor | None, Tensor, Tensor]:
        scale, _ = self._affine(position, x_BCHW, factor)
        mean, deviation = self.statistics.get(position, (None, None))
        return torch.ops.aten.native_batch_norm_backward.default(
            grad_BCHW,
            x_BCHW,
            scale,
            piece.running_mean,
            piece.running_var,
            mean,
            deviation,
            piece.training,
            piece.eps,
            [needs_map, True, True],
        )

    def _to_weight(self, position: int, scaled: Tensor, shifted: Tensor) -> Tensor:
        """The gradient of a weight that was put into a batch norm, by the gradients of its weight and bias."""
        scale, shift = self.trained[position]
        found = scaled.sum() if scale is None else (scaled * scale).sum()
        return found if shift is None else found + (shifted * shift).sum()


@dataclass(frozen=True, slots=True)
class _Wanted:
    source: bool
    weight: bool
    trained: tuple[tuple[bool, bool], ...]

    @property
    def lowest(self) -> int:
        """The first piece that has a gradient of its own."""
        return next((position for position, each in enumerate(self.trained) if any(each)), len(self.trained))


class _SumOfRows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, rows: Sequence[RowOfLayers], count: int, weights_N: Tensor | None, *tensors: Tensor
    ) -> Tensor:
        maps, trained = tensors[:count], iter(tensors[count:])
        parts = iter(()) if weights_N is None else iter(weights_N.detach().unbind())
        runs: list[_Run] = []
        total_BCHW: Tensor | None = None
        for row in rows:
            run = _Run(row, [_taken(piece, trained) for piece in row.pieces])
            weight = next(parts) if row.weighed else None
            y_BCHW, inside = run.forward(maps[row.source], weight)
            fresh = bool(row.pieces) and len(row.pieces) - 1 not in row.kept
            if weight is not None and not inside:
                weight = weight.to(y_BCHW.dtype)
                total_BCHW = y_BCHW * weight if total_BCHW is None else total_BCHW.addcmul_(y_BCHW, weight)
            elif total_BCHW is None:
                total_BCHW = y_BCHW if fresh or len(rows) == 1 else y_BCHW.clone()
            else:
                total_BCHW.add_(y_BCHW)
            runs.append(run)
        assert total_BCHW is not None
        kept = [tensor for run in runs for tensor in run.outputs.values()]
        numbers = [tensor for run in runs for pair in run.statistics.values() for tensor in pair]
        # A map that is only weighed is read again for the gradient of its weight alone.
        read = {run.row.source for run in runs if run.row.pieces or (run.row.weighed and ctx.needs_input_grad[2])}
        ctx.maps = [position in read for position in range(count)]
        ctx.save_for_backward(
            weights_N,
            *(x for x, needed in zip(maps, ctx.maps, strict=True) if needed),
            *tensors[count:],
            *kept,
            *numbers,
        )
        ctx.rows, ctx.shapes = rows, [(tuple(run.outputs), tuple(run.statistics)) for run in runs]
        return total_BCHW

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *grad_outputs: Tensor
    ) -> tuple[Any, ...]:
        (grad_BCHW,) = grad_outputs
        weights_N, *saved = ctx.saved_tensors
        tensors = iter(saved)
        maps = [next(tensors) if needed else grad_BCHW for needed in ctx.maps]
        runs = [_Run(row, [_taken(piece, tensors) for piece in row.pieces]) for row in ctx.rows]
        for run, (outputs, _) in zip(runs, ctx.shapes, strict=True):
            run.outputs = {position: next(tensors) for position in outputs}
        for run, (_, statistics) in zip(runs, ctx.shapes, strict=True):
            run.statistics = {position: (next(tensors), next(tensors)) for position in statistics}
        weights_wanted, *wanted = ctx.needs_input_grad[2:]
        maps_wanted, trained_wanted = wanted[: len(maps)], iter(wanted[len(maps) :])
        parts = iter(()) if weights_N is None else iter(weights_N.unbind())
        to_maps: list[Tensor | None] = [None] * len(maps)
        to_weights: list[Tensor] = []
        to_trained: list[Tensor | None] = []
        for run in runs:
            wants = tuple(tuple(tensor is not None and next(trained_wanted) for tensor in pair) for pair in run.trained)
            weight = next(parts) if run.row.weighed else None
            source = run.row.source
            asked = _Wanted(maps_wanted[source], weights_wanted and weight is not None, wants)  # pyright: ignore[reportArgumentType]
            to_map, to_weight, pairs = run.backward(maps[source], grad_BCHW, weight, asked)
            if to_map is not None and maps_wanted[source]:
                known = to_maps[source]
                if known is None:
                    to_maps[source] = to_map.clone() if to_map is grad_BCHW else to_map
                else:
                    known.add_(to_map)
            if to_weight is not None:
                to_weights.append(to_weight)
            for tensors_of, pair in zip(run.trained, pairs, strict=True):
                to_trained += [
                    None if made is None else made.to(tensor.dtype)
                    for tensor, made in zip(tensors_of, pair, strict=True)
                    if tensor is not None
                ]
        return (None, None, torch.stack(to_weights).to(weights_N) if to_weights else None, *to_maps, *to_trained)


def _taken(piece: Piece, tensors: Iterator[Tensor]) -> tuple[Tensor | None, Tensor | None]:
    """The next tensors, as many as a piece has."""
    first, second = _trained(piece)
    return (None if first is None else next(tensors)), (None if second is None else next(tensors))


def _precise(dtype: torch.dtype) -> torch.dtype:
    """In which batch norms count."""
    return torch.promote_types(dtype, torch.float32)


def _dot(grad_BCHW: Tensor, x_BCHW: Tensor) -> Tensor:
    return torch.dot(flat(grad_BCHW, x_BCHW), flat(x_BCHW, x_BCHW))
