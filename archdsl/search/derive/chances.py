"""How probable the answers to questions are, by their logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, expm1, fsum, log, log1p

from archdsl.pipeline.logits import Logits
from archdsl.relax.relaxed import NONE
from archdsl.search.derive.errors import NotDerived
from archdsl.search.derive.plan import Learned, Plan
from archdsl.settings.relaxations import Dirichlet, Mixing
from archdsl.space import QuestionKind, QuestionPath

_SHOWN = 3


@dataclass(frozen=True)
class Chances:
    """Of the questions of a plan. A branch's answer has the chance that the question gives it."""

    plan: Plan
    logits: Logits
    """In the order of a question's answers, or of those that the plan allows; one more at the end for `none`."""

    @cached_property
    def logarithms(self) -> Mapping[QuestionPath, Mapping[str, float]]:
        """Log-probabilities by question and candidate, `NONE` among them; of questions that have logits."""
        return {
            path: _logarithms(self.logits[path], learned, self.plan.program.questions[path].answers)
            for path, learned in self.plan.learned.items()
            if path in self.logits
        }

    def of(self, path: QuestionPath) -> Mapping[str, float]:
        """The log-probabilities of a question. Raises NotDerived where the file has no logits of it."""
        found = self.logarithms.get(path.question)
        if found is None:
            raise self.missing([path.question])
        return found

    def allowed(self, path: QuestionPath) -> Mapping[str, float]:
        """Those of answers, which `none` is not."""
        return {answer: each for answer, each in self.of(path).items() if answer != NONE}

    def has(self, path: QuestionPath) -> bool:
        return path.question in self.logarithms

    def strongest(self, path: QuestionPath) -> str:
        """The most probable answer, of equal ones the first; `none` is no answer that a text can derive."""
        return strongest(self.allowed(path))

    def missing(self, paths: Sequence[QuestionPath]) -> NotDerived:
        """What to say where questions are asked that the file says nothing of."""
        names = [f"`{self.plan.program.spell(path)}`" for path in dict.fromkeys(paths)]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return NotDerived(
            f"no logits of {', '.join(names[:_SHOWN])}{more}: add them, or name the phase that did not search them "
            "(`--phase`)"
        )


def strongest(chances: Mapping[str, float]) -> str:
    """The most probable answer, of equal ones the first."""
    return max(chances, key=lambda answer: chances[answer])


def source_chances(chances: Chances, path: QuestionPath) -> Mapping[str, float] | None:
    """Those of a source question; None where the place has one source, which is not asked."""
    question = chances.plan.program.questions.get(path.question)
    if question is None or question.kind is not QuestionKind.SOURCE:
        return None
    given = chances.plan.answers.get(path) or chances.plan.answers.get(path.question)
    return {given[0]: 0.0} if given is not None else chances.allowed(path)


def _logarithms(vector: Sequence[float], learned: Learned, answers: Sequence[str]) -> Mapping[str, float]:
    """A vector of the allowed candidates alone, or of all of them: those that are not allowed are left out."""
    names = learned.candidates if len(vector) == len(learned.candidates) else (*answers, NONE)
    found = {name: each for name, each in zip(names, vector, strict=False) if name in learned.answers or name == NONE}
    return log_probabilities(found, learned.mixing)


def log_probabilities(logits: Mapping[str, float], mixing: Mixing) -> Mapping[str, float]:
    """Of the answers to one question, by their logits: of a mean without noise, at a temperature of 1."""
    return _of_dirichlet(logits) if isinstance(mixing, Dirichlet) else _log_softmax(logits)


def _log_softmax(logits: Mapping[str, float]) -> Mapping[str, float]:
    largest = max(logits.values())
    total = log(fsum(exp(each - largest) for each in logits.values()))
    return {name: each - largest - total for name, each in logits.items()}


def _of_dirichlet(logits: Mapping[str, float]) -> Mapping[str, float]:
    """Of the mean of a Dirichlet distribution of concentration elu(logits) + 1 (DrNAS)."""
    concentrations = {name: log1p(each) if each > 0 else log1p(expm1(each)) for name, each in logits.items()}
    return _log_softmax(concentrations)
