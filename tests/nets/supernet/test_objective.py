"""The objective of a search as torch sees it: the numbers of numpy, with gradients."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch
from torch import Tensor

from archdsl.cost.expectation.measures import macs
from archdsl.cost.expectation.program import Expectation
from archdsl.cost.expectation.work import Work
from archdsl.cost.space_rows import rows_of_space
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.nets.supernet.objective import SearchObjective
from archdsl.pipeline import check, load
from archdsl.relax.phases import questions_in
from archdsl.settings import Search
from archdsl.settings.objectives import costs_in
from archdsl.settings.relaxations import Method, Relaxation
from archdsl.settings.schedules import Moment
from archdsl.space import QuestionKind, QuestionPath
from archdsl.space.count import Census
from tests.cost.invented import table
from tests.cost.objectives import FORMS, KINDS, WEIGHTED, searched

ROOT = Path(__file__).parents[3]
START = Moment(0.0, 0, 0)


def objective(folder: Path, text: str) -> SearchObjective:
    program, phase = searched(folder, text)
    return SearchObjective.of(Supernet(program), phase, {})


def soft(supernet: Supernet, seed: int = 1) -> dict[QuestionPath, Tensor]:
    """Random weights, parameters themselves."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[QuestionPath, Tensor] = {}
    for path in supernet.questions:
        logits = torch.randn(len(supernet.answers(path)), generator=generator, dtype=torch.float64)
        found[path] = logits.softmax(0).requires_grad_()
    return found


@pytest.mark.parametrize("text", FORMS)
def test_of_a_genotype_it_is_what_numpy_gives(text: str, tmp_path: Path) -> None:
    found = objective(tmp_path, text)
    for seed in range(5):
        answers = Census(found.supernet.program).sample(Random(seed))
        at = found(torch.tensor(1.5), found.supernet.one_hot(answers))
        # Libraries differ in the last bit of powers and logarithms.
        assert at.value.item() == pytest.approx(found.priced.value(answers, loss=1.5), rel=1e-14)
        costs = {found.priced.names[term]: cost for term, cost in found.priced.costs_of(answers).items()}
        assert at.terms == {"loss": 1.5, **costs}


@pytest.mark.parametrize("text", [text for text in FORMS if text != f"loss + 0.01 * {WEIGHTED}"])
def test_gradients_are_those_of_finite_differences(text: str, tmp_path: Path) -> None:
    found = objective(tmp_path, text)
    weights = soft(found.supernet)

    def value(loss: Tensor, *given: Tensor) -> Tensor:
        return found(loss, Decisions(weights=dict(zip(weights, given, strict=True)))).value

    loss = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(value, (loss, *weights.values()), eps=1e-5, rtol=1e-4)


def test_gradients_are_weighted_by_kind(tmp_path: Path) -> None:
    """FasterSeg, equation 3."""
    plain, weighted = objective(tmp_path, "loss + macs"), objective(tmp_path, f"loss + {WEIGHTED}")
    weights = soft(plain.supernet)
    slopes = [
        torch.autograd.grad(each(torch.tensor(0.0), Decisions(weights=weights)).value, list(weights.values()))
        for each in (plain, weighted)
    ]
    for path, one, other in zip(weights, *slopes, strict=True):
        kind = plain.supernet.program.questions[path].kind
        torch.testing.assert_close(other, KINDS[kind] * one)


def test_samples_cost_what_they_are_and_have_gradients(tmp_path: Path) -> None:
    """A width that is sampled straight through has the cost of the sample, and the gradient of its probability."""
    program, phase = searched(tmp_path, "loss + log(macs)")
    supernet = Supernet(program)
    relax = (
        Relaxation(Method.SOFTMAX, (QuestionKind.OPERATOR, QuestionKind.EXIT)),
        Relaxation(Method.GUMBEL_HARD, (QuestionKind.WIDTH,)),
    )
    found = SearchObjective.of(supernet, phase, {})
    logits = supernet.logits(questions_in(replace(phase, relax=relax), program, {}))
    decisions = supernet.relaxation(logits).decide(START, torch.Generator().manual_seed(3))
    at = found(torch.tensor(0.0), decisions)
    sampled = {path: each for path, each in decisions.weights.items() if path not in decisions.answers}
    answered = Decisions(decisions.answers, sampled)
    assert at.terms["macs"] == found(torch.tensor(0.0), answered).terms["macs"]
    slopes = torch.autograd.grad(at.value, list(logits.vectors.values()))
    for path, slope in zip(logits.vectors, slopes, strict=True):
        assert slope.abs().sum() > 0, path


