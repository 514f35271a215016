"""The log of a run: JSON Lines, and the same events for TensorBoard."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from archdsl.files import append
from archdsl.runs.journal import JOURNAL, read_lines
from archdsl.staging import write_atomic


class Journal:
    """Appends to `journal.jsonl`. A resumed run first truncates it to its checkpoint (`cut`)."""

    def __init__(self, folder: Path, *, tensorboard: bool = True) -> None:
        self._board = _Board(folder / "tensorboard") if tensorboard else None
        self._file = _Appended(folder / JOURNAL)

    def write(self, event: str, step: int, **values: Any) -> None:
        """Appends one event, `step` or `score`, with its values. Raises OSError."""
        self._file.write((json.dumps({"event": event, "step": step, **values}, allow_nan=False) + "\n").encode())
        if self._board is not None:
            self._board.write(event, step, values)

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def cut(folder: Path, step: int) -> None:
    """Removes the events after a step, which a resumed run writes again, and a line that was cut off.

    Raises NoRun for a broken journal, OSError.
    """
    path = folder / JOURNAL
    if path.exists():
        write_atomic(path, b"".join(line for line, event in read_lines(folder) if event["step"] <= step))


class _Appended:
    """What TensorBoard's records are written to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)

    def write(self, piece: bytes) -> None:
        """Raises OSError."""
        append(self._file, piece, self._path)

    def close(self) -> None:
        self._file.close()


class _Board:
    """Writes events for TensorBoard: each number as a scalar `event/name`, of a search `event/phase/name`."""

    def __init__(self, folder: Path) -> None:
        # By name: it has no types.
        self._events: Any = import_module("tensorboard.compat.proto.event_pb2")
        self._summaries: Any = import_module("tensorboard.compat.proto.summary_pb2")
        records: Any = import_module("tensorboard.summary.writer.record_writer")
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard's own writer writes in a thread, whose failures nobody could catch.
        self._path = folder / f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self._file = _Appended(self._path)
        self._writer = records.RecordWriter(self._file)
        self._add(file_version="brain.Event:2")

    def write(self, event: str, step: int, values: Mapping[str, Any]) -> None:
        summary = self._summaries.Summary
        phase = values.get("phase")
        place = f"{event}/{phase}" if phase else event
        numbers = _numbers(values)
        points = [summary.Value(tag=f"{place}/{name}", simple_value=value) for name, value in numbers]
        self._add(step=step, summary=summary(value=points))

    def _add(self, **values: Any) -> None:
        self._writer.write(self._events.Event(wall_time=time.time(), **values).SerializeToString())

    def close(self) -> None:
        self._file.close()


def _numbers(values: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        match value:
            case bool() | str():
                continue
            case int() | float():
                yield within + name, value
            case dict():
                yield from _numbers(cast("dict[str, Any]", value), f"{within}{name}/")
            case _:
                continue
