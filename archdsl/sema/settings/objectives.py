"""Objectives: `loss + 0.01 * log(latency(over = {h1, h2}))`, `accuracy * (latency / 8.3) ^ -0.07`."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.sema import codes
from archdsl.sema.modules.load import Unit
from archdsl.sema.reporter import Reporter, suggestion
from archdsl.sema.settings.costs import find_cost
from archdsl.sema.settings.forms import Form, form_of, in_set
from archdsl.sema.settings.subject import Subject
from archdsl.sema.settings.values import exact, number
from archdsl.settings.costs import Cost, Uniform
from archdsl.settings.objectives import (
    Accuracy,
    CostTerm,
    Log,
    LossTerm,
    Objective,
    Power,
    Product,
    Sum,
    Value,
    terms,
)
from archdsl.settings.relaxations import RELAXED
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell


@dataclass(frozen=True, slots=True)
class Objectives:
    """Reads expressions over one subject. `head` is the term that they are about: `loss` or `accuracy`."""

    file: Unit
    subject: Subject
    head: str = "loss"

    def read(self, reporter: Reporter, expr: ast.Expr) -> Objective | None:
        value = self._expression(reporter, expr)
        if value is None:
            return None
        kind = LossTerm if self.head == "loss" else Accuracy
        if not any(isinstance(term, kind) for term in terms(value)):
            reporter.report(
                codes.OBJECTIVE,
                f"this leaves out `{self.head}`",
                expr.span,
                "only costs",
                help=f"write `{self.head} + …`" if self.head == "loss" else "write `accuracy * …`",
            )
            return None
        return value

    def _expression(self, reporter: Reporter, expr: ast.Expr) -> Objective | None:
        match expr:
            case ast.Path(head=ast.Name(text="loss"), parts=()) if self.head == "loss":
                return LossTerm()
            case ast.Path(head=ast.Name(text="accuracy"), parts=()) if self.head == "accuracy":
                return Accuracy()
            case ast.Path(head=ast.Name(text="loss" | "accuracy" as other), parts=()):
                reporter.report(
                    codes.OBJECTIVE, f"`{other}` has no meaning here", expr.span, f"this is about `{self.head}`"
                )
                return None
            case ast.Path():
                return self._cost(reporter, expr)
            case ast.Call():
                return self._call(reporter, expr)
            case ast.Add(terms=parts):
                found = [(1 if sign == "+" else -1, self._expression(reporter, part)) for sign, part in parts]
                known = tuple((sign, part) for sign, part in found if part is not None)
                return Sum(known) if len(known) == len(found) else None
            case ast.Multiply(factors=parts):
                found = [(1 if sign == "*" else -1, self._expression(reporter, part)) for sign, part in parts]
                known = tuple((sign, part) for sign, part in found if part is not None)
                return Product(known) if len(known) == len(found) else None
            case ast.Negate(value=inner):
                value = self._expression(reporter, inner)
                return None if value is None else Sum(((-1, value),))
            case ast.Power(base=base, exponent=exponent):
                value, by = self._expression(reporter, base), number(-100, 100)(reporter, exponent)
                return None if value is None or by is None else Power(value, by)
            case _:
                value = exact(reporter, expr)
                return None if value is None else Value(float(value))

    def _call(self, reporter: Reporter, expr: ast.Call) -> Objective | None:
        form = form_of(reporter, expr)
        if form is None:
            return self._cost(reporter, expr.target, expr)
        match form.name:
            case "log":
                return self._log(form)
            case "weighted":
                return self._weighted(form)
            case "loss" | "accuracy":
                reporter.report(
                    codes.OBJECTIVE, f"`{form.name}` takes nothing", expr.span, f"write `{form.name}` alone"
                )
                return None
            case _:
                return self._cost(reporter, expr.target, expr)

    def _log(self, form: Form) -> Log | None:
        inner = form.need("of", self._expression, Value(1.0), first=True)
        form.finish()
        return None if form.wrong else Log(inner)

    def _weighted(self, form: Form) -> CostTerm | None:
        """`weighted(latency, operator = 0.001, source = 0.997, width = 0.002)`."""
        inner = form.need("cost", self._expression, None, first=True)
        kinds = [kind for kind in self.subject.kinds_of_all if kind in RELAXED]
        weights = tuple((kind, form.need(str(kind), number(0), 0.0)) for kind in kinds)
        form.finish()
        if form.wrong or inner is None:
            return None
        if not isinstance(inner, CostTerm):
            form.reporter.report(
                codes.OBJECTIVE, "only a cost can be weighted by kinds of answers", form.expr.span, "no cost in it"
            )
            return None
        if not any(weight for _, weight in weights):
            form.reporter.report(
                codes.OBJECTIVE,
                f"`weighted` gives no weight to `{inner.cost.name}`",
                form.expr.span,
                "it would count for nothing",
                help="write a weight for each kind of answer: `weighted(latency, operator = 0.001, source = 0.997)`",
            )
            return None
        return CostTerm(inner.cost, inner.over, weights)

    def _cost(self, reporter: Reporter, path: ast.Path, expr: ast.Call | None = None) -> CostTerm | None:
        cost = find_cost(self.file, reporter, path)
        if cost is None:
            return None
        if expr is None:
            return CostTerm(cost)
        form = form_of(reporter, expr)
        if form is None:
            reporter.report(codes.NOT_A_VALUE, f"`{spell(expr)}` is no cost", expr.span, "a cost is needed")
            return None
        over = form.take("over", in_set(self.subject.part), ())
        form.finish()
        return None if form.wrong else CostTerm(cost, over)


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
