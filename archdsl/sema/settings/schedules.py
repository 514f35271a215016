"""Schedules: `poly(0.005, power = 0.9)`, `anneal(from = 3.0, to = 0.03)`, or a number that stays."""

from __future__ import annotations

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.forms import Form, Make, Read, in_set, one_of
from archdsl.sema.settings.values import number, whole
from archdsl.settings.schedules import (
    Anneal,
    Constant,
    Cosine,
    Exponential,
    Linear,
    Poly,
    Schedule,
    Steps,
    Warmup,
    reaches_zero,
)
from archdsl.syntax import ast

_NOT_NEGATIVE = number(0)
_POSITIVE = number(above=0)


def _steps(form: Form) -> Steps:
    start = form.need("from", _NOT_NEGATIVE, 1.0, first=True)
    at = form.need("at", in_set(whole()), (1,))
    return Steps(start, tuple(sorted(at)), form.take("by", number(0, 1), 0.1))


def _warmup(form: Form) -> Warmup:
    then = form.need("then", schedule, Constant(1.0), first=True)
    return Warmup(then, form.need("iterations", whole(), 1))


SCHEDULES: dict[str, Make[Schedule]] = {
    "linear": lambda form: Linear(
        form.need("from", _NOT_NEGATIVE, 1.0, first=True), form.need("to", _NOT_NEGATIVE, 1.0)
    ),
    "anneal": lambda form: Anneal(form.need("from", _POSITIVE, 1.0, first=True), form.need("to", _NOT_NEGATIVE, 1.0)),
    "exponential": lambda form: Exponential(
        form.need("from", _NOT_NEGATIVE, 1.0, first=True), form.need("each_epoch", number(0, 1), 1.0)
    ),
    "cosine": lambda form: Cosine(
        form.need("from", _NOT_NEGATIVE, 1.0, first=True), form.take("to", _NOT_NEGATIVE, 0.0)
    ),
    "poly": lambda form: Poly(form.need("from", _NOT_NEGATIVE, 1.0, first=True), form.take("power", _POSITIVE, 0.9)),
    "steps": _steps,
    "warmup": _warmup,
}
_named: Read[Schedule] = one_of("schedule", SCHEDULES)


def schedule(reporter: Reporter, expr: ast.Expr) -> Schedule | None:
    """A value that may change; never below zero."""
    if not isinstance(expr, ast.Path | ast.Call):
        value = _NOT_NEGATIVE(reporter, expr)
        return None if value is None else Constant(value)
    return _named(reporter, expr)


def temperature(reporter: Reporter, expr: ast.Expr) -> Schedule | None:
    """A schedule that stays above zero: logits are divided by it."""
    value = schedule(reporter, expr)
    if value is not None and reaches_zero(value):
        reporter.report(
            codes.TEMPERATURE_ZERO,
            "the temperature reaches zero",
            expr.span,
            "logits would be divided by zero",
            help="end above zero: `anneal(from = 3.0, to = 0.03)`",
        )
        return None
    return value


def learning_rate(reporter: Reporter, expr: ast.Expr) -> Schedule | None:
    """A schedule that does not begin at zero, but for a warmup."""
    value = schedule(reporter, expr)
    start = value.value if isinstance(value, Constant) else 1.0 if isinstance(value, Warmup | None) else value.start
    if start == 0:
        reporter.report(codes.OUT_OF_RANGE, "a learning rate of zero learns nothing", expr.span, "above 0")
        return None
    return value
