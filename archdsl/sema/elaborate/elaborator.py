"""Evaluates expressions: what a text says becomes values, nodes and questions of a program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from archdsl.diagnostics import Fix
from archdsl.diagnostics import Label as Mark
from archdsl.ops import Dim, Primitive, Shape
from archdsl.sema import codes
from archdsl.sema.elaborate import (
    built_in,
    call_expr,
    case_expr,
    comparing,
    instantiate,
    map_arithmetic,
    select,
    statements,
)
from archdsl.sema.elaborate.arguments import partial, refuse_unnamed
from archdsl.sema.elaborate.arithmetic import ArithmeticMistake, Number, power, product, total, whole
from archdsl.sema.elaborate.builder import Builder
from archdsl.sema.elaborate.limits import TooLarge
from archdsl.sema.elaborate.map_arithmetic import is_map
from archdsl.sema.elaborate.place_indices import chosen_index, each_place, names_several, numbered, with_index
from archdsl.sema.elaborate.values import (
    NOTHING,
    POISON,
    SEARCHING,
    Callee,
    Candidate,
    Choice,
    Environment,
    Many,
    Map,
    Mapped,
    Nothing,
    Outputs,
    Poison,
    Size,
    Structure,
    Value,
    describe,
)
from archdsl.sema.modules.library import is_packaged
from archdsl.sema.modules.load import Found, Unit
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.sema.resolve.name_ranges import names_between
from archdsl.space import Apply, QuestionPath, assume, chosen_in
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

_OPEN = (Choice, Dim)
"""What answers that are taken for granted can decide."""

RANGE_LIMIT = 100_000
"""No range in a text holds more numbers."""


@dataclass(slots=True)
class Elaborator:
    builder: Builder
    reporter: Reporter
    assumed: dict[QuestionPath, str] = field(default_factory=dict[QuestionPath, str])
    """Answers taken for granted while one option of a choice is laid out."""
    sets: dict[int, Many] = field(default_factory=dict[int, Many])
    """The sets that were evaluated."""
    distinct: dict[int, tuple[ast.Expr, ...]] = field(default_factory=dict[int, "tuple[ast.Expr, ...]"])
    """The items of sets, each once: trees are compared as a whole, and a set in a grid is read at every place."""
    applied: dict[object, tuple[Apply, Shape]] = field(default_factory=dict[object, "tuple[Apply, Shape]"])
    """Primitives that were applied to maps of these shapes with these parameters: networks repeat themselves."""
    wrong: bool = False
    """Whether something is wrong, here or in what was reported before."""

    # Expressions --------------------------------------------------------------------------------

    def value(self, expr: ast.Expr, env: Environment) -> Value:
        """What the expression means here; POISON where that has been reported to be wrong."""
        self.builder.work.spend(expr.span)
        match expr:
            case ast.Path() if names_several(expr):
                return Many(tuple(self.candidates(expr, env)))
            case ast.Path():
                if (index := chosen_index(self, expr, env)) is not None:
                    return self._chosen_place(expr, *index, env)
                value = self.path(expr, env)
                return value.map(self, env, expr.span) if isinstance(value, Mapped) and value.whole else value
            case ast.Number(value=value):
                return value if isinstance(value, int) else whole(value)
            case ast.Shape(dims=dims):
                return Size(dims)
            case ast.String(value=value):
                return value
            case ast.Call():
                return call_expr.at_head(self, expr, env)
            case ast.Set() | ast.Range():
                return Many(tuple(self.candidates(expr, env)))
            case ast.Pipe(head=head, steps=steps):
                return call_expr.pipe(self, head, steps, env)
            case ast.Add(terms=terms):
                return self._sum(expr, [(sign, self.value(term, env), term) for sign, term in terms], env)
            case ast.Multiply(factors=factors):
                values = [(operator, self.value(factor, env), factor) for operator, factor in factors]
                return self._product(values, env, expr.span)
            case ast.Negate(value=inner):
                value = self.settle(self.value(inner, env))
                if is_map(value):
                    return map_arithmetic.negative(self, value, env, expr.span)
                return self._numbers([("-", value, inner)], total, expr.span)
            case ast.Power(base=base, exponent=exponent):
                pair = [("", self.value(base, env), base), ("", self.value(exponent, env), exponent)]
                return self._numbers(pair, lambda terms: power(*(term for _, term in terms)), expr.span)
            case ast.Case():
                return case_expr.evaluate(self, expr, env)
            case ast.Tag():
                return self.poison(
                    codes.OUT_OF_PLACE,
                    "a name after `@` is one of weights, and these have none",
                    expr.span,
                    "here",
                    help="write `weights@name` in the call of an op or a cell",
                )
            case ast.Compare():
                return comparing.compare(self, expr, env)
            case ast.Tuple():
                return self.poison(codes.OUT_OF_PLACE, "a list has no meaning in a network", expr.span, "here")

    def _chosen_place(self, path: ast.Path, position: int, number: Dim, env: Environment) -> Value:
        """What stands at a place that an answer names: the level of a grid that goes on, a cell of a chain."""
        chosen = next(chosen_in(number), None)
        if chosen is None:
            what = f"places are counted in numbers of the text, and `{unparse(path)}` hangs on a map's channel count"
            return self.poison(codes.BAD_INDEX, what, path.parts[position].span, "no index")
        options: list[tuple[str, Value]] = []
        for label in map(str, chosen.numbers):
            place = assume(number, {chosen.question: label})
            there = with_index(path, position, place) if isinstance(place, int) else None
            value = self.assuming(chosen.question, label, self.value, there, env) if there else NOTHING
            options.append((label, value))
        self.builder.chooses_source(chosen.question)
        return self.join(chosen.question, options, env, "place", path.span)

    def path(self, path: ast.Path, env: Environment) -> Value:
        value = self.name(path, env)
        for part in path.parts[1 if isinstance(value, Callee | Many) and path.head.text in env.unit.aliases else 0 :]:
            value = self.part(value, part, path, env)
        return value

    def name(self, path: ast.Path, env: Environment) -> Value:
        value = self._named(path, env)
        if isinstance(value, Many):
            self.builder.work.spend(path.span, len(value.items))
        return value

    def _named(self, path: ast.Path, env: Environment) -> Value:
        name = path.head.text
        if name in env.names:
            return self.settle(env.names[name])
        match name:
            case "yes" | "no":
                return name == "yes"
            case "searching":
                return SEARCHING
            case "earlier":
                return Many(tuple(Candidate(each, env.names[each]) for each in env.run))
            case _:
                found = env.unit.find_path(path) or env.unit.find(name)
                return self.definition(found, env) if found else self.unknown(path.head, env)

    def definition(self, found: Found, env: Environment) -> Value:
        if not isinstance(found.item, Primitive) and found.item.name.text in found.unit.broken:
            return self._lost()
        match found.item:
            case ast.Ops(value=ast.Set(items=())):
                return self._lost()
            case ast.Ops():
                return self.op_set(found.item, found.unit, env)
            case ast.Op() | ast.Cell():
                return Callee(found.item, found.unit, found.item.name.text)
            case ast.Space() | ast.Cost() | ast.Search() | ast.Train() | ast.Genotype():
                name = found.item.name
                return self.poison(
                    codes.WRONG_KIND, f"`{name.text}` is no op and no cell", name.span, "cannot stand in a network"
                )
            case _:
                return Callee(found.item, found.unit, found.item.name)

    def op_set(self, item: ast.Ops, unit: Unit, env: Environment) -> Value:
        """The candidates of `ops name = {…}`, evaluated once and in the file that defines them."""
        if id(item) not in self.sets:
            self.builder.nesting.enter(item, item.name.span)
            value = self.value(item.value, Environment(unit, env.scope))
            self.builder.nesting.leave()
            self.sets[id(item)] = value if isinstance(value, Many) else Many((Candidate(unparse(item.value), value),))
        return self.sets[id(item)]

    def part(self, value: Value, part: ast.Index | ast.Attribute, path: ast.Path, env: Environment) -> Value:
        """`value.name` or `value[index]`."""
        match self.settle(value):
            case Poison() | Nothing() as same:
                return same
            case Choice(question, options):
                inner = [
                    (label, self.assuming(question, label, self.part, option, part, path, env))
                    for label, option in options
                ]
                return self.join(question, inner, env, "pick", path.span)
            case Outputs(cell, maps) if isinstance(part, ast.Attribute):
                if part.name in maps:
                    return self.settle(maps[part.name])
                return self.poison(
                    codes.UNKNOWN_ATTRIBUTE,
                    f"`{cell}` has no output `{part.name}`",
                    part.span,
                    "not an output",
                    help=suggestion(part.name, list(maps)),
                )
            case Structure() as structure:
                return structure.part(self, part, path, env)
            case other:
                indexed = isinstance(part, ast.Index)
                return self.poison(
                    codes.UNKNOWN_ATTRIBUTE,
                    f"{describe(other)} has no {'places' if indexed else f'`.{part.name}`'}",
                    part.span,
                    "not there",
                    help=f"for some of its channels write `{path.head.text} -> slice(from, to)`"
                    if indexed and isinstance(other, Map)
                    else None,
                )

    # Sets ---------------------------------------------------------------------------------------

    def candidates(self, expr: ast.Expr, env: Environment) -> Iterable[Candidate]:
        """The items of a set, flat, as spelled, numbers calculated, without what does not exist (`rule-grid-edges`)."""
        match expr:
            case ast.Set(items=items):
                for item in self._distinct(items):
                    yield from self.candidates(item, env)
            case ast.Range(low=low, high=high):
                yield from self._range(expr, low, high, env)
            case ast.Path() if names_several(expr):
                paths = each_place(self, expr, env)
                if paths is None:
                    yield Candidate("", POISON)
                for path in paths or ():
                    yield from self.candidates(path, env)
            case _:
                value = self.candidate(expr, env)
                if isinstance(value, Many):
                    self.builder.work.spend(expr.span, len(value.items))
                    yield from value.items
                elif not isinstance(value, Nothing):
                    head = self.spelled(expr.head, env) if isinstance(expr, ast.Pipe) else ""
                    yield Candidate(str(value) if type(value) is int else self.spelled(expr, env), value, head)

    def _distinct(self, items: tuple[ast.Expr, ...]) -> tuple[ast.Expr, ...]:
        """Each item of a set once; one that stands there twice has been reported."""
        if id(items) not in self.distinct:
            self.distinct[id(items)] = tuple(dict.fromkeys(items))
        return self.distinct[id(items)]

    def candidate(self, expr: ast.Expr, env: Environment) -> Value:
        """An item of a set; an op without its maps is a candidate: `dil_conv3x3(d = 4)`."""
        if isinstance(expr, ast.Call) and expr.target.head.text not in env.names:
            found = env.unit.find_path(expr.target)
            callee = self.definition(found, env) if found else None
            if isinstance(callee, Callee):
                unnamed = [argument for argument in expr.arguments if argument.name is None]
                if not unnamed:
                    return partial(self, callee, expr, env)
                if isinstance(self.value(unnamed[0].value, env), int | Fraction | Dim):
                    return refuse_unnamed(self, callee, expr, unnamed[0])
        return self.value(expr, env)

    def spelled(self, expr: ast.Expr, env: Environment) -> str:
        """The text of a candidate, with places as numbers: `trunk[layer - 1][8].down` is `trunk[4][8].down`."""
        return unparse(numbered(self, expr, env))

    def _range(self, expr: ast.Range, low: ast.Expr, high: ast.Expr, env: Environment) -> Iterable[Candidate]:
        if isinstance(low, ast.Path) and isinstance(high, ast.Path) and not self._is_number(low, env):
            yield from self._names(low, high, env)
            return
        first, last = self.value(low, env), self.value(high, env)
        if isinstance(first, Poison) or isinstance(last, Poison):
            yield Candidate("", POISON)
            return
        if not isinstance(first, int) or not isinstance(last, int):
            wrong = low if not isinstance(first, int) else high
            found = describe(first if wrong is low else last)
            self.poison(codes.WRONG_KIND, f"a range ends at whole numbers, not at {found}", wrong.span, "here")
            return
        if last - first >= RANGE_LIMIT:
            raise TooLarge(expr.span, f"the range holds {last - first + 1:,} numbers; {RANGE_LIMIT:,} are allowed")
        for number in range(first, last + 1):
            yield Candidate(str(number), number)

    def _is_number(self, path: ast.Path, env: Environment) -> bool:
        value = env.names.get(path.head.text)
        return isinstance(value, int | Dim | Poison) or bool(path.parts)

    def _names(self, low: ast.Path, high: ast.Path, env: Environment) -> Iterable[Candidate]:
        """`x1..x3`: the names in between."""
        for name in names_between(low.head, high.head) or (low.head.text,):
            value = self.name(ast.Path(low.span, ast.Name(low.span, name)), env)
            yield Candidate(name, value)

    # Numbers and sums ---------------------------------------------------------------------------

    def _sum(self, expr: ast.Expr, terms: list[tuple[str, Value, ast.Expr]], env: Environment) -> Value:
        values = [self.settle(value) for _, value, _ in terms]
        if any(isinstance(value, Many) for value in values):
            return self._set_sum(terms)
        if any(isinstance(value, Poison) for value in values):
            return POISON
        if any(map(is_map, values)):
            return map_arithmetic.total(
                self, terms, lambda numbers: self._numbers(numbers, total, expr.span), env, expr.span
            )
        return self._numbers(terms, total, expr.span)

    def _product(self, factors: list[map_arithmetic.Operand], env: Environment, span: Span) -> Value:
        values = [self.settle(value) for _, value, _ in factors]
        if any(isinstance(value, Poison) for value in values):
            return POISON
        if any(map(is_map, values)):
            return map_arithmetic.product(
                self, factors, lambda numbers: self._numbers(numbers, product, span), env, span
            )
        return self._numbers(factors, product, span)

    def _set_sum(self, terms: list[tuple[str, Value, ast.Expr]]) -> Value:
        """`searched + {dil_conv3x3} - {skip}`."""
        items: dict[str, Candidate] = {}
        for sign, value, expr in terms:
            if isinstance(value, Poison):
                return POISON
            if not isinstance(value, Many):
                return self.poison(codes.WRONG_KIND, f"a set and {describe(value)} cannot be joined", expr.span, "here")
            for item in value.items:
                if sign == "+":
                    items[item.spelled] = item
                else:
                    items.pop(item.spelled, None)
        return Many(tuple(items.values()))

    def _numbers(
        self,
        terms: list[tuple[str, Value, ast.Expr]],
        calculate: Callable[[list[tuple[str, Number]]], Number],
        span: Span,
    ) -> Value:
        self.builder.work.spend(span, len(terms))
        found: list[tuple[str, Number]] = []
        for index, (sign, value, expr) in enumerate(terms):
            match self.settle(value):
                case Poison() | Nothing() as same:
                    return same
                case Choice(question, options):
                    before, after = terms[:index], terms[index + 1 :]
                    results = tuple(
                        (label, self._numbers([*before, (sign, option, expr), *after], calculate, span))
                        for label, option in options
                    )
                    return Choice(question, results)
                case bool() as other:
                    return self._no_number(other, expr)
                case int() | Fraction() | Dim() as number:
                    found.append((sign, number))
                case other:
                    return self._no_number(other, expr)
        try:
            return calculate(found)
        except ArithmeticMistake as mistake:
            return self.poison(codes.BAD_ARITHMETIC, mistake.reason, span, "here", help=mistake.help)

    def _no_number(self, value: Value, expr: ast.Expr) -> Value:
        return self.poison(
            codes.WRONG_KIND,
            f"a number is needed, and `{unparse(expr)}` is {describe(value)}",
            expr.span,
            "no number",
            help=f"carry a map through it: `x -> {unparse(expr)}`" if isinstance(value, Callee) else None,
        )

    # Bodies -------------------------------------------------------------------------------------

    def instantiate(
        self, callee: Callee, ports: list[Value], given: Mapping[str, Value], env: Environment, span: Span
    ) -> Value:
        """An op or a cell put on maps where its call stands."""
        return instantiate.run(self, callee, ports, given, env, span)

    def body(self, body: Sequence[ast.Statement], env: Environment) -> dict[str, Value]:
        """The outputs of a body by name, an output without one under the empty name."""
        return statements.run(self, body, env)

    # Choices ------------------------------------------------------------------------------------

    def settle(self, value: Value) -> Value:
        """A choice whose answer is taken for granted is that option."""
        if not isinstance(value, _OPEN) or not self.assumed:
            return value
        while isinstance(value, Choice) and value.question in self.assumed:
            value = dict(value.options).get(self.assumed[value.question], NOTHING)
        return assume(value, self.assumed) if isinstance(value, Dim) else value

    def assuming(self, question: QuestionPath, answer: str, make: Callable[..., Value], *arguments: object) -> Value:
        before = self.assumed.get(question)
        self.assumed[question] = answer
        try:
            return make(*arguments)
        finally:
            if before is None:
                del self.assumed[question]
            else:
                self.assumed[question] = before

    def join(
        self, question: QuestionPath, options: Sequence[tuple[str, Value]], env: Environment, local: str, span: Span
    ) -> Value:
        """One value of a value for each answer."""
        return select.join(self, question, options, env, local, span)

    # Mistakes -----------------------------------------------------------------------------------

    def unknown(self, name: ast.Name, env: Environment) -> Value:
        if not name.text or env.unit.incomplete or self.reporter.full:
            return self._lost()
        if name.text in built_in.FUNCTIONS:
            return self.poison(
                codes.WRONG_KIND,
                f"`{name.text}` is a function, and no op",
                name.span,
                "cannot be called on a map",
                help=f"what it reads stands in its brackets: `{name.text}(x, …)`",
            )
        known = [*env.names, *env.unit.names(ast.Op, ast.Ops, ast.Cell)]
        return self.poison(
            codes.UNKNOWN_NAME,
            f"`{name.text}` is not defined",
            name.span,
            "not known here",
            help=suggestion(name.text, known) if len(known) <= 60 or replacement(name.text, known, name.span) else None,
            fix=replacement(name.text, known, name.span),
        )

    def _lost(self) -> Poison:
        """What another mistake, reported elsewhere, has taken away."""
        self.wrong = True
        return POISON

    def poison(
        self,
        code: str,
        message: str,
        span: Span,
        here: str,
        *,
        also: tuple[Mark, ...] = (),
        help: str | None = None,
        fix: Fix | None = None,
    ) -> Value:
        """Report a mistake. What goes wrong in a packaged op is shown where the text calls it."""
        called = [each for each in (*self.builder.calls, span) if not is_packaged(each.source)]
        if called and called[-1] is not span:
            also = (*also, Mark(span, "in this packaged op"))
            span = called[-1]
        self.reporter.report(code, message, span, here, also=also, help=help, fix=fix)
        self.wrong = True
        return POISON
