"""How far the answers to each kind of question move a cost, and the weights that make up for it.

FasterSeg, section 3.2 and table 2: for each kind the gap between the supernet that dominantly takes the slowest answers
and the one that takes the fastest, where all other answers are even. The weights of equation 3 are such that weight
times gap is the same for each kind and all weights add up to 1 (footnote 1; its "w1 = 0.01" is a slip: with the gaps of
table 2 they are 0.000957, 0.997 and 0.0018, which the paper rounds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archdsl.cost.expectation.chances import even, placed
from archdsl.cost.expectation.program import Array, Expectation
from archdsl.settings.relaxations import RELAXED
from archdsl.space import Program, QuestionKind


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a cost is at least and at most where one kind of question alone has other answers than even ones."""

    least: float
    most: float

    @property
    def gap(self) -> float:
        return self.most - self.least


def sensitivities(expectation: Expectation, program: Program) -> Mapping[QuestionKind, Sensitivity]:
    """That of each kind that the program asks.

    The paper does not say how the slowest answers are found where they hang together, as those of a path do. Here
    questions are gone through in turn, each is given the answer at which the cost is largest (or least) beside the
    others' answers so far, until none changes: no single answer makes more of it. Sums that keep some inputs keep all.
    """
    kinds = {each.path: program.questions[each.path.question].kind for each in expectation.variables}
    start = placed(expectation.variables, even(expectation.variables))
    return {
        kind: Sensitivity(*(_extreme(expectation, start, places, sign) for sign in (-1, 1)))
        for kind in QuestionKind
        if kind in RELAXED and (places := [expectation.positions[path] for path, each in kinds.items() if each is kind])
    }


def _extreme(expectation: Expectation, start: Array, places: Sequence[slice], sign: int) -> float:
    """The largest value that answers of some variables give, where `sign` is 1; with -1 the least."""
    chances = start.copy()
    value, gradient = expectation.value_and_gradient(chances)
    moved = True
    while moved:
        moved = False
        for place in places:
            gains = sign * (gradient[place] - gradient[place] @ chances[place])
            best = int(gains.argmax())
            # A cost is linear in the chances of one question, so that the gain is exact.
            if gains[best] > 1e-12 * abs(value):
                chances[place] = 0
                chances[place.start + best] = 1
                value, gradient = expectation.value_and_gradient(chances)
                moved = True
    return value


def balanced(gaps: Mapping[QuestionKind, float]) -> Mapping[QuestionKind, float]:
    """Weights that add up to 1 and make weight times gap the same for each kind; 0 for a kind whose gap is 0.

    Raises ValueError where no gap is above 0.
    """
    smallest = min((gap for gap in gaps.values() if gap > 0), default=None)
    if smallest is None:
        raise ValueError("no kind of question changes the cost")
    inverse = {kind: smallest / gap if gap > 0 else 0.0 for kind, gap in gaps.items()}
    return {kind: each / sum(inverse.values()) for kind, each in inverse.items()}
