"""`archdsl derive`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.cost_options import cost_table, milliseconds, rows_there
from archdsl.cli.exits import Exit
from archdsl.cli.loading import check_channels, errors_shown, show
from archdsl.cli.options import NewFile, input_size, overrides, text_or_json
from archdsl.cli.output import note, say, say_json
from archdsl.ops import Shape
from archdsl.staging import write_atomic
from archdsl.text import visible_line

if TYPE_CHECKING:
    from archdsl.search.derive.genotype import Found
    from archdsl.search.derive.where import Where


@click.command("derive")
@click.argument("source", metavar="RUN|SPACE")
@click.option(
    "--logits", type=click.Path(path_type=Path), help="With a space: its logits, as JSON or safetensors (see `draw`)."
)
@click.option("--step", type=click.IntRange(0), help="Of a run: the logits after so many steps, instead of the last.")
@click.option("--phase", metavar="NAME", help="The phase whose rules and logits these are, instead of the last.")
@click.option("--ends", metavar="'a = 16, b = 32'", help="Where branches end.")
@click.option(
    "--accuracy",
    multiple=True,
    metavar="'a = 16, b = 32: 0.61'",
    help="Of the network with these ends; `pick` of the search says which is the best.",
)
@click.option(
    "--where",
    "wheres",
    multiple=True,
    metavar="'latency < 8ms'",
    help="The most probable genotype of all that meet this, exactly; also of params, macs and activations.",
)
@cost_table
@click.option("--name", help="The genotype's name, instead of the file's or `SPACE_derived`.")
@click.option("-o", "--out", type=NewFile(), metavar="FILE", help="Where to; without it, to stdout.")
@overrides
@input_size
@text_or_json
def command(
    source: str,
    logits: Path | None,
    step: int | None,
    phase: str | None,
    ends: str | None,
    accuracy: tuple[str, ...],
    wheres: tuple[str, ...],
    cost: Path | None,
    name: str | None,
    out: Path | None,
    overrides: tuple[tuple[str, str], ...],
    shape: Shape | None,
    form: str,
) -> int:
    """Derive a genotype from logits, by the rules of the search (`derive = …`).

    RUN is the folder of a search; without `--input` costs are those of its images. SPACE is a text with `--logits`: a
    space or one of its searches, or a genotype that leaves questions open. Where a text has one search of the space,
    its rules are taken; without one the most probable answers, and of a sum that keeps some the strongest inputs. Needs
    no torch.

    With `--where` it is the genotype of the largest product of probabilities among all whose predicted cost meets the
    bounds. Of a baseline's RUN it is the best candidate, of those that meet the bounds, of the first `--step`.
    """
    from archdsl.cost.tables import read_table
    from archdsl.search.baselines.found import is_baseline
    from archdsl.search.derive.genotype import Request, found_by
    from archdsl.search.derive.pick import read_ends
    from archdsl.search.derive.runs import from_run, from_text
    from archdsl.search.derive.where import Where

    if Path(source).is_dir() and is_baseline(Path(source)):
        if logits or phase or ends or accuracy or cost or overrides or shape:
            raise click.UsageError("of a baseline `--step`, `--where`, `--name` and `--out` say what is written")
        return _of_baseline(Path(source), step, tuple(map(Where.parse, wheres)), name, out, form)
    given = dict(overrides)
    with errors_shown(form):
        if Path(source).is_dir():
            if logits is not None:
                raise click.UsageError("a run has its own logits: leave `--logits` out, or name the space")
            found = from_run(Path(source), step=step, phase=phase, overrides=given, size=shape and shape.size)
        else:
            if logits is None:
                raise click.UsageError(f"give the logits of `{source}` by `--logits`, or name the folder of a run")
            if step is not None:
                raise click.UsageError("`--step` is about the folder of a run; a file of logits is one step")
            found = from_text(source, logits, phase=phase, overrides=given, size=shape and shape.size)
    check_channels(found.loaded.program, shape)
    if found.loaded.diagnostics:
        show(found.loaded.diagnostics, "text")
    request = Request(
        found,
        ends={} if ends is None else read_ends(ends),
        accuracy=dict(map(_accuracy, accuracy)),
        wheres=tuple(map(Where.parse, wheres)),
        table=None if cost is None else read_table(cost),
        table_name="" if cost is None else str(cost),
    )
    loaded, target = found.loaded, source
    if found.step is not None:
        target, shape = f"{loaded.target.file}:{loaded.name}", loaded.program.image.shape
    with rows_there(cost, target, loaded, shape, form):
        derived = found_by(request)
    chosen = name or _name(f"{derived.plan.program.name}_derived", out)
    text = derived.text(chosen, Path() if out is None else out.parent)
    _write(text, out, _object(derived, chosen, text) if form == "json" else None)
    return Exit.FINE


def _of_baseline(
    folder: Path, step: int | None, wheres: tuple[Where, ...], name: str | None, out: Path | None, form: str
) -> int:
    from archdsl.search.baselines.candidates import best_of
    from archdsl.search.baselines.found import candidates_within, found_in

    with errors_shown(form):
        found = found_in(folder)
    candidates = candidates_within(folder, wheres, step)
    best, program = best_of(candidates), found.loaded.program
    chosen = name or _name(f"{program.name}_found", out)
    text = found.text(candidates, chosen, Path() if out is None else out.parent, wheres)
    run = {"folder": str(folder), "seed": found.record["seed"], "phase": found.record["by"], "step": best.number}
    head = {"name": chosen, "space": program.name, "hash": program.hash, "run": run}
    _write(text, out, {**head, **best.values, "text": text} if form == "json" else None)
    return Exit.FINE


def _write(text: str, out: Path | None, data: dict[str, Any] | None) -> None:
    """To its file, or to stdout; `data` are for a program."""
    if out is not None:
        write_atomic(out, text.encode())
    if data is not None:
        say_json(data)
    elif out is None:
        say(text)
    else:
        note(visible_line(str(out)))


def _accuracy(text: str) -> tuple[str, float]:
    ends, _, number = text.rpartition(":")
    try:
        return ends, float(number)
    except ValueError:
        raise click.UsageError(f"`{text}` gives no accuracy: write `a = 16, b = 32: 0.61`") from None


def _name(default: str, out: Path | None) -> str:
    stem = "" if out is None else out.stem
    return stem if stem.isidentifier() else default


def _object(found: Found, name: str, text: str) -> dict[str, Any]:
    program, step, figures = found.plan.program, found.request.source.step, found.figures
    return {
        "name": name,
        "space": program.name,
        "hash": program.hash,
        "run": step and {"folder": str(step.run), "seed": step.seed, "phase": step.phase, "step": step.step},
        "answers": {program.spell(path): list(answer) for path, answer in found.derived.answers.items()},
        "open": [program.spell(path) for path in found.derived.left_open],
        "log_probability": found.log_probability,
        "params": figures and figures.params,
        "macs": figures and figures.macs,
        "activations": figures and figures.activations,
        "latency_ms": None if found.seconds is None else milliseconds(found.seconds),
        "text": text,
    }
