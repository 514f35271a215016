"""`branches a, b in trunk[16]`: the ends that a network joins, each with a path of its own.

See `rule-branches` and `rule-places-of-a-branch`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.sema import codes
from archdsl.sema.elaborate.builder import Scope
from archdsl.sema.elaborate.grids import Grid, Row
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    BranchEnd,
    Choice,
    Environment,
    Evaluator,
    Map,
    Method,
    Nothing,
    Poison,
    Value,
    describe,
)
from archdsl.sema.reporter import suggestion
from archdsl.space import Branch, Ends, FrameKind, OfBranch, Ordered, Place, Question, QuestionKind, QuestionPath
from archdsl.syntax import ast
from archdsl.text import Span

Make: TypeAlias = "Callable[[Place], Value]"


@dataclass(slots=True, eq=False)
class GridBranch(BranchEnd):
    """A branch through a grid. What it offers depends on where it ends: `scale`, `last`, `at(8)`."""

    name: str
    branch: Branch
    grid: Grid
    prefix: Place
    ends: dict[str, Place]
    scope: Scope
    seen: dict[tuple[str, int], Value] = field(default_factory=dict[tuple[str, int], Value])

    def describe(self) -> str:
        return f"the branch `{self.name}`"

    @property
    def axis(self) -> str:
        """The direction in which branches end at different places: `scale`."""
        return self.grid.axes[-1][0]

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        name = part.name if isinstance(part, ast.Attribute) else ""
        if name == self.axis:
            return self.each(ev, lambda place: place[-1])
        if name == "last":
            return self.each(ev, lambda place: self.owned(ev, self.last(place), "last", path.span), env, path.span)
        if name == "at":
            return At(self)
        known = [self.axis, "last", "at"]
        return ev.poison(
            codes.UNKNOWN_ATTRIBUTE,
            f"the branch `{self.name}` has no `{name or '[…]'}`",
            part.span,
            "not there",
            help=suggestion(name, known),
        )

    def each(self, ev: Evaluator, make: Make, env: Environment | None = None, span: Span | None = None) -> Value:
        """A value for each end, or the one for the end that is taken for granted."""
        question = self.branch.end
        if question in ev.assumed:
            place = self.ends.get(ev.assumed[question])
            return NOTHING if place is None else make(place)
        if len(self.ends) == 1:
            return make(next(iter(self.ends.values())))
        options = [(answer, ev.assuming(question, answer, make, place)) for answer, place in self.ends.items()]
        if env is None or span is None:
            return Choice(question, tuple(options))
        return ev.join(question, options, env, "branch", span)

    def last(self, place: Place) -> Value:
        """The map of the branch's last cell."""
        if self.grid.standing[place].broken:
            return POISON
        outputs = (each for each in self.grid.standing[place].outputs.values() if not isinstance(each, Nothing))
        return next(outputs, NOTHING)

    def owned(self, ev: Evaluator, value: Value, local: str, span: Span) -> Value:
        """A map of the grid as this branch sees it."""
        if not isinstance(value, Map):
            return value
        key = (local, value.node)
        if key not in self.seen:
            self.seen[key] = Map(ev.builder.pass_on(self.scope, local, OfBranch(self.branch), value.node, span))
        return self.seen[key]

    def leaving(self, ev: Evaluator, scale: int, end: Place, env: Environment, span: Span) -> Value:
        """The last map at `scale` of a path that ends at `end` (`rule-places-of-a-branch`).

        A cell with outputs of several names leaves the scale by one of them, and its input is the last map there; one
        whose output has no name gives that map itself.
        """
        grid = self.grid
        found: dict[Place, Value] = {}
        for place, standing in grid.standing.items():
            options: list[tuple[str, Value]] = []
            for label, source in standing.sources.items():
                if source[-1] == scale and place[-1] != scale:
                    left = grid.standing[source]
                    options.append((label, left.outputs[""] if list(left.outputs) == [""] else left.entry))
                else:
                    options.append((label, found.get(source, NOTHING)))
            if standing.question is None:
                found[place] = options[0][1] if options else NOTHING
            elif all(isinstance(value, Nothing) for _, value in options):
                found[place] = NOTHING
            else:
                found[place] = _remembered(ev, grid, standing.question, options, scale, place, env, span)
            if place == end:
                break
        return found[end]


