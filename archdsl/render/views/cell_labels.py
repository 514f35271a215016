"""What the picture of a network says of a cell: name, ops, maps, costs, questions and answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archdsl.diff import Side
from archdsl.diff.cells import Cell, ops_of
from archdsl.ir import Graph
from archdsl.ir.scopes import scope_tree
from archdsl.render.model.labels import listed, shown, small, wrapped
from archdsl.render.model.picture import Text
from archdsl.render.views.parts import holding_chains, is_image, part_of
from archdsl.render.views.shares import Shares
from archdsl.space import Asked, Keep, Program, QuestionKind, QuestionPath, QuestionScope, Select, spell_scope

_NAME_WIDTH = 30
_MOST_LINES = 3


def label_of(graph: Graph, cell: Cell, shares: Shares | None = None, outputs: tuple[str, ...] = ()) -> tuple[Text, ...]:
    """Name, ops, the maps that it writes, and what it costs."""
    if is_image(graph, cell.path):
        return (Text(cell.path, bold=True), small(str(graph.node(cell.path).shape)))
    label = [Text(line, bold=True) for line in wrapped(cell.path, _NAME_WIDTH)]
    label += [Text(line, 9) for line in _inside(graph, cell)]
    label += [small(maps(graph, cell)), *(small(line) for line in cost_lines(shares, cell))]
    return (*label, *(Text(f"out {output}", 9) for output in outputs))


def maps(graph: Graph, cell: Cell) -> str:
    """The maps that a cell writes, equal ones once."""
    image = graph.node(graph.images[0]).shape
    return ", ".join(dict.fromkeys(shown(graph.node(path).shape, image) for path in cell.outputs))


def cost_lines(shares: Shares | None, cell: Cell, times: int = 1) -> list[str]:
    """Nothing for a cell that costs nothing, such as one that is not there at inference."""
    label = shares.label(cell.nodes, times) if shares is not None else ""
    return [label] if label else []


def _inside(graph: Graph, cell: Cell) -> list[str]:
    """Its ops, in a few lines; of a cell with questions what it is, for it holds every candidate."""
    if not graph.closed and cell.definition:
        return [cell.definition]
    ops = ops_of(graph, cell)
    lines = listed(ops.split(", "), _NAME_WIDTH) if ops else []
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "…"]


@dataclass(frozen=True, slots=True)
class CellQuestions:
    """What a cell asks; the exits of chains are not among it."""

    scope: QuestionScope
    """Who shares its answers: `normal`, `normal@h1`, or the cell's own path."""
    questions: tuple[QuestionPath, ...]

    @property
    def shared_by(self) -> str:
        return spell_scope(self.scope)

    def names(self, definition: str) -> bool:
        """Whether answers are shared by the cells of this definition, all or those with one tag."""
        return [step.name for step in self.scope] == [definition]


def cell_questions(program: Program, cells: Iterable[Cell]) -> dict[str, CellQuestions]:
    """What each cell asks that asks something, by its path."""
    by_scope: dict[QuestionScope, list[QuestionPath]] = {}
    for question in program.questions.values():
        if question.kind not in (QuestionKind.EXIT, QuestionKind.BRANCH):
            by_scope.setdefault(_scope(question.path), []).append(question.path)
    scopes = _scopes(program)
    spelled = {spell_scope(scope): scope for scope in by_scope}
    found: dict[str, CellQuestions] = {}
    for cell in cells:
        # A width is asked by no node: it stands in a count of channels, so its cell is known by its name.
        scope = scopes.get(cell.path) or spelled.get(cell.path) or spelled.get(cell.definition)
        if scope in by_scope:
            found[cell.path] = CellQuestions(scope, tuple(by_scope[scope]))
    return found


def _scopes(program: Program) -> dict[str, QuestionScope]:
    """Who shares the answers of each part that asks, by its path in the space."""
    tree = scope_tree([node.location for node in program.nodes])
    holders = holding_chains(tree)
    found: dict[str, QuestionScope] = {}
    for node in program.nodes:
        match node.payload:
            case Select(Asked(path), _) | Keep(path, _) if program.questions[path].kind is not QuestionKind.EXIT:
                part = part_of(tree.around[node.path], holders)
                found.setdefault(part.path if part is not None else node.path, _scope(path))
            case _:
                pass
    return found


def _scope(path: QuestionPath) -> QuestionScope:
    return path.scope or path.steps[:-1]


def answers_in(side: Side, asked: CellQuestions) -> Mapping[QuestionScope, tuple[str, ...]]:
    """The answers that a cell has, by the paths of its questions without the scope."""
    return {
        path.steps[len(path.scope) or len(path.steps) - 1 :]: side.answers[path]
        for path in asked.questions
        if path in side.answers
    }


def answered(side: Side, asked: CellQuestions) -> tuple[str, ...]:
    """Its ops, each with how often it is taken, and its numbers; nothing as long as something is open."""
    if not side.graph.closed and any(path not in side.answers for path in asked.questions):
        return ()
    counts: Counter[str] = Counter()
    for path in asked.questions:
        if side.program.questions[path].kind is not QuestionKind.KEEP:
            for answer in side.answers.get(path, ()):
                counts[f"{path.name} = {answer}" if answer.isdecimal() else answer] += 1
    return tuple(answer if times == 1 else f"{times} × {answer}" for answer, times in counts.items())
