"""The tensors of a supernet: one for all widths and windows of a layer, and slices of it.

A kernel has the largest size of its layer (FasterSeg, section 3.1.3; Yu and Huang, ICCV 2019). A batch norm has weights
and statistics for each width of its map, whatever the width of the map before: pairs of one width written share them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from archdsl.nets.supernet.checkpoint import computing_again
from archdsl.ops import Attributes, Role, Shape, Weight
from archdsl.ops.attributes import pair
from archdsl.ops.primitives import PRIMITIVES
from archdsl.relax.full import Full, number
from archdsl.relax.layout import Layout
from archdsl.space import Apply

_STATISTICS: Final = ("running_mean", "running_var")
_START: Final = MappingProxyType({Role.SCALE: 1.0, Role.VARIANCE: 1.0, Role.SLOPE: 0.25})
"""The values of tensors before they are drawn; those of other roles are zeros."""
_CHANNELS: Final = 2
"""The axes of a kernel that count channels, written and read; a window has the others."""
_Cut: TypeAlias = "tuple[int, Sequence[tuple[int, int]]]"
"""An axis, and first place and end of each run of what is taken of it."""


class Superkernel(nn.Module):
    """The tensors of one layer. Slices are views: what is written to them is written here."""

    def __init__(self, full: Full, *, transform: bool = False) -> None:
        super().__init__()
        self.full = full
        self.axes = {weight.name: _read_axis(full, weight.name) for weight in full.weights()}
        self.shapes = {weight.name: tuple(map(number, weight.shape)) for weight in full.tensors()}
        for weight in full.tensors():
            self.put(weight.name, weight, self.shapes[weight.name])
        windows = full.windows if transform else ()
        largest = full.apply.attribute.get("k")
        for smaller in windows:
            assert isinstance(largest, tuple)
            size = smaller[0] * smaller[1]
            self.register_parameter(f"transform_{smaller[0]}x{smaller[1]}", nn.Parameter(torch.eye(size)))
        self.windows = windows
        self.accumulates = False
        """Whether gradients of slices are added to those of the whole tensors where they belong."""

    def put(self, name: str, weight: Weight, shape: tuple[int, ...]) -> None:
        start = torch.full(shape, _START.get(weight.role, float(weight.init)))
        if weight.trained:
            self.register_parameter(name, nn.Parameter(start))
        else:
            self.register_buffer(name, start)

    def sliced(self, payload: Apply, maps: Sequence[Shape], reads: Layout) -> dict[str, Tensor]:
        """The tensors of the layer for these maps, by the names that torch has for them."""
        return self.slicer(payload, maps, reads)()

    def slicer(self, payload: Apply, maps: Sequence[Shape], reads: Layout) -> Callable[[], dict[str, Tensor]]:
        """What gives them again and again."""
        wanted = PRIMITIVES[payload.primitive].weights(maps, payload.attribute)
        takes = [(weight.name, self._take(weight, payload.attribute, reads)) for weight in wanted]
        return lambda: {name: take() for name, take in takes}

    @torch.no_grad()
    def write(self, payload: Apply, maps: Sequence[Shape], reads: Layout, tensors: Mapping[str, Tensor]) -> None:
        """Takes over tensors of a layer, where `sliced` would take them from; not for kernels with transforms."""
        if self.windows:
            raise ValueError("a window that is transformed is not taken over")
        for weight in PRIMITIVES[payload.primitive].weights(maps, payload.attribute):
            if weight.name in tensors:
                whole: Tensor = getattr(self, weight.name)
                places = torch.arange(whole.numel(), device=whole.device).view(whole.shape)
                if (window := self._smaller(weight, payload.attribute)) is not None:
                    places = self._windowed(places, self.shapes[weight.name], window)
                places = _cut(places, tuple(self._cuts(weight, reads)))
                whole.view(-1)[places.flatten()] = tensors[weight.name].to(whole.device).flatten()

    def _take(self, weight: Weight, attributes: Attributes, reads: Layout) -> Callable[[], Tensor]:
        """What takes the first channels written, of those that are read, and of a kernel its middle."""
        name, window = weight.name, self._smaller(weight, attributes)
        cuts = tuple(self._cuts(weight, reads))
        if window is not None:
            return lambda: _cut(self._windowed(getattr(self, name), self.shapes[name], window), cuts)
        if not cuts:
            return lambda: getattr(self, name)
        view = all(len(ranges) == 1 for _, ranges in cuts)

        def take() -> Tensor:
            whole: Tensor = getattr(self, name)
            # What is traced is no parameter, and is sliced as it is.
            if view and self.accumulates and isinstance(whole, nn.Parameter) and whole.requires_grad:
                return _Sliced.apply(whole, cuts)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            return _cut(whole, cuts)

        return take

    def _cuts(self, weight: Weight, reads: Layout) -> Iterator[_Cut]:
        """What is taken of each axis of which not all is."""
        read_axis = self.axes[weight.name]
        whole = self.shapes[weight.name][:_CHANNELS]
        for axis, (count, places) in enumerate(zip(weight.shape[:_CHANNELS], whole, strict=True)):
            size = number(count)
            if axis == read_axis and not reads.whole and places == reads.extent:
                yield axis, reads.ranges
            elif size != places:
                yield axis, ((0, size),)

    def _smaller(self, weight: Weight, attributes: Attributes) -> tuple[int, int] | None:
        """The window of a kernel, where it is not the largest one."""
        if weight.role is not Role.FILTER or "k" not in attributes:
            return None
        window = pair(attributes, "k")
        return window if window != self.full.apply.attribute.get("k") else None

    def _windowed(self, kernel: Tensor, shape: tuple[int, ...], window: tuple[int, int]) -> Tensor:
        """The middle of a kernel, by way of the windows in between where each has a transform (once-for-all)."""
        have = shape[-2:]
        for smaller in (*(each for each in self.windows if each > window), window):
            top, left = ((size - wanted) // 2 for size, wanted in zip(have, smaller, strict=True))
            kernel = kernel[..., top : top + smaller[0], left : left + smaller[1]]
            if smaller in self.windows:
                matrix: Tensor = getattr(self, f"transform_{smaller[0]}x{smaller[1]}")
                kernel = (kernel.reshape(*shape[:-2], -1) @ matrix).reshape(*shape[:-2], *smaller)
            have = smaller
        return kernel


class SwitchableNorm(Superkernel):
    """A batch norm with weights and statistics for each width of its map."""

    def __init__(self, full: Full) -> None:
        super().__init__(full)
        self.plain = not full.switchable
        self.norms = full.norms

    def slicer(self, payload: Apply, maps: Sequence[Shape], reads: Layout) -> Callable[[], dict[str, Tensor]]:
        found = super().slicer(payload, maps, reads) if self.plain else self._switched(payload, maps, reads)
        return lambda: _spared(found()) if computing_again() else found()

    def _switched(self, payload: Apply, maps: Sequence[Shape], reads: Layout) -> Callable[[], dict[str, Tensor]]:
        wanted = PRIMITIVES[payload.primitive].weights(maps, payload.attribute)
        runs = [(segment.start, segment.size) for segment in reads.segments if segment.size]
        return lambda: {weight.name: self._joined(weight.name, runs) for weight in wanted}

    def _joined(self, name: str, runs: Sequence[tuple[int, int]]) -> Tensor:
        parts = [self._run(name, start, count) for start, count in runs]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _run(self, name: str, start: int, count: int) -> Tensor:
        """Of a width that the supernet does not have, the first channels of the next larger one."""
        near = min((size for first, size in self.norms if first == start and size >= count), default=count)
        found: Tensor = getattr(self, f"{name}_{start}_{near}")
        return found if near == count else found[:count]

    def write(self, payload: Apply, maps: Sequence[Shape], reads: Layout, tensors: Mapping[str, Tensor]) -> None:
        if self.plain:
            super().write(payload, maps, reads, tensors)
        else:
            self._write(reads, tensors)

    def update(self, reads: Layout, tensors: Mapping[str, Tensor]) -> None:
        """Takes over statistics that were computed in a copy, where a map has several runs of channels."""
        if not (self.plain or len(reads.segments) < 2 or computing_again()):
            self._write(reads, {name: tensors[name] for name in _STATISTICS})

    @torch.no_grad()
    def _write(self, reads: Layout, tensors: Mapping[str, Tensor]) -> None:
        """Each run of channels where it belongs."""
        for name, tensor in tensors.items():
            offset = 0
            for segment in reads.segments:
                if segment.size:
                    self._run(name, segment.start, segment.size).copy_(tensor[offset : offset + segment.size])
                offset += segment.size


class _Sliced(torch.autograd.Function):
    """A slice whose gradient is added to that of the whole tensor, in place of a tensor of zeros around it."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, cuts: Sequence[_Cut]) -> Tensor:
        ctx.whole, ctx.cuts = whole, cuts
        return _cut(whole.detach(), cuts).clone(memory_format=torch.contiguous_format)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[None, None]:  # pyright: ignore[reportIncompatibleMethodOverride]
        whole: Tensor = ctx.whole
        if whole.grad is None:
            whole.grad = torch.zeros_like(whole)
        _cut(whole.grad, ctx.cuts).add_(grad_outputs[0])
        return None, None


