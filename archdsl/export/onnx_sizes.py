"""Resizes, zeros and pools: operators whose ONNX form depends on the size of their map.

With fixed sizes every number is worked out here, and the graph holds constants. With open ones a few integer nodes
work it out at run time, by the same rules (`floor(n * factor)`, `floor((n - 1) / s) + 1`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from archdsl.export.onnx_body import Body
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
    scales, sizes = _scales_or_sizes(body, call)
    if word(call.attributes, "mode") == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        corners = flag(call.attributes, "align_corners")
        how = {
            "mode": "linear",
            "coordinate_transformation_mode": "align_corners" if corners else "half_pixel",
        }
    return body.node("Resize", [call.inputs[0], "", scales, sizes][: 4 if sizes else 3], call.path, **how)


def _scales_or_sizes(body: Body, call: Call) -> tuple[str, str]:
    """Names of the inputs `scales` and `sizes`, of which the one that is not used is empty."""
    if call.dynamic:
        factor = optional_fraction(call.attributes, "factor")
        ratios = (factor, factor) if factor is not None and factor.denominator == 1 else None
    else:
        source, target = call.maps[0], call.result
        ratios = (Fraction(target.height, source.height), Fraction(target.width, source.width))
    # A runtime samples at the ratio it is given, so only a ratio that a float holds exactly may be given.
    if ratios is not None and all(Fraction(float(np.float32(ratio))) == ratio for ratio in ratios):
        numbers = np.array([1, 1, *(float(ratio) for ratio in ratios)], np.float32)
        return body.tensor(call.part("scales"), numbers), ""
    return "", _resized(body, call)


def _resized(body: Body, call: Call) -> str:
    size = optional_pair(call.attributes, "size")
    if not call.dynamic:
        return _fixed_shape(body, call, (call.result.height, call.result.width))
    if size is not None:
        return _fixed_shape(body, call, size)
    if like := call.inputs[1:]:
        return _with_channels(body, call, _height_and_width(body, call, like[0]))
    factor = optional_fraction(call.attributes, "factor")
    assert factor is not None
    lengths = _height_and_width(body, call, call.inputs[0])
    over = body.integers(call.part("numerator"), [factor.numerator])
    under = body.integers(call.part("denominator"), [factor.denominator])
    product = body.node("Mul", [lengths, over], call.part("product"))
    return _with_channels(body, call, body.node("Div", [product, under], call.part("quotient")))


def zero(body: Body, call: Call) -> str:
    if not call.dynamic:
        shape = _fixed_shape(body, call, (call.result.height, call.result.width))
        return body.node("ConstantOfShape", [shape], call.path)
    lengths = _height_and_width(body, call, call.inputs[0])
    one = body.integers(call.part("one"), [1])
    stride = body.integers(call.part("stride"), [whole(call.attributes, "s")])
    before = body.node("Sub", [lengths, one], call.part("before"))
    steps = body.node("Div", [before, stride], call.part("steps"))
    shape = _with_channels(body, call, body.node("Add", [steps, one], call.part("count")))
    return body.node("ConstantOfShape", [shape], call.path)


def pool(body: Body, call: Call) -> str:
    """With fixed sizes the padding after the map is written out, so that no runtime has to round up by itself."""
    window, stride = pair(call.attributes, "k"), whole(call.attributes, "s")
    padding, ceil = pool_padding(call.attributes), flag(call.attributes, "ceil")
    average = call.primitive == "avg_pool"
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
    return body.node(
        "AveragePool" if average else "MaxPool",
        [source],
        call.path,
        kernel_shape=list(window),
        strides=[stride, stride],
        pads=[*before, *after],
        ceil_mode=int(ceil and call.dynamic),
        **({"count_include_pad": int(counted)} if average else {}),
    )


def _fixed_shape(body: Body, call: Call, size: tuple[int, int]) -> str:
    return body.integers(call.part("shape"), [call.batch, _channels(call), *size])


def _height_and_width(body: Body, call: Call, value: str) -> str:
    shape = body.node("Shape", [value], call.part("shape_of"))
    start, end = body.integers(call.part("start"), [2]), body.integers(call.part("end"), [4])
    return body.node("Slice", [shape, start, end], call.part("height_and_width"))


def _with_channels(body: Body, call: Call, lengths: str) -> str:
    front = body.integers(call.part("batch_and_channels"), [call.batch, _channels(call)])
    return body.node("Concat", [front, lengths], call.part("shape"), axis=0)


def _channels(call: Call) -> int:
    return closed_count(call.result.channels, call.path)
