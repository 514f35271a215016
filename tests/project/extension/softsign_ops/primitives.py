"""What the primitives are, without torch and ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.ops import Attributes, Count, Kind, Parameter, Primitive, Role, Shape, Traits, Weight
from archdsl.ops.dims import multiply


def _same(maps: Sequence[Shape], _: Attributes) -> Shape:
    return maps[0]


SOFTSIGN = Primitive(
    name="softsign",
    summary="x / (1 + abs(x))",
    parameters=(),
    shape=_same,
    traits=Traits(activation=True, by_channel=True),
    mean_square=lambda read, _maps, _attributes: 0.18 * read[0],
    forms={
        "layer": "softsign_ops.torch_forms:softsign_layer",
        "torch": "softsign_ops.torch_forms:SOFTSIGN",
        "onnx": "softsign_ops.onnx_forms:softsign",
    },
)


def _slope_weights(maps: Sequence[Shape], _: Attributes) -> tuple[Weight, ...]:
    return (Weight("weight", (maps[0].channels,), Role.SCALE),)


def _slope_macs(_maps: Sequence[Shape], result: Shape, _: Attributes) -> Count:
    return multiply(result.channels, result.height * result.width)


SLOPE = Primitive(
    name="slope",
    summary="max(x, 0) + weight * min(x, 0)",
    parameters=(Parameter("init", Kind.NUMBER, 1, low=0),),
    shape=_same,
    weights=_slope_weights,
    macs=_slope_macs,
    traits=Traits(activation=True, by_channel=True),
    forms={
        "layer": "softsign_ops.torch_forms:slope_layer",
        "torch": "softsign_ops.torch_forms:SLOPE",
        "onnx": "softsign_ops.onnx_forms:slope",
    },
)

FORMLESS = replace(SOFTSIGN, name="formless", forms={"layer": "softsign_ops.torch_forms:softsign_layer"})
"""What only torch's layer is given of."""

MISBUILT = replace(SOFTSIGN, name="misbuilt", forms={**SOFTSIGN.forms, "onnx": "softsign_ops.onnx_forms:misbuilt"})
"""Whose form for ONNX raises."""


def _dividing(maps: Sequence[Shape], _: Attributes) -> Shape:
    return Shape(maps[0].channels, maps[0].height // 0, maps[0].width)


DIVIDING = replace(SOFTSIGN, name="dividing", shape=_dividing)

NUMBER = 7
"""No primitive."""
