"""Resizes, zeros and pools: operators whose ONNX form depends on the size of their map.

With fixed sizes every number is worked out here, and the graph holds constants. With open ones a few integer nodes
work it out at run time, by the same rules (`floor(n * factor)`, `floor((n - 1) / s) + 1`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from onnx import TensorProto

from archdsl.backends.onnx.body import Body
from archdsl.ops import Attributes, Shape
from archdsl.ops.attributes import flag, optional_fraction, optional_pair, pair, whole, word
from archdsl.ops.windows import pool_padding
from archdsl.weights.specification import closed_count


@dataclass(frozen=True, slots=True)
class Call:
    """One application of a primitive. `inputs` are names of values, shapes are closed and without the batch."""

    path: str
    primitive: str
    attributes: Attributes
    inputs: tuple[str, ...]
    maps: tuple[Shape, ...]
    result: Shape
    batch: int
    dynamic: bool
    tensor: Callable[[str], str]
    """Name of the initializer that holds one of its weights (`weight`, `bias`)."""

    def part(self, name: str) -> str:
        """A name for a node or tensor that serves this one."""
        return f"{self.path}/{name}"


def resize(body: Body, call: Call) -> str:
    source, target = call.maps[0], call.result
    if not call.dynamic and (source.height, source.width) == (target.height, target.width):
        return call.inputs[0]
    nearest = word(call.attributes, "mode") == "nearest"
    ratios = _exact_ratios(call)
    if nearest and ratios is None:
        return _gather_nearest(body, call)
    if nearest:
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        corners = flag(call.attributes, "align_corners")
        how = {"mode": "linear", "coordinate_transformation_mode": "align_corners" if corners else "half_pixel"}
    if ratios is None:
        return body.node("Resize", [call.inputs[0], "", "", _resized_shape(body, call)], call.path, **how)
    scales = body.tensor(call.part("scales"), np.array([1, 1, *map(float, ratios)], np.float32))
    return body.node("Resize", [call.inputs[0], "", scales], call.path, **how)


def _exact_ratios(call: Call) -> tuple[Fraction, Fraction] | None:
    """Result over source, if it is known and a float holds it exactly: a runtime samples at the ratio it is given."""
    if call.dynamic:
        factor = optional_fraction(call.attributes, "factor")
        return (factor, factor) if factor is not None and factor.denominator == 1 else None
    source, target = call.maps[0], call.result
    ratios = (Fraction(target.height, source.height), Fraction(target.width, source.width))
    return ratios if all(Fraction(float(np.float32(ratio))) == ratio for ratio in ratios) else None


def _gather_nearest(body: Body, call: Call) -> str:
    """Rows and columns picked by torch's own formula, floor(place * float32(source / target)).

    Resize divides by target / source instead, and where no float holds the ratio it picks the neighbour now and then.
    """
    if call.dynamic:
        read, written = height_and_width(body, call, call.inputs[0], "read"), _resized(body, call)
        rows, columns = (_picked(body, call, axis, read, written) for axis in range(2))
    else:
        rows, columns = (_picked_fixed(body, call, axis) for axis in range(2))
    picked = body.node("Gather", [call.inputs[0], rows], call.part("picked_rows"), axis=2)
    return body.node("Gather", [picked, columns], call.path, axis=3)


_AXES = ("rows", "columns")


def _picked_fixed(body: Body, call: Call, axis: int) -> str:
    source, target = (call.maps[0].height, call.result.height) if axis == 0 else (call.maps[0].width, call.result.width)
    ratio = np.float32(source) / np.float32(target)
    places = np.arange(target, dtype=np.float32)
    return body.tensor(call.part(_AXES[axis]), np.floor(places * ratio).astype(np.int64))


def _picked(body: Body, call: Call, axis: int, read: str, written: str) -> str:
    """The same where the sizes read and written are known at run time only."""

    def step(op: str, inputs: list[str], name: str, **attributes: int) -> str:
        return body.node(op, inputs, call.part(f"{_AXES[axis]}_{name}"), **attributes)

    number = body.tensor(call.part(f"{_AXES[axis]}_axis"), np.array(axis, np.int64))
    zero, one = (body.tensor(call.part(f"number_{n}"), np.array(n, np.int64)) for n in (0, 1))
    length, count = step("Gather", [read, number], "length"), step("Gather", [written, number], "count")
    ratio = step(
        "Div",
        [step("Cast", [length], "read", to=TensorProto.FLOAT), step("Cast", [count], "written", to=TensorProto.FLOAT)],
        "ratio",
    )
    places = step("Cast", [step("Range", [zero, count, one], "numbers")], "places", to=TensorProto.FLOAT)
    floor = step("Floor", [step("Mul", [places, ratio], "product")], "floor")
    return step("Cast", [floor], "index", to=TensorProto.INT64)


def _resized_shape(body: Body, call: Call) -> str:
    if call.dynamic:
        return _with_channels(body, call, _resized(body, call))
    return _fixed_shape(body, call)


def _resized(body: Body, call: Call) -> str:
    """Height and width of the result where sizes are open."""
    size, factor = optional_pair(call.attributes, "size"), optional_fraction(call.attributes, "factor")
    if size is not None:
        return body.integers(call.part("size"), list(size))
    if like := call.inputs[1:]:
        return height_and_width(body, call, like[0], "like")
    assert factor is not None
    lengths = height_and_width(body, call, call.inputs[0])
    over = body.integers(call.part("numerator"), [factor.numerator])
    under = body.integers(call.part("denominator"), [factor.denominator])
    product = body.node("Mul", [lengths, over], call.part("product"))
    return body.node("Div", [product, under], call.part("quotient"))


def zero(body: Body, call: Call) -> str:
    if not call.dynamic:
        shape = _fixed_shape(body, call)
        return body.node("ConstantOfShape", [shape], call.path)
    lengths = height_and_width(body, call, call.inputs[0])
    one = body.integers(call.part("one"), [1])
    stride = body.integers(call.part("stride"), [whole(call.attributes, "s")])
    before = body.node("Sub", [lengths, one], call.part("before"))
    steps = body.node("Div", [before, stride], call.part("steps"))
    shape = _with_channels(body, call, body.node("Add", [steps, one], call.part("count")))
    return body.node("ConstantOfShape", [shape], call.path)


def pool(body: Body, call: Call, *, average: bool) -> str:
    """With fixed sizes the padding after the map is written out, so that no runtime has to round up by itself."""
    window, stride = pair(call.attributes, "k"), whole(call.attributes, "s")
    padding, ceil = pool_padding(call.attributes), flag(call.attributes, "ceil")
    counted = average and flag(call.attributes, "count_padding")
    source = call.inputs[0]
    before = after = padding
    if ceil and counted:
        # What a window takes from beyond the padding is not counted, the padding is: so it becomes part of the map.
        pads = body.integers(call.part("pads"), [0, 0, *padding, 0, 0, *padding])
        source = body.node("Pad", [source, pads], call.part("padded"), mode="constant")
        before = after = (0, 0)
        counted = False
    if ceil and not call.dynamic:
        lengths = (call.maps[0].height, call.maps[0].width)
        extra = padding if source != call.inputs[0] else (0, 0)
        height, width = (
            max((count - 1) * stride + extent - length - 2 * more - pad, 0)
            for count, extent, length, more, pad in zip(
                (call.result.height, call.result.width), window, lengths, extra, before, strict=True
            )
        )
        after = (height, width)
    overhangs = call.dynamic and source != call.inputs[0]
    pooled = body.node(
        "AveragePool" if average else "MaxPool",
        [source],
        call.part("pooled") if overhangs else call.path,
        kernel_shape=list(window),
        strides=[stride, stride],
        pads=[*before, *after],
        ceil_mode=int(ceil and call.dynamic),
        **({"count_include_pad": int(counted)} if average else {}),
    )
    return _without_windows_of_padding(body, call, pooled) if overhangs else pooled


def _without_windows_of_padding(body: Body, call: Call, pooled: str) -> str:
    """Only windows that begin before the padding behind the map, floor((n + pad - 1) / s) + 1 of them, as in torch.

    Where the padding is part of the map, a runtime cannot know that.
    """
    lengths = height_and_width(body, call, call.inputs[0])
    last = body.integers(call.part("last"), [pad - 1 for pad in pool_padding(call.attributes)])
    stride = body.integers(call.part("stride"), [whole(call.attributes, "s")] * 2)
    steps = body.node("Div", [body.node("Add", [lengths, last], call.part("room")), stride], call.part("steps"))
    ends = body.node("Add", [steps, body.integers(call.part("one"), [1])], call.part("ends"))
    starts, axes = body.integers(call.part("starts"), [0, 0]), body.integers(call.part("axes"), [2, 3])
    return body.node("Slice", [pooled, starts, ends, axes], call.path)


def _fixed_shape(body: Body, call: Call) -> str:
    return body.integers(call.part("shape"), [call.batch, _channels(call), call.result.height, call.result.width])


def height_and_width(body: Body, call: Call, value: str, name: str = "source") -> str:
    """Of the map that `value` holds, as a vector at run time."""
    shape = body.node("Shape", [value], call.part(f"{name}_shape"))
    start, end = body.integers(call.part("start"), [2]), body.integers(call.part("end"), [4])
    return body.node("Slice", [shape, start, end], call.part(f"{name}_size"))


def _with_channels(body: Body, call: Call, lengths: str) -> str:
    front = body.integers(call.part("batch_and_channels"), [call.batch, _channels(call)])
    return body.node("Concat", [front, lengths], call.part("shape"), axis=0)


def _channels(call: Call) -> int:
    return closed_count(call.result.channels, call.path)
