"""The cost of a term: a row of a table, or what the rules of the primitives count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import prod

from archdsl.cost.estimate import seconds_of
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.kernel import Step
from archdsl.cost.tables import Table
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES


def macs(term: Term) -> float:
    """Multiply-adds, as `figures` counts them."""
    return sum(
        _number(PRIMITIVES[step.payload.primitive].macs(read, gives, step.payload.attribute))
        for step, read, gives in _steps(term)
    )


def params(term: Term) -> float:
    """Trained parameters, as `figures` counts them."""
    return sum(
        prod(_number(length) for length in weight.shape)
        for step, read, _ in _steps(term)
        for weight in PRIMITIVES[step.payload.primitive].weights(read, step.payload.attribute)
        if weight.trained
    )


def seconds(table: Table, work: Work) -> Callable[[Term], float]:
    """The time of each term by a table, with its factor. Raises MissingRows: what has no row is never free."""
    found = seconds_of(table, (term.row for term in work.terms))
    return lambda term: found[term.row]


def _steps(term: Term) -> Iterator[tuple[Step, list[Shape], Shape]]:
    shapes: list[Shape] = list(term.kernel.inputs)
    for step in term.kernel.steps:
        read = [shapes[source] for source in step.reads]
        shapes.append(PRIMITIVES[step.payload.primitive].shape(read, step.payload.attribute))
        yield step, read, shapes[-1]


def _number(count: object) -> int:
    assert isinstance(count, int)
    return count
