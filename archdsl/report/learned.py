"""What a phase of a search has learned, step by step: the probabilities by which genotypes are derived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Final, TypeAlias

from archdsl.pipeline import Loaded
from archdsl.relax.relaxed import NONE
from archdsl.report.charts import Chart, Line
from archdsl.report.curves import Sheet
from archdsl.report.film import evenly
from archdsl.report.runs import Run
from archdsl.search.derive.chances import strongest
from archdsl.search.derive.genotype import chances_of
from archdsl.search.derive.runs import Source, Step, from_run
from archdsl.space import QuestionPath

Probabilities: TypeAlias = "Mapping[QuestionPath, Mapping[str, float]]"

FRAMES: Final = 24
"""So many steps of a phase are shown."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A phase at some of its steps."""

    phase: str
    sources: tuple[Source, ...]
    """What is derived from, by step."""
    probabilities: tuple[Probabilities, ...]
    """By step, of the questions that have logits."""

    @property
    def loaded(self) -> Loaded:
        """The space, or the genotype that leaves questions open."""
        return self.sources[-1].loaded

    @property
    def steps(self) -> tuple[int, ...]:
        return tuple(source.step.step for source in self.sources if source.step is not None)

    def changes(self, sheet: Sheet) -> Chart:
        """How many questions have another most probable answer than at the step before."""
        best = [{path: strongest(found) for path, found in at.items()} for at in self.probabilities]
        points = tuple(
            (float(step), float(sum(now[path] != before.get(path) for path in now)))
            for step, before, now in zip(self.steps[1:], best, best[1:], strict=False)
        )
        title = f"answers of {self.phase} that changed since the step before"
        return Chart(title, (Line("", points, dots=True),), span=sheet.span, within=(0, 1), marks=sheet.marks)


def learned(run: Run, phase: str, most: int = FRAMES) -> Learned:
    """A phase that has logits. Raises NotDerived, NotLoaded, UnreadableLogits, OSError."""
    files = run.logits[phase]
    source = from_run(run.folder, phase=phase, size=run.size)
    assert source.step is not None
    sources = [_at(source, source.step, run, phase, step) for step in evenly(list(files), most)]
    return Learned(phase, tuple(sources), tuple(map(_probabilities, sources)))


def _at(source: Source, found: Step, run: Run, phase: str, step: int) -> Source:
    return replace(source, logits=run.logits[phase][step], step=replace(found, step=step))


def _probabilities(source: Source) -> Probabilities:
    """Without those of `none`, which is no answer."""
    chances, _ = chances_of(source)
    return {
        path: {answer: exp(each) for answer, each in found.items() if answer != NONE}
        for path, found in chances.logarithms.items()
    }


def shown_phases(run: Run) -> Sequence[str]:
    """The phases that have logits, in the order of the run."""
    order = [name for stage in run.stages for name in (stage.phase, *stage.beside)]
    return sorted(run.logits, key=lambda phase: order.index(phase) if phase in order else len(order))
