"""What a phase of a search does with each question of its program, without torch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from random import Random
from typing import Final

from archdsl.relax.relaxed import NONE, Partial, Structure, View
from archdsl.settings.losses import Heads
from archdsl.settings.relaxations import (
    RELAXED,
    Combined,
    Dirichlet,
    Method,
    Mixing,
    PartialChannels,
    Perturbation,
    Relaxation,
    Untrained,
    WithoutLogits,
    runs_one,
)
from archdsl.settings.searches import Phase, Sandwich
from archdsl.space import Branch, Ordered, Program, QuestionKind, QuestionPath, parse_scope
from archdsl.space.relax import open_questions
from archdsl.space.trace import Answers

EDGES: Final = Relaxation(Method.SOFTMAX, (QuestionKind.KEEP,))
"""How the inputs of a sum are weighed by edge normalisation (PC-DARTS)."""
_WAITING: Final = {
    kind: WithoutLogits(Untrained.ONE_PATH if kind is QuestionKind.WIDTH else Untrained.UNIFORM, (kind,))
    for kind in RELAXED
}
"""How questions are answered that are open and not searched. Of widths one is sampled, so that layers have one size."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One forward pass of a step: which widths it runs with."""

    name: str
    answers: Answers
    """Empty for those that the relaxation gives."""


@dataclass(frozen=True)
class PhaseQuestions:
    """Which questions are answered, and how the others are mixed."""

    program: Program
    answers: Answers = field(default_factory=dict[QuestionPath, tuple[str, ...]])
    """Of questions that are fixed, or were answered in earlier phases."""
    allowed: Mapping[QuestionPath, tuple[str, ...]] = field(default_factory=dict[QuestionPath, tuple[str, ...]])
    """The answers that an open question may have, where those are not all of its candidates."""
    rules: Mapping[QuestionPath, Mixing] = field(default_factory=dict[QuestionPath, Mixing])
    """How each open question is mixed, in the order of the program; edges that a sum weighs among them."""
    partial: PartialChannels | None = None
    perturbation: Perturbation | None = None
    views: tuple[View, ...] = (View(),)
    """The ways in which branches are joined; the loss is summed over them."""
    sandwich: Sandwich | None = None

    def candidates(self, path: QuestionPath) -> tuple[str, ...]:
        """The answers that an open question may have, in the order of its logits; `NONE` last where it may win."""
        found = self.allowed.get(path, self.program.questions[path].answers)
        return (*found, NONE) if self.may_be_none(path) else found

    def may_be_none(self, path: QuestionPath) -> bool:
        rule = self.rules.get(path)
        return isinstance(rule, Relaxation | Dirichlet) and rule.also_none

    @property
    def learned(self) -> tuple[QuestionPath, ...]:
        """The questions that have logits."""
        return tuple(path for path, rule in self.rules.items() if not isinstance(rule, WithoutLogits))

    @property
    def partial_channels(self) -> Partial | None:
        """What the supernet does for `partial`."""
        if self.partial is None:
            return None
        return Partial(self.partial.channels, frozenset(path for path, rule in self.rules.items() if rule == EDGES))

    @property
    def widths(self) -> tuple[QuestionPath, ...]:
        """Open questions for a width."""
        return tuple(path for path in self.rules if self.program.questions[path].kind is QuestionKind.WIDTH)

    @property
    def structure(self) -> Structure:
        """What a step may run: of questions of which one answer is sampled the largest width, or the first answer."""
        answers = dict(self.answers)
        for path, rule in self.rules.items():
            if runs_one(rule):
                width = self.program.questions[path].kind is QuestionKind.WIDTH
                found = self.allowed.get(path, self.program.questions[path].answers)
                answers[path] = (max(found, key=int) if width else found[0],)
        weighted = frozenset(path for path in self.learned if path in answers)
        allowed = tuple(self.allowed.items())
        return Structure(tuple(answers.items()), weighted, allowed=allowed, partial=self.partial_channels)

    def passes(self, random: Random) -> tuple[Pass, ...]:
        """The forward passes of one step: at several widths where the phase asks for a sandwich (Yu, Huang, 2019)."""
        if self.sandwich is None or not self.widths:
            return (Pass("sampled", {}),)
        return tuple(self._sandwich(self.sandwich, random))

    def _sandwich(self, sandwich: Sandwich, random: Random) -> Iterator[Pass]:
        sizes = {path: sorted(self.candidates(path), key=int) for path in self.widths}
        if sandwich.largest:
            yield Pass("largest", {path: (each[-1],) for path, each in sizes.items()})
        if sandwich.smallest:
            yield Pass("smallest", {path: (each[0],) for path, each in sizes.items()})
        if sandwich.sampled:
            yield Pass("sampled", {})
        for _ in range(sandwich.random):
            yield Pass("random", {path: (random.choice(each),) for path, each in sizes.items()})