class At(Method):
    """`branch.at(8)`: its last map at a scale that it passed; its last map of all at the scale where it ends."""

    def __init__(self, branch: GridBranch) -> None:
        self.branch = branch

    def call(self, ev: Evaluator, given: list[Value], env: Environment, span: Span) -> Value:
        branch = self.branch
        axis = branch.axis
        if len(given) != 1 or isinstance(given[0], bool) or not isinstance(given[0], int):
            if any(isinstance(value, Poison) for value in given):
                return POISON
            found = describe(given[0]) if given else "none"
            return ev.poison(
                codes.WRONG_KIND,
                f"`at` takes one {axis}, a number, and gets {found}",
                span,
                "here",
                help=f"write `{branch.name}.at({branch.grid.axes[-1][1][0]})`",
            )
        scale = given[0]
        if scale not in branch.grid.axes[-1][1]:
            known = ", ".join(map(str, branch.grid.axes[-1][1]))
            return ev.poison(
                codes.BAD_INDEX, f"`{branch.grid.name}` has no {axis} {scale}", span, "here", help=f"it has {known}"
            )

        def make(place: Place) -> Value:
            if place[-1] == scale:
                return branch.owned(ev, branch.last(place), "last", span)
            return branch.owned(ev, branch.leaving(ev, scale, place, env, span), f"at_{scale}", span)

        return branch.each(ev, make, env, span)


def _remembered(
    ev: Evaluator,
    grid: Grid,
    question: QuestionPath,
    options: list[tuple[str, Value]],
    scale: int,
    place: Place,
    env: Environment,
    span: Span,
) -> Value:
    standing = grid.standing[place]
    name = f"at_{scale}"
    if name not in standing.names:
        standing.names[name] = ev.join(question, options, env.under(standing.scope), name, span)
    return standing.names[name]


def build(ev: Evaluator, statement: ast.Branches, env: Environment) -> None:
    names = [name.text for name in statement.names]
    domain = statement.domain
    row = ev.path(domain, env) if isinstance(domain, ast.Path) else ev.value(domain, env)
    if isinstance(row, Grid):
        row = Row(row, ())
    if not isinstance(row, Row) or len(row.place) != len(row.grid.axes) - 1:
        if not isinstance(row, Poison):
            ev.poison(
                codes.WRONG_KIND,
                f"branches end in a row of a grid, and this is {describe(row)}",
                statement.domain.span,
                "no row",
                help="write all indices of a grid but the last: `branches a, b in trunk[16]`",
            )
        env.names.update(dict.fromkeys(names, POISON))
        return
    grid = row.grid
    places = [(*row.place, index) for index in grid.axes[-1][1] if grid.exists((*row.place, index))]
    if len(places) < len(names):
        ev.poison(
            codes.EMPTY_SET,
            f"there {'is 1 place' if len(places) == 1 else f'are {len(places)} places'} to end at, "
            f"and {len(names)} branches",
            statement.span,
            "too many branches",
        )
        env.names.update(dict.fromkeys(names, POISON))
        return
    for position, name in enumerate(names):
        ends = places[position : len(places) - len(names) + 1 + position]
        answers = {str(place[-1]): place for place in ends}
        scope = env.scope.child(FrameKind.LINE, name)
        branch = Branch(env.asking, name)
        env.names[name] = GridBranch(name, branch, grid, row.place, answers, scope)
        ev.builder.branches[branch] = Ends(grid.scope, answers)
        if len(answers) > 1:
            span = statement.names[position].span
            ev.builder.ask(Question(branch.end, QuestionKind.BRANCH, tuple(answers), span=span))
    ordered = Ordered(tuple(Branch(env.asking, name) for name in names))
    if ordered not in ev.builder.constraints:  # instances of a cell that share their answers share their branches
        ev.builder.constraints.append(ordered)
