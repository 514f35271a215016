"""Optimizers: `weights = sgd(lr = …, batch = 16)`, `arch = adam(lr = …)`."""

from __future__ import annotations

from archdsl.sema import codes
from archdsl.sema.reporter import Reporter
from archdsl.sema.settings.forms import Form, Make, Read, one_of
from archdsl.sema.settings.schedules import learning_rate
from archdsl.sema.settings.values import flag, number, whole
from archdsl.settings.optimizers import Adam, Optimizer, Sgd, WeightStep
from archdsl.settings.schedules import Constant
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell

_DECAY = number(0)
_MOMENTUM = number(0, below=1)


def _sgd(form: Form) -> Sgd:
    return Sgd(
        form.need("lr", learning_rate, Constant(1.0), first=True),
        form.take("momentum", _MOMENTUM, 0.0),
        form.take("nesterov", flag, False),
        form.take("weight_decay", _DECAY, 0.0),
    )


def _adam(form: Form, *, decoupled: bool = False) -> Adam:
    return Adam(
        form.need("lr", learning_rate, Constant(1.0), first=True),
        form.take("betas", _betas, (0.9, 0.999)),
        form.take("eps", number(above=0), 1e-8),
        form.take("weight_decay", _DECAY, 0.0),
        decoupled,
    )


def _betas(reporter: Reporter, expr: ast.Expr) -> tuple[float, float] | None:
    match expr:
        case ast.Tuple(items=(first, second)):
            low, high = _MOMENTUM(reporter, first), _MOMENTUM(reporter, second)
            return None if low is None or high is None else (low, high)
        case _:
            reporter.report(
                codes.NOT_A_VALUE,
                f"`{spell(expr)}` is no pair of numbers",
                expr.span,
                "two are needed",
                help="write `betas = (0.5, 0.999)`",
            )
            return None


OPTIMIZERS: dict[str, Make[Optimizer]] = {
    "sgd": _sgd,
    "adam": _adam,
    "adamw": lambda form: _adam(form, decoupled=True),
}


def _stepped(make: Make[Optimizer]) -> Make[WeightStep]:
    def step(form: Form) -> WeightStep:
        optimizer = make(form)
        batch = form.need("batch", whole(1, 1_000_000), 1)
        return WeightStep(optimizer, batch, form.take("clip", number(above=0), None))

    return step


optimizer: Read[Optimizer] = one_of("optimizer", OPTIMIZERS)
"""Of the logits of answers; they are stepped with the batch of the weights."""
weight_step: Read[WeightStep] = one_of("optimizer", {name: _stepped(make) for name, make in OPTIMIZERS.items()})
