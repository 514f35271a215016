"""Files and what their names mean: `use`, the items of a file, which definition a name is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

from archdsl.diagnostics import Diagnostic, Label, Severity
from archdsl.files import circle_of_links
from archdsl.ops import Primitive
from archdsl.ops.primitives import PRIMITIVES
from archdsl.sema import codes
from archdsl.sema.modules.files import Disk, Files
from archdsl.sema.modules.library import library
from archdsl.sema.reporter import Reporter, suggestion
from archdsl.syntax import Parsed, ast, parse
from archdsl.syntax.codes import CLOSES_NOTHING, NOT_CLOSED
from archdsl.text import SourceFile, Span

Definition: TypeAlias = "ast.Op | ast.Ops | ast.Cell | ast.Space | ast.Cost | ast.Search | ast.Train | ast.Genotype"

BUILT_IN = (
    *("ceil", "channels", "divisible", "downsampling", "floor", "loose", "max", "min", "split", "sum"),
    *("searching", "earlier", "yes", "no"),
)
"""Names that the language itself gives a meaning."""


class Found(NamedTuple):
    """A definition and the file in which its own names are looked up."""

    item: Definition | Primitive
    unit: Unit


@dataclass(slots=True)
class Unit:
    """One file: what it defines and what it uses."""

    parsed: Parsed
    path: Path | None
    items: dict[str, Definition] = field(default_factory=dict[str, Definition])
    used: list[Unit] = field(default_factory=list["Unit"])
    aliases: dict[str, Unit] = field(default_factory=dict[str, "Unit"])
    imports: list[tuple[ast.Use, Unit]] = field(default_factory=list[tuple[ast.Use, "Unit"]])
    """Each `use` with the file that it names."""
    broken: set[str] = field(default_factory=set[str])
    """Items in which there is a syntax error: what is missing in them may have been taken away by it."""
    incomplete: bool = False
    """Whether names that are not known may have been lost: with a file that cannot be used, or to a syntax error."""
    _names: dict[tuple[type[Definition], ...], list[str]] = field(
        default_factory=dict["tuple[type[Definition], ...]", "list[str]"]
    )

    @property
    def root(self) -> Path:
        """The folder that no `use` and no table may leave (`rule-files`). Only a text from a file has one."""
        assert self.path is not None
        return root_of(self.path)

    @property
    def source(self) -> SourceFile:
        return self.parsed.file.span.source

    def find(self, name: str) -> Found | None:
        """The file's own item, else one of a used file, else a primitive."""
        if name in self.items:
            return Found(self.items[name], self)
        for unit in self.used:
            if name in unit.items:
                return Found(unit.items[name], unit)
        primitive = PRIMITIVES.find(name)
        return None if primitive is None else Found(primitive, self)

    def find_path(self, path: ast.Path) -> Found | None:
        """The definition that a path names: `conv3x3`, or `cas.normal` where a file was used under a name."""
        if not path.parts:
            return self.find(path.head.text)
        match path.parts:
            case (ast.Attribute(name=name),) if path.head.text in self.aliases:
                unit = self.aliases[path.head.text]
                return Found(unit.items[name], unit) if name in unit.items else None
            case _:
                return None

    def names(self, *kinds: type[Definition]) -> list[str]:
        """Every name that can be written here, for suggestions; of the kinds given, primitives with ops."""
        if kinds not in self._names:
            units = (self, *self.used)
            found = [name for unit in units for name, item in unit.items.items() if isinstance(item, kinds)]
            self._names[kinds] = [*found, *PRIMITIVES.names()] if ast.Op in kinds else found
        return self._names[kinds]

    def sources(self) -> Iterator[SourceFile]:
        """This text and every text that it uses, each once."""
        seen: set[str] = set()
        waiting = [self]
        while waiting:
            unit = waiting.pop(0)
            if unit.source.name not in seen:
                seen.add(unit.source.name)
                yield unit.source
                waiting += [*unit.used, *unit.aliases.values()]


def load_units(
    source: SourceFile,
    path: Path | None,
    reporter: Reporter,
    files: Files | None = None,
    parse: Callable[[SourceFile], Parsed] = parse,
) -> Unit:
    """The unit of a text and of all that it uses, from `files` or else the disk.

    `path` is where the text lies; a text from stdin has none.
    """
    loader = _Loader(reporter, root_of(path) if path else None, files or Disk(), parse)
    return loader.load(source, Path(os.path.realpath(path)) if path else None)


def root_of(path: Path) -> Path:
    """The folder that no `use` in a file may leave (`rule-files`)."""
    folder = Path(os.path.realpath(path)).parent  # `resolve` raises where links lead in a circle
    return next((parent for parent in (folder, *folder.parents) if _is_project(parent)), folder)


def may_use(root: Path, path: Path) -> bool:
    """Whether texts of a project may use a file: one in its folder, or one of the library."""
    packaged = library("std")
    return path.is_relative_to(root) or (packaged is not None and path.parent == packaged.parent)


def led(circle: Sequence[Path]) -> str:
    """`a` leads to `b` leads to `a`."""
    return " leads to ".join(f"`{link.name}`" for link in circle)


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").exists() or (folder / ".git").exists()


def _find_broken(unit: Unit) -> None:
    """Which items syntax errors have damaged, and whether whole items may have been lost."""
    for diagnostic in unit.parsed.diagnostics:
        if diagnostic.primary is None or diagnostic.severity is not Severity.ERROR:
            continue
        at = diagnostic.primary.span
        hit = [name for name, item in unit.items.items() if item.span.start <= at.start <= item.span.stop]
        unit.broken.update(hit)
        if not hit or diagnostic.code in (NOT_CLOSED, CLOSES_NOTHING):
            unit.incomplete = True


