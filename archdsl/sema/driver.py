"""The driver of semantic analysis: checks every item, elaborates spaces, checks genotypes against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from archdsl.diagnostics import Diagnostic, Severity
from archdsl.diagnostics import Label as Mark
from archdsl.ops import Primitive
from archdsl.records import record
from archdsl.sema import codes
from archdsl.sema.divisibility import image_size, report_size, report_uneven
from archdsl.sema.elaborate.builder import Builder, Scope
from archdsl.sema.elaborate.elaborator import Elaborator
from archdsl.sema.elaborate.limits import Budget, Refused
from archdsl.sema.elaborate.spaces import lay_out
from archdsl.sema.elaborate.values import POISON, Environment, Poison, Value
from archdsl.sema.genotype.membership import check as check_membership
from archdsl.sema.genotype.reader import Reader
from archdsl.sema.modules.load import Definition, Found, Unit
from archdsl.sema.reporter import Reporter, listed, suggestion
from archdsl.sema.resolve.scales import scales_of
from archdsl.space import Program, QuestionPath
from archdsl.space.divisibility import multiple, of_program
from archdsl.space.trace import Trace
from archdsl.syntax import ast
from archdsl.syntax.tree import names
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

if TYPE_CHECKING:
    from archdsl.sema.settings import Subject
    from archdsl.settings import Cost, Search, Training
    from archdsl.settings.searches import Phase


@record
class Meaning:
    """What an item of a text means: a program, and the network in it where nothing is left open."""

    name: str
    unit: Unit
    item: ast.Space | ast.Genotype
    program: Program
    trace: Trace | None
    """The network: of a genotype, or of a space without questions. Where answers are left open it ends there."""
    answers: Mapping[QuestionPath, tuple[str, ...]]


Recipe: TypeAlias = "Search | Training | Cost"
_RECIPES = (ast.Search, ast.Train, ast.Cost)
_OF_SIZE = (codes.RESOLUTIONS_DIFFER, "E0503")
ALSO_LIMIT = 100
"""No genotype takes over the answers of more others."""
_EVEN = 512
"""A multiple of every factor by which networks divide their images."""


def _rounded(length: int) -> int:
    return -(-length // _EVEN) * _EVEN


@record
class _Layout:
    """A space as it was laid out with the parameters that were given."""

    program: Program | None
    """None where something is wrong with it."""
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Layouts:
    """Spaces as they were laid out: genotypes, searches and trainings in one file mostly are of one space."""

    _known: dict[object, _Layout] = field(default_factory=dict[object, _Layout])
    """By the identity of the space in the tree, and its parameters."""
    budget: Budget = field(default_factory=Budget)

    def of(
        self, space: ast.Space, unit: Unit, given: Mapping[str, Value], size: tuple[int, int] | None, reporter: Reporter
    ) -> Program | None:
        """The program; None where something is wrong with it. What is wrong is reported each time."""
        # With the types: `yes` is not 1, though Python takes them for equal.
        key = (id(space), tuple((name, type(value), value) for name, value in sorted(given.items(), key=itemgetter(0))))
        layout = self._known.get(key)
        if layout is None:
            found = Reporter()
            layout = _Layout(_lay_out(space, unit, given, size, found, self.budget), found.diagnostics)
            self._known[key] = layout
        reporter.merge(layout.diagnostics)
        return layout.program


def _lay_out(
    space: ast.Space,
    unit: Unit,
    given: Mapping[str, Value],
    size: tuple[int, int] | None,
    reporter: Reporter,
    budget: Budget,
) -> Program | None:
    """Where only the image's size is wrong, that is said and nothing that follows."""
    trial = Reporter()
    program = lay_out(space, unit, given, trial, size, budget)
    if program is None and any(each.code in _OF_SIZE for each in trial.diagnostics):
        written = image_size(space, size)
        rounded = written and (_rounded(written[0]), _rounded(written[1]))
        even = rounded and rounded != written and lay_out(space, unit, given, Reporter(), rounded, budget)
        if written and even and any(length % multiple(of_program(even)) for length in written):
            report_size(even, of_program(even), written, reporter)
            return None
    reporter.merge(trial.diagnostics)
    return program


