"""Decisions of phases: logits beside the network, questions that are decided together, and what stands beside them."""

from __future__ import annotations

from random import Random

import pytest
import torch
from torch import Generator, Tensor
from torch.nn import functional

import archdsl
from archdsl.nets.supernet import Decisions, Logits, Supernet
from archdsl.nets.supernet.perturb import adversarial_perturbation, random_perturbation
from archdsl.nets.supernet.relaxations import softmax
from archdsl.relax.phases import PhaseQuestions, questions_of
from archdsl.relax.relaxed import NONE
from archdsl.search.robustness.figures import probabilities_of
from archdsl.settings.relaxations import (
    Combined,
    Dirichlet,
    Method,
    Mixing,
    Perturbation,
    PerturbedBy,
    Relaxation,
    Untrained,
    WithoutLogits,
)
from archdsl.settings.schedules import Constant, Linear, Moment
from archdsl.settings.searches import Sandwich
from archdsl.space import Program, QuestionKind, QuestionPath
from archdsl.train.typed_torch import backward

TEXT = """archdsl 1

use std

cell node(c) {
  in x
  choose operator in {conv3x3, conv1x1, identity}
  choose width in {4, 6, 8}
  out x -> operator(c) -> conv3x3(width) -> conv1x1(c)
}

space net() {
  in image: 3x16x16
  stem = image -> conv3x3(8)
  trunk = hyper(stem, stem) {
    each node(c = 8) * 3
  }
  out logits = trunk -> conv(5, k = 1)
}
"""
OPERATOR, WIDTH, EXIT = QuestionKind.OPERATOR, QuestionKind.WIDTH, QuestionKind.EXIT
START = Moment(0.0, 0, 0)
SOFT = Relaxation(Method.SOFTMAX, (OPERATOR, EXIT))
HARD = Relaxation(Method.GUMBEL_HARD, (WIDTH,))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    path = tmp_path_factory.mktemp("relaxation") / "net.arch"
    path.write_text(TEXT)
    return archdsl.load(path).space


@pytest.fixture(scope="module")
def net(program: Program) -> Supernet:
    made = Supernet(program)
    with torch.no_grad():
        for each in made.parameters():
            each.copy_(0.3 * torch.randn(each.shape, generator=seeded()))
    return made.eval()


def seeded(seed: int = 5) -> Generator:
    return torch.Generator().manual_seed(seed)


def logits_of(net: Supernet, *relax: Mixing | Combined, scale: float = 1.0) -> Logits:
    return net.logits(questions_of(net.program, relax), scale=scale)


def decided(net: Supernet, logits: Logits, moment: Moment = START, seed: int = 5) -> Decisions:
    return net.relaxation(logits).decide(moment, seeded(seed))


def of_kind(program: Program, kind: QuestionKind) -> list[QuestionPath]:
    return [path for path, question in program.questions.items() if question.kind is kind]


def image() -> Tensor:
    return torch.randn(2, 3, 16, 16, generator=seeded(9))


# Logits -----------------------------------------------------------------------------------------


def test_logits_are_named_by_questions_and_lie_beside_the_network(net: Supernet) -> None:
    logits = logits_of(net, SOFT, HARD, scale=1e-3)
    named = dict(logits.named_parameters())
    assert set(named) == {net.program.spell(path) for path in net.questions}
    assert {path: named[net.program.spell(path)] for path in net.questions} == logits.vectors
    assert not {id(each) for each in net.parameters()} & {id(each) for each in logits.parameters()}
    assert not set(net.state_dict()) & set(logits.state_dict())


def test_logits_start_small_by_a_seed_or_at_zero(net: Supernet) -> None:
    first, again, other = (net.logits(seed=seed) for seed in (1, 1, 2))
    flat = torch.cat([each.detach() for each in first.vectors.values()])
    assert 0.5e-3 < flat.std() < 2e-3
    for path, each in first.vectors.items():
        assert each.equal(again.vectors[path])
        assert not each.equal(other.vectors[path])
    assert all((each == 0).all() for each in net.logits(scale=0.0).vectors.values())


def test_logits_are_kept_and_loaded(net: Supernet) -> None:
    first, other = net.logits(seed=1), net.logits(seed=2)
    other.load_state_dict(first.state_dict())
    assert all(each.equal(other.vectors[path]) for path, each in first.vectors.items())


