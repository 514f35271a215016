"""Calls and blocks of settings: a reader takes the settings that it knows by name, and unused ones are reported.

Everything here goes on after a mistake: all mistakes of a block are found in one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from archdsl.diagnostics import Label as Mark
from archdsl.sema import codes
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span


@dataclass(slots=True)
class Arguments:
    """What a call such as `sgd(lr = 0.1, momentum = 0.9)` gives; a bare name is a call with nothing given."""

    name: str
    expr: ast.Expr
    reporter: Reporter
    positional: list[ast.Expr] = field(default_factory=list[ast.Expr])
    named: dict[str, ast.Argument] = field(default_factory=dict[str, ast.Argument])
    known: list[str] = field(default_factory=list[str])
    wrong: bool = False

    def take(self, word: str, *, bare: bool = False) -> ast.Expr | None:
        """An argument by its name; with `bare` it may stand without."""
        self.known.append(word)
        if word in self.named:
            return self.named.pop(word).value
        return self.positional.pop(0) if bare and self.positional else None

    def take_mark(self, word: str) -> bool:
        """Whether a word stands alone among the arguments."""
        self.known.append(word)
        found = next((each for each in self.positional if unparse(each) == word), None)
        if found is not None:
            self.positional.remove(found)
        return found is not None

    def take_rest(self) -> list[ast.Expr]:
        """All unused arguments without a name."""
        found, self.positional = self.positional, []
        return found

    def missing(self, word: str, *, bare: bool) -> None:
        self.wrong = True
        self.reporter.add_at(
            codes.SETTING_MISSING,
            f"`{self.name}` has no `{word}`",
            self.expr.span,
            "it is needed here",
            help=f"write `{self.name}({'…' if bare else f'{word} = …'})`",
        )

    def finish(self) -> None:
        """Report unused arguments."""
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
                f"`{self.name}` takes no `{unparse(expr)}`",
                expr.span,
                "not known here",
                help=suggestion(unparse(expr), self.known) or f"write `{self.name}` alone",
            )


def arguments_of(reporter: Reporter, expr: ast.Expr) -> Arguments | None:
    """The arguments of a call; None for any other expression."""
    match expr:
        case ast.Path(head=head, parts=()):
            return Arguments(head.text, expr, reporter)
        case ast.Call(target=ast.Path(head=head, parts=()), arguments=arguments):
            found = Arguments(head.text, expr, reporter)
            for argument in arguments:
                if argument.name is None:
                    found.positional.append(argument.value)
                elif (name := argument.name.text) in found.named:
                    found.wrong = True
                    _report_twice(reporter, name, head.text, argument.span, found.named[name].span)
                else:
                    found.named[name] = argument
            return found
        case _:
            return None


def _report_twice(reporter: Reporter, name: str, owner: str, again: Span, first: Span) -> None:
    reporter.report(
        codes.SETTING_TWICE,
        f"`{name}` stands twice in `{owner}`",
        again,
        "again here",
        also=(Mark(first, "first here"),),
        help="take one of them out",
    )


def report_unknown(reporter: Reporter, what: str, expr: ast.Expr, known: Sequence[str]) -> None:
    """Report an unknown word."""
    head = expr.target.head if isinstance(expr, ast.Call) else expr.head if isinstance(expr, ast.Path) else None
    written = head.text if head else unparse(expr)
    reporter.report(
        codes.UNKNOWN_WORD,
        f"`{written}` is no {what}",
        head.span if head else expr.span,
        "not known here",
        help=suggestion(written, list(known)),
        fix=head and replacement(written, list(known), head.span),
    )


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
                        _report_twice(reporter, head.text, name.text, head.span, first.target.span)
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

    def expression(self, word: str, *, own: bool = False) -> ast.Expr | None:
        """What a line says, of this block or, unless it has to be its own, of the one around it."""
        self.known.append(word)
        if word in self.lines:
            return self.lines[word].value
        return self.outer.expression(word) if self.outer and not own else None

    def missing(self, word: str, example: str) -> None:
        self.wrong = True
        self.reporter.add_at(
            codes.SETTING_MISSING,
            f"the {self.what} `{self.owner}` has no `{word}`",
            self.span,
            "needs it",
            help=f"write {example}",
        )

    def contradiction(self, message: str, span: Span, here: str, *, help: str, also: tuple[Mark, ...] = ()) -> None:
        """Two lines that do not go together."""
        self.wrong = True
        self.reporter.report(codes.CONTRADICTION, message, span, here, also=also, help=help)

    def finish(self, elsewhere: Sequence[str] = ()) -> None:
        """Report unused lines; `elsewhere` are settings that stand in another kind of block."""
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
