"""AST construction: one function for each rule of the grammar that makes a node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

from archdsl.diagnostics import Diagnostic, Label
from archdsl.syntax import ast, codes
from archdsl.syntax.tokens import Token
from archdsl.text import SourceFile, Span

MAX_DIGITS: Final = 600
"""Digits of a number: below the smallest limit that Python can be set to (640)."""


def digits_of(number: str) -> int:
    """How many digits a number (`12`, `0.5`, `1e9`) has written out, or more than `MAX_DIGITS`. Nothing is computed."""
    mantissa, _, exponent = number.lower().partition("e")
    magnitude = exponent.lstrip("+-0_").replace("_", "")
    if len(magnitude) > len(str(MAX_DIGITS)):
        return MAX_DIGITS + 1
    return len(mantissa) + (int(magnitude) if magnitude.isdecimal() else 0)


Children = Sequence[Any]
Maker = Callable[[Span, Children], Any]


class Builder:
    """Makes the nodes of one file. Children are nodes, tokens, lists of nodes, or None for what was left out."""

    def __init__(self, source: SourceFile, respelled: dict[int, str]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._text = source.text
        self._respelled = respelled
        self.makers: dict[str, Maker] = {
            "file": self._file,
            "version": self._number,
            "use": self._use,
            "op_pipe": lambda span, kids: ast.Op(span, self._name(kids[0]), kids[1], pipe=tuple(kids[2:])),
            "op_graph": lambda span, kids: ast.Op(span, self._name(kids[0]), kids[1], body=kids[2]),
            "ops": lambda span, kids: ast.Ops(span, self._name(kids[0]), kids[1] or (), kids[2]),
            "cell": self._cell,
            "space": lambda span, kids: ast.Space(span, self._name(kids[0]), kids[1], kids[2]),
            "cost": lambda span, kids: ast.Cost(span, self._name(kids[0]), kids[1]),
            "search": lambda span, kids: ast.Search(span, self._name(kids[0]), kids[1] or (), *kids[2:]),
            "train": lambda span, kids: ast.Train(span, self._name(kids[0]), kids[1], kids[2]),
            "genotype": lambda span, kids: ast.Genotype(span, self._name(kids[0]), kids[1], kids[2]),
            "parameters": lambda span, kids: tuple(kids),
            "parameter": lambda span, kids: ast.Parameter(span, self._name(kids[0]), kids[1]),
            "block": lambda span, kids: tuple(kids),
            "input": lambda span, kids: ast.Input(span, tuple(kids)),
            "port": lambda span, kids: ast.Port(span, self._name(kids[0]), tuple(kids[1:-1]), self._size(kids[-1])),
            "output": self._output,
            "choose": lambda span, kids: ast.Choose(span, self._name(kids[0]), kids[1], self._maybe(kids[2])),
            "branches": self._branches,
            "start": lambda span, kids: ast.Start(span, tuple(index.value for index in kids[:-1]), kids[-1]),
            "assign": lambda span, kids: ast.Assign(span, kids[0], kids[1]),
            "structure": lambda span, kids: ast.Structure(span, kids[0], self._name(kids[1]), kids[2], kids[3]),
            "place": self._place,
            "phase": lambda span, kids: ast.Phase(span, self._name(kids[0]), kids[1]),
            "answer": lambda span, kids: ast.Answer(span, kids[0], kids[1]),
            "scales": lambda span, kids: ast.Scales(span, tuple(kids)),
            "scale": lambda span, kids: ast.Scale(span, self._name(kids[0]), tuple(kids[1:])),
            "target": lambda span, kids: ast.Target(span, kids[0], self._maybe(kids[1]), self._maybe(kids[2])),
            "tuple": lambda span, kids: ast.Tuple(span, tuple(kids)),
            "compare": lambda span, kids: ast.Compare(span, self._spelling(kids[1]), kids[0], kids[2]),
            "add": lambda span, kids: ast.Add(span, self._chain("+", kids)),
            "flow": lambda span, kids: ast.Pipe(span, kids[0], tuple(kids[1:])),
            "multiply": lambda span, kids: ast.Multiply(span, self._chain("*", kids)),
            "negate": lambda span, kids: ast.Negate(span, kids[1]),
            "raised": lambda span, kids: ast.Power(span, kids[0], kids[1]),
            "range": lambda span, kids: ast.Range(span, kids[0], kids[1]),
            "set": lambda span, kids: ast.Set(span, tuple(kids)),
            "case": lambda span, kids: ast.Case(span, kids[0], tuple(kids[1:])),
            "arm": lambda span, kids: ast.When(span, kids[0], kids[1]),
            "otherwise": lambda span, kids: ast.When(span, None, kids[0]),
            "call": lambda span, kids: ast.Call(span, kids[0], kids[1]),
            "arguments": lambda span, kids: tuple(kids),
            "named": lambda span, kids: ast.Argument(span, kids[1], name=self._name(kids[0])),
            "shared": self._shared,
            "positional": lambda span, kids: ast.Argument(span, kids[0], within=kids[1]),
            "comprehension": self._comprehension,
            "path": lambda span, kids: ast.Path(span, self._name(kids[0]), tuple(kids[1:])),
            "index": lambda span, kids: ast.Index(span, kids[0]),
            "attribute": lambda span, kids: ast.Attribute(span, self._spelling(kids[0])),
            "number": self._number,
            "shape": lambda span, kids: self._shape(span, kids[0]),
            "string": lambda span, kids: self._string(kids[0]),
        }

    def _spelling(self, token: Token) -> str:
        if self._respelled and token.start < token.stop:
            return self._respelled.get(token.start) or self._text[token.start : token.stop]
        return self._text[token.start : token.stop]

    def _span(self, token: Token) -> Span:
        return Span(self._source, token.start, token.stop)

    def _name(self, token: Token) -> ast.Name:
        return ast.Name(self._span(token), self._spelling(token))

    def _maybe(self, token: Token | None) -> ast.Name | None:
        return None if token is None else self._name(token)

    def _chain(self, first: str, kids: Children) -> tuple[tuple[str, ast.Expr], ...]:
        signs = [first, *(self._spelling(sign) for sign in kids[1::2])]
        return tuple(zip(signs, kids[::2], strict=True))

    def _file(self, span: Span, kids: Children) -> ast.File:
        return ast.File(Span(self._source, 0, len(self._text)), kids[0], tuple(kids[1:]))

    def _use(self, span: Span, kids: Children) -> ast.Use:
        source = self._string(kids[0]) if kids[0].kind == "STRING" else self._name(kids[0])
        return ast.Use(span, source, self._maybe(kids[1]))

    def _cell(self, span: Span, kids: Children) -> ast.Cell:
        name, parameters, stride, body = kids
        number = None if stride is None else self._number(self._span(stride), (stride,))
        return ast.Cell(span, self._name(name), parameters, body, number)

    def _output(self, span: Span, kids: Children) -> ast.Output:
        auxiliary, name, value = kids
        return ast.Output(span, value, self._maybe(name), auxiliary is not None)

    def _branches(self, span: Span, kids: Children) -> ast.Branches:
        return ast.Branches(span, tuple(self._name(token) for token in kids[:-1]), kids[-1])

    def _place(self, span: Span, kids: Children) -> ast.Place:
        each, cell, tag, arguments, repeat = kids
        return ast.Place(span, cell, arguments, each is not None, self._maybe(tag), repeat)

    def _shared(self, span: Span, kids: Children) -> ast.Argument:
        name, tag = kids
        value = ast.Tag(self._span(tag), self._name(tag) if tag.kind == "NAME" else None)
        return ast.Argument(span, value, name=self._name(name))

    def _comprehension(self, span: Span, kids: Children) -> ast.Argument:
        value, bound, over = kids
        return ast.Argument(span, value, bound=self._name(bound), over=over)

    def _string(self, token: Token) -> ast.String:
        return ast.String(self._span(token), self._spelling(token)[1:-1])

    def _size(self, token: Token | None) -> ast.Shape | None:
        return None if token is None else self._shape(self._span(token), token)

    def _shape(self, span: Span, token: Token) -> ast.Shape:
        text = self._spelling(token)
        if len(text) > MAX_DIGITS:
            self._too_long(span, len(text))
            return ast.Shape(span, ())
        return ast.Shape(span, tuple(map(int, text.split("x"))))

    def _number(self, span: Span, kids: Children) -> ast.Number:
        token = kids[0]
        text = self._spelling(token)
        digits = digits_of(text)
        if digits <= MAX_DIGITS:
            plain = text.replace("_", "")
            return ast.Number(span, int(plain or "0") if token.kind == "INT" else Fraction(plain))
        self._too_long(span, digits)
        return ast.Number(span, 0)

    def _too_long(self, span: Span, digits: int) -> None:
        self.diagnostics.append(
            Diagnostic(
                codes.NUMBER_TOO_LONG,
                f"a number has more than {MAX_DIGITS} digits",
                Label(span, f"more than {digits - 1} digits, written out"),
                help=f"write a number of at most {MAX_DIGITS} digits",
            )
        )
