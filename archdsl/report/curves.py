"""Which charts a journal gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from archdsl.report.charts import Chart, Line
from archdsl.report.runs import Event, Run, mapping, number, phase_of, step_of

_NOT_TERMS: Final = frozenset({"event", "step", "phase", "epoch", "lr", "loss", "objective", "cost"})

Series = Mapping[str, "list[tuple[float, float]]"]


def training_charts(run: Run) -> list[Chart]:
    """Loss, objective, scores, costs, learning rate, and the terms of the loss; without charts that have no value."""
    steps, scores = run.of("step"), run.of("score")
    frame = _Frame.of(run)
    charts = [
        frame.chart("loss", _by_phase(steps, "loss", "loss")),
        frame.chart("objective", _by_phase(_differing(steps), "objective", "objective")),
        frame.chart("scores", _scores(scores), unit="%", dots=True),
        *(frame.chart(name, found) for name, found in _costs(steps).items()),
        frame.chart("learning rate", _by_phase(steps, "lr", "learning rate"), log=True),
        frame.chart("terms of the loss", _terms(steps)),
    ]
    return [chart for chart in charts if chart.lines]


def answer_charts(run: Run) -> list[Chart]:
    """How sure a search is: entropy by kind of question, the share of ops without weights, the dominant eigenvalue."""
    events, frame = run.of("answers"), _Frame.of(run)
    phases = {phase_of(event) for event in events}
    entropy: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        for kind, value in mapping(event.get("entropy")).items():
            name = f"{kind}, {phase_of(event)}" if len(phases) > 1 else kind
            _add(entropy, name, event, value)
    charts = [
        frame.chart("entropy of the answers", entropy, unit="of the greatest", dots=True, within=(0, 1)),
        frame.chart(
            "ops without weights", _by_phase(events, "parameter_free", "share"), unit="share", dots=True, within=(0, 1)
        ),
        frame.chart("dominant eigenvalue", _by_phase(events, "eigenvalue", "eigenvalue"), dots=True),
    ]
    return [chart for chart in charts if chart.lines]


def phase_marks(run: Run) -> tuple[tuple[float, str], ...]:
    """Where each phase begins, if there are several, one behind the other."""
    stages = run.stages
    starts = accumulate((stage.steps for stage in stages[:-1]), initial=0)
    return tuple((float(start), stage.phase) for start, stage in zip(starts, stages, strict=True)) if stages[1:] else ()


class _Frame:
    """What the charts of a run have in common."""

    def __init__(self, span: tuple[float, float], marks: tuple[tuple[float, str], ...]) -> None:
        self.span = span
        self.marks = marks

    @classmethod
    def of(cls, run: Run) -> _Frame:
        return cls((0.0, float(max(1, run.step, run.steps or 0))), phase_marks(run))

    def chart(
        self,
        title: str,
        series: Series,
        *,
        unit: str = "",
        log: bool = False,
        dots: bool = False,
        within: tuple[float, float] | None = None,
    ) -> Chart:
        lines = tuple(Line(name, tuple(points), dots) for name, points in series.items())
        return Chart(title, lines, unit, log=log, span=self.span, within=within, marks=self.marks)


def _by_phase(events: Iterable[Event], key: str, alone: str) -> Series:
    """The values of a key, a line for each phase; `alone` is the name of the only one."""
    found: dict[str, list[tuple[float, float]]] = {}
    for event in events:
        _add(found, phase_of(event), event, event.get(key))
    return {alone: points for points in found.values()} if len(found) == 1 else found


def _add(series: dict[str, list[tuple[float, float]]], name: str, event: Event, value: object) -> None:
    if (found := number(value)) is not None:
        series.setdefault(name, []).append((step_of(event), found))


def _differing(steps: Sequence[Event]) -> Sequence[Event]:
    """The steps, unless an objective is the loss everywhere."""
    return steps if any(event.get("objective") != event.get("loss") for event in steps) else ()


def _scores(events: Sequence[Event]) -> Series:
    found: dict[str, list[tuple[float, float]]] = {}
    phases = {phase_of(event) for event in events}
    for event in events:
        for key, name in (("miou", "mean IoU"), ("accuracy", "accuracy")):
            value = number(event.get(key))
            label = f"{name}, {phase_of(event)}" if len(phases) > 1 else name
            _add(found, label, event, None if value is None else 100 * value)
    return found


def _costs(steps: Sequence[Event]) -> Mapping[str, Series]:
    """By the name of the cost, a line for each phase."""
    names = dict.fromkeys(name for event in steps for name in mapping(event.get("cost")))

    def one(name: str) -> Callable[[Event], Event]:
        return lambda event: {**event, "one": mapping(event.get("cost")).get(name)}

    return {name: _by_phase(map(one(name), steps), "one", "predicted") for name in names}


def _terms(steps: Sequence[Event]) -> Series:
    """What else a step names, where there is more than one: the losses of outputs, of distillation."""
    found: dict[str, list[tuple[float, float]]] = {}
    phases = {phase_of(event) for event in steps}
    for event in steps:
        for name in _terms_of(event):
            _add(found, f"{name}, {phase_of(event)}" if len(phases) > 1 else name, event, event[name])
    return found if len(found) > 1 else {}


def _terms_of(event: Event) -> Iterator[str]:
    return (name for name in event if name not in _NOT_TERMS)
