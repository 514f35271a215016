"""Chains and hyper-cells: cells one after the other, each fed with the two maps before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from archdsl.sema import codes
from archdsl.sema.elaborate import calls, edge_choice, instantiate
from archdsl.sema.elaborate.arguments import port_values
from archdsl.sema.elaborate.builder import NODE_LIMIT
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    Callee,
    Candidate,
    Environment,
    Evaluator,
    Mapped,
    Nothing,
    Outputs,
    Poison,
    Value,
    describe,
)
from archdsl.sema.reporter import suggestion
from archdsl.space import FrameKind, Question, QuestionKind, QuestionPath, Step
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

CELL_LIMIT = 100_000
"""No chain in a text has more cells."""


@dataclass(slots=True, eq=False)
class Chain(Mapped):
    """Cells in a row. The name stands for the map at its end: the last one, or the one at the exit that is chosen.

    Cells with outputs of several names hand all of them on, and the name then stands for those at the end.
    """

    name: str
    starts: list[Value]
    maps: list[Value] = field(default_factory=list[Value])
    """The map of each cell, from the first."""
    exits: tuple[str, ...] = ()
    """The answers of the exit question; empty where the chain asks for none."""
    question: QuestionPath | None = None
    ends: dict[int, Value] = field(default_factory=dict[int, Value])

    def describe(self) -> str:
        return f"the chain `{self.name}`"

    def map(self, ev: Evaluator, env: Environment, span: Span) -> Value:
        return self._end(ev, 0, env, span)

    def part(self, ev: Evaluator, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        if isinstance(part, ast.Attribute):
            match part.name:
                case "last":
                    return self._end(ev, 0, env, path.span)
                case "prev":
                    return self._end(ev, 1, env, path.span)
                case other:
                    return self._output(ev, other, part, path, env)
        return self._cell(ev, part, env)

    def _output(self, ev: Evaluator, name: str, part: ast.Attribute, path: ast.Path, env: Environment) -> Value:
        """An output by its name at the end of a chain that carries several."""
        end = self._end(ev, 0, env, path.span)
        known = list(end.maps) if isinstance(end, Outputs) else []
        if isinstance(end, Outputs) and name in end.maps:
            return ev.settle(end.maps[name])
        return ev.poison(
            codes.UNKNOWN_ATTRIBUTE,
            f"the chain `{self.name}` has no `{name}`",
            part.span,
            "not there",
            help=suggestion(name, [*known, "last", "prev"]),
        )

    def _cell(self, ev: Evaluator, part: ast.Index, env: Environment) -> Value:
        index = ev.value(part.value, env)
        if isinstance(index, Poison | Nothing):
            return index
        if isinstance(index, bool) or not isinstance(index, int) or not 1 <= index <= len(self.maps):
            shown = index if isinstance(index, int) else unparse(part.value)
            return ev.poison(
                codes.BAD_INDEX,
                f"`{self.name}` has {len(self.maps)} cells, and no cell {shown}",
                part.span,
                "no such cell",
                help=f"count from 1 to {len(self.maps)}",
            )
        return ev.settle(self.maps[index - 1])

    def _end(self, ev: Evaluator, back: int, env: Environment, span: Span) -> Value:
        """The map at the end, or `back` cells before it; before the first cell the maps that the chain was given."""
        if self.question is None:
            return self.before(len(self.maps) - back)
        if self.question in ev.assumed:
            return self.before(int(ev.assumed[self.question]) - back)
        if back not in self.ends:
            options = [(answer, self.before(int(answer) - back)) for answer in self.exits]
            self.ends[back] = ev.join(self.question, options, env, "exit" if back == 0 else "prev", span)
        return self.ends[back]

    def before(self, position: int) -> Value:
        """The map of the cell at a position from 1; 0 and below are the maps that the chain was given."""
        if position >= 1:
            return self.maps[position - 1] if position <= len(self.maps) else NOTHING
        return self.starts[position - 1] if len(self.starts) >= 1 - position else NOTHING

    def last(self, position: int, count: int) -> list[Value]:
        """The maps of so many cells up to a position."""
        return [self.before(position - back) for back in reversed(range(count))]


def build(ev: Evaluator, structure: ast.Structure, env: Environment, *, asks_exit: bool) -> None:
    name = structure.target.path.head.text
    given = [argument for argument in structure.arguments if argument.within is None]
    starts = [value for argument in given for value in port_values(ev, argument, env)]
    chain = Chain(name, starts)
    env.names[name] = chain
    if any(isinstance(value, Poison) for value in starts):
        env.names[name] = POISON
        return
    if not starts:
        ev.poison(
            codes.NO_INPUT,
            f"the chain `{name}` is given no map",
            structure.target.span,
            "nothing to begin with",
            help=f"write `{name} = {structure.kind.text}(x)` with the map, or the two maps, before its first cell",
        )
        env.names[name] = POISON
        return
    counted = _counted(ev, name, structure.body, env)
    counters = _counters(ev, structure, sum(count for _, count in counted), env)
    if counters is None:
        env.names[name] = POISON
        return
    for position, place in enumerate(_places(ev, counted), start=1):
        numbers: dict[str, Value] = {counter: numbers[position - 1] for counter, numbers in counters}
        value = _stand(ev, chain, position, place, replace(env, names={**env.names, **numbers}) if numbers else env)
        if isinstance(value, Poison):
            env.names[name] = POISON
            return
        chain.maps.append(value)
    _ask_exit(ev, chain, structure, env, asks_exit=asks_exit)


def _counters(
    ev: Evaluator, structure: ast.Structure, count: int, env: Environment
) -> list[tuple[str, Sequence[int]]] | None:
    """`chain(x, layer in 1..12)`: the number that each cell has by a name; None where one is wrong and reported."""
    found: list[tuple[str, Sequence[int]]] = []
    for argument in structure.arguments:
        if argument.within is None:
            continue
        if not isinstance(argument.value, ast.Path) or argument.value.parts:
            ev.poison(
                codes.OUT_OF_PLACE,
                "a chain numbers its cells by a name",
                argument.value.span,
                "not a name",
                help="write `chain(x, layer in 1..12)`",
            )
            return None
        values = [candidate.value for candidate in ev.candidates(argument.within, env)]
        numbers = [value for value in values if isinstance(value, int) and not isinstance(value, bool)]
        if len(numbers) < len(values) or len(numbers) != count:
            if not any(isinstance(value, Poison) for value in values):
                counter, chain = argument.value.head.text, structure.target.path.head.text
                ev.poison(
                    codes.WRONG_ARITY,
                    f"`{counter}` has {len(numbers)} numbers, and the chain `{chain}` has {count} cells",
                    argument.span,
                    "a whole number for each cell is needed",
                )
            return None
        found.append((argument.value.head.text, numbers))
    return found


def _counted(ev: Evaluator, name: str, body: Sequence[ast.Statement], env: Environment) -> list[tuple[ast.Place, int]]:
    """The cells, each with how often it stands there."""
    places = [statement for statement in body if isinstance(statement, ast.Place)]
    counted = [(place, _repetitions(ev, place, env)) for place in places]
    total = sum(count for _, count in counted)
    if total > CELL_LIMIT:
        raise TooLarge(body[0].span, f"the chain `{name}` has {total:,} cells; {CELL_LIMIT:,} are allowed")
    return counted


def _places(ev: Evaluator, counted: Sequence[tuple[ast.Place, int]]) -> Iterator[ast.Place]:
    """The cells, refused before too many are laid out."""
    for statement, count in counted:
        fewest = NODE_LIMIT
        for position in range(count):
            before = len(ev.builder.nodes)
            yield statement
            fewest = min(fewest, len(ev.builder.nodes) - before)
            if position == 2 and len(ev.builder.nodes) + fewest * (count - 3) > NODE_LIMIT:
                what = f"{count:,} cells of {fewest:,} nodes each are more than {NODE_LIMIT:,} nodes"
                raise TooLarge(statement.span, what)


def _repetitions(ev: Evaluator, statement: ast.Place, env: Environment) -> int:
    if statement.repeat is None:
        return 1
    count = ev.value(statement.repeat, env)
    if isinstance(count, int) and not isinstance(count, bool) and count >= 0:
        return count
    if not isinstance(count, Poison):
        shown = count if isinstance(count, int) else describe(count)
        ev.poison(
            codes.WRONG_KIND,
            f"a cell is repeated a whole number of times, not {shown}",
            statement.repeat.span,
            "here",
            help="to ask how deep a chain is, write `choose exit in {2, 3, 4}` in it",
        )
    return 0


def _stand(ev: Evaluator, chain: Chain, position: int, place: ast.Place, env: Environment) -> Value:
    """One cell of the chain on the two maps before it, or on the last where it reads one."""
    callee = ev.path(place.cell, env)
    if isinstance(callee, Poison):
        return POISON
    if not isinstance(callee, Callee) or not isinstance(callee.definition, ast.Cell | ast.Op):
        return ev.poison(
            codes.UNKNOWN_CELL,
            f"`{unparse(place.cell)}` is {describe(callee)}, and a cell stands in a chain",
            place.cell.span,
            "not a cell",
        )
    standing = f"{chain.name}[{position}]"
    scope = env.scope.child(FrameKind.CELL, standing, callee.name)
    inner = env.under(scope)
    if isinstance(callee.definition, ast.Op):
        return calls.call(ev, callee, [chain.before(position - 1)], place.arguments, inner, place.span)
    count = instantiate.port_count(callee.definition)
    handed = chain.before(position - 1)
    if isinstance(handed, Outputs) and len(handed.maps) != count:
        return ev.poison(
            codes.WRONG_ARITY,
            f"`{callee.name}` reads {count} {'map' if count == 1 else 'maps'}, "
            f"and `{handed.cell}` before it gives {len(handed.maps)}",
            place.span,
            "cannot be handed on",
            help="a chain hands on all outputs of a cell: end it here, and name those that go on",
        )
    before = list(handed.maps.values()) if isinstance(handed, Outputs) else chain.last(position - 1, count)
    if any(isinstance(value, Nothing) for value in before):
        return ev.poison(
            codes.WRONG_ARITY,
            f"`{callee.name}` reads {count} maps, and there {'is' if position == 1 else 'are'} "
            f"{count - sum(isinstance(value, Nothing) for value in before)} before it",
            place.span,
            "too few maps before it",
            help=f"give `{chain.name}` as many maps to begin with",
        )
    tagged = Step(callee.name, place.tag.text if place.tag else "")
    asking = env.step(chain.name, position) if place.each else (tagged,)
    return instantiate.place(ev, callee, before, place.arguments, inner, asking, place.span)


def _ask_exit(ev: Evaluator, chain: Chain, structure: ast.Structure, env: Environment, *, asks_exit: bool) -> None:
    chosen = next((each for each in structure.body if isinstance(each, ast.Choose)), None)
    if chosen is None and not asks_exit:
        return
    answers = [Candidate(str(number), number) for number in range(1, len(chain.maps) + 1)]
    span = structure.span
    if chosen is not None:
        span = chosen.span
        answers = list(ev.candidates(chosen.domain, env))
        for answer in answers:
            if isinstance(answer.value, Poison):
                return
            if isinstance(answer.value, bool) or not isinstance(answer.value, int):
                ev.poison(codes.WRONG_KIND, "an exit is the number of a cell", chosen.domain.span, "here")
                return
            if not 1 <= answer.value <= len(chain.maps):
                ev.poison(
                    codes.BAD_INDEX,
                    f"exit {answer.value} of `{chain.name}` lies beyond its {len(chain.maps)} cells",
                    chosen.domain.span,
                    "no such cell",
                    help=f"exits count from 1 to {len(chain.maps)}",
                )
                return
    if len(answers) < 2:
        if answers:
            chain.maps = chain.maps[: int(answers[0].spelled)]
        return
    name = chosen.name.text if chosen else "exit"
    chain.question = env.question(name, chain.name)
    chain.exits = edge_choice.spelled_once(ev, answers, chosen.domain.span if chosen else structure.span)
    ev.builder.ask(Question(chain.question, QuestionKind.EXIT, chain.exits, span=span))
