"""`archdsl stats`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import count, plural, say, say_json, short, table
from archdsl.cost import Figures, Sum, figures
from archdsl.pipeline import Loaded
from archdsl.space.paths import count_path_sets


@click.command("stats")
@click.argument("target", metavar="FILE")
@text_or_json
@overrides
@input_size
def command(
    target: str, form: str, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None
) -> int:
    """Count parameters and multiply-adds by cell and branch; of a space, its questions and paths.

    `params` are trained parameters at inference, `params_training` those with the auxiliary heads. `macs` are the
    multiply-adds of conv, dwconv and linear for one image, which papers call FLOPs. Needs no torch.
    """
    loaded = load_or_leave(target, overrides, size, form=form)
    if not loaded.closed:
        _space(loaded, form)
        return Exit.FINE
    found = figures(loaded.network())
    if form == "json":
        say_json(_object(found))
    else:
        say(_text(found, loaded))
    return Exit.FINE


def _object(found: Figures) -> dict[str, Any]:
    return {
        "name": found.name,
        "input": [1, *found.image],
        "params": found.params,
        "params_training": found.params_training,
        "macs": found.macs,
        "cells": [_sum(each) for each in found.cells()],
        "branches": [_sum(each) for each in found.branches()],
        "nodes": [
            {
                "path": node.path,
                "op": node.op,
                "params": node.params,
                "macs": node.macs,
                "shape": list(node.shape),
                "cell": node.cell,
                "branches": list(node.branches),
            }
            for node in found.nodes
        ],
    }


def _sum(each: Sum) -> dict[str, Any]:
    return {"name": each.name, "params": each.params, "macs": each.macs, "nodes": each.nodes}


def _text(found: Figures, loaded: Loaded) -> str:
    image = "x".join(map(str, (1, *found.image)))
    kind = "" if loaded.name == loaded.program.name else f"  (of {loaded.program.name})"
    head = [
        f"{found.name}{kind}, input {image}\n",
        table(
            [
                ("params", count(found.params), short(found.params)),
                ("params in training", count(found.params_training), short(found.params_training)),
                ("MACs", count(found.macs), short(found.macs)),
                ("sizes", f"multiples of {loaded.padding_multiple}", ""),
            ],
            right=(1,),
        ),
    ]
    parts = ["\n".join(head), _sums("by cell", found.cells(), found)]
    if found.branches():
        parts.append(_sums("by branch", found.branches(), found))
    return "\n".join(parts)


def _sums(title: str, sums: Sequence[Sum], found: Figures) -> str:
    rows = [(title, "params", "MACs", "share of MACs")]
    for each in sums:
        if each.params or each.macs:
            share = f"{100 * each.macs / found.macs:.1f} %" if found.macs else ""
            rows.append((each.name, count(each.params), count(each.macs), share))
    return table(rows, right=(1, 2, 3))


def _space(loaded: Loaded, form: str) -> None:
    program = loaded.program
    kinds = Counter(str(question.kind) for question in program.questions.values())
    paths = count_path_sets(program)
    if form == "json":
        say_json({"name": program.name, "questions": dict(kinds), "paths": paths, "hash": program.hash})
        return
    rows = [(kind, count(number)) for kind, number in kinds.items()]
    if paths is not None:
        rows.append(("ways of the branches through the grid", count(paths)))
    say(f"{program.name}: a space with {plural(len(program.questions), 'question')}\n\n{table(rows, right=(1,))}")
