"""Supernets evaluated as the published code does it, to compare with: every candidate of every edge is a module.

Written anew from the known structure: DARTS (Liu et al., ICLR 2019; 8 primitives, `none` multiplied by zero, batch
norms without weights) and FasterSeg (Chen et al., ICLR 2020; the whole cell is applied to each of its two inputs and
the outputs are mixed). Legend of shape suffixes: B images, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

# DARTS --------------------------------------------------------------------------------------------

DARTS_OPS: Final = 8
_DARTS_NODES: Final = 4


class DartsNone(nn.Module):
    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW[:, :, :: self.stride, :: self.stride].mul(0.0)


class FactorizedReduce(nn.Module):
    def __init__(self, read: int, written: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(read, written // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(read, written // 2, 1, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(written, affine=False)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        x_BCHW = self.relu(x_BCHW)
        return self.bn(torch.cat((self.even(x_BCHW), self.odd(x_BCHW[:, :, 1:, 1:])), 1))


def _relu_conv_bn(read: int, written: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(read, written, 1, bias=False), nn.BatchNorm2d(written, affine=False))


def _separable(channels: int, window: int, stride: int, dilation: int) -> list[nn.Module]:
    padding = dilation * (window - 1) // 2
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, window, stride, padding, dilation, channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    ]


def _darts_ops(channels: int, stride: int) -> list[nn.Module]:
    return [
        DartsNone(stride),
        nn.Sequential(nn.MaxPool2d(3, stride, 1), nn.BatchNorm2d(channels, affine=False)),
        nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), nn.BatchNorm2d(channels, affine=False)),
        nn.Identity() if stride == 1 else FactorizedReduce(channels, channels),
        nn.Sequential(*_separable(channels, 3, stride, 1), *_separable(channels, 3, 1, 1)),
        nn.Sequential(*_separable(channels, 5, stride, 1), *_separable(channels, 5, 1, 1)),
        nn.Sequential(*_separable(channels, 3, stride, 2)),
        nn.Sequential(*_separable(channels, 5, stride, 2)),
    ]


def _total(maps_BCHW: Sequence[Tensor]) -> Tensor:
    total_BCHW = maps_BCHW[0]
    for x_BCHW in maps_BCHW[1:]:
        total_BCHW = total_BCHW + x_BCHW
    return total_BCHW


class DartsMixedOp(nn.Module):
    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.ops = nn.ModuleList(_darts_ops(channels, stride))

    def forward(self, x_BCHW: Tensor, weights: Tensor) -> Tensor:
        terms = [weight * op(x_BCHW) for weight, op in zip(weights, self.ops, strict=True)]
        return _total(terms)


class DartsCell(nn.Module):
    def __init__(self, read: Sequence[int], channels: int, *, reduction: bool, after_reduction: bool) -> None:
        super().__init__()
        before, last = read
        self.first = FactorizedReduce(before, channels) if after_reduction else _relu_conv_bn(before, channels)
        self.second = _relu_conv_bn(last, channels)
        self.reduction = reduction
        self.mixed = nn.ModuleList(
            DartsMixedOp(channels, 2 if reduction and source < 2 else 1)
            for node in range(_DARTS_NODES)
            for source in range(2 + node)
        )

    def forward(self, before_BCHW: Tensor, last_BCHW: Tensor, weights: Tensor) -> Tensor:
        states = [self.first(before_BCHW), self.second(last_BCHW)]
        edge = 0
        for _ in range(_DARTS_NODES):
            terms = [self.mixed[edge + i](state, weights[edge + i]) for i, state in enumerate(states)]
            edge += len(states)
            states.append(_total(terms))
        return torch.cat(states[2:], 1)


class PublishedDarts(nn.Module):
    """`model_search.py`: a stem three times as wide, cells of four nodes, reductions at a third and at two thirds."""

    def __init__(self, channels: int = 16, layers: int = 8, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * channels, 3, padding=1, bias=False), nn.BatchNorm2d(3 * channels))
        before = last = 3 * channels
        cells: list[nn.Module] = []
        after_reduction = False
        for layer in range(layers):
            reduction = layer in (layers // 3, 2 * layers // 3)
            channels = 2 * channels if reduction else channels
            cells.append(DartsCell((before, last), channels, reduction=reduction, after_reduction=after_reduction))
            after_reduction = reduction
            before, last = last, _DARTS_NODES * channels
        self.cells = nn.ModuleList(cells)
        self.classifier = nn.Linear(last, classes)
        edges = sum(2 + node for node in range(_DARTS_NODES))
        self.logits = nn.ParameterList(nn.Parameter(1e-3 * torch.randn(edges, DARTS_OPS)) for _ in range(2))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        before_BCHW = last_BCHW = self.stem(x_BCHW)
        normal, reduction = (logits.softmax(-1) for logits in self.logits)
        for cell in self.cells:
            assert isinstance(cell, DartsCell)
            weights = reduction if cell.reduction else normal
            before_BCHW, last_BCHW = last_BCHW, cell(before_BCHW, last_BCHW, weights)
        return self.classifier(last_BCHW.mean((2, 3)))
