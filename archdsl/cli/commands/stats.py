"""`archdsl stats`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import count, say, say_json, short, table
from archdsl.cost import Figures, Sum, figures
from archdsl.pipeline import Loaded


@click.command("stats")
@click.argument("target", metavar="FILE")
@text_or_json
@overrides
@input_size
def command(target: str, form: str, overrides: tuple[tuple[str, str], ...], size: tuple[int, int] | None) -> int:
    """Count parameters and multiply-adds by cell and branch; of a space, its questions, paths and genotypes.

    `params` are trained parameters at inference, `params in training` those with the auxiliary heads. MACs are the
    multiply-adds of conv, dwconv and linear for one image, which papers call FLOPs. Needs no torch.
    """
    loaded = load_or_leave(target, overrides, size, form=form)
    if not loaded.closed:
        from archdsl.cli.sizes import size_of

        found_size = size_of(loaded)
        if form == "json":
            say_json(found_size.as_object())
        else:
            say(found_size.as_text())
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
    kind = "" if loaded.name == loaded.program.name else f" (of {loaded.program.name})"
    totals = [
        ("params", count(found.params), short(found.params)),
        ("params in training", count(found.params_training), short(found.params_training)),
        ("MACs", count(found.macs), short(found.macs)),
    ]
    parts = [
        f"{found.name}{kind} on one image {image}; {_sizes(loaded.padding_multiple)}\n",
        table(totals, right=(1,)),
        _sums("by cell", found.cells(), found),
    ]
    if found.branches():
        parts.append(_sums("by branch", found.branches(), found))
    return "\n".join(parts)


def _sizes(multiple: int) -> str:
    return f"sizes are multiples of {multiple}" if multiple > 1 else "any size fits"


def _sums(title: str, sums: Sequence[Sum], found: Figures) -> str:
    rows = [(title, "params", "MACs", "share of MACs")]
    for each in sums:
        if each.params or each.macs:
            share = f"{100 * each.macs / found.macs:.1f} %" if found.macs else ""
            rows.append((each.name, count(each.params), count(each.macs), share))
    return table(rows, right=(1, 2, 3)) if len(rows) > 1 else ""
