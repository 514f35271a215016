"""Weights in every command that reads them: files of torch, wrapped names, numbers that are no weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from archdsl import api
from archdsl.cli.main import run
from archdsl.weights import BrokenWeights

TEXT = """archdsl 1

space tiny(classes = 11) {
  in image: 3x32x64
  x = image -> conv(4) -> bn
  out logits = x -> conv(classes, k = 1)
}
"""
STREETS = ["--data", "streets", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A text, an image, and weights as they were compiled."""
    (tmp_path / "tiny.arch").write_text(TEXT, encoding="utf-8")
    Image.new("RGB", (64, 32)).save(tmp_path / "image.png")
    api.compile(tmp_path / "tiny.arch", "torch", tmp_path / "out")
    return tmp_path


def state(folder: Path) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in api.build(folder / "tiny.arch").state_dict().items()}


def commands(folder: Path, weights: Path) -> dict[str, list[str]]:
    text, given = str(folder / "tiny.arch"), ["--weights", str(weights)]
    return {
        "compile to torch": ["compile", text, "--target", "torch", "-o", str(folder / "new"), *given],
        "compile to ONNX": ["compile", text, "--target", "onnx", "-o", str(folder / "new"), *given],
        "verify": ["verify", text, str(folder / "out"), *given],
        "eval": ["eval", text, *STREETS, "--size", "32x64", *given],
        "predict": ["predict", text, str(folder / "image.png"), "-o", str(folder / "new"), "--device", "cpu", *given],
        "train": ["train", text, "--out", str(folder / "run"), *STREETS, "--init", str(weights), "--iterations", "1"],
    }


COMMANDS = list(commands(Path(), Path()))


def nan(tensors: dict[str, Tensor]) -> str:
    tensors["x_conv.weight"][1, 0, 0, 0] = float("nan")
    return "1 of the 108 values of `x_conv.weight` are NaN or infinite"


def negative(tensors: dict[str, Tensor]) -> str:
    tensors["x_bn.running_var"][3] = -1.5
    return "`x_bn.running_var` has the variance -1.5, and none is below zero"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("broken", [nan, negative])
def test_numbers_that_are_none_are_refused_by_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str, broken: Callable[[dict[str, Tensor]], str]
) -> None:
    tensors, weights = state(folder), folder / "w.pt"
    said = broken(tensors)
    torch.save(tensors, weights)
    assert run(commands(folder, weights)[command]) == 1
    assert said in capsys.readouterr().err
    assert not (folder / "new").exists()
    assert not (folder / "run").exists()


def test_python_gets_them_as_an_exception(folder: Path) -> None:
    tensors = state(folder)
    said = nan(tensors)
    torch.save(tensors, folder / "w.pt")
    with pytest.raises(BrokenWeights, match=said):
        api.build(folder / "tiny.arch", weights=folder / "w.pt")


@pytest.mark.parametrize("command", [each for each in COMMANDS if each != "train"])
def test_what_a_wrapper_put_before_names_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    weights = folder / "w.pt"
    torch.save({"model": {f"module.{name}": tensor for name, tensor in state(folder).items()}}, weights)
    assert run(commands(folder, weights)[command]) == 0
    said = capsys.readouterr().err
    assert f"the tensors under `model` of `{weights}` are taken\n" in said
    assert f"the names of all tensors in `{weights}` begin with `module.`, which is left out\n" in said


def test_a_file_of_torch_compiles_to_its_numbers(folder: Path) -> None:
    weights = folder / "w.pt"
    torch.save({f"_orig_mod.{name}": tensor.bfloat16() for name, tensor in state(folder).items()}, weights)
    image = torch.randn(1, 3, 32, 64)
    made = api.compile(folder / "tiny.arch", "torch", folder / "new", weights=weights, verify=True)
    assert made.parity is not None and made.parity.within()
    expected = api.build(folder / "tiny.arch")
    expected.load_state_dict({name: tensor.bfloat16().to(tensor.dtype) for name, tensor in state(folder).items()})
    np.testing.assert_array_equal(
        api.build(folder / "tiny.arch", weights=weights).eval()(image).detach(), expected.eval()(image).detach()
    )


def test_weights_named_as_a_network_say_what_to_do(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(state(folder), folder / "w.pth")
    assert run(["eval", str(folder / "w.pth"), *STREETS]) == 2
    assert "holds weights: name the text of its network, and give them with `--weights`" in capsys.readouterr().err
