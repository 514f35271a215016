"""The page of a folder, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from archdsl.report.kept import Kept
from archdsl.report.page import page_html
from archdsl.report.run_page import run_page
from archdsl.report.runs import read_run
from archdsl.report.sweep_page import is_sweep, sweep_page


def report(folder: Path, *, cost: Path | None = None, live: bool = False, kept: Kept | None = None) -> str:
    """One HTML file about the run or the sweep in a folder, with latencies by `cost`, or by the run's own table.

    Raises NoRun, NotSwept, ToolMissing without Graphviz, TableUnreadable, OSError.
    """
    page = sweep_page(folder, cost, kept) if is_sweep(folder) else run_page(read_run(folder), cost, kept)
    return page_html(page, live=live)
