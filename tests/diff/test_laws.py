"""Laws of differences, on random genotypes of the published space."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.diff import Change, Difference, Side, apply, as_data, as_text, diff
from archdsl.diff.answer_diff import compare_answers, normal_form
from archdsl.diff.model import Cost
from archdsl.diff.tensors import tensors
from archdsl.ir import ClosedGraph
from archdsl.space import QuestionKind, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.count import Census
from tests.diff.sides import SPACE, genotype, loaded

PROGRAM = loaded(SPACE).program
_AMOUNT = r"(0|[+-][\d.]+)(?: ([kMG]))?"
_UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
Genotype = dict[QuestionPath, Answer]


@st.composite
def genotypes(draw: st.DrawFn) -> Genotype:
    """Answers to every question, for each branch; what is not asked among them."""
    a, b = draw(st.sampled_from([("8", "16"), ("8", "32"), ("16", "32")]))
    answers: Genotype = {branch.end: (end,) for branch, end in zip(PROGRAM.branches, (a, b), strict=True)}
    random = draw(st.randoms(use_true_random=False))
    for path, question in PROGRAM.questions.items():
        if question.kind is QuestionKind.BRANCH:
            continue
        for name in map(path.of, PROGRAM.branches) if question.per_branch else (path,):
            answers[name] = (random.choice(question.answers),)
    return answers


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[Genotype, Genotype]:
    """A genotype and one that has a few answers otherwise."""
    one = draw(genotypes())
    other = dict(one)
    asked = normal_form(PROGRAM, one)
    for name in draw(st.lists(st.sampled_from(sorted(asked, key=str)), max_size=4)):
        path = name.question
        if PROGRAM.questions[path].kind is not QuestionKind.BRANCH:
            other[name] = (draw(st.sampled_from(PROGRAM.questions[path].answers)),)
    return one, other


def flipped(cost: Cost) -> Cost:
    return Cost() - cost


@settings(max_examples=60)
@given(genotypes(), genotypes())
def test_applying_a_difference_gives_the_other_answers(one: Genotype, other: Genotype) -> None:
    before, after = normal_form(PROGRAM, one), normal_form(PROGRAM, other)
    changes = compare_answers((PROGRAM, before), (PROGRAM, after))
    assert apply(changes, before) == after
    assert all(change.before != change.after for change in changes)


@settings(max_examples=60)
@given(genotypes())
def test_answers_that_are_not_asked_make_no_difference(answers: Genotype) -> None:
    asked = normal_form(PROGRAM, answers)
    assert normal_form(PROGRAM, asked) == asked
    assert not compare_answers((PROGRAM, asked), (PROGRAM, normal_form(PROGRAM, answers)))


@settings(max_examples=12)
@given(neighbours())
def test_a_difference_accounts_for_everything(pair: tuple[Genotype, Genotype]) -> None:
    before, after = (genotype(PROGRAM, answers) for answers in pair)
    difference = diff(before, after)
    assert apply(difference.answers, before.answers) == after.answers
    assert bool(difference) == (before.answers != after.answers)
    _accounts_for_costs(before, after)
    _accounts_for_cells(before, after)
    _accounts_for_tensors(before, after)
    assert_rows_sum_up(difference)
    json.dumps(as_data(difference, show_all=True))
    assert all(len(line) == len(line.rstrip()) for line in as_text(difference, show_all=True).splitlines())


@pytest.mark.parametrize("space", ["gas", "cas", "autortnet"])
def test_what_each_question_costs_adds_up(space: str) -> None:
    """Questions about edges, those that cells share, chains that end elsewhere."""
    program = loaded(SPACE.with_name(f"{space}.arch")).program
    census, random = Census(program), Random(7)
    sides = [genotype(program, census.sample(random)) for _ in range(3)]
    for before, after in pairwise(sides):
        difference = diff(before, after)
        assert any(cell.picked for cell in difference.cells)
        assert_rows_sum_up(difference)


def assert_rows_sum_up(difference: Difference) -> None:
    """The numbers that a reader sees, as far as their three digits go."""
    assert difference.totals is not None
    change = difference.totals.after - difference.totals.before
    _, _, page = as_text(difference).partition("activations\n")
    columns = [_amounts(line) for line in page.partition("\n\n")[0].splitlines()]
    for column, exact in enumerate((change.params, change.macs, change.activations)):
        shown = [amounts[column] for amounts in columns if amounts]
        assert sum(shown) == pytest.approx(exact, abs=1 + 0.006 * sum(map(abs, shown)))


def _amounts(line: str) -> list[float]:
    """The three columns at the end of a row that has a cost."""
    found = re.fullmatch(rf".* {_AMOUNT} +{_AMOUNT} +{_AMOUNT}", line)
    if found is None:
        return []
    return [float(number) * _UNITS[unit or ""] for number, unit in zip(*[iter(found.groups())] * 2, strict=True)]


@settings(max_examples=6)
@given(neighbours())
def test_the_way_back_costs_the_opposite(pair: tuple[Genotype, Genotype]) -> None:
    before, after = (genotype(PROGRAM, answers) for answers in pair)
    there, back = diff(before, after), diff(after, before)
    assert sorted((each.path, each.before, each.after) for each in there.answers) == sorted(
        (each.path, each.after, each.before) for each in back.answers
    )
    costs = {(each.before, each.after): each.cost for each in there.cells}
    assert {(each.after, each.before): flipped(each.cost) for each in back.cells} == costs


@settings(max_examples=6)
@given(genotypes())
def test_nothing_differs_from_itself(answers: Genotype) -> None:
    one = genotype(PROGRAM, answers)
    difference = diff(one, genotype(PROGRAM, dict(reversed(answers.items()))))
    assert not difference
    assert all(cell.change is Change.SAME for cell in difference.cells)


def _accounts_for_costs(before: Side, after: Side) -> None:
    totals = diff(before, after).totals
    assert totals is not None
    assert sum((cell.cost for cell in diff(before, after).cells), Cost()) == totals.after - totals.before


def _accounts_for_cells(before: Side, after: Side) -> None:
    found = diff(before, after).cells
    old = [cell.before for cell in found if cell.before is not None]
    new = [cell.after for cell in found if cell.after is not None]
    assert len(old) == len(set(old))
    assert len(new) == len(set(new))


def _accounts_for_tensors(before: Side, after: Side) -> None:
    weights = diff(before, after).weights
    assert weights is not None
    assert isinstance(before.graph, ClosedGraph)
    assert isinstance(after.graph, ClosedGraph)
    assert {*weights.kept, *weights.reshaped, *weights.new} == set(tensors(after.graph))
    assert {*weights.kept, *weights.reshaped, *weights.dropped} == set(tensors(before.graph))
