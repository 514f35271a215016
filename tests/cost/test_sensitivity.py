"""How far each kind of question moves a cost, and the weights that make up for it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archdsl.cost.expectation.chances import certain, even
from archdsl.cost.expectation.measures import macs
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.cost.sensitivity import balanced, sensitivities
from archdsl.settings.relaxations import RELAXED
from archdsl.space import QuestionKind as Kind
from archdsl.space import QuestionPath
from tests.cost.objectives import searched
from tests.properties.small_spaces import small_spaces
from tests.properties.test_small_spaces import drawn

GAPS = st.dictionaries(st.sampled_from(RELAXED), st.floats(0, 1e300), min_size=1)
MOST = 200
"""So many combinations of answers are looked at one by one."""


def test_the_weights_of_fasterseg_are_those_of_its_table() -> None:
    """FasterSeg, table 2 and equation 3: 0.001, 0.997 and 0.002."""
    found = balanced({Kind.OPERATOR: 10.42, Kind.SOURCE: 0.01, Kind.WIDTH: 5.54})
    assert [round(each, 3) for each in found.values()] == [0.001, 0.997, 0.002]


@given(gaps=GAPS)
def test_weights_balance_gaps(gaps: Mapping[Kind, float]) -> None:
    if not any(gaps.values()):
        with pytest.raises(ValueError, match="no kind of question changes the cost"):
            balanced(gaps)
        return
    weights = balanced(gaps)
    assert sum(weights.values()) == pytest.approx(1)
    for kind, gap in gaps.items():
        assert gap or weights[kind] == 0
    smallest = min(gap for gap in gaps.values() if gap)
    shares = [weights[kind] * (gap / smallest) for kind, gap in gaps.items() if gap and weights[kind] > 1e-300]
    assert np.ptp(shares) <= 1e-9 * max(shares)


def test_a_gap_is_between_the_slowest_and_the_fastest_answers(tmp_path: Path) -> None:
    """On a space in which the slowest answer to a question is the same whatever else is answered."""
    program, _ = searched(tmp_path, "loss")
    expectation = Expectation.of(Work.of(program, ops=False), macs)
    found = sensitivities(expectation, program)
    assert set(found) == {Kind.OPERATOR, Kind.WIDTH, Kind.EXIT}
    for kind, each in found.items():
        values = _of_kind(expectation, kind, {path: question.kind for path, question in program.questions.items()})
        assert (each.least, each.most) == (pytest.approx(min(values)), pytest.approx(max(values)))
        assert each.gap > 0


@settings(max_examples=15)
@given(text=small_spaces())
def test_no_answers_of_a_kind_lie_outside_and_no_single_one_makes_more_of_it(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    program = drawn(tmp_path_factory.mktemp("small"), text)
    expectation = Expectation.of(Work.of(program, ops=False), macs)
    kinds = {each.path: program.questions[each.path.question].kind for each in expectation.variables}
    found = sensitivities(expectation, program)
    assert set(found) == set(RELAXED) & set(kinds.values())
    for kind, each in found.items():
        assume(np.prod([len(v.answers) for v in expectation.variables if kinds[v.path] is kind]) <= MOST)
        values = _of_kind(expectation, kind, kinds)
        tolerance = 1e-9 * max(values)
        assert min(values) - tolerance <= each.least <= each.most <= max(values) + tolerance
        assert any(abs(value - each.most) <= tolerance for value in values)
        assert any(abs(value - each.least) <= tolerance for value in values)


def _of_kind(expectation: Expectation, kind: Kind, kinds: Mapping[QuestionPath, Kind]) -> list[float]:
    """The cost at every combination of answers to questions of a kind, all others even."""
    mine = [each for each in expectation.variables if kinds[each.path] is kind]
    start = even(expectation.variables)
    return [
        expectation.value(
            expectation.chances(
                {**start, **{each.path: certain(each, answer) for each, answer in zip(mine, answers, strict=True)}}
            )
        )
        for answers in product(*(each.answers for each in mine))
    ]
