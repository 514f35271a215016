"""From a file to what it means, and to the graph of its network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from archdsl.diagnostics import Diagnostic, Severity
from archdsl.pipeline.target import Target
from archdsl.sema.driver import Meaning
from archdsl.session import SESSION, Checked, Parameter, Text, parameter
from archdsl.space import Program
from archdsl.space.divisibility import multiple, of_program, of_trace
from archdsl.space.trace import Answers, trace
from archdsl.syntax import ast
from archdsl.text import SourceFile

if TYPE_CHECKING:
    from archdsl.ir import ClosedGraph, OpenGraph


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
    given: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])
    """Parameters that were given other values than the text has."""

    @property
    def name(self) -> str:
        """The name of the item, with its scale: files of two scales stand beside each other."""
        return f"{self.meaning.name}_{self.target.scale}" if self.target.scale else self.meaning.name

    @property
    def program(self) -> Program:
        return self.meaning.program

    @property
    def is_genotype(self) -> bool:
        return isinstance(self.meaning.item, ast.Genotype)

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

    def answered(self, answers: Answers) -> Loaded:
        """The same space with answers to all that they leave asked: one network."""
        meaning = replace(self.meaning, trace=trace(self.program, answers), answers=answers)
        return replace(self, meaning=meaning)

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
    """Check every item of a text, or the one that is named. Raises NotLoaded where the text cannot be read."""
    target, source = opened(written)
    text = Text(source, target.path, target.files, _with_scale(target, source, overrides or {}), size)
    if target.item is None:
        return SESSION.check(text)
    return SESSION.check_recipe(text, target.item) or SESSION.check_item(text, target.item)


def load(
    written: str | Target, *, overrides: Mapping[str, str] | None = None, size: tuple[int, int] | None = None
) -> Loaded:
    """One space or genotype of a text: `file.arch:NAME`, or of `file.arch` the one that is meant.

    That is the one that is named like the file, else its only genotype, else its only space. `overrides` are
    parameters as a command line gives them (`{"classes": "11"}`), `size` the image's height and width.
    Raises NotLoaded.
    """
    target, source = opened(written)
    overrides = _with_scale(target, source, overrides or {})
    checked = SESSION.check_item(Text(source, target.path, target.files, overrides, size), target.item)
    if checked.failed:
        raise NotLoaded(checked.diagnostics)
    given = {name: parameter(text) for name, text in overrides.items()}
    sources = tuple(checked.unit.sources())
    return Loaded(target, source, sources, checked.meanings[0], checked.diagnostics, given)


def _with_scale(target: Target, source: SourceFile, overrides: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters of the scale that a target names, and over them those that are given. Raises NotLoaded."""
    if target.scale is None:
        return overrides
    checker = SESSION.checker(Text(source, target.path, target.files))
    given = checker.scale(target.item, target.scale)
    if given is None:
        raise NotLoaded(checker.reporter.diagnostics)
    return {**{name: _written(value) for name, value in given.items()}, **overrides}


def _written(value: object) -> str:
    """A value as a command line gives it."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def opened(written: str | Target) -> tuple[Target, SourceFile]:
    """A text as it was read. Raises NotLoaded."""
    target = Target.parse(written) if isinstance(written, str) else written
    source = target.read()
    if isinstance(source, Diagnostic):
        raise NotLoaded((source,))
    return target, source


def _place(diagnostic: Diagnostic) -> str:
    if diagnostic.primary is None:
        return f"{diagnostic.file}: " if diagnostic.file else ""
    span = diagnostic.primary.span
    return f"{span.source.name}:{span.position.line}:{span.position.column}: "
