"""Strided convolutions of one pixel on narrow maps: right, and no process that dies of their gradient.

Values and gradients are held against contiguous maps, for which torch's own are right.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from archdsl.nets import Network, load_weights
from archdsl.nets.strided_pixels import StridedPixels
from archdsl.nets.supernet.convolutions import Window, gradients
from archdsl.pipeline import load
from archdsl.train.typed_torch import backward
from archdsl.weights import random_weights

TEXT = """archdsl 1

use std

space net(classes = 3) {
  in image: 3x16x32
  x = image -> conv3x3(4) -> conv(16, k = 1, s = 2) -> bn -> relu
  out logits = x -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}
"""


@pytest.mark.parametrize("channels", [2, 4, 6])
@pytest.mark.parametrize("stride", [2, 4])
def test_gradients_are_those_of_contiguous_maps(channels: int, stride: int) -> None:
    generator = torch.Generator().manual_seed(0)
    plain = torch.randn(4, channels, 15, 32, generator=generator)
    kernel = torch.randn(12, channels, 1, 1, generator=generator)
    x_BCHW, window = plain.contiguous(memory_format=torch.channels_last), Window((stride, stride), (0, 0), (1, 1), 1)
    y_BChw = window.conv(x_BCHW, kernel, None)
    grad_BChw = torch.randn(y_BChw.shape, generator=generator).contiguous(memory_format=torch.channels_last)
    found = gradients(grad_BChw, x_BCHW, kernel, window, (True, True, True))
    leaves = [plain.clone().requires_grad_(), kernel.clone().requires_grad_()]
    expected = functional.conv2d(leaves[0], leaves[1], None, stride)
    assert torch.allclose(y_BChw, expected, atol=1e-5)
    expected.backward(grad_BChw.contiguous())  # pyright: ignore[reportUnknownMemberType]
    for mine, theirs in zip(found[:2], leaves, strict=True):
        assert isinstance(mine, Tensor)
        assert isinstance(theirs.grad, Tensor)
        assert torch.allclose(mine, theirs.grad, atol=1e-4)


def test_a_network_with_such_a_layer_is_trained(tmp_path: Path) -> None:
    file = tmp_path / "net.arch"
    file.write_text(TEXT, encoding="utf-8")
    graph = load(str(file)).network()
    network = Network(graph)
    load_weights(network, random_weights(graph, 0))
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d) and each.stride == (2, 2)]
    assert [type(each) for each in layers] == [StridedPixels]
    for _ in range(20):
        x_BCHW = torch.randn(4, 3, 16, 32).contiguous(memory_format=torch.channels_last)
        backward(network(x_BCHW).square().mean())
    assert all(each.grad is not None and bool(each.grad.isfinite().all()) for each in network.parameters())
