"""The primitives as ONNX nodes."""

from __future__ import annotations

import numpy as np

from archdsl.backends.onnx.body import Body
from archdsl.backends.onnx.sizes import Call


def softsign(body: Body, call: Call) -> str:
    size = body.node("Abs", [call.inputs[0]], call.part("size"))
    one = body.tensor(call.part("one"), np.array(1, np.float32))
    more = body.node("Add", [size, one], call.part("more"))
    return body.node("Div", [call.inputs[0], more], call.path)


def slope(body: Body, call: Call) -> str:
    """ONNX spreads the slope over the last axes, torch over the channels."""
    shape = body.tensor(call.part("shape"), np.array([-1, 1, 1], np.int64))
    slope = body.node("Reshape", [call.tensor("weight"), shape], call.part("slope"))
    return body.node("PRelu", [call.inputs[0], slope], call.path)


def misbuilt(_body: Body, _call: Call) -> str:
    raise NotImplementedError("not written yet")
