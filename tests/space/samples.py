"""Random genotypes, drawn by answering what is asked until nothing is, and written as texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from archdsl.space import Program, QuestionKind
from archdsl.space.trace import Trace, trace

REPOSITORY = Path(__file__).parents[2]
SPACE = REPOSITORY / "spaces" / "fasterseg.arch"
SMALL = {"layers": "6", "w": "2"}
"""Parameters that make FasterSeg small enough to be tried often."""
SIZE = (64, 128)

Sample = dict[str, tuple[str, ...]]


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
    names = [name for name in program.branches if name in program.questions]
    while names:
        picked = {name: random.choice(program.questions[name].answers) for name in names}
        ends = [int(picked[name]) for name in names]
        if ends == sorted(set(ends)):
            return {name: (answer,) for name, answer in picked.items()}
    return {}


def written(answers: Mapping[str, tuple[str, ...]], *, of: str = "fasterseg(layers = 6, w = 2)") -> str:
    """A genotype that says these answers one by one."""
    lines = [f"  {path} = {answer[0]}" for path, answer in answers.items()]
    return "\n".join(["archdsl 1", "", 'use "fasterseg.arch"', "", f"genotype found of {of} {{", *lines, "}", ""])


def question_kind(program: Program, path: str) -> QuestionKind:
    """The kind of the question that has its answer under this path."""
    bare = path.split(".", 1)[1] if path.split(".", 1)[0] in program.branches and "." in path else path
    return program.questions[bare].kind
