"""What the operators of ONNX become, by their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import onnx

from archdsl.exchange.onnx.model import Map, Reader, Step, attributes_of
from archdsl.exchange.onnx.windows import Window, pair_word

Form = Callable[[Reader, onnx.NodeProto], list[Step]]


def steps(reader: Reader) -> list[Step]:
    """Every node that does something, in order. Raises NotImported."""
    found: list[Step] = []
    for node in reader.nodes:
        if node.op_type in _SAME and not _SAME[node.op_type](reader, node):
            reader.same[node.output[0]] = reader.value(node.input[0])
        elif all(name in reader.constants for name in node.input if name) and node.input:
            raise reader.unfit(node, "computes what is constant: fold constants before the import")
        else:
            form = FORMS.get(node.op_type)
            if form is None:
                raise reader.unfit(
                    node, f"there is no primitive for it; there are those for {', '.join(sorted(FORMS))}"
                )
            found += form(reader, node)
    return _merged(found, reader)


def _conv(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    map_, weight, bias = reader.map(node), reader.weight(node, 1), reader.constant(node, 2)
    groups = int(attributes_of(node).get("group", 1))
    window = Window.of(reader, node, weight.shape[2:])
    depthwise = groups == map_.channels == weight.shape[0] > 1
    words = window.words(default=3)
    if not depthwise:
        words = [f"{weight.shape[0]}", *words, *([f"groups = {groups}"] if groups > 1 else [])]
    tensors = {"weight": weight}
    if bias is not None:
        words.append("bias = yes")
        tensors["bias"] = bias.astype(np.float32)
    call = f"{'dwconv' if depthwise else 'conv'}({', '.join(words)})"
    shape = Map(weight.shape[0], *window.sides(map_))
    return [reader.step(node, call.removesuffix("()"), shape, tensors=tensors, owner=node.input[1])]


def _conv_transpose(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    map_, weight, bias, given = reader.map(node), reader.weight(node, 1), reader.constant(node, 2), attributes_of(node)
    window, more = Window.of(reader, node, weight.shape[2:]), given.get("output_padding", [0, 0])
    groups = int(given.get("group", 1))
    channels = weight.shape[1] * groups
    if window.pads[:2] != window.pads[2:] or "output_shape" in given:
        raise reader.unfit(node, "only the same padding on opposite sides is read")
    words = [
        str(channels),
        pair_word("k", window.size, None),
        pair_word("s", window.strides, 1),
        pair_word("d", window.dilations, 1),
    ]
    words += [
        pair_word("pad", window.pads[:2], 0),
        pair_word("output_pad", more, 0),
        f"groups = {groups}" if groups > 1 else "",
    ]
    tensors = {"weight": weight}
    if bias is not None:
        words.append("bias = yes")
        tensors["bias"] = bias.astype(np.float32)
    height, width = (
        (length - 1) * window.strides[at]
        - 2 * window.pads[at]
        + window.dilations[at] * (window.size[at] - 1)
        + more[at]
        + 1
        for at, length in enumerate((map_.height, map_.width))
    )
    call = f"conv_transpose({', '.join(word for word in words if word)})"
    return [reader.step(node, call, Map(channels, height, width), tensors=tensors, owner=node.input[1])]


def _norm(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    epsilon = float(attributes_of(node).get("epsilon", 1e-5))
    names = ("weight", "bias", "running_mean", "running_var")
    tensors = {name: reader.weight(node, at) for at, name in enumerate(names, start=1)}
    call = "bn" if abs(epsilon - 1e-5) < 1e-9 else f"bn(eps = {_number(epsilon)})"
    return [reader.step(node, call, reader.map(node), tensors=tensors, owner=node.input[1])]


def _number(value: float) -> str:
    """As short as float32 allows, for ONNX keeps attributes in it."""
    return np.format_float_positional(np.float32(value), unique=True, trim="0")


def _alike(call: str) -> Form:
    def form(reader: Reader, node: onnx.NodeProto) -> list[Step]:
        return [reader.step(node, call, reader.map(node))]

    return form


def _clip(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    given = attributes_of(node)
    low, high = reader.constant(node, 1), reader.constant(node, 2)
    ends = (given.get("min") if low is None else float(low), given.get("max") if high is None else float(high))
    if ends != (0, 6):
        raise reader.unfit(node, f"between {ends[0]} and {ends[1]}: only 0 and 6 are a primitive, `relu6`")
    return [reader.step(node, "relu6", reader.map(node))]


def _hard_sigmoid(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    given = attributes_of(node)
    if abs(given.get("alpha", 0.2) - 1 / 6) > 1e-6 or abs(given.get("beta", 0.5) - 0.5) > 1e-6:
        raise reader.unfit(node, "only the slope 1/6 and the offset 1/2 are a primitive, `hsigmoid`")
    return [reader.step(node, "hsigmoid", reader.map(node))]


def _pool(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    given, map_ = attributes_of(node), reader.map(node)
    average = node.op_type == "AveragePool"
    window = Window.of(reader, node, given["kernel_shape"])
    if window.size == (map_.height, map_.width) and not any(window.pads):
        return _over_all(reader, node, "global_avg_pool" if average else "global_max_pool")
    if window.dilations != (1, 1) or len(node.output) > 1:
        raise reader.unfit(node, "a pool with a dilation, or one that gives indices, has no primitive")
    words, ceil = window.words(default=None, tiles=True), bool(given.get("ceil_mode", 0))
    if ceil:
        words.append("ceil = yes")
    if average and given.get("count_include_pad", 0) and any(window.pads):
        words.append("count_padding = yes")
    call = f"{'avg_pool' if average else 'max_pool'}({', '.join(words)})"
    return [reader.step(node, call, Map(map_.channels, *window.sides(map_, ceil=ceil)))]


def _over_all(reader: Reader, node: onnx.NodeProto, call: str) -> list[Step]:
    return [reader.step(node, call, Map(reader.map(node).channels, 1, 1))]


def _mean(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    given = attributes_of(node)
    axes = reader.constant(node, 1) if len(node.input) > 1 else np.array(given.get("axes", []))
    if axes is None or sorted(int(axis) % 4 for axis in axes.flatten()) != [2, 3]:
        raise reader.unfit(node, "only the mean over height and width is a primitive, `global_avg_pool`")
    return _over_all(reader, node, "global_avg_pool")


def _linear(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    """`Gemm`, or a `MatMul` by a constant."""
    given, map_ = attributes_of(node), reader.map(node)
    weight, bias = reader.weight(node, 1), reader.constant(node, 2) if node.op_type == "Gemm" else None
    if not given.get("transB", 0):
        weight = weight.T
    plain = given.get("alpha", 1) == 1 and given.get("beta", 1) == 1 and not given.get("transA", 0)
    if not plain or weight.ndim != 2 or weight.shape[1] != map_.channels or (map_.height, map_.width) != (1, 1):
        raise reader.unfit(
            node, f"only a fully connected layer on a 1x1 map is a primitive, and this reads {map_.sides}"
        )
    tensors = {"weight": np.ascontiguousarray(weight)}
    if bias is not None:
        tensors["bias"] = bias.reshape(-1).astype(np.float32)
    call = f"linear({weight.shape[0]}{'' if bias is not None else ', bias = no'})"
    return [reader.step(node, call, Map(weight.shape[0], 1, 1), tensors=tensors, owner=node.input[1])]


def _concat(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    if attributes_of(node)["axis"] % 4 != 1:
        raise reader.unfit(node, "only channels are joined, axis 1")
    maps = [reader.map(node, at) for at in range(len(node.input))]
    shape = Map(sum(each.channels for each in maps), maps[0].height, maps[0].width)
    return [reader.step(node, "concat", shape, maps=node.input, join=True)]


def _joined(call: str) -> Form:
    def form(reader: Reader, node: onnx.NodeProto) -> list[Step]:
        if any(reader.value(name) in reader.constants for name in node.input):
            raise reader.unfit(node, "by a constant, for which there is no primitive: fold it into a layer before it")
        maps = [reader.map(node, at) for at in range(len(node.input))]
        largest = max(maps, key=lambda each: each.height * each.width)
        return [reader.step(node, call, largest, maps=node.input, join=True)]

    return form


def _resize(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    given, map_ = attributes_of(node), reader.map(node)
    match reader.sizes.get(node.output[0]):
        case (_, _, int(height), int(width)):
            pass
        case _:
            raise reader.unfit(node, "to a size that is not known: export it with a fixed size")
    mode = given.get("mode", b"nearest").decode()
    how = given.get(
        "coordinate_transformation_mode", b"half_pixel" if node.op_type == "Resize" else b"asymmetric"
    ).decode()
    if mode == "linear" and how in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        words = ["align_corners = yes"] if how == "align_corners" else []
    elif mode == "nearest" and how == "asymmetric" and given.get("nearest_mode", b"floor") == b"floor":
        words = ['mode = "nearest"']
    elif mode == "nearest" and _grows(map_, height, width):
        words = ['mode = "nearest"']  # by a whole factor all ways of rounding agree
    else:
        raise reader.unfit(node, f"`{mode}` with `{how}` has no primitive")
    return [
        reader.step(
            node, f"resize({', '.join([_size(map_, height, width), *words])})", Map(map_.channels, height, width)
        )
    ]


def _grows(map_: Map, height: int, width: int) -> bool:
    return height % map_.height == width % map_.width == 0


def _size(map_: Map, height: int, width: int) -> str:
    if _grows(map_, height, width) and height // map_.height == width // map_.width:
        return str(height // map_.height)
    if map_.height % height == map_.width % width == 0 and map_.height // height == map_.width // width:
        return f"1 / {map_.height // height}"
    return f"size = {height}x{width}"


def _slice(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    """Rows and columns that are cut off, or some of the channels."""
    map_ = reader.map(node)
    starts, ends, axes, strides = (reader.constant(node, at) for at in range(1, 5))
    if starts is None or ends is None or axes is None or (strides is not None and any(strides.flatten() != 1)):
        raise reader.unfit(node, "only rows, columns and channels are cut off, one after the other")
    spans = {1: (0, map_.channels), 2: (0, map_.height), 3: (0, map_.width)}
    for start, end, axis in zip(starts.flatten(), ends.flatten(), axes.flatten(), strict=True):
        if int(axis) % 4 not in spans:
            raise reader.unfit(node, "cuts images of a batch")
        length = spans[int(axis) % 4][1]
        first, last = (min(length, max(0, int(each) + (length if each < 0 else 0))) for each in (start, end))
        spans[int(axis) % 4] = first, last
    shape = Map(*(last - first for first, last in spans.values()))
    if min(shape.channels, shape.height, shape.width) < 1:
        raise reader.unfit(node, "leaves nothing of its map")
    if (shape.height, shape.width) == (map_.height, map_.width):
        first, last = spans[1]
        call = f"slice({f'from = {first}, ' if first else ''}to = {last})"
        return [reader.step(node, call, shape)]
    if shape.channels != map_.channels:
        raise reader.unfit(node, "cuts channels and places at once")
    cut = {"top": spans[2][0], "left": spans[3][0]}
    cut |= {"bottom": map_.height - spans[2][1], "right": map_.width - spans[3][1]}
    call = f"crop({', '.join(f'{side} = {count}' for side, count in cut.items() if count)})"
    return [reader.step(node, call, shape)]


def _split(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    map_, given, parts = reader.map(node), attributes_of(node), reader.constant(node, 1)
    if given.get("axis", 0) % 4 != 1:
        raise reader.unfit(node, "only channels are split, axis 1")
    counts = [int(each) for each in parts.flatten()] if parts is not None else []
    each = -(-map_.channels // len(node.output))
    counts = counts or [min(each, map_.channels - at * each) for at in range(len(node.output))]
    if sum(counts) != map_.channels or len(counts) != len(node.output):
        raise reader.unfit(node, f"its parts of {counts} channels are not the {map_.channels} of its map")
    steps: list[Step] = []
    for at, (value, count) in enumerate(zip(node.output, counts, strict=True)):
        first = sum(counts[:at])
        call = f"slice({f'from = {first}, ' if first else ''}to = {first + count})"
        steps.append(reader.step(node, call, Map(count, map_.height, map_.width), value=value))
    return steps


def _leaky_relu(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    slope = _number(attributes_of(node).get("alpha", 0.01))
    return [reader.step(node, "leaky_relu" if slope == "0.01" else f"leaky_relu(slope = {slope})", reader.map(node))]


def _elu(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    alpha = _number(attributes_of(node).get("alpha", 1.0))
    return [reader.step(node, "elu" if alpha == "1.0" else f"elu(alpha = {alpha})", reader.map(node))]


def _gelu(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    tanh = attributes_of(node).get("approximate", b"none") == b"tanh"
    return [reader.step(node, 'gelu(approximate = "tanh")' if tanh else "gelu", reader.map(node))]


def _softmax(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    map_ = reader.map(node)
    axis = int(attributes_of(node).get("axis", -1))
    if axis == -1 and (map_.height, map_.width) == (1, 1):
        axis = 1  # of a vector the last axis is that of channels
    words = {1: "", 2: '(axis = "height")', 3: '(axis = "width")'}
    if axis % 4 not in words:
        raise reader.unfit(node, "over the images of a batch")
    return [reader.step(node, f"softmax{words[axis % 4]}", map_)]


def _argmax(reader: Reader, node: onnx.NodeProto) -> list[Step]:
    map_ = reader.map(node)
    if int(attributes_of(node).get("axis", 0)) % 4 != 1:
        raise reader.unfit(node, "only the largest channel is read, axis 1")
    return [reader.step(node, "argmax", Map(1, map_.height, map_.width))]


FORMS: Final[Mapping[str, Form]] = {
    "Conv": _conv,
    "BatchNormalization": _norm,
    "Relu": _alike("relu"),
    "Sigmoid": _alike("sigmoid"),
    "HardSwish": _alike("hswish"),
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": lambda reader, node: _over_all(reader, node, "global_avg_pool"),
    "GlobalMaxPool": lambda reader, node: _over_all(reader, node, "global_max_pool"),
    "ReduceMean": _mean,
    "Gemm": _linear,
    "MatMul": _linear,
    "Concat": _concat,
    "Add": _joined("add"),
    "Sum": _joined("add"),
    "Mul": _joined("multiply"),
    "Resize": _resize,
    "Upsample": _resize,
    "Slice": _slice,
    "Softmax": _softmax,
    "ArgMax": _argmax,
    "ConvTranspose": _conv_transpose,
    "Split": _split,
    "LeakyRelu": _leaky_relu,
    "Elu": _elu,
    "Gelu": _gelu,
    "Mish": _alike("mish"),
    "Tanh": _alike("tanh"),
}
"""What each operator becomes."""


def _keeps(reader: Reader, node: onnx.NodeProto) -> bool:
    """Whether a reshape changes more than how a vector is written."""
    map_ = reader.maps.get(reader.value(node.input[0]))
    return map_ is None or (map_.height, map_.width) != (1, 1)


_SAME: Final[Mapping[str, Callable[[Reader, onnx.NodeProto], bool]]] = {
    "Identity": lambda reader, node: False,
    "Dropout": lambda reader, node: False,
    "Flatten": _keeps,
    "Reshape": _keeps,
    "Squeeze": _keeps,
    "Unsqueeze": _keeps,
}
"""Operators that leave their map as it is; the function says where they do not."""


def _merged(steps: list[Step], reader: Reader) -> list[Step]:
    """`x * sigmoid(x)` as `silu`, `x * hsigmoid(x)` as `hswish`."""
    writers = {step.value: step for step in steps}
    gone: set[str] = set()
    for step in steps:
        if step.call != "multiply" or len(step.maps) != 2:
            continue
        for map_, gate in (step.maps, step.maps[::-1]):
            writer = writers.get(gate)
            call = {"sigmoid": "silu", "hsigmoid": "hswish"}.get("" if writer is None else writer.call)
            if call and writer is not None and writer.maps == [map_] and reader.readers[gate] == 1:
                step.call, step.maps, step.join, step.module = call, [map_], False, writer.module
                gone.add(gate)
                break
    return [step for step in steps if step.value not in gone]
