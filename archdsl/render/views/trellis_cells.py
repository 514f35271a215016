"""Who passes which place of a grid, and as which cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from archdsl.diff import Side
from archdsl.diff.cells import Cell, maps_read, ops_of
from archdsl.diff.routes import route
from archdsl.ir import ClosedNode
from archdsl.space import Branch, Place, QuestionKind, Trellis


@dataclass(frozen=True, slots=True)
class Visit:
    """A cell at a place, or a skip that leaves no cell, with the branches that compute it together."""

    place: Place
    name: str
    """Unique: the cell's path, or the place's where nothing is computed."""
    branches: tuple[str, ...]
    cell: str | None
    carries: str | None
    """The cell whose map leaves the place: its own, or that before a skip."""
    op: str
    channels: str
    before: str | None
    """The visit that each of its branches comes from."""


def visits(side: Side, trellis: Trellis, found: Mapping[str, Cell]) -> tuple[Visit, ...]:
    """Every visit of a closed network, place by place along each branch; shared ones once."""
    known: dict[tuple[object, ...], Visit] = {}
    for branch, ends in side.program.branches.items():
        if ends.trellis != trellis.scope:
            continue
        before: Visit | None = None
        for place in route(side.program, side.answers, branch):
            cell = _cell_at(side, trellis, found, branch, place)
            key = (place, cell) if cell else (place, before and before.name, _operator(side, trellis, branch, place))
            visit = known.get(key) or _visit(side, trellis, branch, place, found[cell] if cell else None, before)
            if str(branch) not in visit.branches:
                visit = replace(visit, branches=(*visit.branches, str(branch)))
            known[key] = visit
            before = visit
    return _named_apart(tuple(known.values()), trellis)


def _visit(
    side: Side, trellis: Trellis, branch: Branch, place: Place, cell: Cell | None, before: Visit | None
) -> Visit:
    operator = _operator(side, trellis, branch, place)
    spelled = trellis.spell(place)
    previous = before and before.name
    if cell is None:
        carried = before and before.carries
        return Visit(place, f"{branch}.{spelled}", (), None, carried, operator or "nothing", "", previous)
    reads = [side.graph.node(path).shape.channels for path in maps_read(side.graph, cell)]
    writes = [side.graph.node(path).shape.channels for path in cell.outputs]
    channels = f"{', '.join(map(str, dict.fromkeys(reads)))} → {', '.join(map(str, dict.fromkeys(writes)))}"
    return Visit(place, cell.path, (), cell.path, cell.path, operator or ops_of(side.graph, cell), channels, previous)


def _named_apart(found: tuple[Visit, ...], trellis: Trellis) -> tuple[Visit, ...]:
    """A skip that all branches of its place share is named after the place, as a shared cell is."""
    crowds: dict[Place, int] = {}
    for visit in found:
        crowds[visit.place] = crowds.get(visit.place, 0) + 1
    names = {
        visit.name: trellis.spell(visit.place)
        for visit in found
        if visit.cell is None and crowds[visit.place] == 1 and len(visit.branches) > 1
    }
    return tuple(
        replace(
            visit, name=names.get(visit.name, visit.name), before=visit.before and names.get(visit.before, visit.before)
        )
        for visit in found
    )


def _cell_at(side: Side, trellis: Trellis, found: Mapping[str, Cell], branch: Branch, place: Place) -> str | None:
    """The path of the cell that this branch computes at a place."""
    spelled = trellis.spell(place)
    for path, cell in found.items():
        if cell.scope != spelled:
            continue
        node = side.graph.node(cell.nodes[0])
        owners = node.branches if isinstance(node, ClosedNode) else ()
        if not owners or str(branch) in owners:
            return path
    return None


def _operator(side: Side, trellis: Trellis, branch: Branch, place: Place) -> str:
    """The answers about operators at a place, which is what a reader calls the cell."""
    scope = trellis.at(place)
    asked = [
        path
        for path, question in side.program.questions.items()
        if path.within(scope) and question.kind is QuestionKind.OPERATOR
    ]
    answers = (side.answers.get(path.of(branch), side.answers.get(path)) for path in asked)
    return ", ".join(", ".join(answer) for answer in answers if answer)