@dataclass(slots=True)
class _Loader:
    reporter: Reporter
    root: Path | None
    files: Files
    parse: Callable[[SourceFile], Parsed]
    done: dict[Path, Unit] = field(default_factory=dict[Path, Unit])
    open: list[Path] = field(default_factory=list[Path])

    def load(self, source: SourceFile, path: Path | None) -> Unit:
        parsed = self.parse(source)
        for diagnostic in parsed.diagnostics:
            self.reporter.add_syntax(diagnostic)
        unit = Unit(parsed, path)
        if path:
            self.done[path] = unit
            self.open.append(path)
        for item in parsed.file.items:
            if isinstance(item, ast.Use):
                self._use(unit, item)
            else:
                self._define(unit, item)
        _find_broken(unit)
        self._check_ambiguous(unit)
        if path:
            self.open.pop()
        return unit

    def _define(self, unit: Unit, item: Definition) -> None:
        name = item.name
        if name.text in PRIMITIVES.reserved or name.text in BUILT_IN:
            what = "a primitive" if name.text in PRIMITIVES.reserved else "a word of the language"
            self.reporter.report(
                codes.RESERVED,
                f"`{name.text}` is {what}",
                name.span,
                "cannot be defined again",
                help="choose another name",
            )
        elif first := unit.items.get(name.text):
            self.reporter.report(
                codes.DUPLICATE,
                f"`{name.text}` is defined twice",
                name.span,
                "again here",
                also=(Label(first.name.span, "first here"),),
                help="rename one of them",
            )
            return
        unit.items[name.text] = item

    def _check_ambiguous(self, unit: Unit) -> None:
        seen: dict[str, tuple[Unit, Definition]] = {}
        for used in unit.used:
            for name, item in used.items.items():
                if name in unit.items:
                    continue
                if name in seen and seen[name][0] is not used:
                    self.reporter.report(
                        codes.AMBIGUOUS,
                        f"`{name}` comes from two used files",
                        item.name.span,
                        "one here",
                        also=(Label(seen[name][1].name.span, "one here"),),
                        help="use one of the files under a name: `use … as NAME`, then write `NAME." + name + "`",
                    )
                else:
                    seen[name] = (used, item)

    def _use(self, unit: Unit, use: ast.Use) -> None:
        path = self._locate(unit, use)
        if path is None:
            unit.incomplete = True
            return
        if path in self.open:
            chain = " uses ".join(f"`{step.name}`" for step in [*self.open[self.open.index(path) :], path])
            self.reporter.report(
                codes.USE_CYCLE,
                f"`{path.name}` uses itself: {chain}",
                use.span,
                "closes the circle",
                help="move what both need into a third file",
            )
            unit.incomplete = True
            return
        used = self.done.get(path) or self._read(path, use)
        if used is None:
            unit.incomplete = True
            return
        unit.incomplete = unit.incomplete or used.incomplete
        unit.imports.append((use, used))
        if use.alias is None:
            unit.used.append(used)
        else:
            unit.aliases[use.alias.text] = used

    def _read(self, path: Path, use: ast.Use) -> Unit | None:
        source = self.files.read(path)
        if isinstance(source, Diagnostic):
            self.reporter.report(
                codes.USED_FILE_BROKEN,
                f"`{path.name}` cannot be used: {source.message}",
                use.source.span,
                "used here",
                help=source.help,
            )
            return None
        return self.load(source, path)

    def _locate(self, unit: Unit, use: ast.Use) -> Path | None:
        if isinstance(use.source, ast.Name):
            if found := library(use.source.text):
                return found
            return self._missing(
                use.source.span,
                f"there is no library `{use.source.text}`",
                'write `use std`, or a file in quotes: `use "cells.arch"`',
            )
        written = use.source.value
        if unit.path is None:
            return self._missing(
                use.source.span, f'`"{written}"` has no place to be looked for', "check the text from a file"
            )
        try:
            if circle := circle_of_links(unit.path.parent / written):
                return self._missing(
                    use.source.span,
                    f'`"{written}"` lies behind links in a circle: {led(circle)}',
                    "let one of the links lead to a file",
                )
            path = (unit.path.parent / written).resolve()
            self.files.is_file(path)
        except (OSError, ValueError) as error:
            return self._missing(use.source.span, f'`"{written[:60]}"` is no path: {error}', "check the path")
        root = self.root or unit.path.parent
        if not may_use(root, path):
            self.reporter.report(
                codes.USE_OUTSIDE,
                f'`"{written}"` lies outside the project',
                use.source.span,
                f"leaves `{root.name}`",
                help="copy the file into the project"
                if _is_project(root)
                else "a project is a folder with `.git` or `pyproject.toml`: run `git init` in the one that holds both",
            )
            return None
        if self.files.is_folder(path):
            return self._missing(use.source.span, f'`"{written}"` is a folder', "name a file in it")
        if not self.files.is_file(path):
            beside = [name for name in self.files.names(path.parent) if name.endswith(".arch")]
            names = [name for name in beside if path.parent / name != unit.path]
            known = suggestion(path.name, names) or "check the path"
            if path.name == written and path.suffix == ".arch" and library(path.stem) is not None:
                known = f"it is a packaged text: write `use {path.stem}`, without quotes"
            return self._missing(use.source.span, f'`"{written}"` does not exist', known)
        return path

    def _missing(self, span: Span, message: str, help: str) -> None:
        self.reporter.report(codes.USE_NOT_FOUND, message, span, "not found", help=help)
