"""Whether a genotype is one that its space allows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.divisibility import report_uneven
from archdsl.sema.genotype.constant_outputs import report_constant
from archdsl.sema.genotype.reader import Given, Reader
from archdsl.sema.reporter import Reporter, listed
from archdsl.space import Branch, Program, Question, QuestionKind, QuestionPath, Step, parse_scope, spell_scope
from archdsl.space.divisibility import of_trace
from archdsl.space.relax import open_questions
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
    still_open = tuple(open_questions(program, reader.answers())) if found.missing else ()
    _report_not_open(still_open, opened, reporter)
    if not found.missing:
        _report_not_asked(reader, found, reporter)
    if found.closed and not reporter.failed:
        report_uneven(program, of_trace(found), reporter, name)
        report_constant(reader, program, found, name, reporter)
    return None if reporter.failed else found


def _in_order(reader: Reader, program: Program, reporter: Reporter) -> bool:
    """Branches end at different places, the finer one first."""
    for constraint in program.constraints:
        last: tuple[Branch, Given, int] | None = None
        for branch in constraint.branches:
            given = reader.given.get(branch.end)
            if given is None:
                continue
            ends = program.branches[branch]
            position = list(program.trellises[ends.trellis].sources).index(ends.places[given.answer[0]])
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


def is_open(path: QuestionPath, scope: str) -> bool:
    """Whether a question lies in what a genotype leaves open: a cell, a tagged cell, a place or one question."""
    steps = parse_scope(scope)
    return str(path) == scope or (steps is not None and path.within(steps))


def _report_not_open(
    still_open: Collection[QuestionPath], opened: Sequence[tuple[str, Span]], reporter: Reporter
) -> None:
    for scope, span in opened:
        if not any(is_open(path, scope) for path in still_open):
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
        rest = [str(path) for path in missing[MISSING_SHOWN:]]
        reporter.add_at(codes.ANSWER_MISSING, f"{len(rest)} more answers are missing", name, listed(rest, 6), help=None)


def _example(question: Question) -> str:
    return question.answers[0]


def _report_not_asked(reader: Reader, found: Trace, reporter: Reporter) -> None:
    for path, given in reader.given.items():
        if not any(each in found.asked for each in reader.asked_by(path)):
            reporter.report(
                codes.NOT_ASKED,
                f"`{path}` is not asked: {_why(path, reader)}",
                given.target,
                "has no effect",
                help="leave the line out, or take the place out of its range",
            )


def _why(path: QuestionPath, reader: Reader) -> str:
    """The reason, where the answers show it."""
    program = reader.program
    for exit in program.questions.values():
        given = reader.given.get(exit.path) if exit.kind is QuestionKind.EXIT else None
        cell = _cell_of(path, exit.path)
        if given is not None and cell is not None and cell.indices[0] > int(given.answer[0]):
            return f"`{spell_scope((*exit.path.scope, cell))}` lies behind the exit {given.answer[0]}"
    for trellis in program.trellises.values():
        places = [place for place in trellis.sources if trellis.at(place) == path.scope]
        if path.node or not places:
            continue
        (place,) = places
        passing = [branch for branch, way in reader.paths.items() if place in way]
        if reader.paths and not passing:
            return f"no branch passes `{trellis.spell(place)}`"
        if path.branch is not None and place not in reader.paths.get(path.branch, [place]):
            return f"`{path.branch}` does not pass `{trellis.spell(place)}`"
        if program.questions[path.question].kind is QuestionKind.WIDTH:
            return (
                f"no op writes the map that enters `{trellis.spell(place)}`; what stands before it hands its own map on"
            )
    return "with these answers nothing in the network reads it"


def _cell_of(path: QuestionPath, exit: QuestionPath) -> Step | None:
    """The cell of the chain with this exit that a question stands in."""
    depth = len(exit.scope)
    inside = path.scope[depth : depth + 1]
    if path.scope[:depth] != exit.scope or not inside or inside[0].name != exit.node or not inside[0].indices:
        return None
    return inside[0]._replace(indices=inside[0].indices[:1])
