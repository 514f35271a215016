"""Properties 2, 3 and 7 on spaces that nobody wrote: counted as enumerated, samples are members and read back."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import assume, given, settings

from archdsl.cost import figures
from archdsl.diagnostics import Severity
from archdsl.ir import canonical_hash, closed, verify
from archdsl.pipeline import check, load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.space import Program
from archdsl.space.count import Census
from archdsl.space.trace import trace
from tests.properties.small_spaces import small_spaces
from tests.space.oracle import TooMany, normal_forms

TRIED = 2_000
"""So many genotypes of one space are looked at; larger ones are not counted."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("small")


def program_of(folder: Path, text: str) -> Program:
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    found = check(str(file))
    assert not found.failed, found.diagnostics
    (meaning,) = found.meanings
    return meaning.program


def drawn(folder: Path, text: str) -> Program:
    """What a generated text means; one that is refused (a line is not read, a name hides a cell) is not looked at."""
    file = folder / "net.arch"
    file.write_text(text, encoding="utf-8")
    codes = {each.code for each in check(str(file)).diagnostics if each.severity is Severity.ERROR}
    assert codes <= {"E0303", "E0404", "E0405", "E0313"}, codes
    assume(not codes)
    return program_of(folder, text)


def is_counted(program: Program) -> None:
    """Raises TooMany."""
    every = normal_forms(program, TRIED)
    census = Census(program)
    assert census.count == len(every)
    random = Random(1)
    assert all(frozenset(census.sample(random).items()) in every for _ in range(5))


def reads_back(folder: Path, program: Program, seed: int) -> None:
    answers = Census(program).sample(Random(seed))
    graph = verify(closed(program, trace(program, answers), "found"))
    written = write_genotype(program, answers, "found", '"net.arch"')
    (folder / "found.arch").write_text(written, encoding="utf-8")
    found = load(str(folder / "found.arch"))
    assert found.diagnostics == ()
    assert found.meaning.trace is not None
    assert {path: found.meaning.answers[path] for path in found.meaning.trace.asked} == answers
    assert canonical_hash(found.network()) == canonical_hash(graph)
    (folder / "expanded.arch").write_text(expand(graph), encoding="utf-8")
    again = load(str(folder / "expanded.arch")).network()
    assert canonical_hash(again) == canonical_hash(graph)
    assert (figures(again).params, figures(again).macs) == (figures(graph).params, figures(graph).macs)


@settings(max_examples=60)
@given(small_spaces())
def test_the_count_is_that_of_brute_force(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    try:
        is_counted(program)
    except TooMany:
        assume(condition=False)


@settings(max_examples=40)
@given(small_spaces())
def test_a_sample_is_a_member_reads_back_and_expands_alike(folder: Path, text: str) -> None:
    reads_back(folder, drawn(folder, text), seed=2)


@pytest.mark.slow
@settings(max_examples=1_500)
@given(small_spaces())
def test_many_spaces(folder: Path, text: str) -> None:
    program = drawn(folder, text)
    reads_back(folder, program, seed=3)
    try:
        is_counted(program)
    except TooMany:
        assume(condition=False)
