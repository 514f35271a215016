"""Small spaces to search, and accuracies that are sums over answers: their optimum is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from archdsl.search.baselines.proposals import Proposals
from archdsl.space import Program, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.dependencies import answers_of
from archdsl.space.trace import Answers

TEXT: Final = """archdsl 1

use std

cell block(c) {
  in x
  choose operator in {conv3x3, conv1x1, identity}
  y = x -> operator(c)
  out (x + y) -> relu
}

space tiny(classes = 3) {
  in image: 3x32x64
  stem = image -> conv3x3(8, s = 2)
  body = hyper(stem) {
    each block(c = 8) * 3
  }
  out logits = body -> conv(classes, k = 1, bias = yes) -> resize(like = image)
}

train tiny_final of tiny {
  epochs = 1
  weights = sgd(lr = poly(0.05), momentum = 0.9, batch = 4)
}
"""
"""39 genotypes: three blocks of three ops, of which the exit keeps the first."""


def write_text(folder: Path) -> Path:
    """The text as a file in a project of its own."""
    (folder / "pyproject.toml").touch()
    path = folder / "tiny.arch"
    path.write_text(TEXT, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Separable:
    """An accuracy that is a sum over what is asked, of a number for each answer."""

    seed: int

    def of(self, path: QuestionPath, answer: Answer) -> int:
        return Random(f"{self.seed}:{path}:{answer}").randrange(10**6)

    def __call__(self, answers: Answers) -> float:
        return float(sum(self.of(path, answer) for path, answer in answers.items()))

    def optimum(self, program: Program) -> float:
        """Of a program whose questions are all asked by all genotypes."""
        return float(
            sum(
                max(self.of(path, answer) for answer in answers_of(question))
                for path, question in program.questions.items()
            )
        )


def proposed(proposals: Proposals, accuracy: Callable[[Answers], float], count: int) -> list[Answers]:
    """The first genotypes that a strategy proposes."""
    found = [next(proposals)]
    while len(found) < count:
        found.append(proposals.send(accuracy(found[-1])))
    return found
