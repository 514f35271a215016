"""What a baseline evaluated, as its journal has it: one line for each candidate.

    {"event": "candidate", "step": 3, "answers": {"block.operator": ["conv3x3"], …}, "accuracy": 0.4123,
     "params": 12345, "macs": 678901, "latency_ms": 7.25}

`step` counts candidates from 1, `accuracy` is what they are compared by, mIoU or of whole images top-1, 0 to 1;
`latency_ms` stands where the run has a cost table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from archdsl.pipeline.spelled_answers import spelled_answers
from archdsl.runs.journal import CANDIDATE, read_events
from archdsl.search.baselines.bounds import Costs
from archdsl.space import Program
from archdsl.space.trace import Answers


@dataclass(frozen=True, slots=True)
class Candidate:
    """A genotype that was evaluated."""

    number: int
    """From 1."""
    answers: Mapping[str, Sequence[str]]
    """By the spelling of paths."""
    accuracy: float
    params: int
    macs: int
    latency_ms: float | None = None

    @classmethod
    def of(cls, program: Program, number: int, answers: Answers, accuracy: float, costs: Costs) -> Candidate:
        latency_ms = None if costs.seconds is None else round(1e3 * costs.seconds, 9)
        spelled = spelled_answers(program, answers)
        return cls(number, spelled, accuracy, costs.figures.params, costs.figures.macs, latency_ms)

    @property
    def values(self) -> dict[str, Any]:
        """The line's values beside event and step."""
        found = {"answers": self.answers, "accuracy": self.accuracy, "params": self.params, "macs": self.macs}
        return found if self.latency_ms is None else {**found, "latency_ms": self.latency_ms}


def read_candidates(folder: Path) -> list[Candidate]:
    """Those of a run; none where it has no journal yet. Raises NoRun, OSError."""
    return [
        Candidate(
            event["step"], event["answers"], event["accuracy"], event["params"], event["macs"], event.get("latency_ms")
        )
        for event in read_events(folder)
        if event["event"] == CANDIDATE
    ]


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """The most accurate; of equal ones the first."""
    return max(candidates, key=lambda each: each.accuracy)


@dataclass(frozen=True, slots=True)
class Summary:
    """Candidates together, as the papers' tables of random search have them."""

    count: int
    mean: float
    """Of accuracies."""
    deviation: float | None
    """Of a sample; None for one candidate."""
    latency_ms: tuple[float, float, float] | None
    """The least, the mean and the greatest; None without a cost table."""
    fps: float | None
    """The mean of 1 / latency."""

    @classmethod
    def of(cls, candidates: Sequence[Candidate]) -> Summary:
        accuracies = [each.accuracy for each in candidates]
        times = [each.latency_ms for each in candidates if each.latency_ms is not None]
        return cls(
            len(candidates),
            fmean(accuracies),
            stdev(accuracies) if len(accuracies) > 1 else None,
            (min(times), fmean(times), max(times)) if times else None,
            fmean(1e3 / each for each in times) if times else None,
        )
