"""Checkpoints: whole or not there, read without unpickling, optimizers as they were."""

from __future__ import annotations

import resource
import shutil
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
from tests.kill_points import killed_at_each_point


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


def saved(folder: Path, value: float, step: int = 1) -> None:
    checkpoints.save(folder, Checkpoint(step, {"a": torch.full((4,), value)}, {"value": value}))


def value_of(folder: Path) -> float | None:
    """Of the newest checkpoint, whose two files belong together."""
    place = checkpoints.newest(folder)
    if place is None:
        return None
    found = checkpoints.load(place)
    assert torch.equal(found.tensors["a"], torch.full((4,), found.state["value"]))
    return found.state["value"]


@pytest.mark.parametrize("step", [1, 2], ids=["of the same step", "of the next step"])
def test_killed_at_any_point_a_whole_checkpoint_is_left(step: int, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    saved(folder, 0.0)
    for point in killed_at_each_point(tmp_path, lambda: saved(folder, 1.0, step)):
        assert value_of(folder) in (0.0, 1.0), f"killed at point {point}"
        shutil.rmtree(folder)
        saved(folder, 0.0)
    assert value_of(folder) == 1.0
    assert [each.name for each in folder.iterdir()] == [f"step-{step:08d}"]


def test_what_a_killed_process_left_goes_with_the_next_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    saved(folder, 0.0)
    for point in killed_at_each_point(tmp_path, lambda: saved(folder, 1.0)):
        saved(folder, 2.0)
        assert value_of(folder) == 2.0
        assert [each.name for each in folder.iterdir()] == ["step-00000001"], f"killed at point {point}"


def test_the_folder_appears_with_its_first_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    for _ in killed_at_each_point(tmp_path, lambda: saved(folder, 1.0)):
        assert value_of(folder) == (1.0 if folder.exists() else None)
        shutil.rmtree(folder, ignore_errors=True)
    assert value_of(folder) == 1.0
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoints"]


def test_a_full_disk_leaves_the_last_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    saved(tmp_path, 1.0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as full:
            checkpoints.save(tmp_path, Checkpoint(2, {"a": torch.ones(100_000)}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(full.value.filename).endswith("step-00000002")
    assert value_of(tmp_path) == 1.0
    assert [each.name for each in tmp_path.iterdir()] == ["step-00000001"]
