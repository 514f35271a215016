"""Grids laid out: their directions, starts, and the cell and the questions of each place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from archdsl.sema import codes
from archdsl.sema.elaborate import choose_stmt, instantiate
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.builder import NODE_LIMIT, Scope
from archdsl.sema.elaborate.grids import Grid, Source, Standing, chosen_number
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.values import (
    POISON,
    Callee,
    Candidate,
    Environment,
    Evaluator,
    Many,
    Map,
    Outputs,
    Poison,
    Value,
    describe,
)
from archdsl.space import START, FrameKind, Place, Step, Trellis
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse

PLACE_LIMIT = 2_000
"""No grid in a text has more places: each takes half a millisecond, and the largest published one has 48."""

FORECAST = 100
"""After so many places the nodes of all are estimated, and a grid with too many is refused."""


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
    grid = Grid(name, axes, structure.body, env, {}, env.step(name))
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
    return f"[{index if type(index) is int else unparse(written)}]"


def _has_source(ev: Evaluator, grid: Grid, place: Place) -> bool:
    """Whether one of the places that this one's sets name exists."""
    env = grid.environment(place, Scope())
    return any(grid.place_of(ev, path, env) is not None for path in _sources(grid))


def _sources(grid: Grid) -> Iterator[ast.Path]:
    """The maps of other places that the body names in sets: `{trunk[layer - 1][scale].stay, …}`."""
    for statement in grid.body:
        if isinstance(statement, ast.Choose | ast.Assign):
            yield from grid.in_sets(statement.domain if isinstance(statement, ast.Choose) else statement.value)


def _lay_out(ev: Evaluator, grid: Grid, place: Place) -> None:
    cell = next((each for each in grid.body if isinstance(each, ast.Place)), None)
    local = grid.name + "".join(f"[{index}]" for index in place)
    scope = grid.env.scope.child(FrameKind.CELL, local, unparse(cell.cell) if cell else "")
    env = grid.environment(place, scope)
    standing = Standing(place, scope, env.names)
    grid.standing[place] = standing
    for statement in grid.body:
        match statement:
            case ast.Choose() if _chooses_source(grid, statement):
                env.names[statement.name.text] = _source(ev, grid, standing, statement, env)
            case ast.Choose():
                env.names[statement.name.text] = chosen_number(ev, grid, place, statement)
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
    return any(True for _ in grid.in_sets(statement.domain))


def _cell(ev: Evaluator, grid: Grid, standing: Standing, statement: ast.Place, env: Environment) -> dict[str, Value]:
    callee = ev.path(statement.cell, env)
    if isinstance(callee, Poison):
        standing.broken = True
        return {}
    if not isinstance(callee, Callee) or not isinstance(callee.definition, ast.Cell):
        ev.poison(
            codes.UNKNOWN_CELL,
            f"`{unparse(statement.cell)}` is {describe(callee)}, and a cell stands in a grid",
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
            ports += port_values(ev, argument, env)
        else:
            named.append(argument)
    if standing.source is not None:
        standing.entry = standing.source.entry
    elif ports:
        standing.entry = ports[0]
    asking = env.asking if statement.each else (Step(callee.name, statement.tag.text if statement.tag else ""),)
    value = instantiate.place(ev, callee, ports, named, env, asking, statement.span)
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
    asked = (each.question.name for each in grid.standing.values() if each.question is not None)
    question = next(asked, "")
    standing = grid.standing.items()
    starts = frozenset(place for place, each in standing if each.source is not None and START in each.source.heads)
    return Trellis(grid.scope, {place: each.sources for place, each in standing}, question, starts)


def _source(ev: Evaluator, grid: Grid, standing: Standing, statement: ast.Choose, env: Environment) -> Value:
    """What the name of a `choose` between maps of the grid stands for: what starts here, or what its answer picks."""
    candidates = list(ev.candidates(statement.domain, env))
    starts = [ev.value(each, grid.env.under(env.scope)) for each in grid.starts.get(standing.place, ())]
    if starts:
        candidates.insert(0, Candidate(START, starts[-1]))
    name = statement.name.text
    source = Source(grid, standing, name, env.question(name) if len(candidates) > 1 else None, POISON)
    source.before_start = starts[0] if len(starts) > 1 else None
    source.piped = any(candidate.head for candidate in candidates)
    paths = {ev.spelled(path, env): path for path in grid.in_sets(statement.domain)}
    for candidate in candidates:
        path = paths.get(candidate.source)
        source.heads[candidate.source] = ev.value(path, env) if path and candidate.head else candidate.value
        if path and (place := grid.place_of(ev, path, env)) is not None:
            source.places[candidate.source] = place
    source.entry = choose_stmt.ask(ev, statement, candidates, env)
    if isinstance(source.entry, Poison):
        return POISON
    standing.source = standing.source or source
    return source
