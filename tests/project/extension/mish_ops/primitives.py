"""What the primitives are, without torch and ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from archdsl.ops import Attributes, Count, Kind, Parameter, Primitive, Role, Shape, Traits, Weight
from archdsl.ops.dims import multiply


def _same(maps: Sequence[Shape], _: Attributes) -> Shape:
    return maps[0]


MISH = Primitive(
    name="mish",
    summary="x * tanh(softplus(x)) (Misra, 2019)",
    parameters=(),
    shape=_same,
    traits=Traits(activation=True, by_channel=True),
    mean_square=lambda read, _channels: 0.35 * read[0],
    forms={
        "layer": "mish_ops.torch_forms:mish_layer",
        "torch": "mish_ops.torch_forms:MISH",
        "onnx": "mish_ops.onnx_forms:mish",
    },
)


def _prelu_weights(maps: Sequence[Shape], _: Attributes) -> tuple[Weight, ...]:
    return (Weight("weight", (maps[0].channels,), Role.SCALE),)


def _prelu_macs(_maps: Sequence[Shape], result: Shape, _: Attributes) -> Count:
    return multiply(result.channels, result.height * result.width)


PRELU = Primitive(
    name="prelu",
    summary="max(x, 0) + weight * min(x, 0)",
    parameters=(Parameter("init", Kind.NUMBER, 1, low=0),),
    shape=_same,
    weights=_prelu_weights,
    macs=_prelu_macs,
    traits=Traits(activation=True, by_channel=True),
    forms={
        "layer": "mish_ops.torch_forms:prelu_layer",
        "torch": "mish_ops.torch_forms:PRELU",
        "onnx": "mish_ops.onnx_forms:prelu",
    },
)

FORMLESS = replace(MISH, name="formless", forms={"layer": "mish_ops.torch_forms:mish_layer"})
"""What only torch's layer is given of."""

MISBUILT = replace(MISH, name="misbuilt", forms={**MISH.forms, "onnx": "mish_ops.onnx_forms:misbuilt"})
"""Whose form for ONNX raises."""


def _dividing(maps: Sequence[Shape], _: Attributes) -> Shape:
    return Shape(maps[0].channels, maps[0].height // 0, maps[0].width)


DIVIDING = replace(MISH, name="dividing", shape=_dividing)

NUMBER = 7
"""No primitive."""
