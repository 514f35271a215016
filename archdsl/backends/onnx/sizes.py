"""Resizes, zeros and pools: operators whose ONNX form depends on the size of their map.

With fixed sizes every number is worked out here, and the graph holds constants. With open ones a few integer nodes
work it out at run time, by the same rules (`floor(n * factor)`, `floor((n - 1) / s) + 1`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from onnx import TensorProto

from archdsl.backends.onnx.body import Body
from archdsl.ops import Attributes, Shape
from archdsl.ops.attributes import flag, optional_fraction, optional_pair, step, word
from archdsl.ops.windows import Window, pool_window
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
    mode = word(call.attributes, "mode")
    nearest = mode == "nearest"
    ratios = _exact_ratios(call)
    if nearest and ratios is None:
        return _gather_nearest(body, call)
    if nearest:
        how: dict[str, str | float] = {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        }
    else:
        corners = flag(call.attributes, "align_corners")
        how = {"coordinate_transformation_mode": "align_corners" if corners else "half_pixel", **_MODES[mode]}
    if ratios is None:
        return body.node("Resize", [call.inputs[0], "", "", _resized_shape(body, call)], call.path, **how)
    scales = body.tensor(call.part("scales"), np.array([1, 1, *map(float, ratios)], np.float32))
    return body.node("Resize", [call.inputs[0], "", scales], call.path, **how)


_MODES: Mapping[str, Mapping[str, str | float]] = {
    "bilinear": {"mode": "linear"},
    "bicubic": {"mode": "cubic", "cubic_coeff_a": -0.75},
}
"""torch's cubic has a = -0.75 (Keys, 1981)."""


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
    stride = body.integers(call.part("stride"), list(step(call.attributes, "s")))
    before = body.node("Sub", [lengths, one], call.part("before"))
    steps = body.node("Div", [before, stride], call.part("steps"))
    shape = _with_channels(body, call, body.node("Add", [steps, one], call.part("count")))
    return body.node("ConstantOfShape", [shape], call.path)


def pool(body: Body, call: Call, *, average: bool) -> str:
    """With fixed sizes the padding after the map is written out, so that no runtime has to round up by itself."""
    window = pool_window(call.attributes)
    counted = average and flag(call.attributes, "count_padding")
    if window.fixed is None and call.dynamic:
        return _pooled(body, call, call.inputs[0], call.path, counted if average else None, auto_pad="SAME_UPPER")
    source = call.inputs[0]
    top, left, bottom, right = window.padding(call.maps[0].size)
    before, after = (top, left), (bottom, right)
    if window.ceil and counted:
        # What a window takes from beyond the padding is not counted, the padding is: so it becomes part of the map.
        pads = body.integers(call.part("pads"), [0, 0, *before, 0, 0, *after])
        source = body.node("Pad", [source, pads], call.part("padded"), mode="constant")
        before = after = (0, 0)
        counted = False
    if window.ceil and not call.dynamic:
        extra = (top + bottom, left + right) if source != call.inputs[0] else (0, 0)
        height, width = (
            max((count - 1) * stride + extent - length - more - pad, 0)
            for count, stride, extent, length, more, pad in zip(
                call.result.size, window.stride, window.size, call.maps[0].size, extra, before, strict=True
            )
        )
        after = (height, width)
    overhangs = call.dynamic and source != call.inputs[0]
    name = call.part("pooled") if overhangs else call.path
    ceil = int(window.ceil and call.dynamic)
    pooled = _pooled(body, call, source, name, counted if average else None, pads=[*before, *after], ceil_mode=ceil)
    return _without_windows_of_padding(body, call, window, pooled) if overhangs else pooled


def _pooled(
    body: Body, call: Call, source: str, name: str, counted: bool | None, **padding: int | str | list[int]
) -> str:
    """A pool, of means where it is said whether padding is counted."""
    window = pool_window(call.attributes)
    means = {} if counted is None else {"count_include_pad": int(counted)}
    operator = "MaxPool" if counted is None else "AveragePool"
    sizes = {"kernel_shape": list(window.size), "strides": list(window.stride)}
    return body.node(operator, [source], name, **sizes, **padding, **means)


def same_padded(body: Body, call: Call, window: Window) -> str:
    """A map with zeros around it, for "same" where sizes are open: max(extent - 1 - (n - 1) mod s, 0) in all."""

    def step(op: str, inputs: list[str], name: str, **attributes: int) -> str:
        return body.node(op, inputs, call.part(name), **attributes)

    one, two, none = (body.integers(call.part(f"number_{n}"), [n]) for n in (1, 2, 0))
    stride = body.integers(call.part("stride"), list(window.stride))
    reach = body.integers(call.part("reach"), [extent - 1 for extent in window.extent])
    last = step("Sub", [height_and_width(body, call, call.inputs[0]), one], "last")
    missing = step("Sub", [reach, step("Mod", [last, stride], "rest")], "missing")
    total = step("Max", [missing, none], "total")
    before = step("Div", [total, two], "before")
    after = step("Sub", [total, before], "after")
    pads = step("Concat", [before, after], "pads", axis=0)
    axes = body.integers(call.part("axes"), [2, 3])
    return body.node("Pad", [call.inputs[0], pads, "", axes], call.part("padded"), mode="constant")


def _without_windows_of_padding(body: Body, call: Call, window: Window, pooled: str) -> str:
    """Only windows that begin before the padding behind the map, floor((n + pad - 1) / s) + 1 of them, as in torch.

    Where the padding is part of the map, a runtime cannot know that.
    """
    lengths = height_and_width(body, call, call.inputs[0])
    last = body.integers(call.part("last"), [pad - 1 for pad in window.padding(call.maps[0].size)[:2]])
    stride = body.integers(call.part("stride"), list(window.stride))
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
