"""`archdsl sample`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import count as grouped
from archdsl.cli.output import note, say, say_json, table
from archdsl.ops import Shape
from archdsl.staging import write_atomic

if TYPE_CHECKING:
    from archdsl.pipeline import Loaded
    from archdsl.pipeline.sample import Sampled


@click.command("sample")
@click.argument("target", metavar="SPACE")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same genotypes.")
@click.option("--where", "wheres", multiple=True, metavar="'macs < 20G'", help="Only genotypes that meet this.")
@click.option("--least", metavar="FIGURE", help="The genotype with the least `macs` (or params, …) of all.")
@click.option("--greatest", metavar="FIGURE", help="The one with the greatest.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A folder: a file for each. Without it, to stdout.")
@overrides
@input_size
@text_or_json
def command(
    target: str,
    count: int,
    seed: int,
    wheres: tuple[str, ...],
    least: str | None,
    greatest: str | None,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    form: str,
) -> int:
    """Sample genotypes of SPACE uniformly.

    Constraints are of the form `macs < 20G`, on params, params_training, macs and activations; one that no genotype
    meets is refused with the range that there is. `--least` and `--greatest` write one genotype and draw none.
    """
    from archdsl.api import Refused
    from archdsl.pipeline.ranges import NoRange
    from archdsl.pipeline.sample import BadConstraint, Where, sample, unreachable
    from archdsl.space.count import NotCounted

    loaded = load_or_leave(target, overrides, shape, form=form)
    try:
        if least or greatest:
            drawn = _extremes(loaded, least, greatest, out or Path(), wheres=wheres)
        else:
            constraints = [Where.parse(text) for text in wheres]
            drawn = list(sample(loaded, count, seed, constraints, out or Path()))
    except (BadConstraint, NoRange, NotCounted) as error:
        raise Refused(str(error)) from error
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for each in drawn:
            write_atomic(out / f"{each.name}.arch", each.text.encode())
        if (why := unreachable(loaded, out)) is not None:
            note(why)
    if form == "json":
        say_json(
            {"genotypes": [_object(each.name, each.text, each.figures.params, each.figures.macs) for each in drawn]}
        )
    elif out is None:
        say("\n".join(each.text for each in drawn))
    else:
        rows = [("genotype", "params", "MACs")]
        rows += [
            (str(out / f"{each.name}.arch"), grouped(each.figures.params), grouped(each.figures.macs)) for each in drawn
        ]
        say(table(rows, right=(1, 2), indent=""))
    return Exit.FINE


def _extremes(
    loaded: Loaded, least: str | None, greatest: str | None, folder: Path, *, wheres: Sequence[str]
) -> list[Sampled]:
    from archdsl.cost.extremes import Extreme
    from archdsl.pipeline.ranges import Figure
    from archdsl.pipeline.sample import extreme

    if wheres:
        raise click.UsageError("`--where` is for samples; the least and the greatest are those of all genotypes")
    drawn: list[Sampled] = []
    for end, name in ((Extreme.LEAST, least), (Extreme.GREATEST, greatest)):
        if name is not None:
            if name not in list(Figure):
                raise click.UsageError(f"`{name}` has no range; write one of {', '.join(Figure)}")
            drawn.append(extreme(loaded, Figure(name), end, folder))
    return drawn


def _object(name: str, text: str, params: int, macs: int) -> dict[str, object]:
    return {"name": name, "params": params, "macs": macs, "text": text}
