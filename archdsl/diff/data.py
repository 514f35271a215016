"""A difference as plain data, for JSON."""

from __future__ import annotations

from archdsl.diff.model import AnswerChange, CellChange, Change, Cost, Difference, QuestionChange, Side, Totals, Weights

FORMAT_VERSION = 1


def as_data(difference: Difference, *, show_all: bool = False) -> dict[str, object]:
    """Everything that `as_text` shows and more; `show_all` adds the unchanged cells."""
    shown = [cell for cell in difference.cells if show_all or cell.change is not Change.SAME]
    return {
        "format_version": FORMAT_VERSION,
        "before": _side(difference.before),
        "after": _side(difference.after),
        "different": bool(difference),
        "parameters": [
            {"name": each.name, "before": each.before, "after": each.after} for each in difference.parameters
        ],
        "questions": [_question(each) for each in difference.questions],
        "answers": [_answer(each) for each in difference.answers],
        "routes": [
            {"branch": each.branch, "before": list(each.before), "after": list(each.after)}
            for each in difference.routes
        ],
        "cells": [_cell(each) for each in shown],
        "unchanged_cells": sum(cell.change is Change.SAME for cell in difference.cells),
        "totals": _totals(difference.totals),
        "weights": _weights(difference.weights),
    }


def _side(side: Side) -> dict[str, object]:
    return {"name": side.name, "space": side.program.name, "hash": side.program.hash, "closed": side.graph.closed}


def _question(change: QuestionChange | AnswerChange) -> dict[str, object]:
    return {
        "path": change.path,
        "kind": str(change.kind),
        "before": None if change.before is None else list(change.before),
        "after": None if change.after is None else list(change.after),
    }


def _answer(change: AnswerChange) -> dict[str, object]:
    return _question(change) | ({"channels": list(change.channels)} if any(change.channels) else {})


def _cell(cell: CellChange) -> dict[str, object]:
    return {
        "change": str(cell.change),
        "before": cell.before,
        "after": cell.after,
        "aspect": cell.aspect,
        "detail": cell.detail,
        "cost": _cost(cell.cost),
    }


def _cost(cost: Cost) -> dict[str, int]:
    return {"params": cost.params, "macs": cost.macs}


def _totals(totals: Totals | None) -> dict[str, object] | None:
    return totals and {"before": _cost(totals.before), "after": _cost(totals.after)}


def _weights(weights: Weights | None) -> dict[str, object] | None:
    return weights and {
        "total": weights.total,
        "kept": len(weights.kept),
        "reshaped": list(weights.reshaped),
        "new": list(weights.new),
        "dropped": list(weights.dropped),
    }
