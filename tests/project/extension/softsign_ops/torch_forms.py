"""The primitives as torch layers, and as source of standalone files."""

from __future__ import annotations

from torch import nn

from archdsl.backends.torch_source.primitives import LayerCall, TorchForm
from archdsl.backends.torch_source.python_layout import Call
from archdsl.nets import LayerRequest
from archdsl.ops.attributes import fraction


def softsign_layer(_: LayerRequest) -> nn.Module:
    return nn.Softsign()


def slope_layer(asked: LayerRequest) -> nn.Module:
    return nn.PReLU(asked.channels, float(fraction(asked.attributes, "init")))


def _slope(asked: LayerCall) -> Call:
    return Call("nn.PReLU", (asked.c_in,))


SOFTSIGN = TorchForm(lambda _own, _attributes, maps: Call("F.softsign", (maps[0],)), piped=True)
SLOPE = TorchForm(lambda own, _attributes, maps: Call(own, (maps[0],)), _slope, piped=True)
