"""Runs that are resumed: for longer, and not as another run or from broken weights."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from archdsl.data import Data, open_data
from archdsl.train import Outcome, Refused, checkpoints, train
from archdsl.train.checkpoints import BrokenCheckpoint
from archdsl.train.distributed import fabric_of
from archdsl.train.prepare import TrainRequest, prepare
from archdsl.train.typed_torch import load_file
from tests.train.small import TEXT

STEADY = TEXT.partition("train small_final")[0] + (
    "train steady of small {\n  iterations = 4\n  weights = sgd(lr = 0.01, momentum = 0.9, batch = 4)\n}\n"
)


@cache
def streets() -> Data:
    return open_data("streets", size=(32, 64), count=8)


def ran(folder: Path, *, text: str = STEADY, resume: bool = False, **asked: Any) -> Outcome:
    """A training in `folder/run`."""
    path = folder / "small.arch"
    path.write_text(text, encoding="utf-8")
    request = TrainRequest(str(path), folder / "run", **asked)
    return train(prepare(request, streets()).setup, fabric_of("cpu", "fp32"), resume=resume)


def last(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "run" / "last.safetensors")


def recorded(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))["recipe"]["settings"]


@pytest.mark.parametrize(
    ("first", "then"), [("iterations", "iterations"), ("epochs", "epochs"), ("iterations", "epochs")]
)
def test_a_training_goes_on_for_longer(first: str, then: str, tmp_path: Path) -> None:
    per_epoch = 2
    length: dict[str, Any] = {"iterations": 4, "epochs": 4 // per_epoch}
    longer: dict[str, Any] = {"iterations": 8, "epochs": 8 // per_epoch}
    (tmp_path / "parts").mkdir()
    (tmp_path / "whole").mkdir()
    assert ran(tmp_path / "parts", **{first: length[first]}).step == 4
    assert ran(tmp_path / "parts", resume=True, **{then: longer[then]}).step == 8
    assert recorded(tmp_path / "parts")[then] == longer[then]
    assert ran(tmp_path / "whole", iterations=8).step == 8
    one, other = last(tmp_path / "parts"), last(tmp_path / "whole")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_is_not_resumed_for_less(tmp_path: Path) -> None:
    ran(tmp_path, iterations=4)
    with pytest.raises(Refused, match="was to take 4 steps, and 3 are asked for"):
        ran(tmp_path, resume=True, iterations=3)
    with pytest.raises(Refused, match="was to take 4 steps, and 2 are asked for"):
        ran(tmp_path, resume=True, epochs=1)
    assert recorded(tmp_path)["iterations"] == 4


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"seed": 2}, "`seed` was 0 and is 2"),
        ({"batch": 2}, "`recipe.weights.batch` was 4 and is 2"),
        ({"crop": (32, 32)}, r"`size` was \[32, 64\] and is \[32, 32\]"),
        ({"text": STEADY.replace("0.01, mom", "poly(0.01), mom")}, "`recipe.weights.lr` was 0.01 and is .*poly"),
        ({"text": STEADY.replace("c = 8) * 2", "c = 8) * 3")}, "`hash` was sha256:.* and is sha256:"),
    ],
)
def test_what_may_not_differ_is_named(more: dict[str, Any], said: str, tmp_path: Path) -> None:
    ran(tmp_path)
    with pytest.raises(Refused, match=said):
        ran(tmp_path, resume=True, **more)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("weight", float("nan"), "NaN"),
        ("weight", float("inf"), "infinite"),
        ("running_var", -1.0, "negative"),
    ],
)
def test_a_checkpoint_with_broken_weights_is_named_with_its_tensor(
    kind: str, value: float, said: str, tmp_path: Path
) -> None:
    ran(tmp_path)
    folder = tmp_path / "run" / "checkpoints"
    found = checkpoints.load(folder / "step-00000004")
    name = next(each for each in found.tensors if each.startswith("learner.network.stem") and each.endswith(kind))
    found.tensors[name].view(-1)[0] = value
    checkpoints.save(folder, found)
    with pytest.raises(BrokenCheckpoint, match=f"`{name}` .*{said}"):
        ran(tmp_path, resume=True, iterations=8)


def test_a_run_that_ended_before_it_saved_anything_is_begun_again(tmp_path: Path) -> None:
    ran(tmp_path)
    run = tmp_path / "run"
    for place in (run / "checkpoints" / "step-00000004").iterdir():
        place.unlink()
    (run / "checkpoints" / "step-00000004").rmdir()
    (run / "checkpoints").rmdir()
    (run / "best.safetensors").unlink()
    assert ran(tmp_path, batch=2).step == 4
    events = [json.loads(line) for line in (run / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [each["step"] for each in events if each["event"] == "step"] == [1, 2, 3, 4]
    with pytest.raises(Refused, match="holds a run already"):
        ran(tmp_path)
