"""The genotype with which somebody begins: every question answered with what the space names first."""

from __future__ import annotations

from archdsl.pipeline.load import Loaded
from archdsl.space import QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.trace import trace


def default_answers(loaded: Loaded) -> dict[QuestionPath, Answer]:
    """Answers to all that is asked, each the first candidate, of which as many as are kept.

    Which questions are asked depends on earlier answers, so they are answered in rounds.
    """
    found: dict[QuestionPath, Answer] = {}
    while (met := trace(loaded.program, found)).missing:
        found |= {path: met.asked[path].answers[: met.asked[path].keep] for path in met.missing}
    return found
