"""How a primitive is built and called in torch, as Python expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from archdsl.backends.torch_source.python_layout import Call, Expr, Infix, Items, Keyword, Name, flat
from archdsl.ops import Attributes
from archdsl.ops.attributes import flag, fraction, optional_fraction, optional_pair, pair, whole, word
from archdsl.ops.windows import conv_padding, pool_padding
from archdsl.space import Apply

LAYERS = frozenset({"conv", "dwconv", "linear", "bn"})
"""The primitives that own tensors, and so are modules."""

_ATOMIC = frozenset({"crop", "multiply", "zero", "argmax", "linear"})
"""Primitives that are written behind or between their maps, which therefore have to be names or calls."""


def needs_names(primitive: str) -> bool:
    return primitive in _ATOMIC


def layer(payload: Apply, c_in: Expr, c: Expr, groups: Expr) -> Call:
    """The constructor of a primitive in `LAYERS`, for `c_in` channels to `c`."""
    attributes = payload.attribute
    match payload.primitive:
        case "conv":
            return Call("nn.Conv2d", (c_in, c, *_convolution(attributes), *_groups(groups), *_bias(attributes)))
        case "dwconv":
            every = Keyword("groups", c_in)
            return Call("nn.Conv2d", (c_in, c_in, *_convolution(attributes), every, *_bias(attributes)))
        case "linear":
            return Call("nn.Linear", (c_in, c, *_bias(attributes)))
        case "bn":
            return Call("nn.BatchNorm2d", (c_in, *_norm(attributes)))
        case other:
            raise ValueError(f"`{other}` owns no tensors")


def called(payload: Apply, attribute: str, maps: Sequence[Expr]) -> Expr:
    """The primitive on its maps; `attribute` is the layer's (`self.conv`) where the primitive is one."""
    if payload.primitive == "linear":
        flattened = Call(f"{flat(maps[0])}.flatten", (Name("1"),))
        return Name(f"{flat(Call(attribute, (flattened,)))}[..., None, None]")
    if payload.primitive in LAYERS:
        return Call(attribute, tuple(maps))
    return _function(payload.primitive, payload.attribute, maps)


_POINTWISE: Mapping[str, str] = {
    "relu": "F.relu",
    "relu6": "F.relu6",
    "hswish": "F.hardswish",
    "hsigmoid": "F.hardsigmoid",
    "sigmoid": "torch.sigmoid",
}


