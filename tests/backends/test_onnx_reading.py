"""ONNX files of strangers: what they may hold, how large their maps may be, and in which words they are refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from archdsl import api
from archdsl.backends.failures import TargetFailed, UnreadableModel
from archdsl.backends.onnx.reading import read_model
from archdsl.backends.onnx.runtime import observe_onnx
from archdsl.backends.onnx.session import open_onnx
from archdsl.cli.main import run
from archdsl.train.errors import NotFinite
from archdsl.train.inference import NetworkRequest, open_network
from archdsl.weights import BrokenWeights, UnreadableWeights

TEXT = """archdsl 1

space tiny(classes = 11) {
  in image: 3x32x64
  x = image -> conv(4) -> relu -> bn
  out logits = x -> conv(classes, k = 1)
}
"""
CPU = torch.device("cpu")
IMAGE = torch.zeros(1, 3, 32, 64)


def compiled(folder: Path) -> onnx.ModelProto:
    (folder / "tiny.arch").write_text(TEXT, encoding="utf-8")
    api.compile(folder / "tiny.arch", "onnx", folder / "tiny.onnx")
    return onnx.load_model_from_string((folder / "tiny.onnx").read_bytes())


def model_of(
    nodes: Sequence[onnx.NodeProto],
    given: dict[str, NDArray[np.generic]],
    *,
    size: tuple[int | str, int | str] = (32, 64),
) -> onnx.ModelProto:
    """A model from `x` to `y`, with these tensors."""
    shape: list[int | str] = [1, 3, *size]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", "y")]
    tensors = [numpy_helper.from_array(array, name) for name, array in given.items()]
    graph = helper.make_graph(list(nodes), "g", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def written(folder: Path, model: onnx.ModelProto) -> str:
    (folder / "x.onnx").write_bytes(model.SerializeToString())
    return str(folder / "x.onnx")


def integers(*numbers: int) -> NDArray[np.generic]:
    return np.array(numbers, np.int64)


# Sizes ------------------------------------------------------------------------------------------

LARGE = integers(1, 3, 16384, 16384)
ADDED = [helper.make_node("ReduceMax", ["large"], ["one"], keepdims=1), helper.make_node("Add", ["x", "one"], ["y"])]


@pytest.mark.parametrize(
    ("nodes", "given", "said"),
    [
        ([helper.make_node("ConstantOfShape", ["s"], ["y"])], {"s": LARGE}, "`y` takes 3 GiB"),
        ([helper.make_node("ConstantOfShape", ["s"], ["large"]), *ADDED], {"s": LARGE}, "`large` takes 3 GiB"),
        ([helper.make_node("Tile", ["x", "s"], ["large"]), *ADDED], {"s": integers(1, 1, 512, 256)}, "takes 3 GiB"),
        (
            [helper.make_node("Mul", ["s", "s"], ["p"]), helper.make_node("ConstantOfShape", ["p"], ["large"]), *ADDED],
            {"s": integers(1, 2, 128, 128)},
            "`large` takes 4 GiB",
        ),
        (
            [
                *(helper.make_node("ConstantOfShape", ["s"], [f"part_{n}"]) for n in range(20)),
                helper.make_node("Sum", [f"part_{n}" for n in range(20)], ["large"]),
                *ADDED,
            ],
            {"s": integers(1, 3, 2048, 4096)},
            "`part_0` and other maps in which no image has a part take 1.97 GiB together",
        ),
    ],
    ids=["output", "inner map", "map of the image", "computed shape", "many maps"],
)
def test_a_small_file_with_large_maps_is_refused_before_it_runs(
    tmp_path: Path, nodes: Sequence[onnx.NodeProto], given: dict[str, NDArray[np.generic]], said: str
) -> None:
    model = model_of(nodes, given)
    with pytest.raises(UnreadableModel) as caught:
        open_network(NetworkRequest(written(tmp_path, model)), CPU)
    assert said in str(caught.value)
    with pytest.raises(UnreadableModel):
        observe_onnx(model.SerializeToString(), {"x": IMAGE.numpy()}, ())


def test_open_sizes_are_known_when_it_runs(tmp_path: Path) -> None:
    scales = np.array([1, 1, 512, 512], np.float32)
    nodes = [helper.make_node("Resize", ["x", "", "s"], ["large"], mode="nearest"), *ADDED]
    network = open_network(NetworkRequest(written(tmp_path, model_of(nodes, {"s": scales}, size=("h", "w")))), CPU)
    assert network.logits(IMAGE[..., :2, :2]).shape == (1, 3, 2, 2)
    with pytest.raises(UnreadableModel, match="`large` takes 6 GiB"):
        network.logits(IMAGE)


# Contents ---------------------------------------------------------------------------------------


def test_numbers_that_are_none_are_refused_by_name(tmp_path: Path) -> None:
    for number in (float("nan"), float("inf")):
        model = compiled(tmp_path)
        tensor = next(each for each in model.graph.initializer if each.name == "x_conv.weight")
        numbers = numpy_helper.to_array(tensor).copy()
        numbers[1, 2, 0, 0] = number
        tensor.CopyFrom(numpy_helper.from_array(numbers, tensor.name))
        place = written(tmp_path, model)
        with pytest.raises(BrokenWeights, match=r"`x_conv.weight` has NaN or infinite values"):
            open_onnx(Path(place))
        assert run(["predict", place, str(tmp_path / "no.png"), "-o", str(tmp_path / "out"), "--device", "cpu"]) in (
            1,
            2,
        )


def test_a_negative_variance_is_refused_by_name(tmp_path: Path) -> None:
    model = compiled(tmp_path)
    (tensor,) = (each for each in model.graph.initializer if each.name == "x_bn.running_var")
    tensor.CopyFrom(numpy_helper.from_array(np.array([1, 1, -2, 1], np.float32), tensor.name))
    with pytest.raises(BrokenWeights, match=r"`x_bn.running_var` has the variance -2, and none is below zero"):
        open_onnx(Path(written(tmp_path, model)))


def test_logits_that_are_no_numbers_are_not_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nodes = [helper.make_node("Sub", ["x", "x"], ["z"]), helper.make_node("Div", ["z", "z"], ["y"])]
    place = written(tmp_path, model_of(nodes, {}))
    with pytest.raises(NotFinite, match="gives NaN or infinite logits"):
        open_network(NetworkRequest(place), CPU).logits(IMAGE)


@pytest.mark.parametrize(
    ("name", "value", "error", "said"),
    [
        ("mean", "[NaN, 0, 0]", UnreadableWeights, "`mean` of its metadata is no JSON list of finite numbers"),
        ("std", "[Infinity, 1, 1]", UnreadableWeights, "`std` of its metadata is no JSON list of finite numbers"),
        ("std", "[1e999, 1, 1]", UnreadableWeights, "`std` of its metadata is no JSON list of finite numbers"),
        ("mean", "[true, 0, 0]", UnreadableWeights, "`mean` of its metadata is no JSON list of finite numbers"),
        ("class_names", '["a", 3]', UnreadableWeights, "`class_names` of its metadata is no JSON list of texts"),
        ("class_names", "[" * 100_000, UnreadableWeights, "`class_names` of its metadata is no JSON list of texts"),
        ("padding_multiple", "0", UnreadableModel, "`padding_multiple` of its metadata is `0`"),
        ("padding_multiple", "9" * 5000, UnreadableModel, "`padding_multiple` of its metadata is `999"),
        ("padding_multiple", "²", UnreadableModel, "`padding_multiple` of its metadata is `²`"),
        ("channel_order", "GBR", UnreadableModel, "`channel_order` of its metadata is `GBR`"),
    ],
)
def test_metadata_have_a_form(tmp_path: Path, name: str, value: str, error: type[Exception], said: str) -> None:
    model = compiled(tmp_path)
    for each in model.metadata_props:
        each.value = {"mean": "[0, 0, 0]", "std": "[1, 1, 1]", name: value}.get(each.key, each.value)
    with pytest.raises(error) as caught:
        open_onnx(Path(written(tmp_path, model)))
    assert said in str(caught.value) and str(tmp_path) in str(caught.value)


def with_loop() -> onnx.ModelProto:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("n", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [1, 3, 32, 64]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [1, 3, 32, 64]),
        ],
    )
    nodes = [helper.make_node("Loop", ["m", "c", "x"], ["y"], name="round", body=body)]
    return model_of(nodes, {"m": np.array(2**62, np.int64), "c": np.array(1, np.bool_)})


def with_function() -> onnx.ModelProto:
    model = model_of([helper.make_node("Twice", ["x"], ["y"], domain="d")], {})
    model.opset_import.append(helper.make_opsetid("d", 1))
    inner = [helper.make_node("Add", ["a", "a"], ["b"])]
    model.functions.append(helper.make_function("d", "Twice", ["a"], ["b"], inner, [helper.make_opsetid("", 20)]))
    return model


def in_another_file() -> onnx.ModelProto:
    model = model_of([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.zeros((1, 3, 32, 64), np.float32)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model


def cut_off() -> onnx.ModelProto:
    model = model_of([helper.make_node("Add", ["x", "w"], ["y"])], {"w": np.zeros((1, 3, 32, 64), np.float32)})
    model.graph.initializer[0].raw_data = bytes(12)
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (onnx.ModelProto(), "it has no input or no output"),
        (with_loop(), "the node `round` (Loop) has a graph inside it"),
        (with_function(), "defines the operator `Twice`"),
        (in_another_file(), "the numbers of `w` lie in another file"),
        (cut_off(), "the tensor `w` is cut off or damaged"),
    ],
    ids=["empty", "loop", "function", "another file", "cut off"],
)
def test_what_no_network_of_ours_has_is_refused(model: onnx.ModelProto, said: str) -> None:
    with pytest.raises(UnreadableModel) as caught:
        read_model(model.SerializeToString(), "x.onnx")
    assert said in str(caught.value)


@pytest.mark.parametrize("command", ["eval", "predict", "bench"])
def test_broken_files_end_every_command_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "x.onnx").write_bytes(compiled(tmp_path).SerializeToString()[:-40])
    place = str(tmp_path / "x.onnx")
    rest = {"eval": ["--size", "32x64"], "predict": [place, "-o", str(tmp_path / "new")], "bench": []}[command]
    assert run([command, place, *rest]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"error: `{place}` is no ONNX model, or is cut off"


def test_changed_bytes_are_refused_or_run(tmp_path: Path) -> None:
    whole = compiled(tmp_path).SerializeToString()
    draw = np.random.default_rng(5)
    refused = 0
    for number in range(150):
        broken = bytearray(whole)
        for _ in range(1 + number % 3):
            broken[int(draw.integers(len(whole)))] = int(draw.integers(256))
        (tmp_path / "x.onnx").write_bytes(broken)
        try:
            open_network(NetworkRequest(str(tmp_path / "x.onnx")), CPU).logits(IMAGE)
        except (UnreadableModel, UnreadableWeights, BrokenWeights, NotFinite, TargetFailed):
            refused += 1
    assert 30 < refused < 150


def test_a_manifest_does_not_vouch_for_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify` runs what its checksum fits, and looks at the model first all the same."""
    compiled(tmp_path)
    manifest = tmp_path / "tiny.onnx.manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    data = model_of([helper.make_node("ConstantOfShape", ["s"], ["y"])], {"s": LARGE}).SerializeToString()
    (tmp_path / "tiny.onnx").write_bytes(data)
    (artefact,) = content["artefacts"]
    artefact.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    manifest.write_text(json.dumps(content), encoding="utf-8")
    assert run(["verify", str(tmp_path / "tiny.arch"), str(manifest)]) == 2
    assert "`y` takes 3 GiB" in capsys.readouterr().err


