"""Which charts a journal gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeAlias

from archdsl.report.charts import Chart, Line
from archdsl.report.runs import Event, Run, mapping, number, phase_of, step_of

Values: TypeAlias = "Callable[[Event], Mapping[str, object]]"
"""What of an event is drawn, by the name of its line."""

_NOT_TERMS: Final = frozenset(
    {"event", "step", "phase", "epoch", "lr", "answers_lr", "loss", "answers_loss", "objective", "cost"}
)


def training_charts(run: Run) -> list[Chart]:
    """Loss, objective, scores, costs, learning rate, and the terms of the loss; without charts that have no value."""
    sheet, steps = Sheet.of(run), run.of("step")
    costs = dict.fromkeys(name for event in steps for name in mapping(event.get("cost")))
    differs = any(event.get("objective") != event.get("loss") for event in steps)
    charts = [
        sheet.chart("loss", steps, _either("loss", "answers_loss")),
        sheet.chart("objective", steps if differs else (), _one("objective")),
        sheet.chart("scores", run.of("score"), _scores, unit="%", dots=True),
        *(sheet.chart(cost, steps, _cost(cost)) for cost in costs),
        sheet.chart("learning rate", steps, _either("lr", "answers_lr"), log=True, exact=True),
    ]
    terms = sheet.chart("terms of the loss", steps, _terms)
    if len(terms.lines) > 1:
        charts.append(terms)
    return [chart for chart in charts if chart.lines]


def answer_charts(run: Run) -> list[Chart]:
    """How sure a search is: entropy by kind of question, the share of ops without weights, the dominant eigenvalue."""
    sheet, events = Sheet.of(run), run.of("answers")
    charts = [
        sheet.chart("entropy of the answers", events, _entropy, unit="of the greatest", dots=True, within=(0, 1)),
        sheet.chart("probability of ops without weights", events, _without_weights, dots=True, within=(0, 1)),
        sheet.chart("identities in one cell, at most", events, _one("skips"), dots=True, within=(0, 1)),
        sheet.chart("dominant eigenvalue", events, _one("eigenvalue"), dots=True),
    ]
    return [chart for chart in charts if chart.lines]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the charts of a run have in common."""

    span: tuple[float, float]
    marks: tuple[tuple[float, str], ...]
    """Where each phase begins, if there are several one behind the other."""
    side_by_side: bool
    """Whether phases step in turn: then each has lines of its own."""

    @classmethod
    def of(cls, run: Run) -> Sheet:
        stages = run.stages
        starts = accumulate((stage.steps for stage in stages[:-1]), initial=0)
        marks = tuple((float(start), stage.phase) for start, stage in zip(starts, stages, strict=False))
        end = float(max(1, run.step, run.steps or 0))
        return cls((0.0, end), marks if len(stages) > 1 else (), any(stage.beside for stage in stages))

    def chart(
        self,
        title: str,
        events: Sequence[Event],
        values: Values,
        *,
        unit: str = "",
        log: bool = False,
        dots: bool = False,
        exact: bool = False,
        within: tuple[float, float] | None = None,
    ) -> Chart:
        """The values of some events, a line for each name."""
        found: dict[str, list[tuple[float, float]]] = {}
        for event in events:
            for name, value in values(event).items():
                if (known := number(value)) is not None:
                    found.setdefault(self._name(name, event), []).append((step_of(event), known))
        lines = tuple(Line(name, tuple(points), dots, exact) for name, points in found.items())
        return Chart(title, lines, unit, log=log, span=self.span, within=within, marks=self.marks)

    def _name(self, name: str, event: Event) -> str:
        phase = phase_of(event)
        return ", ".join(filter(None, (name, phase))) if self.side_by_side else name


def _one(key: str) -> Values:
    """The value of a key, whose name stands above the chart."""
    return lambda event: {"": event.get(key)}


def _cost(name: str) -> Values:
    return lambda event: {"": mapping(event.get("cost")).get(name)}


def _either(weights: str, logits: str) -> Values:
    """The value that belongs to a step of the weights, and to one of the logits."""
    return lambda event: {"weights": event.get(weights), "logits": event.get(logits)}


def _scores(event: Event) -> Mapping[str, object]:
    names = {"miou": "mean IoU", "accuracy": "accuracy", "top1": "top-1", "top5": "top-5"}
    return {name: 100 * found for key, name in names.items() if (found := number(event.get(key))) is not None}


def _entropy(event: Event) -> Mapping[str, object]:
    return mapping(event.get("entropy"))


def _without_weights(event: Event) -> Mapping[str, object]:
    return {"all": event.get("parameter_free"), "identity": event.get("identity")}


def _terms(event: Event) -> Mapping[str, object]:
    """What else a step names: the losses of outputs, of distillation."""
    return {name: value for name, value in event.items() if name not in _NOT_TERMS}
