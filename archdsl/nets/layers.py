"""Each primitive as a torch module. Maps are float tensors.

Legend of shape suffixes: B images, C channels, H height, W width; h, w are sizes of another map.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.ops import Attributes, Shape
from archdsl.ops.attributes import flag, fraction, optional_fraction, optional_pair, pair, whole, word
from archdsl.ops.resampling import scaled
from archdsl.ops.windows import conv_padding, pool_padding
from archdsl.weights.specification import closed_count


def layer(primitive: str, attributes: Attributes, maps: Sequence[Shape], path: str) -> nn.Module:
    """The module that computes a primitive; it is called with as many maps as the primitive reads.

    `maps` are the closed shapes that it reads. Raises ValueError for a primitive that torch has no layer for here.
    """
    channels = closed_count(maps[0].channels, path)
    match primitive:
        case "conv":
            return _conv(channels, _count(attributes, "c", path), _count(attributes, "groups", path), attributes)
        case "dwconv":
            return _conv(channels, channels, channels, attributes)
        case "linear":
            return PointLinear(channels, _count(attributes, "c", path), bias=flag(attributes, "bias"))
        case "bn":
            return nn.BatchNorm2d(
                channels,
                eps=float(fraction(attributes, "eps")),
                momentum=float(fraction(attributes, "momentum")),
                affine=flag(attributes, "affine"),
            )
        case "relu":
            return nn.ReLU()
        case "relu6":
            return nn.ReLU6()
        case "hswish":
            return nn.Hardswish()
        case "hsigmoid":
            return nn.Hardsigmoid()
        case "sigmoid":
            return nn.Sigmoid()
        case "softmax":
            return nn.Softmax(dim=1)
        case "argmax":
            return ArgMax()
        case "shuffle":
            return nn.ChannelShuffle(_count(attributes, "groups", path))
        case "dropout":
            return nn.Dropout(float(fraction(attributes, "p")))
        case "max_pool":
            return nn.MaxPool2d(
                pair(attributes, "k"),
                whole(attributes, "s"),
                pool_padding(attributes),
                ceil_mode=flag(attributes, "ceil"),
            )
        case "avg_pool":
            return nn.AvgPool2d(
                pair(attributes, "k"),
                whole(attributes, "s"),
                pool_padding(attributes),
                ceil_mode=flag(attributes, "ceil"),
                count_include_pad=flag(attributes, "count_padding"),
            )
        case "global_avg_pool":
            return nn.AdaptiveAvgPool2d(1)
        case "global_max_pool":
            return nn.AdaptiveMaxPool2d(1)
        case "resize":
            return Resize(
                optional_fraction(attributes, "factor"),
                optional_pair(attributes, "size"),
                mode=word(attributes, "mode"),
                align_corners=flag(attributes, "align_corners"),
            )
        case "crop":
            return Crop(*(whole(attributes, side) for side in ("top", "left", "bottom", "right")))
        case "zero":
            return Zero(whole(attributes, "s"))
        case "concat":
            return Concat()
        case "add":
            return Add()
        case "multiply":
            return Multiply()
        case _:
            raise ValueError(f"`{path}`: there is no torch layer for `{primitive}`")


def _count(attributes: Attributes, name: str, path: str) -> int:
    value = attributes[name]
    if isinstance(value, int):
        return value
    raise ValueError(f"`{path}`: `{name}` is {value}, not a number of channels")


def _conv(channels_in: int, channels_out: int, groups: int, attributes: Attributes) -> nn.Conv2d:
    return nn.Conv2d(
        channels_in,
        channels_out,
        pair(attributes, "k"),
        stride=whole(attributes, "s"),
        padding=conv_padding(attributes),
        dilation=whole(attributes, "d"),
        groups=groups,
        bias=flag(attributes, "bias"),
    )


class PointLinear(nn.Linear):
    """A linear layer that reads and writes 1x1 maps."""

    def forward(self, input: Tensor) -> Tensor:
        y_BC = super().forward(input.flatten(1))
        return y_BC[:, :, None, None]


class Resize(nn.Module):
    """To floor(n * factor), to a fixed size, or to the size of a second map.

    The size is computed before torch sees it: from a factor torch would sample at 1 / factor, which is not the ratio
    of the sizes where the result was rounded.
    """

    def __init__(
        self, factor: Fraction | None, size: tuple[int, int] | None, *, mode: str, align_corners: bool
    ) -> None:
        super().__init__()
        self.factor = factor
        self.size = size
        self.mode = mode
        self.align_corners = align_corners if mode == "bilinear" else None

    def forward(self, x_BCHW: Tensor, like_BChw: Tensor | None = None) -> Tensor:
        size = self._size(x_BCHW, like_BChw)
        return functional.interpolate(x_BCHW, size=size, mode=self.mode, align_corners=self.align_corners)

    def _size(self, x_BCHW: Tensor, like_BChw: Tensor | None) -> list[int]:
        if like_BChw is not None:
            return list(like_BChw.shape[2:])
        if self.factor is not None:
            return [scaled(length, self.factor) for length in x_BCHW.shape[2:]]
        assert self.size is not None
        return list(self.size)

    def extra_repr(self) -> str:
        return f"factor={self.factor}, size={self.size}, mode={self.mode}, align_corners={self.align_corners}"


class Crop(nn.Module):
    def __init__(self, top: int, left: int, bottom: int, right: int) -> None:
        super().__init__()
        self.rows = slice(top, -bottom or None)
        self.columns = slice(left, -right or None)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW[:, :, self.rows, self.columns]


class Zero(nn.Module):
    """Zeros of the size that a conv of this stride would write."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.zeros_like(x_BCHW[:, :, :: self.stride, :: self.stride])


class Concat(nn.Module):
    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        return torch.cat(maps_BCHW, dim=1)


class Add(nn.Module):
    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        total_BCHW, *rest = maps_BCHW
        for x_BCHW in rest:
            total_BCHW = total_BCHW + x_BCHW
        return total_BCHW


class Multiply(nn.Module):
    """A 1x1 map is spread over the others."""

    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        product_BCHW, *rest = maps_BCHW
        for x_BCHW in rest:
            product_BCHW = product_BCHW * x_BCHW
        return product_BCHW


class ArgMax(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.argmax(dim=1, keepdim=True)
