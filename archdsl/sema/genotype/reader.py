"""Genotypes: a text's answers, read and held against the space (`rule-asked-where-read` and `rule-answers`)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed, replacement, suggestion
from archdsl.space import (
    START,
    Branch,
    Place,
    Program,
    Question,
    QuestionKind,
    QuestionPath,
    QuestionScope,
    Step,
    Trellis,
    spell_scope,
)
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

NOTES = ("hash", "found", "open", "also")
"""What a genotype says of itself, beside its answers."""

EXPANSION_LIMIT = 100_000
"""No line of a genotype answers more questions."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as the text gives it."""

    answer: tuple[str, ...]
    span: Span
    target: Span
    """The place of the question's path."""


@dataclass(slots=True)
class Reader:
    """Reads the lines of a genotype against a program."""

    program: Program
    reporter: Reporter
    given: dict[QuestionPath, Given] = field(default_factory=dict[QuestionPath, Given])
    """Answers by path; a `per branch` question without a branch is answered for all that are not named."""
    paths: dict[Branch, list[Place]] = field(default_factory=dict[Branch, list[Place]])
    targets: dict[Branch, Span] = field(default_factory=dict[Branch, Span])
    """Where each branch's path is given."""
    scopes: frozenset[QuestionScope] = field(init=False)
    """Who asks something."""
    lines: frozenset[tuple[QuestionScope, str]] = field(init=False)
    """Lines whose edges ask, by the scope of the body that they stand in."""

    def __post_init__(self) -> None:
        asked = self.program.questions.values()
        self.scopes = frozenset(each.path.scope for each in asked)
        self.lines = frozenset((each.path.scope, each.path.node) for each in asked if each.on_line)

    def read(self, body: Sequence[ast.Statement]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(target=target) if _plain(target) in NOTES:
                    pass
                case ast.Assign(target=target, value=value):
                    self._line((), target, value)
                case ast.Answer(target=target, body=lines):
                    self._block(target, lines)
                case _:
                    self.reporter.report(
                        codes.OUT_OF_PLACE,
                        "expected an answer",
                        statement.span,
                        "not an answer",
                        help="write `trunk[1][8].operator = conv3x3`, or `answer normal { … }`",
                    )

    # Lines --------------------------------------------------------------------------------------

    def _line(self, scope: QuestionScope, target: ast.Target, value: ast.Expr) -> None:
        """`trunk[5][8].operator = skip` as it stands in a genotype, or in a block of answers for a scope."""
        plain = _plain(target)
        if plain and (scope, plain) in self.lines:
            self._edges(scope, target, value)
            return
        if (branch := self._path_of(scope, target)) is not None:
            self._path(branch, value, target.span)
            return
        answer = (unparse(value),)
        unknown = False
        for steps in self._expand(target):
            tagged = list(_tagged(steps, target.tag))
            path = next((found for each in tagged if (found := self._find(scope, each)) is not None), None)
            if path is not None:
                self._answer(path, answer, value.span, target.span)
            elif not unknown:  # one of many places that do not ask is enough to say
                unknown = True
                self._unknown((*scope, *tagged[0]), answer, target.span)

    def _path_of(self, scope: QuestionScope, target: ast.Target) -> Branch | None:
        """The branch of a line `b.path = …`."""
        last = target.path.parts[-1] if target.path.parts else None
        if not isinstance(last, ast.Attribute) or last.name != "path":
            return None
        # No range names several branches: one path cannot be that of two.
        steps = next(self._expand(target), ())[:-1]
        for each in _tagged(steps, target.tag):
            branch = Branch((*scope, *each[:-1]), each[-1].name)
            if branch in self.program.branches:
                return branch
        return None

    def _find(self, scope: QuestionScope, steps: QuestionScope) -> QuestionPath | None:
        """The path that is spelled so in a block of answers; a block of a cell is never about a branch of its name."""
        found = self.program.find(spell_scope((*scope, *steps)))
        own = (path for path in found if (path.branch.scope if path.branch else path.scope)[: len(scope)] == scope)
        return next(own, None)

    def _expand(self, target: ast.Target) -> Iterator[QuestionScope]:
        """The steps that a target spells: `trunk[5..9][8].operator` spells five paths."""
        steps: list[tuple[str, list[Sequence[int]]]] = [(target.path.head.text, [])]
        for part in target.path.parts:
            if isinstance(part, ast.Attribute):
                steps.append((part.name, []))
                continue
            numbers = self._numbers(part)
            if numbers is None:
                return
            steps[-1][1].append(numbers)
        count = 1
        for numbers in (numbers for _, ranges in steps for numbers in ranges):
            count *= len(numbers)
        if count > EXPANSION_LIMIT:
            self.reporter.report(
                codes.EXPANDS_TOO_FAR,
                f"this line answers {count:,} questions; {EXPANSION_LIMIT:,} are allowed",
                target.span,
                "expands too far",
            )
            return
        choices = [[Step(name, "", indices) for indices in itertools.product(*ranges)] for name, ranges in steps]
        yield from itertools.product(*choices)

    def _numbers(self, part: ast.Index) -> range | list[int] | None:
        match part.value:
            case ast.Number(value=int(number)):
                return [number]
            case ast.Range(low=ast.Number(value=int(low)), high=ast.Number(value=int(high))) if low <= high:
                if high - low >= EXPANSION_LIMIT:
                    self.reporter.report(
                        codes.EXPANDS_TOO_FAR,
                        f"the range holds {high - low + 1:,} places; {EXPANSION_LIMIT:,} are allowed",
                        part.span,
                        "expands too far",
                    )
                    return None
                return range(low, high + 1)
            case _:
                self.reporter.report(
                    codes.BAD_INDEX,
                    f"`{unparse(part.value)}` is no place and no range of places",
                    part.span,
                    "here",
                    help="write `[5]`, or `[5..9]` with the lower number first",
                )
                return None

    def _answer(self, path: QuestionPath, answer: tuple[str, ...], span: Span, target: Span) -> None:
        if not self._allowed(self.program.questions[path.question], answer, span):
            return
        if (first := self.given.get(path)) is not None:
            self.reporter.report(
                codes.ANSWERED_TWICE,
                f"`{path}` is answered twice",
                target,
                "again here",
                also=(Mark(first.target, "first here"),),
                help="keep one of the two lines, or take the place out of one of the ranges",
            )
            return
        self.given[path] = Given(answer, span, target)

    def _unknown(self, steps: QuestionScope, answer: tuple[str, ...], span: Span) -> None:
        if (shared := self._shared(steps)) is not None:
            branch, path = shared
            self.reporter.report(
                codes.UNKNOWN_QUESTION,
                f"`{path}` has one answer for all branches",
                span,
                f"not asked for `{branch}` alone",
                help=f"write `{path} = {answer[0]}`",
            )
            return
        *place, last = steps
        known = list(self.program.questions)
        beside = [path for path in known if place and path.steps[: len(place)] == tuple(place)]
        alike = [path for path in known if path.steps[-1] == last]
        name = spell_scope(steps)
        if beside:
            help = f"asked there: {listed([spell_scope(path.steps[len(place) :]) for path in beside])}"
        elif alike:
            help = f"`{last}` is asked at {listed(sorted(path.place for path in alike), 6)}"
        else:
            help = suggestion(name, [str(path) for path in known[:60]])
        self.reporter.report(
            codes.UNKNOWN_QUESTION,
            f"`{self.program.name}` does not ask `{name}`",
            span,
            "no such question",
            help=help,
        )

    def _shared(self, steps: QuestionScope) -> tuple[Branch, QuestionPath] | None:
        """A branch and a question that has one answer for all branches, where a path spells both."""
        for branch in self.program.branches:
            prefix = branch.end.steps
            if steps[: len(prefix)] == prefix:
                found = self.program.find(spell_scope((*branch.scope, *steps[len(prefix) :])))
                found = found or self.program.find(spell_scope(steps[len(prefix) :]))
                if found:
                    return branch, found[0]
        return None

    def _allowed(self, question: Question, answer: tuple[str, ...], span: Span) -> bool:
        wrong = [each for each in answer if each not in question.answers]
        if wrong:
            known = list(question.answers)
            self.reporter.report(
                codes.WRONG_ANSWER,
                f"`{wrong[0]}` is no answer to `{question.path}`",
                span,
                "not among the candidates",
                help=f"allowed: {listed(known, 40)}",
                fix=replacement(wrong[0], known, span),
            )
            return False
        if len(answer) != question.keep:
            self.reporter.report(
                codes.WRONG_ANSWER,
                f"`{question.path}` keeps {question.keep} inputs, and {len(answer)} are given",
                span,
                f"{len(answer)} inputs",
                help=f"name {question.keep} of {listed(list(question.answers), 40)}",
            )
            return False
        return True

    # Paths of branches --------------------------------------------------------------------------

    def _path(self, branch: Branch, value: ast.Expr, target: Span) -> None:
        """`b.path = trunk[1..10][8], trunk[11..16][16]`: the source of each place on the way."""
        ends = self.program.branches[branch]
        trellis = self.program.trellises[ends.trellis]
        places = self._places(branch, trellis, value)
        if places is None or not places:
            return
        if branch in self.paths:
            self.reporter.report(
                codes.ANSWERED_TWICE,
                f"the path of `{branch}` is given twice",
                target,
                "again here",
                also=(Mark(self.targets[branch], "first here"),),
                help="keep one of the two lines",
            )
            return
        self.targets[branch] = target
        self.paths[branch] = [place for place, _ in places]
        first, at = places[0]
        if not trellis.begins_at(first):
            starts = [trellis.spell(place) for place in trellis.sources if trellis.begins_at(place)]
            self._wrong_path(
                f"the path of `{branch}` begins at `{trellis.spell(first)}`, which reads a place before it",
                at,
                "nothing starts here",
                f"a path begins at {listed(starts)}",
            )
            return
        if trellis.asks_at(first):
            self._answer(trellis.source(first).of(branch), (START,), at, at)
        for (before, _), (place, at) in itertools.pairwise(places):
            if not self._step(branch, trellis, before, place, at):
                return
        self._end(branch, trellis, places[-1])

    def _places(self, branch: Branch, trellis: Trellis, value: ast.Expr) -> list[tuple[Place, Span]] | None:
        found: list[tuple[Place, Span]] = []
        for part in value.items if isinstance(value, ast.Tuple) else (value,):
            if not isinstance(part, ast.Path) or not _names_grid(part, trellis):
                self._wrong_path(
                    f"a path names places of `{trellis.name}`, and this is `{unparse(part)}`",
                    part.span,
                    "no place",
                    f"write `{branch}.path = {trellis.name}[1..10][8], …`",
                )
                return None
            indices = [self._numbers(index) for index in part.parts if isinstance(index, ast.Index)]
            if any(numbers is None for numbers in indices):
                return None
            for place in itertools.product(*(numbers for numbers in indices if numbers is not None)):
                if place not in trellis.sources:
                    self._wrong_path(
                        f"`{trellis.name}` has no place `{trellis.spell(place)}`",
                        part.span,
                        "not in the grid",
                        f"its places are {listed([trellis.spell(each) for each in trellis.sources], 6)}",
                    )
                    return None
                found.append((place, part.span))
        return found

    def _step(self, branch: Branch, trellis: Trellis, before: Place, place: Place, at: Span) -> bool:
        sources = trellis.sources[place]
        label = next((label for label, source in sources.items() if source == before), None)
        if label is None:
            onward = [trellis.spell(each) for each, read in trellis.sources.items() if before in read.values()]
            self._wrong_path(
                f"no step leads from `{trellis.spell(before)}` to `{trellis.spell(place)}`",
                at,
                f"the path of `{branch}` breaks here",
                f"from `{trellis.spell(before)}` it can go on to {listed(onward)}" if onward else "it ends there",
            )
            return False
        if trellis.asks_at(place):
            self._answer(trellis.source(place).of(branch), (label,), at, at)
        return True

    def _end(self, branch: Branch, trellis: Trellis, last: tuple[Place, Span]) -> None:
        place, at = last
        ends = self.program.branches[branch].places
        given = self.given.get(branch.end)
        wanted = ends.get(given.answer[0]) if given else None
        if place not in ends.values():
            allowed = ", ".join(f"`{trellis.spell(each)}`" for each in ends.values())
            self._wrong_path(
                f"the path of `{branch}` ends at `{trellis.spell(place)}`",
                at,
                "no branch can end here",
                f"`{branch}` ends at {allowed}",
            )
        elif wanted is not None and wanted != place:
            assert given is not None
            self.reporter.report(
                codes.WRONG_PATH,
                f"`{branch}` ends at `{trellis.spell(wanted)}`, its path at `{trellis.spell(place)}`",
                at,
                "ends here",
                also=(Mark(given.span, f"`{branch} = {given.answer[0]}`"),),
                help=f"write `{branch} = {place[-1]}`, or let the path end at `{trellis.spell(wanted)}`",
            )

    def _wrong_path(self, message: str, span: Span, here: str, help: str) -> None:
        self.reporter.report(codes.WRONG_PATH, message, span, here, help=help)

    # Blocks -------------------------------------------------------------------------------------

    def _block(self, target: ast.Target, lines: Sequence[ast.Statement]) -> None:
        """`answer normal@h1 { x1 = prev -> identity }`; `answer trunk[2..4] { … }` answers three cells."""
        for steps in self._expand(target):
            tagged = list(_tagged(steps, target.tag))
            scope = next((each for each in tagged if each in self.scopes), tagged[-1])
            for line in lines:
                if isinstance(line, ast.Assign):
                    self._block_line(scope, line)
                else:
                    self.reporter.report(
                        codes.OUT_OF_PLACE,
                        "a block of answers holds lines such as `x1 = prev -> conv3x3`",
                        line.span,
                        "not an answer",
                    )

    def _block_line(self, scope: QuestionScope, line: ast.Assign) -> None:
        named = bool(line.target.path.parts) or self._find(scope, (Step(line.target.path.head.text),)) is not None
        if named:
            self._line(scope, line.target, line.value)
        else:
            self._edges(scope, line.target, line.value)

    def _edges(self, scope: QuestionScope, target: ast.Target, value: ast.Expr) -> None:
        """`x1 = prev2 -> identity + prev -> conv3x3`: the edges of a line, as it is written in the space."""
        node = target.path.head.text
        terms = value.terms if isinstance(value, ast.Add) else (("+", value),)
        keep = self._keep(scope, node)
        kept: list[str] = []
        for sign, term in terms:
            edge = self._edge(term, keep, scope, node) if sign == "+" else None
            if edge is None:
                self.reporter.report(
                    codes.WRONG_ANSWER,
                    f"`{unparse(term)}` answers no edge of `{node}`",
                    term.span,
                    "not an edge",
                    help="write each edge as `source -> op`, joined by `+`",
                )
                return
            if edge.candidate in kept:
                self.reporter.report(
                    codes.EDGE_TWICE,
                    f"`{node}` has two edges from `{edge.candidate}`",
                    term.span,
                    "again here",
                    help="one edge per source: keep one of them",
                )
                return
            kept.append(edge.candidate)
            if edge.step is not None:
                self._edge_answer(QuestionPath(scope, edge.source, node), edge.step, edge.head.span)
        if keep is not None:
            in_order = tuple(sorted(kept, key=lambda each: _position(keep.answers, each)))
            self._answer(keep.path, in_order, value.span, target.span)

    def _keep(self, scope: QuestionScope, node: str) -> Question | None:
        """The question which inputs of a sum stay; None where all do."""
        found = self.program.questions.get(QuestionPath(scope, "keep", node))
        return found if found is not None and found.kind is QuestionKind.KEEP else None

    def _edge(self, term: ast.Expr, keep: Question | None, scope: QuestionScope, node: str) -> _Edge | None:
        """What a term answers: a candidate of a sum that is named as it stands there, or an edge with its op."""
        if keep is not None and unparse(term) in keep.answers:
            return _Edge(unparse(term), "", term, None)
        if isinstance(term, ast.Path) and keep is not None:
            return _Edge(unparse(term), "", term, None)
        if not isinstance(term, ast.Pipe) or len(term.steps) != 1:
            return None
        source = unparse(term.head)
        candidates = zip(keep.answers, keep.edges, strict=True) if keep is not None else ()
        candidate = next((label for label, edge in candidates if edge == source), source)
        return _Edge(candidate, source, term.head, term.steps[0])

    def _edge_answer(self, path: QuestionPath, step: ast.Expr, head: Span) -> None:
        if path in self.program.questions:
            self._answer(path, (unparse(step),), step.span, head)
        else:
            self._unknown(path.steps, (unparse(step),), head)

    # All answers --------------------------------------------------------------------------------

    def answers(self) -> dict[QuestionPath, tuple[str, ...]]:
        """Every answer under the path that it is asked by; one for all branches stands for each of them."""
        found: dict[QuestionPath, tuple[str, ...]] = {}
        for path, given in self.given.items():
            if path.branch is None:
                found.update(dict.fromkeys(self.asked_by(path), given.answer))
        found.update((path, given.answer) for path, given in self.given.items() if path.branch is not None)
        return found

    def asked_by(self, path: QuestionPath) -> Iterable[QuestionPath]:
        """The paths for which an answer under this path counts."""
        if path.branch is not None or not self.program.questions[path].per_branch:
            return (path,)
        return (path, *(path.of(branch) for branch in self.program.branches))


@dataclass(frozen=True, slots=True)
class _Edge:
    """A term of a line as an answer."""

    candidate: str
    """The candidate of the sum that it keeps."""
    source: str
    """The name of the question for its op; empty without a question."""
    head: ast.Expr
    step: ast.Expr | None
    """The op that it answers."""


def _tagged(steps: QuestionScope, tag: ast.Name | None) -> Iterator[QuestionScope]:
    """What steps with a tag can mean: it is written behind the whole path, and belongs to a cell in it."""
    if tag is None:
        yield steps
        return
    for position, step in enumerate(steps):
        yield (*steps[:position], Step(step.name, tag.text, step.indices), *steps[position + 1 :])


def _names_grid(path: ast.Path, trellis: Trellis) -> bool:
    """Whether a place is spelled with the grid's name, alone or behind the cell that it stands in."""
    names = (path.head.text, *(part.name for part in path.parts if isinstance(part, ast.Attribute)))
    return names in ((trellis.scope[-1].name,), tuple(step.name for step in trellis.scope))


def _plain(target: ast.Target) -> str:
    return target.path.head.text if not target.path.parts and target.tag is None else ""


def _position(answers: tuple[str, ...], answer: str) -> int:
    return answers.index(answer) if answer in answers else len(answers)
