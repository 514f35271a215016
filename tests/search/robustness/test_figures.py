"""Figures about the answers of a search."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from functools import cache
from math import exp
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.pipeline import load
from archdsl.relax.phases import PhaseQuestions, questions_of
from archdsl.relax.relaxed import NONE
from archdsl.search.derive.chances import Chances
from archdsl.search.derive.plan import Learned, Plan
from archdsl.search.derive.strongest import derive
from archdsl.search.robustness.figures import Probabilities, figures_of, probabilities_of, skip_connections
from archdsl.search.robustness.works import Work, works_of
from archdsl.settings.relaxations import RELAXED, Dirichlet, Method, Relaxation
from archdsl.space import Program, QuestionKind, spell_scope

ROOT: Final = Path(__file__).parents[3]
ALSO_NONE: Final = Relaxation(Method.SOFTMAX, (QuestionKind.OPERATOR,), also_none=True)
SURE: Final = 50.0


@cache
def program_of(text: str) -> Program:
    return load(str(ROOT / text)).program


NASBENCH: Final = "spaces/nasbench201.arch"
DARTS: Final = "spaces/darts.arch"


def questions(text: str, rule: Relaxation | Dirichlet = ALSO_NONE) -> PhaseQuestions:
    return questions_of(program_of(text), (rule,))


def drawn(asked: PhaseQuestions, seed: int, size: float = 2.0) -> Probabilities:
    random = Random(seed)
    return probabilities_of(
        asked, {path: [random.gauss(0, size) for _ in asked.candidates(path)] for path in asked.learned}
    )


def certain(asked: PhaseQuestions, answer: str) -> Probabilities:
    return probabilities_of(
        asked, {path: [SURE * (name == answer) for name in asked.candidates(path)] for path in asked.learned}
    )


def test_equal_logits_have_the_largest_entropy() -> None:
    asked = questions_of(program_of("spaces/fasterseg.arch"), (Relaxation(Method.SOFTMAX, RELAXED),))
    figures = figures_of(
        asked.program, probabilities_of(asked, {path: [0.3] * len(asked.candidates(path)) for path in asked.learned})
    )
    assert figures["entropy"] == pytest.approx({"operator": 1, "source": 1, "width": 1})
    assert json.loads(json.dumps(figures)) == figures


@pytest.mark.parametrize(
    ("answer", "parameter_free", "identity", "skips"),
    [
        ("nor_conv(k = 3)", 0, 0, 0),
        ("skip_connect", 1, 1, 6),
        ("avg_pool_3x3", 1, 0, 0),
        ("none", 1, 0, 0),
        (NONE, 1, 0, 0),
    ],
)
def test_certain_answers(answer: str, parameter_free: float, identity: float, skips: int) -> None:
    """Of NAS-Bench-201's cell, which has six edges. Equal answers beside a certain `none` are those that come first."""
    found = figures_of(program_of(NASBENCH), certain(questions(NASBENCH), answer))
    assert found == {
        "entropy": {"operator": pytest.approx(0, abs=1e-12)},
        "parameter_free": pytest.approx(parameter_free, abs=1e-12),
        "identity": pytest.approx(identity, abs=1e-12),
        "skips": skips,
    }


def test_an_op_that_is_an_identity_in_some_places() -> None:
    """FasterSeg's skip, of which the cell's second map, at half the resolution, is two convs."""
    program = program_of("spaces/fasterseg.arch")
    (path,) = program.find("trunk[5][16].operator")
    chances = {path: {"skip": 0.4, "conv3x3": 0.6, "zoomed_conv3x3": 0.0, "conv3x3_x2": 0.0, "zoomed_conv3x3_x2": 0.0}}
    found = figures_of(program, chances)
    assert (found["parameter_free"], found["identity"]) == (pytest.approx(0.2), pytest.approx(0.2))


@settings(max_examples=20)
@given(st.integers(0, 1_000), st.integers(0, 1_000), st.floats(0, 1))
def test_shares_are_linear_and_entropies_concave(first: int, second: int, part: float) -> None:
    asked = questions(NASBENCH)
    one, other = drawn(asked, first), drawn(asked, second)
    mixed = {
        path: {name: part * each + (1 - part) * other[path][name] for name, each in chances.items()}
        for path, chances in one.items()
    }
    a, b, c = (figures_of(asked.program, each) for each in (one, other, mixed))
    for name in ("parameter_free", "identity"):
        assert c[name] == pytest.approx(part * a[name] + (1 - part) * b[name])
        assert 0 <= c["identity"] <= c["parameter_free"] <= 1
    between = part * a["entropy"]["operator"] + (1 - part) * b["entropy"]["operator"]
    assert between - 1e-9 <= c["entropy"]["operator"] <= 1


def test_probabilities_are_those_that_answers_are_derived_by() -> None:
    for rule in (ALSO_NONE, Dirichlet((QuestionKind.OPERATOR,))):
        asked = questions(NASBENCH, rule)
        random = Random(7)
        logits = {path: tuple(random.gauss(0, 2) for _ in asked.candidates(path)) for path in asked.learned}
        learned = {path: Learned(asked.program.questions[path].answers, rule) for path in asked.learned}
        known = Chances(Plan(asked.program, learned), logits).logarithms
        for path, chances in probabilities_of(asked, logits).items():
            assert sum(chances.values()) == pytest.approx(1)
            assert chances == pytest.approx({name: exp(each) for name, each in known[path].items()})


@settings(max_examples=4)
@given(st.integers(0, 10_000))
def test_skip_connections_are_those_of_the_derived_network(seed: int) -> None:
    """DARTS keeps two inputs of each sum."""
    program = program_of(DARTS)
    plan = Plan.plain(program, {})
    random = Random(seed)
    logits = {path: tuple(random.gauss(0, 1) for _ in each.answers) for path, each in plan.learned.items()}
    answers = derive(Chances(plan, logits), {}).answers
    expected: Counter[str] = Counter()
    for path, (answer, *_) in answers.items():
        places = works_of(program).get(path, ())
        if any(each[answer] is Work.IDENTITY for each in places):
            expected[spell_scope(path.scope)] += 1
    asked = questions_of(program, (Relaxation(Method.SOFTMAX, (QuestionKind.OPERATOR,)),))
    found: Mapping[str, int] = skip_connections(program, probabilities_of(asked, logits))
    assert found == dict(expected)
    assert figures_of(program, probabilities_of(asked, logits))["skips"] == max(expected.values(), default=0)
