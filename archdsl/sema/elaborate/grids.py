"""Grids: a chain in two directions, whose places name their inputs (`rule-grid-edges` and `rule-structures`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from archdsl.ops.dims import variable
from archdsl.sema import codes
from archdsl.sema.elaborate import choose_stmt, edge_choice, grid_reads
from archdsl.sema.elaborate.builder import Scope
from archdsl.sema.elaborate.grid_reads import Read
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Environment,
    Evaluator,
    Mapped,
    Nothing,
    Poison,
    Structure,
    Value,
    describe,
)
from archdsl.sema.reporter import listed, suggestion
from archdsl.space import START, Chosen, Place, Question, QuestionKind, QuestionPath, QuestionScope, Step, spell_scope
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span


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
    starts: Sequence[Value] = ()
    """The maps that enter here: the last one, and before it the one before it."""
    broken: bool = False
    """Whether something at this place is wrong and reported."""

    @property
    def sources(self) -> dict[str, Place]:
        """The answers to the source question and the places that they read."""
        return self.source.places if self.source is not None else {}

    @property
    def question(self) -> QuestionPath | None:
        """The source question; None where there is but one source."""
        return self.source.question if self.source is not None else None


@dataclass(slots=True, eq=False)
class Grid(Structure):
    name: str
    axes: tuple[tuple[str, tuple[int, ...]], ...]
    body: Sequence[ast.Statement]
    env: Environment
    starts: dict[Place, tuple[ast.Expr, ...]]
    scope: QuestionScope
    """The scope of its places, without their indices."""
    existing: dict[Place, bool] = field(default_factory=dict[Place, bool])
    standing: dict[Place, Standing] = field(default_factory=dict[Place, Standing])

    def describe(self) -> str:
        return f"the grid `{self.name}`"

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        return Row(self, ()).part(ev, part, path, env)

    def at(self, place: Place) -> QuestionScope:
        """The scope of a place."""
        return (*self.scope[:-1], Step(self.name, indices=place))

    def spell(self, place: Place) -> str:
        return spell_scope(self.at(place))

    def exists(self, place: Place) -> bool:
        return self.existing.get(place, False)

    def reads(self, ev: Evaluator, expr: ast.Expr, env: Environment) -> Iterator[Read]:
        """The paths to maps of places in an expression of the body; paths to numbers that are chosen there are none."""
        for path, inside in grid_reads.reads(ev, expr, self.name, env):
            named = path.parts[len(self.axes) :]
            chosen = named and isinstance(named[0], ast.Attribute) and self.chosen(named[0].name) is not None
            if len(path.parts) >= len(self.axes) and not chosen:
                yield path, inside

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
        return replace(self.env, scope=scope, names={**self.env.names, **indices}, asking=self.at(place))


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
                f"`{unparse(path)}` names no one place: `{grid.name}` has {len(grid.axes)} indices",
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
                f"`{axis}` of `{self.grid.name}` is a number, and `{unparse(part.value)}` is {describe(index)}",
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
            return chosen_number(ev, grid, self.place, question)
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


def chosen_number(ev: Evaluator, grid: Grid, place: Place, statement: ast.Choose) -> Value:
    """A number that is chosen at a place: also one that another place asks for before this one is laid out."""
    env = grid.environment(place, Scope())
    candidates = list(ev.candidates(statement.domain, env))
    numbers = [each.value for each in candidates if isinstance(each.value, int) and not isinstance(each.value, bool)]
    if len(numbers) < len(candidates) or len(candidates) < 2:
        return choose_stmt.ask(ev, statement, candidates, env)
    path = env.question(statement.name.text)
    labels = edge_choice.spelled_once(ev, candidates, statement.domain.span)
    ev.builder.ask(Question(path, QuestionKind.WIDTH, labels, statement.per is not None, span=statement.span))
    return variable(Chosen(path, tuple(numbers)))


@dataclass(slots=True, eq=False)
class Source(Mapped):
    """`source` in `choose source in {trunk[layer - 1][scale], …}`: a map with `.prev`, as a chain's end has one."""

    grid: Grid
    standing: Standing
    name: str
    question: QuestionPath | None
    """None where one map alone can enter."""
    entry: Value
    """The map that enters."""
    heads: dict[str, Value] = field(default_factory=dict[str, Value])
    """By answer the maps that can enter, without the pipes that the set puts behind them."""
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    """The place that each of them comes from, but for what starts here."""
    before_start: Value | None = None
    """The map before the one that starts here."""
    piped: bool = False
    head: Value | None = None
    before: Value | None = None

    def describe(self) -> str:
        return "a map"

    def map(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        return ev.settle(self.entry)

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        if isinstance(part, ast.Attribute) and part.name == "prev":
            if self.before is None:
                self.before = self._before(ev, env, path.span)
            return ev.settle(self.before)
        name = part.name if isinstance(part, ast.Attribute) else ""
        return ev.poison(
            codes.UNKNOWN_ATTRIBUTE,
            f"the map `{self.name}` has no {f'`.{name}`' if name else 'places'}",
            part.span,
            "not there",
            help=suggestion(name, ["prev"]),
        )

    def chosen(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        """The map that was chosen, as its place gave it.

        Such maps may differ in resolution. They are then a value for each answer, and who reads it brings it to size.
        """
        if self.head is None:
            options = list(self.heads.items())
            if not self.piped:
                self.head = self.entry
            elif self.question is None:
                self.head = options[0][1]
            else:
                self.head = ev.join(self.question, options, self._inside(env), f"{self.name}_head", span)
        return self.head

    def _before(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        """For each map that can enter the one that its own place had chosen."""
        options: list[tuple[str, Value]] = []
        for label in self.heads:
            before = self.grid.standing[self.places[label]] if label in self.places else None
            if before is not None and before.broken:
                return POISON
            if before is not None and before.source is not None:
                options.append((label, before.source.chosen(ev, env, span)))
            elif label == START and self.before_start is not None:
                options.append((label, self.before_start))
            else:
                return self._nothing_before(ev, label, span)
        if self.question is None:
            return options[0][1]
        return ev.join(self.question, options, self._inside(env), f"{self.name}_prev", span)

    def _inside(self, env: Environment) -> Environment:
        return env.under(self.standing.scope)

    def _nothing_before(self, ev: Evaluator, label: str, span: Span) -> Value:
        at = "".join(f"[{index}]" for index in self.standing.place)
        starts = label == START
        here = self.grid.spell(self.standing.place)
        why = f"`{here}` starts with one map" if starts else f"`{label}` is no place of `{self.grid.name}`"
        start = self.grid.starts[self.standing.place][-1].span.text if starts else ""
        return ev.poison(
            codes.NO_INPUT,
            f"`{self.name}.prev` is the map before `{self.name}`, and {why}",
            span,
            "nothing stands before it",
            help=f"give both maps: `start {at} = before, {start}`" if starts else None,
        )
