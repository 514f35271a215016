"""Decisions of a phase, step by step: questions that are mixed alike are decided by one operation.

Legend of shape suffixes: Q questions, N answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

import torch
from torch import Generator, Tensor

from archdsl.nets.supernet.decisions import Decisions
from archdsl.nets.supernet.logits import Logits
from archdsl.nets.supernet.perturb import adversarial_perturbation, random_perturbation
from archdsl.nets.supernet.relaxations import anchor_distance, drawn, probabilities
from archdsl.relax.phases import EDGES, Pass, PhaseQuestions
from archdsl.relax.relaxed import NONE
from archdsl.settings.relaxations import Dirichlet, Mixing, PerturbedBy, Relaxation, WithoutLogits, runs_one
from archdsl.settings.schedules import Moment, value_at
from archdsl.space import QuestionPath
from archdsl.space.trace import Answers

Vectors: TypeAlias = "Mapping[QuestionPath, Tensor]"


@dataclass(frozen=True, slots=True)
class _Group:
    """Questions that are mixed alike and have equally many answers."""

    rule: Mixing
    paths: tuple[QuestionPath, ...]
    candidates: tuple[tuple[str, ...], ...]
    """Of each question, as its logits have them."""
    places: tuple[tuple[int, ...], ...]
    """Where these stand among all answers of the question."""
    size: int
    """How many answers the questions have, those that are left out and `none` too."""

    @property
    def count(self) -> int:
        return len(self.candidates[0])

    @property
    def learned(self) -> bool:
        return not isinstance(self.rule, WithoutLogits)

    def stacked(self, vectors: Vectors, like: Tensor) -> Tensor:
        """The logits of the questions, QxN; zeros as another tensor is where they have none."""
        if self.learned:
            return torch.stack([vectors[path] for path in self.paths])
        return like.new_zeros(len(self.paths), self.count)


class PhaseRelaxation:
    """Makes decisions from the logits of a phase."""

    def __init__(self, questions: PhaseQuestions, logits: Logits) -> None:
        self.questions = questions
        self.logits = logits
        self._groups = tuple(_groups(questions))
        soft = (group for group in self._groups if _is_soft(group.rule))
        self._soft = tuple(path for group in soft for path in group.paths)

    def decide(self, moment: Moment, generator: Generator | None = None, *, logits: Vectors | None = None) -> Decisions:
        """The decisions of one step. `logits` stand for those of the phase: they are what a guide makes of them.

        A generator of the logits' device makes samples reproducible.
        """
        vectors = self.logits.vectors if logits is None else logits
        like = next(iter(vectors.values()), torch.empty(0))
        weights: dict[QuestionPath, Tensor] = {}
        sampled: list[tuple[_Group, Tensor]] = []
        for group in self._groups:
            logits_QN = group.stacked(vectors, like)
            found = drawn(group.rule, logits_QN, moment, generator)
            if found.weights_QN is not None:
                weights_QN = _placed(found.weights_QN, group)
                weights |= zip(group.paths, torch.unbind(weights_QN), strict=True)
            if found.picked_Q is not None:
                sampled.append((group, found.picked_Q))
        return self._decisions(dict(self.questions.answers) | dict(_picked(sampled)), weights)

    def _decisions(self, answers: Answers, weights: Vectors) -> Decisions:
        asked = self.questions
        return Decisions(answers, weights, views=asked.views, allowed=asked.allowed, partial=asked.partial_channels)

    def expected(self, *, logits: Vectors | None = None) -> Decisions:
        """The decisions without chance, as answers are derived: weighed by their probabilities, at a temperature of 1.

        Of questions of which a step runs one answer the most probable one is run, and weighs nothing; without logits
        that of `questions.structure`. So they take no more memory than a step.
        """
        vectors = self.logits.vectors if logits is None else logits
        like = next(iter(vectors.values()), torch.empty(0))
        weights: dict[QuestionPath, Tensor] = {}
        answers = dict(self.questions.structure.answers)
        for group in self._groups:
            logits_QN = group.stacked(vectors, like)
            if not runs_one(group.rule):
                weights_QN = _placed(probabilities(group.rule, logits_QN), group)
                weights |= zip(group.paths, torch.unbind(weights_QN), strict=True)
            elif group.learned:
                answers |= _picked([(group, logits_QN.argmax(-1))])
        return self._decisions(answers, weights)

    def penalty(self, *, logits: Vectors | None = None) -> Tensor:
        """What relaxations add to the loss (DrNAS), a scalar; zero for most."""
        vectors = self.logits.vectors if logits is None else logits
        terms = [
            group.rule.penalty * anchor_distance(torch.stack([vectors[path] for path in group.paths]))
            for group in self._groups
            if isinstance(group.rule, Dirichlet)
        ]
        return torch.stack(terms).sum() if terms else torch.zeros(())

    def perturbed(
        self,
        decisions: Decisions,
        moment: Moment,
        loss: Callable[[Decisions], Tensor],
        generator: Generator | None = None,
    ) -> Decisions:
        """The decisions for a step of the ops' weights: as they are, or perturbed where the phase says so (SDARTS).

        `loss` is that of decisions on the batch of the step; an adversarial perturbation calls it.
        """
        rule = self.questions.perturbation
        soft = {path: decisions.weights[path] for path in self._soft}
        if rule is None or not soft:
            return decisions
        radius = value_at(rule.radius, moment)

        def shifted(weights: Vectors) -> Decisions:
            return replace(decisions, weights={**decisions.weights, **weights})

        if rule.by is PerturbedBy.RANDOM:
            return shifted(random_perturbation(soft, radius, generator))
        return shifted(
            adversarial_perturbation(soft, radius, lambda weights: loss(shifted(weights)), generator=generator)
        )

    def passes(self, decisions: Decisions, random: Random) -> tuple[tuple[Pass, Decisions], ...]:
        """The decisions of each forward pass of a step: at several widths where the phase asks for a sandwich."""
        return tuple((each, _at_widths(decisions, each)) for each in self.questions.passes(random))


def _at_widths(decisions: Decisions, wanted: Pass) -> Decisions:
    """With widths that are given, and so weigh nothing."""
    if not wanted.answers:
        return decisions
    weights = {path: each for path, each in decisions.weights.items() if path not in wanted.answers}
    # In one order whoever gives the widths, so that one structure is one evaluation.
    answers = {path: each for path, each in decisions.answers.items() if path not in wanted.answers}
    return replace(decisions, answers=answers | dict(wanted.answers), weights=weights)


def _groups(questions: PhaseQuestions) -> Iterator[_Group]:
    alike: dict[tuple[Mixing, int, int], list[QuestionPath]] = {}
    for path, rule in questions.rules.items():
        size = len(_all(questions, path))
        alike.setdefault((rule, len(questions.candidates(path)), size), []).append(path)
    for (rule, _, size), paths in alike.items():
        places = (_places(questions, path) for path in paths)
        yield _Group(rule, tuple(paths), tuple(map(questions.candidates, paths)), tuple(places), size)


def _all(questions: PhaseQuestions, path: QuestionPath) -> tuple[str, ...]:
    """Every answer for which decisions hold a weight."""
    answers = questions.program.questions[path].answers
    return (*answers, NONE) if questions.may_be_none(path) else answers


def _places(questions: PhaseQuestions, path: QuestionPath) -> tuple[int, ...]:
    order = {answer: place for place, answer in enumerate(_all(questions, path))}
    return tuple(order[answer] for answer in questions.candidates(path))


def _placed(weights_QN: Tensor, group: _Group) -> Tensor:
    """With zeros for answers that are left out."""
    if group.count == group.size:
        return weights_QN
    places_QN = torch.tensor(group.places, device=weights_QN.device)
    return weights_QN.new_zeros(len(group.paths), group.size).scatter(-1, places_QN, weights_QN)


def _picked(sampled: Iterable[tuple[_Group, Tensor]]) -> Iterator[tuple[QuestionPath, tuple[str, ...]]]:
    """The answers of all samples, brought to the host at once."""
    groups = list(sampled)
    if not groups:
        return
    numbers: list[int] = torch.cat([picked_Q for _, picked_Q in groups]).tolist()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    each = iter(numbers)
    for group, _ in groups:
        for path, candidates in zip(group.paths, group.candidates, strict=True):
            yield path, (candidates[next(each)],)


def _is_soft(rule: Mixing) -> bool:
    """Whether all answers are run, by weights that come from logits; not those of edges, which SDARTS leaves alone."""
    return isinstance(rule, Dirichlet) or (isinstance(rule, Relaxation) and rule != EDGES and not rule.method.hard)
