"""Each primitive as a torch module. Maps are float tensors.

Legend of shape suffixes: B images, C channels, H height, W width; h, w are sizes of another map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.nets.padding import PaddedAvgPool, PaddedConv, PaddedMaxPool
from archdsl.nets.strided_pixels import StridedPixels, is_unsafe
from archdsl.ops import Attributes, Shape
from archdsl.ops.attributes import both, flag, fraction, optional_fraction, optional_pair, pair, step, whole, word
from archdsl.ops.joining import concat_axis
from archdsl.ops.primitives import PRIMITIVES, form_of
from archdsl.ops.resampling import scaled
from archdsl.ops.windows import conv_window, pool_window
from archdsl.plugins import PluginFailed, blamed
from archdsl.weights.specification import closed_count


@dataclass(frozen=True, slots=True)
class LayerRequest:
    """What a layer is built for: one node of a closed graph."""

    attributes: Attributes
    maps: Sequence[Shape]
    """The closed shapes that it reads."""
    path: str

    @property
    def channels(self) -> int:
        """Of the first map."""
        return closed_count(self.maps[0].channels, self.path)

    def count(self, name: str) -> int:
        """A parameter that is a channel count. Raises ValueError where answers still decide it."""
        value = self.attributes[name]
        if isinstance(value, int):
            return value
        raise ValueError(f"`{self.path}`: `{name}` is {value}, not a number of channels")


def layer(primitive: str, attributes: Attributes, maps: Sequence[Shape], path: str) -> nn.Module:
    """The module that computes a primitive; it is called with as many maps as the primitive reads.

    `maps` are the closed shapes that it reads. Raises PluginFailed for a primitive of a package that gives no layer,
    or whose layer fails, KeyError for one of this package without a row in LAYERS.
    """
    asked = LayerRequest(attributes, maps, path)
    if primitive in LAYERS:
        return LAYERS[primitive](asked)
    added = PRIMITIVES[primitive]
    if not added.package:
        raise KeyError(f"`{primitive}` has no row in `LAYERS`")
    build: Any = form_of(added, "layer")
    if build is None:
        raise PluginFailed(
            f"`{primitive}`",
            added.package,
            "which gives it no torch layer",
            f'add `forms={{"layer": …}}` to `{primitive}`',
        )
    with blamed(f"`{primitive}`", added.package, "whose layer cannot be built"):
        module = build(asked)
        if not isinstance(module, nn.Module):
            raise TypeError(f"{module!r} is no torch module")
    return module


def _conv(asked: LayerRequest, channels_out: int, groups: int) -> nn.Conv2d:
    attributes = asked.attributes
    window, bias = conv_window(attributes), flag(attributes, "bias")
    if window.even is None:
        return PaddedConv(asked.channels, channels_out, window, groups=groups, bias=bias)
    unsafe = is_unsafe(asked.channels, window.size, window.stride, window.even)
    return (StridedPixels if unsafe else nn.Conv2d)(
        asked.channels,
        channels_out,
        window.size,
        stride=window.stride,
        padding=window.even,
        dilation=window.dilation,
        groups=groups,
        bias=bias,
    )


def _conv_transpose(asked: LayerRequest) -> nn.ConvTranspose2d:
    attributes = asked.attributes
    return nn.ConvTranspose2d(
        asked.channels,
        asked.count("c"),
        pair(attributes, "k"),
        stride=both(attributes, "s"),
        padding=pair(attributes, "pad"),
        output_padding=pair(attributes, "output_pad"),
        groups=asked.count("groups"),
        bias=flag(attributes, "bias"),
        dilation=both(attributes, "d"),
    )


def _batch_norm(asked: LayerRequest) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(
        asked.channels,
        eps=float(fraction(asked.attributes, "eps")),
        momentum=float(fraction(asked.attributes, "momentum")),
        affine=flag(asked.attributes, "affine"),
    )


def _group_norm(asked: LayerRequest) -> nn.GroupNorm:
    eps, affine = float(fraction(asked.attributes, "eps")), flag(asked.attributes, "affine")
    return nn.GroupNorm(asked.count("groups"), asked.channels, eps=eps, affine=affine)


def _prelu(asked: LayerRequest) -> nn.PReLU:
    return nn.PReLU(1 if flag(asked.attributes, "shared") else asked.channels)


def _softmax(asked: LayerRequest) -> nn.Module:
    axis = word(asked.attributes, "axis")
    return PlaceSoftmax() if axis == "places" else nn.Softmax(dim=AXES[axis])


def _max_pool(asked: LayerRequest) -> nn.Module:
    window = pool_window(asked.attributes)
    if window.even is None:
        return PaddedMaxPool(window)
    return nn.MaxPool2d(window.size, window.stride, window.even, ceil_mode=window.ceil)


def _avg_pool(asked: LayerRequest) -> nn.Module:
    window, counted = pool_window(asked.attributes), flag(asked.attributes, "count_padding")
    if window.even is None:
        return PaddedAvgPool(window, count_padding=counted)
    return nn.AvgPool2d(window.size, window.stride, window.even, window.ceil, count_include_pad=counted)


def _resize(asked: LayerRequest) -> Resize:
    attributes = asked.attributes
    return Resize(
        optional_fraction(attributes, "factor"),
        optional_pair(attributes, "size"),
        mode=word(attributes, "mode"),
        align_corners=flag(attributes, "align_corners"),
    )


AXES: Mapping[str, int] = MappingProxyType({"channels": 1, "height": 2, "width": 3})
"""The axes of a map, by the words that texts have for them."""


class LayerNorm(nn.LayerNorm):
    """A norm over the channels of each place."""

    def __init__(self, channels: int, *, eps: float, affine: bool) -> None:
        super().__init__(channels, eps=eps, elementwise_affine=affine)  # pyright: ignore[reportUnknownMemberType]

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


class PlaceSoftmax(nn.Module):
    """Softmax over all places of each channel."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.flatten(2).softmax(-1).view_as(x_BCHW)


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
        self.align_corners = None if mode == "nearest" else align_corners

    def forward(self, x_BCHW: Tensor, like_BChw: Tensor | None = None) -> Tensor:
        size = self.size_for(x_BCHW, like_BChw)
        return functional.interpolate(x_BCHW, size=size, mode=self.mode, align_corners=self.align_corners)

    def size_for(self, x_BCHW: Tensor, like_BChw: Tensor | None = None) -> tuple[int, int]:
        """Height and width of what it makes of a map."""
        if like_BChw is not None:
            return like_BChw.shape[2], like_BChw.shape[3]
        if self.factor is not None:
            return scaled(x_BCHW.shape[2], self.factor), scaled(x_BCHW.shape[3], self.factor)
        assert self.size is not None
        return self.size

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

    def __init__(self, stride: tuple[int, int]) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return torch.zeros_like(x_BCHW[:, :, :: self.stride[0], :: self.stride[1]])


