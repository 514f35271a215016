"""Property 3 on FasterSeg: what is sampled is a member of its space; what differs in one answer need not be."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.ir import closed, verify
from archdsl.pipeline import check, load
from archdsl.session import Checked
from archdsl.space import Program, QuestionKind, QuestionPath
from tests.space.samples import SIZE, SMALL, SPACE, Sample, sampled, written

CASES = settings(max_examples=12)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("membership")
    shutil.copy(SPACE, folder)
    return folder


@pytest.fixture(scope="module")
def program() -> Program:
    return load(str(SPACE), overrides=SMALL, size=SIZE).program


def checked(folder: Path, text: str) -> Checked:
    file = folder / "found.arch"
    file.write_text(text, encoding="utf-8")
    return check(str(file), size=SIZE)


def codes(found: Checked) -> set[str]:
    return {diagnostic.code for diagnostic in found.diagnostics}


@CASES
@given(SEEDS)
def test_what_is_sampled_is_a_member(folder: Path, program: Program, seed: int) -> None:
    answers, trace = sampled(program, Random(seed))
    assert trace.closed
    assert set(answers) == set(trace.asked)
    found = checked(folder, written(answers))
    assert found.diagnostics == ()
    (meaning,) = found.meanings
    assert meaning.answers.keys() >= answers.keys()
    assert meaning.trace is not None
    graph = verify(closed(program, trace, "found"))
    assert graph.closed
    again = verify(closed(meaning.program, meaning.trace, "found"))
    assert list(again.nodes()) == list(graph.nodes())


@CASES
@given(SEEDS, st.data())
def test_an_answer_from_outside_is_refused(folder: Path, program: Program, seed: int, data: st.DataObject) -> None:
    answers, _ = sampled(program, Random(seed))
    path = data.draw(st.sampled_from(sorted(answers, key=str)))
    found = checked(folder, written({**answers, path: ("nothing_of_this",)}))
    (diagnostic,) = found.diagnostics
    assert diagnostic.code == "E0411"
    assert diagnostic.help is not None
    assert answers[path][0] in diagnostic.help


@CASES
@given(SEEDS, st.data())
def test_an_answer_that_is_taken_out_is_missing(folder: Path, program: Program, seed: int, data: st.DataObject) -> None:
    answers, _ = sampled(program, Random(seed))
    path = data.draw(st.sampled_from(sorted(answers, key=str)))
    found = checked(folder, written({key: answer for key, answer in answers.items() if key != path}))
    assert codes(found) == {"E0412"}
    assert f"`{path}` has no answer" in {diagnostic.message for diagnostic in found.diagnostics}


def unasked(program: Program, answers: Sample) -> list[QuestionPath]:
    """The paths of answers to questions that these leave unread."""
    every = [
        question.asked_by(branch)
        for question in program.questions.values()
        for branch in (program.branches if question.per_branch else [None])
    ]
    return sorted((path for path in every if path not in answers), key=str)


@CASES
@given(SEEDS, st.data())
def test_an_answer_that_nobody_asks_for_is_refused(
    folder: Path, program: Program, seed: int, data: st.DataObject
) -> None:
    answers, _ = sampled(program, Random(seed))
    path = data.draw(st.sampled_from(unasked(program, answers)))
    found = checked(folder, written({**answers, path: program.questions[path.question].answers[:1]}))
    assert codes(found) == {"E0413"}
    assert f"`{path}` is not asked: " in found.diagnostics[0].message


@CASES
@given(SEEDS, st.data())
def test_another_answer_gives_another_genotype_or_says_why_not(
    folder: Path, program: Program, seed: int, data: st.DataObject
) -> None:
    answers, _ = sampled(program, Random(seed))
    kinds = {path: program.questions[path.question].kind for path in answers}
    path = data.draw(
        st.sampled_from(sorted((each for each in answers if kinds[each] is not QuestionKind.BRANCH), key=str))
    )
    others = [each for each in program.questions[path.question].answers if (each,) != answers[path]]
    found = checked(folder, written({**answers, path: (data.draw(st.sampled_from(others)),)}))
    match kinds[path]:
        case QuestionKind.WIDTH:
            assert not found.failed
        case _:
            assert not found.failed or codes(found) <= {"E0412", "E0413"}


@CASES
@given(SEEDS)
def test_branches_out_of_order_are_refused(folder: Path, program: Program, seed: int) -> None:
    answers, _ = sampled(program, Random(seed))
    found = checked(folder, written(answers | {branch.end: ("16",) for branch in program.branches}))
    assert codes(found) == {"E0417"}
