"""Checkpoints: tensors as safetensors, all other state as JSON; nothing is pickled.

A checkpoint is a folder `step-00001200`. It is written under a temporary name and renamed when complete, so that
training can resume from the newest one at any time.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from archdsl.train.typed_torch import load_file, save_file

FORMAT_VERSION = 1
_TENSORS, _STATE = "tensors.safetensors", "state.json"
_NAME = re.compile(r"step-(\d{8,})")


class BrokenCheckpoint(Exception):
    """An unreadable checkpoint, or one of another network or version; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`tensors` by name, such as `learner.network.stem.conv.weight`; `state` is JSON data."""

    step: int
    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under a prefix, with the prefix removed from their names."""
        return {
            name.removeprefix(f"{prefix}."): each
            for name, each in self.tensors.items()
            if name.startswith(f"{prefix}.")
        }


def save(folder: Path, checkpoint: Checkpoint, *, keep: int = 1) -> Path:
    """Writes a checkpoint into a folder, and removes all but the newest `keep`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"step-{checkpoint.step:08d}"
    waiting = folder / f".{place.name}.part"
    shutil.rmtree(waiting, ignore_errors=True)
    waiting.mkdir()
    contiguous = {name: each.detach().cpu().contiguous() for name, each in checkpoint.tensors.items()}
    save_file(contiguous, waiting / _TENSORS)
    state = {"format_version": FORMAT_VERSION, "step": checkpoint.step, **checkpoint.state}
    (waiting / _STATE).write_text(json.dumps(state, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    for written in (waiting / _TENSORS, waiting / _STATE, waiting):
        _flush(written)
    if place.exists():
        shutil.rmtree(place)
    waiting.rename(place)
    _flush(folder)
    for old in _found(folder)[:-keep]:
        shutil.rmtree(old)
    return place


def newest(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps; None where there is none."""
    found = _found(folder)
    return found[-1] if found else None


def load(place: Path) -> Checkpoint:
    """Reads a checkpoint. Raises BrokenCheckpoint."""
    try:
        state: Any = json.loads((place / _STATE).read_text(encoding="utf-8"))
        tensors = load_file(place / _TENSORS)
    except (OSError, ValueError, SafetensorError) as error:
        raise BrokenCheckpoint(f"`{place}` cannot be read: {error}") from None
    match state:
        case {"format_version": int(version), "step": int(step)} if version == FORMAT_VERSION:
            return Checkpoint(step, tensors, state)
        case _:
            raise BrokenCheckpoint(f"`{place}` is not a checkpoint of this version")


def _found(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        (each for each in folder.iterdir() if _NAME.fullmatch(each.name)), key=lambda each: int(each.name[5:])
    )


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# Optimizers -------------------------------------------------------------------------------------


def optimizer_tensors(optimizer: torch.optim.Optimizer, names: list[str]) -> dict[str, Tensor]:
    """The optimizer's state tensors by parameter name: `stem.conv.weight.momentum_buffer`."""
    state: dict[int, dict[str, Any]] = optimizer.state_dict()["state"]
    return {
        f"{names[index]}.{key}": value if isinstance(value, Tensor) else torch.tensor(value)
        for index, kept in state.items()
        for key, value in kept.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, names: list[str], tensors: Mapping[str, Tensor]) -> None:
    """Restores the state that `optimizer_tensors` gave. Raises BrokenCheckpoint for an unknown parameter."""
    state: dict[int, dict[str, Tensor]] = {}
    position = {name: index for index, name in enumerate(names)}
    for path, tensor in tensors.items():
        name, _, key = path.rpartition(".")
        if name not in position:
            raise BrokenCheckpoint(f"the optimizer has no parameter `{name}`")
        state.setdefault(position[name], {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
