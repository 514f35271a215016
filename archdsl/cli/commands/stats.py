"""`archdsl stats`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import (
    about,
    amount,
    as_data,
    conditions,
    cost_table,
    interpolate,
    interpolated_text,
    milliseconds,
    priced_or_leave,
)
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown, load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import count, plural, say, say_json, short, table
from archdsl.cost import Figures, Sum, figures
from archdsl.pipeline import Loaded

if TYPE_CHECKING:
    from archdsl.cost.estimate import Estimate, Share
    from archdsl.cost.tables import Table
    from archdsl.ir import ClosedGraph


@click.command("stats")
@click.argument("target", metavar="FILE")
@text_or_json
@overrides
@input_size
@cost_table
@interpolate
@click.option("--supernet", "of_supernet", is_flag=True, help="What a step of the space's supernet takes.")
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Images of such a step.")
def command(
    target: str,
    form: str,
    overrides: tuple[tuple[str, str], ...],
    size: tuple[int, int] | None,
    cost: Path | None,
    interpolate: bool,
    of_supernet: bool,
    batch: int,
) -> int:
    """Count parameters and multiply-adds by cell and branch; of a space, its questions, paths and genotypes.

    `params` are trained parameters at inference, `params in training` those with the auxiliary heads. MACs are the
    multiply-adds of conv, dwconv and linear for one image, which papers call FLOPs. With `--cost` it also says what
    the network takes where the table was measured. With `--supernet` it says, before a search is started, how many
    parameters, multiply-adds and how much memory a step takes; `--input` is the search's crop. Needs no torch.
    """
    loaded = load_or_leave(target, overrides, size, form=form)
    if of_supernet:
        return _supernet(loaded, batch, form)
    prices = None if cost is None else priced_or_leave(cost, {target: loaded}, size, form=form, interpolate=interpolate)
    if not loaded.closed:
        from archdsl.cli.sizes import size_object, size_text
        from archdsl.pipeline.stats import space_stats

        size_found = space_stats(loaded)
        if form == "json":
            say_json(size_object(size_found))
        else:
            say(size_text(size_found))
        return Exit.FINE
    graph = loaded.network()
    found, priced = figures(graph), None if prices is None else _estimate(graph, prices)
    if form == "json":
        say_json(_object(found) | (_priced_object(priced) if priced else {}))
    else:
        say(_text(found, loaded, priced))
    return Exit.FINE


def _supernet(loaded: Loaded, batch: int, form: str) -> int:
    from archdsl.api import require_open
    from archdsl.cli.supernets import estimate_object, estimate_text
    from archdsl.pipeline.supernet_report import supernet_estimate

    require_open(loaded)
    with errors_shown(form):
        found = supernet_estimate(loaded, batch=batch)
    if form == "json":
        say_json({"name": loaded.name, **estimate_object(found)})
    else:
        say(estimate_text(loaded.name, found))
    return Exit.FINE


def _estimate(graph: ClosedGraph, table: Table) -> Estimate:
    from archdsl.cost.estimate import estimate

    return estimate(graph, table)


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


def _priced_object(priced: Estimate) -> dict[str, Any]:
    return {
        "latency": as_data(priced)
        | {
            "cells": [{"name": each.name, "latency_ms": milliseconds(each.seconds)} for each in priced.cells()],
            "branches": [{"name": each.name, "latency_ms": milliseconds(each.seconds)} for each in priced.branches()],
        }
    }


def _text(found: Figures, loaded: Loaded, priced: Estimate | None) -> str:
    image = "x".join(map(str, (1, *found.image)))
    kind = "" if loaded.name == loaded.program.name else f" (of {loaded.program.name})"
    totals = [
        ("params", count(found.params), short(found.params)),
        ("params in training", count(found.params_training), short(found.params_training)),
        ("MACs", count(found.macs), short(found.macs)),
    ]
    if priced:
        unit = priced.table.unit
        latency = about(amount(priced.seconds, unit), priced.interpolated)
        totals.append((f"latency, {unit}", latency, f"{plural(len(priced.rows), 'row')}"))
    parts = [
        f"{found.name}{kind} on one image {image}; {_sizes(loaded.padding_multiple)}\n",
        table(totals, right=(1,)),
        _sums("by cell", found.cells(), found.macs, priced, priced.cells() if priced else ()),
    ]
    if found.branches():
        parts.append(_sums("by branch", found.branches(), found.macs, priced, priced.branches() if priced else ()))
    if priced:
        parts.append(f"  latency {conditions(priced.table)}\n{interpolated_text(priced, '  ')}")
    return "\n".join(parts)


def _sizes(multiple: int) -> str:
    return f"sizes are multiples of {multiple}" if multiple > 1 else "any size fits"


def _sums(title: str, sums: Sequence[Sum], macs: int, priced: Estimate | None, shares: Sequence[Share]) -> str:
    """Columns of counts and, with a cost table, of estimates; rows without either are left out."""
    head = (title, "params", "MACs", "share of MACs")
    seconds = {share.name: share.seconds for share in shares}
    interpolated = {share.name: share.interpolated for share in shares}
    shown = [each for each in sums if each.params or each.macs or each.name in seconds]
    rows = [(each.name, count(each.params), count(each.macs), _share(each.macs, macs)) for each in shown]
    if priced:
        unit = priced.table.unit
        head = (*head, f"latency, {unit}", "share of latency")
        times = [seconds.get(each.name, 0.0) for each in shown]
        rows = [
            (*row, about(amount(time, unit), interpolated.get(row[0], 0)), _share(time, priced.seconds))
            for row, time in zip(rows, times, strict=True)
        ]
    return table([head, *rows], right=range(1, len(head))) if rows else ""


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
