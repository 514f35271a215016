"""`journal.jsonl`: what happened in a run, one event a line.

Events are JSON objects with `event` and `step`; what else those of a name have is said by their schemas. The last line
may be cut off, for a run is killed at any moment, and read at any moment; any other line is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, cast

from pydantic import ConfigDict, Field

from archdsl.documents import Schema, Unfit, parse
from archdsl.files import read_whole
from archdsl.runs.errors import NoRun
from archdsl.runs.record import Answers, Word

JOURNAL: Final = "journal.jsonl"

_Natural: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]
_Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class Event(Schema):
    """Of any name."""

    model_config = ConfigDict(extra="allow")

    event: Word
    step: _Natural
    phase: Word | None = None
    epoch: _Natural | None = None


class _Step(Event):
    loss: float | None = None
    objective: float | None = None
    lr: float | None = None
    cost: dict[Word, float] = Field(default_factory=dict)
    __pydantic_extra__: dict[str, float | None]  # pyright: ignore[reportIncompatibleVariableOverride] - as pydantic has it
    """The terms of the loss, and further rates."""


class _Score(Event):
    miou: _Share | None = None
    accuracy: _Share | None = None
    top1: _Share | None = None
    top5: _Share | None = None


class _Answers(Event):
    entropy: dict[Word, float] = Field(default_factory=dict)


class _Derived(Event):
    of_step: _Natural


class _Stopped(Event):
    why: str = ""


class CandidateEvent(Event):
    """A genotype that was evaluated; `step` counts from 1."""

    answers: Answers
    accuracy: _Share
    params: Annotated[int, Field(ge=0)]
    macs: Annotated[int, Field(ge=0)]
    latency_ms: Annotated[float, Field(ge=0)] | None = None


CANDIDATE: Final = "candidate"
_SCHEMAS: Final[dict[str, type[Event]]] = {
    "step": _Step,
    "score": _Score,
    "answers": _Answers,
    "derived": _Derived,
    "stopped": _Stopped,
    CANDIDATE: CandidateEvent,
}


def read_events(folder: Path) -> list[dict[str, Any]]:
    """The events of a run, in their order; none where it has no journal. Raises NoRun, OSError."""
    return [event for _, event in read_lines(folder)]


def read_lines(folder: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The events of a run with the lines that they stand in. Raises NoRun, OSError."""
    file = folder / JOURNAL
    if not file.exists():
        return
    lines = read_whole(file).removesuffix(b"\n").split(b"\n")
    if not _is_json(lines[-1]):
        lines.pop()
    for number, line in enumerate(lines, start=1):
        try:
            yield line + b"\n", _event(line)
        except Unfit as error:
            raise NoRun(f"`{file}`, line {number:,}: {error}; restore the line, or take it out") from None


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _event(line: bytes) -> dict[str, Any]:
    """Raises Unfit."""
    try:
        found = cast("dict[str, Any]", json.loads(line, parse_constant=_refused))
        schema = _SCHEMAS.get(found["event"], Event)
    except (ValueError, LookupError, TypeError, RecursionError):
        found, schema = {}, Event  # what is wrong with it is for the schema to say
    parse(schema, line)
    if not found:
        raise Unfit("it holds NaN or Infinity, which are no numbers of JSON")
    return found


def _refused(constant: str) -> float:
    raise ValueError(constant)
