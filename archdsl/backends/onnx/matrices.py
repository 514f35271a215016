"""Maps as stacks of matrices: slices, products, and the reshapes of attention.

In a shape of Reshape 0 takes over that length and -1 is what is left, so nothing here depends on the batch, and on
sizes only what goes by windows or like another map.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.sizes import Call, height_and_width
from archdsl.ops.attributes import optional_pair, whole
from archdsl.weights.specification import closed_count

Length: TypeAlias = "int | str"
"""A length that is known here, or the value that holds it at run time as a vector of one number."""

Lengths: TypeAlias = "tuple[Length, Length]"


def slice_channels(body: Body, call: Call) -> str:
    start, end = (body.integers(call.part(name), [whole(call.attributes, name)]) for name in ("from", "to"))
    return body.node("Slice", [call.inputs[0], start, end, body.integers(call.part("axis"), [1])], call.path)


def flatten(body: Body, call: Call) -> str:
    flat = body.node("Flatten", [call.inputs[0]], call.part("flat"), axis=1)
    return body.node("Unsqueeze", [flat, body.integers(call.part("axes"), [2, 3])], call.path)


def matmul(body: Body, call: Call) -> str:
    return body.node("MatMul", list(call.inputs), call.path)


def transpose(body: Body, call: Call) -> str:
    return body.node("Transpose", [call.inputs[0]], call.path, perm=[0, 1, 3, 2])


def tokens(body: Body, call: Call) -> str:
    heads, window = whole(call.attributes, "heads"), optional_pair(call.attributes, "window")
    each = closed_count(call.maps[0].channels, call.path) // heads
    if window is None:
        parts = body.node(
            "Reshape", [call.inputs[0], _shape(body, call, "parts", [0, heads, each, -1])], call.part("heads")
        )
        return body.node("Transpose", [parts], call.path, perm=[0, 1, 3, 2])
    rows, columns = window
    down, across = _window_counts(body, call, _size(body, call, call.inputs[0], call.maps[0].size), window)
    apart = _shape(body, call, "parts", [0, heads, each, down, rows, across, columns])
    parts = body.node("Reshape", [call.inputs[0], apart], call.part("windows"))
    turned = body.node("Transpose", [parts], call.part("turned"), perm=[0, 3, 5, 1, 4, 6, 2])
    return body.node("Reshape", [turned, _shape(body, call, "shape", [0, -1, rows * columns, each])], call.path)


def untokens(body: Body, call: Call) -> str:
    window, size = optional_pair(call.attributes, "window"), optional_pair(call.attributes, "size")
    channels = closed_count(call.result.channels, call.path)
    lengths: Lengths = size or (-1, 1)
    if like := call.inputs[1:]:
        lengths = _size(body, call, like[0], call.result.size)
    parts, order = call.inputs[0], [0, 1, 3, 2]
    if window is not None:
        down, across = _window_counts(body, call, lengths, window)
        apart = _shape(body, call, "parts", [0, down, across, -1, *window, call.maps[0].width])
        parts, order = body.node("Reshape", [parts, apart], call.part("windows")), [0, 3, 6, 1, 4, 2, 5]
    turned = body.node("Transpose", [parts], call.part("turned"), perm=order)
    return body.node("Reshape", [turned, _shape(body, call, "shape", [0, channels, *lengths])], call.path)


def _size(body: Body, call: Call, value: str, known: tuple[int, int]) -> Lengths:
    """Height and width of the map that `value` holds."""
    if not call.dynamic:
        return known
    return _apart(body, call, height_and_width(body, call, value, "map"), "length")


def _window_counts(body: Body, call: Call, lengths: Lengths, window: tuple[int, int]) -> Lengths:
    """How many windows lie below and beside one another."""
    down, across = (
        length // extent
        if isinstance(length, int)
        else body.node(
            "Div", [length, body.integers(call.part(f"window_{axis}"), [extent])], call.part(f"windows_{axis}")
        )
        for axis, (length, extent) in enumerate(zip(lengths, window, strict=True))
    )
    return down, across


def _apart(body: Body, call: Call, pair: str, name: str) -> Lengths:
    """The two numbers of a vector."""
    axes = [body.integers(call.part(f"number_{axis}"), [axis]) for axis in (0, 1)]
    first, second = (
        body.node("Gather", [pair, axis], call.part(f"{name}_{at}"), axis=0) for at, axis in enumerate(axes)
    )
    return first, second


def _shape(body: Body, call: Call, name: str, lengths: Sequence[Length]) -> str:
    """A shape for Reshape."""
    known = [length for length in lengths if isinstance(length, int)]
    if len(known) == len(lengths):
        return body.integers(call.part(name), known)
    parts = [
        length if isinstance(length, str) else body.integers(call.part(f"{name}_{place}"), [length])
        for place, length in enumerate(lengths)
    ]
    return body.node("Concat", parts, call.part(name), axis=0)
