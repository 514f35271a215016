"""Random genotypes, drawn by answering what is asked until nothing is, and written as texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from archdsl.space import Program, QuestionPath
from archdsl.space.trace import Trace, trace

REPOSITORY = Path(__file__).parents[2]
SPACE = REPOSITORY / "spaces" / "fasterseg.arch"
SMALL = {"layers": "6", "w": "2"}
"""Parameters that make FasterSeg small enough to be tried often."""
SIZE = (64, 128)

Sample = dict[QuestionPath, tuple[str, ...]]


def sampled(program: Program, random: Random) -> tuple[Sample, Trace]:
    """Answers to exactly what they leave asked, and the network that they give."""
    answers = _ends(program, random)
    while (found := trace(program, answers)).missing:
        for path in found.missing:
            question = found.asked[path]
            kept = sorted(random.sample(range(len(question.answers)), question.keep))
            answers[path] = tuple(question.answers[index] for index in kept)
    return answers, found


def _ends(program: Program, random: Random) -> Sample:
    """Ends of branches, which are in order."""
    paths = [branch.end for branch in program.branches if branch.end in program.questions]
    while paths:
        picked = {path: random.choice(program.questions[path].answers) for path in paths}
        ends = [int(picked[path]) for path in paths]
        if ends == sorted(set(ends)):
            return {path: (answer,) for path, answer in picked.items()}
    return {}


def written(answers: Mapping[QuestionPath, tuple[str, ...]], *, of: str = "fasterseg(layers = 6, w = 2)") -> str:
    """A genotype that says these answers one by one."""
    lines = [f"  {path} = {answer[0]}" for path, answer in answers.items()]
    return "\n".join(["archdsl 1", "", 'use "fasterseg.arch"', "", f"genotype found of {of} {{", *lines, "}", ""])
