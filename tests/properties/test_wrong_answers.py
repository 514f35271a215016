"""Property 3: to every question of every space a wrong answer is refused, with what is allowed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from archdsl.sema.genotype.reader import Reader
from archdsl.sema.reporter import Reporter
from archdsl.space import Branch, Question, QuestionKind, QuestionPath, spell_scope
from archdsl.syntax import ast, parse
from archdsl.text import SourceFile
from tests.pipeline.spaces import SMALL, Case, loaded

SHOWN = 40
"""Of more candidates than this a message lists the first ones."""


def wrong(question: Question) -> list[str]:
    """Answers that look right: of another kind, nearly spelled, too many, a number beside those that are asked."""
    first = question.answers[0]
    alike = [f"{first}x", f"{first}(c = 977)", f"{first} -> {first}"] if first.isidentifier() else ["977"]
    every = ["nothing_of_this", *alike, "-1", "0", "1 / 2", "{a, b}", "yes"]
    return [answer for answer in every if answer not in question.answers]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_wrong_answer_to_any_question_is_refused_with_those_allowed(case: Case) -> None:
    program = loaded(case).program
    for position, question in enumerate(program.questions.values()):
        if question.kind is QuestionKind.KEEP:
            continue
        answers = wrong(question)
        answer = answers[position % len(answers)]
        branch = next(iter(program.branches)) if question.per_branch and position % 2 else None
        reporter = Reporter()
        Reader(program, reporter).read(_body(_line(question, branch, answer)))
        (diagnostic,) = reporter.diagnostics
        assert diagnostic.code == "E0411"
        assert f"to `{question.path}`" in diagnostic.message
        assert diagnostic.primary is not None
        assert diagnostic.help is not None
        for allowed in question.answers[:SHOWN]:
            assert f"`{allowed}`" in diagnostic.help


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_inputs_that_are_not_kept_as_asked_are_refused(case: Case) -> None:
    """One input too few, and one that is none: a sum of edges answers all questions of a node."""
    program = loaded(case).program
    for question in program.questions.values():
        if question.kind is not QuestionKind.KEEP:
            continue
        few = question.answers[: question.keep - 1]
        for kept in (few, (*few, "nothing_of_this")):
            if not kept:
                continue
            edges = [f"{source} -> {_op(program.questions, question, source)}" for source in kept]
            line = f"{question.path.node} = {' + '.join(edges)}"
            reporter = Reporter()
            Reader(program, reporter).read(_body(f"answer {spell_scope(question.path.scope)} {{\n{line}\n}}"))
            found = [each for each in reporter.diagnostics if f"`{question.path}`" in each.message]
            assert [each.code for each in found] == ["E0411"]
            assert found[0].help is not None
            assert all(f"`{allowed}`" in found[0].help for allowed in question.answers[:SHOWN])


def _line(question: Question, branch: Branch | None, answer: str) -> str:
    """A tag is written with a block alone."""
    path = question.path
    scope = spell_scope(path.scope)
    if not any(step.tag for step in path.scope):
        return f"{path.of(branch)} = {answer}"
    if question.on_line:
        return f"answer {scope} {{\n{path.node} = {path.name} -> nothing_of_this\n}}"
    return f"answer {scope} {{\n{path.name} = {answer}\n}}"


def _op(questions: Mapping[QuestionPath, Question], keep: Question, source: str) -> str:
    path = QuestionPath(keep.path.scope, source, keep.path.node)
    return questions[path].answers[0] if path in questions else "identity"


def _body(lines: str) -> tuple[ast.Statement, ...]:
    parsed = parse(SourceFile("found.arch", f"archdsl 1\n\ngenotype found of net {{\n{lines}\n}}\n"))
    assert parsed.diagnostics == ()
    (item,) = parsed.file.items
    assert isinstance(item, ast.Genotype)
    return item.body
