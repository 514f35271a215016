"""Files that others wrote: narrow and wide floats, prefixes of wrappers, files of torch, numbers that are none."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from archdsl.ir import ClosedGraph
from archdsl.nets import Network, load_weights
from archdsl.weights import BrokenWeights, UnreadableWeights, WeightsMismatch, fold_batch_norm, load, random_weights
from archdsl.weights.files import open_weights
from archdsl.weights.wrappers import wrapper
from tests.graphs import Sketch, small_network

GRAPH = small_network()


def network() -> Network:
    made = Network(GRAPH, auxiliary=True)
    load_weights(made, random_weights(GRAPH))
    return made


def state(dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """As training code saves it, with the counters of batch norms."""
    return {
        name: tensor.to(dtype) if tensor.is_floating_point() else tensor
        for name, tensor in network().state_dict().items()
    }


def safetensors_of(path: Path, tensors: dict[str, Tensor]) -> None:
    path.write_bytes(safetensors.torch.save({name: tensor.contiguous() for name, tensor in tensors.items()}))


def torch_file(path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save(tensors, path)


def file_of_old_torch(path: Path, tensors: dict[str, Tensor]) -> None:
    torch.save(tensors, path, _use_new_zipfile_serialization=False)


WRITERS = [safetensors_of, torch_file, file_of_old_torch]


def check_loaded(path: Path, expected: dict[str, Tensor], graph: ClosedGraph = GRAPH) -> tuple[str, ...]:
    """That a file has these numbers; gives the notices."""
    found = load(path, graph)
    for name, tensor in found.tensors.items():
        assert tensor.dtype == np.float32
        np.testing.assert_array_equal(tensor, expected[name].float().numpy())
    return found.notices


# Types of numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_floats_become_float32(tmp_path: Path, write: Callable[..., None], dtype: torch.dtype) -> None:
    write(tmp_path / "w", state(dtype))
    assert check_loaded(tmp_path / "w", state(dtype)) == ()


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("dtype", "said"),
    [
        (torch.float8_e4m3fn, r"`head.conv.bias` holds float8 \(F8_E4M3"),
        (torch.float8_e5m2, r"`head.conv.bias` holds float8 \(F8_E5M2\), .* save the weights as float32"),
        (torch.int32, "`head.conv.bias` holds int32, not floating-point numbers"),
        (torch.bool, "`head.conv.bias` holds bool, not floating-point numbers"),
    ],
    ids=str,
)
def test_other_numbers_are_refused_by_name(
    tmp_path: Path, write: Callable[..., None], dtype: torch.dtype, said: str
) -> None:
    write(tmp_path / "w", {**state(), "head.conv.bias": torch.zeros(5).to(dtype)})
    with pytest.raises(UnreadableWeights, match=said):
        load(tmp_path / "w", GRAPH)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize(
    ("dtype", "number", "said"),
    [
        (torch.float32, float("nan"), "1 of the 5 values of `head.conv.bias` are NaN or infinite: take"),
        (torch.bfloat16, float("-inf"), "1 of the 5 values of `head.conv.bias` are NaN or infinite: take"),
        (torch.float64, 1e300, "1 of the 5 values of `head.conv.bias` are NaN or infinite or are beyond float32: take"),
    ],
)
def test_numbers_that_are_none_are_refused_by_name(
    tmp_path: Path, write: Callable[..., None], dtype: torch.dtype, number: float, said: str
) -> None:
    bias = torch.zeros(5, dtype=dtype)
    bias[3] = number
    write(tmp_path / "w", {**state(dtype), "head.conv.bias": bias})
    with pytest.raises(BrokenWeights, match=said):
        load(tmp_path / "w", GRAPH)


def test_a_negative_variance_is_refused_by_name(tmp_path: Path) -> None:
    tensors = state()
    tensors["trunk.bn.running_var"][2] = -0.25
    safetensors_of(tmp_path / "w", tensors)
    with pytest.raises(BrokenWeights, match=r"`trunk.bn.running_var` has the variance -0.25, and none is below zero"):
        load(tmp_path / "w", GRAPH)


def test_folding_that_overflows_is_refused_by_name() -> None:
    weights = random_weights(GRAPH)
    weights["trunk.bn.weight"][0] = 3e38
    weights["trunk.conv.weight"][0] = 3e38
    with pytest.raises(BrokenWeights, match=r"`trunk.conv.weight` has infinite values with `trunk.bn` folded into it"):
        fold_batch_norm(GRAPH, weights)


# Prefixes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "model.module."])
def test_what_wrappers_put_before_all_names_is_left_out_and_said(
    tmp_path: Path, write: Callable[..., None], prefix: str
) -> None:
    write(tmp_path / "w", {f"{prefix}{name}": tensor for name, tensor in state().items()})
    (said,) = check_loaded(tmp_path / "w", state())
    assert said == f"the names of all tensors in `{tmp_path / 'w'}` begin with `{prefix}`, which is left out"


def test_wrappers_of_torch_itself(tmp_path: Path) -> None:
    compiled: Any = cast("Any", torch).compile(nn.DataParallel(network()), backend="eager")
    torch_file(tmp_path / "compiled", compiled.state_dict())
    assert "`_orig_mod.module.`" in check_loaded(tmp_path / "compiled", state())[0]
    torch_file(tmp_path / "averaged", AveragedModel(network()).state_dict())
    assert "`module.`" in check_loaded(tmp_path / "averaged", state())[0]


def test_a_prefix_of_some_names_stays(tmp_path: Path) -> None:
    tensors = {f"module.{name}": tensor for name, tensor in state().items()}
    tensors["head.conv.bias"] = tensors.pop("module.head.conv.bias")
    safetensors_of(tmp_path / "w", tensors)
    with pytest.raises(WeightsMismatch) as caught:
        load(tmp_path / "w", GRAPH)
    assert "module.head.conv.weight" in caught.value.unexpected


def test_a_cell_may_be_called_as_a_wrapper(tmp_path: Path) -> None:
    sketch = Sketch()
    sketch.result("y", sketch.apply("model.conv", "conv", sketch.image(3, 8, 8), c=2))
    graph = sketch.graph()
    tensors = Network(graph).state_dict()
    torch_file(tmp_path / "own", tensors)
    assert check_loaded(tmp_path / "own", tensors, graph) == ()
    torch_file(tmp_path / "wrapped", {f"model.{name}": tensor for name, tensor in tensors.items()})
    assert "begin with `model.`" in check_loaded(tmp_path / "wrapped", tensors, graph)[0]


def test_a_prefix_is_left_out_as_far_as_it_helps() -> None:
    assert wrapper([], {"a"}) == ""
    assert wrapper(["module.a", "module.b"], {"c"}) == ""
    assert wrapper(["module.a", "module.b"], {"a", "c"}) == "module."
    assert wrapper(["module.module.a"], {"module.a"}) == "module."
    assert wrapper(["modules.a"], {"s.a", "a"}) == ""


# Files of torch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [torch_file, file_of_old_torch])
@pytest.mark.parametrize("under", ["state_dict", "model_state_dict", "model", "net"])
def test_a_checkpoint_gives_its_network(tmp_path: Path, write: Callable[..., None], under: str) -> None:
    optimizer = torch.optim.Adam(network().parameters())
    rest: dict[str, object] = {"epoch": 3, "args": argparse.Namespace(lr=0.1), "optimizer": optimizer.state_dict()}
    write(tmp_path / "w", {**rest, under: state()})
    assert check_loaded(tmp_path / "w", state()) == (f"the tensors under `{under}` of `{tmp_path / 'w'}` are taken",)


def test_views_of_a_storage_are_what_torch_sees(tmp_path: Path) -> None:
    base = torch.arange(60.0).view(6, 10)
    views = {
        "rows": base[2:5, ::3],
        "turned": base.t(),
        "one": base[3, 4],
        "none": base[:0],
        "spread": base[0, 1].expand(4),
    }
    torch_file(tmp_path / "w", views)
    found = open_weights(tmp_path / "w").tensors
    assert found.keys() == views.keys()
    for name, view in views.items():
        np.testing.assert_array_equal(found[name].numbers(), view.numpy())


def test_a_network_in_channels_last_is_read(tmp_path: Path) -> None:
    made: Any = network()
    torch_file(tmp_path / "w", made.to(memory_format=torch.channels_last).state_dict())
    check_loaded(tmp_path / "w", state())


class Touch:
    """What a stranger's file can hold: unpickled, it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return open, (str(self.file), "w")