def test_logits_by_kind(net: Supernet) -> None:
    logits = net.logits()
    assert len(list(logits.of({OPERATOR}))) == len(of_kind(net.program, OPERATOR))
    assert len(list(logits.of({OPERATOR, EXIT}))) == len(of_kind(net.program, OPERATOR)) + 1
    assert list(logits.of(())) == []


# Decisions --------------------------------------------------------------------------------------


def test_questions_that_are_decided_together_are_decided_as_alone(net: Supernet) -> None:
    temperature = Linear(2.0, 1.0)
    logits = logits_of(net, Relaxation(Method.SOFTMAX, (OPERATOR, EXIT, WIDTH), temperature))
    found = decided(net, logits, Moment(0.5, 0, 0))
    assert set(found.weights) == set(net.questions)
    for path, vector in logits.vectors.items():
        torch.testing.assert_close(found.weights[path], softmax(vector[None], 1.5)[0])


def test_a_generator_makes_decisions_again(net: Supernet) -> None:
    logits = logits_of(net, Relaxation(Method.GUMBEL, (OPERATOR, EXIT)), HARD)
    first, again = decided(net, logits), decided(net, logits)
    assert first.answers == again.answers
    assert all(each.equal(again.weights[path]) for path, each in first.weights.items())
    samples = [decided(net, logits, seed=seed).answers for seed in range(20)]
    assert any(each != first.answers for each in samples)


def test_hard_decisions_are_answers_with_weights(net: Supernet) -> None:
    logits = logits_of(net, SOFT, HARD)
    found = decided(net, logits)
    widths = of_kind(net.program, WIDTH)
    assert set(found.answers) == set(widths)
    for path in widths:
        chosen = [float((each,) == found.answers[path]) for each in net.answers(path)]
        assert found.weights[path].equal(torch.tensor(chosen))
    assert found.structure.weighted == set(widths)
    backward(net.outputs(image(), found)["logits"].square().mean())
    for path, each in logits.vectors.items():
        assert each.grad is not None, path
        assert each.grad.abs().sum() > 0, path


@pytest.mark.parametrize("answer", ["4", "6", "8"])
def test_a_sampled_width_weighs_its_map(net: Supernet, answer: str) -> None:
    """Straight through: the gradient is that of the weight of the sampled width, the smallest one too."""
    found = decided(net, logits_of(net, SOFT, HARD))
    path = of_kind(net.program, WIDTH)[0]
    place = net.answers(path).index(answer)
    rest = {other: each.detach() for other, each in found.weights.items() if other != path}
    target = torch.randn(2, 5, 16, 16, generator=seeded(3))

    def loss(weight_N: Tensor) -> Tensor:
        decisions = Decisions({**found.answers, path: (answer,)}, {**rest, path: weight_N})
        return (net.outputs(image(), decisions)["logits"] - target).square().mean()

    weight_N = torch.eye(3)[place].requires_grad_()
    backward(loss(weight_N))
    assert weight_N.grad is not None
    with torch.no_grad():
        step_N = 1e-2 * torch.eye(3)[place]
        slope = (loss(weight_N + step_N) - loss(weight_N - step_N)) / 2e-2
    assert slope.abs() > 1e-4
    torch.testing.assert_close(weight_N.grad, slope * torch.eye(3)[place], rtol=1e-2, atol=1e-5)


def test_one_path_runs_a_network_of_the_space(net: Supernet) -> None:
    """Without weights of answers, as a genotype does while it is searched."""
    logits = logits_of(net, WithoutLogits(Untrained.ONE_PATH, (OPERATOR, EXIT, WIDTH)))
    assert logits.vectors == {}
    found = decided(net, logits)
    assert found.weights == {}
    assert set(found.answers) == set(net.questions)
    with torch.no_grad():
        sampled = net.outputs(image(), found)["logits"]
        forced = net.outputs(image(), Decisions(found.answers))["logits"]
    assert sampled.equal(forced)


def test_uniform_weights_have_no_gradient(net: Supernet) -> None:
    found = decided(net, logits_of(net, WithoutLogits(Untrained.UNIFORM, (OPERATOR, EXIT)), HARD))
    for path in (*of_kind(net.program, OPERATOR), *of_kind(net.program, EXIT)):
        torch.testing.assert_close(found.weights[path], torch.full((3,), 1 / 3))
        assert not found.weights[path].requires_grad


