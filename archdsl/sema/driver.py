"""From a text to what it means: every item checked, a space laid out, a genotype held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from archdsl.diagnostics import Label as Mark
from archdsl.diagnostics import Severity
from archdsl.ops import Primitive
from archdsl.sema import codes
from archdsl.sema.divisibility import image_size, report_size, report_uneven
from archdsl.sema.elaborate.builder import Builder, Scope
from archdsl.sema.elaborate.elaborator import Elaborator
from archdsl.sema.elaborate.spaces import lay_out
from archdsl.sema.elaborate.values import Environment, Poison, Value
from archdsl.sema.genotype.membership import check as check_membership
from archdsl.sema.genotype.reader import Reader
from archdsl.sema.modules.files import Files
from archdsl.sema.modules.load import Definition, Found, Unit, load_units
from archdsl.sema.reporter import Reporter, listed, suggestion
from archdsl.sema.resolve.resolver import check_names
from archdsl.sema.settings import Subject, read_cost, read_search, read_training
from archdsl.settings import Cost, Search, Training
from archdsl.space import Program, QuestionPath
from archdsl.space.divisibility import of_program
from archdsl.space.trace import Trace
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell
from archdsl.text import SourceFile, Span


@dataclass(frozen=True, slots=True)
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
_EVEN = 512
"""A multiple of every factor by which networks divide their images."""


def _rounded(length: int) -> int:
    return -(-length // _EVEN) * _EVEN


@dataclass(slots=True)
class Checker:
    """Checks the items of one file and of what it uses."""

    unit: Unit
    reporter: Reporter
    overrides: Mapping[str, Value]
    size: tuple[int, int] | None = None
    _programs: list[tuple[ast.Space, Mapping[str, Value], Program | None]] = field(
        default_factory=list[tuple[ast.Space, "Mapping[str, Value]", "Program | None"]]
    )
    """Spaces as they were laid out, with what was given; None for one in which something is wrong, which is reported.

    Genotypes, searches and trainings in one file mostly are of one space.
    """

    def all(self) -> tuple[list[Meaning], list[Recipe]]:
        """Every item of the file that says something by itself."""
        self.names()
        found = [
            self.item(name) for name, item in self.unit.items.items() if isinstance(item, ast.Space | ast.Genotype)
        ]
        recipes = [self.recipe(name) for name, item in self.unit.items.items() if isinstance(item, _RECIPES)]
        return [each for each in found if each is not None], [each for each in recipes if each is not None]

    def is_recipe(self, name: str) -> bool:
        return isinstance(self.unit.items.get(name), _RECIPES)

    def recipe(self, name: str) -> Recipe | None:
        """A search, a training or a cost of the file; None where something is wrong with it."""
        item = self.unit.items[name]
        if name in self.unit.broken:
            return None
        match item:
            case ast.Cost():
                return read_cost(item, self.unit, self.reporter)
            case ast.Search():
                found = self._subject(item)
                return found and read_search(item, *found, self.unit, self._space_named, self.reporter)
            case ast.Train():
                found = self._subject(item)
                return found and read_training(item, *found, self.reporter)
            case _:
                raise ValueError(f"`{name}` is no search, training or cost")

    def _subject(self, item: ast.Search | ast.Train) -> tuple[Subject, tuple[tuple[str, str], ...]] | None:
        """The space that it is about, laid out with its parameters; where it is of a genotype, what that answers."""
        found = self._of(item, ast.Space, ast.Genotype)
        if found is None or isinstance(found.item, Primitive) or found.item.name.text in found.unit.broken:
            return None
        if isinstance(found.item, ast.Genotype):
            other = Checker(found.unit, self.reporter, self.overrides, self.size, self._programs)
            meaning = other.item(found.item.name.text)
            return meaning and (Subject(meaning.program, frozenset(path.question for path in meaning.answers)), ())
        assert isinstance(found.item, ast.Space)
        given = self._arguments(item, found.item)
        program = None if given is None else self._lay_out(found.item, found.unit, {**given, **self.overrides})
        if given is None or program is None:
            return None
        return Subject(program), tuple((name, _spelled(value)) for name, value in given.items())

    def _space_named(self, path: ast.Path) -> Program | None:
        """The space that a phase names."""
        found = self._find(path, (ast.Space,))
        if found is None or not isinstance(found.item, ast.Space) or found.item.name.text in found.unit.broken:
            return None
        return self._lay_out(found.item, found.unit, self.overrides)

    def program_of(self, search: str, network: str) -> Program | None:
        """The space that a phase of a checked search is about: the search's own, or the one that the phase names."""
        item = self.unit.items[search]
        found = self._subject(item) if isinstance(item, ast.Search) else None
        if found is not None and found[0].program.name == network:
            return found[0].program
        laid_out = (program for _, given, program in self._programs if program and _same(given, self.overrides))
        return next((program for program in laid_out if program.name == network), None)

    def names(self) -> None:
        """Names, arity and order in every item, whether or not something uses it."""
        check_names(self.unit, self.reporter)

    def pick(self, name: str | None) -> Meaning | None:
        """The item that a command is about: the one named, else the only one that there can be."""
        kinds = (ast.Genotype, ast.Space)
        if name is not None:
            if isinstance(self.unit.items.get(name), kinds):
                return self.item(name)
            known = [each for each, item in self.unit.items.items() if isinstance(item, kinds)]
            self.reporter.report(
                codes.NO_ITEM,
                f"`{Path(self.unit.source.name).name}` has no space and no genotype `{name}`",
                None,
                help=suggestion(name, known),
            )
            return None
        for kind in kinds:
            found = [each for each, item in self.unit.items.items() if isinstance(item, kind)]
            if len(found) == 1:
                return self.item(found[0])
            if found:
                file = Path(self.unit.source.name).name
                self.reporter.report(
                    codes.NO_ITEM,
                    f"`{file}` has several: {listed(found)}",
                    None,
                    help=f"name one of them: `{file}:{found[0]}`",
                )
                return None
        self.reporter.report(
            codes.NO_ITEM,
            f"`{Path(self.unit.source.name).name}` defines no space and no genotype",
            None,
            help="write `space NAME() { … }`, or `genotype NAME of SPACE { … }`",
        )
        return None

    def item(self, name: str) -> Meaning | None:
        item = self.unit.items[name]
        if name in self.unit.broken:
            return None
        if isinstance(item, ast.Space):
            return self._space(item)
        assert isinstance(item, ast.Genotype)
        return self._genotype(item)

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
        opened = [(spell(value), value.span) for value in _note(item, "open")]
        trace = check_membership(reader, program, item.name.span, self.reporter, opened)
        self._check_hash(item, program, fits=trace is not None)
        return Meaning(item.name.text, self.unit, item, program, trace, reader.answers()) if trace else None

    def _lay_out(self, space: ast.Space, unit: Unit, given: Mapping[str, Value]) -> Program | None:
        """The program; None where something is wrong with it, which is reported."""
        for known, parameters, program in self._programs:
            if known is space and _same(parameters, given):
                return program
        program = self._lay_out_anew(space, unit, given)
        self._programs.append((space, given, program))
        return program

    def _lay_out_anew(self, space: ast.Space, unit: Unit, given: Mapping[str, Value]) -> Program | None:
        """Where only the image's size is wrong, that is said and nothing that follows."""
        trial = Reporter()
        program = lay_out(space, unit, given, trial, self.size)
        if program is None and any(each.code in _OF_SIZE for each in trial.diagnostics):
            size = image_size(space, self.size)
            rounded = size and (_rounded(size[0]), _rounded(size[1]))
            even = rounded and rounded != size and lay_out(space, unit, given, Reporter(), rounded)
            if size and even:
                report_size(even, of_program(even), size, self.reporter)
                return None
        self.reporter.merge(trial.diagnostics)
        return program

    def _of(self, item: ast.Genotype | ast.Search | ast.Train, *kinds: type[Definition]) -> Found | None:
        """What stands behind `of`."""
        return self._find(item.of.target if isinstance(item.of, ast.Call) else item.of, kinds)

    def _find(self, target: ast.Expr, kinds: tuple[type[Definition], ...]) -> Found | None:
        found = self.unit.find_path(target) if isinstance(target, ast.Path) else None
        if found is None and self.unit.incomplete:
            return None
        if found is None or not isinstance(found.item, kinds):
            known = self.unit.names(*kinds)
            written = spell(target)
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
                written = spell(argument.value) if argument.name is None else argument.name.text
                self.reporter.report(
                    codes.UNKNOWN_PARAMETER,
                    f"`{space.name.text}` has no parameter `{written}`",
                    argument.span,
                    "not a parameter",
                    help=suggestion(written, known) or "it has none",
                )
                return None
            given[argument.name.text] = ev.value(argument.value, env)
        return None if any(isinstance(value, Poison) for value in given.values()) else given

    def _also(self, item: ast.Genotype, space: ast.Space) -> list[ast.Genotype]:
        """The genotypes whose answers an `also` takes over, each once, behind those that it takes over itself."""
        done: dict[int, ast.Genotype] = {}
        open_ = {id(item): item}
        waiting = [iter(_note(item, "also"))]
        while waiting:
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
        """The genotype that an `also` names; None where it cannot be taken over, which is reported."""
        found = self.unit.find_path(value) if isinstance(value, ast.Path) else None
        if found is None or not isinstance(found.item, ast.Genotype):
            known = self.unit.names(ast.Genotype)
            self.reporter.report(
                codes.UNKNOWN_ITEM,
                f"`{spell(value)}` is no genotype that is known here",
                value.span,
                "no such genotype",
                help=suggestion(spell(value), [each for each in known if each != item.name.text]),
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
        """A stale hash is a warning where the answers still fit, an error where they do not (rule 13)."""
        written = _hash_of(item)
        if written is None:
            return
        text, span = written
        digits = text.removeprefix("sha256:")
        if len(digits) >= 8 and program.hash.removeprefix("sha256:").startswith(digits):
            return
        self.reporter.report(
            codes.STALE_HASH,
            f"the genotype was written for another version of `{program.name}`",
            span,
            f"now `{program.hash[:23]}`",
            help=f'write `hash = "{program.hash[:23]}"` if the answers are still meant'
            if fits
            else f"answer `{program.name}` as it is now, or take the version that the answers were written for",
            severity=Severity.WARNING if fits else Severity.ERROR,
        )


def _same(one: Mapping[str, Value], other: Mapping[str, Value]) -> bool:
    """Whether the same parameters are given; `yes` is not 1, though Python takes them for equal."""
    return one == other and all(type(one[name]) is type(other[name]) for name in one)


def _spelled(value: Value) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _note(item: ast.Genotype, name: str) -> tuple[ast.Expr, ...]:
    """The values of `open = …` or `also = …`."""
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
                return (value.value if isinstance(value, ast.String) else spell(value)), value.span
            case _:
                pass
    return None


def checker(
    source: SourceFile,
    path: Path | None,
    overrides: Mapping[str, Value],
    size: tuple[int, int] | None = None,
    files: Files | None = None,
) -> Checker:
    """Loads a text and all that it uses, from `files` or else the disk; what is wrong is in `reporter`."""
    reporter = Reporter()
    return Checker(load_units(source, path, reporter, files), reporter, overrides, size)
