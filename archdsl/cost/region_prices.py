"""What the nodes of a region cost: by rules of the primitives, or by the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TypeAlias

from archdsl.cost.estimate import MissingRows
from archdsl.cost.expectation.diagrams import TooLarge
from archdsl.cost.graph_passes import AS_WRITTEN
from archdsl.cost.kernel import Kernel, kernel_of
from archdsl.cost.rows import Row, alone, call_of
from archdsl.cost.tables import Table
from archdsl.ops import Shape
from archdsl.ops.primitives import PRIMITIVES
from archdsl.space import Apply, Program
from archdsl.space.concrete import Computed
from archdsl.space.values import values_read
from archdsl.space.walk import Key

Steps: TypeAlias = "Mapping[Key, Computed]"
"""The nodes of a region that lead to its map."""
ShapeOf: TypeAlias = "Callable[[Key], Shape]"
"""The shape of each map that they read or write."""


class KernelPrices:
    """Figures that are sums over primitives, each a kernel of its own."""

    def __init__(self, figures: Sequence[Callable[[Kernel], float]]) -> None:
        self.of_ops = False
        self.count = len(figures)
        self._figures = figures
        self._known: dict[Hashable, tuple[float, ...]] = {}

    def of(self, steps: Steps, shape: ShapeOf, end: Key | None) -> tuple[float, ...]:
        found = [self._primitive(step, shape) for step in steps.values() if isinstance(step.payload, Apply)]
        return tuple(map(sum, zip(*found, strict=True))) if found else (0.0,) * self.count

    def _primitive(self, step: Computed, shape: ShapeOf) -> tuple[float, ...]:
        reads = tuple(map(shape, step.inputs))
        if (step.payload, reads) not in self._known:
            assert isinstance(step.payload, Apply)
            kernel = alone(step.payload, reads, step.shape)
            assert kernel is not None
            self._known[step.payload, reads] = tuple(float(figure(kernel)) for figure in self._figures)
        return self._known[step.payload, reads]


class TablePrices:
    """Seconds by a table: of ops as wholes, and of primitives outside of ops."""

    def __init__(self, program: Program, table: Table) -> None:
        self.of_ops = True
        self.count = 1
        self.program = program
        self.table = table
        self.missing: dict[Row, None] = {}
        """Rows that were looked for and are not in the table; some may be needed by no genotype."""

    def of(self, steps: Steps, shape: ShapeOf, end: Key | None) -> tuple[float, ...] | None:
        """None where a row is missing. Raises TooLarge where passes of the runtime leave out some of the nodes."""
        if self.table.passes != AS_WRITTEN and end is not None and not _all_run(steps, end):
            raise TooLarge
        total = 0.0
        for row in self._rows(steps, shape, end):
            seconds = self.table.seconds(row)
            if seconds is None:
                self.missing[row] = None
                return None
            total += seconds * self.table.factor
        return (total,)

    def require(self, rows: Sequence[Row]) -> None:
        """Raises MissingRows where one of these was looked for and is missing."""
        missing = [row for row in self.missing if row in set(rows)]
        if missing:
            raise MissingRows(self.table, missing, len(rows))

    def _rows(self, steps: Steps, shape: ShapeOf, end: Key | None) -> list[Row]:
        calls = {key: call_of(self.program.nodes[key.node].frames) or key for key in steps}
        pieces: dict[object, list[Key]] = {}
        roots: dict[object, list[Key]] = {}
        for key, step in steps.items():
            if isinstance(step.payload, Apply):
                pieces.setdefault(calls[key], []).append(key)
        read_outside = {
            source for key, step in steps.items() for source in step.inputs if calls.get(source) != calls[key]
        }
        for call, keys in pieces.items():
            roots[call] = sorted(key for key in keys if key == end or key in read_outside)
        return [self._row(steps, shape, keys, roots[call]) for call, keys in pieces.items()]

    def _row(self, steps: Steps, shape: ShapeOf, keys: Sequence[Key], roots: Sequence[Key]) -> Row:
        applied: dict[Key, tuple[Apply, Sequence[Key]]] = {}
        for key in keys:
            payload = steps[key].payload
            assert isinstance(payload, Apply)
            applied[key] = payload, steps[key].inputs
        call = call_of(self.program.nodes[roots[-1].node].frames)
        payload, reads = applied[roots[-1]]
        kernel = kernel_of(roots, applied, shape) if call else alone(payload, list(map(shape, reads)), shape(roots[-1]))
        assert kernel is not None
        return Row.of(call[-1].definition if call else payload.primitive, kernel)


def _all_run(steps: Steps, end: Key) -> bool:
    """Whether of each map that is read values are needed, and none is constant."""
    if any(
        isinstance(step.payload, Apply) and PRIMITIVES[step.payload.primitive].traits.zeros for step in steps.values()
    ):
        return False
    needed, waiting = set[Key](), [end]
    while waiting:
        key = waiting.pop()
        if key not in needed:
            needed.add(key)
            if key in steps:
                waiting.extend(values_read(steps[key].payload, steps[key].inputs))
    return needed >= steps.keys() and all(source in needed for step in steps.values() for source in step.inputs)
