"""All that a text goes through without torch, and what has to hold of it."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import process_time

from archdsl.cost import figures, node_costs
from archdsl.diagnostics import Diagnostic, Severity, show
from archdsl.fmt import format_source
from archdsl.ir import canonical_hash, canonical_text, closed, verify
from archdsl.pipeline import Loaded, NotLoaded, Target, check, load
from archdsl.pipeline.expand import expand
from archdsl.pipeline.genotype_writer import write_genotype
from archdsl.render import draw, render
from archdsl.session import Checked
from archdsl.space.count import Census, NotCounted
from archdsl.space.trace import trace
from archdsl.syntax import ast, parse, read
from archdsl.text import SourceFile

WORDS = ("something wrong", "``", "Map(", "Poison", "object at", "Dim(", "Fraction(", "Span(", "Name(", "Path(")
"""What no message may hold: it is of our insides."""


class Broken(Exception):
    """A law that does not hold."""


@dataclass(slots=True)
class Clock:
    """Where the CPU time went, by stage, in seconds."""

    stages: dict[str, float] = field(default_factory=dict[str, float])
    now: str = ""

    @contextmanager
    def of(self, stage: str) -> Generator[None]:
        self.now = stage
        begun = process_time()
        try:
            yield
        finally:
            self.stages[stage] = self.stages.get(stage, 0.0) + process_time() - begun


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    """`unread`, `unparsed`, `refused` or `clean`."""
    codes: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """What else was done with a clean text."""


def exercise(path: Path, clock: Clock, *, further: bool) -> Outcome:
    """Check a text, format it, and, if `further`, count, expand, draw and hash what it means. Raises Broken."""
    with clock.of("parse"):
        source = read(str(path))
        parsed = parse(source) if isinstance(source, SourceFile) else None
    if parsed is not None and not parsed.diagnostics:
        with clock.of("format"):
            _formats(parsed.source)
    with clock.of("check"):
        found = _checked(path)
    with clock.of("show"):
        _is_answered(found)
    codes = tuple(sorted({each.code for each in found.diagnostics}))
    if parsed is None or isinstance(found, NotLoaded):
        return Outcome("unread", codes)
    if any(each.severity is Severity.ERROR for each in parsed.diagnostics):
        _law(found.failed, "a mistake of syntax is lost")
    if found.failed:
        return Outcome("unparsed" if parsed.diagnostics else "refused", codes)
    items = [each for each in parsed.file.items if isinstance(each, ast.Space | ast.Genotype)]
    _law(len(found.meanings) == len(items), "an item without a mistake has no meaning")
    notes: list[str] = []
    if further:
        notes += [(_closed if each.closed else _open)(each, path, clock) for each in _loaded(found, path)]
    return Outcome("clean", codes, tuple(notes))


def _checked(path: Path) -> Checked | NotLoaded:
    try:
        return check(str(path))
    except NotLoaded as unreadable:
        return unreadable


def _law(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


def _formats(source: SourceFile) -> None:
    formatted = format_source(source)
    _law(not formatted.diagnostics, "formatting changes what is said")
    _law(format_source(SourceFile("again.arch", formatted.text)).text == formatted.text, "formatting twice differs")


def _is_answered(found: Checked | NotLoaded) -> None:
    for diagnostic in found.diagnostics:
        marks = () if diagnostic.primary is None else (diagnostic.primary, *diagnostic.secondary)
        _law(bool(marks) or bool(diagnostic.file), f"{diagnostic.code} has no place")
        for mark in marks:
            _law(0 <= mark.span.start <= mark.span.stop <= len(mark.span.source.text), "a place outside of its text")
        for text in _said(diagnostic):
            _law(not any(word in text for word in WORDS), f"a message that is not for people: {text}")
    for style in ("full", "concise"):
        _law(bool(show(found.diagnostics, style)) == bool(found.diagnostics), "a message that is not shown")
    json.loads(show(found.diagnostics, "json"))


def _said(diagnostic: Diagnostic) -> Sequence[str]:
    """What is ours of a message: what a user wrote may hold anything."""
    return diagnostic.message.split("`")[::2]


def _loaded(found: Checked, path: Path) -> list[Loaded]:
    return [Loaded(Target(str(path)), found.source, tuple(each.unit.sources()), each) for each in found.meanings]


def _closed(loaded: Loaded, path: Path, clock: Clock) -> str:
    with clock.of("stats"):
        graph = verify(loaded.network())
        counted = figures(graph)
        counted.cells()
        counted.branches()
    with clock.of("hash"):
        digest = canonical_hash(graph)
        canonical_text(graph)
    with clock.of("expand"):
        text = expand(graph)
    with clock.of("check expanded"):
        copy = path.with_name("expanded.arch")
        copy.write_text(text, encoding="utf-8")
        again = load(str(copy)).network()
        copy.unlink()
    _law(canonical_hash(again) == digest, "expanded, it is another network")
    _law((figures(again).params, figures(again).macs) == (counted.params, counted.macs), "expanded, it costs other")
    with clock.of("draw"):
        render(draw(loaded), "dot")
        render(draw(loaded, costs=node_costs.counted(counted, node_costs.Counted.MACS)), "dot")
    return "network"


def _open(loaded: Loaded, path: Path, clock: Clock) -> str:
    with clock.of("supernet"):
        canonical_text(loaded.supernet())
    with clock.of("draw"):
        render(draw(loaded), "dot")
    with clock.of("count"):
        try:
            census = Census(loaded.program)
        except NotCounted:
            return "not counted"
        count = census.count
    if not count or loaded.name != loaded.program.name:
        return "counted"
    with clock.of("sample"):
        answers = census.sample(Random(3))
        walked = trace(loaded.program, answers)
        _law(not walked.missing and walked.asked.keys() == answers.keys(), "a sample is not in normal form")
        if walked.misfits:
            return "counted, and its sample does not fit together"
        graph = verify(closed(loaded.program, walked, "sampled"))
        text = write_genotype(loaded.program, answers, "a_sample_of_it", f'"{path.name}"')
    with clock.of("check sampled"):
        copy = path.with_name("sampled.arch")
        copy.write_text(text, encoding="utf-8")
        found = load(str(copy))
        copy.unlink()
        _law(canonical_hash(found.network()) == canonical_hash(graph), "a sample, read again, is another network")
    return "sampled"
