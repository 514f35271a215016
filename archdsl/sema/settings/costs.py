"""Costs: `cost latency = table("tables/gtx1080ti.json", unit = ms)`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from archdsl.sema import codes
from archdsl.sema.modules.load import Unit as File
from archdsl.sema.reporter import Reporter, replacement, suggestion
from archdsl.sema.settings.forms import Form, form_of, one_of
from archdsl.sema.settings.values import word
from archdsl.settings.costs import Cost, Counted, Measure, Measured, Uniform, Unit
from archdsl.syntax import ast
from archdsl.syntax.unparse import spell
from archdsl.text import Span

COUNTED = ("macs", "params")

_Located: TypeAlias = "tuple[str, Path | None, Span | None]"
"""A table as it is written, where it lies, and where the text says so."""


def find_cost(file: File, reporter: Reporter, path: ast.Path) -> Cost | None:
    """The cost of a name: one that the text defines, or `macs` and `params`."""
    written = spell(path)
    found = file.find_path(path)
    if found is not None and isinstance(found.item, ast.Cost):
        return read_cost(found.item, found.unit, reporter)
    if written in COUNTED:
        return Cost(written, Counted(written))
    known = [*file.names(ast.Cost), *COUNTED]
    if not file.incomplete:
        reporter.report(
            codes.UNKNOWN_COST,
            f"there is no cost `{written}`",
            path.span,
            "not known here",
            help=suggestion(written, known),
            fix=replacement(written, known, path.span),
        )
    return None


def read_cost(item: ast.Cost, file: File, reporter: Reporter) -> Cost | None:
    """What `cost NAME = …` defines; None where that has been reported to be wrong."""
    measure = _Measures(file, (item.name.text,)).read(reporter, item.value)
    return None if measure is None else Cost(item.name.text, measure)


@dataclass(frozen=True, slots=True)
class _Measures:
    file: File
    open: tuple[str, ...]
    """Names of the costs whose definitions are being read."""

    def read(self, reporter: Reporter, expr: ast.Expr) -> Measure | None:
        if isinstance(expr, ast.Path):
            return self._of_name(reporter, expr)
        return one_of("measure", {"table": self._table, "uniform": self._uniform})(reporter, expr)

    def _of_name(self, reporter: Reporter, path: ast.Path) -> Measure | None:
        found = self.file.find_path(path)
        if found is None or not isinstance(found.item, ast.Cost):
            cost = find_cost(self.file, reporter, path)
            return cost and cost.measure
        name = found.item.name.text
        if name in self.open:
            self._report_circle(reporter, name)
            return None
        return _Measures(found.unit, (*self.open, name)).read(reporter, found.item.value)

    def _report_circle(self, reporter: Reporter, name: str) -> None:
        """Once for a circle, wherever its reading began: at the definition that stands first."""
        found = [self.file.find(each) for each in self.open[self.open.index(name) :]]
        names = [each.item.name for each in found if each and isinstance(each.item, ast.Cost)]
        first = min(names, key=lambda each: each.span.start)
        through = " is ".join(f"`{each.text}`" for each in (*names, names[0]))
        reporter.report(
            codes.COST_CYCLE,
            f"`{first.text}` is defined by itself: {through}",
            first.span,
            "closes the circle",
            help='name a table in one of them: `table("tables/device.json", unit = ms)`',
        )

    def _table(self, form: Form) -> Measured:
        written, path, span = form.need("file", self._file, ("", None, None), first=True)
        return Measured(written, path, form.take("unit", word(Unit, "unit of time"), Unit.MS), span)

    def _uniform(self, form: Form) -> Uniform:
        of = form.need("of", self.read, Counted("macs"), first=True)
        return Uniform(of, form.need("relative_to", self._op, "identity"))

    def _op(self, reporter: Reporter, expr: ast.Expr) -> str | None:
        """An op that is known here; whether a space offers it is seen where the cost is used."""
        form = form_of(reporter, expr)
        known = self.file.names(ast.Op)
        if form is not None and (form.name in known or self.file.incomplete):
            return spell(expr)
        reporter.report(
            codes.UNKNOWN_OP,
            f"there is no op `{spell(expr)}`",
            expr.span,
            "not known here",
            help=suggestion(spell(expr), known),
        )
        return None

    def _file(self, reporter: Reporter, expr: ast.Expr) -> _Located | None:
        match expr:
            case ast.String(value=written):
                return self._locate(reporter, written, expr.span)
            case _:
                reporter.report(
                    codes.NOT_A_VALUE, f"`{spell(expr)}` is no file", expr.span, 'write it in quotes: `"tables/x.json"`'
                )
                return None

    def _locate(self, reporter: Reporter, written: str, span: Span) -> _Located | None:
        """Where a table lies. It may still have to be filled, but may not leave the project (rule 13)."""
        if self.file.path is None:
            return written, None, span
        try:
            path = (self.file.path.parent / written).resolve()
            folder = path.is_dir()
        except (OSError, ValueError):
            path, folder = self.file.path, True
        if not written.endswith(".json") or folder:
            reporter.report(codes.NO_TABLE, f'`"{written[:80]}"` is no cost table', span, "a `.json` file is needed")
            return None
        if not path.is_relative_to(self.file.root):
            reporter.report(
                codes.USE_OUTSIDE,
                f'`"{written[:80]}"` lies outside the project',
                span,
                f"leaves `{self.file.root.name}`",
                help="copy the table into the project",
            )
            return None
        return written, path, span
