"""Objectives: `loss + 0.01 * log(latency(over = {h1, h2}))`, `accuracy * (latency / 8.3) ^ -0.07`."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter, suggestion
from archdsl.sema.settings.calls import Arguments, arguments_of
from archdsl.sema.settings.costs import find_cost
from archdsl.sema.settings.numbers import number
from archdsl.sema.settings.subject import Subject
from archdsl.settings.costs import Cost, Uniform
from archdsl.settings.objectives import (
    DOUBLED,
    EXPONENT,
    FACTOR,
    KIND_WEIGHT,
    STEP,
    TARGET,
    Accuracy,
    Adaptive,
    CostTerm,
    Hinge,
    Log,
    LossTerm,
    Objective,
    Power,
    Product,
    Sum,
    Target,
    Value,
    terms,
)
from archdsl.settings.relaxations import RELAXED
from archdsl.settings.schema import Number
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse


@dataclass(frozen=True, slots=True)
class Objectives:
    """Reads expressions over one subject, which are about `loss` or about `accuracy`."""

    file: Unit
    subject: Subject
    reporter: Reporter
    about: str

    def read(self, expr: ast.Expr) -> Objective | None:
        value = self._expression(expr)
        if value is None:
            return None
        kind = LossTerm if self.about == "loss" else Accuracy
        if not any(isinstance(term, kind) for term in terms(value)):
            help = "write `loss + …`" if self.about == "loss" else "write `accuracy * …`"
            return self._refuse(f"this leaves out `{self.about}`", expr, "only costs", help)
        return value

    def _expression(self, expr: ast.Expr) -> Objective | None:
        match expr:
            case ast.Path(head=ast.Name(text="loss"), parts=()) if self.about == "loss":
                return LossTerm()
            case ast.Path(head=ast.Name(text="accuracy"), parts=()) if self.about == "accuracy":
                return Accuracy()
            case ast.Path(head=ast.Name(text="loss" | "accuracy" as other), parts=()):
                return self._refuse(f"`{other}` has no meaning here", expr, f"this is about `{self.about}`")
            case ast.Path():
                return self._cost(expr)
            case ast.Call():
                return self._call(expr)
            case ast.Add(terms=parts):
                found = self._parts(parts, "+")
                return None if found is None else Sum(found)
            case ast.Multiply(factors=parts):
                found = self._parts(parts, "*")
                return None if found is None else Product(found)
            case ast.Negate(value=inner):
                value = self._expression(inner)
                return None if value is None else Sum(((-1, value),))
            case ast.Power(base=base, exponent=exponent):
                value, by = self._expression(base), number(self.reporter, EXPONENT, exponent)
                return None if value is None or by is None else Power(value, by)
            case _:
                value = number(self.reporter, FACTOR, expr)
                return None if value is None else Value(value)

    def _parts(self, parts: tuple[tuple[str, ast.Expr], ...], plus: str) -> tuple[tuple[int, Objective], ...] | None:
        """Terms or factors with their signs; None where one of them is wrong."""
        found = [(1 if sign == plus else -1, self._expression(part)) for sign, part in parts]
        known = tuple((sign, part) for sign, part in found if part is not None)
        return known if len(known) == len(found) else None

    def _call(self, expr: ast.Call) -> Objective | None:
        arguments = arguments_of(self.reporter, expr)
        match arguments.name if arguments else None:
            case "log" if arguments:
                inner = self._inner(arguments)
                return None if not self._finished(arguments) or inner is None else Log(inner)
            case "target" | "hinge" as form if arguments:
                inner, at = self._inner(arguments), self._number(arguments, "at", TARGET, bare=True)
                if not self._finished(arguments) or inner is None or at is None:
                    return None
                return Target(inner, at) if form == "target" else Hinge(inner, at)
            case "weighted" if arguments:
                return self._weighted(arguments)
            case "adaptive" if arguments:
                return self._adaptive(arguments)
            case "loss" | "accuracy" as name:
                return self._refuse(f"`{name}` takes nothing", expr, f"write `{name}` alone")
            case _:
                return self._cost(expr.target, expr)

    def _inner(self, arguments: Arguments, word: str = "of") -> Objective | None:
        """The argument that a form is made of."""
        expr = arguments.take(word, bare=True)
        if expr is None:
            arguments.missing(word, bare=True)
        return None if expr is None else self._expression(expr)

    def _number(self, arguments: Arguments, word: str, of: Number, *, bare: bool = False) -> float | None:
        expr = arguments.take(word, bare=bare)
        if expr is None:
            arguments.missing(word, bare=False)
            return None
        value = number(self.reporter, of, expr)
        arguments.wrong = arguments.wrong or value is None
        return value

    def _finished(self, arguments: Arguments) -> bool:
        """Whether nothing is wrong with a call whose arguments have all been taken."""
        arguments.finish()
        return not arguments.wrong

    def _adaptive(self, arguments: Arguments) -> Adaptive | None:
        """`adaptive(latency, least = 5.7, most = 6.5)`."""
        inner = self._inner(arguments, "cost")
        least, most = (self._number(arguments, word, TARGET) for word in ("least", "most"))
        factor = self._number(arguments, "factor", STEP) if "factor" in arguments.named else DOUBLED
        arguments.known.append("factor")
        if not self._finished(arguments) or inner is None or least is None or most is None or factor is None:
            return None
        if self.about != "loss":
            return self._refuse("`adaptive` has no meaning here", arguments.expr, "derived networks are weighed alike")
        if not isinstance(inner, CostTerm):
            return self._refuse("only a cost can be adaptive", arguments.expr, "no cost in it")
        if least > most:
            return self._refuse(f"`least` is above `most`: {least:g} and {most:g}", arguments.expr, "no cost fits")
        return Adaptive(inner, least, most, factor)

    def _weighted(self, arguments: Arguments) -> CostTerm | None:
        """`weighted(latency, operator = 0.001, source = 0.997, width = 0.002)`."""
        inner = self._inner(arguments, "cost")
        kinds = [kind for kind in self.subject.kinds_of_all if kind in RELAXED]
        weights = tuple((kind, self._number(arguments, str(kind), KIND_WEIGHT) or 0.0) for kind in kinds)
        if not self._finished(arguments) or inner is None:
            return None
        if not isinstance(inner, CostTerm):
            return self._refuse("only a cost can be weighted by kinds of answers", arguments.expr, "no cost in it")
        if not any(weight for _, weight in weights):
            return self._refuse(
                f"`weighted` gives no weight to `{inner.cost.name}`",
                arguments.expr,
                "it would count for nothing",
                "write a weight for each kind of answer: `weighted(latency, operator = 0.001, source = 0.997)`",
            )
        return CostTerm(inner.cost, inner.over, weights)

    def _cost(self, path: ast.Path, expr: ast.Call | None = None) -> CostTerm | None:
        cost = find_cost(self.file, self.reporter, path)
        if cost is None:
            return None
        if expr is None:
            return CostTerm(cost)
        arguments = arguments_of(self.reporter, expr)
        if arguments is None:
            message = f"`{unparse(expr)}` is no cost"
            return self.reporter.report(codes.NOT_A_VALUE, message, expr.span, "a cost is needed")
        parts = arguments.take("over")
        items = parts.items if isinstance(parts, ast.Set) else () if parts is None else (parts,)
        over = [self.subject.part(self.reporter, each) for each in items]
        arguments.finish()
        known = tuple(each for each in over if each is not None)
        return None if arguments.wrong or len(known) < len(over) else CostTerm(cost, known)

    def _refuse(self, message: str, expr: ast.Expr, here: str, help: str | None = None) -> None:
        self.reporter.report(codes.OBJECTIVE, message, expr.span, here, help=help)


def check_uniform(cost: Cost, subject: Subject, reporter: Reporter, expr: ast.Expr) -> None:
    """`relative_to` has to be an op that the space offers: without it on every edge there is no difference to take."""
    relative = cost.measure.relative_to if isinstance(cost.measure, Uniform) else None
    if relative is not None and relative not in subject.operators:
        reporter.report(
            codes.NOT_IN_SPACE,
            f"`{cost.name}` is relative to `{relative}`, which `{subject.program.name}` does not offer",
            expr.span,
            "measured against it",
            help=suggestion(relative, list(subject.operators)),
        )
