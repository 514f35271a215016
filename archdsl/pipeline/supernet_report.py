"""What a supernet is made of: its questions, the steps that run it, and what a step takes."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.pipeline.load import Loaded, NotLoaded
from archdsl.relax.estimate import Estimate, estimate, widest
from archdsl.relax.lower import NotRelaxable, Relaxer
from archdsl.relax.plan import Row, describe, planned
from archdsl.relax.relaxed import Structure
from archdsl.space import Question, QuestionKind


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A line of the table of questions."""

    path: str
    kind: QuestionKind
    candidates: tuple[str, ...]
    per_branch: bool
    mixed: bool
    """Whether a supernet weighs its answers: it keeps every input of a sum."""
    place: str
    """File and line of the text that asks."""


@dataclass(frozen=True, slots=True)
class SupernetReport:
    name: str
    hash: str
    questions: tuple[AskedQuestion, ...]
    steps: tuple[Row, ...]
    """The plan as a table, every question mixed and each width at its largest."""
    channels_last: bool
    """Whether maps lie channel by channel in memory."""
    estimate: Estimate


def relaxer_of(loaded: Loaded) -> Relaxer:
    """Raises NotLoaded for a space that cannot be relaxed."""
    try:
        return Relaxer.of(loaded.program)
    except NotRelaxable as found:
        raise NotLoaded([found.diagnostic(loaded.program)]) from None


def supernet_report(loaded: Loaded, *, batch: int = 1) -> SupernetReport:
    """Raises NotLoaded for a space that cannot be relaxed."""
    relaxer = relaxer_of(loaded)
    program = loaded.program
    plan = planned(relaxer.lower(Structure(tuple(widest(relaxer).items()))))
    mixed = {path.question for path in relaxer.everything.questions}
    questions = tuple(
        _asked(program.spell(path), question, mixed=path in mixed) for path, question in program.questions.items()
    )
    steps = tuple(describe(plan))
    return SupernetReport(
        program.name, program.hash, questions, steps, plan.channels_last, estimate(relaxer, batch=batch)
    )


def _asked(path: str, question: Question, *, mixed: bool) -> AskedQuestion:
    span = question.span
    place = "" if span is None else f"{span.source.name}:{span.position.line}"
    return AskedQuestion(path, question.kind, question.answers, question.per_branch, mixed, place)
