"""Costs: `cost latency = table("tables/gtx1080ti.json", unit = ms)`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archdsl.files import circle_of_links
from archdsl.sema import codes
from archdsl.sema.modules.load import Unit as File
from archdsl.sema.modules.load import led
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.sema.settings.calls import arguments_of
from archdsl.sema.settings.settings_reader import NameKind, Reader
from archdsl.settings.costs import MEASURE, Cost, Counted, Measure, Measured, TableFile, Uniform
from archdsl.settings.schema import Name, Rule, TablePath, spellings_of
from archdsl.space import QuestionKind
from archdsl.syntax import ast
from archdsl.syntax.unparse import unparse
from archdsl.text import Span

DEPTH_LIMIT = 40
"""No costs are defined by one another more deeply."""
_COUNTED = tuple(each.word for each in spellings_of(Counted))


def find_cost(file: File, reporter: Reporter, path: ast.Path) -> Cost | None:
    """The cost of a name: one that the text defines, or `macs` and `params`."""
    measure = CostNames(file, reporter).measure(path)
    return None if measure is None else Cost(unparse(path), measure)


def read_cost(item: ast.Cost, file: File, reporter: Reporter) -> Cost | None:
    """What `cost NAME = …` defines; None where that has been reported to be wrong."""
    measure = Reader(reporter, CostNames(file, reporter, (item.name.text,))).read(MEASURE, item.value)
    return None if measure is None else Cost(item.name.text, measure)


@dataclass(frozen=True, slots=True)
class CostNames:
    """What names in a cost refer to: other costs, ops, tables."""

    file: File
    reporter: Reporter
    open: tuple[str, ...] = ()
    """Names of the costs whose definitions are being read."""

    def resolve(self, reader: Reader, kind: NameKind, expr: ast.Expr) -> Measure | TableFile | str | None:
        match kind, expr:
            case TablePath(), ast.String(value=written):
                return self._locate(written, expr.span)
            case TablePath(), _:
                message = f"`{unparse(expr)}` is no file"
                self.reporter.report(codes.NOT_A_VALUE, message, expr.span, 'write it in quotes: `"tables/x.json"`')
                return None
            case Name(), _:
                return self._op(expr)
            case _, ast.Path():
                return self.measure(expr)
            case _:
                raise ValueError(f"a cost has no {kind}")

    def question_kind(self, expr: ast.Expr) -> QuestionKind | None:
        raise ValueError("a cost is of no questions")

    def answer(self, kind: QuestionKind, expr: ast.Expr) -> str | None:
        raise ValueError("a cost is of no questions")

    def outputs(self) -> Sequence[str]:
        return ()

    def permits(self, rule: Rule, expr: ast.Expr) -> bool:
        return True

    def measure(self, path: ast.Path) -> Measure | None:
        """What a cost measures; its tables as this file would name them."""
        found = self.file.find_path(path)
        if found is None or not isinstance(found.item, ast.Cost):
            return self._counted(path)
        name = found.item.name.text
        if name in self.open:
            self._report_circle(name)
            return None
        if len(self.open) >= DEPTH_LIMIT:
            self.reporter.report(
                codes.EXPANDS_TOO_FAR,
                f"costs lie more than {DEPTH_LIMIT} deep in one another",
                path.span,
                "expands too far",
                help="define the cost by what it measures",
            )
            return None
        names = CostNames(found.unit, self.reporter, (*self.open, name))
        measure = Reader(self.reporter, names).read(MEASURE, found.item.value)
        return measure and _seen_from(measure, self.file)

    def _counted(self, path: ast.Path) -> Counted | None:
        written = unparse(path)
        if written in _COUNTED:
            return Counted(written)
        known = [*self.file.names(ast.Cost), *_COUNTED]
        if not self.file.incomplete:
            self.reporter.report(
                codes.UNKNOWN_COST,
                f"there is no cost `{written}`",
                path.span,
                "not known here",
                help=suggestion(written, known),
                fix=replacement(written, known, path.span),
            )
        return None

    def _report_circle(self, name: str) -> None:
        """Once for a circle, wherever its reading began: at the definition that stands first."""
        found = [self.file.find(each) for each in self.open[self.open.index(name) :]]
        names = [each.item.name for each in found if each and isinstance(each.item, ast.Cost)]
        first = min(names, key=lambda each: each.span.start)
        through = " is ".join(f"`{each.text}`" for each in (*names, names[0]))
        self.reporter.report(
            codes.COST_CYCLE,
            f"`{first.text}` is defined by itself: {through}",
            first.span,
            "closes the circle",
            help='name a table in one of them: `table("tables/device.json", unit = ms)`',
        )

    def _op(self, expr: ast.Expr) -> str | None:
        """An op that is known here; whether a space offers it is seen where the cost is used."""
        arguments = arguments_of(self.reporter, expr)
        known = self.file.names(ast.Op)
        if arguments is not None and (arguments.name in known or self.file.incomplete):
            return unparse(expr)
        self.reporter.report(
            codes.UNKNOWN_OP,
            f"there is no op `{unparse(expr)}`",
            expr.span,
            "not known here",
            help=suggestion(unparse(expr), known),
        )
        return None

    def _locate(self, written: str, span: Span) -> TableFile | None:
        """Where a table lies. It may still have to be filled, but may not leave the project (`rule-files`)."""
        if self.file.path is None:
            return TableFile(written, None, span)
        try:
            if circle := circle_of_links(self.file.path.parent / written):
                self.reporter.report(
                    codes.NO_TABLE,
                    f'`"{written[:80]}"` lies behind links in a circle: {led(circle)}',
                    span,
                    "leads to no file",
                    help="let one of the links lead to a table",
                )
                return None
            path = (self.file.path.parent / written).resolve()
            folder = path.is_dir()
        except (OSError, ValueError):
            path, folder = self.file.path, True
        if not written.endswith(".json") or folder:
            message = f'`"{written[:80]}"` is no cost table'
            self.reporter.report(codes.NO_TABLE, message, span, "a `.json` file is needed")
            return None
        if not path.is_relative_to(self.file.root):
            self.reporter.report(
                codes.USE_OUTSIDE,
                f'`"{written[:80]}"` lies outside the project',
                span,
                f"leaves `{self.file.root.name}`",
                help="copy the table into the project",
            )
            return None
        return TableFile(written, path, span)


def _seen_from(measure: Measure, file: File) -> Measure:
    """The measure with its table's path as a file in another folder has to write it."""
    match measure:
        case Measured(TableFile(path=Path() as path) as table) if file.path is not None:
            if (file.path.parent / table.written).resolve() == path:
                return measure
            written = Path(os.path.relpath(path, file.path.parent)).as_posix()
            return replace(measure, file=replace(table, written=written))
        case Uniform(of):
            return replace(measure, of=_seen_from(of, file))
        case _:
            return measure