class Concat(nn.Module):
    def __init__(self, axis: int) -> None:
        """`axis` is that of a map: 0 for channels, 1 for height, 2 for width."""
        super().__init__()
        self.axis = axis

    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        return torch.cat(maps_BCHW, dim=1 + self.axis)


class Add(nn.Module):
    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        total_BCHW, *rest = maps_BCHW
        for x_BCHW in rest:
            total_BCHW = total_BCHW + x_BCHW
        return total_BCHW


class Multiply(nn.Module):
    def forward(self, *maps_BCHW: Tensor) -> Tensor:
        product_BCHW, *rest = maps_BCHW
        for x_BCHW in rest:
            product_BCHW = product_BCHW * x_BCHW
        return product_BCHW


class MatMul(nn.Module):
    """Products of matrices, one for each channel."""

    def forward(self, x_BCHK: Tensor, by_BCKW: Tensor) -> Tensor:
        return x_BCHK @ by_BCKW


class Slice(nn.Module):
    def __init__(self, first: int, end: int) -> None:
        super().__init__()
        self.channels = slice(first, end)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW[:, self.channels]


class Transpose(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.mT


class Flatten(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.reshape(x_BCHW.shape[0], -1, 1, 1)


class Tokens(nn.Module):
    """A matrix for each head, with a row for each place.

    Suffixes beside those of the file: E heads, D channels of a head; R, S rows and columns of windows, r, s those of
    places in a window.
    """

    def __init__(self, heads: int, window: tuple[int, int] | None) -> None:
        super().__init__()
        self.heads = heads
        self.window = window

    def forward(self, x_BCHW: Tensor) -> Tensor:
        images, _, height, width = x_BCHW.shape
        if self.window is None:
            return x_BCHW.reshape(images, self.heads, -1, height * width).mT
        rows, columns = self.window
        x_BEDRrSs = x_BCHW.reshape(images, self.heads, -1, height // rows, rows, width // columns, columns)
        x_BRSErsD = x_BEDRrSs.permute(0, 3, 5, 1, 4, 6, 2)
        return x_BRSErsD.reshape(images, -1, rows * columns, x_BRSErsD.shape[-1])


class Untokens(nn.Module):
    """A map of the matrices that `Tokens` makes; suffixes as there."""

    def __init__(self, size: tuple[int, int] | None, window: tuple[int, int] | None) -> None:
        super().__init__()
        self.size = size
        self.window = window

    def forward(self, x_BEND: Tensor, like_BChw: Tensor | None = None) -> Tensor:
        images, _, places, _ = x_BEND.shape
        height, width = self.size or (places, 1)
        if like_BChw is not None:
            height, width = like_BChw.shape[2:]
        if self.window is None:
            return x_BEND.mT.reshape(images, -1, height, width)
        rows, columns = self.window
        x_BRSErsD = x_BEND.reshape(images, height // rows, width // columns, -1, rows, columns, x_BEND.shape[-1])
        return x_BRSErsD.permute(0, 3, 6, 1, 4, 2, 5).reshape(images, -1, height, width)


class Divide(nn.Module):
    def forward(self, x_BCHW: Tensor, y_BCHW: Tensor) -> Tensor:
        return x_BCHW / y_BCHW


class Affine(nn.Module):
    """A map times a number, plus a number."""

    def __init__(self, times: float, plus: float) -> None:
        super().__init__()
        self.times = times
        self.plus = plus

    def forward(self, x_BCHW: Tensor) -> Tensor:
        if self.times != 1:
            x_BCHW = x_BCHW * self.times
        return x_BCHW + self.plus if self.plus else x_BCHW

    def extra_repr(self) -> str:
        return f"times={self.times}, plus={self.plus}"


class Mean(nn.Module):
    def __init__(self, axis: str) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.mean(AXES[self.axis], keepdim=True)

    def extra_repr(self) -> str:
        return self.axis


class ChannelMax(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.amax(1, keepdim=True)


class ChannelSum(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.sum(1, keepdim=True)


class DropPath(nn.Module):
    """Each image's whole map is zero with probability p in training, and the others are divided by 1 - p."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x_BCHW: Tensor) -> Tensor:
        # Of a stack of volumes it drops whole channels: here one an image.
        return functional.dropout3d(x_BCHW[:, None], self.p, self.training)[:, 0]

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Learned(nn.Module):
    """A learned map, the same for each image of a batch."""

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, *size))

    def forward(self, like_BChw: Tensor) -> Tensor:
        return self.weight.expand(like_BChw.shape[0], -1, -1, -1)


class ArgMax(nn.Module):
    def forward(self, x_BCHW: Tensor) -> Tensor:
        return x_BCHW.argmax(dim=1, keepdim=True)


LAYERS: Mapping[str, Callable[[LayerRequest], nn.Module]] = MappingProxyType(
    {
        "conv": lambda asked: _conv(asked, asked.count("c"), asked.count("groups")),
        "dwconv": lambda asked: _conv(asked, asked.channels, asked.channels),
        "conv_transpose": _conv_transpose,
        "matmul": lambda _: MatMul(),
        "linear": lambda asked: PointLinear(asked.channels, asked.count("c"), bias=flag(asked.attributes, "bias")),
        "bn": _batch_norm,
        "layer_norm": lambda asked: LayerNorm(
            asked.channels, eps=float(fraction(asked.attributes, "eps")), affine=flag(asked.attributes, "affine")
        ),
        "group_norm": _group_norm,
        "relu": lambda _: nn.ReLU(),
        "relu6": lambda _: nn.ReLU6(),
        "hswish": lambda _: nn.Hardswish(),
        "hsigmoid": lambda _: nn.Hardsigmoid(),
        "silu": lambda _: nn.SiLU(),
        "sigmoid": lambda _: nn.Sigmoid(),
        "gelu": lambda asked: nn.GELU(word(asked.attributes, "approximate")),
        "leaky_relu": lambda asked: nn.LeakyReLU(float(fraction(asked.attributes, "slope"))),
        "prelu": _prelu,
        "elu": lambda asked: nn.ELU(float(fraction(asked.attributes, "alpha"))),
        "tanh": lambda _: nn.Tanh(),
        "mish": lambda _: nn.Mish(),
        "softmax": _softmax,
        "argmax": lambda _: ArgMax(),
        "shuffle": lambda asked: nn.ChannelShuffle(asked.count("groups")),
        "dropout": lambda asked: nn.Dropout(float(fraction(asked.attributes, "p"))),
        "drop_path": lambda asked: DropPath(float(fraction(asked.attributes, "p"))),
        "max_pool": _max_pool,
        "avg_pool": _avg_pool,
        "global_avg_pool": lambda _: nn.AdaptiveAvgPool2d(1),
        "global_max_pool": lambda _: nn.AdaptiveMaxPool2d(1),
        "adaptive_avg_pool": lambda asked: nn.AdaptiveAvgPool2d(pair(asked.attributes, "size")),
        "adaptive_max_pool": lambda asked: nn.AdaptiveMaxPool2d(pair(asked.attributes, "size")),
        "resize": _resize,
        "depth_to_space": lambda asked: nn.PixelShuffle(whole(asked.attributes, "r")),
        "space_to_depth": lambda asked: nn.PixelUnshuffle(whole(asked.attributes, "r")),
        "crop": lambda asked: Crop(*(whole(asked.attributes, side) for side in ("top", "left", "bottom", "right"))),
        "zero": lambda asked: Zero(step(asked.attributes, "s")),
        "slice": lambda asked: Slice(asked.count("from"), asked.count("to")),
        "flatten": lambda _: Flatten(),
        "transpose": lambda _: Transpose(),
        "tokens": lambda asked: Tokens(asked.count("heads"), optional_pair(asked.attributes, "window")),
        "untokens": lambda asked: Untokens(
            optional_pair(asked.attributes, "size"), optional_pair(asked.attributes, "window")
        ),
        "concat": lambda asked: Concat(concat_axis(asked.attributes)),
        "add": lambda _: Add(),
        "multiply": lambda _: Multiply(),
        "divide": lambda _: Divide(),
        "affine": lambda asked: Affine(
            float(fraction(asked.attributes, "times")), float(fraction(asked.attributes, "plus"))
        ),
        "parameter": lambda asked: Learned(asked.count("c"), pair(asked.attributes, "size")),
        "channel_mean": lambda _: Mean("channels"),
        "channel_max": lambda _: ChannelMax(),
        "channel_sum": lambda _: ChannelSum(),
        "row_mean": lambda _: Mean("width"),
        "column_mean": lambda _: Mean("height"),
    }
)
"""The torch layer of each primitive of this package."""
