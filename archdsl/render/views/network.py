"""A whole network by its cells, from the image down to the outputs; a chain side by side, in a frame of its own.

A hyper-cell is drawn as in AutoRTNet's figure 3: each cell with an edge to the exit's map, the exit that is taken
thick, the others and the cells behind it dotted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from archdsl.cost.node_costs import NodeCosts
from archdsl.diff import Side
from archdsl.diff.cells import Cell
from archdsl.render.model.labels import small, wrapped
from archdsl.render.model.picture import (
    FAINT,
    INK,
    MUTED,
    PAPER,
    TINT,
    Box,
    Dash,
    Flow,
    Group,
    Line,
    Outline,
    Picture,
    Stroke,
    Text,
)
from archdsl.render.views.cell_labels import (
    CellQuestions,
    answered,
    cell_questions,
    cost_lines,
    label_of,
    maps,
)
from archdsl.render.views.chains import Chain, Fold, Layout, fold_key, folds, rows
from archdsl.render.views.chances import Chances, explained, percent
from archdsl.render.views.chances import stroke as likely_stroke
from archdsl.render.views.parts import Outside, is_image, outside
from archdsl.render.views.scopes import Scope
from archdsl.render.views.shares import Shares, coloured
from archdsl.space import QuestionKind, spell_scope

_TAKEN = Stroke(INK, width=2.6)
_ASKED = Stroke(INK, Dash.DASHED, 1.0)
_LEFT_OUT = Stroke(MUTED, Dash.DOTTED, 1.0)
_EARLIER = Stroke(MUTED, width=0.8)
"""A map that is not the last one."""


def network_picture(
    side: Side,
    laid: Layout,
    chances: Chances | None = None,
    costs: NodeCosts | None = None,
    *,
    within: Scope | None = None,
    title: Sequence[Text] = (),
) -> Picture:
    """The picture of a network; with costs each cell is coloured by its share of them.

    Of a cell that holds chains `within` is the instance to draw, and `title` stands instead of the network's.
    """
    shares = None if costs is None else Shares(costs, costs.total)
    return _Drawing(side, laid, chances, shares, within, title).picture()


@dataclass(frozen=True)
class _Drawing:
    side: Side
    layout: Layout
    chances: Chances | None = None
    """How probable exits are, where they are open and that is known."""
    shares: Shares | None = None
    """What cells cost, of a network."""
    within: Scope | None = None
    """The cell that is drawn instead of the network."""
    headline: Sequence[Text] = ()

    def picture(self) -> Picture:
        boxes = {self.box_names[path]: self.box(path) for path in self.shown}
        groups = tuple(self.group(chain) for chain in self.chains)
        return Picture(
            self.side.name if self.within is None else self.within.path,
            tuple(boxes.values()),
            tuple(self.lines()),
            Flow.DOWN,
            self.heading(),
            scale=() if self.shares is None else self.shares.legend(),
            groups=groups,
        )

    # What is known --------------------------------------------------------------------------

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        return self.layout.parts.cells

    @cached_property
    def shown(self) -> Mapping[str, Outside]:
        """The parts that an output needs, and those that it would need but for an exit; of a cell also its inputs."""
        every = outside(self.side.graph, self.cells, frozenset())
        found = {each.name: each for each in every if each.needed or self.layout.left_out(each.name)}
        wanted = self.inside_of(found) | {source for path in self.inside_of(found) for source in self.cells[path].reads}
        return {path: each for path, each in found.items() if path in wanted}

    def inside_of(self, found: Iterable[str]) -> frozenset[str]:
        """The parts that stand in the cell that is drawn; all of a network."""
        if self.within is None:
            return frozenset(found)
        nodes = frozenset(self.within.nodes)
        inside = {path for path in found if not nodes.isdisjoint(self.cells[path].nodes)}
        for chain in self.layout.chains.values():
            if not inside.isdisjoint(chain.cells):
                inside |= {path for path in (*chain.cells, chain.path) if path in self.cells}
        return frozenset(inside)

    @cached_property
    def inputs(self) -> frozenset[str]:
        """What a cell reads; nothing of a network, whose images are parts of it."""
        return frozenset(self.shown) - self.inside_of(self.shown)

    @cached_property
    def chains(self) -> tuple[Chain, ...]:
        inside = self.inside_of(self.shown)
        return tuple(chain for chain in self.layout.chains.values() if not inside.isdisjoint(chain.cells))

    @cached_property
    def asked(self) -> Mapping[str, CellQuestions]:
        """Without what each branch answers for itself: a network shows the ops of such a cell."""
        found = cell_questions(self.side.program, self.cells.values())
        questions = self.side.program.questions
        shared = {path for path, each in found.items() if not any(questions[one].per_branch for one in each.questions)}
        return {path: each for path, each in found.items() if path in shared or not self.side.graph.closed}

    @cached_property
    def chain_of(self) -> Mapping[str, Chain]:
        return {path: chain for chain in self.layout.chains.values() for path in chain.cells}

    @cached_property
    def folds(self) -> Mapping[str, tuple[Fold, ...]]:
        cells = [self.cells[path] for path in self.chain_of]
        keys = {
            cell.path: fold_key(self.side, self.layout, cell, self.asked.get(cell.path), self.shares) for cell in cells
        }
        read = {source for each in self.cells.values() if each.path not in self.chain_of for source in each.reads}
        return {name: folds(self.layout.parts, chain, keys, read) for name, chain in self.layout.chains.items()}

    @cached_property
    def box_names(self) -> Mapping[str, str]:
        folded = {path: fold.path for found in self.folds.values() for fold in found for path in fold.cells}
        return {path: folded.get(path, path) for path in self.shown}

    @cached_property
    def fold_of(self) -> Mapping[str, Fold]:
        return {fold.path: fold for found in self.folds.values() for fold in found}

    # Boxes ----------------------------------------------------------------------------------

    def heading(self) -> tuple[Text, ...]:
        side, graph = self.side, self.side.graph
        kind = f"of {side.program.name}" if side.program.name != side.name else "a network"
        if not graph.closed:
            kind = f"{kind}, partly answered" if side.answers else f"a space of {len(graph.questions)} questions"
        found = [*self.headline] or [Text(side.name, 14, bold=True), small(kind, 9)]
        if self.shares is not None:
            found.append(small(f"{self.shares.about('the network')}, at inference", 9))
        if any(self.auxiliary(path) for path in self.shown):
            found.append(small("dashed box: auxiliary, trained with and not exported", 9))
        if any(chain.taken is not None for chain in self.chains):
            found.append(small("thick: the exit that is taken; dotted: what it leaves out, which is not computed", 9))
        if any(chain.exits and chain.taken is None for chain in self.chains):
            found += explained() if self.chances else [small("dashed line: an exit to choose", 9)]
        return (*found, small(" ", 6))

    def box(self, path: str) -> Box:
        each, name = self.shown[path], self.box_names[path]
        if path in self.inputs:
            lines = (small(line) for line in wrapped(self.layout.parts.name(path), 22))
            return Box(
                name,
                (Text("in", bold=True), *lines, small(maps(self.side.graph, self.cells[path]))),
                Outline.BOX,
                fill=TINT,
            )
        if path in self.layout.chains:
            label = (Text(self.layout.chains[path].name, bold=True), small(maps(self.side.graph, self.cells[path])))
            return Box(name, (*label, *_outs(each)), Outline.CIRCLE, fill=TINT)
        label, fill = self.label(path), TINT if is_image(self.side.graph, path) else PAPER
        if self.shares is not None and (swatch := self.shares.swatch(self.cells[path].nodes, self.times(path))):
            label, fill = coloured(label, swatch), swatch.fill
        stroke = _LEFT_OUT if self.layout.left_out(path) else self.stroke(path)
        return Box(name, label, stroke=stroke, fill=fill)

    def times(self, path: str) -> int:
        """How many cells its box stands for."""
        return len(self.fold_of[self.box_names[path]].cells) if path in self.chain_of else 1

    def stroke(self, path: str) -> Stroke:
        return Stroke(MUTED, Dash.DASHED, 1.0) if self.auxiliary(path) else Stroke(INK, width=1.0)

    def auxiliary(self, path: str) -> bool:
        """Whether only auxiliary outputs need a part."""
        each = self.shown[path]
        return each.needed and each.auxiliary

    def label(self, path: str) -> tuple[Text, ...]:
        cell, outputs = self.cells[path], self.shown[path].outputs
        asked = self.asked.get(path)
        if path not in self.chain_of and asked is None:
            return label_of(self.side.graph, cell, self.shares, outputs)
        label = [Text(line, bold=True) for line in self.names(path)]
        label += [Text(line, 9) for line in self.what(path)]
        label += [small(line) for line in self.inside(path)]
        label += [
            small(maps(self.layout.graph_of(path), cell)),
            *(small(line) for line in cost_lines(self.shares, cell, self.times(path))),
        ]
        if self.layout.left_out(path):
            label = [small(line.text, line.size) for line in label]
        return (*label, *_outs(self.shown[path]))

    def names(self, path: str) -> list[str]:
        """Of a cell in a chain its place, and how many are drawn as one; the frame says where the chain stands."""
        if path not in self.chain_of:
            return wrapped(path, 30)
        fold = self.fold_of[self.box_names[path]]
        return [fold.name + (f" ×{len(fold.cells)}" if len(fold.cells) > 1 else "")]

    def what(self, path: str) -> list[str]:
        """`normal@h1`, the cell as its answers are shared; nothing where its path says it."""
        asked, definition = self.asked.get(path), self.cells[path].definition
        found = asked.shared_by if asked is not None and asked.shared_by != path else definition
        return [found] if found and self.layout.parts.name(path) != found else []

    def inside(self, path: str) -> list[str]:
        """What a cell with questions of its own has answered, or that it asks. Shared answers: `--cell` shows them."""
        asked = self.asked.get(path)
        if asked is None or sum(each.scope == asked.scope for each in self.asked.values()) > 1:
            return []
        if found := answered(self.side, asked):
            return list(found)
        number = sum(question not in self.side.answers for question in asked.questions)
        return [f"{number} question{'' if number == 1 else 's'}"] if number else []

    def group(self, chain: Chain) -> Group:
        found = self.folds[chain.path]
        exit = [chain.path] if chain.path in self.shown else []
        names = [*(fold.path for fold in found), *exit]
        return Group(chain.path, self.title(chain), tuple(names), rows(chain, found))

    def title(self, chain: Chain) -> tuple[Text, ...]:
        about = f"{len(chain.cells)} cells"
        if chain.taken is not None:
            about = f"exit {chain.taken} of {_run(list(chain.exits)).removeprefix('1 to ')}"
        elif chain.exits:
            about = f"which exit, {_run(list(chain.exits))}?"
        return (small(f"{chain.path}: {about}", 9),)

    # Lines ----------------------------------------------------------------------------------

    def lines(self) -> list[Line]:
        found: dict[tuple[str, str, str], Line] = {}
        for path in (each for each in self.shown if each not in self.inputs):
            for line in [*self.into(path), *self.exits_not_taken(path)]:
                key = (line.tail, line.head, "".join(text.text for text in line.label))
                if line.tail != line.head and (key not in found or found[key].stroke == _EARLIER):
                    found[key] = line
        return [*found.values(), *self.order()]

    def into(self, path: str) -> list[Line]:
        reads = [source for source in self.cells[path].reads if source in self.shown]
        lines = [self.line(source, path, last=source == reads[-1]) for source in reads]
        for reader, chain in sorted(self.layout.parts.before_exit):
            if reader == path:
                lines.append(Line(chain, self.box_names[path], (small(".prev"),), _EARLIER, pulls=False))
        return lines

    def line(self, source: str, path: str, *, last: bool) -> Line:
        tail, head = self.box_names[source], self.box_names[path]
        chain, before = self.chain_of.get(path), self.chain_of.get(source)
        if path in self.layout.chains:
            exits = self.exit_chances(self.layout.chains[path])
            if source in exits:
                likely = exits[source] == max(exits.values())
                return Line(tail, head, (small(percent(exits[source])),), likely_stroke(exits[source], best=likely))
            taken = self.layout.chains[path].taken is not None
            return Line(tail, head, stroke=_TAKEN if taken else _ASKED)
        if chain is not None:
            row = next(row for row in rows(chain, self.folds[chain.path]) if head in row)
            near = tail in row and row.index(head) - row.index(tail) == 1
            first = before is not chain and head == row[0] and last
            stroke = _LEFT_OUT if chain.behind(path) else Stroke(width=1.0) if last else _EARLIER
            return Line(tail, head, self.earlier(source, path), stroke, pulls=near or first)
        return Line(tail, head, self.earlier(source, path), self.stroke(path))

    def exit_chances(self, chain: Chain) -> Mapping[str, float]:
        """How probable it is that a chain ends with each of its cells; empty where that is not known."""
        if self.chances is None:
            return {}
        for path, question in self.side.program.questions.items():
            if question.kind is QuestionKind.EXIT and spell_scope(path.steps[:-1]) == chain.path:
                by_answer = self.chances.of(path)
                labels = {str(position): cell for position, cell in chain.exits.items()}
                return {labels[answer]: each for answer, each in by_answer.items() if answer in labels}
        return {}

    def earlier(self, source: str, path: str) -> tuple[Text, ...]:
        """`.prev` where a hyper-cell's map before its exit is read."""
        chain = self.chain_of.get(source)
        if chain is None or chain.taken is None or path in chain.cells:
            return ()
        return (small(".prev"),) if source == chain.before_last else ()

    def exits_not_taken(self, path: str) -> list[Line]:
        chain = self.layout.chains.get(path)
        if chain is None or chain.taken is None:
            return []
        others = (cell for position, cell in chain.exits.items() if position != chain.taken)
        return [Line(self.box_names[cell], path, stroke=_LEFT_OUT) for cell in others]

    def order(self) -> list[Line]:
        """Later rows of a long chain begin below its first."""
        found: list[Line] = []
        for chain in self.chains:
            starts = [row[0] for row in rows(chain, self.folds[chain.path])]
            found += [Line(above, below, stroke=Stroke(FAINT, Dash.HIDDEN)) for above, below in pairwise(starts)]
        return found


def _outs(each: Outside) -> tuple[Text, ...]:
    return tuple(Text(f"out {output}", 9) for output in each.outputs)


def _run(positions: list[int]) -> str:
    """`1 to 5`, else `2, 4, 6`."""
    run = list(range(positions[0], positions[-1] + 1))
    return f"{run[0]} to {run[-1]}" if positions == run and len(run) > 2 else ", ".join(map(str, positions))
