"""Pools over parts of a map, for which ONNX has no operator: rows are pooled first, columns of those then.

Where the parts are windows that lie side by side they are an ordinary pool. Means are products of matrices, largest
values those of slices; where sizes are open, of a mask.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.sizes import Call, height_and_width
from archdsl.ops.attributes import pair
from archdsl.ops.windows import parts

_SIDES = ("rows", "columns")


def adaptive_pool(body: Body, call: Call, *, average: bool) -> str:
    source, size = call.maps[0].size, pair(call.attributes, "size")
    if not call.dynamic and all(length % count == 0 for length, count in zip(source, size, strict=True)):
        window = [length // count for length, count in zip(source, size, strict=True)]
        operator = "AveragePool" if average else "MaxPool"
        return body.node(operator, [call.inputs[0]], call.path, kernel_shape=window, strides=window)
    if average:
        across = body.node("MatMul", [_shares(body, call, 0), call.inputs[0]], call.part("across"))
        columns = body.node("Transpose", [_shares(body, call, 1)], call.part("columns"), perm=[1, 0])
        return body.node("MatMul", [across, columns], call.path)
    across = _largest(body, call, 0, call.inputs[0], call.part("across"))
    return _largest(body, call, 1, across, call.path)


def _shares(body: Body, call: Call, side: int) -> str:
    """A matrix that makes means of the parts along a side: a row for each part."""
    name = call.part(_SIDES[side] + "_shares")
    count = pair(call.attributes, "size")[side]
    if not call.dynamic:
        length = call.maps[0].size[side]
        matrix = np.zeros((count, length), np.float32)
        for row, (start, end) in zip(matrix, parts(length, count), strict=True):
            row[start:end] = 1 / (end - start)
        return body.tensor(name, matrix)
    inside, lengths = _inside(body, call, side)
    taken = body.node("Cast", [inside], name + "_taken", to=TensorProto.FLOAT)
    return body.node("Div", [taken, body.node("Cast", [lengths], name + "_length", to=TensorProto.FLOAT)], name)


def _largest(body: Body, call: Call, side: int, source: str, name: str) -> str:
    own, axis = f"{call.part(_SIDES[side])}_part", 2 + side
    axes = body.integers(own + "_axis", [axis])
    count = pair(call.attributes, "size")[side]
    if not call.dynamic:
        found: list[str] = []
        for number, (start, end) in enumerate(parts(call.maps[0].size[side], count)):
            here = f"{own}_{number}"
            starts, ends = body.integers(here + "_start", [start]), body.integers(here + "_end", [end])
            part = body.node("Slice", [source, starts, ends, axes], here + "_taken")
            found.append(body.node("ReduceMax", [part, axes], here, keepdims=1))
        return body.node("Concat", found, name, axis=axis)
    # A new axis for the parts before that of the places, over which the largest is taken.
    inside, _ = _inside(body, call, side)
    behind = axis + 1
    if side == 0:
        inside = body.node("Unsqueeze", [inside, body.integers(own + "_last", [2])], own + "_inside")
    wide = body.node("Unsqueeze", [source, axes], own + "_wide")
    lowest = body.tensor(own + "_lowest", np.array(-np.inf, np.float32))
    kept = body.node("Where", [inside, wide, lowest], own + "_kept")
    return body.node("ReduceMax", [kept, body.integers(own + "_places", [behind])], name, keepdims=0)


def _inside(body: Body, call: Call, side: int) -> tuple[str, str]:
    """Where sizes are open: whether each place lies in each part, and how long each part is, as a column."""
    own, count = call.part(_SIDES[side]), pair(call.attributes, "size")[side]

    def step(op: str, inputs: list[str], name: str) -> str:
        return body.node(op, inputs, f"{own}_{name}")

    sizes = height_and_width(body, call, call.inputs[0], _SIDES[side])
    scalar = body.tensor(f"{own}_number", np.array(side, np.int64))
    length = step("Gather", [sizes, scalar], "length")
    zero, one = (body.tensor(call.part(f"number_{n}"), np.array(n, np.int64)) for n in (0, 1))
    first = body.tensor(f"{own}_first", np.arange(count, dtype=np.int64)[:, None])
    many, rounds = (body.tensor(f"{own}_by_{n}", np.array(n, np.int64)) for n in (count, count - 1))
    before = step("Mul", [first, length], "before")
    starts = step("Div", [before, many], "starts")
    ends = step("Div", [step("Add", [step("Add", [before, length], "after"), rounds], "up"), many], "ends")
    places = step("Range", [zero, length, one], "places")
    inside = step(
        "And", [step("GreaterOrEqual", [places, starts], "begun"), step("Less", [places, ends], "open")], "in"
    )
    return inside, step("Sub", [ends, starts], "lengths")
