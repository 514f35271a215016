"""Each primitive as ONNX nodes of opset 20."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.sizes import Call, pool, resize, zero
from archdsl.ops.attributes import flag, fraction, pair, whole
from archdsl.ops.primitives import PRIMITIVES, form_of
from archdsl.ops.windows import conv_padding
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
    stride, dilation = whole(call.attributes, "s"), whole(call.attributes, "d")
    padding = conv_padding(call.attributes)
    return body.node(
        "Conv",
        [call.inputs[0], *_biased(call)],
        call.path,
        kernel_shape=list(pair(call.attributes, "k")),
        strides=[stride, stride],
        dilations=[dilation, dilation],
        group=groups,
        pads=[*padding, *padding],
    )


def _linear(body: Body, call: Call) -> str:
    flat = body.node("Flatten", [call.inputs[0]], call.part("flat"), axis=1)
    product = body.node("Gemm", [flat, *_biased(call)], call.part("product"), transB=1)
    axes = body.integers(call.part("axes"), [2, 3])
    return body.node("Unsqueeze", [product, axes], call.path)


def _norm(body: Body, call: Call) -> str:
    """Only a bn that could not be folded comes here."""
    if flag(call.attributes, "affine"):
        scale, shift = call.tensor("weight"), call.tensor("bias")
    else:
        channels = closed_count(call.maps[0].channels, call.path)
        scale = body.tensor(call.part("ones"), np.ones(channels, np.float32))
        shift = body.tensor(call.part("zeros"), np.zeros(channels, np.float32))
    statistics = [call.tensor("running_mean"), call.tensor("running_var")]
    epsilon = float(fraction(call.attributes, "eps"))
    return body.node("BatchNormalization", [call.inputs[0], scale, shift, *statistics], call.path, epsilon=epsilon)


def _crop(body: Body, call: Call) -> str:
    top, left, bottom, right = (whole(call.attributes, side) for side in ("top", "left", "bottom", "right"))
    starts = body.integers(call.part("starts"), [top, left])
    ends = body.integers(call.part("ends"), [-bottom or _END, -right or _END])
    axes = body.integers(call.part("axes"), [2, 3])
    return body.node("Slice", [call.inputs[0], starts, ends, axes], call.path)


def _shuffle(body: Body, call: Call) -> str:
    """Reshape, transpose, reshape: g groups of c/g channels become c/g groups of g."""
    groups, (channels, height, width) = whole(call.attributes, "groups"), call.result
    each = closed_count(channels, call.path) // groups
    apart = body.integers(call.part("groups"), [call.batch, groups, each, -1])
    grouped = body.node("Reshape", [call.inputs[0], apart], call.part("grouped"))
    turned = body.node("Transpose", [grouped], call.part("turned"), perm=[0, 2, 1, 3])
    if call.dynamic:
        shape = body.node("Shape", [call.inputs[0]], call.part("shape"))
    else:
        shape = body.integers(call.part("shape"), [call.batch, groups * each, height, width])
    return body.node("Reshape", [turned, shape], call.path)


def _concat(body: Body, call: Call) -> str:
    if len(call.inputs) == 1:
        return call.inputs[0]
    return body.node("Concat", list(call.inputs), call.path, axis=1)


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
        "linear": _linear,
        "bn": _norm,
        "relu": _alike("Relu"),
        "relu6": _relu6,
        "hswish": _alike("HardSwish"),
        "hsigmoid": _alike("HardSigmoid", alpha=1 / 6, beta=0.5),
        "silu": _silu,
        "sigmoid": _alike("Sigmoid"),
        "softmax": _alike("Softmax", axis=1),
        "argmax": _alike("ArgMax", axis=1, keepdims=1),
        "shuffle": _shuffle,
        "dropout": lambda _, call: call.inputs[0],
        "max_pool": partial(pool, average=False),
        "avg_pool": partial(pool, average=True),
        "global_avg_pool": _alike("GlobalAveragePool"),
        "global_max_pool": _alike("GlobalMaxPool"),
        "resize": resize,
        "crop": _crop,
        "zero": zero,
        "concat": _concat,
        "add": _in_pairs("Add"),
        "multiply": _in_pairs("Mul"),
    }
)
"""How each primitive of this package is written."""
