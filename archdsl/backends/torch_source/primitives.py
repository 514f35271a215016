"""How a primitive is built and called in torch, as Python expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from archdsl.backends.torch_source.helpers import MEAN_POOL, SAME_PAD
from archdsl.backends.torch_source.python_layout import Call, Expr, Infix, Items, Keyword, Name, flat
from archdsl.ops import Attributes
from archdsl.ops.attributes import both, flag, fraction, optional_fraction, optional_pair, pair, step, whole, word
from archdsl.ops.joining import concat_axis
from archdsl.ops.primitives import PRIMITIVES, form_of
from archdsl.ops.windows import Window, conv_window, pool_window
from archdsl.plugins import PluginFailed, blamed
from archdsl.space import Apply

_AXES: Mapping[str, int] = MappingProxyType({"channels": 1, "height": 2, "width": 3})


@dataclass(frozen=True, slots=True)
class LayerCall:
    """What the constructor of a layer is written from."""

    attributes: Attributes
    """Without `c` and `groups`, which are expressions: they can be arguments of the module around it."""
    c_in: Expr
    c: Expr
    groups: Expr


def _no_helpers(_: Attributes) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class TorchForm:
    """How a primitive is written in a standalone torch file."""

    call: Callable[[str, Attributes, Sequence[Expr]], Expr]
    """The result, from the layer's own name (`self.conv`), the attributes and the maps."""
    layer: Callable[[LayerCall], Call] | None = None
    """The constructor, of a primitive that owns tensors."""
    helpers: Callable[[Attributes], tuple[str, ...]] = _no_helpers
    """The functions of `HELPERS` that it calls."""
    piped: bool = False
    """Whether it is nested into others, `F.relu(self.bn(self.conv(x)))`."""


def form(primitive: str) -> TorchForm:
    """Raises PluginFailed where a package gives something else, KeyError for a primitive without a form."""
    if primitive in FORMS:
        return FORMS[primitive]
    added = PRIMITIVES[primitive]
    found = form_of(added, "torch")
    if found is None:
        raise KeyError(primitive)
    if not isinstance(found, TorchForm):
        raise PluginFailed(f"`{primitive}`", added.package, "whose form for `torch` is no `TorchForm`")
    if added.owns_tensors and found.layer is None:
        raise PluginFailed(f"`{primitive}`", added.package, "whose form for `torch` builds no layer for its tensors")
    return found


def helpers(payloads: Iterable[Apply]) -> tuple[str, ...]:
    """The functions of `HELPERS` that a network calls, each once, in the order of their names."""
    return tuple(sorted({name for each in payloads for name in form(each.primitive).helpers(each.attribute)}))


def layer(payload: Apply, c_in: Expr, c: Expr, groups: Expr) -> Call:
    """The constructor of a primitive that owns tensors, for `c_in` channels to `c`. Raises PluginFailed."""
    build = form(payload.primitive).layer
    if build is None:
        raise KeyError(payload.primitive)
    with blamed(f"`{payload.primitive}`", PRIMITIVES[payload.primitive].package, "whose form for `torch` fails"):
        return build(LayerCall(payload.attribute, c_in, c, groups))


def called(payload: Apply, attribute: str, maps: Sequence[Expr]) -> Expr:
    """The primitive on its maps; `attribute` is its layer (`self.conv`), of one that owns tensors."""
    write = form(payload.primitive).call
    with blamed(f"`{payload.primitive}`", PRIMITIVES[payload.primitive].package, "whose form for `torch` fails"):
        return write(attribute, payload.attribute, maps)


def _module(build: Callable[[LayerCall], Call]) -> TorchForm:
    """A layer that is called with its maps."""
    return TorchForm(lambda own, _, maps: Call(own, tuple(maps)), build, piped=True)