def questions_of(program: Program, relax: Sequence[Mixing | Combined]) -> PhaseQuestions:
    """All questions of a program, each mixed by the relaxation that names its kind."""
    return _relaxed(program, {}, {}, relax, program.questions)


def questions_in(phase: Phase, program: Program, found: Answers) -> PhaseQuestions:
    """The questions of a phase; `program` is that of `phase.network`, or the search's own.

    `found` are answers of a genotype and of earlier phases. Raises ValueError where `without` leaves a question no
    answer.
    """
    fixed = {each.kind: (each.answer,) for each in phase.fixed}
    answers = {path: answer for path, answer in found.items() if path.question in program.questions}
    answers |= {path: fixed[each.kind] for path, each in program.questions.items() if each.kind in fixed}
    allowed: dict[QuestionPath, tuple[str, ...]] = {}
    for path, question in program.questions.items():
        left = tuple(answer for answer in question.answers if answer not in phase.without)
        if question.kind is not QuestionKind.OPERATOR or path in answers or len(left) == len(question.answers):
            continue
        if not left:
            raise ValueError(f"`{program.spell(path)}` has no answer without {', '.join(phase.without)}")
        allowed[path] = left
    made = _relaxed(program, answers, allowed, phase.relax, _searched(phase, program))
    return PhaseQuestions(
        program,
        made.answers,
        made.allowed,
        made.rules,
        made.partial,
        made.perturbation,
        views_of(program, phase.loss.over, made.answers),
        phase.widths,
    )


def _searched(phase: Phase, program: Program) -> Collection[QuestionPath]:
    """The questions of the cells and places that a phase names."""
    if phase.answer_for is None:
        return program.questions
    scopes = [(name, parse_scope(name)) for name in phase.answer_for]
    return frozenset(
        path
        for path in program.questions
        if any(str(path) == name or (scope is not None and path.within(scope)) for name, scope in scopes)
    )


def _relaxed(
    program: Program,
    answers: Answers,
    allowed: Mapping[QuestionPath, tuple[str, ...]],
    relax: Sequence[Mixing | Combined],
    searched: Collection[QuestionPath],
) -> PhaseQuestions:
    by_kind = {kind: each for each in relax if isinstance(each, Mixing) for kind in each.kinds}
    partial = next((each for each in relax if isinstance(each, PartialChannels)), None)
    asked = {path.question for path in open_questions(program, answers, searching=True)}
    rules: dict[QuestionPath, Mixing] = {}
    for path, question in program.questions.items():
        if path not in asked:
            continue
        if question.kind in RELAXED:
            waiting = _WAITING[question.kind]
            rules[path] = by_kind.get(question.kind, waiting) if path in searched else waiting
        elif question.kind is QuestionKind.KEEP and partial is not None and partial.edge_normalisation:
            rules[path] = EDGES
    return PhaseQuestions(
        program,
        answers,
        {path: each for path, each in allowed.items() if path in rules},
        rules,
        partial,
        next((each for each in relax if isinstance(each, Perturbation)), None),
    )


# Branches ---------------------------------------------------------------------------------------


def views_of(program: Program, heads: Sequence[Heads], answers: Answers) -> tuple[View, ...]:
    """The ways to join branches that a loss is summed over (FasterSeg), each of them that of some genotype.

    A branch ends where it can beside the others: they end in their order.
    """
    found: dict[View, None] = {}
    ends = list(joint_ends(program, answers))
    for head in heads:
        match head:
            case Heads.OUTPUT:
                found[View()] = None
            case Heads.EACH_BRANCH:
                found |= dict.fromkeys(_alone(program, ends, 1))
            case Heads.EACH_PAIR:
                found |= dict.fromkeys(_alone(program, ends, 2))
    return tuple(found)


def joint_ends(program: Program, answers: Answers) -> Iterator[Mapping[Branch, str]]:
    """Where all branches can end together."""
    choices = [answers.get(branch.end, tuple(ends.places)) for branch, ends in program.branches.items()]
    for labels in product(*choices):
        joint = dict(zip(program.branches, labels, strict=True))
        if all(_in_order(program, each, joint) for each in program.constraints):
            yield joint


def _in_order(program: Program, order: Ordered, joint: Mapping[Branch, str]) -> bool:
    """Whether branches end at different places, the finer one first."""
    last = -1
    for branch in order.branches:
        ends = program.branches[branch]
        position = list(program.trellises[ends.trellis].sources).index(ends.places[joint[branch]])
        if position <= last:
            return False
        last = position
    return True


def _alone(program: Program, ends: Sequence[Mapping[Branch, str]], count: int) -> Iterator[View]:
    """So many branches together, each where it can end beside the others, and the others left out."""
    branches = list(program.branches)
    for some in combinations(branches, count):
        labels = dict.fromkeys(tuple(joint[branch] for branch in some) for joint in ends)
        for each in labels:
            joined = dict(zip(some, each, strict=True))
            name = "+".join(f"{branch}.{label}" for branch, label in joined.items())
            yield View(name, tuple((branch, joined.get(branch)) for branch in branches))
