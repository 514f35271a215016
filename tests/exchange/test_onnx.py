"""ONNX models become texts with weights, whose own ONNX computes the same; what has no primitive is refused by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import nn

from archdsl.backends.onnx.model import to_onnx
from archdsl.cost import figures
from archdsl.exchange import Imported, NotImported
from archdsl.pipeline import load
from archdsl.weights import random_weights, specification
from tests.exchange.files import loaded, read, written
from tests.onnx_session import Floats, run

Network = tuple[str, dict[str, str], tuple[int, int]]
NETWORKS: Final[tuple[Network, ...]] = (
    ("tests/texts/genotypes/nasbench201_conv3x3.arch", {"c": "4", "cells": "1"}, (16, 16)),
    ("tests/texts/genotypes/fbnet_c.arch", {}, (32, 32)),
    ("tests/texts/genotypes/ofa_largest.arch", {}, (32, 32)),
    ("tests/texts/genotypes/darts_v2.arch", {"c": "4", "layers": "5"}, (16, 16)),
    ("spaces/genotypes/fasterseg_student.arch", {}, (64, 64)),
)


def again(found: Imported, folder: Path) -> onnx.ModelProto:
    """The ONNX model of an imported text."""
    graph = loaded(found, folder).network()
    assert found.tensors is not None
    assert {name: each.shape for name, each in found.tensors.items()} == {
        name: spec.shape for name, spec in specification(graph).items()
    }
    return to_onnx(graph, found.tensors)


def assert_equal(model: onnx.ModelProto, found: Imported, folder: Path, size: tuple[int, ...]) -> None:
    image: Floats = np.random.default_rng(0).normal(size=size).astype(np.float32)
    for one, other in zip(run(model, image).values(), run(again(found, folder), image).values(), strict=True):
        assert one.shape == other.shape
        assert np.allclose(one, other, rtol=1e-5, atol=1e-5 * float(np.abs(one).max()))


@pytest.mark.parametrize(("file", "parameters", "size"), NETWORKS, ids=[Path(each[0]).stem for each in NETWORKS])
def test_published_networks_come_back(
    file: str, parameters: dict[str, str], size: tuple[int, int], tmp_path: Path
) -> None:
    graph = load(file, overrides=parameters, size=size).network()
    model = to_onnx(graph, random_weights(graph, 1))
    found = read(written(tmp_path / "net.onnx", model.SerializeToString()))
    assert figures(loaded(found, tmp_path).network()).macs == figures(graph).macs
    assert_equal(model, found, tmp_path, (1, 3, *size))


class Block(nn.Module):
    """A residual block with squeeze and excitation."""

    def __init__(self, width: int, wider: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, wider, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(wider)
        self.conv2 = nn.Conv2d(wider, wider, 3, 1, 2, dilation=2, groups=wider, bias=True)
        self.bn2 = nn.BatchNorm2d(wider, eps=1e-3)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(wider, wider, 1), nn.Sigmoid())
        self.downsample = nn.Sequential(nn.Conv2d(width, wider, 1, stride), nn.BatchNorm2d(wider))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.bn2(self.conv2(nn.functional.silu(self.bn1(self.conv1(x)))))
        return nn.functional.relu(y * self.gate(y) + self.downsample(x))


class Theirs(nn.Module):
    """A network as torch writes it: pools, resizes, joins, a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.Hardswish(), nn.MaxPool2d(3, 2, 1))
        self.layer1 = nn.Sequential(Block(8, 12, 1), Block(12, 16, 2))
        self.patches = nn.Sequential(
            nn.Conv2d(3, 6, 4, 4), nn.GELU(), nn.ConvTranspose2d(6, 24, 2, 2), nn.LeakyReLU(0.2)
        )
        self.fc = nn.Linear(24, 5)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        stem = self.stem(x)
        deep = self.layer1(stem)
        large = nn.functional.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        joined = torch.cat([large, nn.functional.avg_pool2d(stem, 3, 1, 1, count_include_pad=True)], 1)
        first, second = torch.split(self.patches(x), [10, 14], 1)
        mixed = torch.cat([second, first], 1)[:, 2:20]
        sides = nn.functional.max_pool2d(nn.functional.elu(mixed), (2, 3), (2, 1), (0, 1))
        return self.fc(joined.mean((2, 3))), nn.functional.interpolate(joined, scale_factor=2.0), sides


@pytest.mark.parametrize("dynamo", [True, False], ids=["program", "trace"])
def test_what_torch_exports_comes_back_with_the_names_of_modules(dynamo: bool, tmp_path: Path) -> None:
    network = Theirs().eval()
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator)
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    file = tmp_path / "theirs.onnx"
    export = cast("Callable[..., object]", torch.onnx.export)  # pyright: ignore[reportUnknownMemberType]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(network, (torch.zeros(1, 3, 32, 32),), str(file), dynamo=dynamo, opset_version=18, external_data=False)
    model = onnx.load_model_from_string(file.read_bytes())
    found = read(file)
    assert_equal(model, found, tmp_path, (1, 3, 32, 32))
    for line in ("layer1_0_conv1 = ", "layer1_1_conv2", "stem_0 = ", "-> silu"):
        assert line in found.text


def model_of(
    *nodes: onnx.NodeProto, size: tuple[int | str, ...] = (1, 4, 8, 8), **constants: NDArray[np.generic]
) -> bytes:
    graph = helper.make_graph(
        list(nodes),
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, size)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9).SerializeToString()


ZERO = np.zeros((), np.float32)
WEIGHT = np.ones((4, 4, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (b"", "no ONNX model"),
        (b"\x08\x09garbage", "no ONNX model"),
        (model_of(helper.make_node("Erf", ["x"], ["y"], name="e")), r"`e \(Erf\)`: there is no primitive for it"),
        (
            model_of(helper.make_node("Conv", ["x", "w"], ["y"], name="c", auto_pad="SAME_UPPER"), w=WEIGHT),
            r"`c \(Conv\)`: `auto_pad` is not read",
        ),
        (model_of(helper.make_node("Relu", ["x"], ["y"]), size=(1, 4, "h", 8)), "`x` has no fixed channels"),
        (model_of(helper.make_node("Add", ["x", "b"], ["y"], name="a"), b=np.ones(1, np.float32)), "by a constant"),
        (model_of(helper.make_node("Flatten", ["x"], ["y"], name="f"), size=(1, 4, 2, 2)), "no primitive for it"),
        (model_of(helper.make_node("Clip", ["x", "a", "b"], ["y"]), a=ZERO, b=ZERO + 5), "only 0 and 6"),
        (model_of(helper.make_node("Concat", ["x", "x"], ["y"], name="c", axis=2)), "only channels are joined"),
        (model_of(helper.make_node("Relu", ["w"], ["y"], name="r"), w=WEIGHT), "computes what is constant"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_with_its_node(model: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotImported, match=said):
        read(written(tmp_path / "net.onnx", model))


def test_every_cut_is_refused(tmp_path: Path) -> None:
    whole = model_of(helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1]), w=WEIGHT)
    for at in range(1, len(whole), 37):
        with pytest.raises(NotImported):
            read(written(tmp_path / "net.onnx", whole[:at]))
