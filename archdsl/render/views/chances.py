"""How probable answers are drawn: lines on one scale of widths, the most probable dark, others grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from archdsl.render.model.labels import small
from archdsl.render.model.picture import INK, MUTED, Stroke, Text
from archdsl.render.views.legends import Entry
from archdsl.space import QuestionPath

_GREY: Final = "#a3a3a3"
_LEAST: Final = 0.5
_MOST: Final = 6.0
"""Points; in between widths grow as probabilities do."""
_SAMPLES: Final = (0.1, 0.5, 1.0)
_SHOWN: Final = 3
"""Candidates that an edge names."""


@dataclass(frozen=True, slots=True)
class Chances:
    """The probability of each answer, by question."""

    by_question: Mapping[QuestionPath, Mapping[str, float]]

    def of(self, question: QuestionPath) -> Mapping[str, float]:
        """Empty for a question that has no probabilities."""
        return self.by_question.get(question.question, {})

    def best(self, question: QuestionPath) -> tuple[str, float] | None:
        """The most probable answer; of equals the first."""
        found = self.of(question)
        return max(found.items(), key=lambda each: each[1]) if found else None


def stroke(probability: float, *, best: bool) -> Stroke:
    return Stroke(INK if best else _GREY, width=round(_LEAST + (_MOST - _LEAST) * probability, 2))


def percent(probability: float) -> str:
    """`42 %`."""
    return f"{100 * probability:.0f} %"


def candidates(found: Mapping[str, float]) -> tuple[Text, ...]:
    """The most probable answers with their probabilities, the first dark."""
    ranked = sorted(found.items(), key=lambda each: -each[1])
    first, *rest = [f"{name} {percent(probability)}" for name, probability in ranked[:_SHOWN]]
    more = [small(f"and {len(ranked) - _SHOWN} more", 7)] if len(ranked) > _SHOWN else []
    return (Text(first, 9), *(Text(each, 8, colour=MUTED) for each in rest), *more)


def samples() -> list[Entry]:
    """The scale, for the legend of a picture that is placed by hand."""
    found = [Entry(percent(each), stroke(each, best=False)) for each in _SAMPLES]
    return [
        Entry("a line is as wide as it is probable", None),
        *found,
        Entry("the most probable", stroke(0.5, best=True)),
    ]


def explained(what: Sequence[str] = ()) -> list[Text]:
    """The scale in words, for a heading."""
    scale = f"lines are as wide as they are probable ({_LEAST:g} to {_MOST:g} points), the most probable dark"
    return [small(each, 9) for each in (scale, *what)]
