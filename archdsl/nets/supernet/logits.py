"""The logits of a supernet's questions: parameters of their own, beside its weights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor, nn

from archdsl.nets.network import Scope
from archdsl.relax.phases import PhaseQuestions
from archdsl.space import QuestionKind, QuestionPath

START: Final = 1e-3
"""The standard deviation of logits at the start, as in the published code of DARTS and FasterSeg."""


class Logits(Scope):
    """For each question a vector with one logit for each of its candidates, `none` last where it may win.

    Parameters are named by the paths of their questions, as texts spell them: `trunk[5][8].operator`. A student and a
    teacher on one supernet have a set each.
    """

    def __init__(self, questions: PhaseQuestions, *, scale: float = START, seed: int = 0) -> None:
        """They start at `scale` times normally distributed numbers of a seed; at zero with a scale of 0."""
        super().__init__()
        self.questions = questions
        self._vectors: dict[QuestionPath, nn.Parameter] = {}
        generator = torch.Generator().manual_seed(seed)
        for path in questions.learned:
            start = scale * torch.randn(len(questions.candidates(path)), generator=generator)
            # Of two paths that are spelled alike, the one that a text calls `answer a { operator }`.
            apart = ("answer",) if questions.program.find(str(path))[0] != path else ()
            *scopes, name = (*apart, *map(str, path.spelled))
            scope: Scope = self
            for each in scopes:
                scope = scope.scope(each)
            self._vectors[path] = nn.Parameter(start)
            scope.put_parameter(name, self._vectors[path])

    @property
    def vectors(self) -> Mapping[QuestionPath, Tensor]:
        """The parameters by question, in the order of the program."""
        return self._vectors

    def of(self, kinds: Collection[QuestionKind]) -> Iterator[nn.Parameter]:
        """The parameters of some kinds of questions: what a phase steps, or freezes."""
        asked = self.questions.program.questions
        return (vector for path, vector in self._vectors.items() if asked[path].kind in kinds)