class LostWithoutAWord(Exception):
    """Our mistake: an item of a text came to nothing, and nothing that is wrong with it was reported."""


@dataclass(slots=True)
class Checker:
    """Checks the items of one file and of what it uses; names were checked before (`check_names`)."""

    unit: Unit
    reporter: Reporter
    overrides: Mapping[str, Value]
    size: tuple[int, int] | None = None
    layouts: Layouts = field(default_factory=Layouts)

    def all(self) -> tuple[list[Meaning], list[Recipe]]:
        """Every item of the file that says something by itself."""
        meanings: list[Meaning] = []
        recipes: list[Recipe] = []
        # Recipes are read behind what they are about.
        for name, item in sorted(self.unit.items.items(), key=lambda each: isinstance(each[1], _RECIPES)):
            if self.reporter.full:
                break
            if isinstance(item, ast.Space | ast.Genotype) and (meaning := self.item(name)) is not None:
                meanings.append(meaning)
            if isinstance(item, ast.Space) and name not in self.unit.broken:
                self._check_scales(item)
            if isinstance(item, _RECIPES) and (recipe := self.recipe(name)) is not None:
                recipes.append(recipe)
        return meanings, recipes

    def recipe(self, name: str) -> Recipe | None:
        """A search, a training or a cost of the file; None where something is wrong with it."""
        from archdsl.sema.settings import read_cost, read_search, read_training, with_values

        item = self.unit.items[name]
        if name in self.unit.broken:
            return None
        match item:
            case ast.Cost():
                return read_cost(item, self.unit, self.reporter)
            case ast.Search():
                written = with_values(item, self.overrides, self.reporter)
                found = written and self._subject(item)
                find = partial(self._space_named, self._of_spaces(item))
                return written and found and read_search(written, *found, self.unit, find, self.reporter)
            case ast.Train():
                found = self._subject(item)
                return found and read_training(item, *found, self.unit, self.reporter)
            case _:
                raise ValueError(f"`{name}` is no search, training or cost")

    def _of_spaces(self, item: ast.Search | ast.Train) -> Mapping[str, Value]:
        """What is given to the spaces of an item: a parameter that a search has itself is none of theirs."""
        own = {parameter.name.text for parameter in item.parameters} if isinstance(item, ast.Search) else set[str]()
        return {name: value for name, value in self.overrides.items() if name not in own}

    def _subject(self, item: ast.Search | ast.Train) -> tuple[Subject, tuple[tuple[str, str], ...]] | None:
        """The space that it is about, laid out with its parameters; where it is of a genotype, what that answers."""
        from archdsl.sema.settings import Subject

        found = self._of(item, ast.Space, ast.Genotype)
        if found is None or isinstance(found.item, Primitive) or found.item.name.text in found.unit.broken:
            return None
        if isinstance(found.item, ast.Genotype):
            other = Checker(found.unit, self.reporter, self._of_spaces(item), self.size, self.layouts)
            meaning = other.item(found.item.name.text)
            return meaning and (Subject(meaning.program, frozenset(path.question for path in meaning.answers)), ())
        assert isinstance(found.item, ast.Space)
        given = self._arguments(item, found.item)
        program = None if given is None else self._lay_out(found.item, found.unit, {**given, **self._of_spaces(item)})
        if given is None or program is None:
            return None
        return Subject(program), tuple((name, _spelled(value)) for name, value in given.items())

    def _space_named(self, given: Mapping[str, Value], path: ast.Path) -> Program | None:
        """The space that a phase names, with these parameters."""
        found = self._find(path, (ast.Space,))
        if found is None or not isinstance(found.item, ast.Space) or found.item.name.text in found.unit.broken:
            return None
        return self._lay_out(found.item, found.unit, given)

    def program_of(self, search: Search, phase: Phase | None) -> Program | None:
        """The space that a phase of a checked search is about: the search's own, or the one that the phase names."""
        item = self.unit.items[search.name]
        if not isinstance(item, ast.Search):
            return None
        if phase is None or phase.network is None:
            found = self._subject(item)
            return found and found[0].program
        named = (each for each in item.body if isinstance(each, ast.Phase) and each.name.text == phase.name)
        paths = (path for each in named for path in _note(each, "network") if isinstance(path, ast.Path))
        return next((self._space_named(self._of_spaces(item), path) for path in paths), None)

    def pick(self, name: str | None) -> Meaning | None:
        """The space or genotype of that name; without a name the one that is meant, or None, which is reported.

        Meant is what is named like the file, else the only genotype, else the only space.
        """
        genotypes, spaces = self._names(ast.Genotype), self._names(ast.Space)
        meant = [name for name in (*genotypes, *spaces) if self.unit.path and name == self.unit.path.stem]
        for found in ([name] if name is not None else meant, genotypes, spaces):
            if len(found) == 1 and found[0] in (*genotypes, *spaces):
                return self.item(found[0])
            if found:
                break
        self._no_item(name, genotypes, spaces)
        return None

    def _names(self, kind: type[ast.Genotype | ast.Space]) -> list[str]:
        return [name for name, item in self.unit.items.items() if isinstance(item, kind)]

    def _no_item(self, name: str | None, genotypes: list[str], spaces: list[str]) -> None:
        file = Path(self.unit.source.name).name
        known = [*genotypes, *spaces]
        if not known:
            message = f"`{file}` defines no space and no genotype"
            help = "write `space NAME() { … }`, or `genotype NAME of SPACE { … }`"
        elif name is not None:
            message = f"`{file}` has no space and no genotype `{name}`"
            help = suggestion(name, known)
        else:
            message = f"`{file}` alone names no item: it has {_items(genotypes=genotypes, spaces=spaces)}"
            help = f"name one of them: `{file}:{known[0]}`"
        self.reporter.report(codes.NO_ITEM, message, None, help=help)

    def item(self, name: str) -> Meaning | None:
        item = self.unit.items[name]
        if name in self.unit.broken:
            return None
        assert isinstance(item, ast.Space | ast.Genotype)
        meaning = self._space(item) if isinstance(item, ast.Space) else self._genotype(item)
        if meaning is None and not self.reporter.errors:
            raise LostWithoutAWord(name)
        return meaning

    def scale(self, name: str | None, scale: str) -> Mapping[str, Value] | None:
        """The parameters that a scale of a space gives; None where there is none of that name, which is reported."""
        item = self.unit.items.get(name or "")
        known: Sequence[ast.Scale] = scales_of(item) if isinstance(item, ast.Space) else ()
        found = next((each for each in known if each.name.text == scale), None)
        if found is not None:
            return self._given(found)
        sizes = [each.name.text for each in known]
        self.reporter.report(
            codes.NO_ITEM,
            f"`{name}` has no scale `{scale}`",
            None,
            help=suggestion(scale, sizes) if sizes else "scales are lines of a space: `scales { n: width = 0.25 }`",
        )
        return None

    def _given(self, scale: ast.Scale) -> Mapping[str, Value] | None:
        """The values of a scale, which are known without the space."""
        ev = Elaborator(Builder(), self.reporter)
        given: dict[str, Value] = {}
        for each in scale.values:
            named = any(path.head.text not in ("yes", "no") for path in names(each.value))
            value = POISON if named else ev.value(each.value, Environment(self.unit, Scope()))
            if named or not isinstance(value, int | Fraction | str | Poison):
                message = f"a scale gives numbers, flags and words, and `{unparse(each.value)}` is none"
                value = ev.poison(codes.WRONG_KIND, message, each.value.span, "here")
            if each.name is not None:
                given[each.name.text] = value
        return None if any(isinstance(value, Poison) for value in given.values()) else given

    def _check_scales(self, item: ast.Space) -> None:
        """Lay the space out at each of its scales: what does not fit there is said where it is written."""
        for scale in scales_of(item):
            known = {parameter.name.text for parameter in item.parameters}
            given = None if self.reporter.full else self._given(scale)
            if given is None or not given.keys() <= known:
                continue
            found = Reporter()
            self.layouts.of(item, self.unit, {**given, **self.overrides}, self.size, found)
            at = Mark(scale.name.span, f"at the scale `{scale.name.text}`")
            for each in found.diagnostics:
                self.reporter.add(replace(each, secondary=(*each.secondary, at)))

    def _space(self, item: ast.Space) -> Meaning | None:
        program = self._lay_out(item, self.unit, self.overrides)
        if program is None:
            return None
        trace = None
        if program.questions:
            report_uneven(program, of_program(program), self.reporter, item.name.span)
        else:
            trace = check_membership(Reader(program, self.reporter), program, item.name.span, self.reporter)
        return Meaning(item.name.text, self.unit, item, program, trace, {})

    def _genotype(self, item: ast.Genotype) -> Meaning | None:
        found = self._of(item, ast.Space)
        if found is None or not isinstance(found.item, ast.Space):
            return None
        given = self._arguments(item, found.item)
        if given is None or found.item.name.text in found.unit.broken:
            return None
        errors = self.reporter.errors
        program = self._lay_out(found.item, found.unit, {**given, **self.overrides})
        if program is None or self.reporter.errors > errors:
            return None
        reader = Reader(program, self.reporter)
        for other in self._also(item, found.item):
            reader.read(other.body)
        reader.read(item.body)
        opened = [(unparse(value), value.span) for value in _note(item, "open")]
        trace = check_membership(reader, program, item.name.span, self.reporter, opened)
        self._check_hash(item, program, fits=trace is not None)
        return Meaning(item.name.text, self.unit, item, program, trace, reader.answers()) if trace else None

    def _lay_out(self, space: ast.Space, unit: Unit, given: Mapping[str, Value]) -> Program | None:
        return self.layouts.of(space, unit, given, self.size, self.reporter)

    def _of(self, item: ast.Genotype | ast.Search | ast.Train, *kinds: type[Definition]) -> Found | None:
        """What stands behind `of`."""
        return self._find(item.of.target if isinstance(item.of, ast.Call) else item.of, kinds)

    def _find(self, target: ast.Expr, kinds: tuple[type[Definition], ...]) -> Found | None:
        found = self.unit.find_path(target) if isinstance(target, ast.Path) else None
        if found is None and self.unit.incomplete:
            return None
        if found is None or not isinstance(found.item, kinds):
            known = self.unit.names(*kinds)
            written = unparse(target)
            self.reporter.report(
                codes.UNKNOWN_ITEM,
                f"`{written}` is no space that is known here",
                target.span,
                "no such space",
                help=suggestion(written, known) or 'use the file that defines it: `use "space.arch"`',
            )
            return None
        return found

    def _arguments(self, item: ast.Genotype | ast.Search | ast.Train, space: ast.Space) -> dict[str, Value] | None:
        """The parameters that `of space(w = 8)` gives."""
        if not isinstance(item.of, ast.Call):
            return {}
        known = [parameter.name.text for parameter in space.parameters]
        ev = Elaborator(Builder(), self.reporter)
        env = Environment(self.unit, Scope())
        given: dict[str, Value] = {}
        for argument in item.of.arguments:
            if argument.name is None or argument.name.text not in known:
                written = unparse(argument.value) if argument.name is None else argument.name.text
                self.reporter.report(
                    codes.UNKNOWN_PARAMETER,
                    f"`{space.name.text}` has no parameter `{written}`",
                    argument.span,
                    "not a parameter",
                    help=suggestion(written, known) or "it has none",
                )
                return None
            try:
                given[argument.name.text] = ev.value(argument.value, env)
            except Refused as refused:
                self.reporter.add(refused.diagnostic)
                return None
        return None if any(isinstance(value, Poison) for value in given.values()) else given

    def _also(self, item: ast.Genotype, space: ast.Space) -> list[ast.Genotype]:
        """The genotypes whose answers an `also` takes over, each once, behind those that it takes over itself."""
        done: dict[int, ast.Genotype] = {}
        open_ = {id(item): item}
        waiting = [iter(_note(item, "also"))]
        while waiting:
            if len(done) + len(open_) > ALSO_LIMIT + 1:
                self.reporter.report(
                    codes.EXPANDS_TOO_FAR,
                    f"`{item.name.text}` takes over the answers of more than {ALSO_LIMIT} genotypes",
                    item.name.span,
                    "expands too far",
                    help="write the answers where they are meant",
                )
                return []
            value = next(waiting[-1], None)
            if value is None:
                waiting.pop()
                done.update([open_.popitem()])
            elif (other := self._taken_over(value, item, space, open_)) is not None and id(other) not in done:
                open_[id(other)] = other
                waiting.append(iter(_note(other, "also")))
        return list(done.values())[:-1]

    def _taken_over(
        self, value: ast.Expr, item: ast.Genotype, space: ast.Space, open_: Mapping[int, ast.Genotype]
    ) -> ast.Genotype | None:
        """The genotype that an `also` names; None where it cannot be used, which is reported."""
        found = self.unit.find_path(value) if isinstance(value, ast.Path) else None
        if found is None or not isinstance(found.item, ast.Genotype):
            known = self.unit.names(ast.Genotype)
            self.reporter.report(
                codes.UNKNOWN_ITEM,
                f"`{unparse(value)}` is no genotype that is known here",
                value.span,
                "no such genotype",
                help=suggestion(unparse(value), [each for each in known if each != item.name.text]),
            )
            return None
        other = found.item
        if id(other) in open_:
            self.reporter.report(
                codes.CYCLE,
                f"`{other.name.text}` takes over its own answers",
                value.span,
                "closes the circle",
                help="take one of the two `also` out",
            )
            return None
        target = other.of.target if isinstance(other.of, ast.Call) else other.of
        of = found.unit.find_path(target) if isinstance(target, ast.Path) else None
        if of is None or of.item is not space:
            self.reporter.report(
                codes.UNKNOWN_ITEM,
                f"`{other.name.text}` answers another space",
                value.span,
                f"not a genotype of `{space.name.text}`",
                also=(Mark(other.of.span, "its space"),),
                help="take over answers of the same space only",
            )
            return None
        return other

    def _check_hash(self, item: ast.Genotype, program: Program, *, fits: bool) -> None:
        """An outdated hash is a warning where the answers still fit, an error where they do not (`rule-files`)."""
        written = _hash_of(item)
        if written is None:
            return
        text, span = written
        digits = text.removeprefix("sha256:")
        if len(digits) >= 8 and program.hash.removeprefix("sha256:").startswith(digits):
            return
        self.reporter.report(
            codes.OUTDATED_HASH if fits else codes.STALE_HASH,
            f"the genotype was written for another version of `{program.name}`",
            span,
            f"now `{program.hash[:23]}`",
            help=f'write `hash = "{program.hash[:23]}"` if the answers are still meant'
            if fits
            else f"answer `{program.name}` as it is now, or take the version that the answers were written for",
            severity=Severity.WARNING if fits else Severity.ERROR,
        )


