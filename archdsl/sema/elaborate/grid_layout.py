"""Grids laid out: their directions, starts, and the cell and the questions of each place."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from archdsl.sema import codes
from archdsl.sema.elaborate import choose_stmt, grid_reads, instantiate
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.builder import NODE_LIMIT, Scope
from archdsl.sema.elaborate.grids import Grid, Source, Standing, chosen_number
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.values import (
    POISON,
    Callee,
    Candidate,
    Choice,
    Environment,
    Evaluator,
    Many,
    Map,
    Nothing,
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
        grid.existing[place] = _exists(ev, grid, place)
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
            _nowhere(ev, grid, statement, place)
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


def _nowhere(ev: Evaluator, grid: Grid, statement: ast.Start, place: tuple[Value, ...]) -> None:
    """A start that names no place; mostly the one before the first, where the map would come from."""
    written = "".join(map(_bracketed, place, statement.indices))
    axes = zip(place, grid.axes, strict=False)
    near = [indices[0] if type(index) is int and index == indices[0] - 1 else index for index, (_, indices) in axes]
    entered = tuple(index for index in near if type(index) is int)
    meant = len(place) == len(grid.axes) == len(entered) and all(
        index in indices for index, (_, indices) in zip(entered, grid.axes, strict=True)
    )
    ev.poison(
        codes.BAD_INDEX,
        f"`{grid.name}` has no place {written}",
        statement.span,
        "nothing can start here",
        help=f"name the place that the map enters: `start {_index(entered)} = {unparse(statement.value)}`"
        if meant
        else f"its directions are {' and '.join(f'`{axis}` in {_spelled(indices)}' for axis, indices in grid.axes)}",
    )


def _spelled(indices: tuple[int, ...]) -> str:
    """`1..12`, or `{4, 8, 16}`."""
    if len(indices) > 1 and indices == tuple(range(indices[0], indices[-1] + 1)):
        return f"{indices[0]}..{indices[-1]}"
    return f"{{{', '.join(map(str, indices))}}}"


def _bracketed(index: Value, written: ast.Expr) -> str:
    return f"[{index if type(index) is int else unparse(written)}]"


def _exists(ev: Evaluator, grid: Grid, place: Place) -> bool:
    """Whether something enters a place: a start, a map of a place that exists, or nothing but maps from elsewhere."""
    if place in grid.starts:
        return True
    env = grid.environment(place, Scope())
    from_elsewhere = True
    for expr in _inputs(ev, grid, env):
        for path, inside in grid.reads(ev, expr, env):
            if grid.place_of(ev, path, inside) is not None:
                return True
            from_elsewhere = False
    return from_elsewhere


def _inputs(ev: Evaluator, grid: Grid, env: Environment) -> Iterator[ast.Expr]:
    """What is read at a place; lines that calculate numbers are names in `env` from there on."""
    for statement in grid.body:
        match statement:
            case ast.Choose(domain=domain):
                yield domain
            case ast.Assign(target=target, value=value) if grid_reads.is_known(value, env):
                env.names[target.path.head.text] = ev.value(value, env)
            case ast.Assign(value=value):
                yield value
            case ast.Place(arguments=arguments):
                yield from (argument.value for argument in arguments if argument.name is None)
            case _:
                pass


def _lay_out(ev: Evaluator, grid: Grid, place: Place) -> None:
    cell = next((each for each in grid.body if isinstance(each, ast.Place)), None)
    local = grid.name + "".join(f"[{index}]" for index in place)
    scope = grid.env.scope.child(FrameKind.CELL, local, unparse(cell.cell) if cell else "")
    env = grid.environment(place, scope)
    standing = Standing(place, scope, env.names)
    standing.starts = [ev.value(each, grid.env.under(scope)) for each in grid.starts.get(place, ())]
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


def _chooses_source(grid: Grid, statement: ast.Statement) -> bool:
    return isinstance(statement, ast.Choose) and grid_reads.names_grid(statement.domain, grid.name)


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
    entering = _started(ev, grid, standing, ports, callee, statement)
    if entering is None:
        standing.broken = True
        return {}
    if standing.source is not None:
        standing.entry = standing.source.entry
    elif entering:
        standing.entry = entering[0]
    asking = env.asking if statement.each else (Step(callee.name, statement.tag.text if statement.tag else ""),)
    value = instantiate.place(ev, callee, entering, named, env, asking, statement.span)
    match value:
        case Outputs(_, maps):
            standing.broken = any(isinstance(each, Poison) for each in maps.values())
            return dict(maps)
        case Map() | Many() | Choice() | Nothing():
            return {"": value}
        case Poison():
            pass
        case other:
            message = f"`{callee.name}` gives {describe(other)}, and a place of a grid gives maps"
            ev.poison(codes.WRONG_KIND, message, statement.span, "a map is needed")
    standing.broken = True
    return {}


def _started(
    ev: Evaluator, grid: Grid, standing: Standing, ports: list[Value], callee: Callee, statement: ast.Place
) -> list[Value] | None:
    """The cell's inputs, with the maps that start here in place of those that do not exist; None where that is wrong.

    Where the place chooses its source a start is one of its candidates, and what it chose is an input that exists.
    """
    if any(isinstance(port, Poison) for port in ports):
        return ports
    starts, here = standing.starts, grid.spell(standing.place)
    missing = [position for position, port in enumerate(ports) if isinstance(port, Nothing)]
    if starts and not missing and not any(_chooses_source(grid, each) for each in grid.body):
        ev.poison(
            codes.OUT_OF_PLACE,
            f"a map starts at `{here}`, and every input of `{callee.name}` exists there",
            next(iter(grid.starts[standing.place])).span,
            "enters nothing",
            help=f"start where an input is missing, or ask which map enters: `choose source in {{{grid.name}[…], …}}`, "
            f"then `{callee.name}(source)`",
        )
        return None
    if not starts and missing and len(missing) == len(ports):
        ev.poison(
            codes.NO_INPUT,
            f"`{callee.name}` reads nothing at `{here}`: what it names does not exist there",
            statement.span,
            f"no input at `{here}`",
            help=f"write `start {_index(standing.place)} = x` with what enters there, or read a place that exists",
        )
        return None
    if starts and len(missing) > len(starts):
        ev.poison(
            codes.WRONG_ARITY,
            f"`{callee.name}` lacks {len(missing)} inputs at `{here}`, and {len(starts)} "
            f"{'map starts' if len(starts) == 1 else 'maps start'} there",
            statement.span,
            "too few maps",
            help=f"give both: `start {_index(standing.place)} = before, x`",
        )
        return None
    entering = list(ports)
    for position, value in zip(missing, starts[len(starts) - len(missing) :], strict=False):
        entering[position] = value
    return entering


def _index(place: Place) -> str:
    return "".join(f"[{index}]" for index in place)


def _trellis(grid: Grid) -> Trellis:
    asked = (each.question.name for each in grid.standing.values() if each.question is not None)
    question = next(asked, "")
    standing = grid.standing.items()
    starts = frozenset(place for place, each in standing if each.source is not None and START in each.source.heads)
    return Trellis(grid.scope, {place: each.sources for place, each in standing}, question, starts)


def _source(ev: Evaluator, grid: Grid, standing: Standing, statement: ast.Choose, env: Environment) -> Value:
    """What the name of a `choose` between maps of the grid stands for: what starts here, or what its answer picks."""
    candidates = list(ev.candidates(statement.domain, env))
    starts = standing.starts
    if starts:
        candidates.insert(0, Candidate(START, starts[-1]))
    name = statement.name.text
    source = Source(grid, standing, name, env.question(name) if len(candidates) > 1 else None, POISON)
    source.before_start = starts[0] if len(starts) > 1 else None
    source.piped = any(candidate.head for candidate in candidates)
    paths = {ev.spelled(path, inside): (path, inside) for path, inside in grid.reads(ev, statement.domain, env)}
    for candidate in candidates:
        source.heads[candidate.source] = candidate.value
        if candidate.source not in paths:
            continue
        path, inside = paths[candidate.source]
        if candidate.head:
            source.heads[candidate.source] = ev.value(path, inside)
        if (place := grid.place_of(ev, path, inside)) is not None:
            source.places[candidate.source] = place
    source.entry = choose_stmt.ask(ev, statement, candidates, env)
    if isinstance(source.entry, Poison):
        return POISON
    standing.source = standing.source or source
    return source
