"""`archdsl weights`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.groups import Group
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import NewFile, input_size, overrides, text_or_json
from archdsl.cli.output import note, plural, say, say_json, table
from archdsl.ops import Shape
from archdsl.text import visible_line

if TYPE_CHECKING:
    from archdsl.weights.mapping import Mapped

_SHOWN = 12
"""Of tensors that have no partner."""


@click.group("weights", cls=Group, no_args_is_help=False)
def command() -> None:
    """Make weights of other programs those of a text's network."""


@command.command("map")
@click.argument("checkpoint", type=click.Path(path_type=Path), metavar="CHECKPOINT")
@click.argument("target", metavar="FILE")
@click.option("-o", "--out", type=NewFile(), metavar="X.safetensors", help="Write the weights under our names.")
@overrides
@input_size
@text_or_json
def map_(
    checkpoint: Path,
    target: str,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    form: str,
) -> int:
    """Show which tensor of CHECKPOINT is which of the network of FILE, and write them with its names.

    CHECKPOINT is a safetensors file or one of torch, which is read as data and never executed; half and bfloat16 become
    float32. Tensors are told by their names, whatever stands before all of them; layers with other names by the order
    of the file, where all shapes agree one after the other, or by a shape that is there once. What cannot be told for
    certain is refused, with exit code 1, and nothing is written.
    """
    from archdsl import api
    from archdsl.extras import require_for

    require_for("weights")
    from archdsl.weights.files import open_weights, save
    from archdsl.weights.mapping import mapped
    from archdsl.weights.torch_file import MAGIC_BYTES, begins_as_torch

    loaded = load_or_leave(target, overrides, shape, form=form)
    graph = api.closed_graph(loaded)
    file = open_weights(checkpoint)
    with checkpoint.open("rb") as head:
        ordered = begins_as_torch(head.read(MAGIC_BYTES))
    found = mapped(file, graph, ordered=ordered)
    if found.certain and out is not None:
        save(out, found.tensors(file), {"mapped_from": checkpoint.name})
    if form == "json":
        say_json(_data(found))
    else:
        say(_text(found))
        for notice in file.notices:
            note(notice)
        if found.certain and out is not None:
            note(visible_line(str(out)))
    return Exit.FINE if found.certain else Exit.FINDINGS


def _text(found: Mapped) -> str:
    rows = [("network", "shape", "file", "by")]
    rows += [(pair.name, _shape(pair.shape), pair.theirs, str(pair.by)) for pair in found.pairs]
    parts = [table(rows)] if found.pairs else []
    if found.missing:
        parts.append(
            f"{plural(len(found.missing), 'tensor')} of the network cannot be told for certain: {found.reason}\n"
        )
        parts.append(_listed(found.missing))
    if found.left:
        parts.append(
            f"{plural(len(found.left), 'tensor')} of the file {'is' if len(found.left) == 1 else 'are'} left out\n"
        )
        parts.append(_listed(found.left))
    return "\n".join(parts)


def _listed(tensors: Mapping[str, tuple[int, ...]]) -> str:
    rows = [(name, _shape(shape)) for name, shape in list(tensors.items())[:_SHOWN]]
    more = f"  and {len(tensors) - _SHOWN} more\n" if len(tensors) > _SHOWN else ""
    return table(rows) + more


def _data(found: Mapped) -> dict[str, object]:
    return {
        "certain": found.certain,
        "tensors": [
            {"network": pair.name, "shape": list(pair.shape), "file": pair.theirs, "by": str(pair.by)}
            for pair in found.pairs
        ],
        "missing": {name: list(shape) for name, shape in found.missing.items()},
        "left_out": {name: list(shape) for name, shape in found.left.items()},
        "reason": found.reason,
    }


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"
