"""The shared folder of a sweep. Its files say all that processes know of each other.

sweep.json           what is swept
budget.json          what it may take; the last one given holds
members/NAME/
  lock               locked while a process works on the member
  progress.json      the time and the steps so far, finished steps, attempts
  output.txt         what its commands printed
  search/, train/    runs
  result.json        when it is done
  failure.json       when a command failed
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from archdsl.documents import Schema, VersionOne
from archdsl.locks import Lock, is_locked, locked
from archdsl.records import record
from archdsl.runs.record import Word
from archdsl.search.sweep.budget import Budget, Spent, read_budget, write_budget
from archdsl.search.sweep.grid import Member
from archdsl.search.sweep.plan import RECORD, Plan
from archdsl.search.sweep.reading import read_file
from archdsl.search.sweep.results import Result
from archdsl.staging import write_atomic
from archdsl.text import visible_json

_RESULT, _FAILURE, _PROGRESS, _BUDGET = "result.json", "failure.json", "progress.json", "budget.json"


class State(StrEnum):
    DONE = "done"
    FAILED = "failed"
    RUNNING = "running"
    STOPPED = "stopped"
    """Begun, and nobody works on it."""
    WAITING = "waiting"


@record
class Failure:
    """Why a member has no result."""

    step: str
    exit: int
    message: str


@record
class Attempt:
    """A command as it was begun once."""

    step: str
    worker: str
    """Host and process."""
    exit: int | None = None
    """None while it runs, and where the worker was killed before it ended."""


@dataclass(slots=True)
class Progress:
    """What a member took so far; only who has its lock changes it."""

    seconds: float = 0.0
    steps: dict[str, int] = field(default_factory=dict[str, int])
    """By command."""
    finished: list[str] = field(default_factory=list[str])
    """Commands."""
    attempts: list[Attempt] = field(default_factory=list[Attempt])

    @property
    def spent(self) -> Spent:
        return Spent(self.seconds, sum(self.steps.values()))


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """The folder of a sweep that was begun."""

    root: Path
    plan: Plan

    @classmethod
    def begin(cls, root: Path, plan: Plan) -> SweepFolder:
        """Begins a sweep, or joins the same one. Raises NotSwept where the folder holds another one, OSError."""
        (root / "members").mkdir(parents=True, exist_ok=True)
        with locked(root / "lock"):
            if (root / RECORD).exists():
                plan.check_same(Plan.read(root), root)
            else:
                write_atomic(root / RECORD, plan.as_json().encode())
        return cls(root, plan)

    @classmethod
    def read(cls, root: Path) -> SweepFolder:
        """Raises NotSwept."""
        return cls(root, Plan.read(root))

    @property
    def directory(self) -> Path:
        """Where commands are run."""
        return (self.root / self.plan.directory).resolve()

    @property
    def cost(self) -> Path | None:
        return None if self.plan.cost is None else Path(os.path.relpath(self.directory / self.plan.cost))

    def home(self, member: Member) -> Path:
        return self.root / "members" / member.name

    # Members ------------------------------------------------------------------------------------

    def state(self, member: Member) -> State:
        home = self.home(member)
        if (home / _RESULT).exists():
            return State.DONE
        if is_locked(home / "lock"):
            return State.RUNNING
        if (home / _FAILURE).exists():
            return State.FAILED
        return State.STOPPED if (home / _PROGRESS).exists() else State.WAITING

    def is_open(self, member: Member) -> bool:
        """Whether it still has to be run, or is being run."""
        home = self.home(member)
        return not (home / _RESULT).exists() and not (home / _FAILURE).exists()

    def take(self, member: Member) -> Lock | None:
        """The lock of an open member; None where another process works on it, or has ended it. Raises OSError."""
        home = self.home(member)
        if not self.is_open(member):
            return None
        home.mkdir(parents=True, exist_ok=True)
        lock = Lock.take(home / "lock")
        if lock is not None and not self.is_open(member):
            lock.release()
            return None
        return lock

    def result(self, member: Member) -> Result | None:
        """Raises NotSwept, OSError."""
        found = read_file(_ResultFile, self.home(member) / _RESULT)
        return None if found is None else Result(**{each.name: getattr(found, each.name) for each in fields(Result)})  # pyright: ignore[reportArgumentType] - records are dataclasses

    def finish(self, member: Member, result: Result) -> None:
        _write(self.home(member) / _RESULT, {"point": dict(member.point), "seed": member.seed, **_data(result)})

    def failure(self, member: Member) -> Failure | None:
        """Raises NotSwept, OSError."""
        found = read_file(_FailureFile, self.home(member) / _FAILURE)
        return None if found is None else Failure(found.step, found.exit, found.message)

    def fail(self, member: Member, failure: Failure) -> None:
        _write(self.home(member) / _FAILURE, _data(failure))

    def retry(self) -> None:
        """Failed members are open again, and go on from their last checkpoint."""
        for member in self.plan.members:
            (self.home(member) / _FAILURE).unlink(missing_ok=True)

    def progress(self, member: Member) -> Progress:
        """Raises NotSwept, OSError."""
        found = read_file(_ProgressFile, self.home(member) / _PROGRESS)
        if found is None:
            return Progress()
        attempts = [Attempt(each.step, each.worker, each.exit) for each in found.attempts]
        return Progress(found.seconds, dict(found.steps), list(found.finished), attempts)

    def note(self, member: Member, progress: Progress) -> None:
        values = {"seconds": round(progress.seconds, 3), "steps": progress.steps, "finished": progress.finished}
        _write(self.home(member) / _PROGRESS, {**values, "attempts": [_data(each) for each in progress.attempts]})

    # Budget -------------------------------------------------------------------------------------

    def limit(self, budget: Budget) -> None:
        """From now on for all processes of the sweep."""
        write_budget(self.root / _BUDGET, budget)

    @property
    def budget(self) -> Budget | None:
        return read_budget(self.root / _BUDGET)

    @property
    def spent(self) -> Spent:
        return sum((self.progress(member).spent for member in self.plan.members), Spent())

    @property
    def is_spent(self) -> bool:
        """Whether nothing of the budget is left."""
        budget = self.budget
        return budget is not None and budget.is_spent(self.spent)


def _data(value: Any) -> dict[str, Any]:
    return asdict(value)


def _write(path: Path, values: Mapping[str, Any]) -> None:
    text = visible_json(json.dumps({"format_version": 1, **values}, indent=2, ensure_ascii=False))
    write_atomic(path, f"{text}\n".encode())


# Files ------------------------------------------------------------------------------------------

_Natural: TypeAlias = Annotated[int, Field(ge=0)]
_Amount: TypeAlias = Annotated[float, Field(ge=0)]


class _ResultFile(Schema):
    format_version: VersionOne
    point: dict[str, str]
    seed: _Natural
    genotype: Word
    accuracy: float = Field(ge=0, le=1)
    params: _Natural
    macs: _Natural
    latency_ms: _Amount | None


class _FailureFile(Schema):
    format_version: VersionOne
    step: str
    exit: int
    message: str


class _AttemptFile(Schema):
    step: str
    worker: str
    exit: int | None


class _ProgressFile(Schema):
    format_version: VersionOne
    seconds: _Amount
    steps: dict[str, _Natural]
    finished: tuple[str, ...]
    attempts: tuple[_AttemptFile, ...]
