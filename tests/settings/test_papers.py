"""What the four papers' texts say, as numbers of the papers: search, cost and training."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest

from archdsl.pipeline import check
from archdsl.settings import Cost, Search, Training
from archdsl.settings.costs import Measured, Uniform, Unit
from archdsl.settings.losses import Bootstrapped, Direction, Distillation, Heads, Ohem
from archdsl.settings.objectives import costs_in
from archdsl.settings.optimizers import Adam, Sgd, WeightStep
from archdsl.settings.printer import objective_text
from archdsl.settings.relaxations import Argmax, Drop, Joint, KeepBy, KeepStrongest, Method, Relaxation, Steps
from archdsl.settings.schedules import Anneal, Constant, Cosine, Exponential, Poly
from archdsl.settings.searches import Fixed, Freeze, GcnGuide, GroupSplit, OneLevel, RandomSplit, Sandwich, TwoLevels
from archdsl.settings.trainings import Auxiliary, Crop, Epochs, Flip, Initial, Iterations, Scale
from archdsl.space import QuestionKind as Kind

SPACES = Path(__file__).parents[2] / "spaces"
R = TypeVar("R", Cost, Search, Training)


def recipe(file: str, kind: type[R]) -> R:
    checked = check(str(SPACES / file))
    assert checked.diagnostics == ()
    (found,) = (each for each in checked.recipes if isinstance(each, kind))
    return found


def test_cas() -> None:
    search = recipe("cas.arch", Search)
    backbone, pretraining, multiscale = search.phases
    assert (backbone.network, pretraining.network, multiscale.network) == ("cas_backbone", None, None)
    assert (backbone.answer_for, multiscale.answer_for) == (("normal", "reduction"), ("multiscale",))
    assert pretraining.pretrain == Initial("imagenet", "body")
    assert (pretraining.relax, pretraining.arch, pretraining.duration) == ((), None, Epochs(90))
    step = WeightStep(Sgd(Poly(0.005, 0.9), momentum=0.9, weight_decay=5e-4), batch=16)
    for phase in (backbone, multiscale):
        assert phase.levels == TwoLevels()
        assert phase.split == GroupSplit(9, 9)
        assert phase.duration == Iterations(15_000)
        assert phase.weights == step
        assert phase.relax == (Relaxation(Method.SOFTMAX, (Kind.OPERATOR,), Constant(1.0), also_none=True),)
        assert phase.derive == (
            Argmax((Kind.OPERATOR,), except_none=True),
            KeepStrongest(KeepBy.MAX_PROBABILITY),
        )
        (term,) = costs_in(phase.objective)
        assert isinstance(term.cost.measure, Uniform)
        assert term.cost.measure.relative_to == "identity"
    assert recipe("cas.arch", Training).duration == Iterations(90_000)


def test_autortnet() -> None:
    (phase,) = recipe("autortnet.arch", Search).phases
    assert isinstance(phase.levels, OneLevel)
    assert phase.relax == (Relaxation(Method.GUMBEL, (Kind.OPERATOR, Kind.EXIT), Anneal(3.0, 0.03)),)
    assert phase.freeze == (Freeze(Kind.EXIT, 50),)
    assert phase.duration == Epochs(150)
    assert phase.arch == Adam(Constant(1e-3), betas=(0.5, 0.999), weight_decay=1e-4)
    assert phase.weights == WeightStep(Sgd(Cosine(0.025, 0.001), momentum=0.9, weight_decay=1e-3), batch=16)
    assert objective_text(phase.objective) == "loss + 0.01 * log(latency(over = {h1, h2, h3}))"
    training = recipe("autortnet.arch", Training)
    assert training.duration == Epochs(200)
    assert training.augment == (Flip(), Scale(0.5, 2.0), Crop())
    assert isinstance(training.loss, Bootstrapped)


def test_gas() -> None:
    (phase,) = recipe("gas.arch", Search).phases
    assert phase.guide == GcnGuide("trunk", layers=1, dim=64, gamma=0.5)
    assert phase.relax == (Relaxation(Method.GUMBEL, (Kind.OPERATOR,), Anneal(1.0, 0.03)),)
    assert phase.derive == (Argmax((Kind.OPERATOR,), guided=True),)
    measure = recipe("gas.arch", Cost).measure
    assert isinstance(measure, Measured)
    assert measure.unit is Unit.US


def test_fasterseg() -> None:
    pretraining, student, teacher = recipe("fasterseg.arch", Search).phases
    assert pretraining.answer_for == ()
    assert (pretraining.relax, pretraining.arch) == ((), None)
    assert (pretraining.duration, student.duration, teacher.duration) == (Epochs(20), Epochs(30), None)
    assert pretraining.widths == Sandwich(smallest=True, largest=True, sampled=False, random=2)
    assert student.widths == Sandwich(smallest=True, largest=True, sampled=True, random=0)
    assert student.beside == ("teacher",)
    assert student.split == RandomSplit(Fraction(1, 2), Fraction(1, 2))
    assert student.loss.over == (Heads.EACH_BRANCH, Heads.EACH_PAIR)
    assert student.relax == (
        Relaxation(Method.SOFTMAX, (Kind.OPERATOR, Kind.SOURCE)),
        Relaxation(Method.GUMBEL_HARD, (Kind.WIDTH,), Constant(1.0)),
    )
    assert student.derive == (Argmax((Kind.OPERATOR, Kind.WIDTH)), Joint((Kind.SOURCE,), Steps.CHANGES), Drop("skip"))
    (term,) = costs_in(student.objective)
    assert term.weights == ((Kind.OPERATOR, 0.001), (Kind.SOURCE, 0.997), (Kind.WIDTH, 0.002))
    assert student.pick is not None
    assert objective_text(student.pick) == "accuracy * (latency / 8.3) ^ -0.07"
    assert teacher.fixed == (Fixed(Kind.WIDTH, "12"),)
    assert teacher.without == ("skip",)
    assert objective_text(teacher.objective) == "loss"
    assert teacher.relax == (Relaxation(Method.SOFTMAX, (Kind.OPERATOR, Kind.SOURCE)),)
    training = recipe("fasterseg.arch", Training)
    assert training.loss == Ohem(0.7, 1 / 16)
    assert training.auxiliary == Auxiliary(0.2)
    assert training.weights.optimizer.lr == Exponential(0.01, 0.992)
    assert training.distill == Distillation(1.0, 1.0, Direction.STUDENT_TEACHER)


@pytest.mark.parametrize("name", ["darts", "fbnet"])
def test_other_texts(name: str) -> None:
    checked = check(str(Path(__file__).parents[2] / "spaces" / f"{name}.arch"))
    assert checked.diagnostics == ()
    assert any(isinstance(each, Search) for each in checked.recipes)
