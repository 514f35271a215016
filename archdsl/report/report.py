"""The page of a folder, whatever it holds."""

from __future__ import annotations

from pathlib import Path

from archdsl.report.kept import Kept
from archdsl.report.page import page_html
from archdsl.report.run_page import run_page
from archdsl.report.runs import read_run


def report(folder: Path, *, cost: Path | None = None, live: bool = False, kept: Kept | None = None) -> str:
    """One HTML file about the run in a folder, with latencies by `cost`, or by the run's own table.

    Raises NoReport, ToolMissing without Graphviz, TableUnreadable, OSError.
    """
    return page_html(run_page(read_run(folder), cost, kept), live=live)
