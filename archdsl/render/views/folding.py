"""Neighbours in a chain that are alike are one box: `trunk[2..4]`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from archdsl.diff import Side
from archdsl.diff.cells import Cell
from archdsl.render.views.cell_labels import Costs, maps, spent
from archdsl.render.views.cell_questions import Asking, answers_in
from archdsl.render.views.chains import Chain, Layout
from archdsl.render.views.parts import in_chain

_MOST_IN_A_ROW = 10


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of cells that are drawn as one."""

    name: str
    cells: tuple[str, ...]


def alike(side: Side, layout: Layout, cell: Cell, asked: Asking | None, costs: Costs) -> Hashable:
    """Equal for cells that may be drawn as one: the same cell, the same answers, maps and costs."""
    own = asked is not None and asked.scope == cell.path
    answers = tuple(answers_in(side, asked).items()) if asked is not None and own else ()
    scope = asked.scope if asked is not None and not own else ""
    return cell.definition, scope, answers, maps(layout.graph_of(cell.path), cell), tuple(spent(costs, cell))


def folds(chain: Chain, keys: Mapping[str, Hashable], apart: Iterable[str]) -> tuple[Fold, ...]:
    """The cells of a chain, neighbours together where their keys are equal.

    A run ends at a cell of `apart`, whose own map others read. Where an exit is asked every cell stands alone.
    """
    return runs(chain.cells, keys, chain.cells if chain.exits else apart)


def runs(cells: Iterable[str], keys: Mapping[str, Hashable], apart: Iterable[str] = ()) -> tuple[Fold, ...]:
    """Neighbours with equal keys together; a run ends at a cell of `apart`."""
    ends = set(apart)
    found: list[list[str]] = []
    for path in cells:
        last = found[-1][-1] if found else None
        if last is not None and last not in ends and keys[last] == keys[path]:
            found[-1].append(path)
        else:
            found.append([path])
    return tuple(Fold(_name(run), tuple(run)) for run in found)


def _name(run: list[str]) -> str:
    first, last = in_chain(run[0]), in_chain(run[-1])
    assert first is not None and last is not None
    return run[0] if len(run) == 1 else f"{first[0]}[{first[1]}..{last[1]}]"


def rows(chain: Chain, found: tuple[Fold, ...]) -> tuple[tuple[str, ...], ...]:
    """The boxes of a chain in rows; a hyper-cell is one row, however long."""
    names = [fold.name for fold in found]
    count = 1 if chain.exits else ceil(len(names) / _MOST_IN_A_ROW)
    length = ceil(len(names) / count)
    return tuple(tuple(names[start : start + length]) for start in range(0, len(names), length))
