"""Supernets as text: questions, steps, and what a step takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from archdsl.cli.output import count, plural, short, table
from archdsl.pipeline.supernet_report import AskedQuestion, State, SupernetReport
from archdsl.relax.checkpoints import Checkpoints
from archdsl.relax.estimate import Estimate

_SHOWN = 4
"""Candidates that a line of the table of questions has."""


def estimate_text(name: str, found: Estimate, again: Checkpoints | None) -> str:
    image = "x".join(map(str, (found.batch, *found.image)))
    tensors = found.tensors
    numbers = [
        ("parameters", count(tensors.trained), short(tensors.trained)),
        ("  of kernels", count(tensors.kernels), short(tensors.kernels)),
        ("  of batch norms", count(tensors.norms), short(tensors.norms)),
        ("running statistics", count(tensors.statistics), short(tensors.statistics)),
        ("logits", count(tensors.logits), short(tensors.logits)),
        ("MACs forward", count(found.forward_macs), short(found.forward_macs)),
        ("MACs of a step of weights", count(found.weights.macs), short(found.weights.macs)),
        ("MACs of a step of answers", count(found.answers.macs), short(found.answers.macs)),
    ]
    memory = [
        ("memory of a step of weights", "MB"),
        ("weights and statistics", _megabytes(found.tensors_bytes)),
        ("gradients", _megabytes(found.gradients_bytes)),
        ("optimizer, one momentum a weight", _megabytes(found.optimizer_bytes)),
        ("maps kept for the gradient", _megabytes(found.weights.maps_bytes)),
        ("together", _megabytes(found.step_bytes)),
    ]
    cells = [
        ("by cell", "params", "MACs forward", "maps, MB"),
        *((each.name, count(each.params), count(each.macs), _megabytes(each.maps_bytes)) for each in found.parts),
    ]
    return "\n".join(
        [
            f"the supernet of {name} on images {image}, open questions mixed, each width at its largest\n",
            table(numbers, right=(1,)),
            table(memory, right=(1,)),
            "  32-bit numbers; what layers need to work in comes on top\n",
            *([] if again is None else [_again_text(found, again)]),
            table(cells, right=(1, 2, 3)),
        ]
    )


def _again_text(found: Estimate, again: Checkpoints) -> str:
    lines = [
        ("maps computed again", f"in {len(again.cells)} of {plural(again.of, 'cell')}"),
        ("maps held at one time, MB", _megabytes(again.maps_bytes)),
        ("together, MB", _megabytes(found.step_bytes - found.weights.maps_bytes + again.maps_bytes)),
        ("MACs on top", f"{count(again.again_macs)}, {100 * again.again_macs / found.weights.macs:.1f} %"),
    ]
    return "\n".join([table(lines, right=(1,)), *(f"  {cell}" for cell in again.cells), *([""] if again.cells else [])])


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f}"


def estimate_object(found: Estimate, again: Checkpoints | None) -> dict[str, Any]:
    return {
        "input": [found.batch, *found.image],
        "tensors": asdict(found.tensors),
        "macs": {"forward": found.forward_macs, "weights": found.weights.macs, "answers": found.answers.macs},
        "bytes": {
            "tensors": found.tensors_bytes,
            "gradients": found.gradients_bytes,
            "optimizer": found.optimizer_bytes,
            "maps": found.weights.maps_bytes,
            "maps_of_answers": found.answers.maps_bytes,
            "step": found.step_bytes,
        },
        "cells": [asdict(each) for each in found.parts],
        "checkpoints": None if again is None else asdict(again),
    }


def report_text(report: SupernetReport) -> str:
    """A page: the questions, the plan, and its cost by part."""
    states = Counter(each.state for each in report.questions)
    counts = ", ".join(f"{states[state]} {state}" for state in State if states[state])
    questions = [("question", "kind", "while searching", "asked in", "candidates"), *map(_question, report.questions)]
    steps = [
        ("steps", "nodes", "kept maps", "first at", "form"),
        *((count(row.count), count(row.nodes), count(row.kept), row.example, row.form) for row in report.steps),
    ]
    layout = "channels last" if report.channels_last else "channels first"
    again = "and are all kept" if report.keeps_maps else "and what is cheap is computed again"
    of = "" if report.name == report.space else f", a genotype of {report.space}"
    sampled = report.only_sampled
    return "\n".join(
        [
            f"supernet of {report.name}{of}, {report.hash}\n",
            *([] if sampled is None else [f"widths can be sampled and not mixed: {sampled.message}\n"]),
            f"{plural(len(report.questions), 'question')}: {counts}\n",
            table(questions),
            f"{plural(sum(row.count for row in report.steps), 'step')}, maps lie {layout} {again}\n",
            table(steps, right=(0, 1, 2)),
            estimate_text(report.name, report.estimate, report.checkpoints),
        ]
    )


def _question(each: AskedQuestion) -> tuple[str, str, str, str, str]:
    kind = f"{each.kind} per branch" if each.per_branch else str(each.kind)
    more = len(each.candidates) - _SHOWN
    shown = ", ".join(each.candidates[:_SHOWN]) + (f", and {more} more" if more > 0 else "")
    return each.path, kind, str(each.state), each.place, shown


def report_object(report: SupernetReport) -> dict[str, Any]:
    sampled = report.only_sampled
    return {
        "name": report.name,
        "space": report.space,
        "hash": report.hash,
        "only_sampled": None if sampled is None else sampled.message,
        "questions": [{**asdict(each), "kind": str(each.kind), "state": str(each.state)} for each in report.questions],
        "steps": [asdict(row) for row in report.steps],
        "channels_last": report.channels_last,
        "keeps_maps": report.keeps_maps,
        "estimate": estimate_object(report.estimate, report.checkpoints),
    }
