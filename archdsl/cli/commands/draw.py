"""`archdsl draw`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.cost_options import interpolate, priced_or_leave
from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides
from archdsl.cli.output import deliver, note
from archdsl.ops import Shape
from archdsl.text import visible_line

if TYPE_CHECKING:
    from archdsl.cost.node_costs import NodeCosts
    from archdsl.pipeline import Loaded
    from archdsl.space import QuestionPath

_FORMATS = ("svg", "png", "pdf", "dot", "json")


@click.command("draw")
@click.argument("target", metavar="FILE")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="X.svg|png|pdf|dot|json|-",
    help="Where to; the suffix says what. `-` writes to standard output.",
)
@click.option(
    "--cell",
    metavar="NAME",
    help="One cell, op or line by its path, its definition or its tag (`normal@h1`); or a chain's cells, by its name.",
)
@click.option(
    "--costs",
    metavar="params|macs|activations|TABLE",
    help="Coloured by share: of a count, or of the time that a cost table gives.",
)
@interpolate
@click.option(
    "--logits",
    type=click.Path(path_type=Path),
    help="Of a search, as JSON or safetensors: lines are as wide as they are probable.",
)
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Instead of the suffix.")
@overrides
@input_size
def command(
    target: str,
    out: Path,
    cell: str | None,
    costs: str | None,
    interpolate: bool,
    logits: Path | None,
    form: str | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
) -> int:
    """Draw a grid with its paths, a network by its cells, one cell, or the cells of a chain.

    With `--costs` boxes and ops of a network are coloured by their share of what it costs, on one scale for all
    pictures. A file that is called as a count is: `./macs`.

    The same text gives the same bytes. `json` is the picture as data: its boxes, lines and frames.
    """
    from archdsl.api import Refused
    from archdsl.render import NotApart, draw, render

    chosen = form or out.suffix.removeprefix(".") or "svg"
    if chosen not in _FORMATS:
        raise Refused(
            f"`{out}` is not a picture file: write one that ends in {', '.join(f'.{each}' for each in _FORMATS)}"
        )
    loaded = load_or_leave(target, overrides, shape)
    found = None if costs is None else _costs(loaded, target, costs, shape, interpolate=interpolate)
    try:
        picture = draw(loaded, cell=cell, costs=found, chances=None if logits is None else _chances(loaded, logits))
    except NotApart as error:
        raise Refused(str(error)) from None
    data = render(picture, chosen)
    if deliver(data, out):
        note(visible_line(str(out)))
    return Exit.FINE


def _costs(loaded: Loaded, target: str, what: str, shape: Shape | None, *, interpolate: bool) -> NodeCosts:
    """Raises Refused for a space."""
    from archdsl.api import Refused, closed_graph
    from archdsl.cost import figures
    from archdsl.cost.estimate import estimate
    from archdsl.cost.node_costs import Counted, counted, timed

    graph = closed_graph(loaded)
    if what in [each.value for each in Counted]:
        return counted(figures(graph), Counted(what))
    if not Path(what).exists():
        raise Refused(f"there is no `{what}` among {', '.join(Counted)}, and no such cost table")
    table = priced_or_leave(Path(what), {target: loaded}, shape, interpolate=interpolate)
    return timed(estimate(graph, table))


def _chances(loaded: Loaded, file: Path) -> Mapping[QuestionPath, Mapping[str, float]]:
    """The probabilities that logits give. Raises Refused for a network, or for logits of something else."""
    from archdsl.api import Refused, require_open
    from archdsl.pipeline.logits import UnreadableLogits, probabilities, read_logits

    require_open(loaded)
    try:
        return probabilities(read_logits(file, loaded.program), loaded.program)
    except UnreadableLogits as found:
        raise Refused(str(found)) from None
