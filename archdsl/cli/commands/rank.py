"""`archdsl rank`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli.cost_options import cost_table, rows_there
from archdsl.cli.exits import Exit
from archdsl.cli.loading import errors_shown
from archdsl.cli.options import FrameSize, data_size, input_size, text_or_json
from archdsl.cli.output import note, say, say_json, table
from archdsl.cli.progress import Bar
from archdsl.cli.trials import candidate_line, percent, show_training
from archdsl.extras import require_for
from archdsl.ops import Shape

if TYPE_CHECKING:
    from archdsl.search.trials.correlation import Correlation
    from archdsl.search.trials.rank import Ranked


@click.command("rank")
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path, exists=True))
@click.option("--data", "written", default="streets", show_default=True, metavar="KIND:PATH", help="What to train on.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Instead of `RUN/rank`.")
@click.option("--networks", type=click.IntRange(3), default=10, show_default=True, help="So many are sampled.")
@click.option("--recipe", metavar="NAME", help="The `train` item to use, if the space has several.")
@click.option("--iterations", type=click.IntRange(1), help="Of each network's training, instead of the recipe's.")
@click.option("--epochs", type=click.IntRange(1), help="Instead of the recipe's length.")
@click.option("--batch", type=click.IntRange(1), help="Instead of the recipe's.")
@click.option("--crop", type=FrameSize(), metavar="HxW", help="The crop size in training, instead of the search's.")
@click.option(
    "--where",
    "wheres",
    multiple=True,
    metavar="'latency < 8ms'",
    help="Only networks that meet this; also of params, macs and activations.",
)
@cost_table
@click.option("--resume", is_flag=True, help="Continue where it stopped, also with more networks.")
@data_size
@click.option("--score-on", default="val", show_default=True, metavar="SPLIT", help="On which they are compared.")
@click.option("--train-on", default="train", show_default=True, metavar="SPLIT")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples and trainings.")
@click.option("--precision", type=click.Choice(["fp32", "bf16", "fp16"]), default="fp32", show_default=True)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@input_size
@text_or_json
def command(
    run: Path,
    written: str,
    out: Path | None,
    networks: int,
    recipe: str | None,
    iterations: int | None,
    epochs: int | None,
    batch: int | None,
    crop: tuple[int, int] | None,
    wheres: tuple[str, ...],
    cost: Path | None,
    resume: bool,
    data_size: tuple[int, int] | None,
    score_on: str,
    train_on: str,
    seed: int,
    precision: str,
    device: str,
    shape: Shape | None,
    form: str,
) -> int:
    """Compare how the supernet of a search orders networks with how they are ordered when each is trained alone.

    RUN is the folder of a search. Networks of its space are sampled uniformly, trained from one seed, and scored with
    the supernet's weights; rank correlations come with 95 % intervals (bootstrap). All of it goes to `RUN/rank`.
    """
    require_for("rank")

    from archdsl.data import open_data
    from archdsl.search.baselines.strategies import Choice
    from archdsl.search.derive.where import Where
    from archdsl.search.trials.baseline import run_baseline
    from archdsl.search.trials.prepare import BaselineRequest, open_space, prepare_baseline
    from archdsl.search.trials.rank import ranked
    from archdsl.search.trials.searched import searched_space
    from archdsl.search.trials.short_training import Trainings, read_once
    from archdsl.search.trials.supernet_accuracy import SupernetAccuracy
    from archdsl.train.distributed import fabric_of
    from archdsl.train.prepare import TrainRequest, inputs_of_text

    place = out or run / "rank"
    fabric = fabric_of(device, precision)
    with errors_shown(form):
        searched = searched_space(run, fabric.device)
        inputs = inputs_of_text(searched.space, searched.overrides)
    data = read_once(open_data(written, size=data_size, seed=seed, inputs=inputs))
    training = TrainRequest(
        genotype=searched.space,
        out=place,
        recipe=recipe,
        crop=crop or searched.size,
        batch=batch,
        epochs=epochs,
        iterations=iterations,
        seed=seed,
        overrides=searched.overrides,
        train_on=train_on,
        score_on=score_on,
    )
    bounds = tuple(map(Where.parse, wheres))
    request = BaselineRequest(training, Choice("random"), networks, bounds, cost, shape and shape.size, searched)
    with errors_shown(form):
        loaded = open_space(request, data)
    with rows_there(cost, searched.space, loaded, shape, form), Bar(shown=fabric.is_global_zero) as bar:
        with errors_shown(form):
            prepared = prepare_baseline(request, loaded, data)
        for sentence in (*prepared.notices, f"{networks} networks of {prepared.steps} steps"):
            bar.print(sentence)
        trainings = Trainings(
            training,
            data,
            fabric,
            watch=lambda number, progress: show_training(bar, number, networks, progress),
            tell=bar.print,
        )
        outcome = run_baseline(
            prepared.baseline,
            trainings,
            fabric,
            resume=resume,
            watch=lambda candidate: bar.print(candidate_line(candidate, networks, data.merit)),
        )
    if outcome.signal:
        if fabric.is_global_zero:
            note(f"stopped after {len(outcome.candidates)} of {networks} networks; resume with `--resume`")
        return 128 + outcome.signal
    accuracy = SupernetAccuracy(searched.supernet, data, fabric.device, train_on, score_on, seed)
    found = ranked(searched.loaded.program, outcome.candidates, accuracy)
    if fabric.is_global_zero:
        found.write(place)
        _tell(found, form)
    return Exit.FINE


def _tell(found: Ranked, form: str) -> None:

    if form == "json":
        say_json(found.data)
        return
    rows = [("network", "in the supernet, %", "alone, %", "params", "MACs")]
    rows += [
        (
            str(candidate.number),
            percent(estimate),
            percent(candidate.accuracy),
            f"{candidate.params:,}",
            f"{candidate.macs:,}",
        )
        for candidate, estimate in zip(found.candidates, found.estimates, strict=True)
    ]
    say(table(rows, right=(0, 1, 2, 3, 4)))
    say(f"  Kendall's tau   {_coefficient(found.kendall)}\n  Spearman's rho  {_coefficient(found.spearman)}")


def _coefficient(found: Correlation) -> str:
    return f"{found.value:.3f}, 95 % of resamples from {found.low:.3f} to {found.high:.3f}"
