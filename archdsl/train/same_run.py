"""Whether a run is the one that a folder holds: all that determines it is equal, and it is as long or longer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from archdsl.settings.trainings import Duration, Epochs, Iterations
from archdsl.train.errors import Refused
from archdsl.train.run import Record, length

_Path: TypeAlias = "tuple[str | int, ...]"
_NOTHING: Final = object()
"""Stands for an entry that one of two records lacks."""
_LENGTHS: Final = frozenset({"epochs", "iterations", "iterations_per_epoch", "steps", "steps_per_epoch"})
_SHOWN: Final = 5
"""The largest number of differences that are listed."""
_LONGEST: Final = 60
"""Characters of a value that are shown."""


def check_same(asked: Record, found: Record, folder: Path) -> None:
    """Raises Refused where the run in a folder differs from the one that is asked for, with the settings that do."""
    _check(_plain(asked), _plain(found), folder, lambda path: False)


def is_longer(asked: Record, found: Record, folder: Path) -> bool:
    """Whether the training or search that is asked for is longer than the one in a folder, and else the same.

    Raises Refused where they differ otherwise, or where the one in the folder was to be longer.
    """
    now, before = _plain(asked), _plain(found)
    if "data" in before:
        before["data"].setdefault("images", now["data"]["images"])  # records of before say nothing of them
    _check(now, before, folder, _is_length)
    longer = False
    for what, past, steps in _lengths(before, now):
        if steps < past:
            raise Refused(
                f"{what} in `{folder}` was to take {past:,} steps, and {steps:,} are asked for: a run is resumed for "
                "as long or longer, so give `--epochs` or `--iterations` of at least as much"
            )
        longer = longer or steps > past
    return longer


def _plain(record: Record) -> dict[str, Any]:
    """As it is read from a file."""
    return json.loads(json.dumps(record.values))


def _check(now: Mapping[str, Any], before: Mapping[str, Any], folder: Path, free: Callable[[_Path], bool]) -> None:
    differing = [each for each in _differences(before, now) if each[0] != ("command",) and not free(each[0])]
    if differing:
        listed = ", ".join(_said(*each) for each in differing[:_SHOWN])
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        raise Refused(
            f"the run in `{folder}` was another one: {listed}{more}; give what it was begun with, or another `--out`"
        )


def _differences(before: Any, now: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any, Any]]:
    """The entries that differ, by their paths, with both values."""
    if isinstance(before, dict) and isinstance(now, dict):
        one, other = cast("dict[str, Any]", before), cast("dict[str, Any]", now)
        for name in dict.fromkeys((*one, *other)):
            yield from _differences(one.get(name, _NOTHING), other.get(name, _NOTHING), (*path, name))
    elif before != now:
        ones, others = _objects(before), _objects(now)
        if ones and len(ones) == len(others):
            for place, (one, other) in enumerate(zip(ones, others, strict=True)):
                yield from _differences(one, other, (*path, place))
        else:
            yield path, before, now


def _objects(value: Any) -> list[Any]:
    """The elements of a list that holds objects; empty for anything else."""
    found = cast("list[Any]", value) if isinstance(value, list) else []
    return found if any(isinstance(each, dict) for each in found) else []


def _is_length(path: _Path) -> bool:
    """Whether an entry says how long a run is."""
    match path:
        case ("recipe", "settings", str(name)) | ("stages", int(), str(name)):
            return name in _LENGTHS
        case ("search", "phases", int(), "settings", str(name)):
            return name in _LENGTHS
        case _:
            return False


def _said(path: _Path, before: object, now: object) -> str:
    name = ""
    for step in path:
        if step != "settings":
            name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return f"`{name}` was {_value(before)} and is {_value(now)}"


def _value(value: object) -> str:
    if value is _NOTHING or value is None:
        return "not given"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _lengths(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, int, int]]:
    """What has a length, and its steps in both records, which differ in lengths alone."""
    if "recipe" in now:
        images: int = now["data"]["images"]
        yield "the training", _steps(before, images), _steps(now, images)
    one: Sequence[Mapping[str, Any]] = before.get("stages", ())
    other: Sequence[Mapping[str, Any]] = now.get("stages", ())
    for past, stage in zip(one, other, strict=True):
        yield f"the phase `{stage['phase']}`", past["steps"], stage["steps"]


def _steps(record: Mapping[str, Any], images: int) -> int:
    """The steps of a training on so many images."""
    settings: Mapping[str, Any] = record["recipe"]["settings"]
    duration: Duration
    match settings:
        case {"iterations": int(iterations)}:
            duration = Iterations(iterations)
        case _:
            duration = Epochs(settings["epochs"], settings["iterations_per_epoch"])
    return length(duration, settings["weights"]["batch"], images).steps
