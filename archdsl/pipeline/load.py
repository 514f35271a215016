"""From a file to what it means, and to the graph of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic, Severity
from archdsl.pipeline.tables import check_tables
from archdsl.pipeline.target import Target
from archdsl.sema.driver import Checker, Meaning, Recipe, checker
from archdsl.space import Program
from archdsl.space.divisibility import multiple, of_program, of_trace
from archdsl.text import SourceFile

if TYPE_CHECKING:
    from archdsl.ir import ClosedGraph, OpenGraph


@dataclass(frozen=True, slots=True)
class Checked:
    """A text after all checks. `meanings` holds those spaces and genotypes in which nothing is wrong."""

    target: Target
    source: SourceFile | None
    diagnostics: tuple[Diagnostic, ...]
    meanings: tuple[Meaning, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    """Searches, trainings and costs in which nothing is wrong."""

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One item of a text: a space or a genotype."""

    target: Target
    source: SourceFile
    sources: tuple[SourceFile, ...]
    """The text and every text that it uses."""
    meaning: Meaning
    diagnostics: tuple[Diagnostic, ...] = ()
    """Warnings; an item with errors is not loaded."""
    given: Mapping[str, int | Fraction | bool | str] = field(default_factory=dict[str, "int | Fraction | bool | str"])
    """Parameters that were given other values than the text has."""

    @property
    def name(self) -> str:
        return self.meaning.name

    @property
    def program(self) -> Program:
        return self.meaning.program

    @property
    def closed(self) -> bool:
        """Whether this is one network: a genotype, or a space without questions."""
        return self.meaning.trace is not None and self.meaning.trace.closed

    @property
    def padding_multiple(self) -> int:
        """Every image whose height and width are multiples of it divides without a rest."""
        trace = self.meaning.trace
        return multiple(of_trace(trace) if trace is not None and self.closed else of_program(self.program))

    @property
    def open_count(self) -> int:
        """How many questions are met and not answered; of a space, all that it has."""
        trace = self.meaning.trace
        return len(self.program.questions) if trace is None else len(trace.missing)

    def network(self) -> ClosedGraph:
        """The closed graph, auxiliary outputs included. Raises ValueError where questions are open."""
        from archdsl.ir import closed

        if self.meaning.trace is None or not self.closed:
            raise ValueError(f"`{self.name}` still asks {self.open_count} questions")
        return closed(self.program, self.meaning.trace, self.name)

    def supernet(self) -> OpenGraph:
        """The open graph, its questions in it."""
        from archdsl.ir import open_graph

        return open_graph(self.program)


class NotLoaded(Exception):
    """A text with errors: what is wrong, as data."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        errors = [each for each in diagnostics if each.severity is Severity.ERROR]
        super().__init__("\n".join(f"{_place(each)}{each.code}: {each.message}" for each in errors))
        self.diagnostics = tuple(diagnostics)


def check(
    written: str | Target, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> Checked:
    """Check every item of a text."""
    text = _open(written, overrides, size)
    if isinstance(text, Checked):
        return text
    target, source, found = text
    meanings, recipes = found.all()
    for each in check_tables(found, recipes):
        found.reporter.add(each)
    return Checked(target, source, in_order(found.reporter.diagnostics), tuple(meanings), tuple(recipes))


def load(
    written: str | Target, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> Loaded:
    """One item of a text: `file.arch` where it has but one, else `file.arch:NAME`.

    `overrides` are parameters as a command line gives them (`{"classes": "11"}`), `size` the image's height and width.
    Raises NotLoaded.
    """
    target, source, found = opened(written, overrides, size)
    found.names()
    meaning = None if found.reporter.failed else found.pick(target.item)
    diagnostics = in_order(found.reporter.diagnostics)
    if meaning is None or found.reporter.failed:
        raise NotLoaded(diagnostics)
    given = {name: value_of(text) for name, text in (overrides or {}).items()}
    return Loaded(target, source, tuple(found.unit.sources()), meaning, diagnostics, given)


def opened(
    written: str | Target, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> tuple[Target, SourceFile, Checker]:
    """A text that can be read, before anything in it is checked. Raises NotLoaded."""
    found = _open(written, overrides, size)
    if isinstance(found, Checked):
        raise NotLoaded(found.diagnostics)
    return found


def _open(
    written: str | Target, overrides: Mapping[str, str] | None, size: tuple[int, int] | None
) -> Checked | tuple[Target, SourceFile, Checker]:
    target = Target.parse(written) if isinstance(written, str) else written
    source = target.read()
    if isinstance(source, Diagnostic):
        return Checked(target, None, (source,))
    given = {name: value_of(text) for name, text in (overrides or {}).items()}
    return target, source, checker(source, target.path, given, size, target.files)


def value_of(text: str) -> int | Fraction | bool | str:
    """A parameter as a command line gives it: a number, `yes` or `no`, else a word."""
    if text in ("yes", "no"):
        return text == "yes"
    try:
        number = Fraction(text.replace("_", ""))
    except (ValueError, ZeroDivisionError):
        return text
    return number.numerator if number.denominator == 1 else number


def in_order(diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, as a reader goes through them; what has no place first."""
    files: dict[str, int] = {}

    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        if diagnostic.primary is None:
            return (-1, 0)
        span = diagnostic.primary.span
        return (files.setdefault(span.source.name, len(files)), span.start)

    return tuple(sorted(diagnostics, key=place))


def _place(diagnostic: Diagnostic) -> str:
    if diagnostic.primary is None:
        return f"{diagnostic.file}: " if diagnostic.file else ""
    span = diagnostic.primary.span
    return f"{span.source.name}:{span.position.line}:{span.position.column}: "
