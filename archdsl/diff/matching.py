"""Which cell of one graph is which of the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from archdsl.diff.cells import Cell, digest
from archdsl.ir import Graph


@dataclass(frozen=True)
class Cells:
    """The cells of one side, and the places at which they stand in a grid that both sides have."""

    graph: Graph
    cells: Mapping[str, Cell]
    places: frozenset[str]

    def place(self, cell: Cell) -> str | None:
        return cell.scope if cell.scope in self.places else None


@dataclass(slots=True)
class _Pairs:
    before: Cells
    after: Cells
    found: dict[str, str] = field(default_factory=dict[str, str])
    back: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, old: str, new: str) -> None:
        self.found[old] = new
        self.back[new] = old

    def left_before(self) -> list[Cell]:
        return [cell for path, cell in self.before.cells.items() if path not in self.found]

    def left_after(self) -> list[Cell]:
        return [cell for path, cell in self.after.cells.items() if path not in self.back]

    def may_be(self, old: Cell, new: Cell) -> bool:
        """A place of a grid is what it is called; elsewhere a name says little."""
        if old.definition != new.definition:
            return False
        return self.before.place(old) == self.after.place(new)


def match(before: Cells, after: Cells) -> dict[str, str]:
    """Cells of `before` to cells of `after`: by name, then by what they compute, then by most shared edges.

    Graph edit distance would find the same on small graphs and does not finish on others.
    """
    pairs = _Pairs(before, after)
    for path in before.cells:
        if path in after.cells:
            pairs.add(path, path)
    _by_digest(pairs)
    _by_edges(pairs)
    return pairs.found


def _by_digest(pairs: _Pairs) -> None:
    waiting: dict[str, list[Cell]] = {}
    for new in pairs.left_after():
        waiting.setdefault(unwired_digest(pairs.after.graph, new), []).append(new)
    for old in pairs.left_before():
        candidates = waiting.get(unwired_digest(pairs.before.graph, old), [])
        new = next((each for each in candidates if pairs.may_be(old, each)), None)
        if new is not None:
            candidates.remove(new)
            pairs.add(old.path, new.path)


def _by_edges(pairs: _Pairs) -> None:
    """The pairs that share most first, equal ones in the order of the graphs; again while pairs bring new ones."""
    before, after = _neighbours(pairs.before.cells.values()), _neighbours(pairs.after.cells.values())
    known = -1
    while len(pairs.found) > known:
        known = len(pairs.found)
        scored = [
            (shared, old.path, new.path)
            for old in pairs.left_before()
            for new in pairs.left_after()
            if pairs.may_be(old, new) and (shared := _shared(pairs, before[old.path], after[new.path]))
        ]
        for _, old_path, new_path in sorted(scored, key=lambda each: -each[0]):
            if old_path not in pairs.found and new_path not in pairs.back:
                pairs.add(old_path, new_path)


def _shared(pairs: _Pairs, old: Iterable[str], new: Iterable[str]) -> int:
    return len({pairs.found[each] for each in old if each in pairs.found} & set(new))


def _neighbours(cells: Iterable[Cell]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for cell in cells:
        found.setdefault(cell.path, []).extend(cell.reads)
        for source in cell.reads:
            found.setdefault(source, []).append(cell.path)
    return found


def unwired_digest(graph: Graph, cell: Cell) -> str:
    """What a cell computes on maps of these shapes, wherever they come from."""
    return digest(graph, cell, lambda source: str(graph.node(source).shape))
