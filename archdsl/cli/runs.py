"""Runs on the terminal: how far they are, and where they stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.cli.progress import Bar

if TYPE_CHECKING:
    from archdsl.train import Progress


def show_progress(bar: Bar, progress: Progress) -> None:
    """The step in a line that is written over; scores in a line of their own."""
    phase = f"{progress.phase}, " if progress.phase else ""
    epoch = f"{phase}epoch {progress.epoch + 1}"
    bar.show(progress.step, progress.steps, f"{epoch}  loss {progress.loss:.4f}")
    if progress.scores is not None:
        bar.print(f"{epoch}: loss {progress.loss:.4f}, {progress.scores.text}")
