"""Grids: a chain in two directions, whose places name their inputs (rules 9 and 12)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from archdsl.ops.dims import variable
from archdsl.sema import codes
from archdsl.sema.elaborate import calls
from archdsl.sema.elaborate import choose_stmt as questions
from archdsl.sema.elaborate import edge_choice as edges
from archdsl.sema.elaborate import grid_source as sources
from archdsl.sema.elaborate import instantiate as bodies
from archdsl.sema.elaborate.builder import NODE_LIMIT, Scope, TooLarge
from archdsl.sema.elaborate.environment import Environment
from archdsl.sema.elaborate.grid_source import Source
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Callee,
    Many,
    Map,
    Mapped,
    Nothing,
    Outputs,
    Poison,
    Structure,
    Value,
    describe,
)
from archdsl.sema.reporter import listed, suggestion
from archdsl.space import Chosen, FrameKind, Place, Question, QuestionKind, Trellis
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell
from archdsl.text import Span

if TYPE_CHECKING:
    from archdsl.sema.elaborate.evaluator import Evaluator

PLACE_LIMIT = 2_000
"""No grid in a text has more places: each takes half a millisecond, and the largest published one has 48."""

FORECAST = 100
"""After so many places the nodes of all are estimated, and a grid with too many is refused."""


@dataclass(slots=True)
class Standing:
    """What stands at a place once it has been laid out."""

    place: Place
    scope: Scope
    names: dict[str, Value]
    outputs: dict[str, Value] = field(default_factory=dict[str, Value])
    entry: Value = NOTHING
    """The map that enters the cell, after its source has been chosen."""
    source: Source | None = None
    """What the place chose between maps of other places."""
    broken: bool = False
    """Whether something at this place is wrong and reported."""

    @property
    def sources(self) -> dict[str, Place]:
        """The answers to the source question and the places that they read."""
        return self.source.places if self.source is not None else {}

    @property
    def question(self) -> str:
        """The path of the source question; empty where there is but one source."""
        return self.source.question if self.source is not None else ""


@dataclass(slots=True, eq=False)
class Grid(Structure):
    name: str
    axes: tuple[tuple[str, tuple[int, ...]], ...]
    body: Sequence[ast.Statement]
    env: Environment
    starts: dict[Place, tuple[ast.Expr, ...]]
    scope: str
    """The grid's name with that of what it stands in: how its places are spelled in question paths."""
    existing: dict[Place, bool] = field(default_factory=dict[Place, bool])
    standing: dict[Place, Standing] = field(default_factory=dict[Place, Standing])

    def describe(self) -> str:
        return f"the grid `{self.name}`"

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        return Row(self, ()).part(ev, part, path, env)

    def spell(self, place: Place) -> str:
        return self.scope + "".join(f"[{index}]" for index in place)

    def exists(self, place: Place) -> bool:
        return self.existing.get(place, False)

    def in_sets(self, domain: ast.Expr) -> Iterator[ast.Path]:
        """The maps of its places that a set names."""
        return _in_sets(domain, self.name)

    def place_of(self, ev: Evaluator, path: ast.Path, env: Environment) -> Place | None:
        """The place whose map a path names: `trunk[4][8]` of `trunk[4][8].stay`."""
        row = ev.path(ast.Path(path.span, path.head, path.parts[: len(self.axes)]), env)
        return row.place if isinstance(row, Row) else None

    def chosen(self, name: str) -> ast.Choose | None:
        """The `choose` of that name in the grid's body."""
        found = (each for each in self.body if isinstance(each, ast.Choose) and each.name.text == name)
        return next(found, None)

    def environment(self, place: Place, scope: Scope) -> Environment:
        indices = {axis: index for (axis, _), index in zip(self.axes, place, strict=True)}
        return replace(self.env, scope=scope, names={**self.env.names, **indices}, asking=self.spell(place))


