"""Each primitive as ONNX nodes of opset 20."""

from __future__ import annotations

import numpy as np

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.sizes import Call, pool, resize, zero
from archdsl.ops.attributes import flag, fraction, pair, whole
from archdsl.ops.windows import conv_padding
from archdsl.weights.specification import closed_count

_END = 2**31 - 1
"""Behind the end of any axis, for Slice."""

_ALIKE = {
    "relu": "Relu",
    "hswish": "HardSwish",
    "sigmoid": "Sigmoid",
    "global_avg_pool": "GlobalAveragePool",
    "global_max_pool": "GlobalMaxPool",
}


def emit(body: Body, call: Call) -> str:
    """Adds the nodes of one primitive; gives the value that holds its map, which may be one that it reads.

    Raises ValueError for a primitive without an ONNX form here.
    """
    match call.primitive:
        case "conv" | "dwconv":
            return _conv(body, call)
        case "linear":
            return _linear(body, call)
        case "bn":
            return _norm(body, call)
        case "max_pool" | "avg_pool":
            return pool(body, call)
        case "resize":
            return resize(body, call)
        case "zero":
            return zero(body, call)
        case "crop":
            return _crop(body, call)
        case "shuffle":
            return _shuffle(body, call)
        case "dropout":
            return call.inputs[0]
        case "concat" | "add" | "multiply":
            return _join(body, call)
        case "relu6":
            low = body.tensor(call.part("min"), np.array(0, np.float32))
            high = body.tensor(call.part("max"), np.array(6, np.float32))
            return body.node("Clip", [call.inputs[0], low, high], call.path)
        case "hsigmoid":
            return body.node("HardSigmoid", [call.inputs[0]], call.path, alpha=1 / 6, beta=0.5)
        case "softmax":
            return body.node("Softmax", [call.inputs[0]], call.path, axis=1)
        case "argmax":
            return body.node("ArgMax", [call.inputs[0]], call.path, axis=1, keepdims=1)
        case name if name in _ALIKE:
            return body.node(_ALIKE[name], [call.inputs[0]], call.path)
        case name:
            raise ValueError(f"`{call.path}`: there is no ONNX form of `{name}`")


def _biased(call: Call) -> list[str]:
    bias = [call.tensor("bias")] if flag(call.attributes, "bias") else []
    return [call.tensor("weight"), *bias]


def _conv(body: Body, call: Call) -> str:
    stride, dilation = whole(call.attributes, "s"), whole(call.attributes, "d")
    channels = closed_count(call.maps[0].channels, call.path)
    groups = channels if call.primitive == "dwconv" else whole(call.attributes, "groups")
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
    """Groups and their channels change places: a map of g x c/g rows becomes one of c/g x g."""
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


def _join(body: Body, call: Call) -> str:
    first, *rest = call.inputs
    if not rest:
        return first
    if call.primitive == "concat":
        return body.node("Concat", list(call.inputs), call.path, axis=1)
    op = "Add" if call.primitive == "add" else "Mul"
    for number, value in enumerate(rest, start=1):
        name = call.path if number == len(rest) else call.part(str(number))
        first = body.node(op, [first, value], name)
    return first
