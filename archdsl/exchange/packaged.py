"""The packaged spaces whose genotypes formats write down: `use darts` finds them wherever a text lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.exchange.errors import NotImported
from archdsl.pipeline import Loaded, NotLoaded, load
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.sema.modules.library import library
from archdsl.space import Program, QuestionPath
from archdsl.space.concrete import Answer
from archdsl.space.trace import trace


def packaged(space: str, overrides: Mapping[str, str]) -> Loaded:
    """A space of the library. Raises NotImported where `overrides` are not its parameters."""
    file = library(space)
    assert file is not None
    try:
        return load(str(file), overrides=overrides)
    except NotLoaded as error:
        raise NotImported(f"`{space}` with {_spelled(overrides)} has errors:\n{error}") from None


def question(program: Program, spelled: str) -> QuestionPath:
    return program.find(spelled)[0]


def genotype_text(space: Loaded, answers: Mapping[str, Answer], name: str, comments: Sequence[str]) -> str:
    """The text of a genotype of a packaged space; `answers` by the spelling of their questions.

    Answers to questions that the others leave unasked are left out.
    """
    program = space.program
    found = {question(program, path): answer for path, answer in answers.items()}
    assert not trace(program, found).missing
    return write_genotype(program, found, name, program.name, parameters=space.given, comments=comments)


def _spelled(overrides: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in overrides.items()) or "its own parameters"
