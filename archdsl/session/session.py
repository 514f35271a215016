"""Texts checked from memory, with everything that was found kept for the next time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from threading import Lock, RLock
from typing import Final, Literal, TypeAlias, assert_never

from archdsl.diagnostics import Diagnostic, Severity
from archdsl.lint import NO_SETTINGS, LintSettings, lint, read_settings, reported
from archdsl.records import record
from archdsl.sema.circles import circles
from archdsl.sema.driver import Checker, Layouts, Meaning, Recipe, is_recipe
from archdsl.sema.modules.files import Disk, Files
from archdsl.sema.modules.load import Unit, load_units, root_of
from archdsl.sema.reporter import Reporter, limited
from archdsl.sema.resolve import Index, Resolution, check_names, resolution_of
from archdsl.session.cache import Cache
from archdsl.session.files import Record, Recorder, digest
from archdsl.syntax import MAX_DIGITS, Parsed, digits_of, parse
from archdsl.text import SourceFile

Parameter: TypeAlias = "int | Fraction | bool | str"

_NUMBER: Final = re.compile(r"[-+\d_./]+(e[-+\d_]+)?", re.IGNORECASE)
_TEXTS: Final = 512
"""How many parsed texts are kept."""
_SNAPSHOTS: Final = 32
"""How many texts are kept with what they mean."""
_RESULTS: Final = 16
"""How many results are kept of one text: for its items, parameters and sizes of images."""
_VERSIONS: Final = 4
"""How many states of the files that a text uses are told apart."""


@record
class Text:
    """A text to be checked, and what it is checked with."""

    source: SourceFile
    path: Path | None = None
    """Where the text lies, or would lie; a text without a place uses the library alone."""
    files: Files = field(default_factory=Disk)
    """Where what it uses is read."""
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    """Parameters, as a command line gives them."""
    size: tuple[int, int] | None = None
    """The image's height and width, where they are not those of the text."""


