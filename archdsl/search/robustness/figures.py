"""Figures about the answers of a search, by which a collapse is seen; from probabilities alone, without torch.

While it collapses a search gives more and more probability to ops without weights, skip connections above all (Zela
et al., ICLR 2020, section 3; Liang et al., 2019, section 3). Three figures say so: the share of ops without weights and
that of identities, by the probabilities of operators; and the skip connections that the most probable network has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, fsum, log
from typing import Any, TypeAlias

from archdsl.relax.phases import PhaseQuestions
from archdsl.relax.relaxed import NONE
from archdsl.search.derive.chances import log_probabilities
from archdsl.search.robustness.works import Work, works_of
from archdsl.space import Program, QuestionKind, QuestionPath, spell_scope

Probabilities: TypeAlias = "Mapping[QuestionPath, Mapping[str, float]]"
"""Of the answers to each question, `NONE` of `archdsl.relax.relaxed` among them where it may win."""


def probabilities_of(questions: PhaseQuestions, logits: Mapping[QuestionPath, Sequence[float]]) -> Probabilities:
    """Those of the questions of a phase that have logits, in the order of `questions.candidates(path)`.

    softmax(logits), or the mean of a Dirichlet distribution; without noise and at a temperature of 1, as answers are
    derived. Of logits that a guide leaves they are the guided ones.
    """
    found: dict[QuestionPath, Mapping[str, float]] = {}
    for path in questions.learned:
        named = dict(zip(questions.candidates(path), logits[path], strict=True))
        found[path] = {name: exp(each) for name, each in log_probabilities(named, questions.rules[path]).items()}
    return found


def figures_of(program: Program, probabilities: Probabilities) -> dict[str, Any]:
    """What a journal says of answers, in types that JSON has.

        {"entropy": {"operator": 0.93, "width": 1.0}, "parameter_free": 0.21, "identity": 0.1, "skips": 1}

    `entropy` is 1 where all answers are as probable, 0 where one is certain: by kind of question, the mean over its
    questions. The others are left out where no operator is among the questions.
    """
    found: dict[str, Any] = {"entropy": entropies(program, probabilities)}
    operators = {path: each for path, each in probabilities.items() if path in works_of(program)}
    if operators:
        found["parameter_free"] = _share(program, operators, {work for work in Work if work.parameter_free})
        found["identity"] = _share(program, operators, {Work.IDENTITY})
        found["skips"] = max(skip_connections(program, operators).values(), default=0)
    return found


def entropies(program: Program, probabilities: Probabilities) -> dict[str, float]:
    """By kind of question the mean entropy of answers, over its largest, the logarithm of their number; 0 to 1."""
    found: dict[QuestionKind, list[float]] = {}
    for path, chances in probabilities.items():
        if len(chances) > 1:
            found.setdefault(program.questions[path].kind, []).append(_entropy(chances) / log(len(chances)))
    return {str(kind): min(1.0, _mean(found[kind])) for kind in QuestionKind if kind in found}


def skip_connections(program: Program, probabilities: Probabilities) -> dict[str, int]:
    """By cell, as texts spell it, how many of its most probable ops are identities (DARTS+, section 3.2).

    `none` is not counted among answers, and of a sum that keeps some inputs those count whose op is the most probable
    (DARTS, section 2.4). An op that is an identity in some places counts.
    """
    dropped = frozenset(edge for path in program.questions for edge in _dropped(program, path, probabilities))
    found: Counter[str] = Counter()
    for path, chances in probabilities.items():
        if path not in dropped and any(
            works[_strongest(chances)] is Work.IDENTITY for works in works_of(program).get(path, ())
        ):
            found[spell_scope(path.scope)] += 1
    return dict(found)


def _dropped(program: Program, path: QuestionPath, probabilities: Probabilities) -> Sequence[QuestionPath]:
    """The edges of a sum that it does not keep; an edge that asks nothing stays."""
    question = program.questions[path]
    if question.kind is not QuestionKind.KEEP:
        return ()
    edges = [QuestionPath(path.scope, edge, path.node) for edge in question.edges]
    weights = probabilities.get(path) or dict.fromkeys(question.answers, 1.0)
    strength = {
        edge: weights[answer] * (_allowed(chances)[_strongest(chances)] if (chances := probabilities.get(edge)) else 1)
        for answer, edge in zip(question.answers, edges, strict=True)
    }
    return sorted(edges, key=lambda edge: -strength[edge])[question.keep :]


def _share(program: Program, operators: Probabilities, works: set[Work]) -> float:
    """The probability of ops that do such work, the mean over operator questions; of each over its places."""
    return _mean([_mean(_shares(program, path, chances, works)) for path, chances in operators.items()])


def _shares(program: Program, path: QuestionPath, chances: Mapping[str, float], works: set[Work]) -> list[float]:
    none = chances.get(NONE, 0.0) if Work.NOTHING in works else 0.0
    return [
        none + fsum(each for answer, each in _allowed(chances).items() if place[answer] in works)
        for place in works_of(program)[path]
    ]


def _entropy(chances: Mapping[str, float]) -> float:
    return -fsum(each * log(each) for each in chances.values() if each > 0)


def _allowed(chances: Mapping[str, float]) -> Mapping[str, float]:
    """Those of answers, which `none` is not."""
    return {answer: each for answer, each in chances.items() if answer != NONE}


def _strongest(chances: Mapping[str, float]) -> str:
    """The most probable answer, of equal ones the first."""
    allowed = _allowed(chances)
    return max(allowed, key=lambda answer: allowed[answer])


def _mean(numbers: Sequence[float]) -> float:
    return fsum(numbers) / len(numbers)
