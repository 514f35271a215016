"""What a search would choose, step by step.

How many questions have which op as their most probable answer, and how many cells each hyper-cell would have
(AutoRTNet, figure 5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.report.charts import Chart, Line
from archdsl.report.markup import NOTHING, Html, element, joined
from archdsl.search.derive.chances import strongest
from archdsl.space import Program, QuestionKind, QuestionPath

Chances = Mapping[QuestionPath, Mapping[str, float]]
"""Probabilities of answers by question."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one kind of question, or of one set of candidates."""

    kind: QuestionKind
    answers: tuple[str, ...]
    questions: int
    steps: tuple[int, ...]
    by_step: tuple[Mapping[str, int], ...]
    """How many questions have which answer as their most probable one."""


def counts(program: Program, steps: Sequence[int], chances: Sequence[Chances]) -> list[Counts]:
    """Of ops, widths and sources of grids; questions with equal candidates are counted together."""
    groups: dict[tuple[QuestionKind, tuple[str, ...]], list[QuestionPath]] = {}
    for path in chances[-1]:
        question = program.questions[path.question]
        if question.kind in (QuestionKind.OPERATOR, QuestionKind.WIDTH):
            groups.setdefault((question.kind, question.answers), []).append(path)
    return [
        Counts(
            kind,
            answers,
            len(paths),
            tuple(steps),
            tuple(Counter(strongest(each[path]) for path in paths if path in each) for each in chances),
        )
        for (kind, answers), paths in groups.items()
    ]


def depth_chart(program: Program, steps: Sequence[int], chances: Sequence[Chances]) -> Chart | None:
    """How many cells each hyper-cell has, by its most probable exit; None where no exit is asked."""
    exits = [path for path in chances[-1] if program.questions[path.question].kind is QuestionKind.EXIT]
    lines = tuple(
        Line(
            path.place,
            tuple(
                (step, float(strongest(each[path]))) for step, each in zip(steps, chances, strict=True) if path in each
            ),
            dots=True,
        )
        for path in exits
    )
    most = max((int(answer) for path in exits for answer in program.questions[path.question].answers), default=0)
    return Chart("cells up to the most probable exit", lines, within=(0, most)) if lines else None


def counts_table(found: Counts) -> Html:
    """A row for each answer, a column for each step, dark where many questions have it."""
    most = max((number for each in found.by_step for number in each.values()), default=1)
    head = element("tr", element("th", _heading(found)), *(element("th", f"{step:,}") for step in found.steps))
    rows = [
        element(
            "tr",
            element("th", answer, scope="row"),
            *(
                _cell(answer, each.get(answer, 0), step, most)
                for step, each in zip(found.steps, found.by_step, strict=True)
            ),
        )
        for answer in found.answers
    ]
    table = element("table", element("thead", head), element("tbody", *rows), class_="counts")
    return element("div", table, class_="scroll")


def _heading(found: Counts) -> str:
    what = "edges" if found.kind is QuestionKind.OPERATOR else "maps"
    return f"{found.kind} of {found.questions} {what}"


def _cell(answer: str, number: int, step: int, most: int) -> Html:
    shade = f"shade{-(-8 * number // most)}"
    return element("td", str(number) if number else "", class_=shade, title=f"{answer}, step {step:,}: {number}")


def counts_tables(found: Sequence[Counts]) -> Html:
    return joined(map(counts_table, found)) if found else NOTHING
