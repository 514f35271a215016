"""Genotypes: a text's answers, read and held against the space (rules 10 and 11)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed, replacement, suggestion
from archdsl.space import Place, Program, Question, Trellis
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell
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
    general: dict[str, Given] = field(default_factory=dict[str, Given])
    """Answers for every branch, by question path."""
    special: dict[str, Given] = field(default_factory=dict[str, Given])
    """Answers for one branch, by `branch.path`."""
    paths: dict[str, list[Place]] = field(default_factory=dict[str, list[Place]])
    targets: dict[str, Span] = field(default_factory=dict[str, Span])
    """Where each branch's path is given."""
    nodes: frozenset[str] = field(init=False)
    """Lines of the space itself whose edges ask: `y = x -> conv3x3`, outside of all cells."""

    def __post_init__(self) -> None:
        self.nodes = frozenset(each.node for each in self.program.questions.values() if each.node and not each.scope)

    def read(self, body: Sequence[ast.Statement]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(target=target) if _plain(target) in NOTES:
                    pass
                case ast.Assign(target=target, value=value):
                    self._line(target, value, "")
                case ast.Answer(target=target, body=lines):
                    self._block(target, lines)
                case _:
                    self.reporter.report(
                        codes.OUT_OF_PLACE,
                        "a genotype holds answers, and this is none",
                        statement.span,
                        "not an answer",
                        help="write `trunk[1][8].operator = conv3x3`, or `answer normal { … }`",
                    )

    # Lines --------------------------------------------------------------------------------------

    def _line(self, target: ast.Target, value: ast.Expr, scope: str) -> None:
        path = target.path
        branch = path.head.text if path.parts and path.head.text in self.program.branches else ""
        if branch and path.parts == (ast.Attribute(path.span, "path"),):
            self._path(branch, value, target.span)
            return
        if not (scope or path.parts) and path.head.text in self.nodes:
            self._edges(path.head.text, target, value)
            return
        answer = (spell(value),)
        unknown = False
        for name in self._expand(target, scope):
            if name in self.program.questions:
                self._answer(branch, name, answer, value.span, target.span)
            elif not unknown:  # one of many places that do not ask is enough to say
                unknown = True
                self._unknown(name, target.span)

    def _expand(self, target: ast.Target, scope: str) -> Iterator[str]:
        """The question paths that a target names: `trunk[5..9][8].operator` names five."""
        path = target.path
        parts: list[ast.Index | ast.Attribute] = list(path.parts)
        head = path.head.text
        if parts and head in self.program.branches:
            first = parts.pop(0)
            head = first.name if isinstance(first, ast.Attribute) else ""
        steps = [[f"{scope}.{head}" if scope else head]]
        for position, part in enumerate(parts):
            if isinstance(part, ast.Attribute):
                tag = f"@{target.tag.text}" if target.tag and position == 0 else ""
                steps.append([f"{tag}.{part.name}"])
            else:
                numbers = self._numbers(part)
                if numbers is None:
                    return
                steps.append([f"[{number}]" for number in numbers])
        count = 1
        for step in steps:
            count *= len(step)
        if count > EXPANSION_LIMIT:
            self.reporter.report(
                codes.EXPANDS_TOO_FAR,
                f"this line answers {count:,} questions; {EXPANSION_LIMIT:,} are allowed",
                target.span,
                "expands too far",
            )
            return
        for combination in itertools.product(*steps):
            yield "".join(combination)

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
                    f"`{spell(part.value)}` is no place and no range of places",
                    part.span,
                    "here",
                    help="write `[5]`, or `[5..9]` with the lower number first",
                )
                return None

    def _answer(self, branch: str, name: str, answer: tuple[str, ...], span: Span, target: Span) -> None:
        question = self.program.questions.get(name)
        if question is None:
            self._unknown(name, target)
            return
        if branch and not question.per_branch:
            self.reporter.report(
                codes.UNKNOWN_QUESTION,
                f"`{name}` has one answer for all branches",
                target,
                f"not asked for `{branch}` alone",
                help=f"write `{name} = {answer[0]}`",
            )
            return
        if not self._allowed(question, answer, span):
            return
        where, key = (self.special, f"{branch}.{name}") if branch else (self.general, name)
        if (first := where.get(key)) is not None:
            self.reporter.report(
                codes.ANSWERED_TWICE,
                f"`{key}` is answered twice",
                target,
                "again here",
                also=(Mark(first.target, "first here"),),
                help="keep one of the two lines, or take the place out of one of the ranges",
            )
            return
        where[key] = Given(answer, span, target)

    def _unknown(self, name: str, span: Span) -> None:
        known = list(self.program.questions)
        last = name.rsplit(".", 1)[-1]
        alike = [each for each in known if each.rsplit(".", 1)[-1] == last]
        scope = name[: -len(last) - 1]
        beside = [each for each in known if scope and each.startswith(f"{scope}.")]
        if beside:
            help = f"asked there: {listed([each[len(scope) + 1 :] for each in beside])}"
        elif alike:
            help = f"`{last}` is asked at {listed(sorted(each[: -len(last) - 1] for each in alike), 6)}"
        else:
            help = suggestion(name, known[:60])
        self.reporter.report(
            codes.UNKNOWN_QUESTION,
            f"`{self.program.name}` does not ask `{name}`",
            span,
            "no such question",
            help=help,
        )

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

    def _path(self, branch: str, value: ast.Expr, target: Span) -> None:
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
        if trellis.sources[first]:
            starts = [trellis.spell(place) for place, sources in trellis.sources.items() if not sources]
            self._wrong_path(
                f"the path of `{branch}` begins at `{trellis.spell(first)}`, which reads a place before it",
                at,
                "nothing starts here",
                f"a path begins at {listed(starts)}",
            )
            return
        for (before, _), (place, at) in itertools.pairwise(places):
            if not self._step(branch, trellis, before, place, at):
                return
        self._end(branch, trellis, places[-1])

    def _places(self, branch: str, trellis: Trellis, value: ast.Expr) -> list[tuple[Place, Span]] | None:
        found: list[tuple[Place, Span]] = []
        for part in value.items if isinstance(value, ast.Tuple) else (value,):
            if not isinstance(part, ast.Path) or part.head.text != trellis.name:
                self._wrong_path(
                    f"a path names places of `{trellis.name}`, and this is `{spell(part)}`",
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

    def _step(self, branch: str, trellis: Trellis, before: Place, place: Place, at: Span) -> bool:
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
        if len(sources) > 1:
            self._answer(branch, f"{trellis.spell(place)}.{trellis.question}", (label,), at, at)
        return True

    def _end(self, branch: str, trellis: Trellis, last: tuple[Place, Span]) -> None:
        place, at = last
        ends = self.program.branches[branch].places
        given = self.general.get(branch)
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
        tag = f"@{target.tag.text}" if target.tag else ""
        for scope in self._expand(ast.Target(target.span, target.path), ""):
            self._lines(scope + tag, lines)

    def _lines(self, scope: str, lines: Sequence[ast.Statement]) -> None:
        for line in lines:
            if not isinstance(line, ast.Assign):
                self.reporter.report(
                    codes.OUT_OF_PLACE,
                    "a block of answers holds lines such as `x1 = prev -> conv3x3`",
                    line.span,
                    "not an answer",
                )
                continue
            node = line.target.path.head.text
            if not line.target.path.parts and f"{scope}.{node}" in self.program.questions:
                self._answer("", f"{scope}.{node}", (spell(line.value),), line.value.span, line.target.span)
            else:
                self._edges(f"{scope}.{node}", line.target, line.value)

    def _edges(self, node: str, target: ast.Target, value: ast.Expr) -> None:
        """`x1 = prev2 -> identity + prev -> conv3x3`, where `node` is the line's path in the space: `normal.x1`."""
        terms = value.terms if isinstance(value, ast.Add) else (("+", value),)
        kept: list[str] = []
        keeps = f"{node}.keep" in self.program.questions
        for sign, term in terms:
            step = term.steps[0] if isinstance(term, ast.Pipe) and len(term.steps) == 1 else None
            bare = keeps and isinstance(term, ast.Path)
            if sign != "+" or (step is None and not bare):
                self.reporter.report(
                    codes.WRONG_ANSWER,
                    f"`{spell(term)}` answers no edge of `{target.path.head.text}`",
                    term.span,
                    "not an edge",
                    help="write each edge as `source -> op`, joined by `+`",
                )
                return
            head = term.head if isinstance(term, ast.Pipe) else term
            source = spell(head)
            if source in kept:
                self.reporter.report(
                    codes.EDGE_TWICE,
                    f"`{target.path.head.text}` has two edges from `{source}`",
                    term.span,
                    "again here",
                    help="one edge per source: keep one of them",
                )
                return
            kept.append(source)
            if step is not None:
                self._answer("", f"{node}.{source}", (spell(step),), step.span, head.span)
        if keeps:
            question = self.program.questions[f"{node}.keep"]
            in_order = tuple(sorted(kept, key=lambda each: _position(question.answers, each)))
            self._answer("", f"{node}.keep", in_order, value.span, target.span)

    # All answers --------------------------------------------------------------------------------

    def answers(self) -> dict[str, tuple[str, ...]]:
        """Every answer under the path that it is asked by; one for all branches stands for each of them."""
        found: dict[str, tuple[str, ...]] = {}
        for name, given in self.general.items():
            if self.program.questions[name].per_branch:
                for branch in self.program.branches:
                    found[f"{branch}.{name}"] = given.answer
            else:
                found[name] = given.answer
        for key, given in self.special.items():
            found[key] = given.answer
        return found


def _plain(target: ast.Target) -> str:
    return target.path.head.text if not target.path.parts and target.tag is None else ""


def _position(answers: tuple[str, ...], answer: str) -> int:
    return answers.index(answer) if answer in answers else len(answers)