@pytest.mark.parametrize("write", [torch_file, file_of_old_torch])
def test_nothing_in_a_file_is_called(tmp_path: Path, write: Callable[..., None]) -> None:
    write(tmp_path / "w", {"extra": Touch(tmp_path / "touched"), "model": state()})
    check_loaded(tmp_path / "w", state())
    assert not (tmp_path / "touched").exists()
    with (tmp_path / "w").open("rb") as file, pytest.raises(pickle.UnpicklingError):
        torch.load(file, weights_only=True)  # torch's own loader refuses the whole file


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"g": {"a": torch.zeros(1)}, "d": {"a": torch.zeros(1)}},
            r"it has tensors under `g`, `d`; write it by `torch",
        ),
        ([torch.zeros(1)], "it has no tensors by name"),
        (nn.Linear(2, 2), "it has no tensors by name"),
        ({"epoch": 3}, "it has no tensors by name"),
    ],
)
def test_what_is_no_state_dict_says_how_to_write_one(tmp_path: Path, content: object, said: str) -> None:
    torch.save(content, tmp_path / "w")
    with pytest.raises(UnreadableWeights, match=said):
        open_weights(tmp_path / "w")


# Broken files -----------------------------------------------------------------------------------


def written(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype: object = "F32", shape: object = (2,), data_offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": data_offsets}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its header is no JSON"),
        (b"\xff" * 30, "it does not begin with the length of a header"),
        (written(b"{" * 9), "its header is no JSON"),
        (written(b"[" * 100_000), "its header is no JSON"),
        (written(b"\xff\xfe"), "its header is no JSON"),
        (written([1]), "its header is no JSON object"),
        (written(b'{"x": {}, "x": {}}'), "its header has `x` twice"),
        (written({"x": 3}), "`x`: input should be"),
        (written({"x": {"dtype": "F32"}}), "`x`: `shape`: field required"),
        (written({"x": entry(shape=[-2])}, bytes(8)), "`x`: `shape`: `0`: input should be greater than or equal to 0"),
        (written({"x": entry(shape=[True])}, bytes(8)), "`x`: `shape`: `0`: input should be a valid integer"),
        (written({"x": entry(data_offsets=[0, 8, 9])}, bytes(8)), "`x`: `data_offsets`: list should have at most 2"),
        (written({"__metadata__": {"a": 3}}), "`__metadata__`: `a`: input should be a valid string"),
        (written({"__metadata__": 3}), "`__metadata__`: input should be a valid dictionary"),
        (written({"x": entry("F33")}, bytes(8)), "`x` holds numbers of the unknown type `F33`"),
        (written({"x": entry(shape=[3])}, bytes(8)), "`x` takes 12 bytes and lies at 0 to 8, where 0 is free"),
        (written({"x": entry(shape=[2**62, 2**62])}, bytes(8)), "`x` takes 85,070,591,730,234,615,865,843,651,857,942"),
        (written({"x": entry(), "y": entry()}, bytes(8)), "`y` takes 8 bytes and lies at 0 to 8, where 8 is free"),
        (written({"x": entry()}, bytes(7)), "its tensors take 8 bytes, and 7 are there: it is cut off or damaged"),
        (written({"x": entry()}, bytes(9)), "its tensors take 8 bytes, and 9 are there: it is cut off or damaged"),
    ],
)
def test_a_broken_safetensors_file_says_where(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(UnreadableWeights) as caught:
        open_weights(tmp_path / "w")
    assert str(tmp_path / "w") in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("write", WRITERS)
def test_cut_off_and_changed_files_are_refused_in_one_sentence(tmp_path: Path, write: Callable[..., None]) -> None:
    write(tmp_path / "w", {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(3).half()})
    whole = (tmp_path / "w").read_bytes()
    draw = np.random.default_rng(3)
    refused: list[str] = []
    for number in range(300):
        broken = bytearray(whole)
        place = int(draw.integers(len(whole)))
        if number % 3:
            broken[place] = int(draw.integers(256))
        else:
            del broken[place:]
        (tmp_path / "broken").write_bytes(broken)
        try:
            for tensor in open_weights(tmp_path / "broken").tensors.values():
                tensor.numbers()
        except (UnreadableWeights, BrokenWeights) as error:
            refused.append(str(error))
    assert len(refused) > 100
    assert all(said.startswith(str(tmp_path / "broken")) and "\n" not in said for said in refused)


def test_a_compressed_file_is_not_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", bytes(10**8))
    with pytest.raises(UnreadableWeights, match="it is compressed: save it with torch"):
        open_weights(tmp_path / "w")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w")
    with pytest.raises(UnreadableWeights, match="is a pipe or a device, and weights are read in parts"):
        open_weights(tmp_path / "w")
