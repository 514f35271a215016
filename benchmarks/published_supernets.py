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
from torch.nn import functional

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


# FasterSeg ----------------------------------------------------------------------------------------

_WIDTHS: Final = (4 / 12, 6 / 12, 8 / 12, 10 / 12, 1.0)
_SCALES: Final = (8, 16, 32)
_STEM: Final = 8
"""The width of the stem, in twelfths, and of the heads."""
_FASTERSEG_OPS: Final = 5


class Slim:
    """The widths of a step: one for each map, with the straight-through weight that its samples have."""

    def __init__(self, width: float, score: Tensor) -> None:
        self.width = width
        self.score = score


class SlimConv(nn.Module):
    """`USConv2d`, `USBatchNorm2d`: the first channels of one kernel, a batch norm for each width."""

    def __init__(self, read: int, written: int, window: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(read, written, window, stride, window // 2, bias=False)
        self.norms = nn.ModuleDict(
            {f"{round(width * 12)}": nn.BatchNorm2d(round(written * width)) for width in _WIDTHS}
        )

    def forward(self, x_BCHW: Tensor, width: float) -> Tensor:
        written = round(self.conv.out_channels * width)
        kernel = self.conv.weight[:written, : x_BCHW.shape[1]]
        x_BCHW = functional.conv2d(x_BCHW, kernel, None, self.conv.stride, self.conv.padding)
        return self.norms[f"{round(width * 12)}"](x_BCHW)


class SlimSkip(nn.Module):
    """A 1x1 convolution; at stride 2 two of half the channels, the second shifted by a pixel."""

    def __init__(self, read: int, written: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.halves = nn.ModuleList(nn.Conv2d(read, written // stride, 1, stride, bias=False) for _ in range(stride))
        self.norms = nn.ModuleDict(
            {f"{round(width * 12)}": nn.BatchNorm2d(round(written * width)) for width in _WIDTHS}
        )

    def forward(self, x_BCHW: Tensor, width: float) -> Tensor:
        maps: list[Tensor] = []
        for shift, half in enumerate(self.halves):
            assert isinstance(half, nn.Conv2d)
            kernel = half.weight[: round(half.out_channels * width), : x_BCHW.shape[1]]
            maps.append(functional.conv2d(x_BCHW[:, :, shift:, shift:], kernel, None, half.stride))
        x_BCHW = torch.cat(maps, 1)
        return functional.relu(self.norms[f"{round(width * 12)}"](x_BCHW))


class SlimOp(nn.Module):
    """`conv`, `conv_2x`, and both on a map of half the size."""

    def __init__(self, read: int, written: int, stride: int, *, convs: int, zoomed: bool) -> None:
        super().__init__()
        self.zoomed = zoomed
        self.stride = stride
        own = 1 if zoomed else stride
        first = SlimConv(read, written, 3, own)
        self.convs = nn.ModuleList([first, *(SlimConv(written, written, 3, 1) for _ in range(convs - 1))])

    def forward(self, x_BCHW: Tensor, width: float) -> Tensor:
        height, wide = x_BCHW.shape[2:]
        if self.zoomed:
            x_BCHW = _resized(x_BCHW, (height // 2, wide // 2))
        for position, conv in enumerate(self.convs):
            x_BCHW = functional.relu(x_BCHW) if position else x_BCHW
            x_BCHW = conv(x_BCHW, width)
        if self.zoomed and self.stride == 1:
            x_BCHW = _resized(x_BCHW, (height, wide))
        return functional.relu(x_BCHW)


def _resized(x_BCHW: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x_BCHW, size, mode="bilinear", align_corners=True)


def _size(x_BCHW: Tensor) -> tuple[int, int]:
    return x_BCHW.shape[2], x_BCHW.shape[3]


class FasterSegMixedOp(nn.Module):
    def __init__(self, read: int, written: int, stride: int) -> None:
        super().__init__()
        self.ops = nn.ModuleList(
            [
                SlimSkip(read, written, stride),
                SlimOp(read, written, stride, convs=1, zoomed=False),
                SlimOp(read, written, stride, convs=1, zoomed=True),
                SlimOp(read, written, stride, convs=2, zoomed=False),
                SlimOp(read, written, stride, convs=2, zoomed=True),
            ]
        )

    def forward(self, x_BCHW: Tensor, weights: Tensor, read: Slim, written: Slim) -> Tensor:
        terms = [
            op(x_BCHW, written.width) * weight * read.score * written.score
            for weight, op in zip(weights, self.ops, strict=True)
        ]
        return _total(terms)


class FasterSegCell(nn.Module):
    def __init__(self, channels: int, *, down: bool) -> None:
        super().__init__()
        self.stay = FasterSegMixedOp(channels, channels, 1)
        self.down = FasterSegMixedOp(channels, 2 * channels, 2) if down else None

    def forward(
        self, x_BCHW: Tensor, weights: Tensor, read: Slim, stay: Slim, down: Slim
    ) -> tuple[Tensor, Tensor | None]:
        lower = None if self.down is None else self.down(x_BCHW, weights, read, down)
        return self.stay(x_BCHW, weights, read, stay), lower


def _conv_bn_relu(read: int, written: int, window: int = 3, stride: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(read, written, window, stride, window // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(written), nn.ReLU())


def _head(read: int, classes: int) -> nn.Sequential:
    middle = read if read <= 256 else read // 2
    return nn.Sequential(_conv_bn_relu(read, middle), nn.Conv2d(middle, classes, 1))


class PublishedFasterSeg(nn.Module):
    """`model_search.py`: where two cells lead to one, both maps go through it and the outputs are mixed."""

    def __init__(self, layers: int = 16, classes: int = 19) -> None:
        super().__init__()
        self.layers = layers
        width = _STEM
        self.stem = nn.Sequential(
            _conv_bn_relu(3, 4 * width, stride=2),
            _conv_bn_relu(4 * width, 8 * width, stride=2),
            _conv_bn_relu(8 * width, 8 * width),
            _conv_bn_relu(8 * width, 8 * width, stride=2),
            _conv_bn_relu(8 * width, 8 * width),
        )
        self.cells = nn.ModuleList(
            nn.ModuleList(
                FasterSegCell(12 * scale, down=position < 2 and layer < layers - 1)
                for position, scale in enumerate(_SCALES)
                if position <= layer
            )
            for layer in range(layers)
        )
        self.refine32 = nn.ModuleList(
            [
                _conv_bn_relu(32 * width, 16 * width, 1),
                _conv_bn_relu(32 * width, 16 * width),
                _conv_bn_relu(16 * width, 8 * width, 1),
                _conv_bn_relu(16 * width, 8 * width),
            ]
        )
        self.refine16 = nn.ModuleList([_conv_bn_relu(16 * width, 8 * width, 1), _conv_bn_relu(16 * width, 8 * width)])
        self.heads = nn.ModuleList(
            [*(_head(8 * width, classes) for _ in range(3)), *(_head(16 * width, classes) for _ in range(2))]
        )
        self.alphas = nn.ParameterList(nn.Parameter(1e-3 * torch.randn(layers, _FASTERSEG_OPS)) for _ in _SCALES)
        self.betas = nn.ParameterList(nn.Parameter(1e-3 * torch.randn(layers, 2)) for _ in _SCALES)
        self.gammas = nn.ParameterList(nn.Parameter(1e-3 * torch.randn(layers + 1, len(_WIDTHS))) for _ in _SCALES)

    def architecture(self) -> list[nn.Parameter]:
        return [*self.alphas, *self.betas, *self.gammas]

    def _widths(self, mode: str) -> list[list[Slim]]:
        """For each scale and each layer, that of the map that enters it."""
        one = self.gammas[0].new_ones(())
        found: list[list[Slim]] = []
        for gammas in self.gammas:
            row: list[Slim] = []
            for layer, logits in enumerate(gammas):
                if layer == self.layers:
                    row.append(Slim(_STEM / 12, one))
                elif mode == "sampled":
                    sample = functional.gumbel_softmax(logits, hard=True)
                    place = int(sample.argmax())
                    row.append(Slim(_WIDTHS[place], sample[place]))
                else:
                    row.append(Slim(_WIDTHS[-1] if mode == "largest" else _WIDTHS[0], one))
            found.append(row)
        found[0][0] = Slim(_STEM / 12, one)
        return found

    def forward(self, x_BCHW: Tensor, mode: str) -> list[Tensor]:
        """The outputs of the five heads; `mode` is sampled, largest or smallest."""
        widths = self._widths(mode)
        alphas = [logits.softmax(-1) for logits in self.alphas]
        betas = [logits.softmax(-1) for logits in self.betas]
        stayed: list[Tensor | None] = [self.stem(x_BCHW), None, None]
        lowered: list[Tensor | None] = [None, None, None]
        for layer, row in enumerate(self.cells):
            stays: list[Tensor | None] = [None, None, None]
            downs: list[Tensor | None] = [None, None, None]
            assert isinstance(row, nn.ModuleList)
            for scale, cell in enumerate(row):
                lower = widths[scale + 1][layer + 1] if scale < 2 else widths[scale][layer + 1]
                sources = [(lowered[scale - 1] if scale else None), stayed[scale]]
                present = [each for each in sources if each is not None]
                shares = betas[scale][layer] if len(present) == 2 else betas[scale].new_ones(1)
                made = [
                    cell(each, alphas[scale][layer], widths[scale][layer], widths[scale][layer + 1], lower)
                    for each in present
                ]
                stays[scale] = _total([share * stay for share, (stay, _) in zip(shares, made, strict=True)])
                down = [share * found for share, (_, found) in zip(shares, made, strict=True) if found is not None]
                downs[scale] = _total(down) if down else None
            stayed, lowered = stays, downs
        out8, out16, out32 = stayed
        assert out8 is not None
        assert out16 is not None
        assert out32 is not None
        last8, last16 = out8, out16
        up = self.refine32
        x32_BCHW = _resized(up[0](out32), _size(last16))
        x32_BCHW = up[1](torch.cat((x32_BCHW, last16), 1))
        x32_BCHW = _resized(up[2](x32_BCHW), _size(last8))
        x32_BCHW = up[3](torch.cat((x32_BCHW, last8), 1))
        x16_BCHW = _resized(self.refine16[0](out16), _size(last8))
        x16_BCHW = self.refine16[1](torch.cat((x16_BCHW, last8), 1))
        maps = [out8, x16_BCHW, x32_BCHW, torch.cat((x16_BCHW, out8), 1), torch.cat((x32_BCHW, out8), 1)]
        size = (x_BCHW.shape[2], x_BCHW.shape[3])
        return [_resized(head(each), size) for head, each in zip(self.heads, maps, strict=True)]