@pytest.mark.parametrize("method", list(Method))
def test_none_has_a_logit_and_gives_zero(net: Supernet, method: Method) -> None:
    rule = Relaxation(method, (OPERATOR,), also_none=True)
    logits = logits_of(net, rule, Relaxation(Method.SOFTMAX, (EXIT,)), HARD)
    operators = of_kind(net.program, OPERATOR)
    with torch.no_grad():
        for path in operators:
            logits.vectors[path].copy_(torch.tensor([0.0, 0.0, 0.0, 200.0]))
    found = decided(net, logits)
    assert all(found.weights[path].equal(torch.tensor([0.0, 0.0, 0.0, 1.0])) for path in operators)
    assert all(found.answers.get(path) == (NONE,) for path in operators) == method.hard
    # Then the image makes no difference: the cells add nothing that hangs on it.
    exits = {path: (net.answers(path)[-1],) for path in of_kind(net.program, EXIT)}
    with torch.no_grad():
        first, other = (
            net.outputs(x, Decisions({**found.answers, **exits}, found.weights))["logits"]
            for x in (image(), 3 * image())
        )
    torch.testing.assert_close(first, other)


def test_answers_that_are_left_out_have_no_weight_and_are_not_run(net: Supernet) -> None:
    """A teacher without an op, and a student with all, on the same weights."""
    program = net.program
    student = questions_of(program, (SOFT, WithoutLogits(Untrained.ONE_PATH, (WIDTH,))))
    allowed = dict.fromkeys(of_kind(program, OPERATOR), ("conv3x3", "identity"))
    teacher = PhaseQuestions(program, allowed=allowed, rules=student.rules)
    logits = net.logits(teacher, scale=1.0)
    found = decided(net, logits)
    for path in allowed:
        expected = torch.zeros(3)
        expected[[0, 2]] = logits.vectors[path].detach().softmax(-1)
        torch.testing.assert_close(found.weights[path].detach(), expected)
    ran = [net.program.nodes[node.key.node].path for node in net.evaluation(found.structure).graph.nodes if node.key]
    assert any("conv3x3" in path for path in ran)
    assert not any("conv1x1" in path and "operator" in path for path in ran)
    with torch.no_grad():
        mixed = net.outputs(image(), found)["logits"]
        everything = net.outputs(image(), Decisions(found.answers, found.weights))["logits"]
    torch.testing.assert_close(mixed, everything)
    assert len(decided(net, net.logits(student)).weights[next(iter(allowed))]) == 3


def test_a_guide_gives_logits_instead(net: Supernet) -> None:
    logits = logits_of(net, SOFT, HARD)
    guided = {path: 2 * each for path, each in logits.vectors.items()}
    found = net.relaxation(logits).decide(START, seeded(), logits=guided)
    for path in of_kind(net.program, OPERATOR):
        torch.testing.assert_close(found.weights[path], (2 * logits.vectors[path]).softmax(-1))


def test_the_passes_of_a_sandwich(net: Supernet) -> None:
    questions = questions_of(net.program, (SOFT, HARD))
    sandwich = Sandwich(smallest=True, largest=True, sampled=True, random=1)
    questions = PhaseQuestions(net.program, rules=questions.rules, sandwich=sandwich)
    relaxation = net.relaxation(net.logits(questions))
    found = relaxation.decide(START, seeded())
    passes = dict(zip(("largest", "smallest", "sampled", "random"), relaxation.passes(found, Random(1)), strict=True))
    assert all(each.name == name for name, (each, _) in passes.items())
    widths = of_kind(net.program, WIDTH)
    assert all(passes["largest"][1].answers[path] == ("8",) for path in widths)
    assert all(passes["smallest"][1].answers[path] == ("4",) for path in widths)
    assert passes["sampled"][1] is found
    for name in ("largest", "smallest", "random"):
        at = passes[name][1]
        assert not set(at.weights) & set(widths)
        assert {path: at.weights[path] for path in of_kind(net.program, OPERATOR)} == {
            path: found.weights[path] for path in of_kind(net.program, OPERATOR)
        }
        assert net(image(), at).shape == (2, 5, 16, 16)


# What stands beside ----------------------------------------------------------------------------


def test_the_penalty_is_that_of_dirichlet_questions(net: Supernet) -> None:
    logits = logits_of(net, Dirichlet((OPERATOR,), penalty=0.5), Relaxation(Method.SOFTMAX, (EXIT,)), HARD)
    expected = sum(0.5 * functional.elu(logits.vectors[path]).square().sum() for path in of_kind(net.program, OPERATOR))
    found = net.relaxation(logits).penalty()
    torch.testing.assert_close(found, expected)
    assert net.relaxation(logits_of(net, SOFT, HARD)).penalty() == 0
    weights = decided(net, logits).weights
    assert all(float(weights[path].detach().sum()) == pytest.approx(1) for path in of_kind(net.program, OPERATOR))


