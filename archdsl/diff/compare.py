"""The difference of two networks or spaces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import fsum

from archdsl.diff.answer_diff import compare_answers, normal_form
from archdsl.diff.cell_costs import CellCost, cell_costs
from archdsl.diff.cells import Cell, cells, digest, maps_read, ops_of, shared_by
from archdsl.diff.matching import Cells, match, unwired_digest
from archdsl.diff.model import (
    AnswerChange,
    Answers,
    CellChange,
    Change,
    Cost,
    Difference,
    Figures,
    ParameterChange,
    QuestionChange,
    RouteChange,
    Side,
    Totals,
    Weights,
)
from archdsl.diff.routes import route
from archdsl.diff.tensors import compare_tensors
from archdsl.ir import ClosedGraph, Graph
from archdsl.ops.bind import show
from archdsl.space import Apply, Branch, Program, QuestionKind, QuestionPath


def side(
    name: str,
    program: Program,
    answers: Answers,
    graph: Graph,
    figures: Figures | None = None,
    latency: Mapping[str, float] | None = None,
) -> Side:
    """One of two things to compare: its network where it is closed, with its figures, else its open graph."""
    return Side(name, program, normal_form(program, answers), graph, figures, latency)


def diff(before: Side, after: Side) -> Difference:
    """All that differs. Layout, comments and the order of commutative inputs do not count."""
    answers = compare_answers((before.program, before.answers), (after.program, after.answers))
    return Difference(
        before,
        after,
        tuple(_parameters(before.program, after.program)),
        tuple(_questions(before.program, after.program)),
        tuple(_with_channels(change, before, after) for change in answers),
        tuple(_routes(before, after)),
        _Comparison.of(before, after, answers).changes(),
        _totals(before, after),
        _weights(before.graph, after.graph),
    )


def _weights(before: Graph, after: Graph) -> Weights | None:
    if isinstance(before, ClosedGraph) and isinstance(after, ClosedGraph):
        return compare_tensors(before, after)
    return None


def _totals(before: Side, after: Side) -> Totals | None:
    if before.figures is None or after.figures is None:
        return None
    timed = before.latency is not None and after.latency is not None
    return Totals(_total(before, before.figures), _total(after, after.figures), timed)


def _total(one: Side, figures: Figures) -> Cost:
    return Cost(figures.params, figures.macs, figures.activations, fsum((one.latency or {}).values()))


def _parameters(before: Program, after: Program) -> Iterable[ParameterChange]:
    old, new = ({name: show(value) for name, value in each.parameters} for each in (before, after))
    for name in {**new, **old}:
        if old.get(name) != new.get(name):
            yield ParameterChange(name, old.get(name), new.get(name))


def _questions(before: Program, after: Program) -> Iterable[QuestionChange]:
    for path in {**after.questions, **before.questions}:
        old, new = before.questions.get(path), after.questions.get(path)
        kind = (new or before.questions[path]).kind
        was, now = old and old.answers, new and new.answers
        if was != now or kind is not (old or after.questions[path]).kind:
            yield QuestionChange(path, kind, was, now)


def _routes(before: Side, after: Side) -> Iterable[RouteChange]:
    for branch in {**before.program.branches, **after.program.branches}:
        old, new = _spelled_route(before, branch), _spelled_route(after, branch)
        if old != new:
            yield RouteChange(branch, old, new)


def _spelled_route(one: Side, branch: Branch) -> tuple[str, ...]:
    if branch not in one.program.branches:
        return ()
    trellis = one.program.trellises[one.program.branches[branch].trellis]
    return tuple(trellis.spell(place) for place in route(one.program, one.answers, branch))


def _with_channels(change: AnswerChange, before: Side, after: Side) -> AnswerChange:
    """A width is asked where its map enters a place, so the map is what the cell there reads."""
    if change.kind is not QuestionKind.WIDTH:
        return change
    old = _channels(before, change.path) if change.before else None
    return replace(change, channels=(old, _channels(after, change.path) if change.after else None))


def _channels(one: Side, path: QuestionPath) -> str | None:
    scope = path.place
    for cell in cells(one.graph).values():
        if cell.scope == scope and (read := maps_read(one.graph, cell)):
            return str(one.graph.node(read[0]).shape.channels)
    return None


@dataclass(frozen=True)
class _Comparison:
    before: Side
    after: Side
    old: Cells
    new: Cells
    pairs: Mapping[str, str]
    costs: tuple[Mapping[str, CellCost], Mapping[str, CellCost]]

    @classmethod
    def of(cls, before: Side, after: Side, answers: Iterable[AnswerChange]) -> _Comparison:
        changed = {change.path.question for change in answers}
        shared = _shared_places(before.program, after.program)
        old = Cells(before.graph, cells(before.graph), shared)
        new = Cells(after.graph, cells(after.graph), shared)
        costs = (cell_costs(before, old.cells, changed), cell_costs(after, new.cells, changed))
        return cls(before, after, old, new, match(old, new), costs)

    @cached_property
    def old_ports(self) -> Mapping[str, _Port]:
        return _ports(self.old)

    @cached_property
    def new_ports(self) -> Mapping[str, _Port]:
        return _ports(self.new)

    def changes(self) -> tuple[CellChange, ...]:
        """In the order of the later graph, each removed cell after what it stood behind."""
        back = {new: old for old, new in self.pairs.items()}
        found = [
            self.both(self.old.cells[back[path]], cell) if path in back else self.added(cell)
            for path, cell in self.new.cells.items()
        ]
        behind: dict[str | None, list[CellChange]] = {}
        last: str | None = None
        for path, cell in self.old.cells.items():
            if path in self.pairs:
                last = path
            else:
                behind.setdefault(last, []).append(self.removed(cell))
        first = behind.get(None, [])
        return (
            *first,
            *(one for each in found for one in (each, *(behind.get(each.before, []) if each.before else []))),
        )

    def both(self, old: Cell, new: Cell) -> CellChange:
        cost = self.cost(0, old).to(self.cost(1, new))
        change, aspect, detail = Change.SAME, "", ""
        if self.wired_before(old) != self.wired_after(new):
            change = Change.CHANGED
            if unwired_digest(self.before.graph, old) == unwired_digest(self.after.graph, new):
                change, aspect = Change.REWIRED, "inputs"
                detail = f"{', '.join(old.reads)} -> {', '.join(new.reads)}"
            else:
                aspect, detail = _detail(self.before.graph, old, self.after.graph, new)
        return CellChange(change, old.path, new.path, new.scope, aspect, detail, cost.all, cost.picked)

    def added(self, cell: Cell) -> CellChange:
        ops = ops_of(self.after.graph, cell)
        cost = CellCost().to(self.cost(1, cell))
        return CellChange(Change.ADDED, None, cell.path, cell.scope, "ops", ops, cost.all, cost.picked)

    def removed(self, cell: Cell) -> CellChange:
        ops, cost = ops_of(self.before.graph, cell), self.cost(0, cell).to(CellCost())
        return CellChange(Change.REMOVED, cell.path, None, cell.scope, "ops", ops, cost.all, cost.picked)

    def cost(self, one: int, cell: Cell) -> CellCost:
        """Nothing where one side has no figures: a change of cost needs both."""
        return self.costs[one].get(cell.path, CellCost()) if all(self.costs) else CellCost()

    def wired_before(self, cell: Cell) -> str:
        """What a cell computes and from which maps, in the names that cells have after."""
        ports = self.old_ports
        return digest(
            self.before.graph, cell, lambda source: _spell(ports[source], self.pairs.get(ports[source][0], "gone"))
        )

    def wired_after(self, cell: Cell) -> str:
        ports = self.new_ports
        return digest(self.after.graph, cell, lambda source: _spell(ports[source], ports[source][0]))


_Port = tuple[str, int, str]
"""A map that other cells read: its cell, its number among the maps of that cell, its shape."""


def _ports(one: Cells) -> dict[str, _Port]:
    return {
        node: (cell.path, number, str(one.graph.node(node).shape))
        for cell in one.cells.values()
        for number, node in enumerate(cell.outputs)
    }


def _spell(port: _Port, cell: str) -> str:
    return f"{cell}#{port[1]}:{port[2]}"


def _shared_places(before: Program, after: Program) -> frozenset[str]:
    """The places of grids that both programs have under one name."""
    found = [
        {trellis.spell(place) for trellis in program.trellises.values() for place in trellis.sources}
        for program in (before, after)
    ]
    return frozenset(found[0] & found[1])


def _detail(before: Graph, old: Cell, after: Graph, new: Cell) -> tuple[str, str]:
    """What of a cell a reader would look for first: its ops, its maps, what it reads."""
    aspects = {
        "ops": (ops_of(before, old), ops_of(after, new)),
        "map": (_shapes(before, old.outputs), _shapes(after, new.outputs)),
        "inputs": (_shapes(before, maps_read(before, old)), _shapes(after, maps_read(after, new))),
        "weights": (shared_by(before, old), shared_by(after, new)),
    }
    for aspect, (was, now) in aspects.items():
        if was != now:
            return aspect, f"{was} -> {now}"
    return "parameters", _attributes(before, old, after, new)


def _attributes(before: Graph, old: Cell, after: Graph, new: Cell) -> str:
    """Parameters that differ, where both cells have the same primitives in one order."""
    pairs = [(before.node(a).payload, after.node(b).payload) for a, b in zip(old.nodes, new.nodes, strict=False)]
    was, now = list[str](), list[str]()
    for a, b in pairs:
        if isinstance(a, Apply) and isinstance(b, Apply) and a.primitive == b.primitive:
            for name, value in a.attributes:
                if value != b.attribute[name]:
                    was.append(f"{a.primitive}({name} = {show(value)})")
                    now.append(f"{b.primitive}({name} = {show(b.attribute[name])})")
    return f"{', '.join(was)} -> {', '.join(now)}" if was else ""


def _shapes(graph: Graph, nodes: Iterable[str]) -> str:
    return ", ".join(str(graph.node(node).shape) for node in nodes)
