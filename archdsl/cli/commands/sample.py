"""`archdsl sample`."""

from __future__ import annotations

from pathlib import Path

import click

from archdsl.cli.exits import Exit
from archdsl.cli.loading import load_or_leave
from archdsl.cli.options import input_size, overrides, text_or_json
from archdsl.cli.output import count as grouped
from archdsl.cli.output import note, say, say_json, table
from archdsl.files import write_atomic


@click.command("sample")
@click.argument("target", metavar="SPACE")
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--seed", default=0, show_default=True, help="The same seed gives the same genotypes.")
@click.option("--where", "wheres", multiple=True, metavar="'macs < 20G'", help="Only genotypes that meet this.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A folder: a file for each. Without it, to stdout.")
@overrides
@input_size
@text_or_json
def command(
    target: str,
    count: int,
    seed: int,
    wheres: tuple[str, ...],
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    size: tuple[int, int] | None,
    form: str,
) -> int:
    """Sample genotypes of SPACE uniformly.

    Constraints are of the form `macs < 20G`, on params, params_training and macs.
    """
    from archdsl.api import Refused
    from archdsl.pipeline.sample import BadConstraint, Where, sample, unreachable
    from archdsl.space.count import NotCounted

    loaded = load_or_leave(target, overrides, size, form=form)
    try:
        constraints = [Where.parse(text) for text in wheres]
        drawn = list(sample(loaded, count, seed, constraints, out or Path()))
    except (BadConstraint, NotCounted) as error:
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


def _object(name: str, text: str, params: int, macs: int) -> dict[str, object]:
    return {"name": name, "params": params, "macs": macs, "text": text}
