"""The commands of a member: a run, and perhaps the training of what it found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from archdsl.search.sweep.grid import Member
from archdsl.search.sweep.plan import Plan

SEARCH, BASELINE, TRAIN = "search", "baseline", "train"
COMMANDS: Final = (SEARCH, BASELINE, TRAIN)
"""Those that can be swept. Each has `--out`, `--seed`, `--set` and `--resume`, and stops at a checkpoint by SIGTERM."""
FINDING: Final = (SEARCH, BASELINE)
"""Those that find a genotype; they have `--cost`."""
_RUN: Final = "run.json"
FOUND: Final = "genotype.arch"
"""What a command that finds a genotype leaves in the folder of its run."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a member."""

    command: str
    arguments: tuple[str, ...]
    run: Path
    """The folder of its run."""

    @property
    def line(self) -> tuple[str, ...]:
        """What `archdsl` is called with; a run that was begun goes on from its last checkpoint."""
        resumed = ("--resume",) if (self.run / _RUN).exists() else ()
        return (self.command, *self.arguments, "--out", str(self.run), *resumed)


def steps(plan: Plan, member: Member, home: Path) -> tuple[Step, ...]:
    """In their order; `home` is the member's folder."""
    seed = ("--seed", str(member.seed))
    given = tuple(part for name, value in member.point for part in ("--set", f"{name}={value}"))
    first = Step(plan.command, (plan.source, *seed, *given, *plan.options), home / plan.command)
    if plan.training is None:
        return (first,)
    found = str(first.run / FOUND)
    return (first, Step(TRAIN, (found, *seed, *plan.training), home / TRAIN))
