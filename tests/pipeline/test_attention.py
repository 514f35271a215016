"""Attention as texts compose it is that of torch, with the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

import archdsl
from archdsl.nets import Network


def network(folder: Path, images: Mapping[str, str], body: str) -> Network:
    """The network of `body`, whose inputs have these shapes, and whose output is `y`."""
    file = folder / "net.arch"
    ports = ", ".join(f"{name}: {shape}" for name, shape in images.items())
    file.write_text(f"archdsl 1\n\nuse zoo\n\nspace net() {{\n  in {ports}\n  {body}\n}}\n", encoding="utf-8")
    return archdsl.build(file).eval()


def answer(net: Network, *images: Tensor) -> Tensor:
    with torch.no_grad():
        found = net(*images)
    assert isinstance(found, Tensor)
    return found


def rows(x_BCHW: Tensor) -> Tensor:
    """Places as rows, BxNxC."""
    return x_BCHW.flatten(2).mT


def heads(x_BCHW: Tensor, count: int) -> Tensor:
    """BxExNxD."""
    images, channels = x_BCHW.shape[:2]
    return x_BCHW.reshape(images, count, channels // count, -1).mT


def test_dot_product_attention(tmp_path: Path) -> None:
    body = "out y = dot_product_attention(q, k, v, d = 8)"
    net = network(tmp_path, {"q": "32x4x6", "k": "32x2x3", "v": "32x2x3"}, body)
    q, k, v = torch.randn(2, 32, 4, 6), torch.randn(2, 32, 2, 3), torch.randn(2, 32, 2, 3)
    expected = functional.scaled_dot_product_attention(heads(q, 4), heads(k, 4), heads(v, 4))
    torch.testing.assert_close(answer(net, q, k, v), expected.mT.reshape(2, 32, 4, 6), atol=1e-5, rtol=1e-5)


def test_self_attention_is_that_of_multi_head_attention(tmp_path: Path) -> None:
    net = network(tmp_path, {"x": "24x4x5"}, "out y = x -> self_attention(24, d = 6)")
    theirs = nn.MultiheadAttention(24, num_heads=4, batch_first=True).eval()
    nn.init.normal_(theirs.in_proj_bias)
    nn.init.normal_(theirs.out_proj.bias)
    weights = [*theirs.in_proj_weight.chunk(3), theirs.out_proj.weight]
    biases = [*theirs.in_proj_bias.chunk(3), theirs.out_proj.bias]
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for layer, weight, bias in zip(layers, weights, biases, strict=True):
            assert layer.bias is not None
            layer.weight.copy_(weight[:, :, None, None])
            layer.bias.copy_(bias)
        x = torch.randn(2, 24, 4, 5)
        expected, _ = theirs(rows(x), rows(x), rows(x))
    torch.testing.assert_close(answer(net, x), expected.mT.reshape(x.shape), atol=1e-5, rtol=1e-5)


def test_attention_within_windows(tmp_path: Path) -> None:
    body = """t = x -> tokens(heads = 2, window = 3x2)
  weights = 4 ^ (-1 / 2) * matmul(t, t -> transpose) -> softmax(axis = "width")
  out y = matmul(weights, t) -> untokens(like = x, window = 3x2)"""
    net = network(tmp_path, {"x": "8x6x4"}, body)
    x = torch.randn(2, 8, 6, 4)
    expected = torch.zeros_like(x)
    for top in (0, 3):
        for left in (0, 2):
            window = x[:, :, top : top + 3, left : left + 2]
            each = heads(window, 2)
            found = functional.scaled_dot_product_attention(each, each, each)
            expected[:, :, top : top + 3, left : left + 2] = found.mT.reshape(window.shape)
    torch.testing.assert_close(answer(net, x), expected, atol=1e-5, rtol=1e-5)


def test_attention_with_relu_divides_by_the_sum_of_its_weights(tmp_path: Path) -> None:
    net = network(tmp_path, {"x": "24x3x4"}, "out y = x -> relu_attention(4)")
    x = torch.randn(2, 24, 3, 4)
    q, k, v = heads(x, 2).chunk(3, dim=-1)
    weights = q.relu() @ k.relu().mT
    expected = weights @ v / (weights.sum(-1, keepdim=True) + 1e-15)
    torch.testing.assert_close(answer(net, x), expected.mT.reshape(2, 8, 3, 4), atol=1e-5, rtol=1e-5)
