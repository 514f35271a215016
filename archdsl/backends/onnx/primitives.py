"""Each primitive as ONNX nodes of opset 20."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from archdsl.backends.onnx.adaptive import adaptive_pool
from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.matrices import flatten, matmul, slice_channels, tokens, transpose, untokens
from archdsl.backends.onnx.sizes import Call, pool, resize, same_padded, zero
from archdsl.ops.attributes import both, flag, fraction, pair, whole, word
from archdsl.ops.joining import concat_axis
from archdsl.ops.primitives import PRIMITIVES, form_of
from archdsl.ops.windows import conv_window
from archdsl.plugins import blamed
from archdsl.weights.specification import closed_count

_END = 2**31 - 1
"""Behind the end of any axis, for Slice."""

Form: TypeAlias = "Callable[[Body, Call], str]"
"""Adds nodes for one call; gives the name of the value that holds the result."""


def emit(body: Body, call: Call) -> str:
    """Adds the nodes of one primitive; gives the value that holds its map, which may be one that it reads.

    Raises PluginFailed where a package's form of its primitive fails, KeyError for a primitive without a form.
    """
    if call.primitive in FORMS:
        return FORMS[call.primitive](body, call)
    added = PRIMITIVES[call.primitive]
    form: Any = form_of(added, "onnx")
    if form is None:
        raise KeyError(call.primitive)
    with blamed(f"`{added.name}`", added.package, "whose ONNX form fails"):
        return str(form(body, call))


def _alike(operator: str, **attributes: float) -> Form:
    """An operator of ONNX on one map that does the same."""

    def emit(body: Body, call: Call) -> str:
        return body.node(operator, [call.inputs[0]], call.path, **attributes)

    return emit


def _biased(call: Call) -> list[str]:
    bias = [call.tensor("bias")] if flag(call.attributes, "bias") else []
    return [call.tensor("weight"), *bias]


def _conv(body: Body, call: Call) -> str:
    return _convolution(body, call, whole(call.attributes, "groups"))


def _dwconv(body: Body, call: Call) -> str:
    return _convolution(body, call, closed_count(call.maps[0].channels, call.path))


def _convolution(body: Body, call: Call, groups: int) -> str:
    window, source = conv_window(call.attributes), call.inputs[0]
    if window.fixed is None and call.dynamic:
        source, pads = same_padded(body, call, window), (0, 0, 0, 0)
    else:
        pads = window.padding(call.maps[0].size)
    return body.node(
        "Conv",
        [source, *_biased(call)],
        call.path,
        kernel_shape=list(window.size),
        strides=list(window.stride),
        dilations=list(window.dilation),
        group=groups,
        pads=list(pads),
    )


def _conv_transpose(body: Body, call: Call) -> str:
    attributes = call.attributes
    return body.node(
        "ConvTranspose",
        [call.inputs[0], *_biased(call)],
        call.path,
        kernel_shape=list(pair(attributes, "k")),
        strides=list(both(attributes, "s")),
        dilations=list(both(attributes, "d")),
        group=whole(attributes, "groups"),
        pads=[*pair(attributes, "pad"), *pair(attributes, "pad")],
        output_padding=list(pair(attributes, "output_pad")),
    )


def _depth_to_space(body: Body, call: Call) -> str:
    size = whole(call.attributes, "r")
    return body.node("DepthToSpace", [call.inputs[0]], call.path, blocksize=size, mode="CRD")


def _space_to_depth(body: Body, call: Call) -> str:
    """ONNX puts the channels of one place of a block one behind the other, torch the places of one channel."""
    size, channels = whole(call.attributes, "r"), closed_count(call.maps[0].channels, call.path)
    blocks = body.node("SpaceToDepth", [call.inputs[0]], call.part("blocks"), blocksize=size)
    order = np.arange(channels * size * size).reshape(size * size, channels).T.flatten()
    return body.node("Gather", [blocks, body.integers(call.part("order"), order.tolist())], call.path, axis=1)


def _linear(body: Body, call: Call) -> str:
    flat = body.node("Flatten", [call.inputs[0]], call.part("flat"), axis=1)
    product = body.node("Gemm", [flat, *_biased(call)], call.part("product"), transB=1)
    axes = body.integers(call.part("axes"), [2, 3])
    return body.node("Unsqueeze", [product, axes], call.path)


def _norm(body: Body, call: Call) -> str:
    """Only a bn that could not be folded comes here."""
    statistics = [call.tensor("running_mean"), call.tensor("running_var")]
    inputs = [call.inputs[0], *_scale_and_shift(body, call), *statistics]
    return body.node("BatchNormalization", inputs, call.path, epsilon=_eps(call))


def _eps(call: Call) -> float:
    return float(fraction(call.attributes, "eps"))


def _scale_and_shift(body: Body, call: Call) -> list[str]:
    """The weights of a norm by channels; ones and zeros where it has none."""
    if flag(call.attributes, "affine"):
        return [call.tensor("weight"), call.tensor("bias")]
    return _ones_and_zeros(body, call, closed_count(call.maps[0].channels, call.path))


def _ones_and_zeros(body: Body, call: Call, count: int) -> list[str]:
    ones = body.tensor(call.part("ones"), np.ones(count, np.float32))
    return [ones, body.tensor(call.part("zeros"), np.zeros(count, np.float32))]


def _layer_norm(body: Body, call: Call) -> str:
    """Channels are the last axis of what ONNX norms."""
    moved = body.node("Transpose", [call.inputs[0]], call.part("channels_last"), perm=[0, 2, 3, 1])
    inputs = [moved, *_scale_and_shift(body, call)]
    normed = body.node("LayerNormalization", inputs, call.part("norm"), axis=-1, epsilon=_eps(call))
    return body.node("Transpose", [normed], call.path, perm=[0, 3, 1, 2])


def _group_norm(body: Body, call: Call) -> str:
    """An instance norm with groups for channels: the group norm of opset 20 has weights by groups."""
    groups, count = whole(call.attributes, "groups"), closed_count(call.result.channels, call.path)
    if groups == count:
        inputs = [call.inputs[0], *_scale_and_shift(body, call)]
        return body.node("InstanceNormalization", inputs, call.path, epsilon=_eps(call))
    apart = body.integers(call.part("groups"), [call.batch, groups, -1])
    grouped = body.node("Reshape", [call.inputs[0], apart], call.part("grouped"))
    inputs = [grouped, *_ones_and_zeros(body, call, groups)]
    normed = body.node("InstanceNormalization", inputs, call.part("norm"), epsilon=_eps(call))
    affine = flag(call.attributes, "affine")
    found = body.node("Reshape", [normed, _shape_read(body, call)], call.part("ungrouped") if affine else call.path)
    if not affine:
        return found
    scaled = body.node("Mul", [found, _by_channel(body, call, "weight")], call.part("scaled"))
    return body.node("Add", [scaled, _by_channel(body, call, "bias")], call.path)


def _by_channel(body: Body, call: Call, name: str) -> str:
    """A tensor of one number a channel, as what is spread over the places of a map."""
    axes = body.integers(call.part("axes"), [1, 2])
    return body.node("Unsqueeze", [call.tensor(name), axes], call.part(f"{name}_by_channel"))


def _shape_read(body: Body, call: Call) -> str:
    """The shape of the first map, whose own shape a node before has changed."""
    if call.dynamic:
        return body.node("Shape", [call.inputs[0]], call.part("shape"))
    channels, height, width = call.maps[0]
    return body.integers(call.part("shape"), [call.batch, closed_count(channels, call.path), height, width])


def _prelu(body: Body, call: Call) -> str:
    """ONNX spreads the slopes over the last axes, torch over the channels."""
    slope = call.tensor("weight") if flag(call.attributes, "shared") else _by_channel(body, call, "weight")
    return body.node("PRelu", [call.inputs[0], slope], call.path)


def _gelu(body: Body, call: Call) -> str:
    return body.node("Gelu", [call.inputs[0]], call.path, approximate=word(call.attributes, "approximate"))


def _leaky_relu(body: Body, call: Call) -> str:
    return body.node("LeakyRelu", [call.inputs[0]], call.path, alpha=float(fraction(call.attributes, "slope")))


def _elu(body: Body, call: Call) -> str:
    return body.node("Elu", [call.inputs[0]], call.path, alpha=float(fraction(call.attributes, "alpha")))


def _mish(body: Body, call: Call) -> str:
    """Composed: TensorRT has no operator for it."""
    softplus = body.node("Softplus", [call.inputs[0]], call.part("softplus"))
    gate = body.node("Tanh", [softplus], call.part("gate"))
    return body.node("Mul", [call.inputs[0], gate], call.path)


def _affine_map(body: Body, call: Call) -> str:
    times, plus = float(fraction(call.attributes, "times")), float(fraction(call.attributes, "plus"))
    found = call.inputs[0]
    if times != 1:
        factor = body.tensor(call.part("times"), np.array(times, np.float32))
        found = body.node("Mul", [found, factor], call.part("scaled") if plus else call.path)
    if not plus:
        return found
    return body.node("Add", [found, body.tensor(call.part("plus"), np.array(plus, np.float32))], call.path)


def _learned(body: Body, call: Call) -> str:
    first = body.integers(call.part("axes"), [0])
    if call.batch == 1:
        return body.node("Unsqueeze", [call.tensor("weight"), first], call.path)
    one = body.node("Unsqueeze", [call.tensor("weight"), first], call.part("one"))
    channels, height, width = call.result
    shape = body.integers(call.part("shape"), [call.batch, closed_count(channels, call.path), height, width])
    return body.node("Expand", [one, shape], call.path)


def _over(operator: str, axis: str) -> Form:
    """A mean, maximum or sum along one axis."""

    def emit(body: Body, call: Call) -> str:
        axes = body.integers(call.part("axes"), [_AXES[axis]])
        return body.node(operator, [call.inputs[0], axes], call.path, keepdims=1)

    return emit


_AXES: Mapping[str, int] = MappingProxyType({"channels": 1, "height": 2, "width": 3})


def _softmax(body: Body, call: Call) -> str:
    axis = word(call.attributes, "axis")
    if axis != "places":
        return body.node("Softmax", [call.inputs[0]], call.path, axis=_AXES[axis])
    flat = body.integers(call.part("flat"), [call.batch, closed_count(call.result.channels, call.path), -1])
    places = body.node("Reshape", [call.inputs[0], flat], call.part("places"))
    shares = body.node("Softmax", [places], call.part("shares"), axis=2)
    return body.node("Reshape", [shares, _shape_read(body, call)], call.path)


def _crop(body: Body, call: Call) -> str:
    top, left, bottom, right = (whole(call.attributes, side) for side in ("top", "left", "bottom", "right"))
    starts = body.integers(call.part("starts"), [top, left])
    ends = body.integers(call.part("ends"), [-bottom or _END, -right or _END])
    axes = body.integers(call.part("axes"), [2, 3])
    return body.node("Slice", [call.inputs[0], starts, ends, axes], call.path)


def _shuffle(body: Body, call: Call) -> str:
    """Reshape, transpose, reshape: g groups of c/g channels become c/g groups of g."""
    groups = whole(call.attributes, "groups")
    each = closed_count(call.result.channels, call.path) // groups
    apart = body.integers(call.part("groups"), [call.batch, groups, each, -1])
    grouped = body.node("Reshape", [call.inputs[0], apart], call.part("grouped"))
    turned = body.node("Transpose", [grouped], call.part("turned"), perm=[0, 2, 1, 3])
    return body.node("Reshape", [turned, _shape_read(body, call)], call.path)


def _concat(body: Body, call: Call) -> str:
    if len(call.inputs) == 1:
        return call.inputs[0]
    return body.node("Concat", list(call.inputs), call.path, axis=1 + concat_axis(call.attributes))


def _in_pairs(operator: str) -> Form:
    """An operator of two maps, from the first map to the last."""

    def emit(body: Body, call: Call) -> str:
        first, *rest = call.inputs
        for number, value in enumerate(rest, start=1):
            name = call.path if number == len(rest) else call.part(str(number))
            first = body.node(operator, [first, value], name)
        return first

    return emit


def _relu6(body: Body, call: Call) -> str:
    low = body.tensor(call.part("min"), np.array(0, np.float32))
    high = body.tensor(call.part("max"), np.array(6, np.float32))
    return body.node("Clip", [call.inputs[0], low, high], call.path)


def _silu(body: Body, call: Call) -> str:
    gate = body.node("Sigmoid", [call.inputs[0]], call.part("gate"))
    return body.node("Mul", [call.inputs[0], gate], call.path)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "conv": _conv,
        "dwconv": _dwconv,
        "conv_transpose": _conv_transpose,
        "linear": _linear,
        "matmul": matmul,
        "bn": _norm,
        "layer_norm": _layer_norm,
        "group_norm": _group_norm,
        "relu": _alike("Relu"),
        "relu6": _relu6,
        "hswish": _alike("HardSwish"),
        "hsigmoid": _alike("HardSigmoid", alpha=1 / 6, beta=0.5),
        "silu": _silu,
        "sigmoid": _alike("Sigmoid"),
        "gelu": _gelu,
        "leaky_relu": _leaky_relu,
        "prelu": _prelu,
        "elu": _elu,
        "tanh": _alike("Tanh"),
        "mish": _mish,
        "softmax": _softmax,
        "argmax": _alike("ArgMax", axis=1, keepdims=1),
        "shuffle": _shuffle,
        "dropout": lambda _, call: call.inputs[0],
        "drop_path": lambda _, call: call.inputs[0],
        "max_pool": partial(pool, average=False),
        "avg_pool": partial(pool, average=True),
        "global_avg_pool": _alike("GlobalAveragePool"),
        "global_max_pool": _alike("GlobalMaxPool"),
        "adaptive_avg_pool": partial(adaptive_pool, average=True),
        "adaptive_max_pool": partial(adaptive_pool, average=False),
        "resize": resize,
        "depth_to_space": _depth_to_space,
        "space_to_depth": _space_to_depth,
        "crop": _crop,
        "zero": zero,
        "slice": slice_channels,
        "flatten": flatten,
        "transpose": transpose,
        "tokens": tokens,
        "untokens": untokens,
        "concat": _concat,
        "add": _in_pairs("Add"),
        "multiply": _in_pairs("Mul"),
        "divide": _in_pairs("Div"),
        "affine": _affine_map,
        "parameter": _learned,
        "channel_mean": _over("ReduceMean", "channels"),
        "channel_max": _over("ReduceMax", "channels"),
        "channel_sum": _over("ReduceSum", "channels"),
        "row_mean": _over("ReduceMean", "width"),
        "column_mean": _over("ReduceMean", "height"),
    }
)
"""How each primitive of this package is written."""
