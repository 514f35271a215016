"""Checkpoints: whole or not there, read without unpickling, optimizers as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from archdsl.settings.optimizers import Adam, Optimizer, Sgd
from archdsl.settings.schedules import Constant
from archdsl.train import checkpoints
from archdsl.train.checkpoints import BrokenCheckpoint, Checkpoint
from archdsl.train.optimizers import optimizer_of
from archdsl.train.typed_torch import manual_seed


def network() -> nn.Sequential:
    manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))


def stepped(module: nn.Module, optimizer: torch.optim.Optimizer, times: int, begin: int = 0) -> None:
    for step in range(begin, begin + times):
        images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        module(images).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize(
    "recipe",
    [
        Sgd(Constant(0.1)),
        Sgd(Constant(0.1), momentum=0.9, weight_decay=1e-3),
        Adam(Constant(0.01)),
        Adam(Constant(0.01), decoupled=True, weight_decay=0.1),
    ],
    ids=["plain", "momentum", "adam", "adamw"],
)
def test_it_goes_on_bit_for_bit(recipe: Optimizer, tmp_path: Path) -> None:
    whole, first, second = network(), network(), network()
    plain, kept = optimizer_of(recipe, whole.parameters()), optimizer_of(recipe, first.parameters())
    stepped(whole, plain, 6)
    stepped(first, kept, 3)
    names = [name for name, _ in first.named_parameters()]
    tensors = {f"network.{name}": each for name, each in first.state_dict().items()}
    tensors |= {f"optimizer.{name}": each for name, each in checkpoints.optimizer_tensors(kept, names).items()}
    place = checkpoints.save(tmp_path, Checkpoint(3, tensors, {"best": 0.5}))
    found = checkpoints.load(place)
    assert (found.step, found.state["best"]) == (3, 0.5)
    second.load_state_dict(found.part("network"))
    again = optimizer_of(recipe, second.parameters())
    checkpoints.restore_optimizer(again, names, found.part("optimizer"))
    stepped(second, again, 3, begin=3)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_the_newest_whole_one_counts(tmp_path: Path) -> None:
    for step in (1, 2, 10):
        checkpoints.save(tmp_path, Checkpoint(step, {"a": torch.ones(1)}), keep=2)
    (tmp_path / ".step-00000011.part").mkdir()
    assert sorted(each.name for each in tmp_path.iterdir() if not each.name.startswith(".")) == [
        "step-00000002",
        "step-00000010",
    ]
    newest = checkpoints.newest(tmp_path)
    assert newest is not None
    assert checkpoints.load(newest).step == 10
    assert checkpoints.newest(tmp_path / "nothing") is None


@pytest.mark.parametrize("damage", ["cut", "text", "gone", "version"])
def test_a_broken_one_is_refused(damage: str, tmp_path: Path) -> None:
    place = checkpoints.save(tmp_path, Checkpoint(1, {"a": torch.ones(100)}))
    tensors, state = place / "tensors.safetensors", place / "state.json"
    match damage:
        case "cut":
            tensors.write_bytes(tensors.read_bytes()[:100])
        case "text":
            state.write_text("{", encoding="utf-8")
        case "gone":
            tensors.unlink()
        case _:
            state.write_text('{"format_version": 99, "step": 1}', encoding="utf-8")
    with pytest.raises(BrokenCheckpoint, match="step-00000001"):
        checkpoints.load(place)


def test_an_optimizer_of_other_parameters_is_refused() -> None:
    optimizer = optimizer_of(Adam(Constant(0.1)), network().parameters())
    with pytest.raises(BrokenCheckpoint, match="no parameter `x`"):
        checkpoints.restore_optimizer(optimizer, ["0.weight"], {"x.step": torch.ones(1)})