def _windowed(build: Callable[[LayerCall], Call]) -> TorchForm:
    """A convolution, of a map that is padded before where torch's own padding cannot say it."""

    def call(own: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
        return Call(own, (_around(maps[0], conv_window(attributes)),))

    return TorchForm(call, build, lambda attributes: _helpers(conv_window(attributes)), piped=True)


def _around(x: Expr, window: Window, value: str = "") -> Expr:
    """A map with the padding that a layer of torch does not have."""
    if window.even is not None:
        return x
    filled = (Keyword("value", Name(value)),) if value else ()
    if window.fixed is None:
        return Call(SAME_PAD, (x, _both(window.extent), _both(window.stride), *filled))
    top, left, bottom, right = window.fixed
    return Call("F.pad", (x, Items(tuple(Name(str(side)) for side in (left, right, top, bottom))), *filled))


def _helpers(window: Window) -> tuple[str, ...]:
    return (SAME_PAD,) if window.fixed is None else ()


def _pointwise(function: str) -> TorchForm:
    return TorchForm(lambda _own, _, maps: Call(function, (maps[0],)), piped=True)


def _plain(function: str, *arguments: Expr | Keyword) -> TorchForm:
    """A function of one map and of constants."""
    return TorchForm(lambda _own, _, maps: Call(function, (maps[0], *arguments)))


def _conv(asked: LayerCall) -> Call:
    written = (asked.c_in, asked.c, *_convolution(asked.attributes), *_groups(asked.groups), *_bias(asked.attributes))
    return Call("nn.Conv2d", written)


def _dwconv(asked: LayerCall) -> Call:
    every = Keyword("groups", asked.c_in)
    written = (asked.c_in, asked.c_in, *_convolution(asked.attributes), every, *_bias(asked.attributes))
    return Call("nn.Conv2d", written)


def _conv_transpose(asked: LayerCall) -> Call:
    attributes = asked.attributes
    written: list[Expr | Keyword] = [asked.c_in, asked.c, _window(pair(attributes, "k"))]
    for name, keyword in (("s", "stride"), ("pad", "padding"), ("output_pad", "output_padding"), ("d", "dilation")):
        value = both(attributes, name)
        if value != ((0, 0) if "pad" in name else (1, 1)):
            written.append(Keyword(keyword, _window(value)))
    return Call("nn.ConvTranspose2d", (*written, *_groups(asked.groups), *_bias(attributes)))


def _linear(asked: LayerCall) -> Call:
    return Call("nn.Linear", (asked.c_in, asked.c, *_bias(asked.attributes)))


def _call_linear(own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    flattened = Call(f"{flat(maps[0])}.flatten", (Name("1"),))
    return Name(f"{flat(Call(own, (flattened,)))}[..., None, None]")


def _batch_norm(asked: LayerCall) -> Call:
    return Call("nn.BatchNorm2d", (asked.c_in, *_norm(asked.attributes)))


def _layer_norm(asked: LayerCall) -> Call:
    """Channels are the last axis of what torch's own norms."""
    return Call("nn.LayerNorm", (asked.c_in, *_eps(asked.attributes), *_affine(asked.attributes, "elementwise_affine")))


def _call_layer_norm(own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    moved = Call(f"{flat(maps[0])}.movedim", (Name("1"), Name("-1")))
    return Call(f"{flat(Call(own, (moved,)))}.movedim", (Name("-1"), Name("1")))


def _group_norm(asked: LayerCall) -> Call:
    written = (asked.groups, asked.c_in, *_eps(asked.attributes), *_affine(asked.attributes, "affine"))
    return Call("nn.GroupNorm", written)


def _prelu(asked: LayerCall) -> Call:
    return Call("nn.PReLU", () if flag(asked.attributes, "shared") else (asked.c_in,))


def _gelu(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    approximate = word(attributes, "approximate")
    more = [] if approximate == "none" else [Keyword("approximate", Name(f'"{approximate}"'))]
    return Call("F.gelu", (maps[0], *more))


def _leaky_relu(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    return Call("F.leaky_relu", (maps[0], _number(fraction(attributes, "slope"))))


def _elu(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    alpha = fraction(attributes, "alpha")
    return Call("F.elu", (maps[0], *([] if alpha == 1 else [_number(alpha)])))


def _softmax(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    axis, x = word(attributes, "axis"), flat(maps[0])
    if axis == "places":
        return Name(f"{x}.flatten(2).softmax(-1).view_as({x})")
    return Call("torch.softmax", (maps[0], Keyword("dim", Name(str(_AXES[axis])))))


def _dropout(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    share = Keyword("p", _number(fraction(attributes, "p")))
    return Call("F.dropout", (maps[0], share, Keyword("training", Name("self.training"))))


def _drop_path(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    """Of a stack of volumes torch drops whole channels: here one an image."""
    written = (Name(f"{flat(maps[0])}[:, None]"), Keyword("p", _number(fraction(attributes, "p"))))
    return Name(f"{flat(Call('F.dropout3d', (*written, Keyword('training', Name('self.training')))))}[:, 0]")


def _affine_map(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    """`0.5 * x + 1.0`, `-x`, `1.0 - x`."""
    times, plus = fraction(attributes, "times"), fraction(attributes, "plus")
    x, shift = flat(maps[0]), flat(_number(plus))
    if times == -1:
        return Name(f"{shift} - {x}" if plus else f"-{x}")
    if plus == 0:
        return Name(x if times == 1 else f"{flat(_number(times))} * {x}")
    scaled = x if times == 1 else f"{flat(_number(times))} * {x}"
    return Name(f"{scaled} + {shift}" if plus > 0 else f"{scaled} - {flat(_number(-plus))}")


def _learned(asked: LayerCall) -> Call:
    height, width = pair(asked.attributes, "size")
    init, std = fraction(asked.attributes, "init"), fraction(asked.attributes, "std")
    shape = f"{flat(asked.c)}, {height}, {width}"
    start = f"torch.full(({shape}), {flat(_number(init))})"
    if std:
        drawn = f"{flat(_number(std))} * torch.randn({shape})"
        start = f"{flat(_number(init))} + {drawn}" if init else drawn
    return Call("nn.ParameterDict", (Items((Name(f'"weight": {start}'),), "{}"),))


def _call_learned(own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Name(f'{own}["weight"].expand({flat(maps[0])}.shape[0], -1, -1, -1)')


def _over(function: str, axis: str) -> TorchForm:
    return TorchForm(
        lambda _own, _, maps: Call(
            f"{flat(maps[0])}.{function}",
            (Keyword("dim", Name(str(_AXES[axis]))), Keyword("keepdim", Name("True"))),
        )
    )


def _argmax(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Call(f"{flat(maps[0])}.argmax", (Keyword("dim", Name("1")), Keyword("keepdim", Name("True"))))


def _shuffle(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    return Call("F.channel_shuffle", (maps[0], Name(str(whole(attributes, "groups")))))


def _crop(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    rows = _kept(whole(attributes, "top"), whole(attributes, "bottom"))
    columns = _kept(whole(attributes, "left"), whole(attributes, "right"))
    return Name(f"{flat(maps[0])}[..., {rows}, {columns}]")


def _zero(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    rows, columns = step(attributes, "s")
    return Call("torch.zeros_like", (Name(f"{flat(maps[0])}[..., ::{rows}, ::{columns}]"),))


def _slice(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    first = whole(attributes, "from") or ""
    return Name(f"{flat(maps[0])}[:, {first}:{whole(attributes, 'to')}]")


def _flatten(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Name(f"{flat(maps[0])}.flatten(1)[..., None, None]")


def _transpose(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Name(f"{flat(maps[0])}.mT")


def _tokens(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    x, heads, window = flat(maps[0]), whole(attributes, "heads"), optional_pair(attributes, "window")
    if window is None:
        return Name(f"{x}.unflatten(1, [{heads}, -1]).flatten(3).mT")
    rows, columns = window
    apart = (f"{x}.shape[0]", heads, -1, f"{x}.shape[2] // {rows}", rows, f"{x}.shape[3] // {columns}", columns)
    turned = _turned(maps[0], apart, (0, 3, 5, 1, 4, 6, 2))
    return Call("torch.reshape", (turned, _shape(f"{x}.shape[0]", -1, rows * columns, f"{x}.shape[1] // {heads}")))


def _turned(x: Expr, apart: Sequence[str | int], order: Sequence[int]) -> Call:
    """A map taken apart, with its axes in another order."""
    return Call("torch.permute", (Call("torch.reshape", (x, _shape(*apart))), _shape(*order)))


def _shape(*lengths: str | int) -> Items:
    return Items(tuple(Name(str(length)) for length in lengths), "[]")


def _untokens(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    x, window, size = flat(maps[0]), optional_pair(attributes, "window"), optional_pair(attributes, "size")
    like = f"{flat(maps[1])}.shape" if len(maps) > 1 else ""
    if window is None:
        lengths = f"{like}[-2:]" if like else str(list(size)) if size else "[-1, 1]"
        return Name(f"{x}.mT.flatten(1, 2).unflatten(2, {lengths})")
    height, width = size or (f"{like}[-2]", f"{like}[-1]")
    down, across = (
        f"{length} // {extent}" if isinstance(length, str) else length // extent
        for length, extent in zip((height, width), window, strict=True)
    )
    turned = _turned(maps[0], (f"{x}.shape[0]", down, across, -1, *window, f"{x}.shape[3]"), (0, 3, 6, 1, 4, 2, 5))
    return Call("torch.reshape", (turned, _shape(f"{x}.shape[0]", -1, height, width)))


def _matmul(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Infix("@", tuple(maps))


def _concat(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    return Call("torch.cat", (Items(tuple(maps)), Keyword("dim", Name(str(1 + concat_axis(attributes))))))


def _add(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return maps[0] if len(maps) == 1 else Infix("+", tuple(maps))


def _multiply(_own: str, _: Attributes, maps: Sequence[Expr]) -> Expr:
    return Infix("*", tuple(maps))


def _convolution(attributes: Attributes) -> list[Expr | Keyword]:
    window = conv_window(attributes)
    written: list[Expr | Keyword] = [_window(window.size)]
    if window.stride != (1, 1):
        written.append(Keyword("stride", _window(window.stride)))
    if window.even not in (None, (0, 0)):
        written.append(Keyword("padding", _window(window.even)))
    if window.dilation != (1, 1):
        written.append(Keyword("dilation", _window(window.dilation)))
    return written


def _groups(groups: Expr) -> list[Keyword]:
    return [] if flat(groups) == "1" else [Keyword("groups", groups)]


def _bias(attributes: Attributes) -> list[Keyword]:
    return [] if flag(attributes, "bias") else [Keyword("bias", Name("False"))]


def _eps(attributes: Attributes) -> list[Keyword]:
    eps = fraction(attributes, "eps")
    return [] if eps == Fraction(1, 100_000) else [Keyword("eps", _number(eps))]


def _affine(attributes: Attributes, name: str) -> list[Keyword]:
    return [] if flag(attributes, "affine") else [Keyword(name, Name("False"))]


def _norm(attributes: Attributes) -> list[Keyword]:
    written = _eps(attributes)
    if (momentum := fraction(attributes, "momentum")) != Fraction(1, 10):
        written.append(Keyword("momentum", _number(momentum)))
    return [*written, *_affine(attributes, "affine")]


def _pooled(function: str, window: Window, x: Expr, *, padded_mean: bool) -> Call:
    """`padded_mean` is whether padding would be part of a mean where nothing is said."""
    written: list[Expr | Keyword] = [x, _window(window.size)]
    if window.size != window.stride:
        written.append(Keyword("stride", _window(window.stride)))
    if window.even is not None and window.even != (0, 0):
        written.append(Keyword("padding", _window(window.even)))
    if window.ceil:
        written.append(Keyword("ceil_mode", Name("True")))
    if padded_mean and window.even is not None and window.even != (0, 0):
        written.append(Keyword("count_include_pad", Name("False")))
    return Call(function, tuple(written))


def _max_pool(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    window = pool_window(attributes)
    return _pooled("F.max_pool2d", window, _around(maps[0], window, 'float("-inf")'), padded_mean=False)


def _avg_pool(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Expr:
    window, counted = pool_window(attributes), flag(attributes, "count_padding")
    x = _around(maps[0], window)
    if counted or window.even is not None:
        return _pooled("F.avg_pool2d", window, x, padded_mean=not counted)
    ones = Call("torch.ones_like", (Name(f"{flat(maps[0])}[:1, :1]"),))
    return Call(MEAN_POOL, (x, _around(ones, window), _both(window.size), _both(window.stride)))


def _max_pool_helpers(attributes: Attributes) -> tuple[str, ...]:
    return _helpers(pool_window(attributes))


def _avg_pool_helpers(attributes: Attributes) -> tuple[str, ...]:
    uneven = pool_window(attributes).even is None and not flag(attributes, "count_padding")
    return (*_max_pool_helpers(attributes), MEAN_POOL) if uneven else _max_pool_helpers(attributes)


def _resize(_: str, attributes: Attributes, maps: Sequence[Expr]) -> Call:
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


def _adaptive(function: str) -> TorchForm:
    return TorchForm(lambda _own, attributes, maps: Call(function, (maps[0], _both(pair(attributes, "size")))))


def _block(function: str) -> TorchForm:
    return TorchForm(lambda _own, attributes, maps: Call(function, (maps[0], Name(str(whole(attributes, "r"))))))


def _kept(before: int, after: int) -> str:
    return f"{before or ''}:{-after if after else ''}"


def _window(window: tuple[int, int], *, always_pair: bool = False) -> Name:
    height, width = window
    return Name(str(height)) if height == width and not always_pair else Name(f"({height}, {width})")


def _both(window: tuple[int, int]) -> Name:
    return _window(window, always_pair=True)


def _number(value: Fraction) -> Name:
    """Also a whole number as a float, `2.0`: TorchScript takes no other."""
    return Name(repr(float(value)))


FORMS: Mapping[str, TorchForm] = MappingProxyType(
    {
        "conv": _windowed(_conv),
        "dwconv": _windowed(_dwconv),
        "conv_transpose": _module(_conv_transpose),
        "linear": TorchForm(_call_linear, _linear),
        "matmul": TorchForm(_matmul),
        "bn": _module(_batch_norm),
        "layer_norm": TorchForm(_call_layer_norm, _layer_norm),
        "group_norm": _module(_group_norm),
        "relu": _pointwise("F.relu"),
        "relu6": _pointwise("F.relu6"),
        "hswish": _pointwise("F.hardswish"),
        "hsigmoid": _pointwise("F.hardsigmoid"),
        "silu": _pointwise("F.silu"),
        "sigmoid": _pointwise("torch.sigmoid"),
        "gelu": TorchForm(_gelu, piped=True),
        "leaky_relu": TorchForm(_leaky_relu, piped=True),
        "prelu": _module(_prelu),
        "elu": TorchForm(_elu, piped=True),
        "tanh": _pointwise("torch.tanh"),
        "mish": _pointwise("F.mish"),
        "softmax": TorchForm(_softmax),
        "argmax": TorchForm(_argmax),
        "shuffle": TorchForm(_shuffle),
        "dropout": TorchForm(_dropout),
        "drop_path": TorchForm(_drop_path),
        "max_pool": TorchForm(_max_pool, helpers=_max_pool_helpers),
        "avg_pool": TorchForm(_avg_pool, helpers=_avg_pool_helpers),
        "global_avg_pool": _plain("F.adaptive_avg_pool2d", Name("1")),
        "global_max_pool": _plain("F.adaptive_max_pool2d", Name("1")),
        "adaptive_avg_pool": _adaptive("F.adaptive_avg_pool2d"),
        "adaptive_max_pool": _adaptive("F.adaptive_max_pool2d"),
        "resize": TorchForm(_resize),
        "depth_to_space": _block("F.pixel_shuffle"),
        "space_to_depth": _block("F.pixel_unshuffle"),
        "crop": TorchForm(_crop),
        "zero": TorchForm(_zero),
        "slice": TorchForm(_slice),
        "flatten": TorchForm(_flatten),
        "transpose": TorchForm(_transpose),
        "tokens": TorchForm(_tokens),
        "untokens": TorchForm(_untokens),
        "concat": TorchForm(_concat),
        "add": TorchForm(_add),
        "multiply": TorchForm(_multiply),
        "divide": TorchForm(lambda _own, _, maps: Infix("/", tuple(maps))),
        "affine": TorchForm(_affine_map),
        "parameter": TorchForm(_call_learned, _learned),
        "channel_mean": _over("mean", "channels"),
        "channel_max": _over("amax", "channels"),
        "channel_sum": _over("sum", "channels"),
        "row_mean": _over("mean", "width"),
        "column_mean": _over("mean", "height"),
    }
)
"""How each primitive of this package is written."""
