"""Parity of compiled files with the torch network, as text and as JSON."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from archdsl.cli.output import plural, table

if TYPE_CHECKING:
    from archdsl.backends.verify.parity import Parity, Run


def parity_text(parity: Parity) -> str:
    """One line for each runtime and size; beyond the tolerance also the first cell that deviates."""
    rows = [
        ("runtime", "size", "difference", ""),
        *(
            (run.runtime, f"{run.height}x{run.width}", _difference(run), _verdict(run, parity.tolerance))
            for run in parity.runs
        ),
    ]
    head = f"against the torch network; tolerance {parity.tolerance:g} of the largest logit\n"
    return head + table(rows, right=(2,))


def _difference(run: Run) -> str:
    return "not run" if run.difference is None else f"{run.difference:.1e}"


def _verdict(run: Run, tolerance: float) -> str:
    checked = f"; {', '.join(run.checked)} checked" if run.checked else ""
    if run.not_run:
        return run.not_run + checked
    if run.within(tolerance):
        where = f"over {plural(len(run.cells), 'cell')}" if run.cells else "at the outputs"
        return f"within, {where}{checked}"
    parting = run.first_parting(tolerance)
    return f"BEYOND; parts at `{parting.path}`" if parting else "BEYOND, at the output"


def parity_object(parity: Parity) -> dict[str, Any]:
    return {
        "tolerance": parity.tolerance,
        "within": parity.within(),
        "runs": [
            {
                "runtime": run.runtime,
                "size": [run.height, run.width],
                "difference": _finite(run.difference),
                "within": run.within(parity.tolerance),
                "not_run": run.not_run or None,
                "checked": list(run.checked),
                "cells": {cell.path: _finite(cell.difference) for cell in run.cells},
            }
            for run in parity.runs
        ],
    }


def _finite(difference: float | None) -> float | None:
    """None for NaN and infinity, which JSON does not have."""
    return difference if difference is not None and isfinite(difference) else None
