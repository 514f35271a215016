"""The answers of a genotype by the spelling of their questions, as formats look for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.exchange.errors import NotExported
from archdsl.space import Program, QuestionPath
from archdsl.space.concrete import Answer


@dataclass(frozen=True, slots=True)
class Answered:
    """What a genotype answers."""

    name: str
    program: Program
    answers: Mapping[QuestionPath, Answer]

    def all(self, spelled: str) -> Answer:
        """What was answered to a question. Raises NotExported for one that is open, or not asked."""
        path = next(iter(self.program.find(spelled)), None)
        if path is None:
            raise NotExported(f"`{self.program.name}` does not ask `{spelled}`")
        if path not in self.answers:
            raise NotExported(f"`{self.name}` leaves `{spelled}` open: answer it first")
        return self.answers[path]

    def one(self, spelled: str) -> str:
        """The answer to a question that has one."""
        return self.all(spelled)[0]
