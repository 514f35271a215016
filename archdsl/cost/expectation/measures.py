"""The cost of a term: a row of a table, or what the rules of the primitives count."""

from __future__ import annotations

from collections.abc import Callable

from archdsl.cost import kernel
from archdsl.cost.estimate import seconds_of
from archdsl.cost.expectation.work import Term, Work
from archdsl.cost.tables import Table


def macs(term: Term) -> float:
    """Multiply-adds, as `figures` counts them."""
    return 0 if term.again else kernel.macs(term.kernel)


def activations(term: Term) -> float:
    """The numbers that primitives write, as `figures` counts them."""
    return 0 if term.again else kernel.activations(term.kernel)


def params(term: Term) -> float:
    """Trained parameters, as `figures` counts them."""
    return kernel.params(term.kernel)


def seconds(table: Table, work: Work) -> Callable[[Term], float]:
    """The time of each term by a table, with its factor. Raises MissingRows: what has no row is never free.

    Raises ValueError where the work is that of a runtime with other passes.
    """
    if work.passes != table.passes:
        raise ValueError(f"the table is of a runtime with {table.passes}, and the work of one with {work.passes}")
    found = seconds_of(table, (term.row for term in work.terms))
    return lambda term: found[term.row]
