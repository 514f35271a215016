"""Calls and blocks of settings: who reads them takes what it knows by name, and what is left over is reported.

Everything here goes on after a mistake, with a stand-in: all mistakes of a block are found in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell
from archdsl.text import Span

T = TypeVar("T")
D = TypeVar("D")
Read: TypeAlias = Callable[[Reporter, ast.Expr], "T | None"]
"""Reads a value; None where that has been reported to be wrong."""


@dataclass(slots=True)
class Form:
    """A call of settings, such as `sgd(lr = 0.1, momentum = 0.9)`; a bare name is a call with nothing given."""

    name: str
    expr: ast.Expr
    reporter: Reporter
    positional: list[ast.Expr]
    named: dict[str, ast.Argument]
    known: list[str] = field(default_factory=list[str])
    wrong: bool = False

    def take(self, name: str, read: Read[T], default: D, *, first: bool = False) -> T | D:
        """A parameter that may be left out; with `first` it may stand without its name."""
        expr = self._find(name, first=first)
        if expr is None:
            return default
        value = read(self.reporter, expr)
        if value is None:
            self.wrong = True
            return default
        return value

    def need(self, name: str, read: Read[T], stand_in: T, *, first: bool = False) -> T:
        """A parameter that must be there; the stand-in never reaches a user."""
        expr = self._find(name, first=first)
        if expr is None:
            self.wrong = True
            self.reporter.add_at(
                codes.SETTING_MISSING,
                f"`{self.name}` has no `{name}`",
                self.expr.span,
                "it is needed here",
                help=f"write `{self.name}({name} = …)`",
            )
            return stand_in
        value = read(self.reporter, expr)
        if value is None:
            self.wrong = True
            return stand_in
        return value

    def rest(self) -> list[ast.Expr]:
        """All arguments without a name that nobody took."""
        found, self.positional = self.positional, []
        return found

    def finish(self) -> None:
        """Report what nobody took."""
        for name, argument in self.named.items():
            self.wrong = True
            self.reporter.report(
                codes.UNKNOWN_SETTING,
                f"`{self.name}` has no `{name}`",
                argument.name.span if argument.name else argument.span,
                "not known here",
                help=suggestion(name, self.known) or f"`{self.name}` takes nothing",
                fix=argument.name and replacement(name, self.known, argument.name.span),
            )
        for expr in self.positional:
            self.wrong = True
            self.reporter.report(
                codes.UNKNOWN_SETTING,
                f"`{self.name}` takes no `{spell(expr)}`",
                expr.span,
                "not known here",
                help=suggestion(spell(expr), self.known) or f"write `{self.name}` alone",
            )

    def _find(self, name: str, *, first: bool) -> ast.Expr | None:
        self.known.append(name)
        if name in self.named:
            return self.named.pop(name).value
        return self.positional.pop(0) if first and self.positional else None


def form_of(reporter: Reporter, expr: ast.Expr) -> Form | None:
    """The call that an expression is, or None where it is none."""
    match expr:
        case ast.Path(head=head, parts=()):
            return Form(head.text, expr, reporter, [], {})
        case ast.Call(target=ast.Path(head=head, parts=()), arguments=arguments):
            form = Form(head.text, expr, reporter, [], {})
            for argument in arguments:
                if argument.name is not None and argument.name.text in form.named:
                    form.wrong = True
                    reporter.report(
                        codes.SETTING_TWICE,
                        f"`{argument.name.text}` stands twice in `{head.text}`",
                        argument.span,
                        "again here",
                        also=(Mark(form.named[argument.name.text].span, "first here"),),
                        help="take one of them out",
                    )
                elif argument.name is not None:
                    form.named[argument.name.text] = argument
                else:
                    form.positional.append(argument.value)
            return form
        case _:
            return None


Make: TypeAlias = Callable[[Form], T]


def one_of(what: str, makers: Mapping[str, Make[T]]) -> Read[T]:
    """Reads one of several forms by its name; `what` is how messages call them all."""

    def read(reporter: Reporter, expr: ast.Expr) -> T | None:
        form = form_of(reporter, expr)
        if form is None or form.name not in makers:
            report_unknown(reporter, what, expr, list(makers))
            return None
        value = makers[form.name](form)
        form.finish()
        return None if form.wrong else value

    return read


def report_unknown(reporter: Reporter, what: str, expr: ast.Expr, known: list[str]) -> None:
    """A word that is none of those that can stand here."""
    head = expr.target.head if isinstance(expr, ast.Call) else expr.head if isinstance(expr, ast.Path) else None
    written = head.text if head else spell(expr)
    reporter.report(
        codes.UNKNOWN_WORD,
        f"`{written}` is no {what}",
        head.span if head else expr.span,
        "not known here",
        help=suggestion(written, known),
        fix=head and replacement(written, known, head.span),
    )


# Blocks -----------------------------------------------------------------------------------------


def values_of(expr: ast.Expr) -> tuple[ast.Expr, ...]:
    """`a, b` as its parts."""
    return expr.items if isinstance(expr, ast.Tuple) else (expr,)


@dataclass(slots=True)
class Block:
    """The lines of a `search`, a `train` or a `phase`; what a phase leaves out is looked up around it."""

    owner: str
    what: str
    span: Span
    reporter: Reporter
    lines: dict[str, ast.Assign]
    outer: Block | None = None
    known: list[str] = field(default_factory=list[str])
    wrong: bool = False

    @classmethod
    def of(
        cls, name: ast.Name, what: str, body: Iterable[ast.Statement], reporter: Reporter, outer: Block | None = None
    ) -> Block:
        block = cls(name.text, what, name.span, reporter, {}, outer)
        for statement in body:
            match statement:
                case ast.Assign(target=ast.Target(path=ast.Path(head=head, parts=()), tag=None, upto=None)):
                    if first := block.lines.get(head.text):
                        block.wrong = True
                        reporter.report(
                            codes.SETTING_TWICE,
                            f"`{head.text}` stands twice in `{name.text}`",
                            head.span,
                            "again here",
                            also=(Mark(first.target.span, "first here"),),
                            help="take one of them out",
                        )
                    else:
                        block.lines[head.text] = statement
                case ast.Phase() if what == "search":
                    pass
                case _:
                    block.wrong = True
                    reporter.report(
                        codes.OUT_OF_PLACE,
                        f"the {what} `{name.text}` holds settings",
                        statement.span,
                        "not a setting",
                        help="write `name = …`",
                    )
        return block

    def expression(self, name: str, *, own: bool = False) -> ast.Expr | None:
        """What a line says, of this block or, unless it has to be its own, of the one around it."""
        self.known.append(name)
        if name in self.lines:
            return self.lines[name].value
        return self.outer.expression(name) if self.outer and not own else None

    def take(self, name: str, read: Read[T], default: D, *, own: bool = False) -> T | D:
        expr = self.expression(name, own=own)
        if expr is None:
            return default
        value = read(self.reporter, expr)
        if value is None:
            self.wrong = True
            return default
        return value

    def need(self, name: str, read: Read[T], stand_in: T, *, help: str) -> T:
        if self.expression(name) is None:
            self.missing(name, help)
            return stand_in
        return self.take(name, read, stand_in)

    def missing(self, name: str, help: str) -> None:
        self.wrong = True
        self.reporter.add_at(
            codes.SETTING_MISSING, f"the {self.what} `{self.owner}` has no `{name}`", self.span, "needs it", help=help
        )

    def finish(self, elsewhere: Sequence[str] = ()) -> None:
        """Report lines that nobody read; `elsewhere` are settings that stand in another kind of block."""
        for name, line in self.lines.items():
            if name in self.known:
                continue
            self.wrong = True
            where = f"`{name}` stands in a phase" if name in elsewhere else None
            self.reporter.report(
                codes.UNKNOWN_SETTING,
                f"`{name}` is no setting of a {self.what}",
                line.target.span,
                "not known here",
                help=where or suggestion(name, sorted(set(self.known))),
                fix=None if where else replacement(name, self.known, line.target.span),
            )


def several(read: Read[T]) -> Read[tuple[T, ...]]:
    """Reads `a, b`, each part alike."""

    def every(reporter: Reporter, expr: ast.Expr) -> tuple[T, ...] | None:
        found = [read(reporter, each) for each in values_of(expr)]
        good = tuple(each for each in found if each is not None)
        return good if len(good) == len(found) else None

    return every


def in_set(read: Read[T]) -> Read[tuple[T, ...]]:
    """Reads `{a, b}`, or one without brackets."""

    def every(reporter: Reporter, expr: ast.Expr) -> tuple[T, ...] | None:
        items = expr.items if isinstance(expr, ast.Set) else (expr,)
        found = [read(reporter, each) for each in items]
        good = tuple(each for each in found if each is not None)
        return good if len(good) == len(found) else None

    return every
