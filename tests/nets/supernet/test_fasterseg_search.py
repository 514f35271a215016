"""The phases of FasterSeg's search on one supernet: pretraining, then student and teacher in turn."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import torch
from torch import Generator, Tensor

import archdsl
from archdsl.nets.supernet import Decisions, Supernet
from archdsl.pipeline import check
from archdsl.relax.phases import PhaseQuestions, questions_in
from archdsl.settings import Search
from archdsl.settings.schedules import Moment
from archdsl.space import QuestionKind
from archdsl.train.typed_torch import backward

FILE = Path(__file__).parents[3] / "spaces" / "fasterseg.arch"
START = Moment(0.0, 0, 0)


@pytest.fixture(scope="module")
def net() -> Supernet:
    made = Supernet(archdsl.load(FILE, overrides={"layers": 4, "w": 4, "classes": 3}, size=(64, 64)).space)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for each in made.parameters():
            each.copy_(0.5 * torch.randn(each.shape, generator=generator))
    return made


@pytest.fixture(scope="module")
def phases(net: Supernet) -> dict[str, PhaseQuestions]:
    (search,) = (each for each in check(str(FILE)).recipes if isinstance(each, Search))
    return {phase.name: questions_in(phase, net.program, {}) for phase in search.phases}


def heads(net: Supernet, decisions: Decisions) -> dict[str, Tensor]:
    x_BCHW = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    outputs = net.outputs(x_BCHW, decisions)
    return {name: each for name, each in outputs.items() if name.endswith(".logits")}


def widths(net: Supernet, decisions: Decisions) -> set[str]:
    """The widths of all maps that are run."""
    asked = net.program.questions
    found = {path: each for path, each in decisions.answers.items() if asked[path].kind is QuestionKind.WIDTH}
    return {answer for answers in found.values() for answer in answers}


def test_pretraining_trains_weights_at_several_widths(net: Supernet, phases: dict[str, PhaseQuestions]) -> None:
    relaxation = net.relaxation(net.logits(phases["pretraining"]))
    decided = relaxation.decide(START, Generator().manual_seed(2))
    passes = relaxation.passes(decided, Random(1))
    assert [each.name for each, _ in passes] == ["largest", "smallest", "random", "random"]
    net.zero_grad()
    for each, at in passes:
        expected = {"largest": {"12"}, "smallest": {"4"}}
        assert widths(net, at) == expected.get(each.name, widths(net, at))
        found = heads(net, at)
        assert set(found) == {f"{view.name}.logits" for view in phases["pretraining"].views}
        backward(torch.stack([each.square().mean() for each in found.values()]).sum())
    # Auxiliary outputs are not among the heads, and batch norms have widths that were not sampled.
    unreached = [name for name, each in net.named_parameters() if each.grad is None]
    assert all(name.startswith(("deep", "middle")) or ".bn." in name or "_bn." in name for name in unreached)


def test_student_and_teacher_have_answers_of_their_own_on_the_same_weights(
    net: Supernet, phases: dict[str, PhaseQuestions]
) -> None:
    student, teacher = (net.logits(phases[name], scale=1.0, seed=3) for name in ("student", "teacher"))
    decided = {
        name: net.relaxation(logits).decide(START, Generator().manual_seed(2))
        for name, logits in (("student", student), ("teacher", teacher))
    }
    assert widths(net, decided["teacher"]) == {"12"}
    assert len(widths(net, decided["student"])) > 1
    net.zero_grad()
    for name, mine, other in (("student", student, teacher), ("teacher", teacher, student)):
        mine.zero_grad()
        other.zero_grad()
        backward(torch.stack([each.square().mean() for each in heads(net, decided[name]).values()]).sum())
        assert all(each.grad is None for each in other.parameters())
        reached = [path for path, each in mine.vectors.items() if isinstance(each.grad, Tensor)]
        assert set(reached) == set(net.evaluation(decided[name].structure).graph.questions) & set(mine.vectors)
        assert all((mine.vectors[path].grad != 0).any() for path in reached)