def test_random_perturbations_stay_in_their_radius(net: Supernet) -> None:
    logits = logits_of(net, SOFT, HARD, Perturbation(PerturbedBy.RANDOM, Linear(0.0, 0.2)))
    relaxation, found = net.relaxation(logits), decided(net, logits)

    def unused(_: Decisions) -> Tensor:
        raise AssertionError("no loss is needed")

    for moment, radius in ((START, 0.0), (Moment(1.0, 0, 0), 0.2)):
        shifted = relaxation.perturbed(found, moment, unused, seeded())
        assert shifted.answers == found.answers
        for path, each in shifted.weights.items():
            change = (each - found.weights[path]).abs().max()
            assert change <= radius + 1e-6
            assert (change > 0) == (radius > 0 and path not in found.answers)
            assert each.min() >= 0 and each.max() <= 1
    plain = net.relaxation(logits_of(net, SOFT, HARD))
    assert plain.perturbed(found, START, unused) is found


def test_an_adversary_makes_the_loss_larger_than_chance_does(net: Supernet) -> None:
    logits = logits_of(net, SOFT, HARD, Perturbation(PerturbedBy.ADVERSARIAL, Constant(0.1)))
    relaxation, found = net.relaxation(logits), decided(net, logits)
    target = torch.randn(2, 5, 16, 16, generator=seeded(3))

    def loss(decisions: Decisions) -> Tensor:
        return (net.outputs(image(), decisions)["logits"] - target).square().mean()

    shifted = relaxation.perturbed(found, START, loss, seeded())
    random = relaxation.perturbed(found, START, loss, seeded())
    soft = {path: each for path, each in found.weights.items() if path not in found.answers}
    by_chance = Decisions(found.answers, {**found.weights, **random_perturbation(soft, 0.1, seeded())})
    with torch.no_grad():
        assert loss(shifted) > loss(found)
        assert loss(shifted) > loss(by_chance)
    assert all(each.equal(random.weights[path]) for path, each in shifted.weights.items())
    for path, each in shifted.weights.items():
        assert (each - found.weights[path]).detach().abs().max() <= 0.1 + 1e-6
    assert all(each.grad is None for each in logits.parameters())


def test_the_adversary_of_a_linear_loss_is_a_corner() -> None:
    path = QuestionPath((), "x")
    weights = {path: torch.tensor([0.5, 0.3, 0.2])}
    slope = torch.tensor([1.0, -2.0, 3.0])
    found = adversarial_perturbation(weights, 0.1, lambda each: each[path] @ slope, generator=seeded())
    torch.testing.assert_close(found[path], torch.tensor([0.6, 0.2, 0.3]))


# Without chance ---------------------------------------------------------------------------------


def numbers(vector_N: Tensor) -> list[float]:
    return [float(each) for each in vector_N.detach()]


def test_expected_decisions_are_the_probabilities_that_answers_are_derived_by(net: Supernet, program: Program) -> None:
    for rule in (Relaxation(Method.GUMBEL, (OPERATOR,), Constant(0.1), also_none=True), Dirichlet((OPERATOR,))):
        questions = questions_of(program, (rule, WithoutLogits(Untrained.UNIFORM, (EXIT,)), HARD))
        logits = Logits(questions, scale=2.0)
        found = net.relaxation(logits).expected()
        known = probabilities_of(questions, {path: numbers(each) for path, each in logits.vectors.items()})
        for path, question in program.questions.items():
            match question.kind:
                case QuestionKind.OPERATOR:
                    assert numbers(found.weights[path]) == pytest.approx(list(known[path].values()), rel=1e-4)
                case QuestionKind.EXIT:
                    assert numbers(found.weights[path]) == pytest.approx([1 / len(question.answers)] * 3)
                case _:
                    # What a step samples runs as its most probable answer, and weighs nothing.
                    assert found.answers[path] == (max(known[path], key=lambda name: known[path][name]),)
                    assert path not in found.weights


def test_expected_decisions_have_answers_where_nothing_is_learned(net: Supernet, program: Program) -> None:
    questions = questions_of(program, (SOFT, WithoutLogits(Untrained.ONE_PATH, (WIDTH,))))
    found = net.relaxation(Logits(questions)).expected()
    widths = [path for path, each in program.questions.items() if each.kind is WIDTH]
    assert {found.answers[path] for path in widths} == {("8",)}
