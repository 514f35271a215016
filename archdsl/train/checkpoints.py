"""Checkpoints: tensors as safetensors, all other state as JSON; nothing is pickled.

A checkpoint is a folder `step-00001200`. It is written under a temporary name and renamed when complete, so that
training can resume from the newest one at any time: the one before goes when the new one is there, also where both are
of one step. The folder of checkpoints itself appears with its first one.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, Field
from safetensors import SafetensorError
from torch import Tensor

from archdsl.documents import Schema, Unfit, VersionOne, parse
from archdsl.files import read_whole
from archdsl.train.typed_torch import load_file, save_file

FORMAT_VERSION = 1
_TENSORS, _STATE = "tensors.safetensors", "state.json"
_PREVIOUS = ".previous"
_NAME = re.compile(rf"step-(\d{{8,}})({re.escape(_PREVIOUS)})?", re.ASCII)
_PIECE = 1 << 20
_LARGEST_STATE = 64 * _PIECE
_ERROR_NUMBER = re.compile(r"\b(?:code:|os error) (\d+)")


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
    """Writes a checkpoint into a folder, and removes all but the newest `keep`.

    Whoever looks, at any moment, finds one that is whole if there was one. Raises OSError.
    """
    home = folder if folder.is_dir() else folder.with_name(f".{folder.name}.part")
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob(".*.part"):
        shutil.rmtree(left)
    name = _name(checkpoint.step)
    place, previous, waiting = home / name, home / f"{name}{_PREVIOUS}", home / f".{name}.part"
    try:
        waiting.mkdir()
        _write(waiting, checkpoint)
    except BaseException as error:
        shutil.rmtree(waiting, ignore_errors=True)  # what did not fit on a disk does not fill it
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(folder / name)) from error
        raise
    if place.exists():
        _remove(previous)
        place.rename(previous)
    waiting.rename(place)
    if home != folder:
        home.rename(folder)
    _flush(folder)
    for old in _found(folder)[:-keep]:
        _remove(old)
    return folder / name


def _write(waiting: Path, checkpoint: Checkpoint) -> None:
    """Raises OSError."""
    contiguous = {name: each.detach().cpu().contiguous() for name, each in checkpoint.tensors.items()}
    try:
        save_file(contiguous, waiting / _TENSORS)
    except SafetensorError as error:  # it has the number of the system's error in its words alone
        found = _ERROR_NUMBER.search(str(error))
        number = errno.EIO if found is None else int(found[1])
        raise OSError(number, os.strerror(number), str(waiting / _TENSORS)) from error
    head = {"format_version": FORMAT_VERSION, "step": checkpoint.step, "tensors_crc32": _checksum(waiting / _TENSORS)}
    state = {**checkpoint.state, **head}
    (waiting / _STATE).write_text(json.dumps(state, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")
    for written in (waiting / _TENSORS, waiting / _STATE, waiting):
        _flush(written)


def _remove(place: Path) -> None:
    """First by its name: what is half removed is no checkpoint."""
    if place.exists():
        shutil.rmtree(place.rename(place.with_name(f".{place.name}.part")))


def newest(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps; None where there is none."""
    found = _found(folder)
    return found[-1] if found else None


def load(place: Path) -> Checkpoint:
    """Reads a checkpoint. Raises BrokenCheckpoint, which names the file and what is wrong with it."""
    data, state = _read(place / _STATE)
    if place.name.removesuffix(_PREVIOUS) != _name(state.step):
        raise _broken(place / _STATE, f"it is of step {state.step}")
    try:
        if state.tensors_crc32 not in (None, _checksum(place / _TENSORS)):
            raise _broken(place / _TENSORS, "it is not the file that was saved")
        tensors = load_file(place / _TENSORS)
    except OSError as error:
        raise _broken(place / _TENSORS, (error.strerror or str(error)).lower()) from None
    except SafetensorError as error:
        raise _broken(place / _TENSORS, str(error)) from None
    _check_weights(place, tensors)
    return Checkpoint(state.step, tensors, json.loads(data))


def _read(file: Path) -> tuple[bytes, _State]:
    """Raises BrokenCheckpoint."""
    try:
        data = read_whole(file, _LARGEST_STATE + 1)
        if len(data) > _LARGEST_STATE:
            raise _broken(file, f"it is larger than {_LARGEST_STATE >> 20} MiB")
        return data, parse(_State, data)
    except OSError as error:
        raise _broken(file, (error.strerror or str(error)).lower()) from None
    except Unfit as error:
        raise _broken(file, str(error)) from None


class _State(Schema):
    """What the state of every run says; the run's own is said by its schema."""

    model_config = ConfigDict(extra="allow")

    format_version: VersionOne
    step: int = Field(ge=0, le=2**53)
    tensors_crc32: int | None = None
    """Of the file of tensors; those of before have none."""
    best: float | None = Field(default=None, ge=0, le=1)


def _broken(file: Path, what: str) -> BrokenCheckpoint:
    return BrokenCheckpoint(f"`{file}` cannot be read: {what}; put the file back, or begin anew with another `--out`")


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _checksum(file: Path) -> int:
    """Raises OSError."""
    found = 0
    if not file.is_file():  # a pipe would be waited for
        raise OSError(errno.EINVAL, "it is no file" if file.exists() else os.strerror(errno.ENOENT))
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            found = zlib.crc32(piece, found)
    return found


def _check_weights(place: Path, tensors: Mapping[str, Tensor]) -> None:
    """Raises BrokenCheckpoint for weights that no run saves. Moments of an optimizer may be infinite."""
    for name, tensor in tensors.items():
        if name.startswith("optimizer") or not tensor.is_floating_point():
            continue
        wrong = (
            "NaN"
            if tensor.isnan().any()
            else "infinite"
            if tensor.isinf().any()
            else "negative"
            if name.endswith("running_var") and (tensor < 0).any()
            else None
        )
        if wrong is not None:
            raise BrokenCheckpoint(f"`{place}` cannot be gone on with: `{name}` holds {wrong} values")


def _found(folder: Path) -> list[Path]:
    """The complete ones, the newest last; of two of one step the previous one comes first."""
    named = [(each, _NAME.fullmatch(each.name)) for each in (folder.iterdir() if folder.is_dir() else ())]
    order = {each: (int(match[1]), match[2] is None) for each, match in named if match is not None}
    return sorted(order, key=order.__getitem__)


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
    parameters: list[Tensor] = [each for group in optimizer.param_groups for each in group["params"]]
    position = {name: index for index, name in enumerate(names)}
    for path, tensor in tensors.items():
        name, _, key = path.rpartition(".")
        if name not in position:
            raise BrokenCheckpoint(f"the optimizer has no parameter `{name}`")
        wanted = parameters[position[name]].shape
        if tensor.ndim and tensor.shape != wanted:
            raise BrokenCheckpoint(
                f"`{path}` of the optimizer is {list(tensor.shape)}, and its parameter {list(wanted)}"
            )
        state.setdefault(position[name], {})[key] = tensor
    if len({frozenset(each) for each in state.values()}) > 1:
        raise BrokenCheckpoint("the optimizer keeps other tensors for some parameters than for others")
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