def _items(**kinds: Sequence[str]) -> str:
    """The genotypes `a`, `b` and the space `c`."""
    found = {kind: names for kind, names in kinds.items() if names}
    return " and ".join(
        f"the {kind if len(names) > 1 else kind.removesuffix('s')} {listed(list(names))}"
        for kind, names in found.items()
    )


def _spelled(value: Value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _note(item: ast.Genotype | ast.Phase, name: str) -> tuple[ast.Expr, ...]:
    """The values of a line such as `open = …`."""
    for statement in item.body:
        match statement:
            case ast.Assign(target=ast.Target(path=ast.Path(head=ast.Name(text=text), parts=())), value=value) if (
                text == name
            ):
                return value.items if isinstance(value, ast.Tuple) else (value,)
            case _:
                pass
    return ()


def _hash_of(item: ast.Genotype) -> tuple[str, Span] | None:
    for statement in item.body:
        match statement:
            case ast.Assign(target=ast.Target(path=ast.Path(head=ast.Name(text="hash"), parts=())), value=value):
                return (value.value if isinstance(value, ast.String) else unparse(value)), value.span
            case _:
                pass
    return None


def is_recipe(unit: Unit, name: str) -> bool:
    """Whether a file defines a search, a training or a cost of that name."""
    return isinstance(unit.items.get(name), _RECIPES)
