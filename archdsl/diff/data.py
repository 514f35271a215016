"""A difference as plain data, for JSON."""

from __future__ import annotations

from archdsl.diff.model import AnswerChange, CellChange, Change, Cost, Difference, QuestionChange, Side, Totals, Weights

FORMAT_VERSION = 1


def as_data(difference: Difference, *, show_all: bool = False) -> dict[str, object]:
    """Everything that `as_text` shows and more; `show_all` adds the unchanged cells."""
    timed = difference.totals is not None and difference.totals.timed
    shown = [cell for cell in difference.cells if show_all or cell.change is not Change.SAME]
    return {
        "format_version": FORMAT_VERSION,
        "before": _side(difference.before),
        "after": _side(difference.after),
        "different": bool(difference),
        "same_network": not difference or difference.written_otherwise,
        "parameters": [
            {"name": each.name, "before": each.before, "after": each.after} for each in difference.parameters
        ],
        "questions": [_question(each) for each in difference.questions],
        "answers": [_answer(each, difference, timed=timed) for each in difference.answers],
        "routes": [
            {"branch": str(each.branch), "before": list(each.before), "after": list(each.after)}
            for each in difference.routes
        ],
        "cells": [_cell(each, timed=timed) for each in shown],
        "unchanged_cells": sum(cell.change is Change.SAME for cell in difference.cells),
        "totals": _totals(difference.totals),
        "weights": _weights(difference.weights),
    }


def _side(side: Side) -> dict[str, object]:
    return {"name": side.name, "space": side.program.name, "hash": side.program.hash, "closed": side.graph.closed}


def _question(change: QuestionChange | AnswerChange) -> dict[str, object]:
    return {
        "path": str(change.path),
        "kind": str(change.kind),
        "before": None if change.before is None else list(change.before),
        "after": None if change.after is None else list(change.after),
    }


def _answer(change: AnswerChange, difference: Difference, *, timed: bool) -> dict[str, object]:
    """With the cost of what stands on the edge that asks; what other questions cost stands at their cells."""
    cost = difference.cost_of(change.path.question)
    channels = {"channels": list(change.channels)} if any(change.channels) else {}
    return _question(change) | channels | ({} if cost is None else {"cost": _cost(cost, timed=timed)})


def _cell(cell: CellChange, *, timed: bool) -> dict[str, object]:
    return {
        "change": str(cell.change),
        "before": cell.before,
        "after": cell.after,
        "aspect": cell.aspect,
        "detail": cell.detail,
        "cost": _cost(cell.cost, timed=timed),
    }


def _cost(cost: Cost, *, timed: bool) -> dict[str, float]:
    counts = {"params": cost.params, "macs": cost.macs, "activations": cost.activations}
    return counts | ({"latency_ms": round(1e3 * cost.seconds, 9)} if timed else {})


def _totals(totals: Totals | None) -> dict[str, object] | None:
    if totals is None:
        return None
    return {"before": _cost(totals.before, timed=totals.timed), "after": _cost(totals.after, timed=totals.timed)}


def _weights(weights: Weights | None) -> dict[str, object] | None:
    return weights and {
        "total": weights.total,
        "kept": len(weights.kept),
        "reshaped": list(weights.reshaped),
        "new": list(weights.new),
        "dropped": list(weights.dropped),
    }
