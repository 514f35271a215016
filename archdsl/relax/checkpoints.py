"""Activation checkpointing (Chen, Xu, Zhang, Guestrin, 2016): which cells compute their maps again for the gradient.

Of such a cell the maps that it reads are kept, and its own are there only while its gradient is computed.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from archdsl.ir.scopes import scope_tree
from archdsl.relax.estimate import Backward, Estimate, estimate, widest
from archdsl.relax.lower import Relaxer
from archdsl.relax.plan import Plan, nodes_of, nodes_within, planned, sources_of
from archdsl.relax.relaxed import RelaxedGraph
from archdsl.space import FrameKind, Program


class NotEnoughMemory(Exception):
    """A budget that a step does not fit in, though every cell computes its maps again."""

    def __init__(self, found: Estimate, budget_bytes: int, least_bytes: int) -> None:
        images = "x".join(map(str, (found.batch, *found.image)))
        fixed = found.step_bytes - found.weights.maps_bytes
        super().__init__(
            f"a step on images {images} takes {_megabytes(least_bytes)} at least, and {_megabytes(budget_bytes)} are "
            f"allowed: weights, gradients and momenta are {_megabytes(fixed)} of it; allow that much, or take fewer or "
            "smaller images"
        )
        self.least_bytes = least_bytes


def _megabytes(size: int) -> str:
    return f"{-(-size // 10**5) / 10:,.1f} MB"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a step that trains weights may hold, without what layers need to work in."""

    size_bytes: int
    batch: int
    """Images of a step."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Cells that compute their maps again, and what that does to a step."""

    cells: tuple[str, ...]
    """Their paths, in the order in which they are run."""
    of: int
    """How many cells there are."""
    maps_bytes: int
    """Maps that are held at most at one time of the backward pass."""
    again_macs: int
    """Multiply-adds of a step that come on top."""


def checkpoints(relaxer: Relaxer, budget: Budget) -> Checkpoints:
    """The cells for a step with every question mixed and each width at its largest.

    Raises NotEnoughMemory, NotRelaxable.
    """
    found = estimate(relaxer, batch=budget.batch)
    return fitted(planned(relaxer.lower(widest(relaxer))), found, budget.size_bytes)


def fitted(plan: Plan, found: Estimate, budget_bytes: int) -> Checkpoints:
    """The cells with which the step of an estimate takes so many bytes. Raises NotEnoughMemory.

    Cells are taken in the order of what they cost for what they save, until it is enough, and those left out again that
    it would be enough without.
    """
    fixed = found.step_bytes - found.weights.maps_bytes
    maps = _Maps(plan, found.batch)
    chosen: set[str] = set()
    least = maps.peak(chosen)
    waiting = iter(maps.by_price())
    while fixed + least > budget_bytes:
        cell = next(waiting, None)
        if cell is None:
            raise NotEnoughMemory(found, budget_bytes, fixed + least)
        chosen.add(cell)
        least = min(least, maps.peak(chosen))
    for cell in sorted(chosen, key=maps.macs.__getitem__, reverse=True):
        if fixed + maps.peak(chosen - {cell}) <= budget_bytes:
            chosen.remove(cell)
    cells = tuple(cell for cell in maps.macs if cell in chosen)
    return Checkpoints(cells, len(maps.macs), maps.peak(chosen), sum(maps.macs[cell] for cell in cells))


def checkpointed(plan: Plan, cells: Collection[str]) -> Plan:
    """The plan with these cells computed again, the steps of a cell in a row where what they read allows it."""
    if not cells:
        return plan
    runs = list(_runs(plan))
    steps = tuple(plan.steps[position] for _, run in runs for position in run)
    recomputed: list[range] = []
    start = 0
    for cell, run in runs:
        if cell in cells:
            recomputed.append(range(start, start + len(run)))
        start += len(run)
    return replace(plan, steps=steps, recomputed=tuple(recomputed))


def _runs(plan: Plan) -> Iterator[tuple[str | None, list[int]]]:
    """Steps of one cell that follow each other, each step by its place in the plan."""
    of_node = _cells(plan.graph)
    cells = [of_node[nodes_of(step)[0]] for step in plan.steps]
    for cell, run in groupby(_in_cells(plan, cells), cells.__getitem__):
        yield cell, list(run)


def _cells(graph: RelaxedGraph) -> Sequence[str | None]:
    """The innermost cell that each node stands in."""
    by_node = _cells_of(graph.program)
    found: list[str | None] = []
    for node in graph.nodes:
        found.append(by_node[node.key.node] if node.key is not None else found[node.inputs[0]])
    return found


