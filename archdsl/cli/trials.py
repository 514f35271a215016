"""Candidates that are trained, as lines on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.cli.output import count
from archdsl.cli.progress import Bar

if TYPE_CHECKING:
    from archdsl.search.baselines.candidates import Candidate
    from archdsl.train import Progress


def show_training(bar: Bar, number: int, of: int, progress: Progress) -> None:
    done = (number - 1) * progress.steps + progress.step
    bar.show(done, of * progress.steps, f"candidate {number}  loss {progress.loss:.4f}")


def candidate_line(candidate: Candidate, of: int, merit: str) -> str:
    """`merit` is what candidates are compared by."""
    costs = f"params {count(candidate.params)}, MACs {count(candidate.macs)}"
    if candidate.latency_ms is not None:
        costs += f", latency {candidate.latency_ms:,.3f} ms"
    return f"candidate {candidate.number} of {of}: {merit} {percent(candidate.accuracy)} %, {costs}"


def percent(share: float) -> str:
    """`41.23`, of 0 to 1."""
    return f"{100 * share:.2f}"
