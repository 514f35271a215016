"""Chains and hyper-cells: their cells in order, those behind the exit among them, and runs of equal ones as one box."""

from __future__ import annotations

from collections.abc import Container, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil

from archdsl.diff import Side
from archdsl.diff.cells import Cell
from archdsl.ir import Graph
from archdsl.render.views.cell_labels import CellQuestions, answers_in, cost_lines, maps
from archdsl.render.views.parts import ChainPlace, Parts, parts
from archdsl.render.views.shares import Shares
from archdsl.space import Program, QuestionKind

_MOST_IN_A_ROW = 10


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain; with exits where it asks for one, which makes it a hyper-cell."""

    path: str
    name: str
    """What the text calls it: the last step of its path."""
    cells: tuple[str, ...]
    """All that the space has, in order; of an answered network without those that do nothing in it."""
    exits: Mapping[int, str]
    """The positions at which it can be left, each with its cell."""
    taken: int | None
    """The exit that the answers take."""
    left_out: frozenset[str] = frozenset()
    """The cells behind that exit, which are not computed."""

    def behind(self, path: str) -> bool:
        return path in self.left_out

    @property
    def computed(self) -> tuple[str, ...]:
        """The cells up to the exit."""
        return tuple(each for each in self.cells if each not in self.left_out)

    @property
    def left_at(self) -> str | None:
        """The cell whose map leaves it, where that is known."""
        return None if self.taken is None else self.computed[-1]

    @property
    def before_last(self) -> str | None:
        """The cell before the one whose map leaves it."""
        return self.computed[-2] if len(self.computed) > 1 else None

    def drawn(self, computed: Container[str]) -> Chain:
        """Without the cells that do nothing in a network, such as those that only hand their input on."""
        cells = tuple(each for each in self.cells if each in computed or each in self.left_out)
        return replace(self, cells=cells, exits={n: each for n, each in self.exits.items() if each in cells})


@dataclass(frozen=True)
class Layout:
    """The parts of a network with its chains: of an answered one also the cells that its exits leave out."""

    graph: Graph
    parts: Parts
    chains: Mapping[str, Chain]
    supernet: Graph
    """What the cells that are left out are known from."""

    def left_out(self, path: str) -> bool:
        """Whether a cell lies behind the exit of its chain."""
        return any(chain.behind(path) for chain in self.chains.values())

    def stands_around(self, path: str, nodes: Sequence[str]) -> bool:
        """Whether a scope with these nodes holds cells of chains, and is neither one nor in one."""
        inside = frozenset(nodes)
        cells = (self.parts.cells[each] for chain in self.chains.values() for each in chain.computed)
        return any(each.path != path and inside.issuperset(each.nodes) for each in cells)

    def graph_of(self, path: str) -> Graph:
        """The network; of a cell that it leaves out the space."""
        return self.supernet if self.left_out(path) else self.graph


def layout(side: Side, supernet: Graph | None) -> Layout:
    """`supernet` is that of the same space; wanted only where exits are answered."""
    found = parts(side.graph)
    whole = parts(supernet) if supernet is not None else found
    chains = {path: _chain(side, cells) for path, cells in _in_chains(side.program, whole).items()}
    if side.graph.closed:
        drawn = {name: chain.drawn(found.cells) for name, chain in chains.items()}
        chains = {name: chain for name, chain in drawn.items() if chain.computed}
        found = _with_exits(found, whole, chains)
    return Layout(side.graph, found, chains, supernet or side.graph)


def asks_exit(program: Program) -> bool:
    return any(question.kind is QuestionKind.EXIT for question in program.questions.values())


def _in_chains(program: Program, found: Parts) -> dict[str, dict[str, ChainPlace]]:
    """The cells of each chain, by its path, with their places. A grid of one index is no chain."""
    grids = {scope[-1] for scope in program.trellises}
    chains: dict[str, dict[str, ChainPlace]] = {}
    for path in found.cells:
        place = found.place(path)
        if place is not None and place.step.structure not in grids:
            chains.setdefault(place.chain, {})[path] = place
    return chains


def _chain(side: Side, places: Mapping[str, ChainPlace]) -> Chain:
    """Its exit is asked under the name that the text gives it, wherever it stands."""
    cells, place = tuple(places), next(iter(places.values()))
    asked = next(
        (
            question
            for question in side.program.questions.values()
            if question.kind is QuestionKind.EXIT and question.path.node == place.name
        ),
        None,
    )
    if asked is None:
        return Chain(place.chain, place.name, cells, {}, None)
    answer = side.answers.get(asked.path)
    exits = {int(label): place.at(int(label)) for label in asked.answers}
    taken = int(answer[0]) if answer else None
    return Chain(
        place.chain, place.name, cells, exits, taken, frozenset() if taken is None else frozenset(cells[taken:])
    )


def _with_exits(found: Parts, whole: Parts, chains: Mapping[str, Chain]) -> Parts:
    """An answered network with what its exits are in the space: their maps, and the cells behind them."""
    exits = {chain.left_at: chain for chain in chains.values() if chain.left_at is not None}
    cells: dict[str, Cell] = {}
    for path, cell in found.cells.items():
        reads = [_through(exits, path, source) for source in cell.reads]
        cells[path] = replace(cell, reads=tuple(dict.fromkeys(reads)))
        if (chain := exits.get(path)) is not None:
            behind = [whole.cells[each] for each in chain.cells if chain.behind(each)]
            cells |= {each.path: _reading(each, {*found.cells, *chain.left_out}, path) for each in behind}
            cells[chain.path] = Cell(chain.path, "", (), cell.outputs, (path,), chain.path)
    return Parts(cells, {**whole.frames, **found.frames}, frozenset())


def _reading(cell: Cell, drawn: Container[str], last: str) -> Cell:
    """A cell behind an exit; where it reads one that does nothing, it reads the last one before it that does."""
    reads = dict.fromkeys(each if each in drawn else last for each in cell.reads)
    return replace(cell, reads=tuple(reads))


def _through(exits: Mapping[str, Chain], reader: str, source: str) -> str:
    """The exit's map instead of the last cell's, for those who read it from outside."""
    chain = exits.get(source)
    return source if chain is None or reader in chain.cells else chain.path


@dataclass(frozen=True, slots=True)
class Fold:
    """A run of cells that are drawn as one."""

    path: str
    name: str
    """The last step of its path."""
    cells: tuple[str, ...]


def fold_key(side: Side, layout: Layout, cell: Cell, asked: CellQuestions | None, shares: Shares | None) -> Hashable:
    """Equal for cells that may be drawn as one: the same cell, the same answers, maps and costs."""
    own = asked is not None and asked.shared_by == cell.path
    answers = tuple(answers_in(side, asked).items()) if asked is not None and own else ()
    scope = asked.shared_by if asked is not None and not own else ""
    return cell.definition, scope, answers, maps(layout.graph_of(cell.path), cell), tuple(cost_lines(shares, cell))


def folds(parts: Parts, chain: Chain, keys: Mapping[str, Hashable], apart: Iterable[str]) -> tuple[Fold, ...]:
    """The cells of a chain, neighbours together where their keys are equal.

    A run ends at a cell of `apart`, whose own map others read. Where an exit is asked every cell stands alone.
    """
    return runs(parts, chain.cells, keys, chain.cells if chain.exits else apart)


def runs(
    parts: Parts, cells: Iterable[str], keys: Mapping[str, Hashable], apart: Iterable[str] = ()
) -> tuple[Fold, ...]:
    """Neighbours with equal keys together; a run ends at a cell of `apart`."""
    ends = set(apart)
    found: list[list[str]] = []
    for path in cells:
        last = found[-1][-1] if found else None
        if last is not None and last not in ends and keys[last] == keys[path]:
            found[-1].append(path)
        else:
            found.append([path])
    return tuple(_fold(parts, run) for run in found)


def _fold(parts: Parts, run: Sequence[str]) -> Fold:
    first, last = parts.place(run[0]), parts.place(run[-1])
    assert first is not None and last is not None
    return Fold(*first.run(last.position), tuple(run))


def rows(chain: Chain, found: tuple[Fold, ...]) -> tuple[tuple[str, ...], ...]:
    """The boxes of a chain in rows; a hyper-cell is one row, however long."""
    names = [fold.path for fold in found]
    count = 1 if chain.exits else ceil(len(names) / _MOST_IN_A_ROW)
    length = ceil(len(names) / count)
    return tuple(tuple(names[start : start + length]) for start in range(0, len(names), length))