@record
class Checked:
    """A text after its checks.

    `meanings` and `recipes` are those items in which nothing is wrong: spaces and genotypes; searches, trainings and
    costs.
    """

    source: SourceFile
    unit: Unit
    """What the text defines and uses; its syntax tree is `unit.parsed`."""
    diagnostics: tuple[Diagnostic, ...]
    meanings: tuple[Meaning, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    resolution: Resolution | None = None
    """What the names of the text, and of what it uses, are; None where only one of its items was checked."""

    @property
    def parsed(self) -> Parsed:
        return self.unit.parsed

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


@record
class Statistics:
    """What a session did since it began."""

    parses: int = 0
    """Texts that were parsed."""
    loads: int = 0
    """Texts whose names were resolved, with those of all that they use."""
    checks: int = 0
    """Results that were computed: one for each selection of items, parameters and image size."""
    reuses: int = 0
    """Results that were there already."""


@record
class _Given:
    """What a text is checked with."""

    overrides: tuple[tuple[str, str], ...]
    size: tuple[int, int] | None

    @classmethod
    def of(cls, text: Text) -> _Given:
        return cls(tuple(sorted(text.overrides.items())), text.size)


@record
class _Query:
    """What is asked of a text."""

    of: Literal["every item", "item", "recipe"] = "every item"
    item: str | None = None


@record
class _Result:
    diagnostics: tuple[Diagnostic, ...]
    meanings: tuple[Meaning, ...] = ()
    recipes: tuple[Recipe, ...] = ()
    tables: tuple[tuple[Path, str], ...] = ()
    """The cost tables that were read, with what they held."""

    @property
    def holds(self) -> bool:
        return all(digest(path) == held for path, held in self.tables)


@dataclass(slots=True)
class _Snapshot:
    """A text and all that it uses, as the files were when they were read."""

    unit: Unit
    reporter: Reporter
    """What loading and resolution found."""
    index: Index
    read: Record
    layouts: Cache[_Given, Layouts] = field(default_factory=lambda: Cache[_Given, Layouts](_RESULTS))
    results: Cache[tuple[_Given, _Query], _Result] = field(
        default_factory=lambda: Cache[tuple[_Given, _Query], _Result](_RESULTS)
    )
    lock: RLock = field(default_factory=RLock)
    _resolution: Resolution | None = None

    @property
    def resolution(self) -> Resolution:
        with self.lock:
            if self._resolution is None:
                self._resolution = resolution_of(self.index)
            return self._resolution

    def checker(self, given: _Given) -> Checker:
        """A checker that lays a space out where no other one with the same parameters has done so."""
        layouts = self.layouts.get(given)
        if layouts is None:
            layouts = Layouts()
            self.layouts.put(given, layouts)
        overrides = {name: parameter(text) for name, text in given.overrides}
        return Checker(self.unit, self.reporter.copy(), overrides, given.size, layouts)


class Session:
    """Checks texts and keeps what it found, by the content of the text and of everything that was read for it.

    It may be used by several threads; two of them that check the same text at once do so one after the other.
    """

    def __init__(self, *, texts: int = _TEXTS, snapshots: int = _SNAPSHOTS) -> None:
        self._parsed: Cache[SourceFile, Parsed] = Cache(texts)
        self._snapshots: Cache[tuple[SourceFile, Path | None, Path | None, Path], tuple[_Snapshot, ...]] = Cache(
            snapshots
        )
        self._loading = Lock()
        self._lock = Lock()
        self._statistics: dict[str, int] = {}

    @property
    def statistics(self) -> Statistics:
        with self._lock:
            return Statistics(**self._statistics)

    def parse(self, source: SourceFile) -> Parsed:
        """The text as it was read, from the cache where it was read before."""
        found = self._parsed.get(source)
        if found is None:
            found = parse(source)
            self._parsed.put(source, found)
            self._count("parses")
        return found

    def check(self, text: Text) -> Checked:
        """Check every item of a text."""
        return self._check(self._snapshot(text), text, _Query())

    def check_item(self, text: Text, item: str | None) -> Checked:
        """Check one space or genotype: the one of that name, or without a name the one that is meant.

        That is the one that is named like the file, else the only genotype, else the only space. What else is in the
        text may have mistakes, other than in its syntax and names.
        """
        return self._check(self._snapshot(text), text, _Query("item", item))

    def check_recipe(self, text: Text, item: str) -> Checked | None:
        """Check one search, training or cost; None where the text has none of that name."""
        snapshot = self._snapshot(text)
        if not is_recipe(snapshot.unit, item):
            return None
        return self._check(snapshot, text, _Query("recipe", item))

    def checker(self, text: Text) -> Checker:
        """A checker of a text, for callers that pick its items themselves."""
        return self._snapshot(text).checker(_Given.of(text))

    def _snapshot(self, text: Text) -> _Snapshot:
        """The text with what it uses, as its files have that now."""
        recorder = Recorder(text.files)
        source, path = text.source, text.path
        # How messages name a file, and where a project ends, depends on more than the texts.
        key = (source, path and path.absolute(), path and root_of(path), Path.cwd())
        # One at a time: of two threads that load the same text, the second finds what the first has loaded.
        with self._loading:
            known = self._snapshots.get(key) or ()
            for snapshot in known:
                if recorder.agrees(snapshot.read):
                    return snapshot
            reporter = Reporter()
            unit = load_units(source, path, reporter, recorder, self.parse)
            index = check_names(unit, reporter)
            self._count("loads")
            snapshot = _Snapshot(unit, reporter, index, recorder.record)
            self._snapshots.put(key, (snapshot, *known)[:_VERSIONS])
            return snapshot

    def _check(self, snapshot: _Snapshot, text: Text, query: _Query) -> Checked:
        given = _Given.of(text)
        with snapshot.lock:
            result = snapshot.results.get((given, query))
            if result is None or not result.holds:
                result = _result(snapshot, snapshot.checker(given), query)
                snapshot.results.put((given, query), result)
                self._count("checks")
            else:
                self._count("reuses")
        # Levels are no part of what is kept: they change without anything else being done again.
        whole = query.of == "every item"
        found = reported(result.diagnostics, snapshot.unit.parsed, _settings(text), whole=whole)
        diagnostics = limited(in_order(found))
        resolution = snapshot.resolution if whole else None
        return Checked(text.source, snapshot.unit, diagnostics, result.meanings, result.recipes, resolution)

    def _count(self, what: str) -> None:
        with self._lock:
            self._statistics[what] = self._statistics.get(what, 0) + 1


def _settings(text: Text) -> LintSettings:
    """Those of the project in which the text lies, or would lie."""
    if text.path is None:
        return NO_SETTINGS
    path = root_of(text.path) / "pyproject.toml"
    source = text.files.read(path) if text.files.is_file(path) else None
    return read_settings(source) if isinstance(source, SourceFile) else NO_SETTINGS


def _result(snapshot: _Snapshot, checker: Checker, query: _Query) -> _Result:
    match query.of:
        case "every item":
            return _every_item(snapshot, checker)
        case "item":
            meaning = None if checker.reporter.failed else checker.pick(query.item)
            return _Result(checker.reporter.diagnostics, meanings=() if meaning is None else (meaning,))
        case "recipe":
            assert query.item is not None
            recipe = checker.recipe(query.item)
            if recipe is not None:
                _relaxed(checker, (recipe,))
            return _Result(checker.reporter.diagnostics, recipes=() if recipe is None else (recipe,))
        case _:
            assert_never(query.of)


def _every_item(snapshot: _Snapshot, checker: Checker) -> _Result:
    meanings, recipes = checker.all()
    if not checker.reporter.failed:
        for each in circles(snapshot.unit, snapshot.resolution):
            checker.reporter.add(each)
    if not checker.reporter.failed:
        for each in lint(snapshot.unit, snapshot.resolution):
            checker.reporter.add(each)
    tables = _tables(checker, recipes) if recipes else ()
    if recipes:
        _relaxed(checker, recipes)
    return _Result(checker.reporter.diagnostics, tuple(meanings), tuple(recipes), tables)


def _tables(checker: Checker, recipes: Sequence[Recipe]) -> tuple[tuple[Path, str], ...]:
    """The cost tables that recipes name, with what they hold; what is wrong with them is reported."""
    from archdsl.session.cost_tables import check_tables, tables_of

    tables = tuple((path, digest(path)) for path in tables_of(recipes))
    for each in check_tables(checker, recipes):
        checker.reporter.add(each)
    return tables


def _relaxed(checker: Checker, recipes: Sequence[Recipe]) -> None:
    """Report what keeps searches from being relaxed as they ask."""
    from archdsl.session.relaxable import check_relaxations

    for each in check_relaxations(checker, recipes):
        checker.reporter.add(each)


def parameter(text: str) -> Parameter:
    """A parameter as a command line gives it: a number, `yes` or `no`, else a word.

    Raises ValueError for a number that no text may hold (E0113).
    """
    if text in ("yes", "no"):
        return text == "yes"
    if _NUMBER.fullmatch(text) and digits_of(text) > MAX_DIGITS:
        raise ValueError(f"a number has at most {MAX_DIGITS} digits, written out")
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


SESSION: Final = Session()
"""The session of this process, which commands and the Python API use."""


def check_source(
    source: SourceFile,
    files: Files | None = None,
    *,
    path: Path | None = None,
    overrides: Mapping[str, str] | None = None,
    size: tuple[int, int] | None = None,
) -> Checked:
    """Check every item of a text, in the session of this process.

    `path` is where the text lies, or would lie; what it uses is read from `files`, or else from the disk. `overrides`
    are parameters as a command line gives them (`{"classes": "11"}`), `size` the image's height and width.
    """
    return SESSION.check(Text(source, path, files or Disk(), overrides or {}, size))
