"""What a supernet is made of: its questions, the steps that run it, and what a step takes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from archdsl.diagnostics import Diagnostic, Severity
from archdsl.pipeline.load import Loaded, NotLoaded
from archdsl.relax.checkpoints import Checkpoints, fitted
from archdsl.relax.estimate import Estimate, estimate, mixed_questions, widest
from archdsl.relax.lower import NotRelaxable, Relaxer
from archdsl.relax.plan import Plan, Row, describe, keeping, planned
from archdsl.relax.relaxed import RelaxedGraph, Structure
from archdsl.space import Program, Question, QuestionKind, QuestionPath
from archdsl.space.relax import open_questions
from archdsl.space.trace import Answers

_Planning: TypeAlias = "Callable[[RelaxedGraph], Plan]"


class State(StrEnum):
    """What a supernet does with a question."""

    MIXED = "mixed"
    """Its answers are weighed."""
    KEPT = "kept"
    """A sum keeps all of its inputs."""
    ANSWERED = "answered"
    """A genotype says it."""
    NOT_ASKED = "not asked"
    """No network of the genotype asks it."""


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A line of the table of questions."""

    path: str
    kind: QuestionKind
    candidates: tuple[str, ...]
    """Those that it has; of one that is answered, the answers, which branches may have apart."""
    per_branch: bool
    state: State
    place: str
    """File and line of the text that asks."""


@dataclass(frozen=True, slots=True)
class SupernetReport:
    """A space, or a genotype that leaves questions open, as a search would run it."""

    name: str
    space: str
    hash: str
    questions: tuple[AskedQuestion, ...]
    steps: tuple[Row, ...]
    """The plan as a table, every open question mixed and each width at its largest."""
    channels_last: bool
    """Whether maps lie channel by channel in memory."""
    keeps_maps: bool
    """Whether sums keep all maps of their rows: those of an image are small beside the weights."""
    estimate: Estimate
    checkpoints: Checkpoints | None
    """The cells that compute their maps again to fit in a budget; None where none is given."""
    only_sampled: Diagnostic | None
    """Why widths can be sampled and not mixed (E0621, a warning); None where both can be done."""


def supernet_estimate(
    loaded: Loaded, *, batch: int = 1, memory_bytes: int | None = None, keep_maps: bool = False
) -> tuple[Estimate, Checkpoints | None]:
    """What a step takes, and the cells that compute their maps again where it has to fit in so much memory.

    With `keep_maps` nothing is computed again, and there is no budget.
    Raises NotLoaded for what cannot be relaxed, though widths be sampled; NotEnoughMemory.
    """
    relaxer, found = _estimated(loaded, batch, _planning(keep_maps=keep_maps))
    if memory_bytes is None:
        return found, None
    return found, fitted(_widest_plan(relaxer, loaded.meaning.answers), found, memory_bytes)


def _planning(*, keep_maps: bool) -> _Planning:
    return keeping if keep_maps else planned


def _estimated(loaded: Loaded, batch: int, plan: _Planning) -> tuple[Relaxer, Estimate]:
    try:
        relaxer = Relaxer.of(loaded.program)
        return relaxer, estimate(relaxer, loaded.meaning.answers, batch=batch, plan=plan)
    except NotRelaxable as found:
        raise NotLoaded([found.diagnostic(loaded.program)]) from None


def _widest_plan(relaxer: Relaxer, answers: Answers, plan: _Planning = planned) -> Plan:
    return plan(relaxer.lower(widest(relaxer, answers)))


def supernet_report(
    loaded: Loaded, *, batch: int = 1, memory_bytes: int | None = None, keep_maps: bool = False
) -> SupernetReport:
    """With `keep_maps`, of the plan that computes nothing again; then there is no budget.

    Raises NotLoaded for what cannot be relaxed, though widths be sampled; NotEnoughMemory.
    """
    program, answers = loaded.program, loaded.meaning.answers
    planning = _planning(keep_maps=keep_maps)
    relaxer, found = _estimated(loaded, batch, planning)
    plan = _widest_plan(relaxer, answers, planning)
    return SupernetReport(
        loaded.name,
        program.name,
        program.hash,
        tuple(_questions(relaxer, answers)),
        tuple(describe(plan)),
        plan.channels_last,
        plan.keeps_maps,
        found,
        None if memory_bytes is None else fitted(plan, found, memory_bytes),
        _only_sampled(relaxer, answers),
    )


def _only_sampled(relaxer: Relaxer, answers: Answers) -> Diagnostic | None:
    try:
        relaxer.lower(Structure.of(answers))
    except NotRelaxable as found:
        return replace(found.diagnostic(relaxer.program), severity=Severity.WARNING)
    return None


def _questions(relaxer: Relaxer, answers: Answers) -> Iterator[AskedQuestion]:
    program, mixed = relaxer.program, mixed_questions(relaxer, answers)
    asked = {path.question for path in open_questions(program, answers, searching=True)}
    for path, question in program.questions.items():
        given = _given(program, path, question, answers)
        if given:
            state = State.ANSWERED
        elif path in mixed:
            state = State.MIXED
        else:
            state = State.KEPT if path in asked else State.NOT_ASKED
        candidates = tuple(answer for answer in question.answers if answer in given) if given else question.answers
        span = question.span
        place = "" if span is None else f"{span.source.name}:{span.position.line}"
        yield AskedQuestion(program.spell(path), question.kind, candidates, question.per_branch, state, place)


def _given(program: Program, path: QuestionPath, question: Question, answers: Answers) -> Collection[str]:
    """What is answered to a question; nothing where a branch leaves it open."""
    owners = tuple(map(path.of, program.branches)) if question.per_branch else (path,)
    if any(owner not in answers for owner in owners):
        return ()
    return {answer for owner in owners for answer in answers[owner]}
