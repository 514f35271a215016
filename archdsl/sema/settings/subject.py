"""What a search is about: the questions that a space asks, and the names that settings can point at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, listed, replacement, suggestion
from archdsl.space import Program, QuestionKind, QuestionPath, parse_scope
from archdsl.space.node_path import parts
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


@dataclass(frozen=True)
class Subject:
    """The space of a phase; `all` has the spaces of every phase of the search, this one first."""

    program: Program
    answered: frozenset[QuestionPath] = frozenset()
    """Questions that a genotype has answered already."""
    all: tuple[Program, ...] = field(default=())

    @cached_property
    def kinds(self) -> tuple[QuestionKind, ...]:
        """What is asked here, in the order of the enumeration."""
        asked = {each.kind for path, each in self.program.questions.items() if path not in self.answered}
        return tuple(kind for kind in QuestionKind if kind in asked)

    @cached_property
    def kinds_of_all(self) -> tuple[QuestionKind, ...]:
        asked = {each.kind for program in self._programs for each in program.questions.values()}
        return tuple(kind for kind in QuestionKind if kind in asked)

    @property
    def _programs(self) -> tuple[Program, ...]:
        return self.all or (self.program,)

    @cached_property
    def operators(self) -> tuple[str, ...]:
        """Every op that an answer can name."""
        return tuple(dict.fromkeys(_answers(self._programs, QuestionKind.OPERATOR)))

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """Cells and places that ask something, from the outside in: `normal`, `reduction@h1`, `trunk`, `trunk[5]`."""
        return tuple(dict.fromkeys(_prefixes(path for program in self._programs for path in program.questions)))

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Lines, structures and cells of the network: `h1`, `h1[2]`, `body.trunk`."""
        nodes = (node for program in self._programs for node in program.nodes)
        return tuple(dict.fromkeys(part for node in nodes for part in parts(node.frames)))

    def chain(self, name: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
        """The cells of a chain that ask questions of their own: place -> the candidates of each of its questions."""
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        for path, question in self.program.questions.items():
            place = path.steps[0]
            if place.name == name and place.indices and question.kind is QuestionKind.OPERATOR:
                found[str(place)] = (*found.get(str(place), ()), question.answers)
        return found

    # What settings name -------------------------------------------------------------------------

    def kind(self, reporter: Reporter, expr: ast.Expr) -> QuestionKind | None:
        """A kind of question that some phase of the search asks."""
        written = unparse(expr)
        known = [str(kind) for kind in self.kinds_of_all]
        if written in known:
            return QuestionKind(written)
        head = expr.head if isinstance(expr, ast.Path) else None
        if written in list(QuestionKind):
            reporter.report(
                codes.NOT_IN_SPACE,
                f"`{self.program.name}` asks for no `{written}`",
                expr.span,
                "no such question",
                help=f"it asks for {listed(known)}" if known else "it asks nothing",
            )
        else:
            reporter.report(
                codes.UNKNOWN_WORD,
                f"`{written}` is no kind of question",
                expr.span,
                "not known here",
                help=suggestion(written, known),
                fix=head and replacement(written, known, head.span),
            )
        return None

    def operator(self, reporter: Reporter, expr: ast.Expr) -> str | None:
        return self._named(reporter, expr, self.operators, "op that can be chosen")

    def scope(self, reporter: Reporter, expr: ast.Expr) -> str | None:
        """A cell or place that asks something, or what holds some that do."""
        written = unparse(expr)
        scope = parse_scope(written)
        if scope and any(path.within(scope) for program in self._programs for path in program.questions):
            return written
        return self._named(reporter, expr, self.scopes, "cell or place that asks something")

    def part(self, reporter: Reporter, expr: ast.Expr) -> str | None:
        """A line or structure of the network."""
        return self._named(reporter, expr, self.parts, "part of the network")

    def _named(self, reporter: Reporter, expr: ast.Expr, known: Iterable[str], what: str) -> str | None:
        names = list(known)
        written = unparse(expr)
        if written in names:
            return written
        reporter.report(
            codes.NOT_IN_SPACE,
            f"`{written}` is no {what} in `{self.program.name}`",
            expr.span,
            "not there",
            help=suggestion(written, names),
            fix=replacement(written, names, expr.span),
        )
        return None


def _answers(programs: Iterable[Program], kind: QuestionKind) -> Iterator[str]:
    for program in programs:
        for question in program.questions.values():
            if question.kind is kind:
                yield from question.answers


def _prefixes(paths: Iterable[QuestionPath]) -> Iterator[str]:
    for path in paths:
        yield path.steps[0].name
        yield str(path.steps[0])
