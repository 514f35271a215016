"""Weights of the standalone file: safetensors that the library reads, read by the file without the library."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from torch import nn

from archdsl.backends.torch_source.source import to_torch_source
from archdsl.backends.torch_source.weights_reader import read_safetensors
from archdsl.nets import Network, load_weights
from archdsl.ops import Shape
from archdsl.weights import Tensors, random_weights, save, to_bytes
from tests.backends.modules import module_of
from tests.backends.student import Text, with_auxiliary

WEIGHTS: Tensors = random_weights(with_auxiliary())


@pytest.fixture(scope="module")
def standalone() -> ModuleType:
    return module_of(to_torch_source(with_auxiliary()))


def state(loaded: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in loaded.state_dict().items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize("auxiliary", [False, True])
def test_the_file_reads_what_we_write(tmp_path: Path, standalone: ModuleType, auxiliary: bool) -> None:
    save(tmp_path / "w", WEIGHTS, {"archdsl.hash": "12ab"})
    found = state(standalone.load(tmp_path / "w", auxiliary=auxiliary))
    assert ("deep_conv.weight" in found) is auxiliary
    assert found.keys() <= WEIGHTS.keys()
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor.numpy(), WEIGHTS[name])


def test_the_file_reads_what_the_library_writes(tmp_path: Path, standalone: ModuleType) -> None:
    network = Network(with_auxiliary(), auxiliary=True)
    load_weights(network, WEIGHTS)
    (tmp_path / "w").write_bytes(safetensors.torch.save(network.state_dict(), {"a": "1", "b": "2"}))
    for name, tensor in state(standalone.load(tmp_path / "w", auxiliary=True)).items():
        np.testing.assert_array_equal(tensor.numpy(), WEIGHTS[name])


def test_the_library_reads_what_we_write() -> None:
    found = safetensors.numpy.load(to_bytes(WEIGHTS, {"b": "é", "a": "2"}))
    assert found.keys() == WEIGHTS.keys()
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor, WEIGHTS[name])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_other_floats_are_widened(tmp_path: Path, standalone: ModuleType, dtype: torch.dtype) -> None:
    tensors = {name: torch.as_tensor(tensor).to(dtype) for name, tensor in WEIGHTS.items()}
    (tmp_path / "w").write_bytes(safetensors.torch.save(tensors))
    for name, tensor in state(standalone.load(tmp_path / "w", auxiliary=True)).items():
        assert tensor.dtype is torch.float32
        assert torch.equal(tensor, tensors[name].float())


def test_a_text_without_batch_norms_or_auxiliary_outputs_reads_its_weights_too(tmp_path: Path) -> None:
    text = Text()
    text.result("y", text.apply("conv", text.image(Shape(3, 4, 4)), c=2))
    plain = text.graph("plain")
    save(tmp_path / "w", random_weights(plain), {})
    assert state(module_of(to_torch_source(plain)).load(tmp_path / "w")).keys() == random_weights(plain).keys()


def header(entry: object) -> bytes:
    written = json.dumps({"x": entry}).encode()
    return len(written).to_bytes(8, "little") + written


def described(dtype: str = "F32", shape: tuple[int, ...] = (2,), offsets: tuple[int, ...] = (0, 8)) -> bytes:
    return header({"dtype": dtype, "shape": shape, "data_offsets": offsets})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "its header cannot be read"),
        (b"PK\x03\x04" + bytes(100), "its header cannot be read"),
        (bytes(range(256)), "its header cannot be read"),
        (described()[:20], "its header cannot be read"),
        ((2).to_bytes(8, "little") + b"[]", "its header cannot be read"),
        (header({"dtype": "F32"}), "its header cannot be read"),
        (header(3), "its header cannot be read"),
        (described("I64", offsets=(0, 16)) + bytes(16), "`x` is I64, and only F64, F32, F16, BF16 are read"),
        (described("F8_E4M3", offsets=(0, 2)) + bytes(2), "`x` is F8_E4M3, and only"),
        (header({"dtype": ["F32"], "shape": [2], "data_offsets": [0, 8]}) + bytes(8), "`x` is .'F32'., and only"),
        (header({"dtype": "F32", "shape": ["a"], "data_offsets": [0, 8]}) + bytes(8), "its header cannot be read"),
        (described(offsets=(0,)) + bytes(8), "cut off or damaged: `x`"),
        (described() + struct.pack("<2f", 1, float("nan")), "`x` has NaN or infinite values"),
        (described() + bytes(7), "cut off or damaged: `x`"),
        (described(shape=(3,)) + bytes(8), "cut off or damaged: `x`"),
        (described(offsets=(-8, 0)) + bytes(8), "cut off or damaged: `x`"),
        (described(offsets=(8, 0)) + bytes(8), "cut off or damaged: `x`"),
    ],
)
def test_what_is_no_file_of_weights_is_told(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "w").write_bytes(data)
    with pytest.raises(ValueError, match=reason):
        read_safetensors(str(tmp_path / "w"))


def without(name: str) -> Callable[[], Tensors]:
    return lambda: {other: tensor for other, tensor in WEIGHTS.items() if other != name}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (without("stem_conv3x3.conv_bn_relu.bn.bias"), 'Missing key.*"stem_conv3x3.conv_bn_relu.bn.bias"'),
        (lambda: {**WEIGHTS, "more.weight": np.zeros(3, np.float32)}, 'Unexpected key.*"more.weight"'),
        (
            lambda: {**WEIGHTS, "stem_conv3x3.conv_bn_relu.bn.bias": np.zeros(7, np.float32)},
            "size mismatch for stem_conv3x3.conv_bn_relu.bn.bias",
        ),
    ],
    ids=["missing", "unexpected", "of another shape"],
)
def test_weights_of_another_network_are_told_by_torch(
    tmp_path: Path, standalone: ModuleType, changed: Callable[[], Tensors], said: str
) -> None:
    save(tmp_path / "w", changed(), {})
    with pytest.raises(RuntimeError, match=said):
        standalone.load(tmp_path / "w")