def _cut(found: Tensor, cuts: Sequence[_Cut]) -> Tensor:
    """A view where each axis has one run, else a copy."""
    for axis, ranges in cuts:
        parts = [found.narrow(axis, start, stop - start) for start, stop in ranges]
        found = parts[0] if len(parts) == 1 else torch.cat(parts, axis)
    return found


def _spared(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """With copies of running statistics: a map that is computed again does not count twice."""
    return {name: tensor.clone() if name in _STATISTICS else tensor for name, tensor in tensors.items()}


def superkernel(full: Full, *, transform: bool = False) -> Superkernel:
    if PRIMITIVES[full.apply.primitive].traits.batch_norm:
        return SwitchableNorm(full)
    return Superkernel(full, transform=transform)


def _read_axis(full: Full, name: str) -> int | None:
    """The axis of a tensor that counts channels of the map read: the one that doubles with them."""
    twice = tuple(shape._replace(channels=2 * number(shape.channels)) for shape in full.shapes)
    rule = PRIMITIVES[full.apply.primitive].weights
    one = next(weight.shape for weight in rule(full.shapes, full.apply.attribute) if weight.name == name)
    two = next(weight.shape for weight in rule(twice, full.apply.attribute) if weight.name == name)
    return next((axis for axis, (a, b) in enumerate(zip(one, two, strict=True)) if a != b), None)