def mean_of(shape: Sequence[int | str]) -> onnx.ModelProto:
    """The mean of an image of this declared shape: a small file and a small result, whatever it reads."""
    model = model_of([helper.make_node("ReduceMean", ["x"], ["y"], keepdims=1)], {})
    for port, dims in ((model.graph.input[0], shape), (model.graph.output[0], (1, 1, 1, 1))):
        port.CopyFrom(helper.make_tensor_value_info(port.name, TensorProto.FLOAT, dims))
    return model


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 3, 2**31 - 1, 2**31 - 1), "at most 268,435,456 numbers of an image are timed"),
        ((1, 3, 1_000_000, 100_000), "at most 268,435,456 numbers of an image are timed"),
        ((1, "c", 32, 64), "is for images of any size: give one with `--input 1x3xHxW`"),
    ],
)
def test_a_file_for_images_that_nobody_has_is_not_timed(
    shape: tuple[int | str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, mean_of(shape))
    assert run(["bench", file]) == 2
    assert said in capsys.readouterr().err


def test_a_file_for_images_of_a_billion_channels_predicts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, mean_of((1, 2**40, 32, 64)))
    (tmp_path / "image.ppm").write_bytes(b"P6 64 32 255\n" + bytes(3 * 32 * 64))
    assert run(["predict", file, str(tmp_path / "image.ppm"), "-o", str(tmp_path / "out")]) == 2
    assert "`x` of" in (said := capsys.readouterr().err) and "channels, and images have 1 to 4" in said