@dataclass(frozen=True, slots=True)
class Row(Mapped):
    """A grid with its first indices: a place where all are given."""

    grid: Grid
    place: Place

    def describe(self) -> str:
        return f"a place of the grid `{self.grid.name}`"

    @property
    def whole(self) -> bool:
        """Whether it is one place."""
        return len(self.place) == len(self.grid.axes)

    def map(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        """The map of a cell whose output has no name: `trunk[3][16]`."""
        standing = self.grid.standing.get(self.place)
        spelled = self.grid.spell(self.place)
        if standing is None:
            return ev.poison(
                codes.LATER_NODE,
                f"`{spelled}` stands later than what reads its map",
                span,
                "not laid out yet",
                help="a place reads the maps of places before it; of later ones only numbers that are chosen there",
            )
        if standing.broken:
            return POISON
        if list(standing.outputs) != [""]:
            names = listed([name for name in standing.outputs if name])
            return ev.poison(
                codes.WRONG_KIND,
                f"`{spelled}` is a place, and its cell has outputs of several names",
                span,
                "names no map",
                help=f"name one of {names}" if names else None,
            )
        return ev.settle(standing.outputs[""])

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        grid = self.grid
        whole = self.whole
        if isinstance(part, ast.Index):
            if whole:
                return ev.poison(
                    codes.BAD_INDEX,
                    f"a place of `{grid.name}` has {len(grid.axes)} indices, and this is one more",
                    part.span,
                    "one too many",
                )
            return self._at(ev, part, env)
        if not whole:
            return ev.poison(
                codes.BAD_INDEX,
                f"`{spell(path)}` names no one place: `{grid.name}` has {len(grid.axes)} indices",
                path.span,
                f"{len(self.place)} of {len(grid.axes)} indices",
                help=f"write `{grid.name}{''.join(f'[{axis}]' for axis, _ in grid.axes)}.{part.name}`",
            )
        return self._named(ev, part)

    def _at(self, ev: Evaluator, part: ast.Index, env: Environment) -> Value:
        index = ev.value(part.value, env)
        if isinstance(index, Poison | Nothing):
            return index
        if isinstance(index, bool) or not isinstance(index, int):
            axis = self.grid.axes[len(self.place)][0]
            if isinstance(index, Fraction):
                return NOTHING  # `scale / 2` of an odd scale is the index of no place
            return ev.poison(
                codes.BAD_INDEX,
                f"`{axis}` of `{self.grid.name}` is a number, and `{spell(part.value)}` is {describe(index)}",
                part.span,
                "no index",
            )
        place = (*self.place, index)
        if len(place) == len(self.grid.axes) and not self.grid.exists(place):
            return NOTHING
        return Row(self.grid, place)

    def _named(self, ev: Evaluator, part: ast.Attribute) -> Value:
        """An output or a line of the cell at this place, or the answer to one of its questions."""
        grid = self.grid
        standing = grid.standing.get(self.place)
        if standing is not None:
            if standing.broken:
                return POISON
            if part.name in standing.outputs:
                return ev.settle(standing.outputs[part.name])
            if part.name in standing.names:
                return ev.settle(standing.names[part.name])
        if (question := grid.chosen(part.name)) is not None:
            return _number(ev, grid, self.place, question)
        if standing is None:
            return ev.poison(
                codes.LATER_NODE,
                f"`{grid.spell(self.place)}` stands later than what reads its `{part.name}`",
                part.span,
                "not laid out yet",
                help="a place reads the maps of places before it; of later ones only numbers that are chosen there",
            )
        known = [*standing.outputs, *(name for name in standing.names if name not in grid.env.names)]
        return ev.poison(
            codes.UNKNOWN_ATTRIBUTE,
            f"the cell at `{grid.spell(self.place)}` has no output `{part.name}`",
            part.span,
            "not an output",
            help=suggestion(part.name, known),
        )


def build(ev: Evaluator, structure: ast.Structure, env: Environment) -> None:
    name = structure.target.path.head.text
    axes = _axes(ev, structure, env)
    if axes is None:
        env.names[name] = POISON
        return
    size = 1
    for _, indices in axes:
        size *= len(indices)
    if size > PLACE_LIMIT:
        raise TooLarge(structure.target.span, f"the grid `{name}` has {size:,} places; {PLACE_LIMIT:,} are allowed")
    grid = Grid(name, axes, structure.body, env, {}, env.question(name))
    env.names[name] = grid
    grid.starts.update(_starts(ev, grid, structure.body, env))
    places = list(itertools.product(*(indices for _, indices in axes)))
    for place in places:
        grid.existing[place] = place in grid.starts or _has_source(ev, grid, place)
    if not any(grid.existing.values()):
        if not any(isinstance(statement, ast.Start) for statement in structure.body):
            first = "".join(f"[{indices[0]}]" for _, indices in axes)
            ev.poison(
                codes.NO_INPUT,
                f"the grid `{name}` starts nowhere",
                structure.target.span,
                "no place has a map to begin with",
                help=f"write `start {first} = x` with the map that enters it",
            )
        env.names[name] = POISON
        return
    standing = [place for place in places if grid.existing[place]]
    before = len(ev.builder.nodes)
    for laid, place in enumerate(standing, start=1):
        _lay_out(ev, grid, place)
        if laid == FORECAST and (each := (len(ev.builder.nodes) - before) // laid) * len(standing) > NODE_LIMIT:
            what = f"{len(standing):,} places of about {each:,} nodes each are more than {NODE_LIMIT:,} nodes"
            raise TooLarge(structure.target.span, what)
    ev.builder.trellises[grid.scope] = _trellis(grid)


def _axes(ev: Evaluator, structure: ast.Structure, env: Environment) -> tuple[tuple[str, tuple[int, ...]], ...] | None:
    axes: list[tuple[str, tuple[int, ...]]] = []
    for argument in structure.arguments:
        if argument.within is None or not isinstance(argument.value, ast.Path) or argument.value.parts:
            ev.poison(
                codes.OUT_OF_PLACE,
                "a grid names its directions",
                argument.span,
                "not a direction",
                help="write `grid(layer in 1..16, scale in {8, 16, 32})`",
            )
            return None
        indices: list[int] = []
        for candidate in ev.candidates(argument.within, env):
            if isinstance(candidate.value, bool) or not isinstance(candidate.value, int):
                if not isinstance(candidate.value, Poison):
                    ev.poison(
                        codes.WRONG_KIND,
                        f"a direction of a grid counts in whole numbers, not in {describe(candidate.value)}",
                        argument.within.span,
                        "here",
                    )
                return None
            indices.append(candidate.value)
        if not indices:
            ev.poison(codes.EMPTY_SET, "this direction of the grid has no place", argument.within.span, "empty")
            return None
        axes.append((argument.value.head.text, tuple(dict.fromkeys(indices))))
    if not axes:
        ev.poison(codes.OUT_OF_PLACE, "a grid has at least one direction", structure.span, "none is given")
        return None
    return tuple(axes)


def _starts(
    ev: Evaluator, grid: Grid, body: Sequence[ast.Statement], env: Environment
) -> Iterator[tuple[Place, tuple[ast.Expr, ...]]]:
    for statement in body:
        if not isinstance(statement, ast.Start):
            continue
        place = tuple(ev.value(index, env) for index in statement.indices)
        known = len(place) == len(grid.axes) and all(
            type(index) is int and index in indices for index, (_, indices) in zip(place, grid.axes, strict=True)
        )
        if any(isinstance(index, Poison) for index in place):
            continue
        if not known:
            ev.poison(
                codes.BAD_INDEX,
                f"`{grid.name}` has no place {''.join(map(_bracketed, place, statement.indices))}",
                statement.span,
                "nothing can start here",
                help=f"its directions are {', '.join(f'`{axis}`' for axis, _ in grid.axes)}",
            )
            continue
        values = statement.value.items if isinstance(statement.value, ast.Tuple) else (statement.value,)
        if len(values) > 2:
            ev.poison(
                codes.WRONG_ARITY,
                f"a grid starts with one map or with two, and these are {len(values)}",
                statement.value.span,
                "too many maps",
                help="write the map that enters last, and before it the one that stands before it",
            )
        yield tuple(index for index in place if isinstance(index, int)), values[-2:]


def _bracketed(index: Value, written: ast.Expr) -> str:
    return f"[{index if type(index) is int else spell(written)}]"


def _has_source(ev: Evaluator, grid: Grid, place: Place) -> bool:
    """Whether one of the places that this one's sets name exists."""
    env = grid.environment(place, Scope())
    return any(grid.place_of(ev, path, env) is not None for path in _sources(grid))


def _sources(grid: Grid) -> Iterator[ast.Path]:
    """The maps of other places that the body names in sets: `{trunk[layer - 1][scale].stay, …}`."""
    for statement in grid.body:
        if isinstance(statement, ast.Choose | ast.Assign):
            yield from _in_sets(statement.domain if isinstance(statement, ast.Choose) else statement.value, grid.name)


def _in_sets(expr: ast.Expr, name: str) -> Iterator[ast.Path]:
    match expr:
        case ast.Set(items=items):
            for item in items:
                head = item.head if isinstance(item, ast.Pipe) else item
                if isinstance(head, ast.Path) and head.head.text == name:
                    yield head
                else:
                    yield from _in_sets(item, name)
        case ast.Call(arguments=arguments):
            for argument in arguments:
                yield from _in_sets(argument.value, name)
        case ast.Pipe(head=head):
            yield from _in_sets(head, name)
        case _:
            return


def _lay_out(ev: Evaluator, grid: Grid, place: Place) -> None:
    cell = next((each for each in grid.body if isinstance(each, ast.Place)), None)
    local = grid.name + "".join(f"[{index}]" for index in place)
    scope = grid.env.scope.child(FrameKind.CELL, local, spell(cell.cell) if cell else "")
    env = grid.environment(place, scope)
    standing = Standing(place, scope, env.names)
    grid.standing[place] = standing
    for statement in grid.body:
        match statement:
            case ast.Choose() if _chooses_source(grid, statement):
                env.names[statement.name.text] = sources.choose(ev, grid, standing, statement, env)
            case ast.Choose():
                env.names[statement.name.text] = _number(ev, grid, place, statement)
            case ast.Assign(target=target, value=expr):
                env.names[target.path.head.text] = ev.value(expr, env.on_line(target.path.head.text))
            case ast.Place() if statement is cell:
                standing.outputs.update(_cell(ev, grid, standing, statement, env))
            case ast.Place():
                ev.poison(
                    codes.OUT_OF_PLACE,
                    f"a place of `{grid.name}` holds one cell, and this is a second one",
                    statement.span,
                    "one cell too many",
                )
            case _:
                pass


def _chooses_source(grid: Grid, statement: ast.Choose) -> bool:
    return any(True for _ in _in_sets(statement.domain, grid.name))


def _number(ev: Evaluator, grid: Grid, place: Place, statement: ast.Choose) -> Value:
    """A number that is chosen at a place: also one that another place asks for before this one is laid out."""
    env = grid.environment(place, Scope())
    candidates = list(ev.candidates(statement.domain, env))
    numbers = [each.value for each in candidates if isinstance(each.value, int) and not isinstance(each.value, bool)]
    if len(numbers) < len(candidates) or len(candidates) < 2:
        return questions.ask(ev, statement, candidates, env)
    path = env.question(statement.name.text)
    labels = edges.spelled_once(ev, candidates, statement.domain.span)
    ev.builder.ask(Question(path, QuestionKind.WIDTH, labels, statement.per is not None, span=statement.span))
    return variable(Chosen(path, tuple(numbers)))


def _cell(ev: Evaluator, grid: Grid, standing: Standing, statement: ast.Place, env: Environment) -> dict[str, Value]:
    callee = ev.path(statement.cell, env)
    if isinstance(callee, Poison):
        standing.broken = True
        return {}
    if not isinstance(callee, Callee) or not isinstance(callee.definition, ast.Cell):
        ev.poison(
            codes.UNKNOWN_CELL,
            f"`{spell(statement.cell)}` is {describe(callee)}, and a cell stands in a grid",
            statement.cell.span,
            "not a cell",
        )
        standing.broken = True
        return {}
    if statement.repeat is not None:
        ev.poison(codes.OUT_OF_PLACE, "a place of a grid holds one cell", statement.span, "repeated here")
    ports: list[Value] = []
    named: list[ast.Argument] = []
    for argument in statement.arguments:
        if argument.name is None:
            ports += calls.port_values(ev, argument, env)
        else:
            named.append(argument)
    if standing.source is not None:
        standing.entry = standing.source.entry
    elif ports:
        standing.entry = ports[0]
    tagged = f"{callee.name}@{statement.tag.text}" if statement.tag else callee.name
    asking = env.asking if statement.each else tagged
    value = bodies.place(ev, callee, ports, named, env, asking, statement.span)
    match value:
        case Outputs(_, maps):
            standing.broken = any(isinstance(each, Poison) for each in maps.values())
            return dict(maps)
        case Map() | Many():
            return {"": value}
        case _:
            standing.broken = True
            return {}


def _trellis(grid: Grid) -> Trellis:
    question = next((each.question.rsplit(".", 1)[-1] for each in grid.standing.values() if each.question), "")
    return Trellis(grid.scope, {place: each.sources for place, each in grid.standing.items()}, question)