def test_gradients_of_fasterseg_reach_answers_of_every_kind() -> None:
    """In the published code the latency's gradient never reaches the logits of paths.

    The width of what the first cell reads is no question of a search: it reads the stem.
    """
    file = str(ROOT / "spaces/fasterseg.arch")
    program = load(file, overrides={"layers": "5"}).program
    (search,) = (each for each in check(file).recipes if isinstance(each, Search))
    phase = next(each for each in search.phases if each.name == "student")
    (path,) = {each.cost.table.path for each in costs_in(phase.objective) if each.cost.table}
    assert path is not None
    supernet = Supernet(program)
    found = SearchObjective.of(supernet, phase, {path: table(dict.fromkeys(rows_of_space(program), 1.0))})
    logits = supernet.logits(questions_in(phase, program, {}))
    at = found(torch.tensor(1.0), supernet.relaxation(logits).decide(START, torch.Generator().manual_seed(1)))
    assert at.value.item() == pytest.approx(1 + 0.01 * float(at.terms["latency"]))
    slopes = torch.autograd.grad(at.value, list(logits.vectors.values()), allow_unused=True, materialize_grads=True)
    reached = {
        program.questions[path].kind
        for path, slope in zip(logits.vectors, slopes, strict=True)
        if slope.abs().sum() > 0
    }
    assert reached == {QuestionKind.OPERATOR, QuestionKind.SOURCE, QuestionKind.WIDTH}


def test_the_share_of_none_costs_nothing(tmp_path: Path) -> None:
    found = objective(tmp_path, "loss + macs")
    weights = {path: each.detach() for path, each in soft(found.supernet).items()}
    with_none = {path: torch.cat([each, each.new_ones(1)]) for path, each in weights.items()}
    values = [found(torch.tensor(0.0), Decisions(weights=each)).value for each in (weights, with_none)]
    assert values[0] == values[1]


def test_weights_of_fewer_answers_stand_where_these_do(tmp_path: Path) -> None:
    program, _ = searched(tmp_path, "loss")
    supernet = Supernet(program)
    allowed = {path: question.answers[1:] for path, question in program.questions.items()}
    fewer = Supernet(program, allowed=allowed)
    expectation = Expectation.of(Work.of(program, ops=False), macs)
    last = Decisions({path: (question.answers[-1],) for path, question in program.questions.items()})
    weights = {path: torch.tensor([0.0] * (len(each) - 1) + [1.0]) for path, each in allowed.items()}
    cost = fewer.expected_cost(expectation, Decisions(weights=weights))
    assert cost == supernet.expected_cost(expectation, last)


def test_adaptive_weights_are_given(tmp_path: Path) -> None:
    text = "adaptive(macs, least = 1, most = 2)"
    found = objective(tmp_path, f"loss + {text}")
    answers = Census(found.supernet.program).sample(Random(1))
    decisions = found.supernet.one_hot(answers)
    once = found(torch.tensor(0.0), decisions).value
    assert found(torch.tensor(0.0), decisions, {text: 4.0}).value == 4 * once


def test_a_loss_alone_needs_no_table(tmp_path: Path) -> None:
    found = objective(tmp_path, "loss")
    loss = torch.tensor(2.0, requires_grad=True)
    at = found(loss, Decisions())
    (slope,) = torch.autograd.grad(at.value, [loss])
    assert (at.value.item(), at.terms, slope.item()) == (2.0, {"loss": 2.0}, 1.0)
