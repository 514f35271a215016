"""The source that a place of a grid chooses: the map that enters it, and the map before that one (rules 9 and 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archdsl.sema import codes
from archdsl.sema.elaborate import choose_stmt as questions
from archdsl.sema.elaborate.values import POISON, Candidate, Mapped, Poison, Value
from archdsl.sema.reporter import suggestion
from archdsl.space import Place
from archdsl.syntax import ast
from archdsl.text import Span

if TYPE_CHECKING:
    from archdsl.sema.elaborate.environment import Environment
    from archdsl.sema.elaborate.evaluator import Evaluator
    from archdsl.sema.elaborate.grids import Grid, Standing

START = "start"
"""The answer that names what starts at a place, beside the places that it can read."""


@dataclass(slots=True, eq=False)
class Source(Mapped):
    """`source` in `choose source in {trunk[layer - 1][scale], …}`: a map with `.prev`, as a chain's end has one."""

    grid: Grid
    standing: Standing
    name: str
    question: str
    """Its path; empty where one map alone can enter."""
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
            elif not self.question:
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
        if not self.question:
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


def choose(ev: Evaluator, grid: Grid, standing: Standing, statement: ast.Choose, env: Environment) -> Value:
    """What the name of a `choose` between maps of the grid stands for: what starts here, or what its answer picks."""
    candidates = list(ev.candidates(statement.domain, env))
    starts = [ev.value(each, grid.env.under(env.scope)) for each in grid.starts.get(standing.place, ())]
    if starts:
        candidates.insert(0, Candidate(START, starts[-1]))
    name = statement.name.text
    source = Source(grid, standing, name, env.question(name) if len(candidates) > 1 else "", POISON)
    source.before_start = starts[0] if len(starts) > 1 else None
    source.piped = any(candidate.head for candidate in candidates)
    paths = {ev.spelled(path, env): path for path in grid.in_sets(statement.domain)}
    for candidate in candidates:
        path = paths.get(candidate.source)
        source.heads[candidate.source] = ev.value(path, env) if path and candidate.head else candidate.value
        if path and (place := grid.place_of(ev, path, env)) is not None:
            source.places[candidate.source] = place
    source.entry = questions.ask(ev, statement, candidates, env)
    if isinstance(source.entry, Poison):
        return POISON
    standing.source = standing.source or source
    return source
