"""What `stats` counts beside parameters, against networks that were counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
import torch

from archdsl.cost import figures
from archdsl.cost.memory import peak_memory
from archdsl.cost.receptive_field import ReceptiveField, receptive_field
from archdsl.ir import ClosedGraph
from archdsl.nets import Network
from archdsl.pipeline import load

MADE = Callable[..., ClosedGraph]


@pytest.fixture
def network(tmp_path: Path) -> MADE:
    def made(*lines: str, image: str = "3x32x64") -> ClosedGraph:
        body = "\n".join(f"  {line}" for line in (f"in image: {image}", *lines))
        file = tmp_path / "net.arch"
        file.write_text(f"archdsl 1\n\nspace net() {{\n{body}\n}}\n")
        return load(str(file)).network()

    return made


def test_activations_are_what_layers_write(network: MADE) -> None:
    graph = network("x = image -> conv(8, s = 2) -> bn -> relu", "out y = x -> dwconv(k = 3) -> conv(4, k = 1)")
    found = figures(graph)
    assert found.activations == 3 * 8 * 16 * 32 + 8 * 16 * 32 + 4 * 16 * 32
    assert found.activations_of_layers == 8 * 16 * 32 + 8 * 16 * 32 + 4 * 16 * 32
    assert found.macs == found.macs_of_layers == (3 * 8 * 9 + 8 * 9 + 8 * 4) * 16 * 32


def test_memory_is_that_of_the_maps_that_are_there_at_once(network: MADE) -> None:
    """The image and the first map; batch norm and ReLU run in place; then two maps of 8 channels."""
    plain = peak_memory(network("out y = image -> conv(8) -> bn -> relu -> conv(8)"))
    assert plain.bytes == 4 * (8 + 8) * 32 * 64
    assert plain.node == "y.conv_2"
    kept = peak_memory(network("a = image -> conv(8)", "b = a -> relu -> conv(8)", "out y = a + b"))
    assert kept.bytes == 4 * (8 + 8 + 8) * 32 * 64


def test_a_branch_that_waits_takes_memory(network: MADE) -> None:
    graph = network("a = image -> conv(16)", "b = a -> conv(2, s = 2) -> conv(64) -> resize(2)", "out y = concat(a, b)")
    assert peak_memory(graph).bytes == 4 * (16 + 64 + 80) * 32 * 64


def test_labels_are_64_bit_integers(network: MADE) -> None:
    assert peak_memory(network("out y = image -> argmax", image="1x32x64")).bytes == (4 + 8) * 32 * 64


@pytest.mark.parametrize(
    ("lines", "height", "width"),
    [
        (("out y = image -> conv(4)",), 3, 3),
        (("out y = image -> conv(4, k = 1)",), 1, 1),
        (("out y = image -> conv(4, k = 5x1)",), 5, 1),
        (("out y = image -> conv(4) -> conv(4)",), 5, 5),
        (("out y = image -> conv(4, s = 2) -> conv(4, d = 2)",), 3 + 4 * 2, 3 + 4 * 2),
        (("out y = image -> conv(4, s = 2) -> max_pool(k = 3, s = 2) -> conv(4)",), 3 + 2 * 2 + 2 * 4, 15),
        (("out y = image -> conv(4, s = 2) -> resize(2) -> conv(4)",), 3 + 2 + 2, 7),
        (('out y = image -> conv(4, s = 2) -> resize(2, mode = "nearest") -> conv(4)',), 3 + 2, 5),
        (("a = image -> conv(4)", "out y = a + (a -> conv(4))"), 5, 5),
        (("a = image -> conv(4)", "out y = multiply(a, a -> global_avg_pool)"), inf, inf),
        (("a = image -> conv(4)", "out y = a + (a -> conv(4) -> zero)"), 3, 3),
        (("out y = image -> conv(4, s = 2x1) -> conv(4, d = 1x2)",), 3 + 2 * 2, 3 + 2 * 2),
        (("out y = image -> conv(4, s = 2) -> conv_transpose(4, k = 2, s = 2) -> conv(4)",), 3 + 2, 5),
        (("out y = image -> conv(4, s = 2) -> conv_transpose(4, k = 4, s = 2, pad = 1) -> conv(4)",), 3 + 2 + 2, 7),
        (("out y = image -> conv(4, s = 2) -> depth_to_space(2) -> conv(4)",), 3 + 2, 5),
        (("out y = image -> space_to_depth(2) -> conv(4)",), 2 + 2 * 2, 6),
        (("out y = image -> adaptive_avg_pool(6x8)",), 6, 8),
        (('out y = image -> conv(4) -> resize(2, mode = "bicubic")',), 3 + 3, 6),
    ],
)
def test_receptive_fields(network: MADE, lines: tuple[str, ...], height: float, width: float) -> None:
    assert receptive_field(network(*lines)) == ReceptiveField(height, width)


@pytest.mark.parametrize(
    "pipe",
    [
        "conv(4, s = 2) -> conv(4, k = 5) -> dwconv(k = 3, d = 2)",
        'conv(4, s = 2x1, pad = 0x0x1x1) -> conv(4, k = 5, d = 1x2, s = 1x2, pad = "same") -> dwconv(k = 3)',
    ],
)
def test_a_receptive_field_is_where_torch_has_gradients(network: MADE, pipe: str) -> None:
    graph = network(f"out y = image -> {pipe}", image="3x64x128")
    x_BCHW = torch.rand(1, 3, 64, 128, requires_grad=True)
    outputs = Network(graph).eval()(x_BCHW)
    assert isinstance(outputs, torch.Tensor)
    (gradient,) = torch.autograd.grad(outputs[0, :, 16, 32].sum(), x_BCHW)
    extents = [
        int(hit.max() - hit.min()) + 1
        for axes in ((0, 1, 3), (0, 1, 2))
        for hit in [gradient.abs().sum(dim=axes).nonzero()]
    ]
    assert receptive_field(graph) == ReceptiveField(*extents)
