"""Whether a genotype is one that its space allows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.divisibility import report_uneven
from archdsl.sema.genotype.reader import Given, Reader
from archdsl.sema.reporter import Reporter, listed
from archdsl.space import Program, Question, QuestionKind
from archdsl.space.sizes import of_trace
from archdsl.space.trace import Trace, trace
from archdsl.text import Span

MISSING_SHOWN = 5
"""How many missing answers are reported one by one."""


def check(
    reader: Reader, program: Program, name: Span, reporter: Reporter, opened: Sequence[tuple[str, Span]] = ()
) -> Trace | None:
    """The network that the answers give, or None where they are not a genotype of the space.

    Answers may be missing where the text says that they are `open`; the trace then ends there.
    """
    if reporter.failed or not _in_order(reader, program, reporter):
        return None
    found = trace(program, reader.answers())
    _report_missing(found, name, reporter, opened)
    for misfit in found.misfits:
        node = program.nodes[misfit.node]
        reporter.report(
            misfit.error.code,
            f"under these answers `{node.local}` at `{node.path}` {misfit.error.reason}",
            name,
            "in this genotype",
            also=(Mark(node.span, "here in the space"),) if node.span else (),
            help=misfit.error.help,
        )
    _report_not_open(_unanswered(reader, program, found), opened, reporter)
    if not found.missing:
        _report_not_asked(reader, program, found, reporter)
    if found.closed and not reporter.failed:
        report_uneven(program, of_trace(found), reporter, name)
    return None if reporter.failed else found


def _in_order(reader: Reader, program: Program, reporter: Reporter) -> bool:
    """Branches end at different places, the finer one first."""
    for constraint in program.constraints:
        last: tuple[str, Given, int] | None = None
        for branch in constraint.questions:
            given = reader.general.get(branch)
            if given is None:
                continue
            position = list(program.trellises[program.branches[branch].trellis].sources).index(
                program.branches[branch].places[given.answer[0]]
            )
            if last is not None and position <= last[2]:
                reporter.report(
                    codes.OUT_OF_ORDER,
                    f"`{last[0]}` ends at {last[1].answer[0]} and `{branch}` at {given.answer[0]}",
                    given.span,
                    "not behind the one before it",
                    also=(Mark(last[1].span, f"`{last[0]}` ends here"),),
                    help="branches end at different places, the finer one first",
                )
                return False
            last = (branch, given, position)
    return True


def is_open(path: str, scope: str) -> bool:
    """Whether a question lies in what a genotype leaves open: a cell, a tagged cell, a place or one question."""
    return path == scope or path.startswith((f"{scope}.", f"{scope}@", f"{scope}["))


def _unanswered(reader: Reader, program: Program, found: Trace) -> set[str]:
    """Questions that may still be asked: a trace ends at the first that is open and does not see those behind it."""
    if not found.missing:
        return set()
    return {*found.missing, *(path for path in program.questions if path not in reader.answers())}


def _report_not_open(unanswered: set[str], opened: Sequence[tuple[str, Span]], reporter: Reporter) -> None:
    for scope, span in opened:
        if not any(is_open(path, scope) for path in unanswered):
            reporter.report(
                codes.NOT_OPEN,
                f"nothing is open at `{scope}`",
                span,
                "no question without an answer",
                help="leave it out of `open`",
            )


def _report_missing(found: Trace, name: Span, reporter: Reporter, opened: Sequence[tuple[str, Span]]) -> None:
    missing = [path for path in found.missing if not any(is_open(path, scope) for scope, _ in opened)]
    for path in missing[:MISSING_SHOWN]:
        question = found.asked[path]
        reporter.add_at(
            codes.ANSWER_MISSING,
            f"`{path}` has no answer",
            name,
            f"`{path}` is open",
            help=f"write `{path} = {_example(question)}`; allowed: {listed(list(question.answers), 40)}",
        )
    if len(missing) > MISSING_SHOWN:
        rest = missing[MISSING_SHOWN:]
        reporter.add_at(
            codes.ANSWER_MISSING, f"{len(rest)} more answers are missing", name, listed(list(rest), 6), help=None
        )


def _example(question: Question) -> str:
    return question.answers[0]


def _report_not_asked(reader: Reader, program: Program, found: Trace, reporter: Reporter) -> None:
    for path, given in reader.general.items():
        question = program.questions[path]
        keys = [f"{branch}.{path}" for branch in program.branches] if question.per_branch else [path]
        if not any(key in found.asked for key in keys):
            _not_asked(path, "", question, given, reader, program, reporter)
    for key, given in reader.special.items():
        if key not in found.asked:
            branch, path = key.split(".", 1)
            _not_asked(key, branch, program.questions[path], given, reader, program, reporter)


def _not_asked(
    path: str, branch: str, question: Question, given: Given, reader: Reader, program: Program, reporter: Reporter
) -> None:
    reporter.report(
        codes.NOT_ASKED,
        f"`{path}` is not asked: {_why(question, branch, reader, program)}",
        given.target,
        "answers what nobody reads",
        help="leave the line out, or take the place out of its range",
    )


def _why(question: Question, branch: str, reader: Reader, program: Program) -> str:
    """The reason, where the answers show it."""
    place = question.path.rsplit(".", 1)[0]
    for exit in program.questions.values():
        chain = exit.path.rsplit(".", 1)[0]
        given = reader.general.get(exit.path) if exit.kind is QuestionKind.EXIT else None
        cell = re.match(rf"{re.escape(chain)}\[(\d+)\]", question.path)
        if given is not None and cell is not None and int(cell[1]) > int(given.answer[0]):
            return f"`{cell[0]}` lies behind the exit {given.answer[0]}"
    for trellis in program.trellises.values():
        names = {trellis.spell(each): each for each in trellis.sources}
        if place not in names:
            continue
        passing = [branch for branch, path in reader.paths.items() if names[place] in path]
        if reader.paths and not passing:
            return f"no branch passes `{place}`"
        if branch and names[place] not in reader.paths.get(branch, [names[place]]):
            return f"`{branch}` does not pass `{place}`"
        if question.kind is QuestionKind.WIDTH:
            return f"no op writes the map that enters `{place}`; what stands before it hands its own map on"
    return "with these answers nothing in the network reads it"
