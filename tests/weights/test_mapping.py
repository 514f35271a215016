"""Checkpoints of other programs for a text's network: by name, by order, by shape, or refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from archdsl.ir import ClosedGraph
from archdsl.pipeline import load
from archdsl.weights import random_weights, save
from archdsl.weights.files import open_weights
from archdsl.weights.mapping import By, mapped

TEXT = """archdsl 1

space net() {
  in image: 3x16x16
  a = image -> conv(8) -> bn -> relu
  b = a -> conv(8) -> bn -> relu
  out logits = (a + b) -> conv(8) -> bn -> global_avg_pool -> linear(5)
}
"""
Tensors = dict[str, torch.Tensor]


@pytest.fixture
def graph(tmp_path: Path) -> ClosedGraph:
    file = tmp_path / "net.arch"
    file.write_text(TEXT, encoding="utf-8")
    return load(str(file)).network()


class Theirs(nn.Module):
    """The same network as somebody else writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.layer = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8))
        self.fc = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.stem(x)
        return self.fc((a + self.last(self.layer(a)) * 0 + self.last(self.layer(a)) - a).mean((2, 3)))


def ours(graph: ClosedGraph) -> Tensors:
    """Random weights under our own names."""
    return {name: torch.tensor(each) for name, each in random_weights(graph, 3).items()}


def found(
    tensors: Tensors, graph: ClosedGraph, folder: Path, *, ordered: bool = True
) -> dict[str, torch.Tensor] | None:
    """What is mapped; None where it is refused."""
    file = folder / ("theirs.pt" if ordered else "theirs.safetensors")
    if ordered:
        torch.save(tensors, file)
    else:
        save(file, {name: each.numpy() for name, each in tensors.items()}, {})
    opened = open_weights(file)
    result = mapped(opened, graph, ordered=ordered)
    if not result.certain:
        return None
    return {name: torch.tensor(each) for name, each in result.tensors(opened).items()}


def same(one: Tensors | None, other: Tensors) -> bool:
    return one is not None and one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("prefix", ["", "module.", "model._orig_mod.", "network.", "task.student.net."])
@pytest.mark.parametrize("ordered", [True, False], ids=["torch", "safetensors"])
def test_names_behind_any_prefix_are_found(prefix: str, ordered: bool, graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = ours(graph)
    wrapped = {"criterion.weight": torch.ones(5), **{f"{prefix}{name}": each for name, each in wanted.items()}}
    assert same(found(wrapped, graph, tmp_path, ordered=ordered), wanted)


def test_a_checkpoint_of_lightning(graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = ours(graph)
    checkpoint = {
        "epoch": 3,
        "state_dict": {f"net.{name}": each for name, each in wanted.items()} | {"loss.weight": torch.ones(5)},
        "optimizer_states": [{"state": {0: {"momentum_buffer": torch.zeros(3)}}}],
    }
    torch.save(checkpoint, tmp_path / "last.ckpt")
    file = open_weights(tmp_path / "last.ckpt")
    result = mapped(file, graph, ordered=True)
    assert (result.certain, result.prefix, dict(result.left)) == (True, "net.", {"loss.weight": (5,)})


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_and_bfloat16_become_float32(dtype: torch.dtype, graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = {name: each.to(dtype) for name, each in ours(graph).items()}
    assert same(found(wanted, graph, tmp_path), {name: each.float() for name, each in wanted.items()})


def test_other_names_in_the_order_of_the_modules(graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = ours(graph)
    theirs = Theirs()
    state = dict(zip((name for name in theirs.state_dict() if "num_batches" not in name), wanted.values(), strict=True))
    theirs.load_state_dict(state, strict=False)
    assert same(found(theirs.state_dict(), graph, tmp_path), wanted)


def test_a_linear_layer_as_a_convolution_of_one_pixel(graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = ours(graph)
    pointwise = {name: each[..., None, None] if each.ndim == 2 else each for name, each in wanted.items()}
    assert (
        same(
            found({f"x{at}.{name}": each for at, (name, each) in enumerate(pointwise.items())}, graph, tmp_path), wanted
        )
        is False
    )
    assert same(found(pointwise, graph, tmp_path), wanted)


def renamed(tensors: Tensors, rule: Callable[[str], str]) -> Tensors:
    return {f"{rule(name.rpartition('.')[0])}.{name.rpartition('.')[2]}": each for name, each in tensors.items()}


def test_what_would_be_a_guess_is_refused(graph: ClosedGraph, tmp_path: Path) -> None:
    wanted = ours(graph)
    other = renamed(wanted, lambda layer: f"layer_{sorted({n.rpartition('.')[0] for n in wanted}).index(layer)}")
    assert same(found(other, graph, tmp_path), wanted)
    assert found(other, graph, tmp_path, ordered=False) is None  # two layers of one shape, and no order
    assert found(dict(reversed(other.items())), graph, tmp_path) is None
    assert (
        found({name: each for name, each in other.items() if not name.endswith("running_var")}, graph, tmp_path) is None
    )


def test_a_shape_that_is_there_once_is_told_without_an_order(tmp_path: Path) -> None:
    file = tmp_path / "two.arch"
    file.write_text(
        "archdsl 1\n\nspace two() {\n  in image: 3x8x8\n  out y = image -> conv(4) -> relu -> conv(5, k = 1)\n}\n",
        encoding="utf-8",
    )
    graph = load(str(file)).network()
    wanted = ours(graph)
    other = dict(reversed(renamed(wanted, lambda layer: f"z{layer}").items()))
    assert same(found(other, graph, tmp_path, ordered=False), wanted)
    save(tmp_path / "theirs.safetensors", {name: each.numpy() for name, each in other.items()}, {})
    result = mapped(open_weights(tmp_path / "theirs.safetensors"), graph, ordered=False)
    assert {pair.by for pair in result.pairs} == {By.SHAPE}