def _function(primitive: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    x = maps[0]
    match primitive:
        case "relu" | "relu6" | "hswish" | "hsigmoid" | "sigmoid":
            return Call(_POINTWISE[primitive], (x,))
        case "dropout":
            share = Keyword("p", _number(fraction(attributes, "p")))
            return Call("F.dropout", (x, share, Keyword("training", Name("self.training"))))
        case "softmax":
            return Call("torch.softmax", (x, Keyword("dim", Name("1"))))
        case "argmax":
            return Call(f"{flat(x)}.argmax", (Keyword("dim", Name("1")), Keyword("keepdim", Name("True"))))
        case "shuffle":
            return Call("F.channel_shuffle", (x, Name(str(whole(attributes, "groups")))))
        case "max_pool" | "avg_pool":
            return _pool(primitive, attributes, x)
        case "global_avg_pool":
            return Call("F.adaptive_avg_pool2d", (x, Name("1")))
        case "global_max_pool":
            return Call("F.adaptive_max_pool2d", (x, Name("1")))
        case "resize":
            return _resize(attributes, maps)
        case "crop":
            rows = _kept(whole(attributes, "top"), whole(attributes, "bottom"))
            columns = _kept(whole(attributes, "left"), whole(attributes, "right"))
            return Name(f"{flat(x)}[..., {rows}, {columns}]")
        case "zero":
            step = f"::{whole(attributes, 's')}"
            return Call("torch.zeros_like", (Name(f"{flat(x)}[..., {step}, {step}]"),))
        case "concat":
            return Call("torch.cat", (Items(tuple(maps)), Keyword("dim", Name("1"))))
        case "add":
            return x if len(maps) == 1 else Infix("+", tuple(maps))
        case "multiply":
            return Infix("*", tuple(maps))
        case other:
            raise ValueError(f"`{other}` has no rule for torch")


def _convolution(attributes: Attributes) -> list[Expr | Keyword]:
    window, stride, dilation = pair(attributes, "k"), whole(attributes, "s"), whole(attributes, "d")
    padding = conv_padding(attributes)
    written: list[Expr | Keyword] = [_window(window)]
    if stride != 1:
        written.append(Keyword("stride", Name(str(stride))))
    if padding != (0, 0):
        written.append(Keyword("padding", _window(padding)))
    if dilation != 1:
        written.append(Keyword("dilation", Name(str(dilation))))
    return written


def _groups(groups: Expr) -> list[Keyword]:
    return [] if flat(groups) == "1" else [Keyword("groups", groups)]


def _bias(attributes: Attributes) -> list[Keyword]:
    return [] if flag(attributes, "bias") else [Keyword("bias", Name("False"))]


def _norm(attributes: Attributes) -> list[Keyword]:
    written: list[Keyword] = []
    if (eps := fraction(attributes, "eps")) != Fraction(1, 100_000):
        written.append(Keyword("eps", _number(eps)))
    if (momentum := fraction(attributes, "momentum")) != Fraction(1, 10):
        written.append(Keyword("momentum", _number(momentum)))
    if not flag(attributes, "affine"):
        written.append(Keyword("affine", Name("False")))
    return written


def _pool(primitive: str, attributes: Attributes, x: Expr) -> Call:
    window, stride, padding = pair(attributes, "k"), whole(attributes, "s"), pool_padding(attributes)
    written: list[Expr | Keyword] = [x, _window(window)]
    if window != (stride, stride):
        written.append(Keyword("stride", Name(str(stride))))
    if padding != (0, 0):
        written.append(Keyword("padding", _window(padding)))
    if flag(attributes, "ceil"):
        written.append(Keyword("ceil_mode", Name("True")))
    if primitive == "avg_pool" and not flag(attributes, "count_padding") and padding != (0, 0):
        written.append(Keyword("count_include_pad", Name("False")))
    return Call(f"F.{primitive}2d", tuple(written))


def _resize(attributes: Attributes, maps: Sequence[Expr]) -> Call:
    """Coordinates go by the sizes of both maps, never by the factor: torch's own rule for odd sizes is the latter."""
    aligned, mode = flag(attributes, "align_corners"), word(attributes, "mode")
    factor, size = optional_fraction(attributes, "factor"), optional_pair(attributes, "size")
    written: list[Expr | Keyword] = [maps[0]]
    by_factor = factor is not None and factor.denominator & (factor.denominator - 1) == 0
    if len(maps) > 1:
        written.append(Keyword("size", Name(f"{flat(maps[1])}.shape[-2:]")))
    elif size is not None:
        written.append(Keyword("size", _window(size, always_pair=True)))
    elif factor is not None and by_factor:
        written.append(Keyword("scale_factor", _number(factor)))
    elif factor is not None:
        sides = (_scaled(flat(maps[0]), side, factor) for side in (-2, -1))
        written.append(Keyword("size", Items(tuple(sides))))
    written.append(Keyword("mode", Name(f'"{mode}"')))
    if aligned:
        written.append(Keyword("align_corners", Name("True")))
    elif by_factor and len(maps) == 1:
        written.append(Keyword("recompute_scale_factor", Name("True")))
    return Call("F.interpolate", tuple(written))


def _scaled(x: str, side: int, factor: Fraction) -> Name:
    times = "" if factor.numerator == 1 else f" * {factor.numerator}"
    return Name(f"{x}.shape[{side}]{times} // {factor.denominator}")


def _kept(before: int, after: int) -> str:
    return f"{before or ''}:{-after if after else ''}"


def _window(window: tuple[int, int], *, always_pair: bool = False) -> Name:
    height, width = window
    return Name(str(height)) if height == width and not always_pair else Name(f"({height}, {width})")


def _number(value: Fraction) -> Name:
    return Name(str(value.numerator) if value.denominator == 1 else repr(float(value)))
