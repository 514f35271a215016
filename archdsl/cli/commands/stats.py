"""`archdsl stats`."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf
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
    rows_or_leave,
    rows_there,
)
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown, load_or_leave
from archdsl.cli.options import input_size, keep_maps, memory_budget, overrides, text_or_json
from archdsl.cli.output import count, plural, say, say_json, short, table
from archdsl.cost import Figures, Sum, figures
from archdsl.cost.memory import peak_memory
from archdsl.cost.receptive_field import receptive_field
from archdsl.ops import Shape
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
@memory_budget
@keep_maps
@click.option("--batch", type=click.IntRange(1), default=1, show_default=True, help="Images of such a step.")
def command(
    target: str,
    form: str,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    cost: Path | None,
    interpolate: bool,
    of_supernet: bool,
    memory_bytes: int | None,
    keep_maps: bool,
    batch: int,
) -> int:
    """Count parameters and multiply-adds by cell and branch; of a space, its questions, paths and genotypes.

    `params` are trained parameters at inference, `params in training` those with the auxiliary heads. MACs are
    multiply-adds for one image, FLOPs two for each. Activations are the numbers that all primitives write; the peak is
    that of the maps which are there at once. With `--cost` it also says what the network takes where the table was
    measured. With `--supernet` it says, before a search is started, how many parameters, multiply-adds and how much
    memory a step takes; `--input` is the search's crop. Needs no torch.

    Of a space it also says the least and the greatest of all genotypes, exactly; `archdsl sample --least macs` writes
    one that has it.
    """
    loaded = load_or_leave(target, overrides, shape, form=form)
    if of_supernet:
        return _supernet(loaded, batch, memory_bytes, form, keep_maps=keep_maps)
    if memory_bytes is not None or keep_maps:
        raise click.UsageError("`--memory` and `--keep-maps` are about a step of a supernet: give `--supernet` too")
    if not loaded.closed:
        return _space(loaded, target, cost, shape, form, interpolate=interpolate)
    prices = (
        None if cost is None else priced_or_leave(cost, {target: loaded}, shape, form=form, interpolate=interpolate)
    )
    graph = loaded.network()
    found, priced = figures(graph), None if prices is None else _estimate(graph, prices)
    if form == "json":
        say_json(_object(found, graph) | (_priced_object(priced) if priced else {}))
    else:
        say(_text(found, loaded, graph, priced))
    return Exit.FINE


def _space(loaded: Loaded, target: str, cost: Path | None, shape: Shape | None, form: str, *, interpolate: bool) -> int:
    from archdsl.cli.sizes import LATENCY, ranges_object, ranges_text, size_object, size_text
    from archdsl.cost.interpolate import with_interpolated
    from archdsl.cost.tables import read_table
    from archdsl.pipeline.ranges import Figure, NoRange, Range, Ranges
    from archdsl.pipeline.stats import space_stats

    prices = None if cost is None else read_table(cost)
    if prices is not None and interpolate:
        prices = with_interpolated(prices, rows_or_leave(loaded, form=form))
    size_found, ranges, found, reason = space_stats(loaded), Ranges(loaded.program), dict[str, Range](), ""
    try:
        found |= {figure.value: ranges.of(figure) for figure in Figure}
        if prices is not None:
            with rows_there(cost, target, loaded, shape, form):
                found[LATENCY] = ranges.of_seconds(prices)
    except NoRange as error:
        reason = str(error)
    if form == "json":
        more = {"ranges": ranges_object(loaded.program, found), "no_range": reason or None}
        say_json(size_object(size_found) | more)
    else:
        parts = [size_text(size_found), ranges_text(found, prices and prices.unit) if found else "", reason]
        say("\n".join(filter(None, parts)))
    return Exit.FINE


def _supernet(loaded: Loaded, batch: int, memory_bytes: int | None, form: str, *, keep_maps: bool) -> int:
    from archdsl.api import require_one, require_open
    from archdsl.cli.supernets import estimate_object, estimate_text
    from archdsl.pipeline.supernet_report import supernet_estimate

    require_open(loaded)
    require_one(memory_bytes, keep_maps=keep_maps)
    with errors_shown(form):
        found, again = supernet_estimate(loaded, batch=batch, memory_bytes=memory_bytes, keep_maps=keep_maps)
    if form == "json":
        say_json({"name": loaded.name, **estimate_object(found, again)})
    else:
        say(estimate_text(loaded.name, found, again))
    return Exit.FINE


def _estimate(graph: ClosedGraph, table: Table) -> Estimate:
    from archdsl.cost.estimate import estimate

    return estimate(graph, table)


def _object(found: Figures, graph: ClosedGraph) -> dict[str, Any]:
    peak, field = peak_memory(graph), receptive_field(graph)
    return {
        "name": found.name,
        "input": [1, *found.image],
        "params": found.params,
        "params_training": found.params_training,
        "macs": found.macs,
        "macs_of_layers": found.macs_of_layers,
        "activations": found.activations,
        "activations_of_layers": found.activations_of_layers,
        "peak_memory": {"bytes": peak.bytes, "node": peak.node},
        "receptive_field": field and [None if isinf(side) else side for side in (field.height, field.width)],
        "cells": [_sum(each) for each in found.cells()],
        "branches": [_sum(each) for each in found.branches()],
        "nodes": [
            {
                "path": node.path,
                "op": node.op,
                "params": node.params,
                "macs": node.macs,
                "activations": node.activations,
                "shape": list(node.shape),
                "cell": node.cell,
                "branches": list(node.branches),
            }
            for node in found.nodes
        ],
    }


def _sum(each: Sum) -> dict[str, Any]:
    return {
        "name": each.name,
        "params": each.params,
        "macs": each.macs,
        "activations": each.activations,
        "nodes": each.nodes,
    }


def _priced_object(priced: Estimate) -> dict[str, Any]:
    return {
        "latency": as_data(priced)
        | {
            "cells": [{"name": each.name, "latency_ms": milliseconds(each.seconds)} for each in priced.cells()],
            "branches": [{"name": each.name, "latency_ms": milliseconds(each.seconds)} for each in priced.branches()],
            "ops": [
                {"name": each.name, "rows": each.uses, "latency_ms": milliseconds(each.seconds)}
                for each in priced.ops()
            ],
        }
    }


def _text(found: Figures, loaded: Loaded, graph: ClosedGraph, priced: Estimate | None) -> str:
    image = "x".join(map(str, (1, *found.image)))
    kind = "" if loaded.name == loaded.program.name else f" (of {loaded.program.name})"
    totals = [
        ("params", count(found.params), short(found.params)),
        ("params in training", count(found.params_training), short(found.params_training)),
        ("MACs", count(found.macs), short(found.macs)),
        *_other_counts(found, graph),
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
        parts.append(_ops(priced))
        between = interpolated_text((row.use.row for row in priced.rows if row.interpolated), "~", "  ")
        parts.append(f"  latency {conditions(priced.table)}\n{between}")
    return "\n".join(parts)


def _other_counts(found: Figures, graph: ClosedGraph) -> list[tuple[str, str, str]]:
    """What is mixed up with parameters and MACs."""
    peak, field = peak_memory(graph), receptive_field(graph)
    rows = [
        ("FLOPs, 2 for each MAC", count(2 * found.macs), short(2 * found.macs)),
        ("activations", count(found.activations), short(found.activations)),
        ("activations of conv and linear", count(found.activations_of_layers), short(found.activations_of_layers)),
        ("peak memory of maps, bytes", count(peak.bytes), f"fp32, at {peak.node}"),
    ]
    if found.macs_of_layers != found.macs:
        rows.insert(0, ("MACs of conv and linear", count(found.macs_of_layers), short(found.macs_of_layers)))
    if field is not None:
        sides = ["all" if isinf(side) else f"{side:.0f}" for side in (field.height, field.width)]
        spelled = sides[0] if sides == ["all", "all"] else "x".join(sides)
        rows.append(("receptive field", spelled, "rows x columns"))
    return rows


def _sizes(multiple: int) -> str:
    return f"sizes are multiples of {multiple}" if multiple > 1 else "any size fits"


def _sums(title: str, sums: Sequence[Sum], macs: int, priced: Estimate | None, shares: Sequence[Share]) -> str:
    """Columns of counts and, with a cost table, of estimates."""
    head = (title, "params", "activations", "MACs", "share of MACs")
    seconds = {share.name: share.seconds for share in shares}
    interpolated = {share.name: share.interpolated for share in shares}
    rows = [
        (each.name, count(each.params), count(each.activations), count(each.macs), _share(each.macs, macs))
        for each in sums
    ]
    if priced:
        unit = priced.table.unit
        head = (*head, f"latency, {unit}", "share of latency")
        times = [seconds.get(each.name, 0.0) for each in sums]
        rows = [
            (*row, about(amount(time, unit), interpolated.get(row[0], 0)), _share(time, priced.seconds))
            for row, time in zip(rows, times, strict=True)
        ]
    return table([head, *rows], right=range(1, len(head))) if rows else ""


def _ops(priced: Estimate) -> str:
    unit = priced.table.unit
    rows = [
        (
            each.name,
            count(each.uses),
            about(amount(each.seconds, unit), each.interpolated),
            _share(each.seconds, priced.seconds),
        )
        for each in priced.ops()
    ]
    return table([("by op", "rows", f"latency, {unit}", "share of latency"), *rows], right=(1, 2, 3))


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""