def _cells_of(program: Program) -> Sequence[str | None]:
    tree = scope_tree([node.location for node in program.nodes])
    scopes = (tree.innermost(node.path, FrameKind.CELL) for node in program.nodes)
    return [scope.path if scope is not None else None for scope in scopes]


def _in_cells(plan: Plan, cells: Sequence[str | None]) -> Iterator[int]:
    """An order of the steps that leaves a cell as seldom as it can: first what the cell that ends first waits for."""
    last = {cell: position for position, cell in enumerate(cells)}
    writer = {node: position for position, step in enumerate(plan.steps) for node in nodes_of(step)}
    readers: defaultdict[int, list[int]] = defaultdict(list)
    missing: list[int] = []
    for position, step in enumerate(plan.steps):
        sources = {writer[source] for source in sources_of(step, plan.graph) if source in writer}
        missing.append(len(sources))
        for source in sources:
            readers[source].append(position)

    def place(position: int) -> tuple[int, int]:
        cell = cells[position]
        return (position if cell is None else last[cell]), position

    ready = [place(position) for position, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    while ready:
        _, position = heapq.heappop(ready)
        yield position
        for reader in readers[position]:
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, place(reader))


@dataclass(frozen=True, slots=True)
class _Run:
    """Steps of one cell in a row: which maps they read and keep, by the numbers of nodes; indices by negative ones."""

    cell: str | None
    read: frozenset[int]
    kept: frozenset[int]


class _Maps:
    """The maps of a step that trains weights."""

    def __init__(self, plan: Plan, batch: int) -> None:
        self._backward = Backward(plan, trains_weights=True)
        self._batch = batch
        self._same = self._backward.same_memory()
        self._sizes: dict[int, int] = {}
        self._runs: list[_Run] = []
        self.macs: dict[str, int] = {}
        """What each cell costs to be computed again."""
        for cell, positions in _runs(plan):
            self._runs.append(self._run(plan, cell, positions))
            if cell is not None:
                again = sum(self._backward.forward_macs(plan.steps[position]) for position in positions)
                self.macs[cell] = self.macs.get(cell, 0) + batch * again

    def _run(self, plan: Plan, cell: str | None, positions: Sequence[int]) -> _Run:
        steps = [plan.steps[position] for position in positions]
        written = {node for step in steps for node in nodes_of(step)}
        read = {self._same[node] for step in steps for node in sources_of(step, plan.graph) if node not in written}
        kept = {self._same[node] for step in steps for node in self._backward.kept(step)}
        for node in (*read, *kept):
            self._sizes[node] = self._batch * self._backward.map_bytes(node)
        for node in (node for step in steps for node in nodes_within(step)):
            indices = self._backward.indices_bytes(node)
            if indices:
                self._sizes[-1 - node] = self._batch * indices
                kept.add(-1 - node)
        return _Run(cell, frozenset(read), frozenset(kept))

    def peak(self, again: Collection[str]) -> int:
        """Bytes that are held at most, where these cells are computed again.

        The backward pass goes from the last run to the first; what a run has kept is held until it is done.
        """
        held: set[int] = set()
        size = most = 0
        for run in self._runs:
            new = (run.read if run.cell in again else run.kept) - held
            held |= new
            size += self._size(new)
            most = max(most, size + (self._size(run.kept - held) if run.cell in again else 0))
        return most

    def by_price(self) -> Sequence[str]:
        """The cells that save memory, the one that costs least for what it saves first."""
        keepers: defaultdict[int, set[str | None]] = defaultdict(set)
        for run in self._runs:
            for node in run.kept:
                keepers[node].add(run.cell)
        saved: Mapping[str, int] = {
            cell: self._saved([run for run in self._runs if run.cell == cell], keepers) for cell in self.macs
        }
        useful = [cell for cell, size in saved.items() if size > 0]
        return sorted(useful, key=lambda cell: self.macs[cell] / saved[cell])

    def _saved(self, runs: Sequence[_Run], keepers: Mapping[int, Collection[str | None]]) -> int:
        alone = {node for run in runs for node in run.kept if len(keepers[node]) == 1}
        read = {node for run in runs for node in run.read}
        return self._size(alone - read) - self._size({node for node in read if node not in keepers})

    def _size(self, nodes: Collection[int]) -> int:
        return sum(self._sizes[node] for node in nodes)
