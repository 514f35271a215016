"""Properties 2, 3 and 7 on spaces that nobody wrote: counted as enumerated, samples are members and read back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings

from archdsl.cost import figures
from archdsl.ir import canonical_hash, closed, verify
from archdsl.pipeline import check, load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.space import Program, QuestionPath
from archdsl.space.count import Census
from archdsl.space.dependencies import answers_of
from archdsl.space.trace import trace
from tests.properties.small_spaces import small_spaces

Answers = dict[QuestionPath, tuple[str, ...]]
TRIED = 3_000
"""So many sets of answers are tried for one space; larger ones are not."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def program_of(folder: Path, text: str) -> Program | None:
    """What the text means; nothing where a line is not read, which is the one thing that can be wrong with it."""
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    found = check(str(file))
    if found.failed:
        assert {each.code for each in found.diagnostics} <= {"E0404", "E0405", "E0313"}, found.diagnostics
        return None
    (meaning,) = found.meanings
    return meaning.program


def normal_forms(program: Program) -> Iterator[Answers]:
    """By brute force: of all ways to answer or not to answer each question those that leave nothing open or unread."""
    options = [[None, *answers_of(question)] for question in program.questions.values()]
    assume(prod(map(len, options)) <= TRIED)
    for chosen in product(*options):
        answers = {path: each for path, each in zip(program.questions, chosen, strict=True) if each is not None}
        found = trace(program, answers)
        if not found.missing and found.asked.keys() == answers.keys():
            yield answers


def is_counted(folder: Path, text: str) -> None:
    program = program_of(folder, text)
    assume(program is not None)
    assert program is not None
    every = list(normal_forms(program))
    census = Census(program)
    assert census.count == len(every)
    random = Random(1)
    assert all(census.sample(random) in every for _ in range(5))


def reads_back(folder: Path, text: str) -> None:
    program = program_of(folder, text)
    assume(program is not None and program.questions)
    assert program is not None
    answers = Census(program).sample(Random(2))
    graph = verify(closed(program, trace(program, answers), "found"))
    written = write_genotype(program, answers, "found", "net.arch")
    (folder / "found.arch").write_text(written, encoding="utf-8")
    found = load(str(folder / "found.arch"))
    assert found.diagnostics == ()
    assert found.meaning.answers == answers
    assert canonical_hash(found.network()) == canonical_hash(graph)
    (folder / "expanded.arch").write_text(expand(graph), encoding="utf-8")
    again = load(str(folder / "expanded.arch")).network()
    assert canonical_hash(again) == canonical_hash(graph)
    assert (figures(again).params, figures(again).macs) == (figures(graph).params, figures(graph).macs)


@settings(max_examples=60)
@given(small_spaces())
def test_the_count_is_that_of_brute_force(folder: Path, text: str) -> None:
    is_counted(folder, text)


@settings(max_examples=40)
@given(small_spaces())
def test_a_sample_is_a_member_reads_back_and_expands_alike(folder: Path, text: str) -> None:
    reads_back(folder, text)


@pytest.mark.slow
@settings(max_examples=1_500)
@given(small_spaces())
def test_many_spaces(folder: Path, text: str) -> None:
    is_counted(folder, text)
    reads_back(folder, text)
